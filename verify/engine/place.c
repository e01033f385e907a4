/* place.c - operands between guard pages.   Declared in place.h. */
#include "verify/engine/place.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash(const void *data, size_t bytes)
{
    const unsigned char *at = data;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    for (; bytes > 0; bytes--)
        sum = (sum ^ *at++) * UINT64_C(0x100000001b3);
    return sum;
}

enum { MOST_OFFSET = 64 };   /* bytes: a cache line, and the widest vectors */

/* Where operands lie, in turn.  `apart`: behind the guard page by an odd number of elements, another one for each
 * operand, so that no two of them are aligned alike and none is aligned to more than an element. */
static const struct placement { enum flush flush; bool apart, read_only; } placements[PLACEMENTS] = {
    { FLUSH_RIGHT, false, false }, { FLUSH_LEFT, false, false },
    { FLUSH_RIGHT, false, true }, { FLUSH_LEFT, true, true },
};

static size_t offset_of(int64_t run, enum conv_operand operand, size_t element)
{
    return (size_t)(2 * (run / PLACEMENTS + (int64_t)operand) + 1) * element % MOST_OFFSET;
}

static bool unlock(struct checker *checker, enum conv_operand operand)
{
    if (checker->read_only[operand] && !guarded_read_only(&checker->places[operand], false))
        return false;
    checker->read_only[operand] = false;
    return true;
}

static enum conv_status make_room(struct checker *checker, enum conv_operand operand, size_t bytes,
                                  struct conv_error *error)
{
    struct guarded *place = &checker->places[operand];
    if (!unlock(checker, operand))
        return conv_fail(error, CONV_NO_MEMORY, "pages of an input can't be made writable again");
    if (place->base && place->capacity >= bytes + MOST_OFFSET)
        return CONV_OK;
    guarded_free(place);
    return guarded_create(place, bytes + MOST_OFFSET, error);
}

static enum conv_status fill_input(void *at, const struct conv_problem *problem, enum conv_operand operand,
                                   const struct check_data *data, enum conv_accuracy accuracy,
                                   struct conv_error *error)
{
    const int64_t count = conv_operand_count(problem, operand);
    if (!data->make) {
        conv_fill(problem->type, at, count, conv_operand_name(problem, operand), &data->fill);
        return CONV_OK;
    }
    double *values = malloc((size_t)count * sizeof *values);
    if (!values)
        return conv_fail(error, CONV_NO_MEMORY, "no memory to make %" PRId64 " inputs", count);
    data->make(values, problem, operand, data->fill.seed, accuracy);
    conv_operand_narrow(at, problem, operand, values);
    free(values);
    return CONV_OK;
}

enum conv_status place_operands(struct checker *checker, struct conv_operands *operands,
                                       uint64_t hashes[CONV_OPERANDS], const struct conv_problem *problem,
                                       const struct check_data *data, struct conv_error *error)
{
    const int64_t run = checker->runs++;
    const struct placement *placement = &placements[run % PLACEMENTS];
    const size_t element = conv_type_facts(problem->type)->size;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const size_t bytes = conv_operand_bytes(problem, operand);
        struct guarded *place = &checker->places[operand];
        const bool input = conv_operand_role(problem, operand) == CONV_INPUT;
        operands->at[operand] = NULL;
        if (bytes == 0)
            continue;
        enum conv_status status = make_room(checker, operand, bytes, error);
        if (status != CONV_OK)
            return status;
        void *at = placement->apart
                       ? guarded_place_at(place, bytes, offset_of(run, operand, element), POISON_FIRST)
                       : guarded_place(place, bytes, element, placement->flush, POISON_FIRST);
        if (input)
            status = fill_input(at, problem, operand, data, checker->kernel->accuracy, error);
        if (status != CONV_OK)
            return status;
        hashes[operand] = hash(at, bytes);
        operands->at[operand] = at;
        checker->read_only[operand] = input && placement->read_only;
        if (checker->read_only[operand] && !guarded_read_only(place, true))
            return conv_fail(error, CONV_NO_MEMORY, "pages of an input can't be made read-only");
    }
    return CONV_OK;
}

bool place_open(struct checker *checker)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        if (checker->read_only[operand] && !guarded_read_only(&checker->places[operand], false))
            return false;
    return true;
}

bool place_close(struct checker *checker, const struct conv_problem *problem, const struct conv_operands *operands,
                 uint64_t hashes[CONV_OPERANDS])
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        if (!operands->at[operand] || conv_operand_role(problem, operand) != CONV_INPUT)
            continue;
        hashes[operand] = hash(operands->at[operand], conv_operand_bytes(problem, operand));
        if (checker->read_only[operand] && !guarded_read_only(&checker->places[operand], true))
            return false;
    }
    return true;
}

bool place_intact(struct checker *checker, const struct conv_problem *problem,
                            const struct conv_operands *operands, const uint64_t hashes[CONV_OPERANDS])
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        if (!operands->at[operand])
            continue;
        if (!guarded_intact(&checker->places[operand]))
            return checker_found(checker, CONV_FAULT_OUTSIDE, operand, "bytes beside the operand were written");
        if (conv_operand_role(problem, operand) == CONV_INPUT
            && hash(operands->at[operand], conv_operand_bytes(problem, operand)) != hashes[operand])
            return checker_found(checker, CONV_FAULT_INPUT_CHANGED, operand, "the input was written to");
    }
    if (checker->scratch && !guarded_intact(checker->scratch))
        return checker_found(checker, CONV_FAULT_OUTSIDE, CONV_Y, "bytes beside the scratch were written");
    if (checker->packed && !guarded_intact(checker->packed))
        return checker_found(checker, CONV_FAULT_OUTSIDE, CONV_Y, "bytes beside the packed weights were written");
    return true;
}
