/* calls.c - calls of a kernel's and a device's functions.   Declared in calls.h. */
#include "core/calls.h"

#include "core/guest.h"

/* A field behind the size that the provider was compiled with is missing. */
#define HAS(calls, field) \
    ((calls) && (calls)->size >= offsetof(__typeof__(*(calls)), field) + sizeof (calls)->field && (calls)->field)

/* ---- kernels -------------------------------------------------------------------------------------------------- */

bool kernel_can_run(const struct conv_kernel *kernel) { return kernel->run || HAS(kernel->calls, run); }

bool kernel_packs(const struct conv_kernel *kernel) { return kernel->pack || HAS(kernel->calls, pack); }

bool kernel_packs_whole(const struct conv_kernel *kernel)
{
    return (kernel->packed_bytes || HAS(kernel->calls, packed_bytes)) == kernel_packs(kernel);
}

/* What a pass reads, and what it writes. */
static struct conv_inputs inputs_of(const struct conv_problem *problem, const struct conv_operands *operands)
{
    struct conv_inputs in = { .x = NULL };
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(problem, operand) == CONV_INPUT)
            in.at[operand] = operands->at[operand];
    return in;
}

static struct conv_operands outputs_of(const struct conv_problem *problem, const struct conv_operands *operands)
{
    struct conv_operands out = { .x = NULL };
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(problem, operand) == CONV_OUTPUT)
            out.at[operand] = operands->at[operand];
    return out;
}

const char *kernel_applies(const struct conv_kernel *kernel, const struct conv_problem *problem)
{
    const bool was = guest_enter(kernel);
    const char *why = HAS(kernel->calls, applies) ? kernel->calls->applies(kernel->context, problem)
                    : kernel->applies ? kernel->applies(problem) : NULL;
    guest_leave(was);
    return why;
}

size_t kernel_scratch_bytes(const struct conv_kernel *kernel, const struct conv_problem *problem, int threads)
{
    const bool was = guest_enter(kernel);
    const size_t bytes = HAS(kernel->calls, scratch_bytes)
                             ? kernel->calls->scratch_bytes(kernel->context, problem, threads)
                             : kernel->scratch_bytes ? kernel->scratch_bytes(problem, threads) : 0;
    guest_leave(was);
    return bytes;
}

size_t kernel_packed_bytes(const struct conv_kernel *kernel, const struct conv_problem *problem)
{
    const bool was = guest_enter(kernel);
    const size_t bytes = HAS(kernel->calls, packed_bytes) ? kernel->calls->packed_bytes(kernel->context, problem)
                       : kernel->packed_bytes ? kernel->packed_bytes(problem) : 0;
    guest_leave(was);
    return bytes;
}

void kernel_pack(void *packed, const struct conv_kernel *kernel, const struct conv_problem *problem,
                 const struct conv_operands *weights)
{
    /* no work on x outside the clock */
    const struct conv_operands only = { .w = weights->w, .pw = weights->pw, .ew = weights->ew };
    const struct conv_inputs in = inputs_of(problem, &only);
    const bool was = guest_enter(kernel);
    if (HAS(kernel->calls, pack))
        kernel->calls->pack(kernel->context, packed, problem, &in);
    else
        kernel->pack(packed, problem, &only);
    guest_leave(was);
}

void kernel_run(const struct conv_operands *operands, const struct conv_kernel *kernel,
                const struct conv_problem *problem, const struct conv_workspace *workspace)
{
    const struct conv_inputs in = inputs_of(problem, operands);
    const struct conv_operands out = outputs_of(problem, operands);
    const bool was = guest_enter(kernel);
    if (HAS(kernel->calls, run))
        kernel->calls->run(kernel->context, &out, problem, &in, workspace);
    else
        kernel->run(problem, operands, workspace);
    guest_leave(was);
}

/* ---- devices --------------------------------------------------------------------------------------------------- */

void *device_allocate(const struct conv_kernel *kernel, size_t bytes)
{
    const struct conv_device *device = kernel->device;
    const bool was = guest_enter(kernel);
    void *memory = HAS(device->calls, allocate) ? device->calls->allocate(device->context, bytes)
                                                : device->allocate(bytes);
    guest_leave(was);
    return memory;
}

void device_release(const struct conv_kernel *kernel, void *memory)
{
    const struct conv_device *device = kernel->device;
    const bool was = guest_enter(kernel);
    if (HAS(device->calls, release))
        device->calls->release(device->context, memory);
    else
        device->release(memory);
    guest_leave(was);
}

bool device_copy_in(void *device_memory, const struct conv_kernel *kernel, const void *host_memory, size_t bytes)
{
    const struct conv_device *device = kernel->device;
    const bool was = guest_enter(kernel);
    const int status = HAS(device->calls, copy_in)
                           ? device->calls->copy_in(device->context, device_memory, host_memory, bytes)
                           : device->copy_in(device_memory, host_memory, bytes);
    guest_leave(was);
    return status == 0;
}

bool device_copy_out(void *host_memory, const struct conv_kernel *kernel, const void *device_memory, size_t bytes)
{
    const struct conv_device *device = kernel->device;
    const bool was = guest_enter(kernel);
    const int status = HAS(device->calls, copy_out)
                           ? device->calls->copy_out(device->context, host_memory, device_memory, bytes)
                           : device->copy_out(host_memory, device_memory, bytes);
    guest_leave(was);
    return status == 0;
}

bool device_has_clock(const struct conv_kernel *kernel)
{
    return kernel->device && (kernel->device->timed_run || HAS(kernel->device->calls, timed_run));
}

double device_timed_run(const struct conv_operands *operands, const struct conv_kernel *kernel,
                        const struct conv_problem *problem, const struct conv_workspace *workspace)
{
    const struct conv_device *device = kernel->device;
    const bool was = guest_enter(kernel);
    const double seconds = HAS(device->calls, timed_run)
                               ? device->calls->timed_run(device->context, kernel, problem, operands, workspace)
                               : device->timed_run(kernel, problem, operands, workspace);
    guest_leave(was);
    return seconds;
}

const char *device_error(const struct conv_kernel *kernel)
{
    const struct conv_device *device = kernel->device;
    const bool was = guest_enter(kernel);
    const char *words = HAS(device->calls, error) ? device->calls->error(device->context) : NULL;
    guest_leave(was);
    return words ? words : "";
}

const char *device_not_timed(const struct conv_kernel *kernel)
{
    const struct conv_device *device = kernel->device;
    return device && HAS(device->calls, not_timed) ? device->calls->not_timed : NULL;
}
