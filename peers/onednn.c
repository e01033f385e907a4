/* onednn.c - oneDNN's direct convolutions as a provider: x and y as they lie, the weights as oneDNN likes them.
 *
 *     convref verify --provider build/peers/onednn.so --kernel "onednn*"
 *     convref bench --provider build/peers/onednn.so -k "dw_nhwc_*,onednn*" "c=64 in=28x28 k=64 ... layout=nhwc"
 *
 * Once for each problem, before the clock starts, an implementation is chosen and compiled, and the weights are
 * reordered for it, in pack(): a call is one dnnl_primitive_execute(), in which nothing is reordered.  So it is a
 * peer of kernels in the same layout.  How fast oneDNN is where it may choose the layout of x and y, too, is said by
 * python3 -m convref.peers --bench.  For the C interface of version 2 (Debian 12, Ubuntu 22.04) and of version 3; the
 * kernel is called after it, so that two versions can be loaded beside each other.
 * Not here: gradients, for which examples/provider_onednn.c reorders in every call; transposed and separable
 * problems; f64; its Winograd.   Facts: dnnl.h.   Read next: same.h
 */
#include <convref/kernel.h>
#include <dnnl.h>
#include <dnnl_debug.h>
#include <stdio.h>
#include <string.h>

#include "same.h"

/* Of GCC's OpenMP, on which oneDNN is built; the compiler of this file may have another. */
void omp_set_num_threads(int threads);

/* A failing call, where it stands and oneDNN's own word for what happened, for whoever is told. */
static char failure[CONV_FAILURE];

static bool tried(dnnl_status_t status, const char *call, int line)
{
    if (status != dnnl_success)
        snprintf(failure, sizeof failure, "onednn.c:%d: %.80s: %s", line, call, dnnl_status2str(status));
    return status == dnnl_success;
}

#define TRY(call) tried((call), #call, __LINE__)

/* ---- the interfaces of two versions ---------------------------------------------------------------------------- */

#if DNNL_VERSION_MAJOR == 2

#define KERNEL "onednn2_plain"
typedef const dnnl_memory_desc_t *known_desc;   /* a struct, which is given by its address */
static known_desc known(const dnnl_memory_desc_t *desc) { return desc; }
static void forget(dnnl_memory_desc_t *desc) { (void)desc; }

static bool keep(dnnl_memory_desc_t *desc, known_desc of)
{
    *desc = *of;
    return true;
}

static bool by_strides(dnnl_memory_desc_t *desc, int count, const dnnl_dims_t sizes, const dnnl_dims_t strides)
{
    return TRY(dnnl_memory_desc_init_by_strides(desc, count, sizes, dnnl_f32, strides));
}

static bool in_any_order(dnnl_memory_desc_t *desc, int count, const dnnl_dims_t sizes)
{
    return TRY(dnnl_memory_desc_init_by_tag(desc, count, sizes, dnnl_f32, dnnl_format_tag_any));
}

#elif DNNL_VERSION_MAJOR == 3

#define KERNEL "onednn3_plain"
typedef const_dnnl_memory_desc_t known_desc;    /* a pointer to what only oneDNN knows */
static known_desc known(const dnnl_memory_desc_t *desc) { return *desc; }

static void forget(dnnl_memory_desc_t *desc)
{
    if (*desc)
        dnnl_memory_desc_destroy(*desc);
}

static bool keep(dnnl_memory_desc_t *desc, known_desc of)
{
    forget(desc);
    return TRY(dnnl_memory_desc_clone(desc, of));
}

static bool by_strides(dnnl_memory_desc_t *desc, int count, const dnnl_dims_t sizes, const dnnl_dims_t strides)
{
    return TRY(dnnl_memory_desc_create_with_strides(desc, count, sizes, dnnl_f32, strides));
}

static bool in_any_order(dnnl_memory_desc_t *desc, int count, const dnnl_dims_t sizes)
{
    return TRY(dnnl_memory_desc_create_with_tag(desc, count, sizes, dnnl_f32, dnnl_format_tag_any));
}

#else
#error "onednn.c is for the C interface of oneDNN 2 or 3"
#endif

/* ---- a problem in oneDNN's words ------------------------------------------------------------------------------- */

static const struct conv_axis *axis_of(const struct conv_problem *conv, int i)
{
    return &conv->axis[CONV_AXES - conv->rank + i];
}

/* x or y.  N C D H W in oneDNN's eyes, wherever the channels lie in memory. */
static bool describe_image(dnnl_memory_desc_t *desc, const struct conv_problem *conv, int64_t channels, bool out)
{
    const bool last = conv->layout == CONV_CHANNELS_LAST;
    dnnl_dims_t sizes = { conv->n, channels }, strides;
    int64_t step = last ? channels : 1;
    for (int i = conv->rank - 1; i >= 0; i--) {
        sizes[2 + i] = out ? axis_of(conv, i)->out : axis_of(conv, i)->in;
        strides[2 + i] = step;
        step *= sizes[2 + i];
    }
    strides[1] = last ? 1 : step;
    strides[0] = last ? step : step * channels;
    return by_strides(desc, 2 + conv->rank, sizes, strides);
}

/* K x C x T x R x S, or G x K/G x C/G x T x R x S; returns how many axes that is. */
static int weight_sizes(dnnl_dims_t sizes, const struct conv_problem *conv)
{
    int count = 0;
    if (conv->groups > 1)
        sizes[count++] = conv->groups;
    sizes[count++] = conv->k / conv->groups;
    sizes[count++] = conv->c / conv->groups;
    for (int i = 0; i < conv->rank; i++)
        sizes[count++] = axis_of(conv, i)->filter;
    return count;
}

/* The weights as the problem has them. */
static bool describe_weights(dnnl_memory_desc_t *desc, const struct conv_problem *conv)
{
    dnnl_dims_t sizes, strides;
    int64_t step = 1;
    const int count = weight_sizes(sizes, conv);
    for (int i = count - 1; i >= 0; step *= sizes[i--])
        strides[i] = step;
    return by_strides(desc, count, sizes, strides);
}

static bool describe_any_weights(dnnl_memory_desc_t *desc, const struct conv_problem *conv)
{
    dnnl_dims_t sizes;
    const int count = weight_sizes(sizes, conv);
    return in_any_order(desc, count, sizes);
}

static bool describe_vector(dnnl_memory_desc_t *desc, int64_t size)
{
    return by_strides(desc, 1, (dnnl_dims_t){ size }, (dnnl_dims_t){ 1 });
}

struct steps { dnnl_dims_t stride, dilation, begin, end; };

static struct steps steps_of(const struct conv_problem *conv)
{
    struct steps steps;
    for (int i = 0; i < conv->rank; i++) {
        steps.stride[i] = axis_of(conv, i)->stride;
        steps.dilation[i] = axis_of(conv, i)->dilation - 1;   /* counts from 0 there */
        steps.begin[i] = axis_of(conv, i)->pad_begin;
        steps.end[i] = axis_of(conv, i)->pad_end;
    }
    return steps;
}

static bool fuse(dnnl_primitive_attr_t attributes, enum conv_activation act)
{
    dnnl_post_ops_t after;
    if (act == CONV_ACT_NONE)
        return true;
    if (!TRY(dnnl_post_ops_create(&after)))
        return false;
#if DNNL_VERSION_MAJOR == 2
    const bool fused = TRY(act == CONV_ACT_RELU
                           ? dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_relu, 0, 0)
                           : dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_clip, 0, 6));
#else
    const bool fused = TRY(act == CONV_ACT_RELU
                           ? dnnl_post_ops_append_eltwise(after, dnnl_eltwise_relu, 0, 0)
                           : dnnl_post_ops_append_eltwise(after, dnnl_eltwise_clip, 0, 6));
#endif
    const bool set = fused && TRY(dnnl_primitive_attr_set_post_ops(attributes, after));
    dnnl_post_ops_destroy(after);
    return set;
}

/* ---- what was prepared for the last problem -------------------------------------------------------------------- */

/* Made at first use, which is in the verifier's child: a fork loses threads. */
static dnnl_engine_t engine;
static dnnl_stream_t stream;

enum { X, W, BIAS, Y, MEMORIES };

static struct {
    bool described;
    struct conv_problem conv;
    int threads;                          /* for how many it is divided */
    dnnl_memory_desc_t has[MEMORIES];     /* as the problem has them */
    dnnl_memory_desc_t packed;            /* the weights as the primitive wants them */
    dnnl_primitive_desc_t chosen;
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[MEMORIES];       /* of the primitive, wherever they lie in a call */
} last;

static void forget_chosen(void)
{
    for (int i = 0; i < MEMORIES; i++)
        if (last.memory[i])
            dnnl_memory_destroy(last.memory[i]);
    if (last.primitive)
        dnnl_primitive_destroy(last.primitive);
    if (last.chosen)
        dnnl_primitive_desc_destroy(last.chosen);
    memset(last.memory, 0, sizeof last.memory);
    last.primitive = NULL;
    last.chosen = NULL;
}

static void forget_last(void)
{
    forget_chosen();
    for (int i = 0; i < MEMORIES && last.described; i++)
        forget(&last.has[i]);
    if (last.described)
        forget(&last.packed);
    memset(&last, 0, sizeof last);
}

static bool choose(const struct conv_problem *conv, dnnl_primitive_attr_t attributes)
{
    const struct steps at = steps_of(conv);
    const known_desc x = known(&last.has[X]), w = known(&last.packed), y = known(&last.has[Y]);
    const known_desc bias = conv->bias ? known(&last.has[BIAS]) : NULL;
#if DNNL_VERSION_MAJOR == 2
    dnnl_convolution_desc_t desc;
    return TRY(dnnl_dilated_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_direct, x,
                                                          w, bias, y, at.stride, at.dilation, at.begin, at.end))
        && TRY(dnnl_primitive_desc_create(&last.chosen, &desc, attributes, engine, NULL));
#else
    return TRY(dnnl_convolution_forward_primitive_desc_create(&last.chosen, engine, dnnl_forward_inference,
                                                              dnnl_convolution_direct, x, w, bias, y, at.stride,
                                                              at.dilation, at.begin, at.end, attributes));
#endif
}

static bool start(void)
{
    return engine || (TRY(dnnl_engine_create(&engine, dnnl_cpu, 0))
                      && TRY(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags)));
}

static bool describe_operands(const struct conv_problem *conv)
{
    forget_last();
    last.conv = *conv;
    last.described = start() && describe_image(&last.has[X], conv, conv->c, false)
                  && describe_image(&last.has[Y], conv, conv->k, true) && describe_weights(&last.has[W], conv)
                  && describe_any_weights(&last.packed, conv) && describe_vector(&last.has[BIAS], conv->k);
    return last.described;
}

/* Which implementation, and how it wants the weights.  It is divided among as many threads as OpenMP has when it is
 * chosen; 0: not known yet.  When it is, the weights are packed already, and it is chosen again for such weights. */
static bool describe(const struct conv_problem *conv, int threads)
{
    dnnl_primitive_attr_t attributes;
    const bool same = last.described && peer_same(&last.conv, conv);
    if (same && (!last.chosen || threads == 0 || threads == last.threads))
        return last.chosen != NULL;
    forget_chosen();
    if ((!same && !describe_operands(conv)) || !TRY(dnnl_primitive_attr_create(&attributes)))
        return false;
    last.threads = threads > 0 ? threads : 1;
    omp_set_num_threads(last.threads);
    const bool chosen = fuse(attributes, conv->act) && choose(conv, attributes);
    dnnl_primitive_attr_destroy(attributes);
    return chosen && keep(&last.packed, dnnl_primitive_desc_query_md(last.chosen, dnnl_query_weights_md, 0));
}

static bool bind(int name, const dnnl_memory_desc_t *desc)
{
    return TRY(dnnl_memory_create(&last.memory[name], known(desc), engine, DNNL_MEMORY_NONE));
}

static bool prepare(const struct conv_problem *conv, int threads)
{
    return describe(conv, threads)
        && (last.primitive || (bind(X, &last.has[X]) && bind(W, &last.packed) && bind(BIAS, &last.has[BIAS])
                               && bind(Y, &last.has[Y]) && TRY(dnnl_primitive_create(&last.primitive, last.chosen))));
}

/* ---- the kernel ------------------------------------------------------------------------------------------------ */

static const char *applies(const struct conv_problem *conv)
{
    if (conv->n == 0)
        return "oneDNN has no batch of no images";
    return describe(conv, 0) ? NULL : "oneDNN has no implementation";
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    return describe(conv, 0) ? dnnl_memory_desc_get_size(known(&last.packed)) : 0;
}

static bool reorder(known_desc from, void *from_at, known_desc to, void *to_at)
{
    dnnl_memory_t memories[2] = { NULL, NULL };
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t primitive = NULL;
    const bool done = TRY(dnnl_memory_create(&memories[0], from, engine, from_at))
        && TRY(dnnl_memory_create(&memories[1], to, engine, to_at))
        && TRY(dnnl_reorder_primitive_desc_create(&desc, from, engine, to, engine, NULL))
        && TRY(dnnl_primitive_create(&primitive, desc))
        && TRY(dnnl_primitive_execute(primitive, stream, 2,
                                      (dnnl_exec_arg_t[]){ { DNNL_ARG_FROM, memories[0] },
                                                           { DNNL_ARG_TO, memories[1] } }))
        && TRY(dnnl_stream_wait(stream));
    if (primitive)
        dnnl_primitive_destroy(primitive);
    if (desc)
        dnnl_primitive_desc_destroy(desc);
    for (int i = 0; i < 2; i++)
        if (memories[i])
            dnnl_memory_destroy(memories[i]);
    return done;
}

/* Weights that could not be reordered: who runs with them is told. */
static bool not_packed;

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    not_packed = !describe(conv, 0) || !reorder(known(&last.has[W]), weights->w, known(&last.packed), packed);
}

static bool execute(const struct conv_operands *at, const void *packed)
{
    void *const places[MEMORIES] = { at->x, (void *)packed, at->bias, at->y };
    static const int names[MEMORIES] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST };
    dnnl_exec_arg_t arguments[MEMORIES];
    int count = 0;
    for (int i = 0; i < MEMORIES; i++) {
        if (!places[i])
            continue;
        if (!TRY(dnnl_memory_set_data_handle(last.memory[i], places[i])))
            return false;
        arguments[count++] = (dnnl_exec_arg_t){ names[i], last.memory[i] };
    }
    return TRY(dnnl_primitive_execute(last.primitive, stream, count, arguments)) && TRY(dnnl_stream_wait(stream));
}

static void run(const struct conv_problem *conv, const struct conv_operands *at,
                const struct conv_workspace *workspace)
{
    omp_set_num_threads(workspace->threads);
    if (not_packed || !prepare(conv, workspace->threads) || !execute(at, workspace->packed))
        memcpy(workspace->failure, failure, sizeof failure);
}

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel plain = {
        .name = KERNEL, .title = "oneDNN's direct convolutions, nothing reordered in a call",
        .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE,
        .layouts = 1u << CONV_CHANNELS_FIRST | 1u << CONV_CHANNELS_LAST, .threaded = true, .applies = applies,
        .packed_bytes = packed_bytes, .pack = pack, .run = run,
    };
    static const struct conv_kernel *const kernels[] = { &plain, NULL };
    static char version[32];
    static const struct conv_provider provider = { CONV_PROVIDER_ABI, sizeof plain, "oneDNN", version, kernels };
    const dnnl_version_t *is = dnnl_version();
    snprintf(version, sizeof version, "%d.%d.%d", is->major, is->minor, is->patch);
    return &provider;
}
