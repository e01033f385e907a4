/* run.c - plans: the one checked way to run a kernel.   Declared in convref/run.h.
 *
 * All memory that a run needs is taken here, in create and load, so that conv_plan_run() is the kernel
 * and two readings of the clock.   Not here: which form a kernel's functions have (calls.c).
 */
#include <convref/machine.h>
#include <convref/run.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/calls.h"
#include "core/clock.h"
#include "core/guest.h"
#include "core/kernel_table.h"
#include "core/plan.h"

enum { POISON = 0xFF };   /* bytes of 0xFF are a NaN in every floating-point type */

/* Memory for scratch or packed weights: plain, guarded, or a device's. */
struct block {
    void *at;
    size_t bytes;
    struct guarded guarded;
};

struct conv_plan {
    const struct conv_kernel *kernel;
    struct conv_problem problem;
    struct conv_plan_options options;
    struct conv_operands host;     /* the caller's */
    struct conv_operands place;    /* what the kernel sees: the same, or copies on the device */
    struct block scratch, packed;
    struct conv_workspace workspace;
    char failure[CONV_FAILURE];
};

/* ---- memory ------------------------------------------------------------------------------------------- */

/* "16 bytes of x can't be copied to cuda: the driver was not found" */
static enum conv_status device_failed(const struct conv_plan *plan, enum conv_status status, struct conv_error *error,
                                      const char *what, size_t bytes)
{
    const char *why = device_error(plan->kernel);
    return conv_fail(error, status, "%zu bytes of %s %s%s%.300s", bytes, what, plan->kernel->device->name,
                     why[0] ? ": " : "", why);
}

static enum conv_status take(struct block *block, size_t bytes, const struct conv_plan *plan,
                             struct conv_error *error)
{
    block->bytes = bytes;
    if (bytes == 0)
        return CONV_OK;
    if (plan->kernel->device) {
        block->at = device_allocate(plan->kernel, bytes);
        if (!block->at)
            return device_failed(plan, CONV_NO_MEMORY, error, "workspace can't be had from", bytes);
    } else if (plan->options.guarded) {
        enum conv_status status = guarded_create(&block->guarded, bytes, error);
        if (status != CONV_OK)
            return status;
        block->at = guarded_place(&block->guarded, bytes, CONV_ALIGNMENT, FLUSH_RIGHT, POISON);
    } else {
        block->at = aligned_alloc(CONV_ALIGNMENT, (bytes / CONV_ALIGNMENT + 1) * CONV_ALIGNMENT);
    }
    return block->at ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no memory for %zu bytes of workspace",
                                           bytes);
}

static void give_back(struct block *block, const struct conv_kernel *kernel)
{
    if (kernel->device && block->at)
        device_release(kernel, block->at);
    else if (block->guarded.base)
        guarded_free(&block->guarded);
    else
        free(block->at);
}

/* ---- create ------------------------------------------------------------------------------------------- */

static enum conv_status take_workspace(struct conv_plan *plan, struct conv_error *error)
{
    const size_t scratch = kernel_scratch_bytes(plan->kernel, &plan->problem, plan->workspace.threads);
    const size_t packed = kernel_packed_bytes(plan->kernel, &plan->problem);
    enum conv_status status = take(&plan->scratch, scratch, plan, error);
    if (status == CONV_OK)
        status = take(&plan->packed, packed, plan, error);
    plan->workspace.scratch = plan->scratch.at;
    plan->workspace.packed = plan->packed.at;
    return status;
}

enum conv_status conv_plan_create(struct conv_plan **plan, const struct conv_kernel *kernel,
                                  const struct conv_problem *problem,
                                  const struct conv_plan_options *options, struct conv_error *error)
{
    struct conv_problem checked = *problem;
    if (guest_asks("conv_plan_create"))
        return conv_fail(error, CONV_NOT_APPLICABLE,
                         "a kernel can't have its work done by the library that judges it");
    enum conv_status status = conv_problem_finish(&checked, error);
    if (status != CONV_OK)
        return status;
    const char *why = conv_kernel_refuses(kernel, &checked);
    if (why)
        return conv_fail(error, CONV_NOT_APPLICABLE, "kernel %s does not apply: %s", kernel->name, why);

    struct conv_plan *made = calloc(1, sizeof *made);
    if (!made)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for a plan");
    made->kernel = kernel_build(kernel, checked.type);
    made->problem = checked;
    if (options)
        made->options = *options;
#ifdef CONV_CHECKED
    made->options.guarded = true;
#endif
    made->workspace.failure = made->failure;
    made->workspace.threads = made->kernel->threaded && made->options.threads > 1
                                  ? made->options.threads : 1;
    status = take_workspace(made, error);
    if (status != CONV_OK) {
        conv_plan_free(made);
        return status;
    }
    *plan = made;
    return CONV_OK;
}

void conv_plan_free(struct conv_plan *plan)
{
    if (!plan)
        return;
    for (int operand = 0; plan->kernel->device && operand < CONV_OPERANDS; operand++)
        if (plan->place.at[operand])
            device_release(plan->kernel, plan->place.at[operand]);
    give_back(&plan->scratch, plan->kernel);
    give_back(&plan->packed, plan->kernel);
    free(plan);
}

/* ---- load, run, store --------------------------------------------------------------------------------- */

static enum conv_status check_operands(const struct conv_plan *plan, const struct conv_operands *operands,
                                       struct conv_error *error)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_count(&plan->problem, operand) > 0 && !operands->at[operand])
            return conv_fail(error, CONV_BAD_INPUT, "the operand %s is missing",
                             conv_operand_name(&plan->problem, operand));
    return CONV_OK;
}

static enum conv_status copy_to_device(struct conv_plan *plan, struct conv_error *error)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const size_t bytes = conv_operand_bytes(&plan->problem, operand);
        if (bytes == 0)
            continue;
        char what[64];
        snprintf(what, sizeof what, "%s can't be copied to", conv_operand_name(&plan->problem, operand));
        if (!plan->place.at[operand])
            plan->place.at[operand] = device_allocate(plan->kernel, bytes);
        /* outputs too: they carry the verifier's poison */
        if (!plan->place.at[operand]
            || !device_copy_in(plan->place.at[operand], plan->kernel, plan->host.at[operand], bytes))
            return device_failed(plan, CONV_NO_MEMORY, error, what, bytes);
    }
    return CONV_OK;
}

enum conv_status conv_plan_load(struct conv_plan *plan, const struct conv_operands *operands,
                                struct conv_error *error)
{
    const struct conv_kernel *kernel = plan->kernel;
    enum conv_status status = check_operands(plan, operands, error);
    if (status != CONV_OK)
        return status;
    plan->host = *operands;
    if (kernel->device)
        status = copy_to_device(plan, error);
    else
        plan->place = *operands;
    if (status == CONV_OK && kernel_packs(kernel) && plan->packed.at)
        kernel_pack(plan->packed.at, kernel, &plan->problem, &plan->place);
    return status;
}

static bool has_outputs(const struct conv_problem *problem)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(problem, operand) == CONV_OUTPUT && conv_operand_count(problem, operand) > 0)
            return true;
    return false;
}

double conv_plan_run(struct conv_plan *plan)
{
    const struct conv_kernel *kernel = plan->kernel;
    if (guest_asks("conv_plan_run"))
        return -1;
    if (!has_outputs(&plan->problem))
        return 0;
    plan->failure[0] = 0;
    double seconds;
    if (device_has_clock(kernel)) {
        seconds = device_timed_run(&plan->place, kernel, &plan->problem, &plan->workspace);
        if (seconds < 0 && !plan->failure[0])
            snprintf(plan->failure, sizeof plan->failure, "%s", device_error(kernel));
    } else {
        const double start = clock_now();
        kernel_run(&plan->place, kernel, &plan->problem, &plan->workspace);
        seconds = clock_now() - start;
    }
    return plan->failure[0] ? -1 : seconds;
}

const char *conv_plan_failure(const struct conv_plan *plan) { return plan->failure; }

enum conv_status conv_plan_store(struct conv_plan *plan, struct conv_error *error)
{
    for (enum conv_operand operand = 0; plan->kernel->device && operand < CONV_OPERANDS; operand++) {
        const size_t bytes = conv_operand_bytes(&plan->problem, operand);
        char what[64];
        snprintf(what, sizeof what, "%s can't be copied back from", conv_operand_name(&plan->problem, operand));
        if (conv_operand_role(&plan->problem, operand) == CONV_OUTPUT && bytes > 0
            && !device_copy_out(plan->host.at[operand], plan->kernel, plan->place.at[operand], bytes))
            return device_failed(plan, CONV_NO_MEMORY, error, what, bytes);
    }
    return CONV_OK;
}

void plan_poison(struct conv_plan *plan, unsigned char byte)
{
    if (!plan->kernel->device && plan->scratch.bytes > 0)
        memset(plan->scratch.at, byte, plan->scratch.bytes);
}

const struct guarded *plan_guard(const struct conv_plan *plan, enum plan_block block)
{
    const struct block *b = block == PLAN_SCRATCH ? &plan->scratch : &plan->packed;
    return b->guarded.base ? &b->guarded : NULL;
}

size_t conv_plan_scratch_bytes(const struct conv_plan *plan) { return plan->scratch.bytes; }
size_t conv_plan_packed_bytes(const struct conv_plan *plan) { return plan->packed.bytes; }

enum conv_status conv_run(const struct conv_operands *operands, const struct conv_kernel *kernel,
                          const struct conv_problem *problem, const struct conv_plan_options *options,
                          struct conv_error *error)
{
    struct conv_plan *plan = NULL;
    enum conv_status status = conv_plan_create(&plan, kernel, problem, options, error);
    if (status == CONV_OK)
        status = conv_plan_load(plan, operands, error);
    if (status == CONV_OK && conv_plan_run(plan) < 0)
        status = plan->failure[0]
                     ? conv_fail(error, CONV_NOT_APPLICABLE, "kernel %s failed: %s", kernel->name, plan->failure)
                     : conv_fail(error, CONV_NOT_APPLICABLE, "kernel %s failed on its device", kernel->name);
    if (status == CONV_OK)
        status = conv_plan_store(plan, error);
    conv_plan_free(plan);
    return status;
}
