/* small.c - check "small": every valid small shape, on integers, bit for bit.
 *
 * Sees: wrong taps, borders, strides, dilations, groups, channels, unwritten and overwritten memory.
 * Does not see: anything that begins beyond these sizes (check "seams"), and precision (check "real").
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"
#include "verify/problems/small_shapes.h"

/* At least this many problems for each kernel, if there are so many. */
enum { WANTED = 12000 };

static void run(struct checker *checker)
{
    struct small_shapes walk;
    struct conv_problem problem;
    checker->shared->total = WANTED;
    small_begin(&walk, checker->kernel);
    while (small_next(&walk, &problem)) {
        if (walk.round > 0 && checker->shared->done >= WANTED)
            return;   /* every geometry has been there, and there are enough problems */
        if (!check_exact(checker, &problem, 1))
            return;
    }
}

const struct check check_small = {
    .name = "small",
    .sees = "wrong taps, borders, strides, dilations, groups, channels; unwritten and overwritten memory",
    .blind = "what begins beyond small sizes; precision",
    .run = run,
};
