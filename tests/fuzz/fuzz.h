/* fuzz.h - a fuzz target: a function that must survive any bytes.
 *
 * FUZZ_TARGET(name) begins the function.  tests/test_fuzz.c calls all of them with the files of
 * tests/fuzz/corpus/NAME; tools/fuzz compiles each with libFuzzer, where the function has the name that libFuzzer
 * calls.
 * A target aborts if what it knows to hold doesn't.   Not here: the fuzzer.
 */
#ifndef CONVREF_TESTS_FUZZ_H
#define CONVREF_TESTS_FUZZ_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE   /* memfd_create; this is the first header of every target */
#endif
#include <convref.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* A file with these bytes that is only in memory, and its path; the caller closes it. */
static inline int fuzz_file(char path[64], const void *data, size_t size)
{
    const int file = memfd_create("fuzz", 0);
    FUZZ_DEMAND(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", file);
    return file;
}

/* A tensor that was read from a file of `size` bytes: all of its elements are there. */
static inline void fuzz_look_at_tensor(struct conv_tensor *tensor, size_t most)
{
    FUZZ_DEMAND(tensor->rank >= 0 && tensor->rank <= CONV_MAX_RANK);
    FUZZ_DEMAND(conv_tensor_count(tensor) >= 0 && (size_t)conv_tensor_count(tensor) <= most);
    for (int64_t i = 0; i < conv_tensor_count(tensor); i++)
        conv_get(tensor->type, tensor->data, i);
    conv_tensor_free(tensor);
}

#endif
