/* optimizer.c - one pass over all weights: SGD moves 12 bytes for each, Adam 28.   Declared in optimizer.h.
 *
 * No weight knows another, so the bits are the same at any number of threads.   Read next: step.c
 */
#include "experiments/training/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* w -= rate g */
static void sgd(float *w, const float *g, const struct optimizer *optimizer)
{
    const float rate = (float)optimizer->rate;
#pragma omp parallel for simd num_threads(optimizer->threads)
    for (int64_t i = 0; i < optimizer->count; i++)
        w[i] -= rate * g[i];
}

/* Kingma and Ba, 2014, arXiv:1412.6980, algorithm 1 with the paper's constants; as the end of its section 2 proposes,
 * the corrections of both means go into the rate. */
static void adam(float *w, const float *g, const struct optimizer *optimizer)
{
    const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    const double correct1 = 1 - pow(beta1, optimizer->steps), correct2 = sqrt(1 - pow(beta2, optimizer->steps));
    const float rate = (float)(optimizer->rate * correct2 / correct1), small = (float)(epsilon * correct2);
    const float keep1 = (float)beta1, take1 = (float)(1 - beta1), keep2 = (float)beta2, take2 = (float)(1 - beta2);
    float *restrict m = optimizer->m, *restrict v = optimizer->v;
#pragma omp parallel for simd num_threads(optimizer->threads)
    for (int64_t i = 0; i < optimizer->count; i++) {
        m[i] = keep1 * m[i] + take1 * g[i];
        v[i] = keep2 * v[i] + take2 * g[i] * g[i];
        w[i] -= rate * m[i] / (sqrtf(v[i]) + small);
    }
}

const struct method *method_find(const char *name)
{
    static const struct method methods[] = { { "sgd", 0.1, false, sgd }, { "adam", 0.001, true, adam } };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (!strcmp(name, methods[i].name))
            return &methods[i];
    return NULL;
}

enum conv_status optimizer_create(struct optimizer *optimizer, const struct method *method, double rate,
                                  int64_t count, int threads, struct conv_error *error)
{
    *optimizer = (struct optimizer){ .method = method, .rate = rate, .count = count, .threads = threads };
    if (!method->remembers)
        return CONV_OK;
    optimizer->m = calloc((size_t)count, sizeof(float));
    optimizer->v = calloc((size_t)count, sizeof(float));
    if (optimizer->m && optimizer->v)
        return CONV_OK;
    optimizer_free(optimizer);
    return conv_fail(error, CONV_NO_MEMORY, "no memory for the optimizer's %lld numbers", 2 * (long long)count);
}

void optimizer_step(struct optimizer *optimizer, float *w, const float *g)
{
    optimizer->steps++;
    optimizer->method->step(w, g, optimizer);
}

void optimizer_free(struct optimizer *optimizer)
{
    free(optimizer->m);
    free(optimizer->v);
    *optimizer = (struct optimizer){ .count = 0 };
}
