/* cuda_dw_nhwc_04_columns_ahead.cu - step 4 of the depthwise ladder in NHWC on a GPU: more of a column, and ahead.
 *
 * Changed since cuda_dw_nhwc_03_columns_in_registers: a thread has two rows of outputs of two channels with 3x3, four rows of
 *     one channel with 5x5 and 7x7.  A column is loaded as soon as the one before it in its place has been added: there
 *     are three places with 3x3, one with others.  Sums don't move, since as many columns as have sums alive are one
 *     turn of a loop; and a row is cut into pieces of 28 outputs, so that there are threads enough.
 * Why it is faster: step 3 has 12 bytes of a column on their way to a thread, this one 96; of a column it reads K elements
 *     for one output, where this one reads K + 1 for two, or K + 3 for four; and an address serves for as many.
 * What it costs: registers; and K - 1 columns between two pieces are read by both.
 * Budget: at most 172 registers on sm_80, 187 on sm_90; no spills.
 * Applies to: depthwise problems in NHWC of two axes, filters of 3x3, 5x5 and 7x7, strides 1 and 2, no dilation, any
 *     multiplier.
 * Explained in docs/ladder-cuda.md, step 4 of depthwise in NHWC.
 */
#include "rung.h"

enum { THREADS = 128, COLUMNS = 28, TOGETHER = 2 };   /* COLUMNS: of outputs of a thread, at most; TOGETHER: channels */

/* What a thread has with filters of K x K: rows of outputs, places for columns on their way, and how many blocks a
 * multiprocessor should have room for, which bounds registers. */
__host__ __device__ constexpr int rows_of(int K) { return K == 3 ? 2 : 4; }
__host__ __device__ constexpr int places_of(int K) { return K == 3 ? 3 : 1; }
__host__ __device__ constexpr int blocks_of(int K, int S) { return S == 2 ? 2 : K == 3 ? 5 : 4; }

/* V neighbouring channels, in one load or store; zeros if not `there` */
template <int V>
__device__ void load(float (&to)[V], const float *from, bool there)
{
    if constexpr (V == 2) {
        const float2 two = there ? __ldg(reinterpret_cast<const float2 *>(from)) : make_float2(0, 0);
        to[0] = two.x, to[1] = two.y;
    } else {
        to[0] = there ? __ldg(from) : 0;
    }
}

template <int V>
__device__ void store(float *to, const float (&sum)[V], conv_activation act)
{
    if constexpr (V == 2)
        __stwb(reinterpret_cast<float2 *>(to), make_float2(activate(act, sum[0]), activate(act, sum[1])));
    else
        *to = activate(act, sum[0]);
}

/* A column of HIGH rows, of which those are there that have a bit in `rows`; `at` is its first, x[n][b][c][:]. */
template <int HIGH, int V>
__device__ void load_column(float (&to)[HIGH][V], const float *at, int64_t row, unsigned rows)
{
#pragma unroll
    for (int r = 0; r < HIGH; r++, at += row)
        load<V>(to[r], at, rows >> r & 1);
}

/* Outputs (p, q0 ... q0 + columns - 1) and those of the rows below.  Step m of a piece reads S columns, those with
 * which output q0 + m begins; sum[o % ALIVE] is of output q0 + o.  y_at is y[n][p][q0][k]. */
template <int K, int S, int V>
__device__ void slide(float *y_at, const float *image, const float *weights, const float (&first)[V], int p, int q0,
                      int columns, const shape &s)
{
    constexpr int ALIVE = (K + S - 1) / S, ROWS = rows_of(K), HIGH = (ROWS - 1) * S + K;
    constexpr int PLACES = places_of(K) < ALIVE ? places_of(K) : ALIVE;
    const int b = s.h.input_at(p, 0), steps = columns + ALIVE - 1;
    const int64_t row = static_cast<int64_t>(s.w.in) * s.c;
    int c = s.w.input_at(q0, 0);                                 /* the column that is loaded next */
    const float *at = image + b * row + static_cast<int64_t>(c) * s.c;
    const int y_row = s.w.out * s.k;
    y_at -= static_cast<int64_t>(ALIVE - 1) * s.k;               /* so many steps pass before a sum is complete */
    unsigned rows = 0;
#pragma unroll
    for (int r = 0; r < HIGH; r++)
        rows |= s.h.inside(b + r) ? 1u << r : 0u;
    float filter[K * K][V], sum[ALIVE][ROWS][V], ahead[PLACES][S][HIGH][V];
#pragma unroll
    for (int tap = 0; tap < K * K * V; tap++)                    /* w[k + tap % V][tap / V] */
        filter[tap / V][tap % V] = weights[tap % V * K * K + tap / V];
#pragma unroll
    for (int m = 0; m < PLACES * S; m++, c++, at += s.c)
        load_column<HIGH, V>(ahead[m / S][m % S], at, row, s.w.inside(c) ? rows : 0);
#pragma unroll
    for (int m = 0; m < ALIVE; m++) {
#pragma unroll
        for (int i = 0; i < ROWS * V; i++)
            sum[m][i / V][i % V] = first[i % V];
    }
#pragma unroll 1
    for (int m0 = 0; m0 < steps; m0 += ALIVE) {
#pragma unroll
        for (int m = 0; m < ALIVE; m++) {
            const int o = m0 + m - (ALIVE - 1);
#pragma unroll
            for (int v = 0; v < S; v++) {
#pragma unroll
                for (int g = 0; g < ALIVE; g++)                  /* tap g S + v of output m - g */
#pragma unroll
                    for (int i = 0; i < K * ROWS * V; i++)
                        if (g * S + v < K)
                            sum[(m + ALIVE - g) % ALIVE][i / V % ROWS][i % V] +=
                                ahead[m % PLACES][v][i / V / ROWS + i / V % ROWS * S][i % V]
                                * filter[i / V / ROWS * K + (g * S + v < K ? g * S + v : 0)][i % V];
                load_column<HIGH, V>(ahead[m % PLACES][v], at, row, s.w.inside(c) && m0 + m + PLACES < steps ? rows : 0);
                c++, at += s.c;
            }
#pragma unroll
            for (int i = 0; i < ROWS; i++) {
                if (o >= 0 && o < columns && p + i < s.h.out)
                    store<V>(y_at + i * y_row, sum[(m + 1) % ALIVE][i], s.act);
#pragma unroll
                for (int v = 0; v < V; v++)
                    sum[(m + 1) % ALIVE][i][v] = first[v];
            }
            y_at += s.k;
        }
    }
}

/* How an image is cut: pieces of a row of outputs, columns of a piece, strips of rows. */
struct cut { int pieces, columns, strips; };

template <int K, int S, int V> __launch_bounds__(THREADS, blocks_of(K, S))
__global__ void columns_ahead(float *y, const float *x, const float *w, const float *bias, shape s, cut cut)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int groups = s.k / V;
    const int k = static_cast<int>(i % groups) * V;
    const int piece = static_cast<int>(i / groups % cut.pieces), strip = static_cast<int>(i / groups / cut.pieces % cut.strips);
    const int64_t n = i / groups / cut.pieces / cut.strips;
    if (n >= s.n)
        return;
    float first[V];
#pragma unroll
    for (int v = 0; v < V; v++)
        first[v] = bias ? bias[k + v] : 0;
    const int q0 = piece * cut.columns;
    const int64_t position = n * s.y_plane() + static_cast<int64_t>(strip) * rows_of(K) * s.w.out + q0;
    slide<K, S, V>(y + position * s.k + k, x + n * s.x_plane() * s.c + k / s.group_k,   /* x[n][:][:][c] */
                   w + static_cast<int64_t>(k) * (K * K), first, strip * rows_of(K), q0, min(cut.columns, s.w.out - q0), s);
}

static const char *applies(const conv_problem *conv)
{
    if (const char *why = fits_in_ints(conv))
        return why;
    const shape s = shape_of(conv);
    if (!known_filter(s) || s.d.in * s.d.out != 1)
        return "it is for images, and filters of 3x3, 5x5 and 7x7; step 3 takes others";
    if (conv->axis[CONV_W].out * conv->k > 1 << 30)
        return "a row of all filters has more than 2^30 elements, and 32 bits count within it";
    const bool steps = s.h.stride == s.w.stride && s.w.stride <= 2 && s.h.dilation * s.w.dilation == 1;
    return steps ? nullptr : "it has strides 1 and 2 and no dilation; step 3 takes others";
}

template <int K, int V> auto instance(int stride)
{
    return stride == 2 ? columns_ahead<K, 2, V> : columns_ahead<K, 1, V>;
}

/* Two channels in one load: they have their own input, and begin at 8 bytes. */
static bool two_together(const conv_operands *o, const shape &s)
{
    const uintptr_t bits = reinterpret_cast<uintptr_t>(o->x) | reinterpret_cast<uintptr_t>(o->y);
    return s.h.filter == 3 && s.group_k == 1 && s.c % TOGETHER == 0 && bits % sizeof(float2) == 0;
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const int pieces = (s.w.out + COLUMNS - 1) / COLUMNS, rows = rows_of(s.h.filter);
    const cut cut = { pieces, (s.w.out + pieces - 1) / pieces, (s.h.out + rows - 1) / rows };
    const bool two = two_together(o, s);
    const int64_t threads = s.n * cut.strips * pieces * (two ? s.k / TOGETHER : s.k);
    launch(workspace, two ? instance<3, TOGETHER>(s.w.stride) : s.h.filter == 3 ? instance<3, 1>(s.w.stride)
           : s.h.filter == 5 ? instance<5, 1>(s.w.stride) : instance<7, 1>(s.w.stride), blocks_for(threads, THREADS), THREADS,
           0, static_cast<float *>(o->y), static_cast<const float *>(o->x), static_cast<const float *>(o->w),
           static_cast<const float *>(o->bias), s, cut);
}

CUDA_KERNEL(cuda_dw_nhwc_04_columns_ahead,
    .title = "two rows and several channels a thread, and columns on their way to it",
    .from = "cuda_dw_nhwc_03_columns_in_registers",
    .kinds = 1u << CONV_DEPTHWISE,
    .layouts = 1u << CONV_CHANNELS_LAST,
    .applies = applies,
    .run = run);
