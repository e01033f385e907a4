/* fuzz_safetensors.c - .safetensors files: what is read lies inside the file, and the same tensor is found by its
 * name.
 *
 * The first byte chooses what is asked for: a tensor by its name, or the only one.   See fuzz.h.
 */
#include "tests/fuzz/fuzz.h"

#include "verify/io/readers.h"

FUZZ_TARGET(safetensors)
{
    static const char *const members[] = { NULL, "x", "w", "__metadata__" };
    struct conv_tensor tensor = { 0 };
    struct conv_error error = { .status = CONV_OK };
    char path[64];
    if (size == 0)
        return 0;
    const int file = fuzz_file(path, data + 1, size - 1);
    const struct tensor_name from = { "fuzzed.safetensors", path, members[data[0] % 4], STORED_OPERANDS };
    if (safetensors_read(&tensor, &from, &error) == CONV_OK) {
        FUZZ_DEMAND(!from.member || strcmp(from.member, "__metadata__"));
        fuzz_look_at_tensor(&tensor, size);
    } else {
        FUZZ_DEMAND(error.message[0]);
    }
    close(file);
    return 0;
}
