/* fuzz_npy.c - .npy files: what is read has the bytes that its shape says, and is written back the same.   See
 * fuzz.h. */
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(npy)
{
    struct conv_tensor tensor = { 0 };
    struct conv_error error;
    char path[64];
    const int file = fuzz_file(path, data, size);
    if (conv_npy_read(&tensor, path, &error) == CONV_OK) {
        FUZZ_DEMAND(conv_tensor_bytes(&tensor) <= size);
        FUZZ_DEMAND(tensor.rank >= 0 && tensor.rank <= CONV_MAX_RANK);
        for (int64_t i = 0; i < conv_tensor_count(&tensor); i++)
            conv_get(tensor.type, tensor.data, i);
        conv_tensor_free(&tensor);
    } else {
        FUZZ_DEMAND(error.message[0]);
    }
    close(file);
    return 0;
}
