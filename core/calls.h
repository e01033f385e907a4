/* calls.h - every call of a kernel's and a device's functions goes through here.  Internal.
 *
 * It knows the two forms that they have (with a context and without, convref/kernel.h and device.h), which of them
 * are missing, and that while a provider's function runs the library is not to be asked for answers (guest.h).
 * Not here: whether a kernel computes a problem at all (convref/table.h), memory (run.c).
 */
#ifndef CONVREF_CORE_CALLS_H
#define CONVREF_CORE_CALLS_H

#include <convref/kernel.h>

/* Has it a function to compute with? */
bool kernel_can_run(const struct conv_kernel *kernel);

/* Has it both of packed_bytes() and pack(), or neither? */
bool kernel_packs_whole(const struct conv_kernel *kernel);
bool kernel_packs(const struct conv_kernel *kernel);

const char *kernel_applies(const struct conv_kernel *kernel, const struct conv_problem *problem);
size_t kernel_scratch_bytes(const struct conv_kernel *kernel, const struct conv_problem *problem, int threads);
size_t kernel_packed_bytes(const struct conv_kernel *kernel, const struct conv_problem *problem);
void kernel_pack(void *packed, const struct conv_kernel *kernel, const struct conv_problem *problem,
                 const struct conv_operands *weights);
void kernel_run(const struct conv_operands *operands, const struct conv_kernel *kernel,
                const struct conv_problem *problem, const struct conv_workspace *workspace);

/* Of a kernel with a device. */
void *device_allocate(const struct conv_kernel *kernel, size_t bytes);
void device_release(const struct conv_kernel *kernel, void *memory);
bool device_copy_in(void *device_memory, const struct conv_kernel *kernel, const void *host_memory, size_t bytes);
bool device_copy_out(void *host_memory, const struct conv_kernel *kernel, const void *device_memory, size_t bytes);

/* Does it keep the time itself? */
bool device_has_clock(const struct conv_kernel *kernel);
double device_timed_run(const struct conv_operands *operands, const struct conv_kernel *kernel,
                        const struct conv_problem *problem, const struct conv_workspace *workspace);

/* Why its last function failed, in its words; "" if it has none. */
const char *device_error(const struct conv_kernel *kernel);

/* Why its times are worth nothing, in its words; NULL if they are times. */
const char *device_not_timed(const struct conv_kernel *kernel);

#endif
