/* cuda_dw_12_bf16.cu - step 12 of the depthwise ladder on a GPU: bf16, two columns a word, by tensor cores.
 *
 * Changed since cuda_dw_10_tensor_cores: numbers have 8 bits and the exponents of f32, in the place of 11 bits and 65,504
 *     at most.  Nothing else.
 * Why it is faster: it isn't; but it takes the images that step 10 has to multiply tap by tap, those with a number beyond
 *     65,504, and nothing becomes 0 or loses bits for being small, below 2^-14.
 * What it costs: accuracy, class bf16: an element of y may be wrong by 2^-7 of the sum of its products' magnitudes,
 *     eight times as much as in step 10.
 * Budget: at most 54 registers on sm_80, 56 on sm_90; no spills.
 * Applies to: what step 10 applies to.
 * Explained in docs/ladder-cuda.md, step 12 of depthwise.
 */
#include <cuda_bf16.h>
#include "toeplitz.h"

struct bf16 {
    static constexpr float INFINITE = 0x1.ffp127f;   /* halfway between the largest number and what would be next */

    __device__ static unsigned pair(float first, float second)
    {
        const __nv_bfloat162 both = __floats2bfloat162_rn(first, second);
        unsigned word;
        memcpy(&word, &both, sizeof word);
        return word;
    }
    __device__ static float value(unsigned short bits) { return __bfloat162float(__ushort_as_bfloat16(bits)); }
    __device__ static void multiply(float (&sum)[4], const unsigned (&a)[4], const unsigned (&b)[2])
    {
        mma_m16n8k16_bf16(sum, a, b);
    }
};

CUDA_KERNEL(cuda_dw_12_bf16,
    .title = "bf16 in the place of f16: the exponents of f32, and 8 bits",
    .from = "cuda_dw_10_tensor_cores",
    .kinds = 1u << CONV_DEPTHWISE,
    .accuracy = CONV_BF16_INPUTS,
    .applies = fits_on_tensor_cores,
    .run = run_on_tensor_cores<bf16>);
