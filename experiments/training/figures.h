/* figures.h - where the time of a step goes: one table for all networks that were trained.   Read next: figures.c */
#ifndef CONVREF_EXPERIMENTS_TRAINING_FIGURES_H
#define CONVREF_EXPERIMENTS_TRAINING_FIGURES_H

#include "experiments/training/step.h"
#include "verify/io/table.h"

enum { MOST_NETWORKS = 4 };

/* What one network did. */
struct figures {
    const struct stack *stack;
    double scale[PARTS];      /* how many times more a part has to do at the network's own size */
    char own_size[96], size[96];   /* "256x256" */
    double (*seconds)[PARTS]; /* of each step */
    double *losses;           /* before each step */
    int steps;
    double median[PARTS];     /* of the steps; made by figures_finish() */
};

/* The shape of a stack's input without its channels; what its parts scale with. */
void figures_scale(struct figures *figures, const struct stack *own);
void figures_finish(struct figures *figures);

/* Is it smaller, or larger, than the network says? */
bool figures_scaled(const struct figures *figures);

/* One row for each part, with shares, and how many times longer the first network took than each other one. */
void figures_print(FILE *file, enum table_format format, const struct figures *figures, int count);

#endif
