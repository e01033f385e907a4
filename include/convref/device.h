/* device.h - a place with its own memory and clock, such as a GPU.
 *
 * A kernel with a device sees pointers that the device allocated, and is timed by the device's clock.  Functions that
 * return int return 0 for success.
 *
 * Threads: one thread at a time calls the functions of a device.   Read next: provider.h
 */
#ifndef CONVREF_DEVICE_H
#define CONVREF_DEVICE_H

#include <convref/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct conv_kernel;
struct conv_operands;
struct conv_problem;
struct conv_workspace;
struct conv_device_calls;

struct conv_device {
    const char *name;
    void *(*allocate)(size_t bytes);
    void (*release)(void *memory);
    int (*copy_in)(void *device_memory, const void *host_memory, size_t bytes);
    int (*copy_out)(void *host_memory, const void *device_memory, size_t bytes);
    /* Run once and return the seconds by the device's own clock; a negative number is a failure.  Missing: run() of
     * the kernel is called and timed by the clock of this machine, and must not return before the work is done. */
    double (*timed_run)(const struct conv_kernel *kernel, const struct conv_problem *problem,
                        const struct conv_operands *operands, const struct conv_workspace *workspace);

    /* Since ABI 3: for a device that needs to know who it is, or can say why something failed. */
    void *context;
    const struct conv_device_calls *calls;   /* in the place of the functions above, which are NULL then */
};

/* The same functions with the device's context in front. */
struct conv_device_calls {
    size_t size;   /* sizeof(struct conv_device_calls) */
    void *(*allocate)(void *context, size_t bytes);
    void (*release)(void *context, void *memory);
    int (*copy_in)(void *context, void *device_memory, const void *host_memory, size_t bytes);
    int (*copy_out)(void *context, void *host_memory, const void *device_memory, size_t bytes);
    double (*timed_run)(void *context, const struct conv_kernel *kernel, const struct conv_problem *problem,
                        const struct conv_operands *operands, const struct conv_workspace *workspace);
    /* Why the last of them failed, in words, valid until the next call; NULL or empty if it doesn't know. */
    const char *(*error)(void *context);
    /* Why no time of this device is worth telling, such as an emulator's; NULL if times are times.  `bench` says it in
     * the place of figures. */
    const char *not_timed;
};

#ifdef __cplusplus
}
#endif
#endif
