/* test.c - the frame of a test program.   Declared in test.h.
 *
 * The JUnit file has the seconds of each test, and those that take one and more are printed: where a slow run of the
 * tests spends its time is in what it leaves behind.
 *
 * The JUnit file is written here and not by CUnit 2.1, whose writer aborts on a failure whose condition
 * has quotes in it.
 */
#include "tests/test.h"

#include <convref/machine.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CASES = 256 };
static double seconds_of[MOST_CASES], began;   /* in the order in which they are run */
static int cases_run;

static void note_begin(CU_Test *test, CU_Suite *suite)
{
    (void)test;
    (void)suite;
    began = conv_seconds();
}

static void note_end(CU_Test *test, CU_Suite *suite, CU_FailureRecord *failure)
{
    const double seconds = conv_seconds() - began;
    (void)suite;
    (void)failure;
    seconds_of[cases_run++] = seconds;
    if (seconds >= 1)
        printf("    %s: %.1f s\n", test->pName, seconds);
}

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
    int i = 0;
    for (const CU_Test *test = suite->pTest; test; test = test->pNext, i++) {
        const CU_FailureRecord *failure = failure_of(test);
        fprintf(file, "  <testcase classname=\"%s\" name=\"%s\" time=\"%.3f\"%s>", name, test->pName, seconds_of[i],
                failure ? "" : "/");
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
    if (count > MOST_CASES || CU_initialize_registry() != CUE_SUCCESS)
        return 99;
    CU_pSuite suite = CU_add_suite(name, NULL, NULL);
    for (int i = 0; suite && i < count; i++)
        if (!CU_add_test(suite, cases[i].name, cases[i].run))
            return 99;
    CU_set_test_start_handler(note_begin);
    CU_set_test_complete_handler(note_end);
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
