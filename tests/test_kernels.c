/* test_kernels.c - the table of kernels, their files, their headers and their documents agree.
 *
 * What a new kernel must bring is demanded here, for every row of the table: nothing in this file names one.
 * Read next: docs/adding-a-kernel.md
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

/* The text of a file of the source tree; the caller frees it.  NULL, and a failure, if there is none. */
static char *read_source(const char *path)
{
    char full[1024];
    snprintf(full, sizeof full, "%s/%s", SRCDIR, path);
    FILE *file = fopen(full, "rb");
    char *text = file ? calloc(1, 1 << 20) : NULL;
    if (text && fread(text, 1, (1 << 20) - 1, file) == 0)
        text[0] = 0;
    if (file)
        fclose(file);
    if (!text)
        TEST_NOTE("there is no %s", full);
    CU_ASSERT_PTR_NOT_NULL(text);
    return text;
}

static bool is_step(const struct conv_kernel *kernel)
{
    return strncmp(kernel->name, "ref_", 4) != 0;
}

/* The number of a step: 4 for "dw_04_rows_in_registers". */
static int step_number(const struct conv_kernel *kernel)
{
    char ladder[32];
    return atoi(kernel->name + strlen(conv_kernel_ladder(ladder, kernel)) + 1);
}

static void demand(bool holds, const struct conv_kernel *kernel, const char *what)
{
    if (!holds)
        TEST_NOTE("%s: %s", kernel->name, what);
    CU_ASSERT(holds);
}

/* file = name = symbol */
static void files_are_named_after_their_kernels(void)
{
    CU_ASSERT(conv_kernel_count() > 0);
    for (int i = 0; i < conv_kernel_count(); i++) {
        const struct conv_kernel *kernel = conv_kernel_at(i);
        const char *path = conv_kernel_source(kernel), *slash = strrchr(path, '/');
        char wanted[128];
        snprintf(wanted, sizeof wanted, "%s.c", kernel->name);
        demand(slash && !strcmp(slash + 1, wanted), kernel, "its file has another name");
        demand(conv_kernel_find(kernel->name) == kernel, kernel, "it isn't found by its name");
        char *text = read_source(path);
        snprintf(wanted, sizeof wanted, "CONV_%s(%s,", is_step(kernel) ? "KERNEL" : "REFERENCE", kernel->name);
        demand(text && strstr(text, wanted), kernel, "its file doesn't define it under its name");
        free(text);
    }
}

/* Every file opens with its own name; a step's header has the five lines, in their order. */
static void headers_have_their_lines(void)
{
    static const char *const lines[] = { "\n * Changed since", "\n * Why it is faster:", "\n * What it costs:",
                                         "\n * Applies to:", "Explained in docs/ladder-" };
    for (int i = 0; i < conv_kernel_count(); i++) {
        const struct conv_kernel *kernel = conv_kernel_at(i);
        char *text = read_source(conv_kernel_source(kernel)), opening[128];
        snprintf(opening, sizeof opening, "/* %s.c - ", kernel->name);
        demand(text && !strncmp(text, opening, strlen(opening)), kernel, "its file doesn't open with its name");
        const char *at = text;
        for (size_t line = 0; line < sizeof lines / sizeof *lines && is_step(kernel) && at; line++) {
            at = strstr(at, lines[line]);
            demand(at != NULL, kernel, lines[line] + 3);
        }
        free(text);
    }
}

/* "Explained in docs/ladder-depthwise.md, step 4 for channels last." leads to a heading with the kernel's name. */
static void documents_explain_every_step(void)
{
    for (int i = 0; i < conv_kernel_count(); i++) {
        const struct conv_kernel *kernel = conv_kernel_at(i);
        if (!is_step(kernel))
            continue;
        char *text = read_source(conv_kernel_source(kernel)), path[128] = "", step[64] = "", heading[160];
        const char *at = text ? strstr(text, "Explained in ") : NULL;
        demand(at && sscanf(at, "Explained in %127[^,], %63[^.\n]", path, step) == 2, kernel,
               "its header doesn't say where it is explained");
        snprintf(heading, sizeof heading, "\n## S%s: ", step[0] ? step + 1 : "");
        char *document = read_source(path);
        const char *section = document ? strstr(document, heading) : NULL;
        char quoted[128];
        snprintf(quoted, sizeof quoted, "(`%s`)\n", kernel->name);
        const char *name = section ? strstr(section, quoted) : NULL;
        demand(name && name < strchr(section + 1, '\n') + 1, kernel, "its document has no such section");
        free(document);
        free(text);
    }
}

/* A step grew out of the step before it, and its header says so. */
static void steps_grow_out_of_each_other(void)
{
    for (int i = 0; i < conv_kernel_count(); i++) {
        const struct conv_kernel *kernel = conv_kernel_at(i), *from = NULL;
        if (!is_step(kernel))
            continue;
        char here[32], there[32], words[128];
        if (kernel->from)
            from = conv_kernel_find(kernel->from);
        demand(!kernel->from == (step_number(kernel) == 1), kernel, "only the first step grows out of nothing");
        demand(!kernel->from || from, kernel, "it grew out of a step that isn't in the table");
        if (!from)
            continue;
        demand(!strcmp(conv_kernel_ladder(here, kernel), conv_kernel_ladder(there, from)), kernel,
               "it grew out of another ladder");
        demand(step_number(from) + 1 == step_number(kernel), kernel, "it didn't grow out of the step before it");
        snprintf(words, sizeof words, "Changed since %s", kernel->from);
        char *text = read_source(conv_kernel_source(kernel));
        demand(text && strstr(text, words), kernel, "its header names another step than its from");
        free(text);
    }
}

static void titles_say_something(void)
{
    for (int i = 0; i < conv_kernel_count(); i++) {
        const struct conv_kernel *kernel = conv_kernel_at(i);
        demand(kernel->title && strlen(kernel->title) > 8, kernel, "it has no title");
        demand(kernel->kinds != 0, kernel, "it computes no kind");
        demand(kernel->run != NULL, kernel, "it has no run");
        for (int j = 0; j < i; j++)
            demand(strcmp(kernel->name, conv_kernel_at(j)->name) != 0, kernel, "its name is there twice");
    }
}

/* Below the limit the same kernels are there, in slower builds. */
static void instruction_sets_are_limited(void)
{
    const int count = conv_kernel_count();
    const enum conv_isa best = conv_isa_limit();
    for (int isa = 0; isa < CONV_ISAS; isa++) {
        conv_isa_set_limit((enum conv_isa)isa);
        TEST_EQUAL_INT(conv_kernel_count(), count);
        for (int i = 0; i < conv_kernel_count(); i++)
            CU_ASSERT(conv_kernel_at(i)->isa <= (enum conv_isa)isa);
    }
    conv_isa_set_limit(best);
}

/* A refusal is in words, and names the reason that is true. */
static void refusals_are_in_words(void)
{
    static const struct { const char *kernel, *problem, *words; } rows[] = {
        { "dw_01_direct", "c=4 in=8x8 k=4 filter=3x3", "standard" },
        { "dw_01_direct", "c=4 in=8x8 k=4 filter=3x3 groups=4 layout=nhwc", "nhwc" },
        { "std_01_direct", "c=4 in=8x8 k=4 filter=3x3 type=f64", "f64" },
        { "std_01_direct", "c=4 in=8x8 k=4 filter=3x3 pass=backward_data", "backward" },
        { "sep_01_two_passes", "c=4 in=8x8 k=4 filter=1x1", "pointwise" },
        { "sep_nhwc_02_fused", "op=separable c=4 in=8x8 k=6 filter=3x3 expand=9 layout=nhwc", "inverted_residual" },
        { "ir_nhwc_02_by_rows", "op=separable c=4 in=8x8 k=4 filter=1x1 residual=1 layout=nhwc", "expansion" },
        { "dw_nhwc_03_channels_in_lanes", "c=4 in=8x8 k=8 filter=3x3 groups=4 layout=nhwc", "multiplier" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem problem = test_problem(rows[i].problem);
        const struct conv_kernel *kernel = conv_kernel_find(rows[i].kernel);
        const char *why = kernel ? conv_kernel_refuses(kernel, &problem) : "there is no such kernel";
        if (!why || !strstr(why, rows[i].words))
            TEST_NOTE("%s on %s: %s", rows[i].kernel, rows[i].problem, why ? why : "not refused");
        CU_ASSERT(why && strstr(why, rows[i].words));
    }
}

/* Every kind, pass and layout that a problem can have is computed by something. */
static void nothing_is_left_without_a_kernel(void)
{
    static const char *const problems[] = {
        "c=4 in=8 k=6 filter=3", "c=4 in=8x9 k=6 filter=3x3", "c=4 in=5x8x9 k=6 filter=3x3x3",
        "c=4 in=8x9 k=6 filter=3x3 groups=2", "c=4 in=8x9 k=8 filter=3x3 groups=4", "c=4 in=8x9 k=6 filter=1x1",
        "op=separable c=4 in=8x9 k=6 filter=3x3", "op=separable c=4 in=8x9 k=6 filter=3x3 mult=2 expand=7",
        "op=separable c=4 in=8x9 k=4 filter=1x1 residual=1", "op=transposed c=4 in=8x9 k=6 filter=3x3 stride=2",
        "c=4 in=8x9 k=6 filter=3x3 layout=nhwc type=f64", "c=4 in=8x9 k=6 filter=3x3 pass=backward_data",
        "c=4 in=8x9 k=6 filter=3x3 bias=1 pass=backward_weights",
        "op=transposed c=4 in=8x9 k=6 filter=3x3 groups=2 pass=backward_weights",
    };
    for (size_t p = 0; p < sizeof problems / sizeof *problems; p++) {
        const struct conv_problem problem = test_problem(problems[p]);
        int able = 0;
        for (int i = 0; i < conv_kernel_count(); i++)
            able += conv_kernel_refuses(conv_kernel_at(i), &problem) == NULL;
        if (!able)
            TEST_NOTE("nothing computes %s", problems[p]);
        CU_ASSERT(able > 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(files_are_named_after_their_kernels), TEST_CASE(headers_have_their_lines),
        TEST_CASE(documents_explain_every_step), TEST_CASE(steps_grow_out_of_each_other),
        TEST_CASE(titles_say_something), TEST_CASE(instruction_sets_are_limited),
        TEST_CASE(refusals_are_in_words), TEST_CASE(nothing_is_left_without_a_kernel),
    };
    return test_main("test_kernels", cases, (int)(sizeof cases / sizeof *cases));
}
