/* count.c - the formulas.   Declared in convref/count.h, derived in docs/counting.md.
 *
 *   macs        = N * K * C/G * PRODUCT over axes of filter * out
 *   macs_inside = N * K * C/G * PRODUCT over axes of V,   V = how many (output, tap) pairs read inside
 *
 * The backward passes form the same products x * w * y in another order, so their counts are the same.  For a
 * transposed problem it is its inputs that meet the taps, so `in` takes the place of `out`.
 */
#include <convref/count.h>
#include <convref/tensor.h>

/* V of one axis: pairs of a window and a tap that lies inside.  One term for each tap. */
static int64_t pairs_inside(const struct conv_axis *axis)
{
    int64_t pairs = 0;
    for (int64_t tap = 0; tap < axis->filter; tap++) {
        const struct conv_range outs = conv_outputs_inside(axis, tap);
        pairs += outs.end - outs.begin;
    }
    return pairs;
}

static void count_macs(struct conv_count *count, const struct conv_problem *problem)
{
    const bool transposed = problem->op == CONV_OP_TRANSPOSED;
    count->macs = count->macs_inside = problem->n * problem->k * (problem->c / problem->groups);
    for (int a = 0; a < CONV_AXES; a++) {
        const struct conv_axis axis = transposed ? conv_mirror(problem->axis[a]) : problem->axis[a];
        count->macs *= axis.filter * axis.out;
        count->macs_inside *= pairs_inside(&axis);
    }
}

static void count_operands(struct conv_count *count, const struct conv_problem *problem)
{
    count->weights = conv_operand_count(problem, CONV_WEIGHTS) + conv_operand_count(problem, CONV_PW)
                   + conv_operand_count(problem, CONV_EW);
    count->biases = conv_operand_count(problem, CONV_BIAS) + conv_operand_count(problem, CONV_PW_BIAS)
                  + conv_operand_count(problem, CONV_EW_BIAS);
    count->bytes = 0;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        count->bytes += (int64_t)conv_operand_bytes(problem, operand);
    if (problem->bias && problem->pass != CONV_BACKWARD_DATA)
        count->bias_adds = conv_operand_count(problem, CONV_Y);
}

/* The stages' products and additions, which are the whole's.  That a residual adds x is none of them, as nothing that
 * is done to single elements is. */
static void count_stages(struct conv_count *count, const struct conv_problem *stages, int stage_count)
{
    for (int i = 0; i < stage_count; i++) {
        struct conv_count one;
        conv_count_problem(&one, &stages[i]);
        count->macs += one.macs;
        count->macs_inside += one.macs_inside;
        count->bias_adds += one.bias_adds;
    }
}

void conv_count_problem(struct conv_count *count, const struct conv_problem *problem)
{
    struct conv_problem stages[CONV_MOST_STAGES];
    const int stage_count = conv_stages(stages, problem);
    *count = (struct conv_count){ 0 };
    count_operands(count, problem);
    if (stage_count > 1) {
        count->bias_adds = 0;
        count_stages(count, stages, stage_count);
    } else {
        count_macs(count, problem);
    }
    /* a backward_data pass has no bias among its operands, but its layer has one */
    if (problem->bias && problem->pass == CONV_BACKWARD_DATA)
        count->biases = problem->k;
    count->intensity = count->bytes > 0 ? 2.0 * (double)count->macs_inside / (double)count->bytes : 0;
}
