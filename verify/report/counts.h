/* counts.h - prints parameters, multiply-adds and bytes of a problem or a network.  Internal.  Read next: counts.c */
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
};

void counts_print_problem(FILE *file, const struct count_view *view, const struct conv_problem *problem);
/* Of a table of networks: name, params, MACs of conv and fc, conv without padding, totals that are checked. */
void counts_add_network(struct table *table, const struct conv_network *network);

void counts_print_network(FILE *file, const struct count_view *view, const struct conv_network *network);

#endif
