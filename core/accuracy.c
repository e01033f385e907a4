/* accuracy.c - the table of accuracy classes.   Declared in convref/accuracy.h, explained in docs/exactness.md.
 *
 * Sums of narrow inputs may be cut off instead of rounded, as tensor cores do: 23 bits for f32.  The growth of
 * Winograd's transforms is four times the largest error of F(2x2), F(4x4) and F(6x6) that was seen with one channel
 * and the points of Lavin's paper (5.1, 85 and 177 u); that of an FFT, which has no such table, is 30 times the
 * largest error seen with verify/proof/accept/transforms.c.
 */
#include <convref/accuracy.h>
#include <convref/dtype.h>
#include <convref/tensor.h>
#include <math.h>
#include <string.h>

static const struct conv_accuracy_facts facts[CONV_ACCURACIES] = {
    [CONV_DIRECT] = { .name = "direct", .words = "each product once, in the problem's own type" },
    [CONV_TF32] = { .name = "tf32", .words = "inputs in TF32", .input_bits = 11, .sum_bits = 23 },
    [CONV_BF16_INPUTS] = { .name = "bf16", .words = "inputs in bf16", .input_bits = 8, .sum_bits = 23 },
    [CONV_F16_INPUTS] = { .name = "f16", .words = "inputs in f16", .input_bits = 11, .sum_bits = 23,
                          .smallest = 0x1p-24 },
    [CONV_F16_SUMS] = { .name = "f16-sums", .words = "inputs, sums and outputs in f16", .input_bits = 11,
                        .sum_bits = 11, .smallest = 0x1p-24 },
    [CONV_WINOGRAD_2] = { .name = "winograd2", .words = "Winograd, tiles of 2 outputs", .growth = 4 * 5.1 },
    [CONV_WINOGRAD_4] = { .name = "winograd4", .words = "Winograd, tiles of 4 outputs", .growth = 4 * 85 },
    [CONV_WINOGRAD_6] = { .name = "winograd6", .words = "Winograd, tiles of 6 outputs", .growth = 4 * 177 },
    [CONV_FFT] = { .name = "fft", .words = "Fourier transforms", .growth = 1, .fourier = true },
};

const struct conv_accuracy_facts *conv_accuracy_facts(enum conv_accuracy accuracy) { return &facts[accuracy]; }

enum conv_accuracy conv_accuracy_of_name(const char *name)
{
    int accuracy = 0;
    while (accuracy < CONV_ACCURACIES && strcmp(facts[accuracy].name, name))
        accuracy++;
    return (enum conv_accuracy)accuracy;
}

bool conv_accuracy_transforms(enum conv_accuracy accuracy) { return facts[accuracy].growth > 0; }

static double points_of(const struct conv_problem *problem)
{
    double points = 1;
    for (int a = 0; a < CONV_AXES; a++) {
        const struct conv_axis *axis = &problem->axis[a];
        const int64_t wider = axis->in > axis->out ? axis->in : axis->out;
        points *= (double)(wider + axis->pad_begin + axis->pad_end + (axis->filter - 1) * axis->dilation);
    }
    return points;
}

double conv_accuracy_levels(enum conv_accuracy accuracy, const struct conv_problem *problem)
{
    const double levels = facts[accuracy].fourier ? log2(points_of(problem)) : 1;
    return levels > 1 ? levels : 1;
}

/* The largest |partial sum| when every input is at most r in absolute value: of all stages, or all but the last. */
static double largest_of(const struct conv_problem *problem, double r, bool middle)
{
    struct conv_problem stages[CONV_MOST_STAGES];
    const int count = conv_stages(stages, problem);
    double largest = r;
    for (int i = 0; i < count - middle; i++)
        largest = (double)conv_fan_in(&stages[i]) * r * largest + r;
    return largest;
}

static double largest_sum(const struct conv_problem *problem, double r)
{
    return largest_of(problem, r, false) + (problem->residual ? r : 0);
}

/* They have room in the significand, or an error below a quarter. */
double conv_accuracy_largest_sum(const struct conv_problem *problem, enum conv_accuracy accuracy)
{
    const struct conv_accuracy_facts *class = &facts[accuracy];
    const int bits = conv_type_facts(problem->type)->significand;
    if (class->growth == 0)
        return ldexp(1, class->sum_bits > 0 && class->sum_bits < bits ? class->sum_bits : bits);
    const double plane = class->fourier ? sqrt(points_of(problem)) : 1;
    return ldexp(1, bits) / (4 * class->growth * conv_accuracy_levels(accuracy, problem) * plane);
}

/* The middle of a separable layer is an input of its last stage. */
static double largest_middle(const struct conv_problem *problem, double r)
{
    return problem->op == CONV_OP_SEPARABLE ? largest_of(problem, r, true) : 0;
}

int conv_accuracy_range(const struct conv_problem *problem, enum conv_accuracy accuracy)
{
    const int bits = facts[accuracy].input_bits;
    const double limit = conv_accuracy_largest_sum(problem, accuracy), input_limit = bits > 0 ? ldexp(1,
            bits) : INFINITY;
    int range = 8;
    while (range > 0 && !(largest_sum(problem, range) < limit && largest_middle(problem, range) < input_limit))
        range--;
    return range;
}

int conv_exact_range(const struct conv_problem *problem) { return conv_accuracy_range(problem, CONV_DIRECT); }
