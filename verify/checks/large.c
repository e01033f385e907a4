/* large.c - check "large": sizes that are large two at a time, settings far out, and powers of two, on integers, bit
 * for bit.
 *
 * Sees: blocks of many channels and many filters, many tiles of rows and columns; strides, dilations, filters,
 *       paddings and batches beyond those of most layers; ways for channels of a power of two.
 * Does not see: three sizes large at once; sizes at which integers end (check "limits"); precision.
 * Read next: verify/problems/large.c, powers.c
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"

static void run(struct checker *checker)
{
    (void)(check_set(checker, "large_pairs") && check_set(checker, "large_settings") && check_set(checker, "powers"));
}

const struct check check_large = {
    .name = "large",
    .sees = "blocks and tiles where two sizes are large at once; powers of two; large strides, dilations, filters, "
            "paddings, batches",
    .blind = "three large sizes at once; precision",
    .run = run,
};
