/* state.c - planted faults that keep something from one call to the next.
 *
 * None of them was reported to us: each is a kind that this verifier once let through, and names the check that is
 * meant for it.  Data are kept by the address that they lay at, as if nobody ever wrote there again.
 * Read next: sizes.c
 */
#include "verify/proof/faults/faults.h"

#include <stdlib.h>
#include <string.h>

/* ---- copies of operands, by address ---------------------------------------------------------------------------- */

enum { MOST_KEPT = 64 };
struct kept { const void *address; struct conv_problem problem; void *copy; };

/* What lay at this address when this problem was first computed there; the newest take the places of the oldest. */
static const void *as_it_was(struct kept kept[MOST_KEPT], int *count, const struct call *call,
                             enum conv_operand operand)
{
    const size_t bytes = conv_operand_bytes(call->conv, operand);
    for (int i = 0; i < MOST_KEPT; i++)
        if (kept[i].copy && kept[i].address == call->operands->at[operand]
            && !memcmp(&kept[i].problem, call->conv, sizeof *call->conv))
            return kept[i].copy;
    struct kept *made = &kept[(*count)++ % MOST_KEPT];
    free(made->copy);
    *made = (struct kept){ call->operands->at[operand], *call->conv, malloc(bytes + 1) };
    if (made->copy)
        memcpy(made->copy, call->operands->at[operand], bytes);
    return made->copy;
}

/* The walk reads the copy: it is put in the operand's place for the time of the call. */
struct exchange { void *own; const void *old; size_t bytes; };
static struct exchange exchanged;

static void take_old(struct kept kept[MOST_KEPT], int *count, const struct call *call, enum conv_operand operand)
{
    struct conv_operands *operands = (struct conv_operands *)call->operands;
    exchanged = (struct exchange){ operands->at[operand], NULL, 0 };
    if (operands->at[operand])
        operands->at[operand] = (void *)as_it_was(kept, count, call, operand);
}

#define KEEPS(name, operand) \
    static void before_##name(const struct call *call) \
    { \
        static struct kept kept[MOST_KEPT]; \
        static int count; \
        take_old(kept, &count, call, operand); \
    } \
    static void after_##name(const struct call *call) \
    { \
        ((struct conv_operands *)call->operands)->at[operand] = exchanged.own; \
    }
KEEPS(weights, CONV_WEIGHTS)
KEEPS(bias, CONV_BIAS)
KEEPS(images, CONV_X)
KEEPS(second_weights, CONV_PW)
KEEPS(second_bias, CONV_PW_BIAS)
KEEPS(gradient, CONV_Y)

/* ---- the whole result ------------------------------------------------------------------------------------------ */

static void return_last_result(const struct call *call)
{
    static const void *x, *w, *y;
    static struct conv_problem problem;
    static void *result;
    const struct conv_operands *o = call->operands;
    const size_t bytes = conv_operand_bytes(call->conv, CONV_Y);
    const bool again = result && x == o->x && w == o->w && y == o->y && !memcmp(&problem, call->conv, sizeof problem);
    if (again) {
        memcpy(o->y, result, bytes);
        return;
    }
    free(result);
    result = malloc(bytes + 1);
    if (result)
        memcpy(result, o->y, bytes);
    x = o->x, w = o->w, y = o->y, problem = *call->conv;
}

/* ---- the workspace --------------------------------------------------------------------------------------------- */

/* A mark in the workspace says that its sums were cleared once, and need no clearing any more. */
static const uint64_t mark = UINT64_C(0x636c656172656421);

static size_t mark_bytes(const struct conv_problem *conv) { (void)conv; return 2 * sizeof(uint64_t); }

static uint64_t *mark_of(const struct call *call)
{
    const uintptr_t at = (uintptr_t)call->spare;
    return (uint64_t *)((at + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t));
}

static void trust_the_workspace(const struct call *call)
{
    char *sums = call->workspace->scratch;
    if (*mark_of(call) != mark)
        memset(sums, 0, (size_t)(call->spare - sums));
    *mark_of(call) = mark;
}

/* ---- what is known of a problem -------------------------------------------------------------------------------- */

/* Found again by its sizes alone: the first that came with them decides about padding and stride. */
static void remember_geometry(struct conv_problem *seen)
{
    static struct conv_problem first;
    static bool known;
    const bool same_sizes = known && first.rank == seen->rank && first.c == seen->c && first.k == seen->k
        && first.n == seen->n
        && first.axis[CONV_H].in == seen->axis[CONV_H].in && first.axis[CONV_W].in == seen->axis[CONV_W].in
        && first.axis[CONV_H].out == seen->axis[CONV_H].out && first.axis[CONV_W].out == seen->axis[CONV_W].out
        && first.axis[CONV_W].filter == seen->axis[CONV_W].filter
            && first.axis[CONV_H].filter == seen->axis[CONV_H].filter;
    if (same_sizes)
        for (int a = 0; a < CONV_AXES; a++)
            seen->axis[a].pad_begin = first.axis[a].pad_begin, seen->axis[a].pad_end = first.axis[a].pad_end;
    first = *seen;
    known = true;
}

#define FAULTS(F) \
    F(state_weights, "weights are kept by their address", "blind spot", "turns", \
      ALL, FORWARD, ONE_THREAD, .before = before_weights, .after = after_weights) \
    F(state_weights_of_gradient, "the gradient's weights are kept by their address", "blind spot", "turns", \
      ALL, DATA, ONE_THREAD, .before = before_weights, .after = after_weights) \
    F(state_weights_transposed, "a transposed convolution's weights are kept by their address", "blind spot", "turns", \
      TRANSPOSED, FORWARD, ONE_THREAD, .before = before_weights, .after = after_weights) \
    F(state_bias, "the bias is kept by its address", "blind spot", "turns", \
      ALL, FORWARD, ONE_THREAD, .before = before_bias, .after = after_bias) \
    F(state_images, "images are unfolded once for each address", "blind spot", "turns", \
      ALL, FORWARD, ONE_THREAD, .before = before_images, .after = after_images) \
    F(state_images_of_gradient, "the filter's gradient keeps images by their address", "blind spot", "turns", \
      ALL, WEIGHTS, ONE_THREAD, .before = before_images, .after = after_images) \
    F(state_gradient, "dy is kept by its address", "blind spot", "turns", \
      ALL, DATA | WEIGHTS, ONE_THREAD, .before = before_gradient, .after = after_gradient) \
    F(state_second_weights, "the second stage's weights are kept by their address", "blind spot", "turns", \
      SEPARABLE, FORWARD, ONE_THREAD, .before = before_second_weights, .after = after_second_weights) \
    F(state_second_bias, "the second stage's bias is kept by its address", "blind spot", "turns", \
      SEPARABLE, FORWARD, ONE_THREAD, .before = before_second_bias, .after = after_second_bias) \
    F(state_result, "at the same addresses the last result is returned", "blind spot", "turns", \
      ALL, FORWARD, ONE_THREAD, .after = return_last_result) \
    F(state_workspace, "a mark in the workspace says that it is clear", "blind spot", "turns", \
      ALL, FORWARD, ONE_THREAD, .spare_bytes = mark_bytes, .before = trust_the_workspace, .keeps_sums = true) \
    F(state_geometry, "padding is that of the last problem with the same sizes", "blind spot", "small", \
      ALL, FORWARD, ONE_THREAD, .see = remember_geometry)

FAULT_THEME(faults_of_state, FAULTS)
