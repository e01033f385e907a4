/* provider_onednn.c - oneDNN as a provider: somebody else's library, verified and timed as a kernel of ours.
 *
 *     cc -O2 -shared -fPIC -Iinclude examples/provider_onednn.c -ldnnl -o onednn.so        (Debian: libdnnl-dev)
 *     convref verify --provider ./onednn.so --kernel onednn
 *     convref bench --provider ./onednn.so --kernel "std_*,onednn" "c=32 in=28x28 k=32 filter=3x3 pad=1"
 *
 * For the C interface of oneDNN 2 (dnnl_convolution_desc_t; version 3 has another).  It is asked for direct
 * convolutions, and may choose the memory format that it likes best: operands are reordered on the way in and out,
 * which a timing includes.  The activation is fused.  What it has no implementation for, applies() refuses.
 * Not here: transposed and separable problems, f64, its Winograd.   Read next: include/convref/kernel.h
 */
#include <convref/kernel.h>
#include <dnnl.h>
#include <stdio.h>

enum { MOST_ARGS = 4 };

/* Made at first use, which is in the verifier's child: a fork loses threads. */
static dnnl_engine_t engine;
static dnnl_stream_t stream;

static dnnl_status_t start(void)
{
    if (engine)
        return dnnl_success;
    const dnnl_status_t status = dnnl_engine_create(&engine, dnnl_cpu, 0);
    return status == dnnl_success ? dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) : status;
}

/* ---- a problem in oneDNN's words ------------------------------------------------------------------------------- */

/* x and y are N C D H W in oneDNN's eyes, wherever the channels lie in memory. */
static dnnl_memory_desc_t image(const struct conv_problem *conv, int64_t channels, bool out)
{
    dnnl_memory_desc_t desc;
    dnnl_dims_t dims = { conv->n, channels }, strides;
    const bool last = conv->layout == CONV_CHANNELS_LAST;
    int64_t step = last ? channels : 1;
    for (int i = conv->rank - 1; i >= 0; i--) {
        const struct conv_axis *axis = &conv->axis[CONV_AXES - conv->rank + i];
        dims[2 + i] = out ? axis->out : axis->in;
        strides[2 + i] = step;
        step *= dims[2 + i];
    }
    strides[1] = last ? 1 : step;
    strides[0] = last ? step : step * channels;
    dnnl_memory_desc_init_by_strides(&desc, 2 + conv->rank, dims, dnnl_f32, strides);
    return desc;
}

/* K x C x T x R x S, or G x K/G x C/G x T x R x S. */
static dnnl_memory_desc_t filters(const struct conv_problem *conv)
{
    dnnl_memory_desc_t desc;
    dnnl_dims_t dims, strides;
    int count = 0;
    if (conv->groups > 1)
        dims[count++] = conv->groups;
    dims[count++] = conv->k / conv->groups;
    dims[count++] = conv->c / conv->groups;
    for (int i = CONV_AXES - conv->rank; i < CONV_AXES; i++)
        dims[count++] = conv->axis[i].filter;
    int64_t step = 1;
    for (int i = count - 1; i >= 0; step *= dims[i--])
        strides[i] = step;
    dnnl_memory_desc_init_by_strides(&desc, count, dims, dnnl_f32, strides);
    return desc;
}

static dnnl_memory_desc_t vector(int64_t size)
{
    dnnl_memory_desc_t desc;
    dnnl_memory_desc_init_by_strides(&desc, 1, (dnnl_dims_t){ size }, dnnl_f32, (dnnl_dims_t){ 1 });
    return desc;
}

/* The same sizes, in whatever order oneDNN likes best. */
static dnnl_memory_desc_t any(dnnl_memory_desc_t desc)
{
    dnnl_memory_desc_t free_desc;
    dnnl_memory_desc_init_by_tag(&free_desc, desc.ndims, desc.dims, dnnl_f32, dnnl_format_tag_any);
    return free_desc;
}

static dnnl_status_t describe(dnnl_convolution_desc_t *desc, const struct conv_problem *conv, enum conv_pass pass)
{
    const dnnl_memory_desc_t x = any(image(conv, conv->c, false)), y = any(image(conv, conv->k, true)),
                             w = any(filters(conv)), bias = vector(conv->k), *b = conv->bias ? &bias : NULL;
    dnnl_dims_t strides, dilations, begin, end;
    for (int i = 0; i < conv->rank; i++) {
        const struct conv_axis *axis = &conv->axis[CONV_AXES - conv->rank + i];
        strides[i] = axis->stride;
        dilations[i] = axis->dilation - 1;   /* counts from 0 there */
        begin[i] = axis->pad_begin;
        end[i] = axis->pad_end;
    }
    switch (pass) {
    case CONV_BACKWARD_DATA:
        return dnnl_dilated_convolution_backward_data_desc_init(desc, dnnl_convolution_direct, &x, &w, &y, strides,
                                                                dilations, begin, end);
    case CONV_BACKWARD_WEIGHTS:
        return dnnl_dilated_convolution_backward_weights_desc_init(desc, dnnl_convolution_direct, &x, &w, b, &y,
                                                                   strides, dilations, begin, end);
    default:
        return dnnl_dilated_convolution_forward_desc_init(desc, dnnl_forward_training, dnnl_convolution_direct, &x,
                                                          &w, b, &y, strides, dilations, begin, end);
    }
}

static dnnl_status_t fuse(dnnl_primitive_attr_t attributes, enum conv_activation act)
{
    dnnl_post_ops_t after;
    dnnl_status_t status = dnnl_post_ops_create(&after);
    if (status != dnnl_success)
        return status;
    const bool relu = act == CONV_ACT_RELU;
    status = dnnl_post_ops_append_eltwise(after, 1, relu ? dnnl_eltwise_relu : dnnl_eltwise_bounded_relu,
                                          relu ? 0 : 6, 0);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_post_ops(attributes, after);
    dnnl_post_ops_destroy(after);
    return status;
}

/* Choose an implementation.  A backward pass wants to see the forward pass that it belongs to. */
static dnnl_status_t choose(dnnl_primitive_desc_t *chosen, const struct conv_problem *conv)
{
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_status_t status = start();
    if (status == dnnl_success)
        status = dnnl_primitive_attr_create(&attributes);
    if (status == dnnl_success && conv->act != CONV_ACT_NONE)
        status = fuse(attributes, conv->act);
    if (status == dnnl_success && conv->pass != CONV_FORWARD) {
        status = describe(&desc, conv, CONV_FORWARD);
        if (status == dnnl_success)
            status = dnnl_primitive_desc_create(&hint, &desc, attributes, engine, NULL);
    }
    if (status == dnnl_success)
        status = describe(&desc, conv, conv->pass);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(chosen, &desc, attributes, engine, hint);
    if (hint)
        dnnl_primitive_desc_destroy(hint);
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    return status;
}

/* ---- operands -------------------------------------------------------------------------------------------------- */

/* One operand: where the caller has it, and where oneDNN wants it, which may be the same. */
struct operand {
    int name;
    bool out;
    dnnl_memory_t outside, inside;
};

static dnnl_status_t reorder(dnnl_memory_t from, dnnl_memory_t to)
{
    const dnnl_memory_desc_t *from_desc, *to_desc;
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t primitive;
    dnnl_memory_get_memory_desc(from, &from_desc);
    dnnl_memory_get_memory_desc(to, &to_desc);
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&desc, from_desc, engine, to_desc, engine, NULL);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_create(&primitive, desc);
    dnnl_primitive_desc_destroy(desc);
    if (status != dnnl_success)
        return status;
    const dnnl_exec_arg_t arguments[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
    status = dnnl_primitive_execute(primitive, stream, 2, arguments);
    dnnl_stream_wait(stream);
    dnnl_primitive_destroy(primitive);
    return status;
}

static dnnl_status_t place(struct operand *operand, int name, bool out, void *at, dnnl_memory_desc_t has,
                           dnnl_query_t query, const_dnnl_primitive_desc_t chosen)
{
    const dnnl_memory_desc_t *wants = dnnl_primitive_desc_query_md(chosen, query, 0);
    *operand = (struct operand){ .name = name, .out = out };
    dnnl_status_t status = dnnl_memory_create(&operand->outside, &has, engine, at);
    if (status != dnnl_success)
        return status;
    if (!wants || dnnl_memory_desc_equal(wants, &has)) {
        operand->inside = operand->outside;
        return dnnl_success;
    }
    status = dnnl_memory_create(&operand->inside, wants, engine, DNNL_MEMORY_ALLOCATE);
    return status == dnnl_success && !out ? reorder(operand->outside, operand->inside) : status;
}

static void give_back(struct operand *operand)
{
    if (operand->inside && operand->inside != operand->outside)
        dnnl_memory_destroy(operand->inside);
    if (operand->outside)
        dnnl_memory_destroy(operand->outside);
}

/* What a pass reads and writes, under its names there. */
static dnnl_status_t place_all(struct operand operands[MOST_ARGS], const struct conv_problem *conv,
                               const struct conv_operands *at, const_dnnl_primitive_desc_t chosen)
{
    const bool data = conv->pass == CONV_BACKWARD_DATA, weights = conv->pass == CONV_BACKWARD_WEIGHTS;
    const dnnl_memory_desc_t x = image(conv, conv->c, false), w = filters(conv), y = image(conv, conv->k, true);
    dnnl_status_t status =
        data ? place(&operands[0], DNNL_ARG_DIFF_SRC, true, at->x, x, dnnl_query_diff_src_md, chosen)
             : place(&operands[0], DNNL_ARG_SRC, false, at->x, x, dnnl_query_src_md, chosen);
    if (status == dnnl_success)
        status = weights
            ? place(&operands[1], DNNL_ARG_DIFF_WEIGHTS, true, at->w, w, dnnl_query_diff_weights_md, chosen)
            : place(&operands[1], DNNL_ARG_WEIGHTS, false, at->w, w, dnnl_query_weights_md, chosen);
    if (status == dnnl_success)
        status = data || weights
            ? place(&operands[2], DNNL_ARG_DIFF_DST, false, at->y, y, dnnl_query_diff_dst_md, chosen)
            : place(&operands[2], DNNL_ARG_DST, true, at->y, y, dnnl_query_dst_md, chosen);
    if (status == dnnl_success && conv->bias && !data) {
        const dnnl_memory_desc_t bias = vector(conv->k);
        operands[3] = (struct operand){ .name = weights ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, .out = weights };
        status = dnnl_memory_create(&operands[3].outside, &bias, engine, at->bias);
        operands[3].inside = operands[3].outside;
    }
    return status;
}

/* ---- the kernel ------------------------------------------------------------------------------------------------ */

static dnnl_status_t execute(const_dnnl_primitive_desc_t chosen, struct operand operands[MOST_ARGS])
{
    dnnl_exec_arg_t arguments[MOST_ARGS];
    dnnl_primitive_t primitive;
    int count = 0;
    for (int i = 0; i < MOST_ARGS; i++)
        if (operands[i].inside)
            arguments[count++] = (dnnl_exec_arg_t){ operands[i].name, operands[i].inside };
    dnnl_status_t status = dnnl_primitive_create(&primitive, chosen);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_execute(primitive, stream, count, arguments);
    dnnl_stream_wait(stream);
    dnnl_primitive_destroy(primitive);
    for (int i = 0; i < MOST_ARGS && status == dnnl_success; i++)
        if (operands[i].out && operands[i].inside != operands[i].outside)
            status = reorder(operands[i].inside, operands[i].outside);
    return status;
}

static void run(const struct conv_problem *conv, const struct conv_operands *at,
                const struct conv_workspace *workspace)
{
    struct operand operands[MOST_ARGS] = { { .name = 0 } };
    dnnl_primitive_desc_t chosen = NULL;
    dnnl_status_t status = choose(&chosen, conv);
    if (status == dnnl_success)
        status = place_all(operands, conv, at, chosen);
    if (status == dnnl_success)
        status = execute(chosen, operands);
    if (status != dnnl_success)
        snprintf(workspace->failure, CONV_FAILURE, "oneDNN returns status %d", (int)status);
    for (int i = 0; i < MOST_ARGS; i++)
        give_back(&operands[i]);
    if (chosen)
        dnnl_primitive_desc_destroy(chosen);
}

static const char *applies(const struct conv_problem *conv)
{
    dnnl_primitive_desc_t chosen;
    if (choose(&chosen, conv) != dnnl_success)
        return "oneDNN has no implementation";
    dnnl_primitive_desc_destroy(chosen);
    return NULL;
}

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel onednn = {
        .name = "onednn", .title = "oneDNN's direct convolutions, reorders included",
        .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
        .passes = 1u << CONV_FORWARD | 1u << CONV_BACKWARD_DATA | 1u << CONV_BACKWARD_WEIGHTS,
        .layouts = 1u << CONV_CHANNELS_FIRST | 1u << CONV_CHANNELS_LAST, .applies = applies, .run = run,
    };
    static const struct conv_kernel *const kernels[] = { &onednn, NULL };
    static char version[32];
    static const struct conv_provider provider = { CONV_PROVIDER_ABI, sizeof onednn, "oneDNN", version, kernels };
    const dnnl_version_t *is = dnnl_version();
    snprintf(version, sizeof version, "%d.%d.%d", is->major, is->minor, is->patch);
    return &provider;
}
