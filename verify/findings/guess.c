/* guess.c - which mistake would give exactly these outputs?   Declared in guess.h.
 *
 * Each suspect makes its mistake, on the problem, its inputs or its outputs (mistake.h), and the reference computes
 * what comes of that, for one problem after the other.  A suspect that doesn't give what the kernel gave, in every
 * wrong output, is cleared.  Outputs that are right and that its mistake would have changed don't clear it, since
 * mistakes are often made in one place only, at the end of a row or in the last block; but who has the fewest of them
 * explains the most, and is named.
 *
 * Read next: settings.c, tensors.c, numbers.c, parts.c, results.c
 */
#include "verify/findings/guess.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/findings/mistake.h"

struct suspect_record {
    struct suspect suspect;
    bool cleared;
    int64_t explained, spared;   /* wrong outputs that it gives; right ones that it would have made wrong */
};

enum { MOST_SUSPECTS = 1024 };

struct suspects {
    int count;
    struct conv_problem problem; /* the last one with wrong outputs */
    struct suspect_record record[MOST_SUSPECTS];
};

/* ---- all suspects ---------------------------------------------------------------------------------------------- */

static void add(struct suspects *suspects, const struct suspect *suspect)
{
    if (suspects->count < MOST_SUSPECTS)
        suspects->record[suspects->count++] = (struct suspect_record){ .suspect = *suspect };
}

static void add_list(struct suspects *suspects, const struct suspect *list)
{
    for (const struct suspect *suspect = list; suspect->words; suspect++)
        add(suspects, suspect);
}

struct suspects *suspects_create(void)
{
    static const struct suspect *const lists[] = { suspect_settings, suspect_tensors, suspect_results };
    struct suspects *suspects = calloc(1, sizeof *suspects);
    struct suspect part;
    for (size_t l = 0; suspects && l < sizeof lists / sizeof *lists; l++)
        add_list(suspects, lists[l]);
    for (int64_t i = 0; suspects && suspect_part(&part, i); i++)
        add(suspects, &part);
    return suspects;
}

void suspects_free(struct suspects *suspects) { free(suspects); }

bool suspects_cleared(const struct suspects *suspects)
{
    for (int i = 0; i < suspects->count; i++)
        if (!suspects->record[i].cleared)
            return false;
    return true;
}

/* ---- trying one ------------------------------------------------------------------------------------------------ */

static double *widened(const struct conv_problem *problem, enum conv_operand operand,
                       const struct conv_operands *operands)
{
    const int64_t count = conv_operand_count(problem, operand);
    if (conv_operand_role(problem, operand) != CONV_INPUT || count == 0 || !operands->at[operand])
        return NULL;
    double *copy = malloc((size_t)count * sizeof *copy);
    if (copy)
        conv_operand_widen(copy, problem, operand, operands->at[operand]);
    return copy;
}

static bool open_mistake(struct mistake *m, const struct testimony *said)
{
    bool good = true;
    *m = (struct mistake){ .problem = *said->problem, .output = said->output, .held = said->held };
    m->problem.type = CONV_F64;
    m->problem.layout = CONV_CHANNELS_FIRST;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        m->in[operand] = widened(said->problem, operand, said->operands);
        good = good && (m->in[operand] || conv_operand_role(said->problem, operand) != CONV_INPUT
                        || conv_operand_count(said->problem, operand) == 0);
    }
    return good;
}

static void close_mistake(struct mistake *m)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        free(m->in[operand]);
}

/* Who leaves nothing of an operand explains every 0. */
static bool leaves_something(const struct mistake *m)
{
    static const enum conv_operand factors[] = { CONV_X, CONV_WEIGHTS, CONV_Y };
    for (size_t f = 0; f < sizeof factors / sizeof *factors; f++) {
        const double *at = m->in[factors[f]];
        const int64_t count = at ? conv_operand_count(&m->problem, factors[f]) : 0;
        int64_t zeros = 0;
        while (zeros < count && at[zeros] == 0)
            zeros++;
        if (count > 0 && zeros == count)
            return false;
    }
    return true;
}

/* The outputs that a suspect gives; false if it can't make its mistake here. */
static bool compute(struct conv_truth *truth, const struct suspect *suspect, const struct testimony *said)
{
    const int64_t count = conv_operand_count(said->problem, said->output);
    struct mistake m;
    *truth = (struct conv_truth){ .count = 0 };
    bool good = open_mistake(&m, said) && mistake_before(&m, suspect) && leaves_something(&m)
        && conv_operand_count(&m.problem, said->output) == count;
    if (good) {
        struct conv_operands inputs = { .x = NULL };
        for (int operand = 0; operand < CONV_OPERANDS; operand++)
            inputs.at[operand] = m.in[operand];
        good = conv_truth_compute(truth, NULL, &m.problem, said->output, &inputs, NULL) == CONV_OK;
    }
    if (good) {
        m.out = truth->value;
        m.count = count;
        good = mistake_after(&m, suspect);
    }
    close_mistake(&m);
    if (!good) {
        conv_truth_free(truth);
        *truth = (struct conv_truth){ .count = 0 };
    }
    return good;
}

static bool same(double a, double b, double bound)
{
    return a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= bound;
}

/* A testimony, and which of its outputs are wrong. */
struct case_of { const struct testimony *said; const char *wrong; const double *bounds; int64_t count, wrongs; };

/* What is right and what a mistake gives can't be told apart within their bounds. */
static void try(struct suspect_record *record, const struct case_of *heard)
{
    const struct testimony *said = heard->said;
    struct conv_truth truth;
    if (!compute(&truth, &record->suspect, said)) {
        record->cleared = heard->wrongs > 0;
        return;
    }
    for (int64_t i = 0; i < heard->count && !record->cleared; i++) {
        const double bound = said->how.exact ? 0 : conv_truth_bound(&truth, i, said->problem->type);
        const bool fits = same(said->got[i], truth.value[i], bound + (heard->wrong[i] ? 0 : heard->bounds[i]));
        record->cleared = heard->wrong[i] && (!fits || (record->suspect.modest && !isfinite(said->truth->value[i])));
        record->explained += heard->wrong[i] && fits;
        record->spared += !heard->wrong[i] && !fits;
    }
    conv_truth_free(&truth);
}

static void hear(struct suspects *suspects, const struct testimony *said, char *wrong, double *bounds)
{
    struct case_of heard = { said, wrong, bounds, said->truth->count, 0 };
    if (!said->how.exact)
        conv_truth_bounds(bounds, said->truth, said->problem, said->output, said->how.accuracy);
    for (int64_t i = 0; i < heard.count; i++) {
        wrong[i] = !same(said->got[i], said->truth->value[i], bounds[i]);
        heard.wrongs += wrong[i];
    }
    if (heard.wrongs > 0)
        suspects->problem = *said->problem;
    for (int i = 0; i < suspects->count; i++)
        if (!suspects->record[i].cleared)
            try(&suspects->record[i], &heard);
}

void suspects_hear(struct suspects *suspects, const struct testimony *said)
{
    /* above this many multiply-adds, trying them all takes longer than a reader waits */
    static const double most_macs = 4e6;
    const size_t count = (size_t)said->truth->count;
    if ((double)conv_fan_in(said->problem) * (double)count > most_macs)
        return;
    char *wrong = calloc(count + 1, sizeof *wrong);
    double *bounds = calloc(count + 1, sizeof *bounds);
    if (wrong && bounds)
        hear(suspects, said, wrong, bounds);
    free(wrong);
    free(bounds);
}

/* ---- naming ---------------------------------------------------------------------------------------------------- */

static void put_words(char *words, size_t room, const struct suspects *suspects, const struct suspect_record *record)
{
    const struct suspect *suspect = &record->suspect;
    if (suspect->words[0])
        snprintf(words, room, "%s", suspect->words);
    else
        suspect_part_words(words, room, suspect, &suspects->problem);
    if (record->spared > 0 && !suspect->certain)   /* not everywhere where it would show */
        snprintf(words + strlen(words), room - strlen(words), ", in some outputs only");
}

/* One factor between what was expected and what came? */
static void name_factor(struct conv_finding *finding)
{
    const double factor = finding->first[0].got / finding->first[0].expected;
    bool same_factor = finding->wrong > 2 && isfinite(factor) && factor != 0;
    for (int i = 0; i < finding->shown; i++)
        same_factor = same_factor && finding->first[i].got == factor * finding->first[i].expected;
    if (same_factor)
        snprintf(finding->guess, sizeof finding->guess, "what is wrong is %g times what it should be", factor);
}

/* A part of the output's own axis explains what is wrong only if it is all that is wrong: where it is can be read
 * anyway. */
static bool only_whole(const struct suspects *suspects, const struct suspect_record *record)
{
    return !record->suspect.words[0] && part_is_of_output(&record->suspect.part, &suspects->problem);
}

/* Another mistake, or a part that is cut off otherwise: the last ones, those behind a multiple, those from one on. */
static bool says_else(const struct suspect *a, const struct suspect *b)
{
    const bool parts = !a->words[0] && !b->words[0] && a->part.operand == b->part.operand
        && a->part.axis == b->part.axis;
    return strcmp(a->words, b->words) || (parts && a->part.which != b->part.which);
}

/* A single number can be right by accident: two wrong outputs are the least that is evidence. */
static bool explains(const struct suspects *suspects, const struct suspect_record *record)
{
    return !record->cleared && record->explained >= 2 && !(record->spared > 0 && only_whole(suspects, record));
}

/* The best of those who explain what is wrong: who is certain, then who would have made nothing else wrong, then who
 * says that nothing was added up, then the first of the list, where the simple ones are. */
static int rank(const struct suspect_record *record)
{
    return record->suspect.certain ? 0 : record->spared == 0 ? 1 : record->suspect.modest ? 2 : 3;
}

static const struct suspect_record *find_best(const struct suspects *suspects)
{
    const struct suspect_record *best = NULL;
    for (int i = 0; i < suspects->count; i++)
        if (explains(suspects, &suspects->record[i]) && (!best || rank(&suspects->record[i]) < rank(best)))
            best = &suspects->record[i];
    return best;
}

/* And of those who explain it as well the one that would have made the fewest others wrong. */
static const struct suspect_record *find_other(const struct suspects *suspects, const struct suspect_record *best)
{
    const struct suspect_record *other = NULL;
    for (int i = 0; i < suspects->count; i++) {
        const struct suspect_record *record = &suspects->record[i];
        if (record != best && explains(suspects, record) && rank(record) == rank(best)
            && says_else(&record->suspect, &best->suspect)
            && record->spared <= best->spared && (!other || record->spared < other->spared))
            other = record;
    }
    return rank(best) == 0 || rank(best) == 2 ? NULL : other;
}

void suspects_name(struct conv_finding *finding, const struct suspects *suspects)
{
    const struct suspect_record *best = find_best(suspects), *other = best ? find_other(suspects, best) : NULL;
    char words[CONV_WORDS / 2 - 16];
    finding->guess[0] = 0;
    if (!best) {
        name_factor(finding);
        return;
    }
    put_words(words, sizeof words, suspects, best);
    snprintf(finding->guess, sizeof finding->guess, "%s", words);
    if (other) {
        put_words(words, sizeof words, suspects, other);
        snprintf(finding->guess + strlen(finding->guess), sizeof finding->guess - strlen(finding->guess), "; or: %s",
                 words);
    }
}

void guess_from(struct conv_finding *finding, const struct testimony *said)
{
    struct suspects *suspects = suspects_create();
    if (!suspects)
        return;
    add_list(suspects, suspect_numbers);   /* of a kernel the probes say it, and know the sums, too */
    suspects_hear(suspects, said);
    suspects_name(finding, suspects);
    suspects_free(suspects);
}
