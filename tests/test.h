/* test.h - the frame of a test program: CUnit suites, a JUnit file, and one line that counts.
 *
 * A program lists its cases in one array and calls test_main().  The last line that it prints,
 * "NAME: 12 passed, 0 failed, 0 skipped", is what `make check` adds up.
 */
#ifndef CONVREF_TESTS_TEST_H
#define CONVREF_TESTS_TEST_H

#include <CUnit/CUnit.h>
#include <convref.h>
#include <stdio.h>

struct test_case { const char *name; void (*run)(void); };

#define TEST_CASE(function) { #function, function }

/* Run all cases; `name` is the suite and names the JUnit file.  Returns the exit status. */
int test_main(const char *name, const struct test_case *cases, int count);

/* Print a line under the case that runs: the problem, the file, what was expected. */
#define TEST_NOTE(...) (fprintf(stderr, "    " __VA_ARGS__), fputc('\n', stderr))

/* Assert, and say what was compared. */
#define TEST_EQUAL_INT(actual, expected) \
    do { \
        const long long a_ = (long long)(actual), e_ = (long long)(expected); \
        if (a_ != e_) \
            TEST_NOTE("%s:%d: %s is %lld, expected %lld", __FILE__, __LINE__, #actual, a_, e_); \
        CU_ASSERT_EQUAL(a_, e_); \
    } while (0)

#define TEST_EQUAL_TEXT(actual, expected) \
    do { \
        const char *a_ = (actual), *e_ = (expected); \
        if (strcmp(a_, e_)) \
            TEST_NOTE("%s:%d: %s is \"%s\", expected \"%s\"", __FILE__, __LINE__, #actual, a_, e_); \
        CU_ASSERT_STRING_EQUAL(a_, e_); \
    } while (0)

/* Parse a problem that must be right. */
struct conv_problem test_problem(const char *text);

#endif
