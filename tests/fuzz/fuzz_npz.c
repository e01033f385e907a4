/* fuzz_npz.c - .npz archives: a member that is read has no more elements than deflate could make of its bytes.
 *
 * The first byte chooses what is asked for: a member by its name, or the only one.  Where libzip is missing there is
 * nothing to read, and nothing to harm.   See fuzz.h.
 */
#include "tests/fuzz/fuzz.h"

#include "verify/io/readers.h"

/* zlib: no byte becomes more than 1032; small members may claim up to 4096 bytes. */
enum { LARGEST_RATIO = 1032, SMALL = 4096 };

FUZZ_TARGET(npz)
{
    static const char *const members[] = { NULL, "x", "w", "y.npy" };
    struct conv_tensor tensor = { 0 };
    struct conv_error error = { .status = CONV_OK };
    char path[64];
    if (size == 0)
        return 0;
    const int file = fuzz_file(path, data + 1, size - 1);
    const struct tensor_name from = { "fuzzed.npz", path, members[data[0] % 4], STORED_OPERANDS };
    if (npz_read(&tensor, &from, &error) == CONV_OK)
        fuzz_look_at_tensor(&tensor, size * LARGEST_RATIO + SMALL);
    else
        FUZZ_DEMAND(error.message[0]);
    close(file);
    return 0;
}
