/* fuzz_raw.c - .raw files with a sidecar: no element is made up.
 *
 * The input is the sidecar, a byte 0, and the elements.   See fuzz.h.
 */
#include "tests/fuzz/fuzz_folder.h"

#include "verify/io/readers.h"

FUZZ_TARGET(raw)
{
    struct conv_tensor tensor = { 0 };
    struct conv_error error = { .status = CONV_OK };
    char path[128];
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    const size_t sidecar = end ? (size_t)(end - data) : size, elements = end ? size - sidecar - 1 : 0;
    fuzz_folder_write(0, "x.raw", end ? end + 1 : data, elements);
    fuzz_folder_write(1, "x.raw.json", data, sidecar);
    snprintf(path, sizeof path, "%s/x.raw", fuzz_folder_path);
    const struct tensor_name from = { "x.raw", path, NULL, STORED_OPERANDS };
    if (raw_read(&tensor, &from, &error) == CONV_OK)
        fuzz_look_at_tensor(&tensor, elements);
    else
        FUZZ_DEMAND(error.message[0]);
    return 0;
}
