/* shape.h - a problem as kernels on a GPU want it: in 32 bits, passed by value.
 *
 * Sizes within a plane are ints, since a GPU's integer unit has 32 bits; products over planes are int64_t.  A problem
 * that doesn't fit is refused by fits_in_ints().
 * Not here: the problem itself (convref/problem.h).   Read next: depthwise/cuda_dw_01_thread_per_output.cu
 */
#pragma once
#include <convref/problem.h>
#include <cuda_runtime.h>

/* One axis: conv_axis in 32 bits, without what a forward pass doesn't need. */
struct axis {
    int in, filter, stride, dilation, pad, out;

    __host__ __device__ int input_at(int o, int tap) const { return o * stride - pad + tap * dilation; }
    /* is 0 <= position < in?  One comparison: negative numbers are large ones without a sign */
    __device__ bool inside(int position) const { return static_cast<unsigned>(position) < static_cast<unsigned>(in); }
    __host__ __device__ int extent() const { return (filter - 1) * dilation + 1; }
};

struct shape {
    int64_t n;
    int c, k, group_c, group_k;   /* channels and filters of a group; depthwise: 1 and the multiplier */
    axis d, h, w;
    conv_activation act;

    __host__ __device__ int taps() const { return d.filter * h.filter * w.filter; }
    __host__ __device__ int64_t x_plane() const { return static_cast<int64_t>(d.in) * h.in * w.in; }
    __host__ __device__ int64_t y_plane() const { return static_cast<int64_t>(d.out) * h.out * w.out; }
    __host__ __device__ int64_t outputs() const { return n * k * y_plane(); }
};

/* The K of a filter of 3x3, 5x5 or 7x7, which kernels have instances for; 0: any other. */
inline int known_filter(const shape &s)
{
    const int K = s.h.filter;
    return s.d.filter == 1 && s.w.filter == K && (K == 3 || K == 5 || K == 7) ? K : 0;
}

inline axis axis_of(const conv_axis &a)
{
    return { static_cast<int>(a.in), static_cast<int>(a.filter), static_cast<int>(a.stride),
             static_cast<int>(a.dilation), static_cast<int>(a.pad_begin), static_cast<int>(a.out) };
}

inline shape shape_of(const conv_problem *conv)
{
    return { conv->n, static_cast<int>(conv->c), static_cast<int>(conv->k), static_cast<int>(conv->c / conv->groups),
             static_cast<int>(conv->k / conv->groups), axis_of(conv->axis[CONV_D]), axis_of(conv->axis[CONV_H]),
             axis_of(conv->axis[CONV_W]), conv->act };
}

/* NULL, or why not, in words.  2^29: sums of two positions and a padding still fit. */
inline const char *fits_in_ints(const conv_problem *conv)
{
    const int64_t most = 1 << 29;
    int64_t in = 1, out = 1, taps = conv->c;
    for (const conv_axis &a : conv->axis) {
        in *= a.in, out *= a.out, taps *= a.filter;
        if (in > most || out > most || taps > most || a.in + a.pad_begin + a.pad_end > most || a.dilation > most
            || a.filter * a.dilation > most || a.stride > most)
            return "a plane, a filter or a padding has more than 2^29 elements, and 32 bits count within them";
    }
    return conv->c > most || conv->k > most ? "it counts channels in 32 bits" : nullptr;
}

/* The activation, on one number; NaN passes through. */
__device__ inline float activate(conv_activation act, float value)
{
    if (act != CONV_ACT_NONE && value < 0)
        return 0;
    return act == CONV_ACT_RELU6 && value > 6 ? 6 : value;
}

/* How many blocks of `size` hold `count`? */
inline unsigned blocks_for(int64_t count, int64_t size) { return static_cast<unsigned>((count + size - 1) / size); }

/* The grid has at most 65,535 blocks along y and z: kernels go on from there by gridDim. */
inline unsigned at_most(int64_t blocks) { return static_cast<unsigned>(blocks < 65535 ? blocks : 65535); }
