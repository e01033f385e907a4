/* faults.cu - kernels of CUDA with one fault each: what the watch must find, and at which line.
 *
 * Each is one of five rungs, the depthwise tile, the pointwise tile, the pointwise pipeline, the matrices of ldmatrix
 * and the last block that adds the sums of all, shortened to what 2-D needs, with one thing wrong.
 * The line that a report must name carries the name of the fault in a comment: `AT name`.  tests/test_cuda_faults.sh
 * reads it there.  Faults without such a line are seen in the numbers alone.
 * Not here: faults of kernels for the CPU (verify/proof/faults).   Read next: cuda/emulator/watch.cc
 */
#include "rung.h"
#include "three_parts.h"

/* ---- the list: name, what is wrong --------------------------------------------------------------------------------- */

#define FAULTS_OF_DEPTHWISE(F) \
    F(none, "nothing: the control") \
    F(missing_first_barrier, "taps are read before the tile is full") \
    F(missing_second_barrier, "the next plane's tile is written while this one's is read") \
    F(halo_off_by_one, "the last row of the halo is never loaded") \
    F(padding_not_stored, "zeros of the padding are not stored in the tile") \
    F(unguarded_read, "taps in the padding are read from the image's neighbourhood") \
    F(unguarded_write, "outputs beyond the image are written") \
    F(blocks_collide, "every image is written to the first one") \
    F(divergent_barrier, "a barrier in both arms of a branch") \
    F(ends_before_barrier, "threads beyond the image leave before the barrier") \
    F(tile_too_small, "the tile has one row too few") \
    F(filter_half_loaded, "one warp loads the filter, which has more taps than a warp has lanes") \
    F(sums_in_y, "sums are kept in y, which nobody has set to 0") \
    F(reads_behind_filter, "the filter is read from one tap too far") \
    F(next_plane, "the image of the next plane is read") \
    F(planes_in_grid_y, "planes are counted along y of the grid, which ends at 65,535") \
    F(block_too_large, "blocks of 2,048 threads") \
    F(shared_too_large, "the tile is asked for in bits") \
    F(empty_grid, "tiles are counted by a division that rounds down")

#define FAULTS_OF_POINTWISE(F) \
    F(refilled_too_soon, "tiles are filled again while others still read them") \
    F(read_too_soon, "tiles are read before all of them are there") \
    F(unguarded_filters, "weights of filters that don't exist are read") \
    F(unguarded_channels, "channels that don't exist are read") \
    F(missing_syncwarp, "lanes exchange weights by shared memory without __syncwarp") \
    F(overrun_into_next, "the tile of x is stored one row too far, into the array behind it") \
    F(wrong_mask, "a shuffle whose mask leaves half of the lanes out") \
    F(lanes_apart, "lanes shuffle in two arms of a branch, each with the mask of all") \
    F(blocks_add_up, "blocks share the channels and add to y without order") \
    F(sums_not_zeroed, "blocks add to y by atomics, and nobody has set it to 0") \
    F(half_atomic, "one block stores to y what the others add to by atomics")

#define FAULTS_OF_PIPELINE(F) \
    F(none_of_pipeline, "nothing: the control") \
    F(missing_wait, "tiles are read, and nobody waited for their copies") \
    F(buffer_refilled, "the next copies begin before all have read the tile that they overwrite") \
    F(missing_copy_barrier, "each thread waits for its own copies, and reads those of others") \
    F(misaligned_copy, "weights are copied by 16 bytes, wherever their rows begin") \
    F(half_a_warp_multiplies, "half of a warp calls the instruction of the whole warp") \
    F(two_parts, "numbers in two parts of TF32, three products, and it claims to be f32")

#define FAULTS_OF_PAIRS(F) \
    F(none_of_pairs, CONV_BF16_INPUTS, "nothing: the control") \
    F(swizzle_forgotten, CONV_BF16_INPUTS, "halves of rows are exchanged when stored, and read where they were") \
    F(matrices_exchanged, CONV_BF16_INPUTS, "lanes name the lower rows of a matrix before its right half") \
    F(rows_too_near, CONV_BF16_INPUTS, "rows of 36 bytes, which begin where ldmatrix can't read") \
    F(missing_matrix_barrier, CONV_BF16_INPUTS, "matrices are loaded before all of their rows are there") \
    F(claims_direct, CONV_DIRECT, "operands in bf16, and it claims to be f32")

#define FAULTS_OF_PARTS(F) \
    F(none_of_parts, "nothing: the control") \
    F(missing_fence, "a block counts itself in, and its sums may arrive later") \
    F(missing_second_fence, "the last block's reads may be older than its count") \
    F(counted_too_soon, "a block counts itself in before all of its threads have left their sums") \
    F(last_read_too_soon, "threads ask whether their block is the last one before that is known") \
    F(counted_plainly, "blocks are counted without an atomic operation")

#define ENUM(name, words) name,
#define ENUM_OF_PAIRS(name, accuracy, words) name,
enum fault {
    FAULTS_OF_DEPTHWISE(ENUM) FAULTS_OF_POINTWISE(ENUM) FAULTS_OF_PIPELINE(ENUM) FAULTS_OF_PAIRS(ENUM_OF_PAIRS)
    FAULTS_OF_PARTS(ENUM)
};

/* ---- depthwise, 2-D: 4 x 16 outputs a block ----------------------------------------------------------------------- */

enum { HIGH = 4, WIDE = 16 };

__host__ __device__ static int reach(const axis &a, int outputs) { return (outputs - 1) * a.stride + a.extent(); }

template <fault wrong> __device__ static float element(const float *image, const shape &s, int b, int c)
{
    if (wrong == unguarded_read)
        return image[b * s.w.in + c];                                         /* AT unguarded_read */
    return s.h.inside(b) && s.w.inside(c) ? image[b * s.w.in + c] : 0;
}

template <fault wrong>
__device__ static void fill(float *tile, const float *image, const shape &s, int high, int wide, int p0, int q0)
{
    for (int i = static_cast<int>(threadIdx.y); i < (wrong == halo_off_by_one ? high - 1 : high); i += HIGH)
    for (int j = static_cast<int>(threadIdx.x); j < wide; j += WIDE) {
        const int b = s.h.input_at(p0, 0) + i, c = s.w.input_at(q0, 0) + j;
        if (wrong == padding_not_stored && !(s.h.inside(b) && s.w.inside(c)))
            continue;
        tile[i * wide + j] = element<wrong>(image, s, b, c);                  /* AT missing_second_barrier tile_too_small */
    }
}

template <fault wrong>
__device__ static float products(const float *tile, const float *filter, const shape &s, int wide)
{
    float sum = 0;
    for (int r = 0; r < s.h.filter; r++)
    for (int u = 0; u < s.w.filter; u++) {
        const int tap = r * s.w.filter + u + (wrong == reads_behind_filter ? 1 : 0);
        const float weight = filter[tap];   /* AT filter_half_loaded missing_first_barrier missing_second_barrier reads_behind_filter */
        const int row = static_cast<int>(threadIdx.y) * s.h.stride + r * s.h.dilation;
        const int column = static_cast<int>(threadIdx.x) * s.w.stride + u * s.w.dilation;
        sum += weight * tile[row * wide + column];                            /* AT missing_second_barrier halo_off_by_one padding_not_stored */
    }
    return sum;
}

template <fault wrong> __device__ static void meet_all()
{
    if (wrong != divergent_barrier) {
        __syncthreads();                                                      /* AT ends_before_barrier */
        return;
    }
    if (threadIdx.x < WIDE / 2)
        __syncthreads();                                                      /* AT divergent_barrier */
    else
        __syncthreads();                                                      /* AT divergent_barrier */
}

template <fault wrong>
__global__ void depthwise(float *y, const float *x, const float *w, const float *bias, shape s)
{
    float *tile = dynamic_shared<float>();
    __shared__ float filter[64];
    const int high = reach(s.h, HIGH), wide = reach(s.w, WIDE), taps = s.taps();
    const int t = static_cast<int>(threadIdx.y) * WIDE + static_cast<int>(threadIdx.x);
    const int q = static_cast<int>(blockIdx.x) * WIDE + static_cast<int>(threadIdx.x);
    const int64_t first = wrong == planes_in_grid_y ? blockIdx.y : blockIdx.z;
    const int64_t step = wrong == planes_in_grid_y ? gridDim.y : gridDim.z;
    for (int64_t plane = first; plane < s.n * s.k; plane += step) {
        const int k = static_cast<int>(plane % s.k);
        const int64_t n = plane / s.k, from = n * s.c + k / s.group_k + (wrong == next_plane ? 1 : 0);
        for (int i = t; i < taps; i += HIGH * WIDE)
            if (wrong != filter_half_loaded || i < warpSize)
                filter[i] = w[static_cast<int64_t>(k) * taps + i
                              + (wrong == reads_behind_filter ? 1 : 0)];      /* AT reads_behind_filter missing_first_barrier missing_second_barrier */
        for (int p0 = wrong == planes_in_grid_y ? 0 : static_cast<int>(blockIdx.y) * HIGH; p0 < s.h.out;
             p0 += wrong == planes_in_grid_y ? HIGH : static_cast<int>(gridDim.y) * HIGH) {
            const int p = p0 + static_cast<int>(threadIdx.y);
            fill<wrong>(tile, x + from * s.x_plane(), s, high, wide, p0, static_cast<int>(blockIdx.x) * WIDE);
            if (wrong == ends_before_barrier && (p >= s.h.out || q >= s.w.out))
                return;
            if (wrong != missing_first_barrier)
                meet_all<wrong>();
            const float sum = products<wrong>(tile, filter, s, wide) + (bias ? bias[k] : 0);
            if (wrong != missing_second_barrier)
                __syncthreads();
            float *to = y + (wrong == blocks_collide ? k : plane) * s.y_plane() + p * s.w.out + q;
            if (wrong == sums_in_y && p < s.h.out && q < s.w.out)
                *to += sum;
            else if (wrong == unguarded_write || (p < s.h.out && q < s.w.out))
                *to = activate(s.act, sum);                                   /* AT unguarded_write blocks_collide */
        }
    }
}

template <fault wrong> static void run_depthwise(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const int high = reach(s.h, HIGH) - (wrong == tile_too_small ? 1 : 0);
    const size_t bytes = sizeof(float) * static_cast<size_t>(high * reach(s.w, WIDE));
    dim3 grid(blocks_for(s.w.out, WIDE), blocks_for(s.h.out, HIGH),
              wrong == none || wrong == missing_second_barrier ? 1 : at_most(s.n * s.k));
    if (wrong == planes_in_grid_y)
        grid = dim3(grid.x, static_cast<unsigned>(s.n * s.k), 1);
    if (wrong == empty_grid)
        grid.x = static_cast<unsigned>(s.w.out / WIDE);
    const dim3 block(WIDE, wrong == block_too_large ? 2048 / WIDE : HIGH);
    const size_t asked = wrong == shared_too_large ? 8 * bytes + (48 << 10) : bytes;
    launch(workspace, depthwise<wrong>, grid, block, asked,                  /* AT planes_in_grid_y block_too_large shared_too_large empty_grid */
           static_cast<float *>(o->y), static_cast<const float *>(o->x), static_cast<const float *>(o->w),
           static_cast<const float *>(o->bias), s);
}

static const char *plain_depthwise(const conv_problem *conv)
{
    const shape s = shape_of(conv);
    return fits_in_ints(conv) ? fits_in_ints(conv)
         : s.d.in > 1 || s.d.filter > 1 || s.d.pad || s.taps() > 64 || reach(s.h, HIGH) * reach(s.w, WIDE) > 8000
         ? "2-D, small filters only" : nullptr;
}

/* ---- pointwise: 16 filters by 16 positions a block ----------------------------------------------------------------- */

enum { TILE = 16 };

/* 16 weights of a row: each lane loads one, and gets its neighbour's by the way that is wrong. */
template <fault wrong> __device__ static float weight_of(float loaded, float (&row)[TILE * TILE])
{
    const int t = static_cast<int>(threadIdx.y) * TILE + static_cast<int>(threadIdx.x);
    if (wrong == missing_syncwarp) {
        row[t] = loaded;                                                      /* AT missing_syncwarp */
        return row[t ^ 1];                                                    /* AT missing_syncwarp */
    }
    if (wrong == wrong_mask)
        return __shfl_xor_sync(0x0000ffff, loaded, 1);                        /* AT wrong_mask */
    if (wrong == lanes_apart)
        return threadIdx.x % 2 ? __shfl_xor_sync(~0u, loaded, 1)              /* AT lanes_apart */
                               : __shfl_xor_sync(~0u, loaded, 1);             /* AT lanes_apart */
    return __shfl_xor_sync(~0u, loaded, 1);
}

/* Do blocks along z of the grid have a tile of channels each? */
__host__ __device__ constexpr bool share_channels(fault wrong)
{
    return wrong == blocks_add_up || wrong == sums_not_zeroed || wrong == half_atomic;
}

template <fault wrong>
__global__ void pointwise(float *y, const float *x, const float *w, const float *bias, shape s)
{
    __shared__ float x_tile[TILE][TILE], w_tile[TILE][TILE], row_of[TILE * TILE];
    const int positions = static_cast<int>(s.y_plane());
    const int column = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y);
    const int i = static_cast<int>(blockIdx.x) * TILE + column, k = static_cast<int>(blockIdx.y) * TILE + row;
    const int first = share_channels(wrong) ? static_cast<int>(blockIdx.z) * TILE : 0;
    const int last = share_channels(wrong) ? min(s.c, first + TILE) : s.c;
    float sum = bias && k < s.k ? bias[k] : 0;
    for (int c0 = first; c0 < last; c0 += TILE) {
        const bool x_there = i < positions && (c0 + row < s.c || wrong == unguarded_channels);
        const bool w_there = c0 + (column ^ 1) < s.c && (k < s.k || wrong == unguarded_filters);
        const int stored_row = wrong == overrun_into_next ? row + 1 : row;
        x_tile[stored_row][column] = x_there ? x[(c0 + row) * positions + i] : 0;    /* AT unguarded_channels refilled_too_soon overrun_into_next */
        const float loaded = w_there ? w[static_cast<int64_t>(k) * s.c + c0 + (column ^ 1)] : 0;   /* AT unguarded_filters */
        w_tile[row][column] = weight_of<wrong>(loaded, row_of);               /* AT refilled_too_soon overrun_into_next */
        if (wrong != read_too_soon)
            __syncthreads();
        for (int c = 0; c < TILE; c++)
            sum += x_tile[c][column] * w_tile[row][c];                        /* AT read_too_soon refilled_too_soon overrun_into_next */
        if (wrong != refilled_too_soon)
            __syncthreads();
    }
    if (k >= s.k || i >= positions)
        return;
    if (wrong == sums_not_zeroed || (wrong == half_atomic && blockIdx.z > 0))
        atomicAdd(&y[k * positions + i], sum);                                /* AT half_atomic */
    else if (wrong == blocks_add_up && blockIdx.z > 0)
        y[k * positions + i] += sum;                                          /* AT blocks_add_up */
    else
        y[k * positions + i] = activate(s.act, sum);                          /* AT half_atomic */
}

template <fault wrong> static void run_pointwise(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 grid(blocks_for(s.y_plane(), TILE), blocks_for(s.k, TILE), share_channels(wrong) ? blocks_for(s.c, TILE) : 1);
    launch(workspace, pointwise<wrong>, grid, dim3(TILE, TILE), 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

static const char *plain_pointwise(const conv_problem *conv)
{
    for (const conv_axis &a : conv->axis)
        if (a.stride > 1 || a.pad_begin || a.pad_end)
            return "no stride, no padding";
    return conv->n > 1 ? "one image only" : fits_in_ints(conv);
}

/* ---- pipeline: 32 filters by 8 positions a block, a warp for 16 of them; the next 8 channels are on their way ------- */

struct stage { float x[CHANNELS][COLUMNS], w[SIDE][CHANNELS]; };

/* Thread t of 64 copies an element of x and four weights. */
template <fault wrong> __device__ static void begin_copies(stage &to, const float *x, const float *w, const shape &s, int c0)
{
    const int t = static_cast<int>(threadIdx.x), i = static_cast<int>(blockIdx.x) * COLUMNS + t % COLUMNS, c = t / COLUMNS;
    const bool there = i < s.y_plane() && c0 + c < s.c;
    cp_async_4(&to.x[c][t % COLUMNS], there ? x + (c0 + c) * s.x_plane() + i : x, there ? 4 : 0);   /* AT buffer_refilled missing_copy_barrier */
    for (int k = t / CHANNELS; k < SIDE; k += THREADS / CHANNELS) {
        const int from = (static_cast<int>(blockIdx.y) * SIDE + k) * s.c + c0 + t % CHANNELS;
        const bool exists = static_cast<int>(blockIdx.y) * SIDE + k < s.k && c0 + t % CHANNELS < s.c;
        if (wrong != misaligned_copy)
            cp_async_4(&to.w[k][t % CHANNELS], exists ? w + from : w, exists ? 4 : 0);          /* AT buffer_refilled missing_copy_barrier */
        else if (t % 4 == 0) {
            const int left = exists ? min(4, s.c - c0 - t % CHANNELS) : 0;
            cp_async_16(&to.w[k][t % CHANNELS], exists ? w + from : w, 4u * static_cast<unsigned>(left));   /* AT misaligned_copy */
        }
    }
    cp_async_commit();
}

__device__ static void products(float (&sum)[4], const stage &tile, int k0, int lane)
{
    for (int i = 0; i < 4; i++)
        for (int c = 0; c < CHANNELS; c++)
            sum[i] += tile.w[k0 + row_of(lane, i)][c] * tile.x[c][column_of(lane, 0, i)];       /* AT missing_wait missing_copy_barrier buffer_refilled */
}

/* As others have it, by the name of 3xTF32. */
template <fault wrong>
__device__ static void products_of_two_parts(float (&sum)[4], const stage &tile, int k0, int lane)
{
    float a[4], b[2], small_a[4], small_b[2];
    for (int i = 0; i < 4; i++) {
        const float whole = tile.w[k0 + lane / 4 + i % 2 * 8][lane % 4 + i / 2 * 4];
        a[i] = to_tf32(whole), small_a[i] = to_tf32(whole - a[i]);
    }
    for (int i = 0; i < 2; i++) {
        const float whole = tile.x[lane % 4 + i * 4][lane / 4];
        b[i] = to_tf32(whole), small_b[i] = to_tf32(whole - b[i]);
    }
    if (wrong == half_a_warp_multiplies && lane >= warpSize / 2)
        return;
    mma_m16n8k8(sum, small_a, b);                                             /* AT half_a_warp_multiplies */
    mma_m16n8k8(sum, a, small_b);
    mma_m16n8k8(sum, a, b);
}

template <fault wrong>
__global__ void pipeline(float *y, const float *x, const float *w, const float *bias, shape s)
{
    __shared__ stage stages[2];
    const int t = static_cast<int>(threadIdx.x), lane = t % warpSize, row = t / warpSize * ROWS;
    float sum[4] = {};
    begin_copies<wrong>(stages[0], x, w, s, 0);
    for (int c0 = 0; c0 < s.c; c0 += CHANNELS) {
        stage &here = stages[c0 / CHANNELS % 2], &next = stages[c0 / CHANNELS % 2 ^ 1];
        if (wrong != missing_wait)
            cp_async_wait<0>();
        if (wrong == buffer_refilled)
            begin_copies<wrong>(next, x, w, s, c0 + CHANNELS);
        if (wrong != missing_copy_barrier)
            __syncthreads();
        if (wrong != buffer_refilled)
            begin_copies<wrong>(next, x, w, s, c0 + CHANNELS);
        if (wrong == two_parts || wrong == half_a_warp_multiplies)
            products_of_two_parts<wrong>(sum, here, row, lane);
        else
            products(sum, here, row, lane);
    }
    for (int i = 0; i < 4; i++) {
        const int k = static_cast<int>(blockIdx.y) * SIDE + row + row_of(lane, i);
        const int at = static_cast<int>(blockIdx.x) * COLUMNS + column_of(lane, 0, i);
        if (k < s.k && at < s.y_plane())
            y[k * s.y_plane() + at] = activate(s.act, sum[i] + (bias ? bias[k] : 0));
    }
}

template <fault wrong> static void run_pipeline(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 grid(blocks_for(s.y_plane(), COLUMNS), blocks_for(s.k, SIDE));
    launch(workspace, pipeline<wrong>, grid, THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

/* ---- pairs: 32 filters by 8 positions a block, two channels in a word ------------------------------------------------ */

/* A row of words; ldmatrix reads its halves. */
template <fault wrong> struct alignas(16) rows_of {
    static constexpr int WIDE = wrong == rows_too_near ? DEPTH + 1 : DEPTH;
    unsigned word[SIDE * WIDE];
    __device__ unsigned *at(int row, int i) { return &word[row * WIDE + i]; }
};

/* Channels 2 p and 2 p + 1 of a row that has s.c of them, `apart` floats each behind the one before. */
__device__ static unsigned pair_at(const float *row, int64_t apart, int channel, const shape &s, bool there)
{
    const __nv_bfloat162 both = __floats2bfloat162_rn(there && channel < s.c ? row[channel * apart] : 0,
                                                      there && channel + 1 < s.c ? row[(channel + 1) * apart] : 0);
    unsigned word;
    memcpy(&word, &both, sizeof word);
    return word;
}

template <fault wrong>
__global__ void pairs(float *y, const float *x, const float *w, const float *bias, shape s)
{
    __shared__ rows_of<wrong> x_here, w_here;
    const int t = static_cast<int>(threadIdx.x), lane = t % warpSize, row = t / warpSize * ROWS;
    const int i0 = static_cast<int>(blockIdx.x) * COLUMNS, k0 = static_cast<int>(blockIdx.y) * SIDE;
    float sum[4] = {};
    for (int c0 = 0; c0 < s.c; c0 += 2 * DEPTH) {
        const int i = t / DEPTH, p = t % DEPTH;
        *x_here.at(i, place_of(i, p)) = pair_at(x + i0 + i, s.x_plane(), c0 + 2 * p, s, i0 + i < s.y_plane());   /* AT missing_matrix_barrier */
        for (int k = i; k < SIDE; k += THREADS / DEPTH)
            *w_here.at(k, place_of(k, p)) = pair_at(w + (k0 + k) * s.c, 1, c0 + 2 * p, s, k0 + k < s.k);         /* AT missing_matrix_barrier */
        if (wrong != missing_matrix_barrier)
            __syncthreads();
        const int lower = (wrong == matrices_exchanged ? lane / 16 : lane / 8) % 2;
        const int right = wrong == matrices_exchanged ? lane / 8 % 2 : lane / 16;
        const int k = row + lane % 8 + lower * 8, half = right * 4;
        unsigned a[4], b[4];
        ldmatrix_x4(a, w_here.at(k, wrong == swizzle_forgotten ? half : place_of(k, half)));       /* AT rows_too_near missing_matrix_barrier */
        ldmatrix_x4(b, x_here.at(lane % 8, place_of(lane % 8, lane / 8 % 2 * 4)));                 /* AT rows_too_near missing_matrix_barrier */
        const unsigned first[2] = { b[0], b[1] };
        mma_m16n8k16_bf16(sum, a, first);
        __syncthreads();
    }
    for (int i = 0; i < 4; i++) {
        const int k = k0 + row + row_of(lane, i), at = i0 + column_of(lane, 0, i);
        if (k < s.k && at < s.y_plane())
            y[k * s.y_plane() + at] = activate(s.act, sum[i] + (bias ? bias[k] : 0));
    }
}

template <fault wrong>
static void run_pairs(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const dim3 grid(blocks_for(s.y_plane(), COLUMNS), blocks_for(s.k, SIDE));
    launch(workspace, pairs<wrong>, grid, THREADS, 0, static_cast<float *>(o->y),
           static_cast<const float *>(o->x), static_cast<const float *>(o->w), static_cast<const float *>(o->bias), s);
}

/* ---- parts: blocks sum over a share of the channels, and the last of them adds what all have left ------------------------ */

enum { SHARES = 3 };

__global__ void begin_count(unsigned *arrived) { arrived[blockIdx.x] = 0; }

template <fault wrong> __device__ static bool comes_last(unsigned *arrived)
{
    __shared__ bool last;
    if (wrong != counted_too_soon)
        __syncthreads();
    if (threadIdx.x == 0) {
        if (wrong != missing_fence)
            __threadfence();
        const unsigned before = wrong == counted_plainly ? (*arrived)++       /* AT counted_plainly */
                                                         : atomicInc(arrived, SHARES - 1);
        if (wrong != missing_second_fence)
            __threadfence();
        last = before == SHARES - 1;
    }
    if (wrong != last_read_too_soon)
        __syncthreads();
    return last;                                                              /* AT last_read_too_soon */
}

template <fault wrong>
__global__ void parts_of_channels(float *y, float *parts, unsigned *arrived, const float *x, const float *w,
                                  const float *bias, shape s)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, k = i / s.y_plane();
    float sum = 0;
    for (int c = static_cast<int>(blockIdx.y); c < s.c && k < s.k; c += SHARES)
        sum += w[k * s.c + c] * x[c * s.x_plane() + i % s.y_plane()];
    if (k < s.k)
        parts[blockIdx.y * s.outputs() + i] = sum;
    if (!comes_last<wrong>(&arrived[blockIdx.x]) || k >= s.k)
        return;
    sum = bias ? bias[k] : 0;
    for (int share = 0; share < SHARES; share++)
        sum += parts[share * s.outputs() + i];                                /* AT missing_fence missing_second_fence counted_too_soon */
    y[i] = activate(s.act, sum);
}

static size_t bytes_of_parts(const conv_problem *conv, int)
{
    const shape s = shape_of(conv);
    return sizeof(float) * (SHARES * static_cast<size_t>(s.outputs()) + blocks_for(s.outputs(), THREADS));
}

template <fault wrong>
static void run_parts(const conv_problem *conv, const conv_operands *o, const conv_workspace *workspace)
{
    const shape s = shape_of(conv);
    const unsigned blocks = blocks_for(s.outputs(), THREADS);
    float *parts = static_cast<float *>(workspace->scratch);
    unsigned *arrived = reinterpret_cast<unsigned *>(parts + SHARES * s.outputs());
    launch(workspace, begin_count, blocks, 1, 0, arrived);
    launch(workspace, parts_of_channels<wrong>, dim3(blocks, SHARES), THREADS, 0, static_cast<float *>(o->y), parts,
           arrived, static_cast<const float *>(o->x), static_cast<const float *>(o->w),
           static_cast<const float *>(o->bias), s);
}

/* ---- the kernels ---------------------------------------------------------------------------------------------------- */

#define DEPTHWISE(id, words) CUDA_KERNEL(cuda_fault_##id, .title = words, .kinds = 1u << CONV_DEPTHWISE, \
    .applies = plain_depthwise, .run = run_depthwise<id>);
#define POINTWISE(id, words) CUDA_KERNEL(cuda_fault_##id, .title = words, .kinds = 1u << CONV_POINTWISE, \
    .applies = plain_pointwise, .run = run_pointwise<id>);
#define PIPELINE(id, words) CUDA_KERNEL(cuda_fault_##id, .title = words, .kinds = 1u << CONV_POINTWISE, \
    .applies = plain_pointwise, .run = run_pipeline<id>);
#define PAIRS(id, claim, words) CUDA_KERNEL(cuda_fault_##id, .title = words, .kinds = 1u << CONV_POINTWISE, \
    .accuracy = claim, .applies = plain_pointwise, .run = run_pairs<id>);
#define PARTS(id, words) CUDA_KERNEL(cuda_fault_##id, .title = words, .kinds = 1u << CONV_POINTWISE, \
    .applies = plain_pointwise, .scratch_bytes = bytes_of_parts, .run = run_parts<id>);
FAULTS_OF_DEPTHWISE(DEPTHWISE)
FAULTS_OF_POINTWISE(POINTWISE)
FAULTS_OF_PIPELINE(PIPELINE)
FAULTS_OF_PAIRS(PAIRS)
FAULTS_OF_PARTS(PARTS)

#define ROW(id, ...) &kernel_cuda_fault_##id,
extern const conv_kernel *const cuda_kernels[];
const conv_kernel *const cuda_kernels[] = {
    FAULTS_OF_DEPTHWISE(ROW) FAULTS_OF_POINTWISE(ROW) FAULTS_OF_PIPELINE(ROW) FAULTS_OF_PAIRS(ROW)
    FAULTS_OF_PARTS(ROW) nullptr
};
