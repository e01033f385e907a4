/* huge_memory.c - makes the operands of check "huge".   See huge_memory.h. */
#include <math.h>
#include <stdlib.h>

#include "core/random.h"
#include "verify/checks/huge_memory.h"

enum { LARGE = 1 << 28 };   /* more elements than LARGE: repeated */
static const int64_t region = INT64_C(48) * REPEATED_PIECE, large_count = INT64_C(768) * REPEATED_PIECE + 2;

bool huge_is_repeated(const struct conv_problem *problem, enum conv_operand operand)
{
    return conv_operand_count(problem, operand) > LARGE;
}

static bool is_output(const struct conv_problem *problem, enum conv_operand operand)
{
    return conv_operand_role(problem, operand) == CONV_OUTPUT;
}

/* ---- the data -------------------------------------------------------------------------------------------------- */

/* Number `i` of a repeated operand: halves from -3.5 to 3.5. */
static double piece_value(int64_t i) { return (double)(random_at(1, i % REPEATED_PIECE) >> 61) - 3.5; }

/* Of another one, an integer from -2 to 2; but dy of large weight gradients is the same in a region of dw. */
static double small_value(const struct conv_problem *problem, enum conv_operand operand, int64_t i)
{
    if (operand == CONV_Y && huge_is_repeated(problem, CONV_WEIGHTS)) {
        const int64_t row = conv_operand_count(problem, CONV_WEIGHTS) / problem->k;
        return 1 + (double)(i % problem->k / (region / row));
    }
    return (double)(random_at(2 + (uint64_t)operand, i) % 5) - 2;
}

int64_t huge_place(const struct conv_problem *problem, enum conv_operand operand, int64_t i)
{
    if (problem->layout == CONV_CHANNELS_FIRST || (operand != CONV_X && operand != CONV_Y))
        return i;
    const int64_t channels = operand == CONV_X ? problem->c : problem->k;
    const int64_t plane = conv_operand_count(problem, operand) / (problem->n * channels);
    return (i / plane / channels * plane + i % plane) * channels + i / plane % channels;
}

double huge_value(const void *context, enum conv_operand operand, int64_t element)
{
    const struct conv_problem *problem = context;
    const int64_t place = huge_place(problem, operand, element);
    return huge_is_repeated(problem, operand) ? piece_value(place) : small_value(problem, operand, place);
}

/* ---- memory ---------------------------------------------------------------------------------------------- */

void huge_common_free(struct huge_common *common)
{
    repeated_free(&common->input);
    repeated_free(&common->output);
}

void huge_memory_free(struct huge_memory *memory, const struct huge_common *common)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++) {
        if (memory->repeated[operand].data != common->input.data
            && memory->repeated[operand].data != common->output.data)
            repeated_free(&memory->repeated[operand]);
        free(memory->own[operand]);
    }
}

static bool make_input(struct repeated *input, int64_t count)
{
    const int64_t pieces = (count + REPEATED_PIECE - 1) / REPEATED_PIECE;
    if (input->data)
        return true;
    if (!repeated_create(input, count, pieces * REPEATED_PIECE, false))
        return false;
    for (int64_t i = 0; i < REPEATED_PIECE; i++)
        repeated_piece(input, 0)[i] = (float)piece_value(i);
    return repeated_protect(input);
}

static bool make_output(struct repeated *output)
{
    if (!output->data)
        return repeated_create(output, REPEATED_REGIONS * region, region, true);
    repeated_clear(output);
    return true;
}

static bool make_repeated(struct huge_memory *memory, struct huge_common *common, const struct conv_problem *problem,
                          enum conv_operand operand)
{
    const int64_t count = conv_operand_count(problem, operand);
    struct repeated *repeated = &memory->repeated[operand];
    bool good;
    if (count > large_count) {
        good = make_input(repeated, count);
    } else if (is_output(problem, operand)) {
        good = make_output(&common->output);
        *repeated = common->output;
    } else {
        good = make_input(&common->input, large_count);
        *repeated = common->input;
    }
    memory->operands.at[operand] = repeated->data;
    return good;
}

static bool make_own(struct huge_memory *memory, const struct conv_problem *problem, enum conv_operand operand)
{
    const int64_t count = conv_operand_count(problem, operand);
    float *at = malloc(((size_t)count + 1) * sizeof *at);
    memory->own[operand] = memory->operands.at[operand] = at;
    for (int64_t i = 0; at && i < count; i++)
        at[i] = is_output(problem, operand) ? NAN : (float)small_value(problem, operand, i);
    return at != NULL;
}

bool huge_memory_create(struct huge_memory *memory, struct huge_common *common, const struct conv_problem *problem,
                          bool repeat_output)
{
    bool good = true;
    *memory = (struct huge_memory){ .operands = { .x = NULL } };
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && good; operand++) {
        if (conv_operand_role(problem, operand) == CONV_UNUSED)
            continue;
        if (huge_is_repeated(problem, operand) && (repeat_output || !is_output(problem, operand)))
            good = make_repeated(memory, common, problem, operand);
        else
            good = make_own(memory, problem, operand);
    }
    if (!good)
        huge_memory_free(memory, common);
    return good;
}
