/* transforms.c - of the accept-set, the kernels that transform before they multiply: Winograd and Fourier.
 *
 * They are right in their own way: integers come out beside the integer, and the error of an output depends on its
 * neighbours.  Each declares its class.  They are written to be short, not fast: every tile and plane is transformed
 * anew for each filter.   Read next: awkward.c, convref/accuracy.h
 */
#include <complex.h>
#include <convref/kernel.h>
#include <math.h>

#include "verify/proof/accept/awkward.h"
#include "verify/proof/faults/naive.h"

#define CONVOLUTIONS (1u << CONV_STANDARD | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE)

/* ---- operands of two axes -------------------------------------------------------------------------------------- */

/* x, or 0 in the padding. */
static float x_at(const struct conv_problem *conv, const struct conv_operands *o, int64_t n, int64_t c, int64_t h,
                  int64_t w)
{
    const struct conv_axis *a = conv->axis;
    const int64_t size[] = { 1, a[1].in, a[2].in }, at[] = { 0, h, w };
    if (!conv_inside(&a[1], h) || !conv_inside(&a[2], w))
        return 0;
    return ((const float *)o->x)[naive_image_at(conv, conv->c, size, n, c, at)];
}

static float w_at(const struct conv_problem *conv, const struct conv_operands *o, int64_t k, int64_t c, int64_t r,
                  int64_t s)
{
    const struct conv_axis *a = conv->axis;
    return ((const float *)o->w)[((k * (conv->c / conv->groups) + c) * a[1].filter + r) * a[2].filter + s];
}

static void set_y(const struct conv_problem *conv, const struct conv_operands *o, int64_t n, int64_t k, int64_t p,
                  int64_t q,
                  float value)
{
    const struct conv_axis *a = conv->axis;
    const int64_t size[] = { 1, a[1].out, a[2].out }, at[] = { 0, p, q };
    const float bias = o->bias ? ((const float *)o->bias)[k] : 0;
    ((float *)o->y)[naive_image_at(conv, conv->k, size, n, k, at)] = conv_activate(conv->act, value + bias);
}

static int64_t first_channel(const struct conv_problem *conv, int64_t k)
{
    return k / (conv->k / conv->groups) * (conv->c / conv->groups);
}

/* ---- Winograd: y = At [ (G w Gt) * (Bt x B) ] A ---------------------------------------------------------------- */

/* F(m x m, 3 x 3) with the points of Lavin and Gray, arXiv:1509.09308: tiles of m + 2 inputs. */
enum { MOST = 8 };
struct winograd { int outputs, points; float bt[MOST][MOST], g[MOST][3], at[MOST][MOST]; };

static const struct winograd winograd_2 = { 2, 4,
    { { 1, 0, -1, 0 }, { 0, 1, 1, 0 }, { 0, -1, 1, 0 }, { 0, 1, 0, -1 } },
    { { 1, 0, 0 }, { .5F, .5F, .5F }, { .5F, -.5F, .5F }, { 0, 0, 1 } },
    { { 1, 1, 1, 0 }, { 0, 1, -1, -1 } } };

static const struct winograd winograd_4 = { 4, 6,
    { { 4, 0, -5, 0, 1, 0 }, { 0, -4, -4, 1, 1, 0 }, { 0, 4, -4, -1, 1, 0 }, { 0, -2, -1, 2, 1, 0 }, { 0, 2, -1, -2, 1, 0 },
      { 0, 4, 0, -5, 0, 1 } },
    { { 1 / 4.F, 0, 0 }, { -1 / 6.F, -1 / 6.F, -1 / 6.F }, { -1 / 6.F, 1 / 6.F, -1 / 6.F }, { 1 / 24.F, 1 / 12.F, 1 / 6.F },
      { 1 / 24.F, -1 / 12.F, 1 / 6.F }, { 0, 0, 1 } },
    { { 1, 1, 1, 1, 1, 0 }, { 0, 1, -1, 2, -2, 0 }, { 0, 1, 1, 4, 4, 0 }, { 0, 1, -1, 8, -8, 1 } } };

static const struct winograd winograd_6 = { 6, 8,
    { { 1, 0, -5.25F, 0, 5.25F, 0, -1, 0 }, { 0, 1, 1, -4.25F, -4.25F, 1, 1, 0 }, { 0, -1, 1, 4.25F, -4.25F, -1, 1, 0 },
      { 0, .5F, .25F, -2.5F, -1.25F, 2, 1, 0 }, { 0, -.5F, .25F, 2.5F, -1.25F, -2, 1, 0 },
      { 0, 2, 4, -2.5F, -5, .5F, 1, 0 }, { 0, -2, 4, 2.5F, -5, -.5F, 1, 0 }, { 0, -1, 0, 5.25F, 0, -5.25F, 0, 1 } },
    { { 1, 0, 0 }, { -2 / 9.F, -2 / 9.F, -2 / 9.F }, { -2 / 9.F, 2 / 9.F, -2 / 9.F }, { 1 / 90.F, 1 / 45.F, 2 / 45.F },
      { 1 / 90.F, -1 / 45.F, 2 / 45.F }, { 32 / 45.F, 16 / 45.F, 8 / 45.F }, { 32 / 45.F, -16 / 45.F, 8 / 45.F }, { 0, 0, 1 } },
    { { 1, 1, 1, 1, 1, 1, 1, 0 }, { 0, 1, -1, 2, -2, .5F, -.5F, 0 }, { 0, 1, 1, 4, 4, .25F, .25F, 0 },
      { 0, 1, -1, 8, -8, .125F, -.125F, 0 }, { 0, 1, 1, 16, 16, .0625F, .0625F, 0 },
      { 0, 1, -1, 32, -32, .03125F, -.03125F, 1 } } };

/* to = m from mt: m has `rows` rows of `columns`, in lines of `line`. */
static void both_sides(float to[MOST][MOST], const float *m, int line, int rows, int columns, float from[MOST][MOST])
{
    float half[MOST][MOST];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            half[i][j] = 0;
            for (int l = 0; l < columns; l++)
                half[i][j] += m[i * line + l] * from[l][j];
        }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < rows; j++) {
            to[i][j] = 0;
            for (int l = 0; l < columns; l++)
                to[i][j] += half[i][l] * m[j * line + l];
        }
}

/* The products of one channel in one tile, added to `sums`. */
static void add_channel(float sums[MOST][MOST], const struct winograd *f, const struct conv_problem *conv,
                        const struct conv_operands *o, int64_t n, int64_t k, int64_t c, int64_t p, int64_t q)
{
    float x[MOST][MOST], w[MOST][MOST], tile[MOST][MOST], filter[MOST][MOST];
    const int64_t top = p - conv->axis[1].pad_begin, left = q - conv->axis[2].pad_begin;
    for (int i = 0; i < f->points; i++)
        for (int j = 0; j < f->points; j++)
            x[i][j] = x_at(conv, o, n, first_channel(conv, k) + c, top + i, left + j);
    for (int r = 0; r < 3; r++)
        for (int s = 0; s < 3; s++)
            w[r][s] = w_at(conv, o, k, c, r, s);
    both_sides(tile, f->bt[0], MOST, f->points, f->points, x);
    both_sides(filter, f->g[0], 3, f->points, 3, w);
    for (int i = 0; i < f->points; i++)
        for (int j = 0; j < f->points; j++)
            sums[i][j] += tile[i][j] * filter[i][j];
}

static void one_tile(const struct winograd *f, const struct conv_problem *conv, const struct conv_operands *o,
                     int64_t n,
                     int64_t k, int64_t p, int64_t q)
{
    float sums[MOST][MOST] = { { 0 } }, y[MOST][MOST];
    for (int64_t c = 0; c < conv->c / conv->groups; c++)
        add_channel(sums, f, conv, o, n, k, c, p, q);
    both_sides(y, f->at[0], MOST, f->outputs, f->points, sums);
    for (int i = 0; i < f->outputs && p + i < conv->axis[1].out; i++)
        for (int j = 0; j < f->outputs && q + j < conv->axis[2].out; j++)
            set_y(conv, o, n, k, p + i, q + j, y[i][j]);
}

static void run_winograd(const struct winograd *f, const struct conv_problem *conv, const struct conv_operands *o)
{
    for (int64_t n = 0; n < conv->n; n++)
        for (int64_t k = 0; k < conv->k; k++)
            for (int64_t p = 0; p < conv->axis[1].out; p += f->outputs)
                for (int64_t q = 0; q < conv->axis[2].out; q += f->outputs)
                    one_tile(f, conv, o, n, k, p, q);
}

static const char *needs_3x3(const struct conv_problem *conv)
{
    const struct conv_axis *a = conv->axis;
    if (conv->rank != 2)
        return "two axes only";
    if (a[1].filter != 3 || a[2].filter != 3 || a[1].stride * a[2].stride != 1 || a[1].dilation * a[2].dilation != 1)
        return "filters of 3x3, without stride and dilation only";
    return NULL;
}

#define WINOGRAD(m) \
    static void run_winograd_##m(const struct conv_problem *conv, const struct conv_operands *operands, \
                                 const struct conv_workspace *workspace) \
    { \
        (void)workspace; \
        run_winograd(&winograd_##m, conv, operands); \
    } \
    static const struct conv_kernel awkward_winograd_##m = { \
        .name = "awkward_winograd_" #m, .title = "Winograd's F(" #m "x" #m ", 3x3)", .kinds = CONVOLUTIONS, .layouts = AWKWARD_LAYOUTS, \
        .accuracy = CONV_WINOGRAD_##m, .applies = needs_3x3, .run = run_winograd_##m };
WINOGRAD(2)
WINOGRAD(4)
WINOGRAD(6)

/* ---- Fourier --------------------------------------------------------------------------------------------------- */

static const char *needs_two_axes(const struct conv_problem *conv) { return conv->rank == 3 ? "one or two axes only" : NULL; }

/* Points of a transformed axis: a power of 2 that holds the padded image, so that nothing wraps into an output. */
static int64_t points(const struct conv_axis *axis)
{
    int64_t n = 1;
    while (n < axis->in + axis->pad_begin + axis->pad_end)
        n *= 2;
    return n;
}

/* root[i] = exp(-2 pi i / n) for i < n / 2 */
static void find_roots(float complex *root, int64_t n)
{
    for (int64_t i = 0; i < n / 2; i++) {
        const double angle = -2 * acos(-1) * (double)i / (double)n;
        root[i] = (float complex)(cos(angle) + sin(angle) * I);
    }
}

/* n values, `step` apart in `from`; n is a power of 2, and root[i * apart] the i-th of its roots. */
static void transform(float complex *to, const float complex *from, int64_t step, const float complex *root,
                      int64_t apart, int64_t n)
{
    if (n == 1) {
        to[0] = from[0];
        return;
    }
    transform(to, from, 2 * step, root, 2 * apart, n / 2);
    transform(to + n / 2, from + step, 2 * step, root, 2 * apart, n / 2);
    for (int64_t i = 0; i < n / 2; i++) {
        const float complex even = to[i], odd = to[i + n / 2] * root[i * apart];
        to[i] = even + odd;
        to[i + n / 2] = even - odd;
    }
}

/* A plane, the roots of its longer axis, and a line of it. */
struct fourier { int64_t rows, columns, most; float complex *root, *line; };

/* Rows, then columns. */
static void transform_plane(float complex *plane, const struct fourier *f)
{
    for (int64_t r = 0; r < f->rows; r++) {
        transform(f->line, plane + r * f->columns, 1, f->root, f->most / f->columns, f->columns);
        for (int64_t c = 0; c < f->columns; c++)
            plane[r * f->columns + c] = f->line[c];
    }
    for (int64_t c = 0; c < f->columns; c++) {
        transform(f->line, plane + c, f->columns, f->root, f->most / f->rows, f->rows);
        for (int64_t r = 0; r < f->rows; r++)
            plane[r * f->columns + c] = f->line[r];
    }
}

static void load_x(float complex *plane, const struct conv_problem *conv, const struct conv_operands *o, int64_t n,
                   int64_t c,
                   int64_t rows, int64_t columns)
{
    for (int64_t i = 0; i < rows * columns; i++)
        plane[i] = x_at(conv, o, n, c, i / columns - conv->axis[1].pad_begin, i % columns - conv->axis[2].pad_begin);
}

static void load_w(float complex *plane, const struct conv_problem *conv, const struct conv_operands *o, int64_t k,
                   int64_t c,
                   int64_t rows, int64_t columns)
{
    const struct conv_axis *a = conv->axis;
    for (int64_t i = 0; i < rows * columns; i++)
        plane[i] = 0;
    for (int64_t r = 0; r < a[1].filter; r++)
        for (int64_t s = 0; s < a[2].filter; s++)
            plane[r * a[1].dilation * columns + s * a[2].dilation] = w_at(conv, o, k, c, r, s);
}

static void run_fft(const struct conv_problem *conv, const struct conv_operands *o,
                    const struct conv_workspace *workspace)
{
    const struct conv_axis *a = conv->axis;
    const int64_t rows = points(&a[1]), columns = points(&a[2]), plane = rows * columns;
    const int64_t most = rows > columns ? rows : columns;
    float complex *x = workspace->scratch, *w = x + plane, *sums = w + plane;
    const struct fourier f = { rows, columns, most, sums + plane, sums + plane + most };
    find_roots(f.root, most);
    for (int64_t i = 0; i < conv->n * conv->k; i++) {
        const int64_t n = i / conv->k, k = i % conv->k;
        for (int64_t at = 0; at < plane; at++)
            sums[at] = 0;
        for (int64_t c = 0; c < conv->c / conv->groups; c++) {
            load_x(x, conv, o, n, first_channel(conv, k) + c, rows, columns);
            load_w(w, conv, o, k, c, rows, columns);
            transform_plane(x, &f);
            transform_plane(w, &f);
            for (int64_t at = 0; at < plane; at++)
                sums[at] += conjf(x[at]) * w[at];
        }
        transform_plane(sums, &f);   /* of conjugates, and so back: the outputs are real */
        for (int64_t p = 0; p < a[1].out; p++)
            for (int64_t q = 0; q < a[2].out; q++)
                set_y(conv, o, n, k, p, q, crealf(sums[p * a[1].stride * columns + q * a[2].stride]) / (float)plane);
    }
}

static size_t fft_bytes(const struct conv_problem *conv, int threads)
{
    const int64_t rows = points(&conv->axis[1]), columns = points(&conv->axis[2]);
    (void)threads;
    return (size_t)(3 * rows * columns + 2 * (rows + columns)) * sizeof(float complex);
}

static const struct conv_kernel awkward_fft = {
    .name = "awkward_fft", .title = "products of Fourier transforms", .kinds = CONVOLUTIONS | 1u << CONV_POINTWISE,
    .layouts = AWKWARD_LAYOUTS, .accuracy = CONV_FFT, .applies = needs_two_axes, .scratch_bytes = fft_bytes, .run = run_fft };

const struct conv_kernel *const awkward_transforms[] = {
    &awkward_winograd_2, &awkward_winograd_4, &awkward_winograd_6, &awkward_fft, NULL
};
