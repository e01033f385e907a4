/* pointers.h - where the taps of a row of outputs read, as a table of pointers; padding is a row of zeros.
 *
 * Channels last only: a pointer is to the channels of one position.  Along the width, outputs are put in an order in
 * which the windows of neighbours overlap as if there were no dilation: with stride 1 and dilation 2 the even outputs
 * first and then the odd ones.  Such a line of outputs reads a line of inputs:
 *
 *   output v, tap s   reads   input v * step + s          3 taps, stride 1, pad 1, 7 columns: step 1
 *
 *   outputs     0  1  2  3  4  5  6                       dilation 2:   0  2  4  6  -  -  1  3  5
 *   inputs   -  0  1  2  3  4  5  6  -                               -  0  2  4  6  -  -  1  3  5  -
 *
 * where - is no position: as an input it is in the padding, as an output nobody wants it (between the two halves it
 * lets windows end).  Stride 2 has step 2.  Windows that don't overlap lie side by side; a step is at most the
 * filter.  A kernel may ask for a line whose taps are spread: with dilation 2 all outputs in their order, and every
 * second input of a window.
 * Introduced in dw_nhwc_05_row_of_zeros; also used by grouped, separable and gradient ladders for channels last.
 */
#ifndef CONVREF_OPTIMIZED_POINTERS_H
#define CONVREF_OPTIMIZED_POINTERS_H

#include <convref/simd.h>

/* One axis of a problem as a line. */
struct line {
    int64_t apart;     /* two neighbours in the line are this many outputs apart */
    int64_t step;      /* and read this many inputs further on; at most the filter */
    int64_t spread;    /* the taps of a window are this many inputs apart: 1, unless a kernel asks for more */
    int64_t outputs;   /* with those that nobody wants */
    int64_t inputs;
};

/* The inputs from the first tap of a window to its last. */
static inline int64_t line_window(const struct conv_axis *axis, int64_t spread)
{
    return (axis->filter - 1) * spread + 1;
}

/* A tile may take up to `slack` outputs beyond the last.  A spread of more than 1 wants a stride of 1 and divides
 * the dilation. */
static inline struct line line_spread(const struct conv_axis *axis, int64_t slack, int64_t spread)
{
    const int64_t shared = conv_gcd(axis->stride, axis->dilation), step = axis->stride / shared;
    const int64_t window = line_window(axis, spread);
    const bool overlap = step < axis->filter;
    struct line line = { overlap ? axis->dilation / shared / spread : 1, overlap ? step : axis->filter, spread, 0, 0 };
    const int64_t parts = line.apart < axis->out ? line.apart : axis->out;
    const int64_t gap = conv_ceil_div(window, line.step) - 1;
    line.outputs = axis->out + (parts - 1) * gap + slack;
    line.inputs = (line.outputs - 1) * line.step + window;
    return line;
}

static inline struct line line_of(const struct conv_axis *axis, int64_t slack) { return line_spread(axis, slack, 1); }

/* The line's outputs out[outputs], times K, and the positions that it reads, in[inputs], times C; -1 for none. */
static inline void line_fill(int64_t *out, int64_t *in, struct line line, const struct conv_axis *axis, int64_t K,
                             int64_t C)
{
    const int64_t window = line_window(axis, line.spread), between = axis->dilation / line.spread;
    int64_t v = 0, read = 0;
    for (int64_t part = 0; part < line.apart && part < axis->out; part++) {
        for (int64_t q = part; q < axis->out; q += line.apart, v++) {
            out[v] = q * K;
            for (; read < v * line.step + window; read++) {
                const int64_t at = conv_input_at(axis, q, 0) + (read - v * line.step) * between;
                in[read] = conv_inside(axis, at) ? at * C : -1;
            }
        }
        for (int64_t i = conv_ceil_div(window, line.step) - 1; i > 0 && v < line.outputs; i--)
            out[v++] = -1;
        for (; read < v * line.step && read < line.inputs; read++)
            in[read] = -1;
    }
    while (v < line.outputs)
        out[v++] = -1;
    while (read < line.inputs)
        in[read++] = -1;
}

/* ---- the table of one row of outputs, or of a pair of rows ---- */

struct table {
    const struct conv_problem *conv;
    struct line line;            /* the columns */
    struct line pair;            /* two rows of outputs: `apart` apart, the second reads `step` rows further on */
    int64_t rows;                /* rows of inputs that a pair reads */
    int64_t *out, *in;           /* of the line, in floats */
    struct conv_range wanted;    /* outputs of the line: all, unless a kernel wants a part */
    const float **x;             /* x[(t * rows + u) * line.inputs + i]: the channels of one position */
    float *zeros, *nowhere;      /* a position of zeros to read, and one to write that nobody reads */
    const float *start;          /* x */
    float *end;                  /* a copy of the last CONV_LANES floats of x, with room behind them */
    const float *x_end;          /* the same in x */
    struct conv_range T, U;      /* the taps, and the rows of inputs, that are inside */
};

/* Room for the channels of one position, of x or of y, and at least a vector. */
static inline int64_t table_wide(const struct conv_problem *conv)
{
    const int64_t channels = conv->c > conv->k ? conv->c : conv->k;
    return channels > CONV_LANES ? channels : CONV_LANES;
}

static inline int64_t table_rows(const struct conv_problem *conv)
{
    return conv->axis[CONV_H].filter + line_of(&conv->axis[CONV_H], 0).step;
}

/* Memory for a table whose tiles have at most `slack` columns; a multiple of 64. */
static inline size_t table_spread_bytes(const struct conv_problem *conv, int64_t slack, int64_t spread)
{
    const struct line line = line_spread(&conv->axis[CONV_W], slack, spread);
    const int64_t pointers = conv->axis[CONV_D].filter * table_rows(conv) * line.inputs;
    const size_t bytes = (size_t)pointers * sizeof(float *) + (size_t)(line.outputs + line.inputs) * sizeof(int64_t)
                       + (size_t)(2 * table_wide(conv) + 2 * CONV_LANES) * sizeof(float);
    return (bytes + 63) / 64 * 64;
}

static inline size_t table_bytes(const struct conv_problem *conv, int64_t slack)
{
    return table_spread_bytes(conv, slack, 1);
}

static inline struct table table_spread_start(const struct conv_problem *conv, const float *x, int64_t slack,
                                              int64_t spread, void *memory)
{
    const struct conv_axis *D = &conv->axis[CONV_D], *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    struct table table = { .conv = conv, .pair = line_of(H, 0), .rows = table_rows(conv) };
    table.line = line_spread(W, slack, spread);
    table.x = memory;
    table.start = x;
    table.wanted = (struct conv_range){ 0, table.line.outputs - slack };
    table.out = (int64_t *)(table.x + D->filter * table.rows * table.line.inputs);
    table.in = table.out + table.line.outputs;
    table.zeros = (float *)(table.in + table.line.inputs);
    table.nowhere = table.zeros + table_wide(conv);
    table.end = table.nowhere + table_wide(conv);
    memset(table.zeros, 0, (size_t)(2 * table_wide(conv) + 2 * CONV_LANES) * sizeof(float));
    const int64_t floats = conv->n * D->in * H->in * W->in * conv->c;
    const int64_t last = floats < CONV_LANES ? floats : CONV_LANES;
    table.x_end = x + floats - last;
    if (last > 0)   /* no images: there is no x, but weights to be written, gradients of which are 0 */
        memcpy(table.end, table.x_end, (size_t)last * sizeof(float));
    line_fill(table.out, table.in, table.line, W, conv->k, conv->c);
    return table;
}

static inline struct table table_start(const struct conv_problem *conv, const float *x, int64_t slack, void *memory)
{
    return table_spread_start(conv, x, slack, 1, memory);
}

/* One row; x points at its first position, NULL in the padding.  With fewer channels than lanes a vector reads on
 * into the next position; at the end of x, where there is none, the copy is read. */
static inline void table_row(const struct table *table, const float **to, const float *x)
{
    for (int64_t i = 0; i < table->line.inputs; i++)
        to[i] = !x || table->in[i] < 0 ? table->zeros : x + table->in[i];
    if (x && table->conv->c < CONV_LANES)
        for (int64_t i = 0; i < table->line.inputs; i++)
            if (table->in[i] >= 0 && to[i] >= table->x_end)
                to[i] = table->end + (to[i] - table->x_end);
}

/* Points at all that row p of plane z reads, and, if rows is 2, the row that makes a pair with it; x is one image. */
static inline void table_point(struct table *table, const float *x, int64_t z, int64_t p, int rows)
{
    const struct conv_axis *D = &table->conv->axis[CONV_D], *H = &table->conv->axis[CONV_H];
    const int64_t floats = table->conv->axis[CONV_W].in * table->conv->c;   /* of a row of x */
    const int64_t apart = (rows - 1) * table->pair.apart, step = (rows - 1) * table->pair.step;
    table->T = conv_taps_inside(D, z);
    table->U = (struct conv_range){ 0, 0 };
    for (int64_t u = 0; u < H->filter + step; u++) {
        const int64_t h = u < step ? conv_input_at(H, p, u) : conv_input_at(H, p + apart, u - step);
        const bool inside = conv_inside(H, h);
        for (int64_t t = table->T.begin; t < table->T.end; t++)
            table_row(table, table->x + (t * table->rows + u) * table->line.inputs,
                      inside ? x + (conv_input_at(D, z, t) * H->in + h) * floats : NULL);
        if (inside && table->U.end == 0)
            table->U.begin = u;
        if (inside)
            table->U.end = u + 1;
    }
}

/* Where output v of the line lies in y, which begins with the first that is wanted. */
static inline float *table_output(const struct table *table, float *y, int64_t v)
{
    const bool wanted = v < table->wanted.end && table->out[v] >= 0;
    return wanted ? y + (table->out[v] - table->out[table->wanted.begin]) : table->nowhere;
}

#endif
