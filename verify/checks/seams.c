/* seams.c - check "seams": sizes round the seams of vectors, tiles and blocks, on integers, bit for bit.
 *
 * Before, rows of every width and channels of every number end where the page behind begins, with every stride: the
 * last vector of a row that reads too far is a fault.
 *
 * Sees: tails of vectors, tiles and blocks; off-by-one at seams; reading behind an operand.
 * Does not see: sizes beyond 2^31 elements; precision.   Read next: verify/problems/seams.c, rows.c
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"

static void run(struct checker *checker)
{
    (void)(check_set_at_the_page(checker, "rows") && check_set(checker, "seams"));
}

const struct check check_seams = {
    .name = "seams",
    .sees = "tails of vectors, tiles and blocks; off-by-one at their seams; reading behind an operand; empty batches",
    .blind = "sizes beyond 2^31 elements; precision",
    .run = run,
};
