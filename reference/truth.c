/* truth.c - from operands in any type and layout to a page of the reference, and back.
 *
 * The pages know doubles with the channels first, so three things are done here and nowhere else:
 * widening and transposing the inputs, choosing the page, and the bound that goes with its result.
 * Declared in convref/reference.h and page.h.
 */
#include <stdlib.h>
#include <string.h>

#include "core/guest.h"
#include "reference/page.h"

/* ---- layouts and types ------------------------------------------------------------------------------- */

/* An image operand is N x channels x positions, or N x positions x channels. */
struct image { int64_t n, channels, positions; };

static struct image image_of(const struct conv_problem *problem, enum conv_operand operand)
{
    const bool is_x = operand == CONV_X;
    struct image image = { problem->n, is_x ? problem->c : problem->k, 1 };
    for (int a = 0; a < CONV_AXES; a++)
        image.positions *= is_x ? problem->axis[a].in : problem->axis[a].out;
    return image;
}

static bool is_transposed(const struct conv_problem *problem, enum conv_operand operand)
{
    return problem->layout == CONV_CHANNELS_LAST && (operand == CONV_X || operand == CONV_Y);
}

void conv_operand_widen(double *to, const struct conv_problem *problem, enum conv_operand operand,
                        const void *from)
{
    const int64_t count = conv_operand_count(problem, operand);
    if (!is_transposed(problem, operand)) {
        for (int64_t i = 0; i < count; i++)
            to[i] = conv_get(problem->type, from, i);
        return;
    }
    const struct image image = image_of(problem, operand);
    for (int64_t n = 0; n < image.n; n++)
        for (int64_t c = 0; c < image.channels; c++)
            for (int64_t i = 0; i < image.positions; i++)
                *to++ = conv_get(problem->type, from, (n * image.positions + i) * image.channels + c);
}

void conv_operand_narrow(void *to, const struct conv_problem *problem, enum conv_operand operand,
                         const double *from)
{
    const int64_t count = conv_operand_count(problem, operand);
    if (!is_transposed(problem, operand)) {
        for (int64_t i = 0; i < count; i++)
            conv_set(problem->type, to, i, from[i]);
        return;
    }
    const struct image image = image_of(problem, operand);
    for (int64_t n = 0; n < image.n; n++)
        for (int64_t c = 0; c < image.channels; c++)
            for (int64_t i = 0; i < image.positions; i++)
                conv_set(problem->type, to, (n * image.positions + i) * image.channels + c, *from++);
}

/* ---- which page ------------------------------------------------------------------------------------------ */

enum { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS, BIAS, TRANSPOSED, SEPARABLE, INVERTED_RESIDUAL, GENERAL_PAGES };

static page_function *const pages[GENERAL_PAGES][CONV_TYPES] = {
    [FORWARD] = { page_forward__f32, page_forward__f64 },
    [BACKWARD_DATA] = { page_backward_data__f32, page_backward_data__f64 },
    [BACKWARD_WEIGHTS] = { page_backward_weights__f32, page_backward_weights__f64 },
    [BIAS] = { page_bias__f32, page_bias__f64 },
    [TRANSPOSED] = { page_transposed__f32, page_transposed__f64 },
    [SEPARABLE] = { page_separable__f32, page_separable__f64 },
    [INVERTED_RESIDUAL] = { page_inverted_residual__f32, page_inverted_residual__f64 },
};

static page_function *general_page(const struct conv_problem *problem, enum conv_operand output)
{
    int page = FORWARD;
    if (output == CONV_BIAS)
        page = BIAS;
    else if (problem->op == CONV_OP_SEPARABLE)
        page = conv_problem_kind(problem) == CONV_SEPARABLE ? SEPARABLE : INVERTED_RESIDUAL;
    else if (problem->op == CONV_OP_TRANSPOSED)   /* its gradient is a convolution from y to x */
        page = problem->pass == CONV_FORWARD ? TRANSPOSED
             : problem->pass == CONV_BACKWARD_DATA ? FORWARD : BACKWARD_WEIGHTS;
    else if (problem->pass != CONV_FORWARD)
        page = problem->pass == CONV_BACKWARD_DATA ? BACKWARD_DATA : BACKWARD_WEIGHTS;
    return pages[page][problem->type == CONV_F64 ? CONV_F64 : CONV_F32];
}

/* The backward passes of a transposed problem are those of the convolution from y to x. */
static void mirror(struct conv_problem *problem, struct doubles *in)
{
    const double *x = in->x;
    const int64_t c = problem->c;
    in->x = in->y;
    in->y = x;
    problem->c = problem->k;
    problem->k = c;
    problem->op = CONV_OP_CONV;
    for (int a = 0; a < CONV_AXES; a++)
        problem->axis[a] = conv_mirror(problem->axis[a]);
}

static int64_t turn_page(struct conv_truth *truth, page_function *page,
                         const struct conv_problem *problem, enum conv_operand output,
                         const struct doubles *in)
{
    struct conv_problem asked = *problem;
    struct doubles given = *in;
    page_function *general = general_page(problem, output);
    if (!page || output == CONV_BIAS) {
        page = general;
        if (problem->op == CONV_OP_TRANSPOSED && problem->pass != CONV_FORWARD && output != CONV_BIAS)
            mirror(&asked, &given);
    }
    return page(truth, &asked, &given);
}

/* ---- the memory that a page needs: one block, cut into pieces ---------------------------------------------- */

static size_t row_bytes(const struct conv_problem *problem)
{
    const enum conv_kind kind = conv_problem_kind(problem);
    int64_t read = kind == CONV_INVERTED_RESIDUAL ? conv_wide_channels(problem) : 0;
    for (int a = 0; a < CONV_AXES; a++)
        read *= problem->axis[a].in;
    return problem->op == CONV_OP_SEPARABLE
               ? (size_t)(conv_middle_channels(problem) + read) * 2 * sizeof(struct sum) : 0;
}

static int64_t largest_output(const struct conv_problem *problem)
{
    int64_t largest = 0;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(problem, operand) == CONV_OUTPUT
            && conv_operand_count(problem, operand) > largest)
            largest = conv_operand_count(problem, operand);
    return largest;
}

static size_t inputs_bytes(const struct conv_problem *problem)
{
    size_t bytes = row_bytes(problem);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(problem, operand) == CONV_INPUT)
            bytes += (size_t)conv_operand_count(problem, operand) * sizeof(double);
    return bytes;
}

/* Widen all inputs into `block`, which has inputs_bytes(). */
static void widen_inputs(struct doubles *in, const struct conv_problem *problem,
                         const struct conv_operands *operands, void *block)
{
    const double **places[CONV_OPERANDS] = {
        [CONV_X] = &in->x, [CONV_WEIGHTS] = &in->w, [CONV_BIAS] = &in->bias, [CONV_PW] = &in->pw,
        [CONV_PW_BIAS] = &in->pw_bias, [CONV_Y] = &in->y, [CONV_EW] = &in->ew, [CONV_EW_BIAS] = &in->ew_bias,
    };
    *in = (struct doubles){ .row = block };
    double *next = (double *)((char *)block + row_bytes(problem));
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        if (conv_operand_role(problem, operand) != CONV_INPUT)
            continue;
        conv_operand_widen(next, problem, operand, operands->at[operand]);
        *places[operand] = next;
        next += conv_operand_count(problem, operand);
    }
}

/* ---- as a kernel ------------------------------------------------------------------------------------------- */

size_t reference_scratch(const struct conv_problem *problem, int threads)
{
    (void)threads;
    return inputs_bytes(problem) + (size_t)largest_output(problem) * (2 * sizeof(double) + sizeof(int64_t));
}

void reference_run(const struct conv_problem *problem, const struct conv_operands *operands,
                   const struct conv_workspace *workspace, page_function *page)
{
    const int64_t largest = largest_output(problem);
    struct doubles in;
    widen_inputs(&in, problem, operands, workspace->scratch);
    double *block = (double *)((char *)workspace->scratch + inputs_bytes(problem));
    struct conv_truth truth = {
        .value = block, .magnitude = block + largest, .taps = (int64_t *)(block + 2 * largest) };

    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        if (conv_operand_role(problem, operand) != CONV_OUTPUT)
            continue;
        truth.count = conv_operand_count(problem, operand);
        turn_page(&truth, page, problem, operand, &in);
        conv_operand_narrow(operands->at[operand], problem, operand, truth.value);
    }
}

/* ---- as the truth ------------------------------------------------------------------------------------------ */

void conv_truth_free(struct conv_truth *truth)
{
    free(truth->value);
    free(truth->magnitude);
    free(truth->taps);
    *truth = (struct conv_truth){ .count = 0 };
}

enum conv_status conv_truth_compute(struct conv_truth *truth, int64_t *products,
                                    const struct conv_problem *problem, enum conv_operand output,
                                    const struct conv_operands *inputs, struct conv_error *error)
{
    struct doubles in;
    if (guest_asks("conv_truth_compute"))
        return conv_fail(error, CONV_NOT_APPLICABLE, "a kernel can't ask for the truth that it is judged by");
    if (conv_operand_role(problem, output) != CONV_OUTPUT)
        return conv_fail(error, CONV_BAD_INPUT, "%s is not an output of the %s pass",
                         conv_operand_name(problem, output), conv_pass_name(problem->pass));
    struct conv_truth made = { .count = conv_operand_count(problem, output) };
    const size_t count = (size_t)made.count + 1;   /* never 0: NULL means that memory is short */
    void *block = malloc(inputs_bytes(problem) + 1);
    made.value = malloc(count * sizeof *made.value);
    made.magnitude = malloc(count * sizeof *made.magnitude);
    made.taps = malloc(count * sizeof *made.taps);
    if (!block || !made.value || !made.magnitude || !made.taps) {
        conv_truth_free(&made);
        free(block);
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the truth of %zu outputs", count - 1);
    }
    widen_inputs(&in, problem, inputs, block);
    const int64_t counted = turn_page(&made, NULL, problem, output, &in);
    if (products)
        *products = counted;
    free(block);
    *truth = made;
    return CONV_OK;
}

/* gamma_n = n * u / (1 - n * u); nothing is promised of sums that are longer than 1 / u */
static double gamma_of(double n, double u) { return n * u < 1 ? n * u / (1 - n * u) : INFINITY; }

/* `of_inputs`: what the rounding of all factors may make of a product, 1 if they aren't rounded. */
static double bound_element(const struct conv_truth *truth, int64_t i, double of_inputs, double u, double smallest)
{
    const double n = (double)truth->taps[i] + 1, S = truth->magnitude[i];
    const double of_products = S > 0 ? (of_inputs - 1 + of_inputs * gamma_of(n, u)) * S : 0;
    return of_products + u * fabs(truth->value[i]) + n * smallest;
}

double conv_truth_bound(const struct conv_truth *truth, int64_t i, enum conv_type type)
{
    const struct conv_type_facts *facts = conv_type_facts(type);
    return bound_element(truth, i, 1, facts->unit_roundoff, facts->smallest);
}

static double plane_sum(const struct conv_truth *truth, int64_t begin, int64_t end, bool together)
{
    double largest = 0, squares = 0;
    for (int64_t i = begin; i < end; i++) {
        const double sum = truth->magnitude[i];
        largest = sum > largest ? sum : largest;
        squares += sum * sum;
    }
    return together ? sqrt(squares) : largest;
}

/* Elements of the last axes, which a transform mixes; of a bias, one. */
static int64_t plane_of(const struct conv_problem *problem, enum conv_operand output)
{
    struct conv_problem first = *problem;
    int64_t dims[CONV_MAX_RANK], plane = 1;
    first.layout = CONV_CHANNELS_FIRST;
    const int rank = conv_operand_shape(dims, &first, output);
    for (int d = 2; d < rank; d++)
        plane *= dims[d];
    return plane;
}

static void bound_transform(double *bounds, const struct conv_truth *truth, const struct conv_problem *problem,
                            int64_t plane, enum conv_accuracy accuracy)
{
    const struct conv_accuracy_facts *class = conv_accuracy_facts(accuracy);
    const struct conv_type_facts *type = conv_type_facts(problem->type);
    const double u = type->unit_roundoff, levels = conv_accuracy_levels(accuracy, problem);
    for (int64_t begin = 0; begin < truth->count; begin += plane) {
        const int64_t end = begin + plane < truth->count ? begin + plane : truth->count;
        const double sum = plane_sum(truth, begin, end, class->fourier);
        for (int64_t i = begin; i < end; i++) {
            const double n = (double)truth->taps[i] + 1;
            bounds[i] = (class->growth * levels * u + gamma_of(n, u)) * sum + u * fabs(truth->value[i])
                      + n * type->smallest;
        }
    }
}

void conv_truth_bounds(double *bounds, const struct conv_truth *truth, const struct conv_problem *problem,
                       enum conv_operand output, enum conv_accuracy accuracy)
{
    const struct conv_accuracy_facts *class = conv_accuracy_facts(accuracy);
    const struct conv_type_facts *type = conv_type_facts(problem->type);
    if (class->growth > 0) {
        bound_transform(bounds, truth, problem, plane_of(problem, output), accuracy);
        return;
    }
    /* an input is off by one of its last places, or half of it where it was rounded and not cut off */
    struct conv_problem stages[CONV_MOST_STAGES];
    const int factors = 2 * conv_stages(stages, problem);   /* the input of a stage, and its weights */
    const double of_inputs = class->input_bits > 0 ? pow(1 + ldexp(1, 1 - class->input_bits), factors) : 1;
    const double of_sums = class->sum_bits > 0 ? ldexp(1, -class->sum_bits) : 0;
    const double u = of_sums > type->unit_roundoff ? of_sums : type->unit_roundoff;
    const double smallest = class->smallest > type->smallest ? class->smallest : type->smallest;
    for (int64_t i = 0; i < truth->count; i++)
        bounds[i] = bound_element(truth, i, of_inputs, u, smallest);
}
