/* cuda_dw_08_whole_planes.cu - step 8 of the depthwise ladder on a GPU: several small images in one block.
 *
 * Changed since cuda_dw_04_tile: the tile is the whole image with its padding, and a block has several of them, with
 *     their filters.  Images of neighbouring channels lie one behind the other, so that a block reads and writes one
 *     piece of memory, in which neighbouring threads take neighbouring elements, whatever the width.
 * Why it is faster: of an image of 7x7 a row has 7 elements and begins anywhere: step 7 loads them one by one, 4
 *     apart, and most lanes of a warp have no column.  Here an element is loaded once, and 32 of them in a request.
 * What it costs: divisions, which find the row and column of an element; and images must be small.
 * Budget: at most 32 registers on sm_80, 32 on sm_90; no spills.
 * Applies to: depthwise problems in NCHW, 1-D to 3-D, any multiplier, of which an image with its padding and its
 *     filters fits in 48 KiB.  Meant for images up to 32x32.
 * As in: TensorFlow's kernel for small images.
 * Explained in docs/ladder-cuda.md, step 8 of depthwise.
 */
#include "rung.h"
#include <algorithm>

enum { MOST_WARPS = 4, OUTPUTS = 4, SHARED_BYTES = 48 << 10 };   /* so many outputs a thread, if planes suffice */

/* The input that `outputs` neighbouring outputs of an axis read. */
__host__ __device__ static int reach(const axis &a, int outputs) { return (outputs - 1) * a.stride + a.extent(); }

/* The image with the padding that is read: [deep][high][wide]. */
struct box {
    int deep, high, wide;
    __host__ __device__ explicit box(const shape &s)
        : deep(reach(s.d, s.d.out)), high(reach(s.h, s.h.out)), wide(reach(s.w, s.w.out)) {}
    __host__ __device__ int64_t size() const { return static_cast<int64_t>(deep) * high * wide; }
    __device__ int at(int a, int b, int c) const { return (a * high + b) * wide + c; }
    __device__ bool has(int a, int b, int c) const { return a < deep && b < high && c < wide; }
};

/* x[n][c][:][:][:] of `planes` images, from `from` on, into their boxes */
__device__ static void load(float *boxes, const float *from, int planes, const box &box, const shape &s)
{
    const int size = static_cast<int>(s.x_plane());
    for (int i = static_cast<int>(threadIdx.x); i < planes * size; i += static_cast<int>(blockDim.x)) {
        const int c = i % s.w.in + s.w.pad, b = i / s.w.in % s.h.in + s.h.pad;
        const int a = i % size / (s.w.in * s.h.in) + s.d.pad;
        if (box.has(a, b, c))
            boxes[i / size * static_cast<int>(box.size()) + box.at(a, b, c)] = from[i];
    }
}

template <int K>
__device__ float window(float sum, const float *image, const float *filter, const box &box, const shape &s)
{
    const int rows = K ? K : s.h.filter, columns = K ? K : s.w.filter, depth = K ? 1 : s.d.filter;
    for (int t = 0; t < depth; t++)
#pragma unroll
        for (int r = 0; r < rows; r++)
#pragma unroll
            for (int u = 0; u < columns; u++)
                sum += image[box.at(t * s.d.dilation, r * s.h.dilation, u * s.w.dilation)]
                     * filter[(t * rows + r) * columns + u];
    return sum;
}

/* A block has `planes` of the N C images; an image has group_k outputs, which lie behind one another, too. */
template <int K>
__global__ void whole_planes(float *y, const float *x, const float *w, const float *bias, shape s, int planes)
{
    const box box(s);
    const int size = static_cast<int>(box.size()), taps = s.taps(), y_plane = static_cast<int>(s.y_plane());
    const int t = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
    float *boxes = dynamic_shared<float>();                                   /* [planes][deep][high][wide] */
    float *filters = boxes + planes * size;                                   /* [planes group_k][taps] */
    for (int i = t; i < planes * size; i += threads)
        boxes[i] = 0;   /* the padding stays so */
    __syncthreads();
    for (int64_t first = static_cast<int64_t>(blockIdx.x) * planes; first < s.n * s.c;
         first += static_cast<int64_t>(gridDim.x) * planes) {
        const int count = static_cast<int>(first + planes < s.n * s.c ? planes : s.n * s.c - first);
        const int k0 = static_cast<int>(first % s.c) * s.group_k;             /* of y[n][k0][:][:][:] */
        load(boxes, x + first * s.x_plane(), count, box, s);
        for (int i = t; i < count * s.group_k * taps; i += threads)           /* w[(k0 + i / taps) % K][:][:][:] */
            filters[i] = w[static_cast<int64_t>((k0 + i / taps) % s.k) * taps + i % taps];
        __syncthreads();
        for (int i = t; i < count * s.group_k * y_plane; i += threads) {
            const int plane = i / y_plane, q = i % s.w.out, p = i / s.w.out % s.h.out;
            const int z = i % y_plane / (s.w.out * s.h.out);
            const float *corner = boxes + plane / s.group_k * size
                                + box.at(z * s.d.stride, p * s.h.stride, q * s.w.stride);
            const float sum = window<K>(bias ? bias[(k0 + plane) % s.k] : 0, corner, filters + plane * taps, box, s);
            y[first * s.group_k * y_plane + i] = activate(s.act, sum);
        }
        __syncthreads();
    }
}

static int64_t bytes_of_plane(const shape &s)
{
    return static_cast<int64_t>(sizeof(float)) * (box(s).size() + static_cast<int64_t>(s.group_k) * s.taps());
}

static const char *applies(const conv_problem *conv)
{
    if (const char *why = fits_in_ints(conv))
        return why;
    const shape s = shape_of(conv);
    const box box(s);   /* its product may be larger than 64 bits can count */
    const bool fits = static_cast<int64_t>(box.deep) * box.high <= SHARED_BYTES && bytes_of_plane(s) <= SHARED_BYTES;
    return fits && s.x_plane() <= SHARED_BYTES && s.group_k * s.y_plane() <= 1 << 24 ? nullptr
        : "an image with its padding and its filters doesn't fit in 48 KiB of shared memory";
}

static auto instance(const shape &s)
{
    const int known = s.d.filter == 1 && s.h.filter == s.w.filter ? s.h.filter : 0;
    return known == 3 ? whole_planes<3> : known == 5 ? whole_planes<5>
         : known == 7 ? whole_planes<7> : whole_planes<0>;
}

static int planes_of_block(const shape &s)
{
    const int64_t outputs = s.group_k * s.y_plane(), full = MOST_WARPS * WARP * OUTPUTS;
    const int64_t wanted = (full + outputs - 1) / outputs;
    return static_cast<int>(std::min({ wanted, SHARED_BYTES / bytes_of_plane(s), s.n * s.c }));
}

static void run(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const int planes = planes_of_block(s);
    const unsigned warps = blocks_for(planes * s.group_k * s.y_plane(), WARP * OUTPUTS);
    const unsigned threads = (warps < MOST_WARPS ? warps : unsigned(MOST_WARPS)) * unsigned(WARP);
    const size_t bytes = static_cast<size_t>(planes * bytes_of_plane(s));
    launch(workspace, instance(s), blocks_for(s.n * s.c, planes), threads, bytes, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s,
           planes);
}

CUDA_KERNEL(cuda_dw_08_whole_planes,
    .title = "several whole images a block, one piece of memory whatever their width",
    .from = "cuda_dw_04_tile",
    .kinds = 1u << CONV_DEPTHWISE,
    .applies = applies,
    .run = run);
