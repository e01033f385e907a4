/* study.h - what a report is about: everything that is verified, counted and timed for one network.  Internal.
 *
 * A block is a depthwise layer and the pointwise layer behind it.  Its twin is the standard convolution that it
 * stands for: same input, same output, same filter size.  Read next: page.c, which writes it down.
 */
#ifndef CONVREF_VERIFY_REPORT_STUDY_H
#define CONVREF_VERIFY_REPORT_STUDY_H

#include "verify/measure/results.h"

struct study_block {
    char label[64];
    int repeats;                                    /* how often it stands in the network */
    struct conv_problem dense, separable, depthwise, pointwise;
    int first_row;                                  /* of its results */
    /* seconds of one run: the twin, by the first and by the last step of its ladder, in the faster of both layouts */
    double first_dense, last_dense;
    /* ... and the block: both stages by their first steps; the depthwise one by its first step or unfolded group by
     * group, the pointwise one by its last, channels first; both by their last, in the faster layout, and of that the
     * depthwise stage; both fused, in the faster layout */
    double first, left_behind, unfolded, two_layers, depthwise_stage, fused;
    double direct_stage;                            /* the depthwise stage of left_behind */
};

struct study {
    struct conv_network network;
    int block_count;
    struct study_block *blocks;
    int kernel_count;
    struct conv_verification *verdicts;             /* of all kernels of the table */
    struct results results;                         /* warm; one thread, and the steps of all cores on all, too */
    uint64_t seed;
    int threads;                                    /* that the steps of all cores were timed with */
    double seconds;                                 /* that all of it took */
    /* to repeat it, and the network as the other verbs take it */
    char command[8192], count_command[4608];
};

struct study_options {
    uint64_t seed;
    const char *in;             /* sizes that an ONNX model leaves open, or NULL */
    const char *grouped;        /* the network that grouped layers are taken from */
    bool verify, bench;
    int threads;                /* of the steps of all cores; 0: all cores */
};

/* Do everything for a network.  Progress goes to standard error on a terminal. */
enum conv_status study_make(struct study *study, const char *network, const struct study_options *options,
                            struct conv_error *error);
void study_free(struct study *study);

/* The first and the last kernel of a ladder, without the last one's threads: "std" -> std_01_direct, std_09_openmp */
const struct conv_kernel *study_first(const char *ladder);
const struct conv_kernel *study_last(const char *ladder);

/* Seconds of one run of a kernel on one thread, in the results from a row on; NaN if it has no figure there that
 * counts. */
double study_seconds(const struct study *study, int first_row, const struct conv_kernel *kernel,
                     const struct conv_problem *problem);

/* Blocks as a table: MAC ratio and time ratios. */
struct table *study_block_table(const struct study *study);

/* Write the page, in one file with everything in it. */
enum conv_status study_page(FILE *file, const struct study *study, struct conv_error *error);

/* Write results.tsv, blocks.tsv, networks.tsv and the pictures into a folder. */
enum conv_status study_keep(const char *folder, const struct study *study, struct conv_error *error);

#endif
