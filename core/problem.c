/* problem.c - checking a problem and deriving what follows from its sizes.
 *
 * Text is read and written in problem_text.c, JSON in problem_json.c, benchdnn's strings in
 * problem_benchdnn.c; all of them end in conv_problem_finish() below.
 * Declared in convref/problem.h.
 */
#include <convref/problem.h>
#include <convref/tensor.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Above these, no single number of a problem is believed: 2^40 elements, 2^20 taps on one axis. */
#define LARGEST (INT64_C(1) << 40)
#define LARGEST_FILTER (INT64_C(1) << 20)

static const char *const op_names[] = { "conv", "separable", "transposed" };
static const char *const pass_names[] = { "forward", "backward_data", "backward_weights" };
static const char *const activation_names[] = { "none", "relu", "relu6" };
static const char *const layout_names[CONV_LAYOUTS][3] = {
    { "ncw", "nchw", "ncdhw" }, { "nwc", "nhwc", "ndhwc" }
};
static const char *const kind_names[] = {
    "standard", "pointwise", "grouped", "depthwise", "separable", "transposed", "inverted_residual"
};

const char *conv_op_name(enum conv_op op) { return op_names[op]; }
const char *conv_pass_name(enum conv_pass pass) { return pass_names[pass]; }
const char *conv_activation_name(enum conv_activation act) { return activation_names[act]; }
const char *conv_kind_name(enum conv_kind kind) { return kind_names[kind]; }

const char *conv_layout_name(enum conv_layout layout, int rank)
{
    return layout_names[layout][rank - 1];
}

struct conv_problem conv_problem_default(int rank)
{
    struct conv_problem problem = { .rank = rank, .n = 1, .groups = 1, .mult = 1 };
    for (int a = 0; a < CONV_AXES; a++)
        problem.axis[a] = (struct conv_axis){ .in = 1, .filter = 1, .stride = 1, .dilation = 1, .out = 1 };
    return problem;
}

size_t conv_problem_size(void) { return sizeof(struct conv_problem); }

static bool axis_equal(const struct conv_axis *a, const struct conv_axis *b)
{
    return a->in == b->in && a->filter == b->filter && a->stride == b->stride
        && a->dilation == b->dilation && a->pad_begin == b->pad_begin && a->pad_end == b->pad_end
        && a->output_pad == b->output_pad && a->out == b->out;
}

bool conv_problem_equal(const struct conv_problem *a, const struct conv_problem *b)
{
    for (int i = 0; i < CONV_AXES; i++)
        if (!axis_equal(&a->axis[i], &b->axis[i]))
            return false;
    return a->op == b->op && a->pass == b->pass && a->layout == b->layout && a->type == b->type
        && a->act == b->act && a->mid_act == b->mid_act && a->bias == b->bias && a->rank == b->rank
        && a->n == b->n && a->c == b->c && a->k == b->k && a->groups == b->groups
        && a->mult == b->mult && a->expand == b->expand && a->residual == b->residual;
}

enum conv_kind conv_problem_kind(const struct conv_problem *problem)
{
    if (problem->op == CONV_OP_SEPARABLE)
        return problem->expand > 0 || problem->residual ? CONV_INVERTED_RESIDUAL : CONV_SEPARABLE;
    if (problem->op == CONV_OP_TRANSPOSED)
        return CONV_TRANSPOSED;
    if (problem->groups > 1)
        return problem->groups == problem->c ? CONV_DEPTHWISE : CONV_GROUPED;
    for (int a = 0; a < CONV_AXES; a++)
        if (problem->axis[a].filter != 1)
            return CONV_STANDARD;
    return CONV_POINTWISE;
}

/* Of a stage that looks at one position. */
static struct conv_axis axis_of_ones(int64_t size)
{
    return (struct conv_axis){ .in = size, .filter = 1, .stride = 1, .dilation = 1, .out = size };
}

void conv_separable_stages(struct conv_problem *depthwise, struct conv_problem *pointwise,
                           const struct conv_problem *separable)
{
    struct conv_problem stage = *separable;
    stage.op = CONV_OP_CONV;
    stage.mult = 1;
    stage.mid_act = CONV_ACT_NONE;
    stage.expand = 0;
    stage.residual = false;

    *depthwise = stage;
    depthwise->c = depthwise->groups = conv_wide_channels(separable);
    depthwise->k = conv_middle_channels(separable);
    depthwise->act = separable->mid_act;

    *pointwise = stage;
    pointwise->c = depthwise->k;
    for (int a = 0; a < CONV_AXES; a++)
        pointwise->axis[a] = axis_of_ones(separable->axis[a].out);
}

int conv_stages(struct conv_problem stages[CONV_MOST_STAGES], const struct conv_problem *problem)
{
    const int first = problem->op == CONV_OP_SEPARABLE && problem->expand > 0;
    stages[0] = *problem;
    if (problem->op != CONV_OP_SEPARABLE)
        return 1;
    conv_separable_stages(&stages[first], &stages[first + 1], problem);
    if (!first)
        return 2;
    stages[0] = stages[1];
    stages[0].c = problem->c;
    stages[0].k = problem->expand;
    stages[0].groups = 1;
    for (int a = 0; a < CONV_AXES; a++)
        stages[0].axis[a] = axis_of_ones(problem->axis[a].in);
    return 3;
}

static int64_t taps(const struct conv_problem *problem)
{
    return problem->axis[CONV_D].filter * problem->axis[CONV_H].filter * problem->axis[CONV_W].filter;
}

static int64_t outputs(const struct conv_problem *problem)
{
    return problem->axis[CONV_D].out * problem->axis[CONV_H].out * problem->axis[CONV_W].out;
}

static int64_t inputs(const struct conv_problem *problem)
{
    return problem->axis[CONV_D].in * problem->axis[CONV_H].in * problem->axis[CONV_W].in;
}

int64_t conv_fan_in(const struct conv_problem *problem)
{
    if (problem->pass == CONV_BACKWARD_WEIGHTS)
        return problem->n * (problem->op == CONV_OP_TRANSPOSED ? inputs(problem) : outputs(problem));
    if (problem->op == CONV_OP_SEPARABLE)
        return (problem->expand > 0 ? problem->c : 0) + taps(problem) + conv_middle_channels(problem);
    return (problem->pass == CONV_FORWARD ? problem->c : problem->k) / problem->groups * taps(problem);
}

/* ---- checking ------------------------------------------------------------------------------------ */

static enum conv_status reject(struct conv_error *error, const char *key, enum conv_status status)
{
    if (error)
        snprintf(error->key, sizeof error->key, "%s", key);
    return status;
}

static enum conv_status check_number(int64_t value, int64_t least, const char *key,
                                     struct conv_error *error)
{
    const bool is_filter = !strcmp(key, "filter");
    const enum conv_status status = value < least ? CONV_BAD_INPUT : CONV_TOO_LARGE;
    if (value >= least && value <= (is_filter ? LARGEST_FILTER : LARGEST))
        return CONV_OK;
    conv_fail(error, status, "%s=%" PRId64 " is out of range", key, value);
    conv_hint(error, "%s goes from %" PRId64 " to %s", key, least, is_filter ? "2^20" : "2^40");
    return reject(error, key, status);
}

static enum conv_status check_axis_numbers(const struct conv_axis *axis, struct conv_error *error)
{
    const struct { int64_t value, least; const char *key; } numbers[] = {
        { axis->in, 1, "in" }, { axis->filter, 1, "filter" }, { axis->stride, 1, "stride" },
        { axis->dilation, 1, "dilation" }, { axis->pad_begin, 0, "pad" }, { axis->pad_end, 0, "pad" },
        { axis->output_pad, 0, "output_pad" },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        enum conv_status status = check_number(numbers[i].value, numbers[i].least, numbers[i].key, error);
        if (status != CONV_OK)
            return status;
    }
    return CONV_OK;
}

/* out = floor((in + pad_begin + pad_end - extent) / stride) + 1 */
static enum conv_status derive_out(struct conv_axis *axis, char letter, struct conv_error *error)
{
    const int64_t padded = axis->in + axis->pad_begin + axis->pad_end;
    const int64_t extent = conv_extent(axis);
    if (extent > padded) {
        conv_fail(error, CONV_BAD_INPUT,
                  "the window spans %" PRId64 " elements along %c, the padded input has %" PRId64,
                  extent, letter, padded);
        conv_hint(error, "filter, dilation, in and pad must satisfy "
                         "(filter - 1) * dilation + 1 <= in + pad_begin + pad_end");
        return reject(error, "filter", CONV_BAD_INPUT);
    }
    axis->out = (padded - extent) / axis->stride + 1;
    return CONV_OK;
}

/* out = (in - 1) * stride + extent + output_pad - pad_begin - pad_end */
static enum conv_status derive_out_transposed(struct conv_axis *axis, char letter,
                                              struct conv_error *error)
{
    const int64_t step = axis->stride > axis->dilation ? axis->stride : axis->dilation;
    int64_t span;
    if (axis->output_pad >= step) {
        conv_fail(error, CONV_BAD_INPUT, "output_pad=%" PRId64 " is too large along %c",
                  axis->output_pad, letter);
        conv_hint(error, "output_pad must be smaller than stride or dilation, here below %" PRId64, step);
        return reject(error, "output_pad", CONV_BAD_INPUT);
    }
    if (__builtin_mul_overflow(axis->in - 1, axis->stride, &span) || span > LARGEST) {
        conv_fail(error, CONV_TOO_LARGE, "the output is longer than 2^40 along %c", letter);
        return reject(error, "stride", CONV_TOO_LARGE);
    }
    axis->out = span + conv_extent(axis) + axis->output_pad - axis->pad_begin - axis->pad_end;
    if (axis->out < 1) {
        conv_fail(error, CONV_BAD_INPUT, "pad=%" PRId64 ":%" PRId64 " leaves no output along %c",
                  axis->pad_begin, axis->pad_end, letter);
        conv_hint(error, "a transposed convolution cuts pad outputs off; there are %" PRId64 " here",
                  axis->out + axis->pad_begin + axis->pad_end);
        return reject(error, "pad", CONV_BAD_INPUT);
    }
    return CONV_OK;
}

static enum conv_status derive_axes(struct conv_problem *problem, struct conv_error *error)
{
    for (int a = 0; a < CONV_AXES; a++) {
        struct conv_axis *axis = &problem->axis[a];
        const char letter = "DHW"[a];
        int64_t span;
        enum conv_status status = check_axis_numbers(axis, error);
        if (status != CONV_OK)
            return status;
        if (__builtin_mul_overflow(axis->filter - 1, axis->dilation, &span) || span > LARGEST) {
            conv_fail(error, CONV_TOO_LARGE, "the window spans more than 2^40 elements along %c", letter);
            return reject(error, "dilation", CONV_TOO_LARGE);
        }
        status = problem->op == CONV_OP_TRANSPOSED ? derive_out_transposed(axis, letter, error)
                                                   : derive_out(axis, letter, error);
        if (status != CONV_OK)
            return status;
    }
    return CONV_OK;
}

static enum conv_status check_groups(const struct conv_problem *problem, struct conv_error *error)
{
    if (problem->op == CONV_OP_SEPARABLE && problem->groups != 1) {
        conv_fail(error, CONV_BAD_INPUT, "a separable layer has no groups");
        conv_hint(error, "its depthwise stage has one group per channel already; leave groups out");
        return reject(error, "groups", CONV_BAD_INPUT);
    }
    if (problem->op != CONV_OP_SEPARABLE && problem->mult != 1) {
        conv_fail(error, CONV_BAD_INPUT, "mult belongs to op=separable");
        conv_hint(error, "a depthwise layer with multiplier m is groups=C k=m*C");
        return reject(error, "mult", CONV_BAD_INPUT);
    }
    if (problem->c % problem->groups || problem->k % problem->groups) {
        const char which = problem->c % problem->groups ? 'c' : 'k';
        conv_fail(error, CONV_BAD_INPUT, "groups=%" PRId64 " does not divide %c=%" PRId64,
                  problem->groups, which, which == 'c' ? problem->c : problem->k);
        conv_hint(error, "groups must divide both c and k; depthwise is groups=c with k a multiple of c");
        return reject(error, "groups", CONV_BAD_INPUT);
    }
    return CONV_OK;
}

/* x is added to y element by element, so they have one shape. */
static enum conv_status check_residual(const struct conv_problem *problem, struct conv_error *error)
{
    if (!problem->residual)
        return CONV_OK;
    if (problem->k != problem->c) {
        conv_fail(error, CONV_BAD_INPUT, "residual=1 adds x to y, but c=%" PRId64 " and k=%" PRId64, problem->c,
                  problem->k);
        conv_hint(error, "x and y need one shape: k=%" PRId64, problem->c);
        return reject(error, "residual", CONV_BAD_INPUT);
    }
    for (int a = 0; a < CONV_AXES; a++) {
        const struct conv_axis *axis = &problem->axis[a];
        if (axis->stride == 1 && axis->out == axis->in)
            continue;
        conv_fail(error, CONV_BAD_INPUT, "residual=1 adds x to y, but along %c x has %" PRId64 " elements, y %" PRId64
                  " with stride %" PRId64, "DHW"[a], axis->in, axis->out, axis->stride);
        conv_hint(error, "x and y need one shape: stride=1 and pad=same");
        return reject(error, "residual", CONV_BAD_INPUT);
    }
    return CONV_OK;
}

static enum conv_status check_modes(const struct conv_problem *problem, struct conv_error *error)
{
    if (problem->op != CONV_OP_SEPARABLE && (problem->expand != 0 || problem->residual)) {
        const char *key = problem->expand != 0 ? "expand" : "residual";
        conv_fail(error, CONV_BAD_INPUT, "%s belongs to op=separable", key);
        conv_hint(error, "an inverted residual is op=separable with expand=E, residual=1 or both");
        return reject(error, key, CONV_BAD_INPUT);
    }
    if (problem->op != CONV_OP_SEPARABLE && problem->mid_act != CONV_ACT_NONE) {
        conv_fail(error, CONV_BAD_INPUT, "mid_act belongs to op=separable");
        conv_hint(error, "the activation behind the layer is act");
        return reject(error, "mid_act", CONV_BAD_INPUT);
    }
    if (problem->pass != CONV_FORWARD && problem->op == CONV_OP_SEPARABLE) {
        conv_fail(error, CONV_BAD_INPUT, "op=separable has the forward pass only");
        conv_hint(error, problem->expand > 0
                         ? "its gradients are those of its three stages, each a problem of its own"
                         : "its gradients are those of its two stages, a depthwise and a pointwise problem");
        return reject(error, "pass", CONV_BAD_INPUT);
    }
    if (problem->pass != CONV_FORWARD && problem->act != CONV_ACT_NONE) {
        conv_fail(error, CONV_BAD_INPUT, "a backward pass has no activation");
        conv_hint(error, "dy is the gradient at the convolution's own output; leave act out");
        return reject(error, "act", CONV_BAD_INPUT);
    }
    for (int a = 0; a < CONV_AXES; a++)
        if (problem->op != CONV_OP_TRANSPOSED && problem->axis[a].output_pad) {
            conv_fail(error, CONV_BAD_INPUT, "output_pad belongs to op=transposed");
            conv_hint(error, "zeros behind the input are pad=begin:end");
            return reject(error, "output_pad", CONV_BAD_INPUT);
        }
    return CONV_OK;
}

/* *product *= factor, unless that overflows */
static bool multiply(int64_t *product, int64_t factor)
{
    return !__builtin_mul_overflow(*product, factor, product);
}

/* Operands in bytes (as doubles: the reference widens) and multiply-adds must fit in 63 bits. */
static enum conv_status check_products(const struct conv_problem *problem, struct conv_error *error)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        int64_t dims[CONV_MAX_RANK], bytes = sizeof(double);
        const int rank = conv_operand_shape(dims, problem, operand);
        for (int d = 0; d < rank; d++)
            if (!multiply(&bytes, dims[d] > 0 ? dims[d] : 1)) {
                char shape[96];
                conv_fail(error, CONV_TOO_LARGE, "the size of %s, %s elements, overflows 63 bits",
                          conv_operand_name(problem, operand), conv_shape_print(shape, rank, dims));
                return reject(error, "in", CONV_TOO_LARGE);
            }
    }
    /* 4 is for the bias, the activation and the further stages of a separable layer; 32 for what the reference keeps
     * of an element between stages */
    int64_t macs = 4;
    bool fits = multiply(&macs, problem->n > 0 ? problem->n : 1) && multiply(&macs, problem->k)
             && multiply(&macs, problem->c) && multiply(&macs, problem->mult)
             && (problem->expand == 0 || (multiply(&macs, problem->expand) && multiply(&macs, 32)));
    for (int a = 0; a < CONV_AXES && fits; a++) {
        const struct conv_axis *axis = &problem->axis[a];
        fits = multiply(&macs, axis->filter) && multiply(&macs, axis->in > axis->out ? axis->in : axis->out);
    }
    if (!fits) {
        conv_fail(error, CONV_TOO_LARGE, "the number of multiply-adds overflows 63 bits");
        return reject(error, "in", CONV_TOO_LARGE);
    }
    return CONV_OK;
}

static enum conv_status check_counts(const struct conv_problem *problem, struct conv_error *error)
{
    const struct { int64_t value, least; const char *key; } numbers[] = {
        { problem->n, 0, "n" }, { problem->c, 1, "c" }, { problem->k, 1, "k" },
        { problem->groups, 1, "groups" }, { problem->mult, 1, "mult" }, { problem->expand, 0, "expand" },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        enum conv_status status = check_number(numbers[i].value, numbers[i].least, numbers[i].key, error);
        if (status != CONV_OK)
            return status;
    }
    return CONV_OK;
}

enum conv_status conv_problem_finish(struct conv_problem *problem, struct conv_error *error)
{
    struct conv_problem checked = *problem;
    enum conv_status status = check_counts(&checked, error);
    if (status == CONV_OK)
        status = check_groups(&checked, error);
    if (status == CONV_OK)
        status = check_modes(&checked, error);
    if (status == CONV_OK)
        status = derive_axes(&checked, error);
    if (status == CONV_OK)
        status = check_residual(&checked, error);
    if (status == CONV_OK)
        status = check_products(&checked, error);
    if (status == CONV_OK)
        *problem = checked;
    return status;
}
