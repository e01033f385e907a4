/* cuda_dw_10_tensor_cores.cu - step 10 of the depthwise ladder on a GPU: f16, two columns a word, by tensor cores.
 *
 * Changed since cuda_dw_06_rows_of_16_bytes: the tile is rounded to f16 when it is filled, two columns in a word, and a
 *     warp multiplies 16 rows of 16 columns by one row of the filter in one instruction: y[16 x 8] += x[16 x 16] *
 *     T[16 x 8].  T has the weights of its row once in each column, one place further down from column to column, and
 *     zeros elsewhere: a Toeplitz matrix.  Sums are f32.  All of that is in toeplitz.h, for any number of 16 bits.
 * Why it is faster: 128 outputs of a 3x3 filter are 3 instructions of a warp that multiply and 3 that load from the tile,
 *     where step 6 has 36 and 6; of a 7x7 filter 7 and 7 for 196 and 10.  A tile has half the bytes in shared memory.
 * What it costs: accuracy, class f16: factors of 11 bits, 65,504 at most.  K of 16 products count, the others are of
 *     zeros; 0 times infinity isn't 0, so that a tile with anything but numbers is multiplied tap by tap.  x and y stay
 *     f32 in memory, so that no byte is saved there, and a tile of 32 columns loads its halo more often than step 6's.
 * Budget: at most 54 registers on sm_80, 56 on sm_90; no spills.
 * Applies to: depthwise problems in NCHW, 1-D to 3-D, any multiplier, stride and dilation, for which what 16 rows by 8
 *     columns of outputs read fits in 48 KiB; a window of 16 columns is enough for 3x3, 5x5 and 7x7 with stride 1.
 * Explained in docs/ladder-cuda.md, step 10 of depthwise.
 */
#include <cuda_fp16.h>
#include "toeplitz.h"

struct f16 {
    static constexpr float INFINITE = 65520;   /* halfway between 65,504 and what would be next */

    __device__ static unsigned pair(float first, float second)
    {
        const __half2 both = __floats2half2_rn(first, second);
        unsigned word;
        memcpy(&word, &both, sizeof word);
        return word;
    }
    __device__ static float value(unsigned short bits) { return __half2float(__ushort_as_half(bits)); }
    __device__ static void multiply(float (&sum)[4], const unsigned (&a)[4], const unsigned (&b)[2])
    {
        mma_m16n8k16_f16(sum, a, b);
    }
};

CUDA_KERNEL(cuda_dw_10_tensor_cores,
    .title = "f16, two columns a word: rows of the filter as Toeplitz matrices on tensor cores",
    .from = "cuda_dw_06_rows_of_16_bytes",
    .kinds = 1u << CONV_DEPTHWISE,
    .accuracy = CONV_F16_INPUTS,
    .applies = fits_on_tensor_cores,
    .run = run_on_tensor_cores<f16>);
