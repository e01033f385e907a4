/* circumstances.c - when is it right?   Declared in circumstances.h.
 *
 * A kernel that computes the problem of a finding rightly, but for one circumstance, isn't wrong in its sums.
 */
#include "verify/findings/circumstances.h"

#include <stdio.h>

#include "verify/engine/ways.h"

bool is_right(struct checker *checker, const struct conv_problem *problem, const struct check_data *wanted,
              int threads, problem_test *fails)
{
    struct conv_verification *result = &checker->shared->result;
    const struct conv_verification found = *result;
    const struct check_data data = data_for(wanted, problem, checker->kernel->accuracy);
    result->verdict = CONV_ACCEPT;
    const bool right = !fails(checker, problem, &data, threads) && result->verdict == CONV_ACCEPT;
    *result = found;
    return right;
}

void blame_threads(struct checker *checker, const struct check_data *data)
{
    struct conv_finding *finding = &checker->shared->result.finding;
    if (finding->threads > 1 && is_right(checker, &finding->problem, data, 1, attempt_here))
        snprintf(finding->guess, sizeof finding->guess,
                 "with one thread it is right: %d of them divide the work wrongly, or "
                 "disturb each other", finding->threads);
}

/* The same settings, and no size that is large. */
static bool size_down(struct conv_problem *small)
{
    int64_t *const sizes[] = { &small->n, &small->c, &small->k, &small->groups, &small->axis[CONV_D].in,
                               &small->axis[CONV_H].in, &small->axis[CONV_W].in };
    static const int64_t most = 100;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        *sizes[i] = *sizes[i] > most ? most : *sizes[i];
    for (int a = 0; a < CONV_AXES; a++) {
        struct conv_axis *axis = &small->axis[a];
        axis->filter = axis->filter > axis->in + axis->pad_begin + axis->pad_end ? axis->in : axis->filter;
        axis->stride = axis->stride > axis->in ? axis->in : axis->stride;
    }
    return conv_problem_finish(small, NULL) == CONV_OK;
}

static void blame_sizes(struct checker *checker, problem_test *in_a_process)
{
    struct conv_finding *finding = &checker->shared->result.finding;
    struct conv_problem small = finding->problem;
    if (!size_down(&small) || conv_kernel_refuses(checker->kernel, &small))
        return;
    const struct check_data data = check_integers(checker, &small);
    if (is_right(checker, &small, &data, 1, in_a_process))
        snprintf(finding->guess, sizeof finding->guess,
                 "with smaller sizes it is right: an offset, in elements or in bytes, is formed in 32 bits");
}

void blame_others(struct checker *checker, const struct check_data *data, problem_test *in_a_process)
{
    struct conv_finding *finding = &checker->shared->result.finding;
    if (!check_fits_memory(&finding->problem)) {
        blame_sizes(checker, in_a_process);
    } else if (is_right(checker, &finding->problem, data, finding->threads, in_a_process)) {
        finding->needs_others = true;
        if (finding->fault != CONV_FAULT_UNSTABLE)
            snprintf(finding->guess, sizeof finding->guess,
                     "a process that has computed nothing else computes this rightly: "
                     "something is kept from one problem to the next, or it depends on chance");
    }
}
