/* experiment.h - a published claim as a text file: its cases, how we compute them, what others reported.  Internal.
 *
 * find.c finds experiments/NAME.txt, read.c reads it, cost.c counts, devices.c says which published time is possible,
 * run.c times the cases in turn (chains.c those that are chains), peers.c asks other libraries, rows.c makes the table
 * of it.  Nothing here knows a particular experiment.
 * Read next: experiments/README.md (the statements), read.c
 */
#ifndef CONVREF_VERIFY_EXPERIMENT_EXPERIMENT_H
#define CONVREF_VERIFY_EXPERIMENT_EXPERIMENT_H

#include <convref/network.h>

#include "verify/measure/results.h"

enum { EXP_NAME = 64, EXP_MOST_CASES = 64, EXP_MOST_WAYS = 12, EXP_MOST_KERNELS = 8, EXP_MOST_PUBLISHED = 12,
       EXP_MOST_EXPECTED = 4, EXP_MOST_PASSES = 5, EXP_MOST_PEERS = 16 };

/* ---- the file -------------------------------------------------------------------------------------------------- */

struct exp_layer {
    struct conv_problem problem;
    int64_t times;            /* how often it stands in the case */
    bool fc;                  /* of a network: not timed and not in the MACs, but its work is part of a floor */
};

/* One way to compute a case: each layer by the first of these kernels that applies to it. */
struct exp_way {
    char name[EXP_NAME], over[EXP_NAME];   /* the way of the case's `over` that its time is compared with */
    char kernels[EXP_MOST_KERNELS][EXP_NAME];
    int kernel_count;
    bool full;                /* takes long: timed with --full only */
    bool chain;               /* the layers back to back in one arena (verify/measure/chain.h), not each by itself */
    int threads;              /* of a chain; 0: as many as the run has */
    enum conv_layout layout;  /* in the place of the layers' own; CONV_LAYOUTS: theirs */
    char provider[EXP_NAME];  /* its kernels come with this provider; empty: they are our own */
};

/* Somebody else's time for a case. */
struct exp_published {
    char name[EXP_NAME], over[EXP_NAME];    /* the published time of the case's `over` that this is compared with */
    char device[EXP_NAME];    /* of devices.tsv; empty: not named in the report */
    double seconds;
    double work;              /* in forward passes: 3 is a step of training */
};

struct exp_expected { char what[16]; int64_t value; int line; };

struct exp_case {
    char name[EXP_NAME];
    int over;                 /* the case that ratios are over; -1: none */
    int line;
    char *scaled;             /* what is smaller than in the report, in words; NULL: nothing is */
    double work;              /* everything that will be counted, from above */
    int64_t params;           /* weights and biases, and for a network all that it has */
    struct exp_layer *layers;
    int layer_count;
    struct exp_way ways[EXP_MOST_WAYS];
    int way_count;
    struct exp_published published[EXP_MOST_PUBLISHED];
    int published_count;
    struct exp_expected expected[EXP_MOST_EXPECTED];
    int expected_count;
};

struct experiment {
    char name[EXP_NAME];
    char *title, *source;
    bool fit;                 /* fit time = MACs / (G rate) + G t0 over the cases */
    struct exp_case *cases;
    int case_count;
};

/* Find experiments/NAME.txt as networks are found: a path as it is, $CONVREF_EXPERIMENTS, experiments/ here or
 * beside the program's folder, the installed ones.  `name` with its ending.  The caller frees it; NULL if there is
 * none. */
char *experiment_find(const char *name);

/* Names of all experiments in the folder where they are found, sorted; NULL-terminated, freed by the caller with each
 * name.  NULL if there is no folder. */
char **experiment_names(void);

/* Read a file.  Errors name the file, the line and the column. */
enum conv_status experiment_read(struct experiment *experiment, const char *path, struct conv_error *error);
void experiment_free(struct experiment *experiment);

/* What a case costs, over its layers; `fc`: with those that are not timed. */
struct exp_cost {
    int64_t macs, macs_inside;
    double fewest;            /* multiplications of macs_inside, with Winograd's F(4x4,3x3) wherever it can be */
    double bytes;             /* weights, the first input, the last output: what passes at least once */
    double groups;            /* of all layers, each as often as it stands */
};
struct exp_cost experiment_cost(const struct exp_case *one, bool fc);

/* The expectation of a case that doesn't hold, or NULL; *counted becomes what was counted. */
const struct exp_expected *experiment_check(const struct exp_case *one, int64_t *counted);

/* ---- what a device can do -------------------------------------------------------------------------------------- */

struct exp_device { char name[EXP_NAME]; double flops, bytes, cache; };   /* a second, a second, bytes */

struct exp_devices { struct exp_device *rows; int count; };

/* experiments/devices.tsv */
enum conv_status devices_read(struct exp_devices *devices, struct conv_error *error);
void devices_free(struct exp_devices *devices);
const struct exp_device *devices_find(const struct exp_devices *devices, const char *name);   /* NULL: not there */

/* The least seconds: work on all multiply-adds at the peak, or on the fewest (Winograd), or bytes beyond the last
 * cache at the bandwidth. */
struct exp_floor { double direct, winograd, memory; };
struct exp_floor device_floor(const struct exp_device *device, const struct exp_cost *cost, double work);

/* Is a published time possible?  In words: "yes, 13 % of the peak", "by Winograd alone, ...", "no: ...". */
enum exp_plausible { EXP_UNKNOWN, EXP_POSSIBLE, EXP_BY_WINOGRAD, EXP_IMPOSSIBLE };
enum exp_plausible device_judge(char words[96], const struct exp_floor *floor, double seconds);

/* ---- a run ----------------------------------------------------------------------------------------------------- */

struct exp_options {
    bool counts;              /* no timing */
    bool full;
    const char *only;         /* cases whose names begin so, and those that they are compared with; NULL: all */
    struct conv_bench_options bench;
    int passes;               /* over all cases in turn; ratios are medians over these */
    bool peers;               /* ask other people's libraries, too */
    const char *peer_names;   /* these, with commas between; NULL: all that are installed */
};

/* One way of one case, over the passes. */
struct exp_time {
    bool timed, verified, impossible;
    double seconds;           /* median over the passes of the sum over the layers */
    double low, high;         /* of the passes */
    double pass[EXP_MOST_PASSES];
    int passes;
    double ceiling;           /* seconds that the roof would take */
    double allocations;       /* of one pass through the layers; negative: not counted */
    size_t arena_bytes;       /* of a chain; 0: none */
    char note[CONV_WHY + 96];
};

/* One layer by a peer and, in turns with it in the same process, by the best of our kernels. */
struct exp_peer_time { int peer; struct conv_problem problem; double ours, theirs; };   /* seconds, of one call */

struct exp_peers {
    char names[EXP_MOST_PEERS][EXP_NAME], versions[EXP_MOST_PEERS][EXP_NAME];
    int count;
    struct exp_peer_time *times;
    int time_count;
};

struct exp_run {
    const struct experiment *experiment;
    const struct exp_options *options;
    bool timed;                                /* has anything been? */
    struct results results;
    struct exp_time (*times)[EXP_MOST_WAYS];   /* [case][way] */
    struct exp_peers peers;
};

/* The median, the least and the greatest of the passes, from these. */
void time_sum_up(struct exp_time *time);

/* Open the providers that ways name and whose kernels aren't there: ours, where they are built or installed.  One
 * that isn't found is no error: its ways say so. */
enum conv_status experiment_open_providers(const struct experiment *experiment, struct conv_error *error);

/* The problem of a layer in this way, and the first kernel of the way that computes it; NULL if none does. */
struct conv_problem way_problem(const struct exp_way *way, const struct exp_layer *layer);
const struct conv_kernel *way_kernel(const struct exp_way *way, const struct conv_problem *problem);

/* Why a way isn't timed; NULL if it is. */
extern const char run_takes_long[];
const char *run_leaves_out(const struct exp_run *run, const struct exp_way *way);

/* Ways that are chains: what must be kept from pass to pass. */
struct exp_chains { struct chain_row *rows; int count; };
enum conv_status chains_collect(struct exp_chains *chains, const struct exp_run *run, struct conv_error *error);

/* Time each once, in pass number `pass`. */
enum conv_status chains_pass(struct exp_chains *chains, struct exp_run *run, int pass, struct conv_error *error);

/* Their times, when both roofs are known. */
void chains_times(const struct exp_chains *chains, const struct exp_run *run);
void chains_free(struct exp_chains *chains);

/* Have the peers time all layers of the cases that were timed: `python3 -m convref.peers --bench` (CONVREF_PYTHON in
 * the place of python3).  Fails with CONV_NOT_APPLICABLE, and what to install, if nothing comes of it. */
enum conv_status experiment_ask_peers(struct exp_run *run, struct conv_error *error);
bool peers_take(const struct exp_run *run, int which);   /* is this case for them? */
const struct exp_peer_time *peers_time(const struct exp_peers *peers, int peer, const struct conv_problem *problem);
void experiment_peers_free(struct exp_peers *peers);

/* Are this case's rows shown? */
bool run_shows(const struct exp_run *run, int which);

/* Verify and time.  Progress on a terminal. */
enum conv_status experiment_run(struct exp_run *run, const struct experiment *experiment,
                                const struct exp_options *options, struct conv_error *error);
void experiment_run_free(struct exp_run *run);

/* ---- the table ------------------------------------------------------------------------------------------------- */

/* Which columns a table has: `wide` all, for TSV and JSON; else those for people, ours and theirs if there are
 * any. */
struct rows_parts { bool wide, timed, published, peers; };
struct rows_parts rows_parts_of(const struct exp_run *run);

/* A table that several experiments can be added to. */
struct table *rows_create(struct rows_parts parts);
void rows_add(struct table *table, struct rows_parts parts, const struct exp_run *run,
              const struct exp_devices *devices);

/* Lines below a table: what is scaled down is said above it. */
void rows_print_scaled(FILE *file, const struct exp_run *run, const char *prefix);
void rows_print_notes(FILE *file, const struct exp_run *run, const char *prefix);
void rows_print_fit(FILE *file, const struct exp_run *run, const char *prefix);

/* Has anything three points, so that a fit is printed and can be drawn? */
bool rows_has_fit(const struct exp_run *run);

#endif
