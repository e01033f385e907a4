/* run.c - plans: the one checked way to run a kernel.   Declared in convref/run.h.
 *
 * All memory that a run needs is taken here, in create and load, so that conv_plan_run() is the kernel
 * and two readings of the clock.
 */
#include <convref/guarded.h>
#include <convref/machine.h>
#include <convref/run.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_table.h"

enum { POISON = 0xFF };   /* bytes of 0xFF are a NaN in every floating-point type */

/* Memory for scratch or packed weights: plain, guarded, or a device's. */
struct block {
    void *at;
    size_t bytes;
    struct conv_guarded guarded;
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

static enum conv_status take(struct block *block, size_t bytes, const struct conv_plan *plan,
                             struct conv_error *error)
{
    const struct conv_device *device = plan->kernel->device;
    block->bytes = bytes;
    if (bytes == 0)
        return CONV_OK;
    if (device) {
        block->at = device->allocate(bytes);
    } else if (plan->options.guarded) {
        enum conv_status status = conv_guarded_create(&block->guarded, bytes, error);
        if (status != CONV_OK)
            return status;
        block->at = conv_guarded_place(&block->guarded, bytes, CONV_ALIGNMENT, CONV_FLUSH_RIGHT, POISON);
    } else {
        block->at = aligned_alloc(CONV_ALIGNMENT, (bytes / CONV_ALIGNMENT + 1) * CONV_ALIGNMENT);
    }
    return block->at ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no memory for %zu bytes of workspace",
                                           bytes);
}

static void give_back(struct block *block, const struct conv_device *device)
{
    if (device && block->at)
        device->release(block->at);
    else if (block->guarded.base)
        conv_guarded_free(&block->guarded);
    else
        free(block->at);
}

/* ---- create ------------------------------------------------------------------------------------------- */

static enum conv_status take_workspace(struct conv_plan *plan, struct conv_error *error)
{
    const struct conv_kernel *kernel = plan->kernel;
    const int threads = plan->workspace.threads;
    const size_t scratch = kernel->scratch_bytes ? kernel->scratch_bytes(&plan->problem, threads) : 0;
    const size_t packed = kernel->packed_bytes ? kernel->packed_bytes(&plan->problem) : 0;
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
    enum conv_status status = conv_problem_finish(&checked, error);
    if (status != CONV_OK)
        return status;
    const char *why = conv_kernel_refuses(kernel, &checked);
    if (why)
        return conv_fail(error, CONV_NOT_APPLICABLE, "kernel %s does not apply: %s", kernel->name, why);

    struct conv_plan *made = calloc(1, sizeof *made);
    if (!made)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for a plan");
    made->kernel = conv_kernel_build(kernel, checked.type);
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
    const struct conv_device *device = plan->kernel->device;
    for (int operand = 0; device && operand < CONV_OPERANDS; operand++)
        if (plan->place.at[operand])
            device->release(plan->place.at[operand]);
    give_back(&plan->scratch, device);
    give_back(&plan->packed, device);
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
    const struct conv_device *device = plan->kernel->device;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        const size_t bytes = conv_operand_bytes(&plan->problem, operand);
        if (bytes == 0)
            continue;
        if (!plan->place.at[operand])
            plan->place.at[operand] = device->allocate(bytes);
        /* outputs too: they carry the verifier's poison */
        if (!plan->place.at[operand]
            || device->copy_in(plan->place.at[operand], plan->host.at[operand], bytes) != 0)
            return conv_fail(error, CONV_NO_MEMORY, "%zu bytes of %s can't be copied to %s", bytes,
                             conv_operand_name(&plan->problem, operand), device->name);
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
    if (status == CONV_OK && kernel->pack && plan->packed.at)
        kernel->pack(plan->packed.at, &plan->problem, &plan->place);
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
    if (!has_outputs(&plan->problem))
        return 0;
    plan->failure[0] = 0;
    double seconds;
    if (kernel->device && kernel->device->timed_run) {
        seconds = kernel->device->timed_run(kernel, &plan->problem, &plan->place, &plan->workspace);
    } else {
        const double start = conv_seconds();
        kernel->run(&plan->problem, &plan->place, &plan->workspace);
        seconds = conv_seconds() - start;
    }
    return plan->failure[0] ? -1 : seconds;
}

const char *conv_plan_failure(const struct conv_plan *plan) { return plan->failure; }

enum conv_status conv_plan_store(struct conv_plan *plan, struct conv_error *error)
{
    const struct conv_device *device = plan->kernel->device;
    for (enum conv_operand operand = 0; device && operand < CONV_OPERANDS; operand++) {
        const size_t bytes = conv_operand_bytes(&plan->problem, operand);
        if (conv_operand_role(&plan->problem, operand) == CONV_OUTPUT && bytes > 0
            && device->copy_out(plan->host.at[operand], plan->place.at[operand], bytes) != 0)
            return conv_fail(error, CONV_NO_MEMORY, "%s can't be copied back from %s",
                             conv_operand_name(&plan->problem, operand), device->name);
    }
    return CONV_OK;
}

void conv_plan_poison(struct conv_plan *plan, unsigned char byte)
{
    if (!plan->kernel->device && plan->scratch.bytes > 0)
        memset(plan->scratch.at, byte, plan->scratch.bytes);
}

const struct conv_guarded *conv_plan_guard(const struct conv_plan *plan, enum conv_plan_block block)
{
    const struct block *b = block == CONV_PLAN_SCRATCH ? &plan->scratch : &plan->packed;
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
