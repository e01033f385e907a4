/* base.h - what every other header needs: export marks, status codes, errors in words.
 *
 * Not here: anything about convolutions.   Read next: problem.h
 *
 * Two rules hold for every public function:
 *
 *   Argument order.  Outputs first, then the kernel and the problem, then inputs, then
 *   options, then the error.  The length of an array follows the array.
 *
 *   Errors.  A function that can fail returns an enum conv_status and, where `error` is not
 *   NULL, says there in words what is wrong, where, and what would be right.  On failure its
 *   outputs are unchanged or, where it says so, empty.
 *
 * Threads: safe, as long as threads don't share an error.
 */
#ifndef CONVREF_BASE_H
#define CONVREF_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CONV_API __attribute__((visibility("default")))
#define CONV_PRINTF(string, first) __attribute__((format(printf, string, first)))
#define CONV_ANONYMOUS __extension__   /* a struct or union without a name: C11 has them, C++ as an extension */
#else
#define CONV_ANONYMOUS
#define CONV_API
#define CONV_PRINTF(string, first)
#endif

/* What came of a call.  conv_exit_status() in verdict.h maps these to the program's exit status. */
enum conv_status {
    CONV_OK = 0,
    CONV_BAD_INPUT,      /* a text, shape or value that can't be */
    CONV_BAD_FILE,       /* a file that can't be read, or isn't what it should be */
    CONV_TOO_LARGE,      /* a size that doesn't fit in 63 bits, or above a stated limit */
    CONV_NOT_APPLICABLE, /* this kernel doesn't compute this problem, or not on this machine */
    CONV_NO_MEMORY
};

/* An error in words.  Zero-initialise it, or leave it to the function that fails to fill it. */
struct conv_error {
    enum conv_status status;
    char message[480];   /* what is wrong, one sentence without a full stop */
    char hint[480];      /* what would be right; empty when there is nothing to add */
    char key[24];        /* the key of the problem that is at fault; empty if none */
    int64_t position;    /* first byte at fault in the text that was read, or -1 */
    int64_t length;      /* how many bytes are at fault */
};

/* Fill `error` (which may be NULL) and return `status`, so that callers can write
 * `return conv_fail(error, CONV_BAD_INPUT, "...");` */
CONV_API enum conv_status conv_fail(struct conv_error *error, enum conv_status status,
                                    const char *format, ...) CONV_PRINTF(3, 4);

/* Add the hint: what would be right.  Does nothing when `error` is NULL. */
CONV_API void conv_hint(struct conv_error *error, const char *format, ...) CONV_PRINTF(2, 3);

/* "ok", "bad input", "bad file", ... */
CONV_API const char *conv_status_name(enum conv_status status);

/* The version of the library, such as "0.1.0". */
CONV_API const char *conv_version(void);

#ifdef __cplusplus
}
#endif
#endif
