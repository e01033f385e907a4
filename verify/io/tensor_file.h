/* tensor_file.h - tensors out of other people's files: .npy, .npz, .safetensors, .raw, .pb, .onnx.  Internal.
 *
 *   x.npy            an array that numpy.save() wrote
 *   all.npz:x        one of those that numpy.savez() wrote; without ":x" the archive must hold one only
 *   all.safetensors:x
 *   x.raw            elements and nothing else; x.raw.json says what they are
 *   x.pb             a TensorProto of ONNX
 *   model.onnx:w     an initializer of a model, or the value of a Constant node (both in ../onnx)
 *
 * Every reader checks a header against the bytes that are there before it allocates, and says what is wrong and
 * where. Elements that a problem's types don't have are widened, exactly.   Read next: stored.h
 */
#ifndef CONVREF_VERIFY_IO_TENSOR_FILE_H
#define CONVREF_VERIFY_IO_TENSOR_FILE_H

#include "verify/io/stored.h"

/* Read a tensor, which the caller frees.  `accepted` is a set of elements (stored.h).  A name without a known ending
 * is taken for a .npy file. */
enum conv_status tensor_file_read(struct conv_tensor *tensor, const char *name, unsigned accepted,
                                  struct conv_error *error);

/* The same, where at most so many elements are wanted: no more are read.  `seen` (may be NULL) becomes the element
 * that the file has. */
enum conv_status tensor_file_read_most(struct conv_tensor *tensor, enum element *seen, const char *name,
                                       unsigned accepted, int64_t most, struct conv_error *error);

#endif
