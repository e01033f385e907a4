/* subgraph.c - If and Loop, whose work is in graphs of their own.   See infer.c.
 *
 *   If      a condition that is known: its branch is walked as if it stood there.  One that isn't: both are, and
 *           where they have the same multiply-adds, the answer is the same whichever runs; the size of an output is
 *           known where both have it.  Where the work differs, the node isn't understood, and both figures are said.
 *   Loop    turns whose number is known are walked one by one, since sizes may grow from turn to turn.  Otherwise
 *           one is walked that may be any, of which no number is known: the node isn't understood, and the figure
 *           of that turn is said, unless nothing in it could be counted.
 *
 * Names of a graph within are its own, and it sees those around it (scope_enter).  Work that isn't counted keeps its
 * parameters: the file stores them.   Not here: Scan, SequenceMap
 * Source: the documentation of If-25 and Loop-25
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify/count/onnx/infer.h"

enum { MOST_DEPTH = 8 };

/* The graph of an attribute, unpacked once. */
static enum conv_status graph_of(const ConvOnnx__Graph **graph, struct step *step, const char *name)
{
    struct walk *walk = step->walk;
    const ConvOnnx__Attribute *found;
    enum conv_status status = onnx_attribute(&found, &step->at, name, ONNX_ATTRIBUTE_GRAPH);
    if (status != CONV_OK || !found || !found->has_g)
        return status != CONV_OK ? status : step_bad(step, "it lacks a graph");
    for (const struct subgraph *known = walk->subgraphs; known; known = known->next)
        if (known->from == found) {
            *graph = known->graph;
            return CONV_OK;
        }
    if (walk->depth >= MOST_DEPTH)
        return not_understood(step, "it stands in more than %d graphs", MOST_DEPTH);
    struct subgraph *made = calloc(1, sizeof *made);
    if (!made)
        return conv_fail(walk->model.error, CONV_NO_MEMORY, "no memory for the graphs of %s", walk->model.name);
    status = onnx_unpack_graph(&made->graph, &walk->model, found);
    if (status != CONV_OK) {   /* what is on the list has a graph */
        free(made);
        return status;
    }
    made->from = found;
    made->next = walk->subgraphs;
    walk->subgraphs = made;
    *graph = made->graph;
    return CONV_OK;
}

/* ---- what a graph did ---------------------------------------------------------------------------------------- */

/* The nodes that it added to the network, their multiply-adds, how many aren't understood, and its outputs, which the
 * caller frees. */
struct outcome {
    int begin, end, unknown;
    int64_t macs;
    size_t count;
    struct value *outputs;
    bool impossible;                   /* its nodes don't fit the sizes that come in */
};

static void sum_nodes(struct outcome *outcome, const struct conv_network *network, int begin)
{
    outcome->begin = begin;
    outcome->end = network->node_count;
    outcome->macs = outcome->unknown = 0;
    for (int i = begin; i < outcome->end; i++) {
        outcome->macs += conv_node_macs(&network->nodes[i]);
        outcome->unknown += network->nodes[i].kind == CONV_NODE_UNKNOWN;
    }
}

static void forget_work(struct walk *walk, const struct outcome *outcome)
{
    for (int i = outcome->begin; i < outcome->end; i++)
        fold_node(&walk->network->nodes[i]);
}

static enum conv_status read_outputs(struct outcome *outcome, struct step *step, const ConvOnnx__Graph *graph)
{
    char plain[ONNX_NAME];
    const enum conv_status status = walk_spend(step->walk, 0, graph->n_output);
    if (status != CONV_OK)
        return status;
    outcome->count = graph->n_output;
    outcome->outputs = calloc(graph->n_output + 1, sizeof *outcome->outputs);
    if (!outcome->outputs)
        return conv_fail(step->at.model->error, CONV_NO_MEMORY, "no memory for the values of %s",
                         step->at.model->name);
    for (size_t i = 0; i < graph->n_output; i++) {
        const char *name = onnx_text(graph->output[i]->name);
        const struct value *value = *name ? value_find(step->walk, name) : NULL;
        if (!value)
            return onnx_bad_node(&step->at, NULL, "nothing in its graph computes '%s'", onnx_plain(plain, name));
        outcome->outputs[i] = *value;
    }
    return CONV_OK;
}

/* Walk a graph whose inputs are there, in a scope that was entered. */
static enum conv_status walk_within(struct outcome *outcome, struct step *step, const ConvOnnx__Graph *graph)
{
    const int begin = step->walk->network->node_count;
    step->walk->depth++;
    const enum conv_status status = walk_nodes(step->walk, graph);
    step->walk->depth--;
    sum_nodes(outcome, step->walk->network, begin);
    return status == CONV_OK ? read_outputs(outcome, step, graph) : status;
}

/* What is known of a value, whatever it is called. */
static void copy_value(struct value *to, const struct value *from)
{
    to->known = from->known;
    to->shape = from->shape;
    to->type = from->type;
    to->numbers = from->numbers;
    to->tensor = from->tensor;
    to->constant = from->constant && (from->tensor || from->numbers);
}

static bool same_shape(const struct value *a, const struct value *b)
{
    return a->known && b->known && a->shape.rank == b->shape.rank
        && !memcmp(a->shape.dims, b->shape.dims, sizeof *a->shape.dims * (size_t)a->shape.rank);
}

/* The network's nodes may have moved while a graph was walked. */
static void settle(struct step *step, int made)
{
    step->made = &step->walk->network->nodes[made];
    step->made->kind = CONV_NODE_OTHER;
}

/* ---- If ------------------------------------------------------------------------------------------------------- */

static enum conv_status walk_branch(struct outcome *outcome, struct step *step, const char *name)
{
    const ConvOnnx__Graph *graph = NULL;
    *outcome = (struct outcome){ .count = 0 };
    enum conv_status status = graph_of(&graph, step, name);
    if (status == CONV_OK && graph->n_output != step->at.node->n_output)
        status = step_bad(step, "its branches and it differ in the number of outputs");
    if (status != CONV_OK)
        return status;
    struct value *mark = scope_enter(step->walk);
    status = add_initializers(step->walk, graph);
    if (status == CONV_OK)
        status = walk_within(outcome, step, graph);
    scope_leave(step->walk, mark);
    return status;
}

/* A branch that no size fits may be the one that never runs; one that is wrong in another way is an error. */
static enum conv_status try_branch(struct outcome *outcome, struct step *step, const char *name)
{
    const enum conv_status status = walk_branch(outcome, step, name);
    outcome->impossible = status == CONV_BAD_FILE && step->walk->misfit;
    step->walk->misfit = false;
    return outcome->impossible ? CONV_OK : status;
}

static void take_outputs(struct step *step, const struct outcome *outcome)
{
    for (size_t i = 0; i < outcome->count; i++) {
        struct value *value = value_find(step->walk, onnx_output(step->at.node, i));
        if (value)
            copy_value(value, &outcome->outputs[i]);
    }
}

static enum conv_status follow_branch(struct step *step, const char *name)
{
    struct outcome outcome;
    const enum conv_status status = walk_branch(&outcome, step, name);
    if (status == CONV_OK)
        take_outputs(step, &outcome);
    free(outcome.outputs);
    return status;
}

/* Outputs of one shape whichever branch runs have it; their numbers are those of neither. */
static void join_outputs(struct step *step, const struct outcome *then, const struct outcome *otherwise)
{
    for (size_t i = 0; i < then->count && !then->impossible && !otherwise->impossible; i++) {
        struct value *value = value_find(step->walk, onnx_output(step->at.node, i));
        const bool equal = same_shape(&then->outputs[i], &otherwise->outputs[i]);
        if (!value)
            continue;
        value->constant = false;
        value->type = then->outputs[i].type;
        value->known = equal;
        value->shape = then->outputs[i].shape;
    }
}

static bool is_whole(const struct outcome *outcome) { return outcome->unknown == 0 && !outcome->impossible; }

static const char *figure(char text[64], const struct outcome *outcome)
{
    if (outcome->impossible)
        snprintf(text, 64, "nodes that these sizes don't fit");
    else
        snprintf(text, 64, "%" PRId64 " multiply-adds%s", outcome->macs, outcome->unknown ? " or more" : "");
    return text;
}

static enum conv_status compare_branches(struct step *step, const struct outcome *then,
                                         const struct outcome *otherwise)
{
    char one[64], other[64];
    join_outputs(step, then, otherwise);
    forget_work(step->walk, otherwise);
    if (then->macs == otherwise->macs && is_whole(then) && is_whole(otherwise))
        return CONV_OK;
    forget_work(step->walk, then);
    return not_understood(step, "its condition isn't known (--in NAME:=NUMBER gives an input's); the branch that is "
                          "taken if it holds has %s, the other %s", figure(one, then), figure(other, otherwise));
}

enum conv_status infer_if(struct step *step)
{
    const int made = (int)(step->made - step->walk->network->nodes);
    struct outcome then = { .count = 0 }, otherwise = then;
    double condition;
    enum conv_status status;
    if (number_get(&condition, step->in[0])) {
        status = follow_branch(step, condition != 0 ? "then_branch" : "else_branch");
    } else {
        status = try_branch(&then, step, "then_branch");
        if (status == CONV_OK)
            status = try_branch(&otherwise, step, "else_branch");
        if (status == CONV_OK)
            status = compare_branches(step, &then, &otherwise);
        free(then.outputs);
        free(otherwise.outputs);
    }
    settle(step, made);
    return status;
}

/* ---- Loop ----------------------------------------------------------------------------------------------------- */

/* Inputs of the body: the number of the turn, the condition, what is carried from turn to turn.  Its outputs: the
 * condition, what is carried, and parts of which all turns make a whole. */
struct loop {
    struct step *step;
    const ConvOnnx__Graph *body;
    size_t carried_count, scan_count;
    struct value *carried;             /* before the next turn */
    struct value *scans;               /* of one turn */
    int64_t most, turns;               /* -1: no limit is known */
    bool goes_on, open;                /* the condition; it isn't known */
    bool any;                          /* the turn may be any: numbers aren't known */
    int begin;                         /* of the network's nodes */
};

/* A number as the value of a type; the turn that may be any has none. */
static enum conv_status add_number(const struct loop *loop, const char *name, int32_t type, int64_t number)
{
    struct walk *walk = loop->step->walk;
    struct value *value = value_add(walk, name, "input of a body");
    union number *numbers = value && !loop->any ? numbers_create(walk, 1) : NULL;
    if (!value)
        return CONV_BAD_FILE;
    value->known = true;
    value->type = type;
    if (numbers)
        numbers->whole = number;
    value->numbers = numbers;
    return CONV_OK;
}

static enum conv_status add_body_inputs(const struct loop *loop)
{
    struct walk *walk = loop->step->walk;
    ConvOnnx__ValueInfo *const *inputs = loop->body->input;
    enum conv_status status = walk_spend(walk, 0, loop->body->n_input);
    if (status == CONV_OK)
        status = add_number(loop, inputs[0]->name, ONNX_INT64, loop->turns);
    if (status == CONV_OK)
        status = add_number(loop, inputs[1]->name, ONNX_BOOL, 1);
    for (size_t i = 0; i < loop->carried_count && status == CONV_OK; i++) {
        struct value *value = value_add(walk, inputs[2 + i]->name, "input of a body");
        if (!value)
            return CONV_BAD_FILE;
        copy_value(value, &loop->carried[i]);
        value->lost = loop->carried[i].lost;
        value->constant = false;
        value->tensor = NULL;
        value->numbers = loop->any ? NULL : value->numbers;
    }
    return status;
}

/* The condition after a turn, what is carried on, and the parts. */
static void end_turn(struct loop *loop, const struct outcome *outcome)
{
    double condition;
    const struct value *scans = outcome->outputs + 1 + loop->carried_count;
    loop->open = !number_get(&condition, &outcome->outputs[0]);
    loop->goes_on = !loop->open && condition != 0;
    memcpy(loop->carried, outcome->outputs + 1, sizeof *loop->carried * loop->carried_count);
    for (size_t i = 0; i < loop->scan_count; i++) {
        const bool same = loop->turns == 0 ? scans[i].known : same_shape(&loop->scans[i], &scans[i]);
        loop->scans[i] = scans[i];
        loop->scans[i].known = same;
    }
    loop->turns++;
}

/* The caller frees the outputs. */
static enum conv_status walk_body(struct outcome *outcome, const struct loop *loop)
{
    struct walk *walk = loop->step->walk;
    *outcome = (struct outcome){ .count = 0 };
    struct value *mark = scope_enter(walk);
    enum conv_status status = add_body_inputs(loop);
    if (status == CONV_OK)
        status = walk_within(outcome, loop->step, loop->body);
    scope_leave(walk, mark);
    return status;
}

static enum conv_status walk_turn(struct loop *loop)
{
    struct outcome outcome;
    loop->step->walk->turning++;
    const enum conv_status status = walk_body(&outcome, loop);
    loop->step->walk->turning--;
    if (status == CONV_OK)
        end_turn(loop, &outcome);
    free(outcome.outputs);
    return status;
}

/* Outputs behind the last turn; parts of each turn along a new first axis. */
static void take_results(const struct loop *loop)
{
    const struct step *step = loop->step;
    for (size_t i = 0; i < loop->carried_count; i++) {
        struct value *value = value_find(step->walk, onnx_output(step->at.node, i));
        if (value)
            copy_value(value, &loop->carried[i]);
    }
    for (size_t i = 0; i < loop->scan_count; i++) {
        struct value *value = value_find(step->walk, onnx_output(step->at.node, loop->carried_count + i));
        const struct value *part = &loop->scans[i];
        if (!value || !part->known || part->shape.rank == CONV_MAX_RANK)
            continue;
        value->known = true;
        value->constant = false;
        value->type = part->type;
        value->shape = (struct onnx_shape){ .rank = part->shape.rank + 1, .dims = { loop->turns } };
        memcpy(value->shape.dims + 1, part->shape.dims, sizeof *part->shape.dims * (size_t)part->shape.rank);
    }
}

/* What is carried as it is before the first turn. */
static void take_carried(struct loop *loop)
{
    for (size_t i = 0; i < loop->carried_count; i++) {
        const struct value *value = value_find(loop->step->walk, onnx_input(loop->step->at.node, 2 + i));
        loop->carried[i] = value ? *value : (struct value){ .known = false };
    }
}

/* Of what is carried, sizes that the turn didn't keep aren't known in a turn that may be any.  How many are they? */
static size_t forget_sizes(struct loop *loop, const struct outcome *outcome)
{
    size_t count = 0;
    for (size_t i = 0; i < loop->carried_count; i++) {
        struct value *carried = &loop->carried[i];
        if (!carried->known || same_shape(carried, &outcome->outputs[1 + i]))
            continue;
        carried->known = false;
        carried->lost = loop->step->at.node;
        count++;
    }
    return count;
}

/* Walk a turn that may be any, with the sizes that all turns keep: first those of the first turn, and if it changes
 * some, once more without these.  What it changes then has no size, and neither has anything else. */
static enum conv_status walk_any_turn(struct loop *loop, int64_t *macs)
{
    struct walk *walk = loop->step->walk;
    struct outcome outcome;
    loop->any = true;
    take_carried(loop);
    enum conv_status status = walk_body(&outcome, loop);
    *macs = outcome.macs;
    size_t changed = status == CONV_OK ? forget_sizes(loop, &outcome) : 0;
    free(outcome.outputs);
    if (!changed)
        return status;
    walk->turning++;   /* a second walk for each graph within another: they are counted */
    status = walk_body(&outcome, loop);
    walk->turning--;
    changed = status == CONV_OK ? forget_sizes(loop, &outcome) : 0;
    free(outcome.outputs);
    if (status == CONV_OK && changed)
        status = not_understood(loop->step, "sizes change from turn to turn");
    return status;
}

static void take_kept_sizes(const struct loop *loop)
{
    const struct step *step = loop->step;
    for (size_t i = 0; i < loop->carried_count; i++) {
        struct value *value = value_find(step->walk, onnx_output(step->at.node, i));
        if (!value || !loop->carried[i].known)
            continue;
        value->known = true;
        value->constant = false;
        value->shape = loop->carried[i].shape;
        value->type = loop->carried[i].type;
    }
}

/* Nobody knows how often: what all turns keep as it was is known, and the figure of one turn is said. */
static enum conv_status give_up(struct loop *loop, const char *why)
{
    const struct step *step = loop->step;
    struct outcome all;
    int64_t macs = 0;
    const enum conv_status status = walk_any_turn(loop, &macs);
    sum_nodes(&all, step->walk->network, loop->begin);
    forget_work(step->walk, &all);
    if (status != CONV_OK)
        return status;
    take_kept_sizes(loop);
    return all.macs == 0 && all.unknown == 0 ? CONV_OK
        : not_understood(step, "%s; one turn has %" PRId64 " multiply-adds%s", why, macs,
                         all.unknown ? " or more" : "");
}

static enum conv_status walk_turns(struct loop *loop)
{
    const bool known = !loop->open && (loop->most >= 0 || !loop->step->in[0]);
    if (!known)
        return give_up(loop, "how often it turns depends on data");
    while (loop->goes_on && loop->turns != loop->most) {
        const enum conv_status status = walk_turn(loop);
        if (status == CONV_NOT_APPLICABLE && loop->step->walk->turning == 0)
            return give_up(loop, "it turns too often to be followed");
        if (status != CONV_OK)
            return status;
        if (loop->open)
            return give_up(loop, "how often it turns depends on data");
    }
    take_results(loop);
    return CONV_OK;
}

static enum conv_status begin_loop(struct loop *loop)
{
    struct step *step = loop->step;
    const ConvOnnx__Node *node = step->at.node;
    double number;
    loop->most = !step->in[0] || !number_get(&number, step->in[0]) || !(number < 0x1p40) ? -1
               : number > 0 ? (int64_t)number : 0;
    loop->open = step->in[1] && !number_get(&number, step->in[1]);
    loop->goes_on = !step->in[1] || loop->open || number != 0;
    loop->carried_count = node->n_input > 2 ? node->n_input - 2 : 0;
    if (node->n_output < loop->carried_count || loop->body->n_input != 2 + loop->carried_count
        || loop->body->n_output != 1 + node->n_output)
        return step_bad(step, "its body has not the inputs and outputs that it has");
    loop->scan_count = node->n_output - loop->carried_count;
    loop->carried = calloc(node->n_output + 1, sizeof *loop->carried);
    if (!loop->carried)
        return conv_fail(step->at.model->error, CONV_NO_MEMORY, "no memory for the values of %s",
                         step->at.model->name);
    loop->scans = loop->carried + loop->carried_count;
    take_carried(loop);
    return CONV_OK;
}

/* Initializers of the body are there once, whatever the number of turns. */
enum conv_status infer_loop(struct step *step)
{
    const int made = (int)(step->made - step->walk->network->nodes);
    struct loop loop = { .step = step, .begin = step->walk->network->node_count };
    enum conv_status status = graph_of(&loop.body, step, "body");
    if (status == CONV_OK)
        status = begin_loop(&loop);
    if (status == CONV_OK) {
        struct value *mark = scope_enter(step->walk);
        status = add_initializers(step->walk, loop.body);
        if (status == CONV_OK)
            status = walk_turns(&loop);
        scope_leave(step->walk, mark);
    }
    free(loop.carried);
    settle(step, made);
    return status;
}
