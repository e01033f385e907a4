/* cover.h - rows that hold every combination of any three settings.  Internal.
 *
 * A model has factors (stride, padding, ...), each with a few levels.  The rows of a covering array contain, for any
 * three factors, every combination of their levels; a few hundred rows do where all combinations would be billions.
 * Not here: what the levels mean (covering.c).
 */
#ifndef CONVREF_VERIFY_MATHS_COVER_H
#define CONVREF_VERIFY_MATHS_COVER_H

#include <stdbool.h>
#include <stdint.h>

enum { COVER_FACTORS = 40, COVER_LEVELS = 8 };

struct cover_model {
    int factors;
    int levels[COVER_FACTORS];     /* 1 to COVER_LEVELS */
    /* May this row be used?  Missing: every row may. */
    bool (*possible)(const void *context, const int row[COVER_FACTORS]);
    const void *context;
};

struct cover {
    struct cover_model model;
    int first[COVER_FACTORS + 1];  /* the settings of factor f are numbers first[f] to first[f + 1] - 1 */
    unsigned char *seen;           /* settings x settings x settings: is this triple in a row, or given up? */
    unsigned char level_of[COVER_FACTORS * COVER_LEVELS], factor_of[COVER_FACTORS * COVER_LEVELS];
    bool useless[COVER_FACTORS][COVER_LEVELS];   /* levels that no possible row seems to have */
    int64_t cursor;                /* triples before it are done */
    int64_t covered, given_up;     /* triples */
    uint64_t state;                /* of the random numbers */
};

/* False if memory is short.  cover_end() frees. */
bool cover_begin(struct cover *cover, const struct cover_model *model, uint64_t seed);
void cover_end(struct cover *cover);

/* The next row; false when every triple is in a row or was given up, because no row with it seems to be possible. */
bool cover_next(struct cover *cover, int row[COVER_FACTORS]);

#endif
