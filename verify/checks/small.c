/* small.c - check "small": every valid small shape, on integers, bit for bit.
 *
 * Sees: wrong taps, borders, strides, dilations, groups, channels, unwritten and overwritten memory.
 * Does not see: anything that begins beyond these sizes (checks "seams" and "routes"), and precision (check "real").
 * Read next: verify/problems/small.c
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"

static void run(struct checker *checker) { check_set(checker, "small"); }

const struct check check_small = {
    .name = "small",
    .sees = "wrong taps, borders, strides, dilations, groups, channels; unwritten and overwritten memory",
    .blind = "what begins beyond small sizes; precision",
    .run = run,
};
