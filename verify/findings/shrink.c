/* shrink.c - from a failing problem to the smallest one that still fails.   Declared in shrink.h.
 *
 * Reductions are tried one after the other, the large ones first; one is kept if the kernel still fails, in whatever
 * way, and then all are tried again, until none helps.  The data follow from the seed and the sizes, so that the
 * repro line is all that is needed.  A kernel that returns is tried in this process; one that crashes or hangs, in a
 * child for each attempt (forked.c).
 */
#include "verify/findings/shrink.h"

#include <convref/machine.h>
#include <string.h>

#include "verify/engine/ways.h"

static bool one_image(struct conv_problem *p) { p->n = 1; return true; }
static bool half_images(struct conv_problem *p) { p->n /= 2; return p->n > 0; }
static bool less_images(struct conv_problem *p) { p->n--; return p->n > 0; }
static bool no_bias(struct conv_problem *p) { p->bias = false; return true; }
static bool no_act(struct conv_problem *p) { p->act = CONV_ACT_NONE; return true; }
static bool no_mid_act(struct conv_problem *p) { p->mid_act = CONV_ACT_NONE; return true; }
static bool no_residual(struct conv_problem *p) { p->residual = false; return true; }
static bool no_expand(struct conv_problem *p) { p->expand = 0; return true; }
static bool half_expand(struct conv_problem *p) { p->expand /= 2; return p->expand > 0; }
static bool less_expand(struct conv_problem *p) { p->expand--; return p->expand > 0; }
static bool one_mult(struct conv_problem *p) { p->mult = 1; return true; }
static bool less_mult(struct conv_problem *p) { p->mult--; return p->mult > 0; }
static bool first_layout(struct conv_problem *p) { p->layout = CONV_CHANNELS_FIRST; return true; }

/* One group of many, with its channels; then one group less. */
static bool drop_groups(struct conv_problem *p, int64_t groups)
{
    const int64_t channels = p->c / p->groups, filters = p->k / p->groups;
    if (groups < 1)
        return false;
    p->groups = groups;
    p->c = channels * groups;
    p->k = filters * groups;
    return true;
}
static bool one_group(struct conv_problem *p) { return drop_groups(p, 1); }
static bool two_groups(struct conv_problem *p) { return p->groups > 2 && drop_groups(p, 2); }
static bool half_groups(struct conv_problem *p) { return drop_groups(p, p->groups / 2); }
static bool third_of_groups(struct conv_problem *p) { return drop_groups(p, p->groups / 3); }
static bool fewer_groups(struct conv_problem *p) { return drop_groups(p, p->groups - 1); }

/* Channels and filters go down by whole groups' shares, or, in a depthwise problem, with the groups. */
static bool as_many(struct conv_problem *p, int64_t c) { p->c = c; p->k = p->residual ? c : p->k; return c > 0; }
static bool one_c(struct conv_problem *p) { return as_many(p, p->groups); }
static bool one_k(struct conv_problem *p) { p->k = p->groups; return true; }
static bool half_c(struct conv_problem *p) { return as_many(p, p->c / p->groups / 2 * p->groups); }
static bool less_c(struct conv_problem *p) { return as_many(p, p->c - p->groups); }
static bool half_k(struct conv_problem *p) { p->k = p->k / p->groups / 2 * p->groups; return p->k > 0; }
static bool less_k(struct conv_problem *p) { p->k -= p->groups; return p->k > 0; }

static bool (*const plain[])(struct conv_problem *) = {
    one_image, one_group, two_groups, half_groups, third_of_groups, one_c, one_k, half_c, half_k, no_bias, no_act,
    no_mid_act, no_residual, no_expand, one_mult, half_expand, less_expand, first_layout,
    half_images, less_images, less_mult, fewer_groups, less_c, less_k,
};

/* Reductions of one axis: a setting goes at once, by half, or by one. */
static bool one_tap(struct conv_axis *a) { a->filter = 1; return true; }
static bool no_stride(struct conv_axis *a) { a->stride = 1; return true; }
static bool no_dilation(struct conv_axis *a) { a->dilation = 1; return true; }
static bool no_pad_begin(struct conv_axis *a) { a->pad_begin = 0; return true; }
static bool no_pad_end(struct conv_axis *a) { a->pad_end = 0; return true; }
static bool no_output_pad(struct conv_axis *a) { a->output_pad = 0; return true; }

#define STEPS_OF(field, least) \
    static bool half_##field(struct conv_axis *a) { a->field /= 2; return a->field >= (least); } \
    static bool less_##field(struct conv_axis *a) { a->field--; return a->field >= (least); }
STEPS_OF(in, 1) STEPS_OF(filter, 1) STEPS_OF(stride, 1) STEPS_OF(dilation, 1) STEPS_OF(pad_begin, 0) STEPS_OF(pad_end,
        0)
STEPS_OF(output_pad, 0)

static bool (*const of_axis[])(struct conv_axis *) = {
    half_in, one_tap, no_stride, no_dilation, no_pad_begin, no_pad_end, no_output_pad, half_filter, half_stride, half_dilation,
    half_pad_begin, half_pad_end, half_output_pad, less_in, less_filter, less_stride, less_dilation, less_pad_begin,
    less_pad_end, less_output_pad,
};

enum { PLAIN = sizeof plain / sizeof *plain, OF_AXIS = sizeof of_axis / sizeof *of_axis };

/* Reduction number `index`, if it changes something and leaves a problem that the kernel computes. */
static bool reduce(struct conv_problem *problem, const struct conv_kernel *kernel, int index)
{
    struct conv_problem smaller = *problem;
    const bool made = index < PLAIN ? plain[index](&smaller)
        : of_axis[(index - PLAIN) % OF_AXIS](&smaller.axis[(index - PLAIN) / OF_AXIS]);
    if (!made || conv_problem_finish(&smaller, NULL) != CONV_OK || conv_problem_equal(&smaller, problem)
        || conv_kernel_refuses(kernel, &smaller))
        return false;
    *problem = smaller;
    return true;
}

bool attempt_here(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                  int threads)
{
    checker->runs = 0;   /* what is seen does not depend on what ran before */
    return !check_placements(checker, problem, data, threads) && checker->shared->result.verdict == CONV_REJECT;
}

struct check_data data_for(const struct check_data *data, const struct conv_problem *problem,
                           enum conv_accuracy accuracy)
{
    struct check_data other = *data;
    other.given = NULL;
    if (!data->make && data->exact)
        other.fill.range = conv_accuracy_range(problem, accuracy);
    return other;
}

/* A crash that became a wrong value would be another finding than the one that is shown. */
static bool is_wanted(const struct checker *checker)
{
    return checker->only_fault == CONV_FAULT_NONE || checker->shared->result.finding.fault == checker->only_fault;
}

void shrink(struct checker *checker, const struct check_data *wanted, problem_test *fails, double seconds)
{
    struct conv_verification *result = &checker->shared->result;
    struct conv_verification smallest = *result;
    const double deadline = conv_seconds() + seconds;
    bool helped = true;
    while (helped) {
        helped = false;
        for (int index = 0; index < PLAIN + CONV_AXES * OF_AXIS && conv_seconds() < deadline; index++) {
            struct conv_problem smaller = smallest.finding.problem;
            if (!reduce(&smaller, checker->kernel, index))
                continue;
            const struct check_data data = data_for(wanted, &smaller, checker->kernel->accuracy);
            *result = smallest;
            result->verdict = CONV_ACCEPT;
            if (fails(checker, &smaller, &data, smallest.finding.threads) && is_wanted(checker)) {
                smallest.finding = checker->shared->found = result->finding;
                helped = true;
                index--;   /* the same again, while it helps */
            }
        }
    }
    *result = smallest;
}
