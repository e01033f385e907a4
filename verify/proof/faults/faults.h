/* faults.h - how a planted fault is written down: one row of a list.  Internal to the provider.
 *
 *     F(name, "what is wrong", "owner/project #number", STATED, kinds, passes, threads, the mistake...)
 *
 * STATED: the report says what was wrong in the code.  INFERRED: we concluded it from the symptoms.  Without a report
 * it is "blind spot", and the check that is meant to see it: a kind that the verifier once let through.  The mistake
 * is written as members of struct mistake (naive.h).  A theme is one file with such a list; faults.c joins the
 * themes.
 */
#ifndef CONVREF_VERIFY_PROOF_FAULTS_FAULTS_H
#define CONVREF_VERIFY_PROOF_FAULTS_FAULTS_H

#include "verify/proof/faults/naive.h"

#define STATED "stated"
#define INFERRED "inferred"

#define DENSE (1u << CONV_STANDARD | 1u << CONV_POINTWISE)
#define DEPTHWISE (1u << CONV_DEPTHWISE)
#define ALL (DENSE | DEPTHWISE | 1u << CONV_GROUPED)
#define SEPARABLE (1u << CONV_SEPARABLE)
#define TRANSPOSED (1u << CONV_TRANSPOSED)
#define INVERTED (1u << CONV_INVERTED_RESIDUAL)

#define FORWARD (1u << CONV_FORWARD)
#define DATA (1u << CONV_BACKWARD_DATA)
#define WEIGHTS (1u << CONV_BACKWARD_WEIGHTS)
enum { ONE_THREAD, THREADED };

/* The row as a kernel, and as an element of the theme's list.  A kernel computes both layouts and both types. */
#define FAULT_KERNEL(id, words, report, basis, kind_set, pass_set, is_threaded, ...) \
    NAIVE_FUNCTIONS(id, __VA_ARGS__) \
    static const struct conv_kernel fault_##id = { \
        .name = "fault_" #id, .title = words " [" report ", " basis "]", .kinds = kind_set, .passes = pass_set, \
        .layouts = 1u << CONV_CHANNELS_FIRST | 1u << CONV_CHANNELS_LAST, .types = 1u << CONV_F32 | 1u << CONV_F64, \
        .threaded = is_threaded, .scratch_bytes = scratch_##id, .run = run_##id };
#define FAULT_ELEMENT(id, ...) &fault_##id,

#define FAULT_THEME(theme, LIST) \
    LIST(FAULT_KERNEL) \
    const struct conv_kernel *const theme[] = { LIST(FAULT_ELEMENT) NULL };

extern const struct conv_kernel *const faults_of_channels[], *const faults_of_geometry[], *const faults_of_gradients[],
    *const faults_of_stages[], *const faults_of_memory[], *const faults_of_precision[], *const faults_of_threads[],
    *const faults_of_state[], *const faults_of_sizes[], *const faults_of_meetings[], *const faults_of_huge[],
    *const faults_of_powers[];

/* C/G and K/G */
static inline int64_t channels_of(const struct conv_problem *conv) { return conv->c / conv->groups; }
static inline int64_t filters_of(const struct conv_problem *conv) { return conv->k / conv->groups; }

#endif
