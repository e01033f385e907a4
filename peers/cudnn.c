/* cudnn.c - cuDNN's convolutions as a provider: NCHW and NHWC, each by the algorithm that it finds fastest.
 *
 *     convref verify --provider build/peers/cudnn.so --kernel "cudnn_*"
 *     convref bench --provider build/peers/cudnn.so --provider build/cuda/cuda.so -k "cudnn_nchw,cuda_dw_*" "..."
 *
 * Once for each problem, before the clock starts, cudnnFindConvolutionForwardAlgorithm() times what it has, and the
 * fastest of those that multiply and add directly is kept: implicit GEMM, precomputed or not, GEMM, direct.  Its
 * Winograd and Fourier algorithms are of other classes of accuracy.  In f32 without TF32 (CUDNN_FMA_MATH).  With
 * channels last the filters are K R S C, as cuDNN wants them: reordered once, in pack().
 * cuDNN's padding is the same at both ends of an axis; other problems are refused.  Releases before 9.24 are known
 * for wrong depthwise results when problems of several sizes follow one another (notes of release 9.24): verify first.
 * Not here: gradients, bias, activation, other types, the graph interface.  Verified and measured on an H100.
 * Facts: cudnn_cnn.h of cuDNN 9.19.   Read next: device.h, cublas.c
 */
#include <cudnn.h>
#include <stdlib.h>

#include "device.h"
#include "same.h"

#define TRY(call) try_cudnn((call), #call, __FILE__, __LINE__)

/* The words of the status, and what cuDNN says of its last failure. */
static bool try_cudnn(cudnnStatus_t status, const char *call, const char *file, int line)
{
    char more[256] = "";
    if (status != CUDNN_STATUS_SUCCESS)
        cudnnGetLastErrorString(more, sizeof more);
    return peer_tried(status == CUDNN_STATUS_SUCCESS, call, cudnnGetErrorString(status), more, file, line);
}

/* ---- a problem in cuDNN's words ------------------------------------------------------------------------------ */

/* Made at first use, which is in the verifier's child: a process that forks takes no driver with it. */
static cudnnHandle_t handle;

/* What was chosen for the last problem. */
static struct {
    bool ready;
    struct conv_problem conv;
    cudnnTensorDescriptor_t x, y;
    cudnnFilterDescriptor_t w;
    cudnnConvolutionDescriptor_t how;
    cudnnConvolutionFwdAlgo_t algorithm;
    void *scratch;
    size_t scratch_bytes;
} chosen;

/* 1-D is 2-D with one row. */
static int axes(const struct conv_problem *conv) { return conv->rank < 2 ? 2 : conv->rank; }

static bool describe(const struct conv_problem *conv)
{
    const cudnnTensorFormat_t format = conv->layout == CONV_CHANNELS_LAST ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW;
    const int count = axes(conv);
    int x[5] = { (int)conv->n, (int)conv->c }, y[5] = { (int)conv->n, (int)conv->k };
    int w[5] = { (int)conv->k, (int)(conv->c / conv->groups) }, pad[3], stride[3], dilation[3];
    for (int i = 0; i < count; i++) {
        const struct conv_axis *axis = &conv->axis[CONV_AXES - count + i];
        x[2 + i] = (int)axis->in;
        y[2 + i] = (int)axis->out;
        w[2 + i] = (int)axis->filter;
        pad[i] = (int)axis->pad_begin;
        stride[i] = (int)axis->stride;
        dilation[i] = (int)axis->dilation;
    }
    return TRY(cudnnSetTensorNdDescriptorEx(chosen.x, format, CUDNN_DATA_FLOAT, 2 + count, x))
        && TRY(cudnnSetTensorNdDescriptorEx(chosen.y, format, CUDNN_DATA_FLOAT, 2 + count, y))
        && TRY(cudnnSetFilterNdDescriptor(chosen.w, CUDNN_DATA_FLOAT, format, 2 + count, w))
        && TRY(cudnnSetConvolutionNdDescriptor(chosen.how, count, pad, stride, dilation, CUDNN_CROSS_CORRELATION,
                                               CUDNN_DATA_FLOAT))
        && TRY(cudnnSetConvolutionGroupCount(chosen.how, (int)conv->groups))
        && TRY(cudnnSetConvolutionMathType(chosen.how, CUDNN_FMA_MATH));
}

static bool is_direct(cudnnConvolutionFwdAlgo_t algorithm)
{
    return algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM
        || algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM
        || algorithm == CUDNN_CONVOLUTION_FWD_ALGO_GEMM || algorithm == CUDNN_CONVOLUTION_FWD_ALGO_DIRECT;
}

/* The results are sorted: the fastest comes first.  What is run is what the descriptor says, CUDNN_FMA_MATH. */
static bool find(void)
{
    cudnnConvolutionFwdAlgoPerf_t found[CUDNN_CONVOLUTION_FWD_ALGO_COUNT];
    int count = 0;
    if (!TRY(cudnnFindConvolutionForwardAlgorithm(handle, chosen.x, chosen.w, chosen.how, chosen.y,
                                                  CUDNN_CONVOLUTION_FWD_ALGO_COUNT, &count, found)))
        return false;
    for (int i = 0; i < count; i++)
        if (found[i].status == CUDNN_STATUS_SUCCESS && is_direct(found[i].algo)
            && (found[i].mathType == CUDNN_FMA_MATH || found[i].mathType == CUDNN_DEFAULT_MATH)) {
            chosen.algorithm = found[i].algo;
            chosen.scratch_bytes = found[i].memory;
            return true;
        }
    return peer_tried(false, "cudnnFindConvolutionForwardAlgorithm()", "no direct algorithm without TF32", "",
                      __FILE__, __LINE__);
}

static bool start(void)
{
    return handle || (TRY(cudnnCreate(&handle)) && TRY(cudnnCreateTensorDescriptor(&chosen.x))
                      && TRY(cudnnCreateTensorDescriptor(&chosen.y)) && TRY(cudnnCreateFilterDescriptor(&chosen.w))
                      && TRY(cudnnCreateConvolutionDescriptor(&chosen.how)));
}

static bool peer_prepare(const struct conv_kernel *kernel, const struct conv_problem *problem)
{
    (void)kernel;
    if (chosen.ready && peer_same(&chosen.conv, problem))
        return true;
    chosen.ready = false;
    chosen.conv = *problem;
    if (!start() || !TRY_CUDA(cudaFree(chosen.scratch)))
        return false;
    chosen.scratch = NULL;
    chosen.ready = describe(problem) && find()
                && (chosen.scratch_bytes == 0 || TRY_CUDA(cudaMalloc(&chosen.scratch, chosen.scratch_bytes)));
    return chosen.ready;
}

/* ---- filters: K C R S to K R S C ----------------------------------------------------------------------------- */

static int64_t taps(const struct conv_problem *conv)
{
    return conv->axis[0].filter * conv->axis[1].filter * conv->axis[2].filter;
}

static size_t packed_bytes(const struct conv_problem *conv)
{
    const int64_t channels = conv->c / conv->groups;
    const bool same = conv->layout == CONV_CHANNELS_FIRST || channels == 1 || taps(conv) == 1;
    return same ? 0 : sizeof(float) * (size_t)(conv->k * channels * taps(conv));
}

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    const int64_t channels = conv->c / conv->groups, count = taps(conv);
    const size_t bytes = packed_bytes(conv);
    float *from = malloc(bytes), *to = malloc(bytes);
    if (from && to && TRY_CUDA(cudaMemcpy(from, weights->w, bytes, cudaMemcpyDeviceToHost))) {
        for (int64_t k = 0; k < conv->k; k++)
            for (int64_t c = 0; c < channels; c++)
                for (int64_t t = 0; t < count; t++)   /* to[k][t][c] = w[k][c][t] */
                    to[(k * count + t) * channels + c] = from[(k * channels + c) * count + t];
        TRY_CUDA(cudaMemcpy(packed, to, bytes, cudaMemcpyHostToDevice));
    }
    free(from);
    free(to);
}

/* ---- the kernels --------------------------------------------------------------------------------------------- */

static const char *applies(const struct conv_problem *conv)
{
    if (conv->bias || conv->act != CONV_ACT_NONE)
        return "its bias and activation are functions of their own";
    if (conv->rank == 3 && conv->layout == CONV_CHANNELS_LAST)
        return "volumes with channels last are asked of its graph interface";
    int64_t x = conv->n * conv->c, y = conv->n * conv->k;
    for (int i = 0; i < CONV_AXES; i++) {
        if (conv->axis[i].pad_begin != conv->axis[i].pad_end)
            return "its padding is the same at both ends of an axis";
        x *= conv->axis[i].in;
        y *= conv->axis[i].out;
    }
    return x > INT32_MAX || y > INT32_MAX ? "its sizes are ints" : NULL;
}

static void run(const struct conv_problem *conv, const struct conv_operands *at,
                const struct conv_workspace *workspace)
{
    const float one = 1, zero = 0;
    const void *w = packed_bytes(conv) > 0 ? workspace->packed : at->w;
    if (peer_prepare(NULL, conv))
        TRY(cudnnConvolutionForward(handle, &one, chosen.x, at->x, chosen.w, w, chosen.how, chosen.algorithm,
                                    chosen.scratch, chosen.scratch_bytes, &zero, chosen.y, at->y));
    peer_tell(workspace);
}

enum { KINDS = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE };

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel nchw = {
        .name = "cudnn_nchw", .title = "cuDNN's fastest direct algorithm, channels first, without TF32",
        .kinds = KINDS, .layouts = 1u << CONV_CHANNELS_FIRST, .applies = applies, .run = run, .device = &peer_device,
    };
    static const struct conv_kernel nhwc = {
        .name = "cudnn_nhwc", .title = "cuDNN's fastest direct algorithm, channels last, without TF32",
        .kinds = KINDS, .layouts = 1u << CONV_CHANNELS_LAST, .applies = applies, .packed_bytes = packed_bytes,
        .pack = pack, .run = run, .device = &peer_device,
    };
    static const struct conv_kernel *const kernels[] = { &nchw, &nhwc, NULL };
    static char version[32];
    static const struct conv_provider provider = { CONV_PROVIDER_ABI, sizeof nchw, "cuDNN", version, kernels };
    const size_t is = cudnnGetVersion();
    snprintf(version, sizeof version, "%zu.%zu.%zu", is / 10000, is / 100 % 100, is % 100);
    return &provider;
}
