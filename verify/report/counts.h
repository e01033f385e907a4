/* counts.h - prints parameters, multiply-adds and bytes of a problem or a network.  Internal.
 * Read next: counts.c, counts_json.c, cite.c */
#ifndef CONVREF_VERIFY_REPORT_COUNTS_H
#define CONVREF_VERIFY_REPORT_COUNTS_H

#include <convref/convention.h>
#include <convref/network.h>
#include <stdio.h>

#include "verify/io/table.h"

/* What is shown: our own count, or the figure of one tool or of all. */
struct count_view {
    enum table_format format;
    int convention;          /* -1: none */
    bool why, all;           /* the terms of its figure; all conventions */
    bool cite;               /* the formula, the convention and how to quote it, instead of tables */
};

/* The whole numbers that are counted, by the names that they have in TSV, JSON and Python; `intensity` is beside
 * them. */
enum counts_quantity {
    COUNTS_PARAMS, COUNTS_WEIGHTS, COUNTS_BIASES, COUNTS_MACS, COUNTS_MACS_INSIDE, COUNTS_FLOPS, COUNTS_BIAS_ADDS,
    COUNTS_BYTES, COUNTS_QUANTITIES
};
const char *counts_name(enum counts_quantity quantity);
int64_t counts_value(const struct conv_count *count, enum counts_quantity quantity);

/* "1 * 64 * 8 * (3*126) * (3*126)": the factors of the nominal count.  Not of a separable problem, which has two.
 * Returns `text`. */
char *counts_formula(char text[256], const struct conv_problem *problem);

void counts_print_problem(FILE *file, const struct count_view *view, const struct conv_problem *problem);
/* Of a table of networks: name, params, MACs of conv and fc, conv without padding, totals that are checked. */
void counts_add_network(struct table *table, const struct conv_network *network);

void counts_print_network(FILE *file, const struct count_view *view, const struct conv_network *network);

/* The same as JSON, which docs/count.schema.json describes. (counts_json.c) */
struct json_t *counts_problem_json(const struct count_view *view, const struct conv_problem *problem);
struct json_t *counts_network_json(const struct count_view *view, const struct conv_network *network);
void counts_print_json(FILE *file, struct json_t *json);   /* and frees it */

/* How to quote a count. (cite.c) */
void counts_cite_problem(FILE *file, const struct count_view *view, const struct conv_problem *problem);
void counts_cite_network(FILE *file, const struct count_view *view, const struct conv_network *network);

/* The layers of a network with every quantity, for programs. (counts.c) */
struct table *counts_layers(const struct conv_network *network);

#endif
