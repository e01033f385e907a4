/* test.c - the frame of a test program.   Declared in test.h.
 *
 * The JUnit file is written here and not by CUnit 2.1, whose writer aborts on a failure whose condition
 * has quotes in it.
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

static const CU_FailureRecord *failure_of(const CU_Test *test)
{
    const CU_FailureRecord *failure = CU_get_failure_list();
    while (failure && failure->pTest != test)
        failure = failure->pNext;
    return failure;
}

static void print_failures(void)
{
    for (const CU_FailureRecord *f = CU_get_failure_list(); f; f = f->pNext)
        printf("    %s:%u: %s: %s\n", f->strFileName, f->uiLineNumber, f->pTest ? f->pTest->pName : "suite",
               f->strCondition);
}

static void put_escaped(FILE *file, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", file); break;
        case '&': fputs("&amp;", file); break;
        case '"': fputs("&quot;", file); break;
        default: fputc(*text, file);
        }
}

/* NAME-junit.xml in the current folder; a file that can't be written fails the program. */
static bool write_junit(const char *name, const CU_Suite *suite)
{
    char path[128];
    snprintf(path, sizeof path, "%s-junit.xml", name);
    FILE *file = fopen(path, "w");
    if (!file)
        return false;
    fprintf(file, "<?xml version=\"1.0\"?>\n<testsuite name=\"%s\" tests=\"%u\" failures=\"%u\">\n", name,
            CU_get_number_of_tests_run(), CU_get_number_of_tests_failed());
    for (const CU_Test *test = suite->pTest; test; test = test->pNext) {
        const CU_FailureRecord *failure = failure_of(test);
        fprintf(file, "  <testcase classname=\"%s\" name=\"%s\"%s>", name, test->pName, failure ? "" : "/");
        if (failure) {
            fprintf(file, "<failure message=\"%s:%u: ", failure->strFileName, failure->uiLineNumber);
            put_escaped(file, failure->strCondition);
            fprintf(file, "\"/></testcase>");
        }
        fputc('\n', file);
    }
    fprintf(file, "</testsuite>\n");
    return fclose(file) == 0;
}

int test_main(const char *name, const struct test_case *cases, int count)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite suite = CU_add_suite(name, NULL, NULL);
    for (int i = 0; suite && i < count; i++)
        if (!CU_add_test(suite, cases[i].name, cases[i].run))
            return 99;
    CU_run_all_tests();
    print_failures();
    const unsigned run = CU_get_number_of_tests_run(), failed = CU_get_number_of_tests_failed();
    const bool good = suite && write_junit(name, suite) && run == (unsigned)count && failed == 0;
    printf("%s: %u passed, %u failed, 0 skipped\n", name, run - failed, failed);
    CU_cleanup_registry();
    return good ? 0 : 1;
}

struct conv_problem test_problem(const char *text)
{
    struct conv_problem problem = conv_problem_default(2);
    struct conv_error error;
    if (conv_problem_parse(&problem, text, &error) != CONV_OK) {
        TEST_NOTE("%s: %s", text, error.message);
        CU_FAIL("a problem of the test itself can't be read");
    }
    return problem;
}
