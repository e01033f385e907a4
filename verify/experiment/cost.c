/* cost.c - what a case of an experiment costs: multiply-adds, the fewest that could do, bytes.
 *
 * Counts of one problem are verify/count's; here are their sums, and what they are expected to be.
 * Declared in experiment.h.   Read next: devices.c
 */
#include <string.h>

#include "verify/experiment/experiment.h"

/* Winograd's F(4x4,3x3) needs a dense 3x3 filter at stride 1; it saves nothing in a depthwise layer, which has no sum
 * over channels to move its transforms out of, but is granted it here. */
static bool winograd_can(const struct conv_problem *problem)
{
    const struct conv_axis *h = &problem->axis[CONV_H], *w = &problem->axis[CONV_W];
    return problem->rank == 2 && problem->op == CONV_OP_CONV && h->filter == 3 && w->filter == 3 && h->stride == 1
        && w->stride == 1 && h->dilation == 1 && w->dilation == 1;
}

static double bytes_of(const struct conv_problem *problem, bool input)
{
    double elements = (double)problem->n * (double)(input ? problem->c : problem->k);
    for (int i = 0; i < CONV_AXES; i++)
        elements *= (double)(input ? problem->axis[i].in : problem->axis[i].out);
    return elements * (problem->type == CONV_F64 ? 8 : 4);
}

struct exp_cost experiment_cost(const struct exp_case *one, bool fc)
{
    struct exp_cost cost = { .macs = 0 };
    int last = -1;
    for (int i = 0; i < one->layer_count; i++) {
        const struct exp_layer *layer = &one->layers[i];
        struct conv_count count;
        if (layer->fc && !fc)
            continue;
        conv_count_problem(&count, &layer->problem);
        cost.groups += (double)layer->times * (double)layer->problem.groups;
        cost.macs += layer->times * count.macs;
        cost.macs_inside += layer->times * count.macs_inside;
        cost.fewest += (double)(layer->times * count.macs_inside)
                     / (winograd_can(&layer->problem) ? conv_bench_fewer_macs(CONV_WINOGRAD_4) : 1);
        cost.bytes += 4.0 * (double)(layer->times * (count.weights + count.biases));
        last = i;
    }
    if (last >= 0)
        cost.bytes += bytes_of(&one->layers[0].problem, true) + bytes_of(&one->layers[last].problem, false);
    return cost;
}

const struct exp_expected *experiment_check(const struct exp_case *one, int64_t *counted)
{
    const struct exp_cost cost = experiment_cost(one, false);
    for (int i = 0; i < one->expected_count; i++) {
        const struct exp_expected *expected = &one->expected[i];
        *counted = !strcmp(expected->what, "params") ? one->params : !strcmp(expected->what, "macs") ? cost.macs
                                                                                                  : cost.macs_inside;
        if (*counted != expected->value)
            return expected;
    }
    return NULL;
}
