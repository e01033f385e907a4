/* routes.c - check "routes": the ways that fast kernels have for common layers, on integers, bit for bit.
 *
 * Sees: mistakes in one way of many, in the tail of a row there; in gradients at the sizes of real layers.
 * Does not see: sizes beyond 60 rows and columns (check "large"); precision.   Read next: verify/problems/routes.c
 */
#include "verify/checks/checks.h"
#include "verify/engine/ways.h"

static void run(struct checker *checker)
{
    (void)(check_set(checker, "routes") && check_set(checker, "ordinary"));
}

const struct check check_routes = {
    .name = "routes",
    .sees = "mistakes that need five to seven settings at once: a common filter and stride, round channels, a tail",
    .blind = "images beyond 60 rows or columns; precision",
    .run = run,
};
