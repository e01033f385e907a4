/* fuzz_manifest.c - manifests of golden vectors: names that become paths stay inside the folder.
 *
 * What is read is not computed: a manifest may name problems that take hours.   See fuzz.h.
 */
#include "tests/fuzz/fuzz_folder.h"

#include "verify/golden/golden.h"

/* Every case has a name that is a folder's, data that exist, and a problem that can be printed and read again. */
static void look_at(const struct golden_manifest *manifest)
{
    FUZZ_DEMAND(manifest->count >= 1 && manifest->settings.lanes >= 1 && manifest->settings.format < GOLDEN_FORMATS);
    for (int i = 0; i < manifest->count; i++) {
        const struct golden_plan *plan = &manifest->plans[i];
        struct conv_problem again;
        char text[CONV_PROBLEM_TEXT];
        FUZZ_DEMAND(plan->name[0] && plan->name[0] != '.' && !strchr(plan->name, '/'));
        FUZZ_DEMAND(plan->data < GOLDEN_KINDS);
        FUZZ_DEMAND(conv_problem_parse(&again, conv_problem_print(text, &plan->problem), NULL) == CONV_OK);
        FUZZ_DEMAND(conv_problem_equal(&again, &plan->problem));
    }
}

FUZZ_TARGET(manifest)
{
    struct golden_manifest manifest;
    struct conv_error error = { .status = CONV_OK };
    int files;
    fuzz_folder_write(0, "manifest.json", data, size);
    if (golden_manifest_read(&manifest, fuzz_folder_path, &error) == CONV_OK) {
        look_at(&manifest);
        golden_manifest_free(&manifest);
    } else {
        FUZZ_DEMAND(error.message[0]);
    }
    error.message[0] = 0;
    if (golden_check(&files, fuzz_folder_path, &error) != CONV_OK)
        FUZZ_DEMAND(error.message[0]);
    return 0;
}
