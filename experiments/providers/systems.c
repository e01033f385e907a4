/* systems.c - ways in which systems have computed grouped convolutions, as kernels: a provider for the experiments.
 *
 *     sys_loop_allocating    one group after the other, unfolded and multiplied, with 22 allocations for each group,
 *                            as NNlib did for Flux (FluxML/Flux.jl#2508 counts 22,555 for 1024 groups)
 *     sys_loop               the same arithmetic, with one buffer for all groups: what the allocations cost is the
 *                            difference of these two
 *     sys_batched_product    all groups unfolded at once, then one product for each, as Chainer's batched product
 *     sys_unfold_fold        products first, for every pixel of the image, then each is folded into the output that
 *                            it belongs to: the transposed way round, as THNN has it for its gradients
 *
 * They show what a way costs, and aren't tuned: compiled for the baseline, 2-D, channels first, forward.
 * Not here: the systems' own code.   Read next: experiments/flux-allocations.md
 */
#include <convref/kernel.h>
#include <stdlib.h>
#include <string.h>

enum { ALLOCATIONS = 22 };   /* of one group: its matrix, and small things such as views and sizes */

/* One group of one image: C x channels, K filters, Q outputs. */
struct group {
    const struct conv_problem *conv;
    const float *x, *w, *bias;
    float *y;
    int64_t c, k, taps, outputs;   /* taps: of one filter, C/G * R * S */
};

static struct group group_at(const struct conv_problem *conv, const struct conv_operands *operands, int64_t n,
                             int64_t g)
{
    const struct conv_axis H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const int64_t c = conv->c / conv->groups, k = conv->k / conv->groups, taps = c * H.filter * W.filter;
    const int64_t outputs = H.out * W.out;
    const float *bias = operands->bias;
    return (struct group){
        conv, (const float *)operands->x + (n * conv->c + g * c) * H.in * W.in,
        (const float *)operands->w + g * k * taps, bias ? bias + g * k : NULL,
        (float *)operands->y + (n * conv->k + g * k) * outputs, c, k, taps, outputs };
}

/* matrix[c * R * S + r * S + s][p * Q + q] = x[c][...][...], 0 in the padding */
static void unfold(float *matrix, const struct group *group)
{
    const struct conv_axis H = group->conv->axis[CONV_H], W = group->conv->axis[CONV_W];
    for (int64_t c = 0; c < group->c; c++)
    for (int64_t r = 0; r < H.filter; r++)
    for (int64_t s = 0; s < W.filter; s++)
        for (int64_t p = 0; p < H.out; p++, matrix += W.out) {
            const int64_t row = conv_input_at(&H, p, r), shift = conv_input_at(&W, 0, s);
            const struct conv_range inside = conv_outputs_inside(&W, s);
            memset(matrix, 0, sizeof *matrix * (size_t)W.out);
            for (int64_t q = inside.begin; q < inside.end && conv_inside(&H, row); q++)
                matrix[q] = group->x[(c * H.in + row) * W.in + q * W.stride + shift];
        }
}

static void begin(const struct group *group)
{
    for (int64_t k = 0; k < group->k; k++)
        for (int64_t q = 0; q < group->outputs; q++)
            group->y[k * group->outputs + q] = group->bias ? group->bias[k] : 0;
}

static void activate(const struct group *group)
{
    for (int64_t i = 0; i < group->k * group->outputs; i++)
        group->y[i] = conv_activate(group->conv->act, group->y[i]);
}

/* y[k][:] = bias[k] + SUM over taps of w[k][tap] * matrix[tap][:] */
static void multiply(const struct group *group, const float *matrix)
{
    begin(group);
    for (int64_t k = 0; k < group->k; k++)
        for (int64_t tap = 0; tap < group->taps; tap++) {
            const float weight = group->w[k * group->taps + tap];
            for (int64_t q = 0; q < group->outputs; q++)
                group->y[k * group->outputs + q] += weight * matrix[tap * group->outputs + q];
        }
    activate(group);
}

static size_t matrix_bytes(const struct conv_problem *conv)
{
    const struct conv_axis H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    return sizeof(float) * (size_t)(conv->c / conv->groups * H.filter * W.filter * H.out * W.out);
}

/* ---- loops over groups ----------------------------------------------------------------------------------------- */

/* All of a group's memory lives until the group is done, as views and buffers of a garbage-collected language do. */
static bool group_allocating(const struct group *group)
{
    void *memory[ALLOCATIONS];
    bool enough = true;
    for (int i = 0; i < ALLOCATIONS; i++) {
        memory[i] = malloc(i == 0 ? matrix_bytes(group->conv) : 64);
        enough = enough && memory[i];
        if (memory[i] && i > 0)
            *(volatile char *)memory[i] = 1;   /* or a compiler could leave the pair of calls out */
    }
    if (enough) {
        unfold(memory[0], group);
        multiply(group, memory[0]);
    }
    for (int i = 0; i < ALLOCATIONS; i++)
        free(memory[i]);
    return enough;
}

static void run_loop_allocating(const struct conv_problem *conv, const struct conv_operands *operands,
                                const struct conv_workspace *workspace)
{
    for (int64_t n = 0; n < conv->n; n++)
        for (int64_t g = 0; g < conv->groups; g++) {
            const struct group group = group_at(conv, operands, n, g);
            if (!group_allocating(&group)) {
                strcpy(workspace->failure, "no memory for a group");
                return;
            }
        }
}

static size_t loop_scratch(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return matrix_bytes(conv);
}

static void run_loop(const struct conv_problem *conv, const struct conv_operands *operands,
                     const struct conv_workspace *workspace)
{
    for (int64_t n = 0; n < conv->n; n++)
        for (int64_t g = 0; g < conv->groups; g++) {
            const struct group group = group_at(conv, operands, n, g);
            unfold(workspace->scratch, &group);
            multiply(&group, workspace->scratch);
        }
}

/* ---- a batch of products --------------------------------------------------------------------------------------- */

static size_t batch_scratch(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return matrix_bytes(conv) * (size_t)conv->groups;
}

static void run_batched(const struct conv_problem *conv, const struct conv_operands *operands,
                        const struct conv_workspace *workspace)
{
    const size_t stride = matrix_bytes(conv) / sizeof(float);
    float *matrices = workspace->scratch;
    for (int64_t n = 0; n < conv->n; n++) {
        for (int64_t g = 0; g < conv->groups; g++) {
            const struct group group = group_at(conv, operands, n, g);
            unfold(matrices + (size_t)g * stride, &group);
        }
        for (int64_t g = 0; g < conv->groups; g++) {
            const struct group group = group_at(conv, operands, n, g);
            multiply(&group, matrices + (size_t)g * stride);
        }
    }
}

/* ---- multiply, then fold --------------------------------------------------------------------------------------- */

static size_t fold_scratch(const struct conv_problem *conv, int threads)
{
    (void)threads;
    return sizeof(float) * (size_t)(conv->axis[CONV_H].in * conv->axis[CONV_W].in);
}

/* Add the products of one tap, one for every pixel of the image, to the outputs that they belong to. */
static void fold(float *y, const struct conv_problem *conv, const float *products, int64_t r, int64_t s)
{
    const struct conv_axis H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const struct conv_range rows = conv_outputs_inside(&H, r), columns = conv_outputs_inside(&W, s);
    for (int64_t p = rows.begin; p < rows.end; p++)
        for (int64_t q = columns.begin; q < columns.end; q++)
            y[p * W.out + q] += products[conv_input_at(&H, p, r) * W.in + conv_input_at(&W, q, s)];
}

static void run_unfold_fold(const struct conv_problem *conv, const struct conv_operands *operands,
                            const struct conv_workspace *workspace)
{
    const struct conv_axis H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    float *products = workspace->scratch;
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t g = 0; g < conv->groups; g++) {
        const struct group group = group_at(conv, operands, n, g);
        begin(&group);
        for (int64_t k = 0; k < group.k; k++)
        for (int64_t tap = 0; tap < group.taps; tap++) {
            const float weight = group.w[k * group.taps + tap];
            const float *image = group.x + tap / (H.filter * W.filter) * H.in * W.in;
            for (int64_t i = 0; i < H.in * W.in; i++)
                products[i] = weight * image[i];
            fold(group.y + k * group.outputs, conv, products, tap / W.filter % H.filter, tap % W.filter);
        }
        activate(&group);
    }
}

/* ---- the provider ---------------------------------------------------------------------------------------------- */

static const char *applies(const struct conv_problem *conv) { return conv->rank == 2 ? NULL : "it knows 2-D only"; }

#define WAY(NAME, TITLE, SCRATCH, RUN) static const struct conv_kernel NAME = { \
    .name = #NAME, .title = TITLE, .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED \
                                          | 1u << CONV_DEPTHWISE, \
    .applies = applies, .scratch_bytes = SCRATCH, .run = RUN }
WAY(sys_loop_allocating, "a loop over groups with 22 allocations for each, as NNlib did", NULL, run_loop_allocating);
WAY(sys_loop, "the same loop with one buffer", loop_scratch, run_loop);
WAY(sys_batched_product, "all groups unfolded, then a batch of products, as Chainer did", batch_scratch, run_batched);
WAY(sys_unfold_fold, "products of the whole image, folded into the outputs, as THNN did backward", fold_scratch,
    run_unfold_fold);

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel *const kernels[] = { &sys_loop_allocating, &sys_loop, &sys_batched_product,
                                                         &sys_unfold_fold, NULL };
    static const struct conv_provider provider = { CONV_PROVIDER_ABI, sizeof **kernels, "ways of systems", "1",
                                                   kernels };
    return &provider;
}
