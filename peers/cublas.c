/* cublas.c - cuBLAS as a provider: a pointwise layer is a matrix product, and this is NVIDIA's.
 *
 *     convref verify --provider build/peers/cublas.so --kernel cublas_pointwise
 *     convref bench --provider build/peers/cublas.so --provider build/cuda/cuda.so -k "cublas_*,cuda_pw_*" "..."
 *
 * NCHW: y[n] = w x[n], a product of K x C by C x PQ for each image, in one batched call.  NHWC: one product, NPQ x C
 * by C x K.  cuBLAS counts columns first, so that both are handed over as their transposes.  In f32 without TF32
 * (CUBLAS_DEFAULT_MATH), so that it is a peer of kernels that are f32.
 * Not here: bias, activation, strides, other types.  Verified on an H100.   Read next: device.h, cudnn.c
 */
#include <cublas_v2.h>

#include "device.h"

#define TRY(call) try_cublas((call), #call, __FILE__, __LINE__)

static bool try_cublas(cublasStatus_t status, const char *call, const char *file, int line)
{
    return peer_tried(status == CUBLAS_STATUS_SUCCESS, call, cublasGetStatusString(status), "", file, line);
}

/* Made at first use, which is in the verifier's child: a process that forks takes no driver with it. */
static cublasHandle_t handle;

static bool peer_prepare(const struct conv_kernel *kernel, const struct conv_problem *problem)
{
    (void)kernel, (void)problem;
    return handle || (TRY(cublasCreate(&handle)) && TRY(cublasSetMathMode(handle, CUBLAS_DEFAULT_MATH)));
}

static const char *applies(const struct conv_problem *conv)
{
    if (conv->bias || conv->act != CONV_ACT_NONE)
        return "cuBLAS multiplies matrices: no bias, no activation";
    for (int i = 0; i < CONV_AXES; i++)
        if (conv->axis[i].stride != 1 || conv->axis[i].out != conv->axis[i].in || conv->axis[i].pad_begin != 0)
            return "it is no matrix product with a stride or padding";
    return NULL;
}

static int64_t positions(const struct conv_problem *conv)
{
    return conv->axis[0].out * conv->axis[1].out * conv->axis[2].out;
}

static void run(const struct conv_problem *conv, const struct conv_operands *at,
                const struct conv_workspace *workspace)
{
    const float one = 1, zero = 0;
    const int64_t c = conv->c, k = conv->k, image = positions(conv);
    if (!peer_prepare(NULL, conv)) {
        peer_tell(workspace);
        return;
    }
    if (conv->layout == CONV_CHANNELS_FIRST)   /* y[n]^T[PQ x K] = x[n]^T[PQ x C] w^T[C x K] */
        TRY(cublasSgemmStridedBatched_64(handle, CUBLAS_OP_N, CUBLAS_OP_N, image, k, c, &one, at->x, image, c * image,
                                         at->w, c, 0, &zero, at->y, image, k * image, conv->n));
    else                                       /* y^T[K x NPQ] = w[K x C] x^T[C x NPQ] */
        TRY(cublasSgemm_64(handle, CUBLAS_OP_T, CUBLAS_OP_N, k, conv->n * image, c, &one, at->w, c, at->x, c, &zero,
                           at->y, k));
    peer_tell(workspace);
}

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel pointwise = {
        .name = "cublas_pointwise", .title = "a pointwise layer as a matrix product of cuBLAS, without TF32",
        .kinds = 1u << CONV_POINTWISE, .layouts = 1u << CONV_CHANNELS_FIRST | 1u << CONV_CHANNELS_LAST,
        .applies = applies, .run = run, .device = &peer_device,
    };
    static const struct conv_kernel *const kernels[] = { &pointwise, NULL };
    static char version[32];
    static const struct conv_provider provider = { CONV_PROVIDER_ABI, sizeof pointwise, "cuBLAS", version, kernels };
    snprintf(version, sizeof version, "%d.%d.%d", CUBLAS_VER_MAJOR, CUBLAS_VER_MINOR, CUBLAS_VER_PATCH);
    return &provider;
}
