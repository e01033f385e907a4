/* provider.c - the smallest provider: a kernel of your own, for convref to verify and to time.
 *
 *     cc -O3 -shared -fPIC -Iinclude examples/provider.c -o mine.so
 *     convref verify --provider ./mine.so --kernel mine
 *     convref bench --provider ./mine.so --kernel "std_01_direct,mine" "c=32 in=28x28 k=32 filter=3x3 pad=1"
 *
 * Put your own convolution into run().   Read next: docs/adding-a-kernel.md, include/convref/kernel.h
 */
#include <convref/kernel.h>

/* y[n][k][p][q] = bias[k] + SUM over c,r,s of x[n][c][p*stride - pad + r*dilation][...] * w[k][c][r][s] */
static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const struct conv_axis H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    const float (*x)[conv->c][H.in][W.in] = operands->x;
    const float (*w)[conv->c][H.filter][W.filter] = operands->w, *bias = operands->bias;
    float (*y)[conv->k][H.out][W.out] = operands->y;
    (void)workspace;

    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t p = 0; p < H.out; p++)
    for (int64_t q = 0; q < W.out; q++) {
        float sum = bias ? bias[k] : 0;
        for (int64_t c = 0; c < conv->c; c++)
        for (int64_t r = 0; r < H.filter; r++)
        for (int64_t s = 0; s < W.filter; s++) {
            const int64_t row = p * H.stride - H.pad_begin + r * H.dilation;
            const int64_t col = q * W.stride - W.pad_begin + s * W.dilation;
            if (row >= 0 && row < H.in && col >= 0 && col < W.in)
                sum += x[n][c][row][col] * w[k][c][r][s];
        }
        y[n][k][p][q] = conv_activate(conv->act, sum);
    }
}

static const char *applies(const struct conv_problem *conv) { return conv->rank == 2 ? NULL : "it knows 2-D only"; }

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel mine = {
        .name = "mine", .title = "a kernel of my own", .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE,
        .applies = applies, .run = run,
    };
    static const struct conv_kernel *const kernels[] = { &mine, NULL };
    static const struct conv_provider provider = { CONV_PROVIDER_ABI, sizeof mine, "my kernels", "1", kernels };
    return &provider;
}
