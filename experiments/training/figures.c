/* figures.c - medians over the steps, shares, ratios.   Declared in figures.h.
 *
 * A share at the network's own size is arithmetic, not a measurement: convolutions times the ratio of their
 * multiply-adds, activations and the loss times that of their outputs, the optimizer as it is, since the number of
 * parameters doesn't depend on the image.
 * Read next: train.c
 */
#include "experiments/training/figures.h"

#include <math.h>
#include <stdlib.h>

#include "verify/measure/statistics.h"

static const struct { const char *name, *scales; } parts[PARTS] = {
    [CONV_FORWARD] = { "convolution forward", "multiply-adds" },
    [CONV_BACKWARD_DATA] = { "gradient of data", "multiply-adds" },
    [CONV_BACKWARD_WEIGHTS] = { "gradient of weights", "multiply-adds" },
    [PART_ACTIVATION] = { "activation backward", "outputs" },
    [PART_LOSS] = { "loss", "outputs" },
    [PART_OPTIMIZER] = { "optimizer", "parameters" },
};

/* Outputs of layers with an activation, or of the last layer. */
static double outputs_of(const struct stack *stack, int part)
{
    int64_t outputs = 0;
    for (int i = 0; i < stack->count && part == PART_ACTIVATION; i++)
        if (stack->layers[i].act != CONV_ACT_NONE)
            outputs += conv_operand_count(stack->layers[i].problem, CONV_Y);
    return (double)(part == PART_LOSS ? conv_operand_count(stack_last(stack)->problem, CONV_Y) : outputs);
}

static double work_of(const struct stack *stack, int part)
{
    if (part == PART_OPTIMIZER)
        return (double)stack->parameter_count;
    return part < CONV_PASSES ? (double)stack_macs(stack, (enum conv_pass)part) : outputs_of(stack, part);
}

static void print_size(char text[96], const struct stack *stack)
{
    const struct conv_problem *first = &stack->layers[0].problem[CONV_FORWARD];
    int64_t size[CONV_AXES];
    for (int a = 0; a < CONV_AXES; a++)
        size[a] = first->axis[a].in;
    conv_shape_print(text, first->rank, size + CONV_AXES - first->rank);
}

void figures_scale(struct figures *figures, const struct stack *own)
{
    print_size(figures->size, figures->stack);
    print_size(figures->own_size, own);
    for (int part = 0; part < PARTS; part++) {
        const double work = work_of(figures->stack, part);
        figures->scale[part] = work > 0 ? work_of(own, part) / work : 1;
    }
}

bool figures_scaled(const struct figures *figures)
{
    return figures->scale[CONV_FORWARD] < 1 || figures->scale[CONV_FORWARD] > 1;
}

void figures_finish(struct figures *figures)
{
    double *values = malloc((size_t)figures->steps * sizeof *values);
    for (int part = 0; part < PARTS; part++) {
        for (int step = 0; values && step < figures->steps; step++)
            values[step] = figures->seconds[step][part];
        figures->median[part] = values ? quantile(values, figures->steps, 0.5) : NAN;
    }
    free(values);
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

enum { MOST_COLUMNS = 2 + 5 * MOST_NETWORKS };

/* The table's columns; their texts must live as long as the table. */
struct headings {
    struct table_column columns[MOST_COLUMNS];
    char names[MOST_COLUMNS][96], texts[MOST_COLUMNS][128];
    int count;
};

/* One column of a network: "stack50_ms" for programs, "stack50 ms" for people. */
static void heading(struct headings *headings, const struct figures *one, const char *name, const char *format,
                    const char *argument)
{
    const int i = headings->count++;
    snprintf(headings->names[i], sizeof headings->names[i], "%s_%s", one->stack->name, name);
    snprintf(headings->texts[i], sizeof headings->texts[i], format, argument);
    headings->columns[i] = (struct table_column){ headings->names[i], headings->texts[i], true };
}

static struct table *create(struct headings *headings, const struct figures *figures, int count, bool scaled)
{
    headings->columns[0] = (struct table_column){ "part", "part", false };
    headings->count = 1;
    for (int i = 0; i < count; i++) {
        heading(headings, &figures[i], "ms", "%s ms", figures[i].stack->name);
        heading(headings, &figures[i], "share", "%s", "share");
        heading(headings, &figures[i], "gmacs", "%s", "GMAC/s");
        if (scaled)
            heading(headings, &figures[i], "share_at_own_size", "share at %s, computed", figures[i].own_size);
        if (i > 0)
            heading(headings, &figures[i], "ratio", "%s / this", figures[0].stack->name);
    }
    headings->columns[headings->count++] = (struct table_column){ "grows_with", "grows with", false };
    return table_create(headings->columns, headings->count);
}

static double total(const struct figures *figures, bool own_size)
{
    double seconds = 0;
    for (int part = 0; part < PARTS; part++)
        seconds += figures->median[part] * (own_size ? figures->scale[part] : 1);
    return seconds;
}

static void percent(struct table *table, double part, double whole)
{
    table_real(table, 100 * part / whole, "%.2f %%");
}

/* The cells of one network in the row of a part; PARTS is the whole step. */
static void add_cells(struct table *table, const struct figures *one, const struct figures *first, int part,
                      bool scaled)
{
    const bool whole = part == PARTS;
    const double seconds = whole ? total(one, false) : one->median[part];
    const double of_first = whole ? total(first, false) : first->median[part];
    table_real(table, 1e3 * seconds, "%.3f");
    percent(table, seconds, total(one, false));
    if (!whole && part < CONV_PASSES && seconds > 0)
        table_real(table, work_of(one->stack, part) / seconds / 1e9, "%.2f");
    else
        table_missing(table);
    if (scaled)
        percent(table, whole ? total(one, true) : seconds * one->scale[part], total(one, true));
    if (one != first && seconds > 0)
        table_real(table, of_first / seconds, "%.2f");
    else if (one != first)
        table_missing(table);
}

void figures_print(FILE *file, enum table_format format, const struct figures *figures, int count)
{
    struct headings headings;
    bool scaled = false;
    for (int i = 0; i < count; i++)
        scaled = scaled || figures_scaled(&figures[i]);
    struct table *table = create(&headings, figures, count, scaled);
    for (int part = 0; part <= PARTS; part++) {
        double most = 0;   /* an activation that no network has gets no row */
        for (int i = 0; i < count && part < PARTS; i++)
            most = fmax(most, work_of(figures[i].stack, part));
        if (part < PARTS && !(most > 0))
            continue;
        table_text(table, part == PARTS ? "step" : parts[part].name);
        for (int i = 0; i < count; i++)
            add_cells(table, &figures[i], &figures[0], part, scaled);
        table_text(table, part == PARTS ? "" : parts[part].scales);
    }
    table_print(table, file, format);
    table_free(table);
}
