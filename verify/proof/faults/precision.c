/* precision.c - planted faults in the arithmetic: narrow inputs, narrow sums, lost terms.
 *
 * Numbers are narrowed by rounding the significand; exponents keep their range, which none of the checks' data
 * leaves.
 * Each function is the mistake and nothing else; the list at the end says whose it was.   Read next: threads.c
 */
#include "verify/proof/faults/faults.h"

#include <math.h>

/* ---- narrow inputs --------------------------------------------------------------------------------------------- */

static double to_bf16(double input) { return naive_round_to(input, 8); }
static double to_f16(double input) { return naive_round_to(input, 11); }

/* TF32 is read by cutting off what f32 has more. */
static double to_tf32(double input) { return naive_cut_to(input, 11); }

static double to_f32(double input) { return (double)(float)input; }

/* ---- narrow sums ----------------------------------------------------------------------------------------------- */

static double sum_in_f16(const struct product *p, double sum, double product)
{
    (void)p;
    return naive_round_to(sum + product, 11);
}

static double sum_in_bf16(const struct product *p, double sum, double product)
{
    (void)p;
    return naive_round_to(sum + product, 8);
}

static double short_sum_in_f16(const struct product *p, double sum, double product)
{
    return channels_of(p->conv) <= 4 ? naive_round_to(sum + product, 11) : naive_round(p->conv, sum + product);
}

static double sum_in_f32(const struct product *p, double sum, double product)
{
    (void)p;
    return (double)(float)(sum + product);
}

/* What one image adds is exact; the sum over images is kept in 8 bits.  `sum` is rounded where an image begins. */
static double images_in_bf16(const struct product *p, double sum, double product)
{
    const bool begins = p->out[0] + p->out[1] + p->out[2] == 0 && p->n > 0;
    return naive_round(p->conv, (begins ? naive_round_to(sum, 8) : sum) + product);
}

/* ---- lost terms ------------------------------------------------------------------------------------------------ */

/* Terms that are small beside the sum vanish, as they do where a long sum is kept in few bits. */
static double small_terms_lost(const struct product *p, double sum, double product)
{
    const double least = p->conv->type == CONV_F32 ? 0x1p-16 : 0x1p-45;
    return fabs(product) < fabs(sum) * least ? sum : naive_round(p->conv, sum + product);
}

/* From 512 channels on, one product is left out: the last of the first tap. */
static bool one_of_many(struct product *p)
{
    const int64_t channels = channels_of(p->conv);
    return !(channels >= 512 && p->c % channels == channels - 1 && p->tap[0] + p->tap[1] + p->tap[2] == 0);
}

/* A sum over 512 channels or more is NaN, as an algorithm that doesn't suit the shape may give. */
static bool long_sums_are_nan(struct result *r)
{
    if (channels_of(r->conv) >= 512)
        r->sum = NAN;
    return true;
}

#define FAULTS(F) \
    F(bz083_half_sums, "sums are kept in f16", "ROCm/MIOpen #2492", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .add = sum_in_f16) \
    F(onednn5041_short_half_sums, "sums over few channels are kept in f16", "uxlfoundation/oneDNN #5041", STATED, \
      ALL, FORWARD | DATA, ONE_THREAD, .add = short_sum_in_f16) \
    F(tt34952_bf16_sums, "sums are kept in bf16", "tenstorrent/tt-metal #34952", STATED, \
      ALL, FORWARD, ONE_THREAD, .add = sum_in_bf16) \
    F(rocm5859_bf16_images, "gradients of images are added up in bf16", "ROCm/rocm-libraries #5859", STATED, \
      ALL, WEIGHTS, ONE_THREAD, .add = images_in_bf16) \
    F(pt107514_tf32_inputs, "inputs are cut to TF32", "pytorch/pytorch #107514", STATED, \
      ALL, FORWARD, ONE_THREAD, .narrow = to_tf32) \
    F(tt43229_bf16_inputs, "inputs are rounded to bf16", "tenstorrent/tt-metal #43229", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .narrow = to_bf16) \
    F(acl1154_f16_inputs, "inputs are rounded to f16", "ARM-software/ComputeLibrary #1154", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .narrow = to_f16) \
    F(theano5569_f64_inputs, "f64 inputs are read as f32", "Theano/Theano #5569", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .narrow = to_f32) \
    F(theano5569_f64_sums, "f64 sums are kept in f32", "Theano/Theano #5569", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .add = sum_in_f32) \
    F(pt24172_small_terms, "terms that are small beside the sum are lost", "pytorch/pytorch #24172", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .add = small_terms_lost) \
    F(onednn522_one_of_many, "one product of a long sum is lost", "uxlfoundation/oneDNN #522", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .product = one_of_many) \
    F(onednn1583_long_sums_are_nan, "long sums are NaN", "uxlfoundation/oneDNN #1583", INFERRED, \
      ALL, FORWARD, ONE_THREAD, .result = long_sums_are_nan)

FAULT_THEME(faults_of_precision, FAULTS)
