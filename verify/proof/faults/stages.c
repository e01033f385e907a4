/* stages.c - planted faults in transposed convolutions, and between the stages of separable ones and of inverted
 * residuals.
 *
 * Each function is the mistake and nothing else; the list at the end says whose it was.   Read next: memory.c
 */
#include "verify/proof/faults/faults.h"

/* ---- transposed ------------------------------------------------------------------------------------------------ */

static bool interleaved(struct product *p)
{
    p->k = p->k % filters_of(p->conv) * p->conv->groups + p->g;
    return true;
}

/* Of overlapping taps only the first `stride` are added. */
static bool no_overlap(struct product *p)
{
    return !(p->conv->rank == 1 && p->tap[CONV_W] >= p->conv->axis[CONV_W].stride);
}

static void dilation_as_stride(struct conv_problem *seen)
{
    struct conv_axis *W = &seen->axis[CONV_W];
    if (W->stride > 1 && W->dilation > 1)
        W->dilation = W->stride;
}

static bool output_pad_border(struct result *r)
{
    bool inside = true;
    for (int a = 0; a < CONV_AXES; a++)
        inside = inside && r->at[a] < r->conv->axis[a].out - r->conv->axis[a].output_pad;
    return inside;
}

/* The output is as large as it would be without dilation, and what lies beyond isn't written. */
static bool undilated_shape(struct result *r)
{
    const struct conv_axis *W = &r->conv->axis[CONV_W];
    return !(W->stride > 1 && r->at[CONV_W] >= W->out - (W->filter - 1) * (W->dilation - 1));
}

static bool no_bias(struct result *r) { return r->bias = -1, true; }

/* The bias joins the sum with each filter tap of the last axis, not once. */
static bool bias_for_each_tap(struct result *r)
{
    if (r->bias >= 0)
        for (int64_t s = 1; s < r->conv->axis[CONV_W].filter; s++)
            r->sum += naive_get(r->conv, r->operands->bias, r->bias);
    return true;
}

/* ---- separable ------------------------------------------------------------------------------------------------- */

static bool is_first_stage(const struct result *r) { return r->conv->groups > 1 || r->conv->axis[CONV_W].filter > 1; }

static bool middle_not_activated(struct result *r)
{
    if (is_first_stage(r))
        r->act = CONV_ACT_NONE;
    return true;
}

static bool end_not_activated(struct result *r)
{
    if (!is_first_stage(r))
        r->act = CONV_ACT_NONE;
    return true;
}

static bool middle_without_bias(struct result *r)
{
    if (is_first_stage(r))
        r->bias = -1;
    return true;
}

/* ---- inverted residuals ---------------------------------------------------------------------------------------- */

static bool expansion_not_activated(struct result *r)
{
    if (r->stage.which == NAIVE_IN_FRONT)
        r->act = CONV_ACT_NONE;
    return true;
}

static bool expansion_without_bias(struct result *r)
{
    if (r->stage.which == NAIVE_IN_FRONT)
        r->bias = -1;
    return true;
}

/* As if x were padded and then expanded: the padding is what the stage in front makes of 0. */
static double expanded_padding(const struct product *p)
{
    const struct conv_problem *whole = p->stage.whole;
    const void *bias = p->stage.operands->ew_bias;
    if (p->stage.which != NAIVE_AROUND || !whole->expand || !bias)
        return 0;
    return naive_activate(whole->mid_act, naive_get(whole, bias, p->c));
}

#define FAULTS(F) \
    F(bz009_group_interleaved, "output channels of groups are interleaved", "uxlfoundation/oneDNN #352", STATED, \
      TRANSPOSED, FORWARD, ONE_THREAD, .product = interleaved) \
    F(bz026_no_overlap, "1-D: taps that overlap are not added", "pytorch/pytorch #82563", INFERRED, \
      TRANSPOSED, FORWARD, ONE_THREAD, .product = no_overlap) \
    F(bz050_dilation_as_stride, "taps are stride apart, not dilation", "apache/mxnet #11203", STATED, \
      TRANSPOSED, FORWARD, ONE_THREAD, .see = dilation_as_stride) \
    F(bz052_undilated_shape, "the output's size forgets the dilation", "microsoft/onnxruntime #2518", STATED, \
      TRANSPOSED, FORWARD, ONE_THREAD, .result = undilated_shape) \
    F(bz070_output_pad_border, "the border of output_pad is not written", "apache/tvm #19524", STATED, \
      TRANSPOSED, FORWARD, ONE_THREAD, .result = output_pad_border) \
    F(ov34101_no_bias, "the bias is dropped", "openvinotoolkit/openvino #34101", STATED, \
      TRANSPOSED, FORWARD, ONE_THREAD, .result = no_bias) \
    F(onnx2c40_bias_for_each_tap, "the bias is added several times", "kraiskil/onnx2c #40", STATED, \
      TRANSPOSED, FORWARD, ONE_THREAD, .result = bias_for_each_tap) \
    F(mbv3_6_middle_not_activated, "the depthwise stage is not activated", "xiaochus/MobileNetV3 #6", STATED, \
      SEPARABLE, FORWARD, ONE_THREAD, .result = middle_not_activated) \
    F(coreml239_end_not_activated, "the activation at the end is dropped", "apple/coremltools #239", STATED, \
      SEPARABLE, FORWARD, ONE_THREAD, .result = end_not_activated) \
    F(nnom73_middle_without_bias, "the depthwise stage has no bias", "majianjia/nnom #73", STATED, \
      SEPARABLE, FORWARD, ONE_THREAD, .result = middle_without_bias) \
    F(residual_forgotten, "x is not added", "blind spot", "small", \
      INVERTED, FORWARD, ONE_THREAD, .forgets_x = true) \
    F(residual_before_activation, "x is added before the activation", "blind spot", "small", \
      INVERTED, FORWARD, ONE_THREAD, .adds_x_early = true) \
    F(expansion_not_activated, "the stage in front is not activated", "blind spot", "small", \
      INVERTED, FORWARD, ONE_THREAD, .result = expansion_not_activated) \
    F(expansion_without_bias, "the stage in front has no bias", "blind spot", "small", \
      INVERTED, FORWARD, ONE_THREAD, .result = expansion_without_bias) \
    F(expansion_pads_x, "x is padded, and not what the stage in front makes of it", "blind spot", "small", \
      INVERTED, FORWARD, ONE_THREAD, .outside_at = expanded_padding)

FAULT_THEME(faults_of_stages, FAULTS)
