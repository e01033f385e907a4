/* study.c - verifies all kernels, finds the blocks of a network, times the ladders on them.   Declared in study.h. */
#include "verify/report/study.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/count/layers.h"

/* ---- ladders --------------------------------------------------------------------------------------------------- */

const struct conv_kernel *study_first(const char *ladder)
{
    char name[32];
    for (int i = 0; i < conv_kernel_count(); i++)
        if (!strcmp(conv_kernel_ladder(name, conv_kernel_at(i)), ladder))
            return conv_kernel_at(i);
    return NULL;
}

const struct conv_kernel *study_last(const char *ladder)
{
    const struct conv_kernel *last = NULL;
    char name[32];
    for (int i = 0; i < conv_kernel_count(); i++)
        if (!strcmp(conv_kernel_ladder(name, conv_kernel_at(i)), ladder))
            last = conv_kernel_at(i);
    return last;
}

/* ---- blocks ---------------------------------------------------------------------------------------------------- */

/* Is node b fed by node a alone, with nothing but normalisations and activations between? */
static const struct conv_node *next_layer(const struct conv_network *network, int i)
{
    for (i++; i < network->node_count; i++) {
        const struct conv_node *node = &network->nodes[i];
        if (node->kind != CONV_NODE_BN && node->kind != CONV_NODE_ACT && node->kind != CONV_NODE_LN)
            return node;
    }
    return NULL;
}

/* No activations: the layers that a block is compared with are timed without one. */
static void make_twin(struct study_block *block)
{
    struct conv_problem *dense = &block->dense, *separable = &block->separable;
    *dense = block->depthwise;
    dense->k = block->pointwise.k;
    dense->groups = 1;
    *separable = *dense;
    separable->op = CONV_OP_SEPARABLE;
    separable->mult = block->depthwise.k / block->depthwise.c;
    conv_problem_finish(dense, NULL);
    conv_problem_finish(separable, NULL);
}

/* Is `second` the pointwise layer of a block that `first`, a depthwise layer, begins? */
static bool is_block(const struct conv_node *first, const struct conv_node *second)
{
    return conv_node_is_conv(first) && conv_problem_kind(&first->problem) == CONV_DEPTHWISE && second
        && second->kind == CONV_NODE_CONV && conv_problem_kind(&second->problem) == CONV_POINTWISE
        && second->problem.c == first->problem.k && second->problem.axis[CONV_W].stride == 1;
}

static enum conv_status find_blocks(struct study *study, struct conv_error *error)
{
    study->blocks = calloc((size_t)study->network.node_count, sizeof *study->blocks);
    if (!study->blocks)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the blocks of a network");
    for (int i = 0; i < study->network.node_count; i++) {
        const struct conv_node *first = &study->network.nodes[i], *second = next_layer(&study->network, i);
        struct study_block block = { .repeats = 1 };
        if (!is_block(first, second))
            continue;
        snprintf(block.label, sizeof block.label, "%s", first->label);
        block.depthwise = first->problem;
        block.pointwise = second->problem;
        make_twin(&block);
        int same = 0;
        while (same < study->block_count && !conv_problem_equal(&study->blocks[same].separable, &block.separable))
            same++;
        if (same < study->block_count)
            study->blocks[same].repeats++;
        else
            study->blocks[study->block_count++] = block;
    }
    return CONV_OK;
}

/* ---- verifying ------------------------------------------------------------------------------------------------- */

static void show_kernel(const struct conv_verification *result, int done, int count)
{
    char what[96];
    snprintf(what, sizeof what, "verify %.80s", result->kernel);
    cli_progress(what, done, count);
}

static enum conv_status verify_all(struct study *study, struct conv_error *error)
{
    const struct conv_verify_options options = { .seed = study->seed };
    const int count = conv_kernel_count();
    const struct conv_kernel **kernels = calloc((size_t)count, sizeof *kernels);
    study->verdicts = calloc((size_t)count, sizeof *study->verdicts);
    if (!kernels || !study->verdicts) {
        free(kernels);
        return conv_fail(error, CONV_NO_MEMORY, "no memory for %d verdicts", count);
    }
    for (int i = 0; i < count; i++)
        kernels[i] = conv_kernel_at(i);
    struct conv_machine machine;
    conv_machine_read(&machine);
    enum conv_status status = conv_verify_kernels(study->verdicts, kernels, count, &options, machine.cores,
                                                  show_kernel,
                                                  error);
    cli_progress("", 0, 0);
    study->kernel_count = status == CONV_OK ? count : 0;
    free(kernels);
    return status;
}

/* ---- timing ---------------------------------------------------------------------------------------------------- */

/* The step of all cores once more, on all of them: its row says how many times faster than the first step on one
 * core. */
static enum conv_status bench_on_all_cores(struct study *study, const struct conv_kernel *kernel,
                                           const struct conv_problem *problem, const char *label, int repeats,
                                           const struct conv_bench_options *on_one, struct conv_error *error)
{
    struct results *results = &study->results;
    struct conv_bench_options options = *on_one;
    const int before = results->count;
    options.threads = study->threads;
    enum conv_status status = results_bench(results, &kernel, 1, problem, label, repeats, &options, error);
    if (status != CONV_OK || results->count == before)
        return status;
    struct result *row = &results->rows[before], *alone = row - 1;
    while (alone > results->rows && alone->kernel != kernel)
        alone--;
    row->first = alone->first;
    row->timing.speedup = alone->timing.speedup * alone->timing.median / row->timing.median;
    row->timing.speedup_low = row->timing.speedup_high = NAN;   /* not from shared rounds */
    return CONV_OK;
}

/* All steps of one ladder on one problem. */
static enum conv_status bench_ladder(struct study *study, const char *ladder, const struct conv_problem *problem,
                                     const char *label, int repeats, struct conv_error *error)
{
    const struct conv_bench_options options = { .threads = 1, .rounds = 5, .turn_seconds = 0.01, .patience = 0.3,
                                                .seed = study->seed };
    const struct conv_kernel *steps[64];
    char name[32];
    int count = 0;
    for (int i = 0; i < conv_kernel_count() && count < 64; i++)
        if (!strcmp(conv_kernel_ladder(name, conv_kernel_at(i)), ladder)
            && !conv_kernel_refuses(conv_kernel_at(i), problem))
            steps[count++] = conv_kernel_at(i);
    enum conv_status status = count == 0 ? CONV_OK
        : results_bench(&study->results, steps, count, problem, label, repeats, &options, error);
    if (status == CONV_OK && count > 0 && steps[count - 1]->threaded && study->threads > 1)
        status = bench_on_all_cores(study, steps[count - 1], problem, label, repeats, &options, error);
    return status;
}

double study_seconds(const struct study *study, int first_row, const struct conv_kernel *kernel,
                     const struct conv_problem *problem)
{
    for (int i = first_row; i < study->results.count; i++) {
        const struct result *row = &study->results.rows[i];
        if (row->kernel == kernel && row->timing.threads == 1 && result_counts(row)
            && conv_problem_equal(&row->problem, problem))
            return row->timing.median;
    }
    return NAN;
}

static struct conv_problem channels_last(const struct conv_problem *problem)
{
    struct conv_problem nhwc = *problem;
    nhwc.layout = CONV_CHANNELS_LAST;
    return nhwc;
}

static enum conv_status bench_block(struct study *study, struct study_block *block, struct conv_error *error)
{
    const struct conv_problem dense = channels_last(&block->dense), depthwise = channels_last(&block->depthwise);
    const struct conv_problem pointwise = channels_last(&block->pointwise);
    const struct conv_problem separable = channels_last(&block->separable);
    const struct { const char *ladder; const struct conv_problem *problem; } parts[] = {
        { "std", &block->dense }, { "std_nhwc", &dense }, { "dw", &block->depthwise }, { "dw_nhwc", &depthwise },
        { "grp", &block->depthwise }, { "pw", &block->pointwise }, { "pw_nhwc", &pointwise },
        { "sep", &block->separable }, { "sep_nhwc", &separable },
    };
    block->first_row = study->results.count;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        enum conv_status status = bench_ladder(study, parts[i].ladder, parts[i].problem, block->label, block->repeats,
                                               error);
        if (status != CONV_OK)
            return status;
    }
    return CONV_OK;
}

/* Of the same in two layouts; one of them may not have been timed. */
static double faster(double first, double last) { return isnan(last) || first < last ? first : last; }

static double last_nhwc(const struct study *study, int row, const char *ladder, const struct conv_problem *problem)
{
    const struct conv_problem nhwc = channels_last(problem);
    return study_seconds(study, row, study_last(ladder), &nhwc);
}

/* When all rows have been held against the roof. */
static void sum_block(struct study_block *block, const struct study *study)
{
    const int row = block->first_row;
    const double pointwise = study_seconds(study, row, study_last("pw"), &block->pointwise);
    const double direct = study_seconds(study, row, study_first("dw"), &block->depthwise);
    block->first_dense = study_seconds(study, row, study_first("std"), &block->dense);
    block->last_dense = faster(study_seconds(study, row, study_last("std"), &block->dense),
                               last_nhwc(study, row, "std_nhwc", &block->dense));
    block->first = direct + study_seconds(study, row, study_first("pw"), &block->pointwise);
    block->direct_stage = direct;
    block->left_behind = direct + pointwise;
    block->unfolded = pointwise + study_seconds(study, row, conv_kernel_find("grp_02_unfold_per_group"),
                                                &block->depthwise);
    const double depthwise = study_seconds(study, row, study_last("dw"), &block->depthwise);
    const double depthwise_nhwc = last_nhwc(study, row, "dw_nhwc", &block->depthwise);
    block->two_layers = faster(depthwise + pointwise,
                               depthwise_nhwc + last_nhwc(study, row, "pw_nhwc", &block->pointwise));
    block->depthwise_stage = block->two_layers == depthwise + pointwise ? depthwise : depthwise_nhwc;
    block->fused = faster(study_seconds(study, row, study_last("sep"), &block->separable),
                          last_nhwc(study, row, "sep_nhwc", &block->separable));
}

/* Layers of a network that no block has, each by the ladder of its kind; `only` restricts the kinds. */
static enum conv_status bench_layers(struct study *study, const char *network, const char *in, unsigned only,
                                     struct conv_error *error)
{
    static const char *const ladders[CONV_KINDS] = {
        [CONV_STANDARD] = "std", [CONV_POINTWISE] = "pw", [CONV_GROUPED] = "grp", [CONV_DEPTHWISE] = "dw",
        [CONV_SEPARABLE] = "sep",
    };
    struct layers layers;
    enum conv_status status = layers_read(&layers, network, in, NULL, true, error);
    if (status != CONV_OK)
        return status;
    for (int i = 0; i < layers.count && status == CONV_OK; i++) {
        const enum conv_kind kind = conv_problem_kind(&layers.problems[i]);
        cli_progress(layers.labels[i], i, layers.count);
        if (only & 1u << kind && ladders[kind])
            status = bench_ladder(study, ladders[kind], &layers.problems[i], layers.labels[i], layers.repeats[i],
                                  error);
    }
    cli_progress("", 0, 0);
    layers_free(&layers);
    return status;
}

static enum conv_status bench_all(struct study *study, const char *network, const struct study_options *options,
                                  struct conv_error *error)
{
    const unsigned every = (1u << CONV_KINDS) - 1, in_blocks = 1u << CONV_DEPTHWISE | 1u << CONV_POINTWISE;
    enum conv_status status = results_begin(&study->results, options->threads, error);
    study->threads = options->threads > 0 ? options->threads : study->results.machine.cores;
    for (int i = 0; i < study->block_count && status == CONV_OK; i++) {
        cli_progress(study->blocks[i].label, i, study->block_count);
        status = bench_block(study, &study->blocks[i], error);
    }
    cli_progress("", 0, 0);
    if (status == CONV_OK)
        status = bench_layers(study, network, options->in, study->block_count > 0 ? every & ~in_blocks : every,
                              error);
    if (status == CONV_OK && options->grouped)
        status = bench_layers(study, options->grouped, NULL, 1u << CONV_GROUPED, error);
    if (status == CONV_OK)
        status = results_end(&study->results, error);
    for (int i = 0; i < study->block_count && status == CONV_OK; i++)
        sum_block(&study->blocks[i], study);
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------------------------- */

/* That a network can be read is found out before minutes of timing, not behind them. */
static enum conv_status check_network(const char *name, struct conv_error *error)
{
    struct conv_network network;
    enum conv_status status = layers_network(&network, name, NULL, error);
    if (status == CONV_OK)
        conv_network_free(&network);
    return status;
}

enum conv_status study_make(struct study *study, const char *name, const struct study_options *options,
                            struct conv_error *error)
{
    const double start = conv_seconds();
    *study = (struct study){ .seed = options->seed };
    enum conv_status status = layers_network(&study->network, name, options->in, error);
    if (status == CONV_OK && options->bench)
        status = check_network(options->grouped, error);
    if (status == CONV_OK)
        status = find_blocks(study, error);
    if (status == CONV_OK && options->verify)
        status = verify_all(study, error);
    if (status == CONV_OK && options->bench)
        status = bench_all(study, name, options, error);
    if (status != CONV_OK)
        study_free(study);
    study->seconds = conv_seconds() - start;
    return status;
}

void study_free(struct study *study)
{
    conv_network_free(&study->network);
    results_free(&study->results);
    free(study->blocks);
    free(study->verdicts);
    *study = (struct study){ .block_count = 0 };
}

static int64_t macs_of(const struct conv_problem *problem)
{
    struct conv_count count;
    conv_count_problem(&count, problem);
    return count.macs;
}

struct table *study_block_table(const struct study *study)
{
    static const struct table_column columns[] = {
        { "block", "block", false }, { "shape", "input -> output", false },
        { "dense_macs", "standard MACs", true }, { "separable_macs", "separable MACs", true },
        { "mac_ratio", "fewer MACs", true }, { "first_ratio", "first steps", true },
        { "left_behind_ratio", "dw_01 + best pw", true }, { "unfolded_ratio", "grp_02 + best pw", true },
        { "two_layers_ratio", "best dw + best pw", true }, { "fused_ratio", "fused", true },
        { "dense_ms", "standard ms", true }, { "fused_ms", "fused ms", true },
    };
    struct table *table = table_create(columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < study->block_count; i++) {
        const struct study_block *b = &study->blocks[i];
        const struct conv_axis *w = &b->dense.axis[CONV_W];
        const double dense = (double)macs_of(&b->dense), separable = (double)macs_of(&b->separable);
        char shape[96];
        snprintf(shape, sizeof shape, "%lld x %lld² -> %lld x %lld²", (long long)b->dense.c, (long long)w->in,
                 (long long)b->dense.k, (long long)w->out);
        table_text(table, b->label);
        table_text(table, shape);
        table_integer(table, macs_of(&b->dense));
        table_integer(table, macs_of(&b->separable));
        table_real(table, dense / separable, "%.1f");
        table_real(table, b->first_dense / b->first, "%.1f");
        table_real(table, b->last_dense / b->left_behind, "%.1f");
        table_real(table, b->last_dense / b->unfolded, "%.1f");
        table_real(table, b->last_dense / b->two_layers, "%.1f");
        table_real(table, b->last_dense / b->fused, "%.1f");
        table_real(table, b->last_dense * 1e3, "%.2f");
        table_real(table, b->fused * 1e3, "%.2f");
    }
    return table;
}
