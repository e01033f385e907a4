/* cover.c - a covering array of strength three, row by row, greedily.   Declared in cover.h.
 *
 * Take the first triple that no row has yet.  Complete it: one factor after the other, in random order, gets the
 * level that makes the most new triples with what is chosen already (the idea of AETG: Cohen, Dalal, Fredman,
 * Patton, IEEE Trans. Software Engineering 23(7), 1997).  The best of a few completions becomes the next row.
 *
 * A row that isn't possible is completed anew, at random; after a number of failures the triple is given up.  Levels
 * that hardly any row can have are found beforehand, so that few triples end that way.
 */
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "verify/maths/cover.h"

enum { COMPLETIONS = 3, TRIES = 24, LEVEL_TRIES = 300 };

static int below(struct cover *cover, int limit) { return (int)(random_next(&cover->state) % (uint64_t)limit); }

static int settings(const struct cover *cover) { return cover->first[cover->model.factors]; }

static unsigned char *triple(const struct cover *cover, int a, int b, int c)
{
    const int64_t count = settings(cover);
    return &cover->seen[(a * count + b) * count + c];
}

/* In all six orders, so that nobody has to sort. */
static void mark(struct cover *cover, int a, int b, int c)
{
    *triple(cover, a, b, c) = *triple(cover, a, c, b) = *triple(cover, b, a, c) = 1;
    *triple(cover, b, c, a) = *triple(cover, c, a, b) = *triple(cover, c, b, a) = 1;
}

static bool is_possible(const struct cover *cover, const int row[COVER_FACTORS])
{
    return !cover->model.possible || cover->model.possible(cover->model.context, row);
}

/* A level that is of use, at random; level 0 if there is none. */
static int any_level(struct cover *cover, int factor)
{
    const int levels = cover->model.levels[factor], start = below(cover, levels);
    for (int i = 0; i < levels; i++)
        if (!cover->useless[factor][(start + i) % levels])
            return (start + i) % levels;
    return 0;
}

/* ---- completing a row: fixed[f] says which factors have their level already ---------------------------------- */

static void complete_at_random(struct cover *cover, int row[COVER_FACTORS], const bool fixed[COVER_FACTORS])
{
    for (int f = 0; f < cover->model.factors; f++)
        if (!fixed[f])
            row[f] = any_level(cover, f);
}

static void shuffle(struct cover *cover, int order[COVER_FACTORS])
{
    for (int i = 0; i < cover->model.factors; i++) {
        const int j = below(cover, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

/* New triples of this setting with the settings that are chosen. */
static int gain(const struct cover *cover, int setting, const int *chosen, int count)
{
    int fresh = 0;
    for (int i = 0; i < count; i++) {
        const unsigned char *line = triple(cover, setting, chosen[i], 0);
        for (int j = 0; j < i; j++)
            fresh += !line[chosen[j]];
    }
    return fresh;
}

/* Returns the new triples that the factors completed here bring. */
static int complete_greedily(struct cover *cover, int row[COVER_FACTORS], const bool fixed[COVER_FACTORS])
{
    int order[COVER_FACTORS], chosen[COVER_FACTORS], count = 0, fresh = 0;
    for (int f = 0; f < cover->model.factors; f++)
        if (fixed[f])
            chosen[count++] = cover->first[f] + row[f];
    shuffle(cover, order);
    for (int i = 0; i < cover->model.factors; i++) {
        const int f = order[i], start = any_level(cover, f);
        int best = -1;
        if (fixed[f])
            continue;
        for (int l = 0; l < cover->model.levels[f]; l++) {
            const int level = (start + l) % cover->model.levels[f];
            const int more = cover->useless[f][level] ? -1 : gain(cover, cover->first[f] + level, chosen, count);
            if (more > best) {
                best = more;
                row[f] = level;
            }
        }
        if (best < 0)
            row[f] = 0;
        fresh += best > 0 ? best : 0;
        chosen[count++] = cover->first[f] + row[f];
    }
    return fresh;
}

/* ---- triples ------------------------------------------------------------------------------------------------- */

static void take(struct cover *cover, const int row[COVER_FACTORS])
{
    for (int a = 0; a < cover->model.factors; a++)
        for (int b = a + 1; b < cover->model.factors; b++)
            for (int c = b + 1; c < cover->model.factors; c++) {
                const int u = cover->first[a] + row[a], v = cover->first[b] + row[b], w = cover->first[c] + row[c];
                cover->covered += !*triple(cover, u, v, w);
                mark(cover, u, v, w);
            }
}

/* The first triple at or behind the cursor that isn't done. */
static bool next_triple(struct cover *cover, int at[3])
{
    const int64_t count = settings(cover);
    for (; cover->cursor < count * count * count; cover->cursor++) {
        const int a = (int)(cover->cursor / count / count), b = (int)(cover->cursor / count % count),
                  c = (int)(cover->cursor % count);
        if (cover->factor_of[a] < cover->factor_of[b] && cover->factor_of[b] < cover->factor_of[c]
            && !cover->seen[cover->cursor]) {
            at[0] = a, at[1] = b, at[2] = c;
            return true;
        }
    }
    return false;
}

/* The best possible row that has this triple. */
static bool row_with(struct cover *cover, int row[COVER_FACTORS], const int at[3])
{
    int best = -1, candidate[COVER_FACTORS];
    bool fixed[COVER_FACTORS] = { false };
    for (int i = 0; i < 3; i++) {
        candidate[cover->factor_of[at[i]]] = cover->level_of[at[i]];
        fixed[cover->factor_of[at[i]]] = true;
        if (cover->useless[cover->factor_of[at[i]]][cover->level_of[at[i]]])
            return false;
    }
    for (int i = 0; i < TRIES && (i < COMPLETIONS || best < 0); i++) {
        int fresh = 0;
        if (i < COMPLETIONS)
            fresh = complete_greedily(cover, candidate, fixed);
        else
            complete_at_random(cover, candidate, fixed);
        if (fresh > best && is_possible(cover, candidate)) {
            best = fresh;
            memcpy(row, candidate, sizeof candidate);
        }
    }
    return best >= 0;
}

bool cover_next(struct cover *cover, int row[COVER_FACTORS])
{
    int at[3];
    while (next_triple(cover, at)) {
        if (row_with(cover, row, at)) {
            take(cover, row);
            return true;
        }
        mark(cover, at[0], at[1], at[2]);
        cover->given_up++;
    }
    return false;
}

/* ---- beginning and end ---------------------------------------------------------------------------------------- */

/* A level that 300 random rows can't have is of no use. */
static void find_useless(struct cover *cover)
{
    for (int f = 0; f < cover->model.factors && cover->model.possible; f++)
        for (int l = 0; l < cover->model.levels[f]; l++) {
            int row[COVER_FACTORS] = { 0 };
            bool fixed[COVER_FACTORS] = { false }, found = false;
            row[f] = l;
            fixed[f] = true;
            for (int i = 0; i < LEVEL_TRIES && !found; i++) {
                complete_at_random(cover, row, fixed);
                found = is_possible(cover, row);
            }
            cover->useless[f][l] = !found;
        }
}

bool cover_begin(struct cover *cover, const struct cover_model *model, uint64_t seed)
{
    *cover = (struct cover){ .model = *model, .state = seed };
    for (int f = 0; f < model->factors; f++) {
        cover->first[f + 1] = cover->first[f] + model->levels[f];
        for (int l = 0; l < model->levels[f]; l++) {
            cover->factor_of[cover->first[f] + l] = (unsigned char)f;
            cover->level_of[cover->first[f] + l] = (unsigned char)l;
        }
    }
    const size_t count = (size_t)settings(cover);
    cover->seen = calloc(count * count * count, 1);
    if (cover->seen)
        find_useless(cover);
    return cover->seen != NULL;
}

void cover_end(struct cover *cover)
{
    free(cover->seen);
    cover->seen = NULL;
}
