/* test_fuzz.c - the corpus of every fuzz target, once, without a fuzzer.
 *
 * tests/fuzz/corpus/NAME has the files that a fuzzer found worth keeping, the seeds that it began with, and every
 * input that once did harm.  Each must be survived; the targets check what must hold besides.
 * Read next: tests/fuzz/fuzz.h, tools/fuzz
 */
#include "tests/test.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define TARGETS(X) \
    X(problem) X(json) X(network) X(npy) X(onnx) X(table) X(npz) X(safetensors) X(raw) X(manifest) X(cli)
#define DECLARE(name) int fuzz_##name(const uint8_t *data, size_t size);
TARGETS(DECLARE)

enum { LARGEST = 1 << 20 };

/* Call the target with each file of its folder; returns how many there were. */
static int replay(const char *name, int (*target)(const uint8_t *, size_t))
{
    static uint8_t data[LARGEST];
    char folder[512], path[1024];
    int files = 0;
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", SRCDIR, name);
    DIR *directory = opendir(folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "rb");
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        const size_t size = fread(data, 1, LARGEST, file);
        fclose(file);
        target(data, size);
        files++;
    }
    closedir(directory);
    target(data, 0);
    return files;
}

#define CASE(name) \
    static void corpus_of_##name(void) { CU_ASSERT(replay(#name, fuzz_##name) >= 5); }
TARGETS(CASE)

int main(void)
{
#define ROW(name) TEST_CASE(corpus_of_##name),
    static const struct test_case cases[] = { TARGETS(ROW) };
    return test_main("test_fuzz", cases, (int)(sizeof cases / sizeof *cases));
}
