/* optimizer.h - how weights follow their gradients: SGD and Adam, in f32.   Read next: optimizer.c */
#ifndef CONVREF_EXPERIMENTS_TRAINING_OPTIMIZER_H
#define CONVREF_EXPERIMENTS_TRAINING_OPTIMIZER_H

#include <convref.h>

struct optimizer;

struct method {
    const char *name;
    double rate;              /* usual */
    bool remembers;           /* it keeps two numbers of each weight */
    void (*step)(float *w, const float *g, const struct optimizer *optimizer);
};

struct optimizer {
    const struct method *method;
    double rate;
    int threads, steps;       /* steps: done, this one among them */
    int64_t count;            /* of weights */
    float *m, *v;             /* Adam's means of g and of g^2 */
};

/* "sgd" or "adam"; NULL: there is none of that name. */
const struct method *method_find(const char *name);

enum conv_status optimizer_create(struct optimizer *optimizer, const struct method *method, double rate,
                                  int64_t count, int threads, struct conv_error *error);
void optimizer_step(struct optimizer *optimizer, float *w, const float *g);
void optimizer_free(struct optimizer *optimizer);

#endif
