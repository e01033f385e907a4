/* command_set.c - the problems on which a command is tried, when none is named.
 *
 * A command costs a process for each problem, so that there are few, and each is there for mistakes that people make:
 * no two sizes of a problem are the same where they could be exchanged, strides leave a remainder, paddings differ at
 * the two ends.  Simple ones come first: the first that fails is the one that is shown.
 * Read next: command.c
 */
#include "verify/candidates/command.h"

/* On integers. */
const char *const command_integers[] = {
    /* one axis */
    "c=1 in=5 k=1 filter=1", "c=1 in=5 k=1 filter=2", "c=2 in=7 k=3 filter=3", "n=2 c=3 in=6 k=2 filter=2 bias=1",
    "c=2 in=9 k=3 filter=4 stride=2 pad=1:2 dilation=2 bias=1", "c=4 in=6 k=6 filter=2 groups=2",
    /* two axes, all sizes different */
    "c=1 in=3x4 k=1 filter=3x2", "c=2 in=5x7 k=3 filter=3x2", "c=3 in=6x4 k=2 filter=1x3 bias=1",
    "n=3 c=2 in=4x5 k=4 filter=2x3", "c=1 in=1x6 k=2 filter=1x3", "c=2 in=3x2 k=5 filter=3x2",
    /* padding: equal, of one axis, of one end, of SAME with an even filter, as wide as the filter, wider than the
       image */
    "c=3 in=5x6 k=2 filter=3x3 pad=1", "c=2 in=5x6 k=3 filter=3x3 pad=1x0", "c=2 in=5x6 k=3 filter=3x3 pad=0:1x2:0",
    "c=2 in=4x5 k=2 filter=2x4 pad=same", "c=2 in=4x5 k=3 filter=2x4 pad=same_lower",
    "c=2 in=4x5 k=3 filter=3x2 pad=2x1", "c=1 in=2x3 k=2 filter=4x5 pad=2x3 bias=1",
    "c=3 in=4x3 k=2 filter=1x1 pad=1 bias=1",
    /* strides, with remainders; dilations; both */
    "c=2 in=7x9 k=3 filter=3x3 stride=2", "c=2 in=8x6 k=3 filter=3x3 stride=2",
    "c=2 in=9x8 k=3 filter=3x2 stride=2x3 pad=1", "c=2 in=6x7 k=3 filter=1x1 stride=3x2",
    "c=2 in=5x5 k=1 filter=2x2 stride=3", "c=2 in=9x8 k=3 filter=3x2 dilation=2x3",
    "c=1 in=9x8 k=2 filter=2x3 dilation=3x2 stride=2x1 pad=1:2x0:1 bias=1",
    "c=2 in=7x7 k=3 filter=3x3 stride=2 dilation=2 pad=same",
    /* pointwise; activations */
    "c=5 in=4x3 k=7 filter=1x1 bias=1", "c=3 in=5x4 k=4 filter=3x3 pad=1 bias=1 act=relu",
    "c=3 in=5x4 k=2 filter=2x3 act=relu6",
    /* groups; depthwise, with multipliers */
    "c=4 in=5x6 k=6 filter=3x2 groups=2", "c=6 in=5x4 k=9 filter=2x3 groups=3 bias=1 pad=1",
    "c=6 in=4x5 k=3 filter=3x3 groups=3 pad=1",
    "n=2 c=4 in=5x6 k=8 filter=3x3 groups=2 stride=2 pad=1 act=relu bias=1", "c=3 in=5x6 k=3 filter=3x2 groups=3",
    "c=3 in=6x5 k=6 filter=3x3 groups=3 pad=1 bias=1", "c=2 in=5x6 k=6 filter=2x3 groups=2 stride=2 dilation=1x2",
    "n=2 c=5 in=7x8 k=5 filter=5x3 groups=5 pad=2x1 stride=2",
    /* tails of vectors and blocks */
    "c=17 in=3x9 k=19 filter=2x2", "c=8 in=2x33 k=5 filter=1x3 pad=0x1", "c=33 in=9 k=33 filter=3 groups=33 pad=1",
    /* three axes */
    "c=2 in=3x4x5 k=3 filter=2x3x2", "c=4 in=4x3x5 k=6 filter=3x2x3 groups=2 pad=1x0x1 stride=1x2x2 bias=1",
    /* channels last */
    "c=2 in=7 k=3 filter=3 layout=nwc", "n=2 c=3 in=5x6 k=4 filter=3x2 layout=nhwc",
    "c=4 in=5x6 k=8 filter=3x3 groups=4 pad=1 layout=nhwc bias=1",
    "c=2 in=3x4x5 k=3 filter=2x3x2 layout=ndhwc pad=0:1x1:0x0",
    /* the other type */
    "c=3 in=5x4 k=2 filter=3x3 pad=1 type=f64 bias=1",
    /* transposed */
    "op=transposed c=3 in=4x5 k=2 filter=3x2", "op=transposed c=3 in=4x5 k=2 filter=3x4 stride=2x3 pad=1 bias=1",
    "op=transposed c=4 in=3x4 k=6 filter=3x2 stride=2x3 output_pad=1x2 groups=2",
    "op=transposed c=2 in=5 k=3 filter=3 dilation=2 pad=1:2",
    /* separable */
    "op=separable c=3 in=6x5 k=4 filter=3x2",
    "op=separable c=3 in=6x5 k=2 filter=3x3 pad=1 mult=2 bias=1 mid_act=relu",
    /* gradients */
    "c=3 in=6x5 k=2 filter=3x2 pass=backward_data",
    "c=3 in=6x5 k=2 filter=3x2 stride=2 pad=0:1x1:0 pass=backward_data",
    "c=4 in=5x6 k=6 filter=2x3 groups=2 dilation=2x1 pass=backward_data",
    "n=2 c=3 in=6x5 k=2 filter=3x2 pass=backward_weights",
    "n=2 c=3 in=6x5 k=2 filter=3x2 stride=2 pad=1:0 bias=1 pass=backward_weights",
    "n=3 c=4 in=5x4 k=8 filter=2x3 groups=4 pass=backward_weights", NULL};

/* On real numbers: short sums, where a bound is sharp, and long ones. */
const char *const command_reals[] = {
    "c=2 in=9x8 k=3 filter=1x1 bias=1", "c=8 in=9x8 k=4 filter=3x3 pad=1 bias=1",
    "c=64 in=6x5 k=8 filter=3x3 pad=1 act=relu", "c=512 in=3x4 k=4 filter=1x1",
    "c=16 in=9x8 k=16 filter=3x3 groups=16 pad=1", "c=300 in=7 k=4 filter=3 pad=1",
    "c=8 in=9x8 k=4 filter=3x3 pad=1 layout=nhwc", "op=transposed c=16 in=5x6 k=3 filter=3x3 stride=2 pad=1",
    "op=separable c=16 in=7x6 k=5 filter=3x3 pad=1", "c=16 in=7x6 k=5 filter=3x3 pad=1 pass=backward_data",
    "n=2 c=6 in=9x8 k=5 filter=3x3 pad=1 pass=backward_weights",
    NULL
};
