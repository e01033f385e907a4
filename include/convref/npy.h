/* npy.h - NumPy's .npy files, in and out.
 *
 * Read: format versions 1 to 3, little-endian f4 and f8, C order, up to 8 dimensions; f2, i1 and u1 are widened to
 * f32, which holds all of their values.  A file's header is checked against the file's length before anything is
 * allocated, so a hostile one costs nothing.
 * Source of the format: numpy.lib.format.   Not here: .npz and other formats, which the program reads.
 *
 * Threads: reading is safe.  Writing looks up the umask of the process by setting it to 0 for a moment, in which
 * files that other threads create are more public than they should be.   Read next: tensor.h
 */
#ifndef CONVREF_NPY_H
#define CONVREF_NPY_H

#include <convref/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Read a file into a new tensor, which the caller frees.  CONV_BAD_FILE with the reason in words. */
CONV_API enum conv_status conv_npy_read(struct conv_tensor *tensor, const char *path,
                                        struct conv_error *error);

/* Write a file (format version 1).  An existing file is replaced only when the new one is complete. */
CONV_API enum conv_status conv_npy_write(const char *path, const struct conv_tensor *tensor,
                                         struct conv_error *error);

#ifdef __cplusplus
}
#endif
#endif
