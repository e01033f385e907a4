/* stored.h - arrays in files: where bytes come from, what a header says of them, and how they become a tensor.
 * Internal.
 *
 * A reader of a format parses its header into a struct stored, checks with stored_fits() that the header and the
 * bytes agree, and only then calls stored_read(), which allocates.   Read next: tensor_file.h, npy.c
 */
#ifndef CONVREF_VERIFY_IO_STORED_H
#define CONVREF_VERIFY_IO_STORED_H

#include <convref/tensor.h>

#include "verify/io/element.h"

/* Sets of elements: all, and those that widen to f32 or are f64, whatever their values are. */
enum { STORED_ANY = (1 << ELEMENTS) - 1, STORED_OPERANDS = STORED_ANY & ~(1 << ELEMENT_S32) };

/* Bytes, first to last: a file, or one member of an archive. */
struct source {
    const char *name;           /* for messages: "file.npz:x" */
    int64_t left;               /* bytes not read yet */
    unsigned accepted;          /* a set of elements */
    void *handle;
    bool (*read)(void *handle, void *to, size_t bytes);
    int64_t most;               /* elements that are wanted at most; 0: any number */
    enum element *seen;         /* where to say which element was found; may be NULL */
};

/* What a header says. */
struct stored {
    enum element element;
    bool big_endian;
    int rank;
    int64_t dims[CONV_MAX_RANK];
};

/* Open a regular file; source_close() it. */
enum conv_status source_open(struct source *source, const char *path, unsigned accepted, struct conv_error *error);
void source_close(struct source *source);

/* All of `bytes`, or false. */
bool source_read(struct source *source, void *to, size_t bytes);

/* Is the product of the sizes, in bytes and without overflow, exactly `bytes`? */
bool stored_fits(const struct stored *stored, int64_t bytes);

/* Read the elements, which are what comes next, into a new tensor of the widened type. */
enum conv_status stored_read(struct conv_tensor *tensor, const struct stored *stored, struct source *source,
                             struct conv_error *error);

/* "f16, f32 and s8": the accepted elements, each as `name` calls it; NULL is left out.  Returns `text`. */
enum { STORED_LIST = 96 };
char *stored_list(char text[STORED_LIST], unsigned accepted, const char *(*name)(enum element));

/* "file: what", and the hint if there is one.  Returns CONV_BAD_FILE. */
enum conv_status stored_bad(const struct source *source, struct conv_error *error, const char *hint,
                            const char *format, ...) CONV_PRINTF(4, 5);

/* The .npy file that a source is, whatever it comes from (npy.c). */
enum conv_status npy_read(struct conv_tensor *tensor, struct source *source, struct conv_error *error);

/* What a .npy file begins with.  Returns its bytes. */
enum { NPY_HEADER = 384 };
size_t npy_print_header(unsigned char header[NPY_HEADER], const char *descr, int rank, const int64_t *dims);

#endif
