/* shares.c - of the accept-set, the kernels that use memory and threads in an unusual way.
 *
 * Sums that lie in y or in the scratch while they grow, shares of threads that are added at the end, scratch that is
 * filled.   Read next: walks.c
 */
#include <string.h>

#include "verify/proof/accept/awkward.h"
#include "verify/proof/accept/terms.h"
#include "verify/proof/faults/naive.h"

/* y itself holds the sums, which every input is scattered into. */
static void scatter(const struct conv_problem *conv, const struct conv_operands *o,
                    const struct conv_workspace *workspace)
{
    const struct conv_axis *a = conv->axis;
    const int64_t in[] = { a[0].in, a[1].in, a[2].in }, out[] = { a[0].out, a[1].out, a[2].out };
    const int64_t plane = out[0] * out[1] * out[2], taps = a[0].filter * a[1].filter * a[2].filter;
    const int64_t channels = conv->c / conv->groups, filters = conv->k / conv->groups;
    float *y = o->y;
    (void)workspace;
    for (int64_t i = 0; i < conv->n * conv->k * plane; i++) {
        const int64_t k = conv->layout == CONV_CHANNELS_LAST ? i % conv->k : i / plane % conv->k;
        y[i] = o->bias ? ((const float *)o->bias)[k] : 0;
    }
    for (int64_t i = conv->n * conv->c * in[0] * in[1] * in[2] - 1; i >= 0; i--) {
        const int64_t at[] = { i / in[2] / in[1] % in[0], i / in[2] % in[1], i % in[2] };
        const int64_t c = i / in[2] / in[1] / in[0] % conv->c, n = i / in[2] / in[1] / in[0] / conv->c;
        const float x = ((const float *)o->x)[naive_image_at(conv, conv->c, in, n, c, at)];
        for (int64_t row = 0; row < filters * taps; row++) {
            const int64_t k = c / channels * filters + row / taps;
            const int64_t tap[] = { row % taps / a[2].filter / a[1].filter, row % taps / a[2].filter % a[1].filter,
                                    row % a[2].filter };
            int64_t to[CONV_AXES];
            bool hits = true;
            for (int axis = 0; axis < CONV_AXES; axis++) {
                const int64_t from = at[axis] + a[axis].pad_begin - tap[axis] * a[axis].dilation;
                to[axis] = from / a[axis].stride;
                hits = hits && from >= 0 && from % a[axis].stride == 0 && to[axis] < out[axis];
            }
            if (hits)
                y[naive_image_at(conv, conv->k, out, n, k, to)] +=
                    x * ((const float *)o->w)[(k * channels + c % channels) * taps + row % taps];
        }
    }
    for (int64_t i = 0; i < conv->n * conv->k * plane; i++)
        y[i] = conv_activate(conv->act, y[i]);
}

/* Every input looks for its outputs, by divisions: 2^31 of them would take ten minutes. */
static const char *needs_few_inputs(const struct conv_problem *conv)
{
    return conv_operand_count(conv, CONV_X) > 1 << 24 ? "up to 2^24 inputs only" : NULL;
}

/* Each thread sums a share of the channels for all outputs, in its own part of the scratch; then the parts are added. */
static size_t partial_bytes(const struct conv_problem *conv, int threads)
{
    return (size_t)threads * conv_operand_bytes(conv, CONV_Y);
}

static void share(float *sums, const struct conv_problem *conv, const struct conv_operands *o, int64_t begin,
                  int64_t end)
{
    const struct conv_axis *a = conv->axis;
    const int64_t in[] = { a[0].in, a[1].in, a[2].in }, channels = conv->c / conv->groups;
    const int64_t plane = a[0].out * a[1].out * a[2].out;
    for (int64_t i = 0; i < conv->n * conv->k * plane; i++) {
        const int64_t k = i / plane % conv->k, n = i / plane / conv->k, g = k / (conv->k / conv->groups);
        const int64_t at[] = { i / a[2].out / a[1].out % a[0].out, i / a[2].out % a[1].out, i % a[2].out };
        float sum = 0;
        for (int64_t c = begin; c < end; c++)
        for (int64_t t = 0; t < a[0].filter; t++)
        for (int64_t r = 0; r < a[1].filter; r++)
        for (int64_t s = 0; s < a[2].filter; s++) {
            const int64_t from[] = { conv_input_at(&a[0], at[0], t), conv_input_at(&a[1], at[1], r),
                                     conv_input_at(&a[2], at[2], s) };
            if (conv_inside(&a[0], from[0]) && conv_inside(&a[1], from[1]) && conv_inside(&a[2], from[2]))
                sum += ((const float *)o->x)[naive_image_at(conv, conv->c, in, n, g * channels + c, from)]
                     * ((const float *)o->w)[(((k * channels + c) * a[0].filter + t) * a[1].filter + r) * a[2].filter + s];
        }
        sums[i] = sum;
    }
}

static void partial_sums(const struct conv_problem *conv, const struct conv_operands *o,
                         const struct conv_workspace *workspace)
{
    const struct conv_axis *a = conv->axis;
    const int64_t out[] = { a[0].out, a[1].out, a[2].out }, plane = out[0] * out[1] * out[2];
    const int64_t count = conv_operand_count(conv, CONV_Y), channels = conv->c / conv->groups;
    const int threads = workspace->threads;
    float *sums = workspace->scratch;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int thread = 0; thread < threads; thread++)
        share(sums + thread * count, conv, o, channels * thread / threads, channels * (thread + 1) / threads);
    for (int64_t i = 0; i < count; i++) {
        const int64_t k = i / plane % conv->k, n = i / plane / conv->k;
        const int64_t at[] = { i / out[2] / out[1] % out[0], i / out[2] % out[1], i % out[2] };
        float sum = o->bias ? ((const float *)o->bias)[k] : 0;
        for (int thread = threads - 1; thread >= 0; thread--)
            sum += sums[thread * count + i];
        ((float *)o->y)[naive_image_at(conv, conv->k, out, n, k, at)] = conv_activate(conv->act, sum);
    }
}

/* More scratch than is needed, and every byte of it is written. */
static size_t much_scratch(const struct conv_problem *conv, int threads) { return 4096 + 7 + terms_bytes(conv, threads); }

static void all_scratch(const struct conv_problem *conv, const struct conv_operands *operands,
                        const struct conv_workspace *workspace)
{
    memset(workspace->scratch, 0x5A, much_scratch(conv, 1));
    terms_compute(conv, operands, workspace, &(const struct manner){ .sum = terms_sum });
}

static const struct conv_kernel awkward_scatter = {
    .name = "awkward_scatter", .title = "each input, the last one first, is added to the outputs that it meets",
    .kinds = AWKWARD_CONVOLUTIONS, .layouts = AWKWARD_LAYOUTS, .applies = needs_few_inputs, .run = scatter };
static const struct conv_kernel awkward_partial_sums = {
    .name = "awkward_partial_sums", .title = "threads share the channels, and their sums are added at the end",
    .kinds = AWKWARD_CONVOLUTIONS, .layouts = AWKWARD_LAYOUTS, .threaded = true, .scratch_bytes = partial_bytes,
    .run = partial_sums };
static const struct conv_kernel awkward_all_scratch = {
    .name = "awkward_all_scratch", .title = "every byte of the scratch is written",
    .kinds = AWKWARD_CONVOLUTIONS, .layouts = AWKWARD_LAYOUTS, .scratch_bytes = much_scratch, .run = all_scratch };

const struct conv_kernel *const awkward_shares[] = {
    &awkward_scatter, &awkward_partial_sums, &awkward_all_scratch, NULL
};
