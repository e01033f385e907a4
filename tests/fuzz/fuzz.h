/* fuzz.h - a fuzz target: a function that must survive any bytes.
 *
 * FUZZ_TARGET(name) begins the function.  tests/test_fuzz.c calls all of them with the files of tests/fuzz/corpus/NAME;
 * tools/fuzz compiles each with libFuzzer, where the function has the name that libFuzzer calls.
 * A target aborts if what it knows to hold doesn't.   Not here: the fuzzer.
 */
#ifndef CONVREF_TESTS_FUZZ_H
#define CONVREF_TESTS_FUZZ_H

#include <convref.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef FUZZING
#define FUZZ_TARGET(name) \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
#else
#define FUZZ_TARGET(name) \
    int fuzz_##name(const uint8_t *data, size_t size); \
    int fuzz_##name(const uint8_t *data, size_t size)
#endif

/* What must hold, whatever the input. */
#define FUZZ_DEMAND(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

/* The bytes as a text that ends with 0; the caller frees it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_DEMAND(text);
    memcpy(text, data, size);
    text[size] = 0;
    return text;
}

#endif
