/* readers.h - the readers of formats, one for each row of the table in tensor_file.c.  Internal.
 * Read next: stored.h */
#ifndef CONVREF_VERIFY_IO_READERS_H
#define CONVREF_VERIFY_IO_READERS_H

#include "verify/io/stored.h"

/* `name` is for messages, `member` is NULL if there was none, at most so many elements are wanted; `seen` (may be
 * NULL) becomes the element that the file has. */
struct tensor_name { const char *name, *path, *member; unsigned accepted; int64_t most; enum element *seen; };
enum conv_status npz_read(struct conv_tensor *tensor, const struct tensor_name *from, struct conv_error *error);
enum conv_status safetensors_read(struct conv_tensor *tensor, const struct tensor_name *from,
                                  struct conv_error *error);
enum conv_status raw_read(struct conv_tensor *tensor, const struct tensor_name *from, struct conv_error *error);

#endif
