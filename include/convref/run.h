/* run.h - the one checked way to run a kernel.
 *
 * A plan binds a kernel to a problem: it checks that the kernel applies, owns scratch and packed
 * weights, and for a kernel on a device the operands there.  Creating and loading a plan allocate;
 * running it never does.
 *
 *     conv_plan_create -> conv_plan_load -> conv_plan_run, as often as you like -> conv_plan_store
 *
 * conv_run() does all of it for one call.
 *
 * Threads: a plan is for one thread at a time; different plans are independent.   Read next: verify.h, bench.h
 */
#ifndef CONVREF_RUN_H
#define CONVREF_RUN_H

#include <convref/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

struct conv_plan;

struct conv_plan_options {
    int threads;    /* 0 means 1 */
    bool guarded;   /* scratch and packed weights between guard pages, filled with NaN: slower, and sees more */
};

/* Fails with CONV_NOT_APPLICABLE, and the kernel's own words, if it doesn't compute the problem. */
CONV_API enum conv_status conv_plan_create(struct conv_plan **plan, const struct conv_kernel *kernel,
                                           const struct conv_problem *problem,
                                           const struct conv_plan_options *options,
                                           struct conv_error *error);
CONV_API void conv_plan_free(struct conv_plan *plan);

/* Bind the operands (for a device: copy the inputs there) and pack the weights.  Fails with
 * CONV_BAD_INPUT if an operand that the problem has is NULL.  The operands must outlive the plan. */
CONV_API enum conv_status conv_plan_load(struct conv_plan *plan, const struct conv_operands *operands,
                                         struct conv_error *error);

/* Run once.  Returns the seconds it took, by the device's clock if it has one; negative if it failed. */
CONV_API double conv_plan_run(struct conv_plan *plan);

/* Why the last run failed, in the kernel's own words; empty if it had none. */
CONV_API const char *conv_plan_failure(const struct conv_plan *plan);

/* For a device, copy the outputs back; on the CPU they are there already. */
CONV_API enum conv_status conv_plan_store(struct conv_plan *plan, struct conv_error *error);

CONV_API size_t conv_plan_scratch_bytes(const struct conv_plan *plan);
CONV_API size_t conv_plan_packed_bytes(const struct conv_plan *plan);

/* Create, load, run, store, free. */
CONV_API enum conv_status conv_run(const struct conv_operands *operands,
                                   const struct conv_kernel *kernel,
                                   const struct conv_problem *problem,
                                   const struct conv_plan_options *options, struct conv_error *error);

#ifdef __cplusplus
}
#endif
#endif
