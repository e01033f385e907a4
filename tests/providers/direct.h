/* direct.h - a correct forward convolution of f32, channels first, for the providers of the tests: the plainest that
 * there is.
 *
 * Not here: what those do beside it or in its place (provider.c, cheats.c).
 */
#ifndef CONVREF_TESTS_PROVIDERS_DIRECT_H
#define CONVREF_TESTS_PROVIDERS_DIRECT_H

#include <convref/kernel.h>

/* The sum of output at[] = { n, k, z, p, q }. */
static inline float one_output(const struct conv_problem *p, const float *x, const float *w, const int64_t at[5])
{
    const struct conv_axis *a = p->axis;
    const int64_t channels = p->c / p->groups, first = at[1] / (p->k / p->groups) * channels;
    float sum = 0;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t t = 0; t < a[0].filter; t++)
            for (int64_t r = 0; r < a[1].filter; r++)
                for (int64_t s = 0; s < a[2].filter; s++) {
                    const int64_t d = conv_input_at(&a[0], at[2], t), h = conv_input_at(&a[1], at[3], r),
                                  v = conv_input_at(&a[2], at[4], s);
                    if (conv_inside(&a[0], d) && conv_inside(&a[1], h) && conv_inside(&a[2], v))
                        sum += x[(((at[0] * p->c + first + c) * a[0].in + d) * a[1].in + h) * a[2].in + v]
                             * w[(((at[1] * channels + c) * a[0].filter + t) * a[1].filter + r) * a[2].filter + s];
                }
    return sum;
}

static inline void compute(const struct conv_problem *p, const struct conv_operands *o,
                           const struct conv_workspace *workspace)
{
    const int64_t Z = p->axis[0].out, P = p->axis[1].out, Q = p->axis[2].out;
    float *y = o->y;
    (void)workspace;
    for (int64_t i = 0; i < p->n * p->k * Z * P * Q; i++) {
        const int64_t at[5] = { i / Q / P / Z / p->k, i / Q / P / Z % p->k, i / Q / P % Z, i / Q % P, i % Q };
        const float bias = o->bias ? ((const float *)o->bias)[at[1]] : 0;
        y[i] = conv_activate(p->act, one_output(p, o->x, o->w, at) + bias);
    }
}

#endif
