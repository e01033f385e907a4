/* traffic.h - what a GPU would move for a kernel, as the watched module of CUDA counts it, and the least time for
 * that.  Internal.
 *
 * Counts are exact and the same everywhere (cuda/emulator/traffic.cc says what they are).  A bound divides a count by
 * what the data sheet of a card promises: with cold caches no kernel that moves so much is done earlier, in all of
 * memory.  What is written may stay in the second cache behind the kernel's end.   Not here: measured times.
 */
#ifndef CONVREF_VERIFY_MEASURE_TRAFFIC_H
#define CONVREF_VERIFY_MEASURE_TRAFFIC_H

#include <convref/kernel.h>

/* A place in the source that moves elements of one array, in one launch. */
struct traffic_row {
    char line[96], memory[8], access[8];
    int64_t array_bytes, requests;      /* of a warp; array_bytes is 0 for shared memory */
    double lanes, sectors, passes;      /* a request; sectors or passes is 0, which the place has not */
};

enum traffic_total {   /* of all launches */
    TRAFFIC_MEMORY, TRAFFIC_SECOND_CACHE, TRAFFIC_FIRST_CACHE, TRAFFIC_PASSES, TRAFFIC_REQUESTS, TRAFFIC_PRODUCTS,
    /* made by tensor cores in the place of the products, in TF32 and in 16 bits; 0 for a kernel that has none */
    TRAFFIC_TENSOR_PRODUCTS, TRAFFIC_NARROW_PRODUCTS,
    TRAFFIC_TOTALS
};

struct traffic {
    struct traffic_row *rows;
    int count, launches;
    int64_t total[TRAFFIC_TOTALS];
};

/* What a total is called: "bytes from memory, each once". */
const char *traffic_total_name(enum traffic_total total);

/* Run `kernel` once in a child and count.  CONV_NOT_APPLICABLE if its module doesn't count. */
enum conv_status traffic_count(struct traffic *traffic, const struct conv_kernel *kernel,
                               const struct conv_problem *problem, const struct conv_operands *operands,
                               struct conv_error *error);
void traffic_free(struct traffic *traffic);

/* ---- a card ---------------------------------------------------------------------------------------------------- */

struct card {
    const char *name, *words;
    int multiprocessors;
    int multiply_adds, tensor_multiply_adds, loads;   /* of a multiprocessor in a clock, in f32 and in TF32; loads: lanes
                                                         that load or store */
    double clock_ghz, memory_gb_s;
};

/* NULL behind the last one; and the card of that name, NULL if there is none. */
const struct card *card_at(int index);
const struct card *card_find(const char *name);

/* Seconds that the total takes at least; 0 for the second cache, whose speed data sheets don't say. */
double card_bound(const struct card *card, const struct traffic *traffic, enum traffic_total total);

#endif
