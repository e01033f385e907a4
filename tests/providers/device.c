/* device.c - a provider whose kernels run "elsewhere": with memory and a clock of its own.
 *
 * The device is this CPU in disguise.  Its memory is marked, a pointer that isn't its own makes the run fail, and its
 * clock always says the same, so that tests can see whose pointers and whose clock were used.
 * Read next: tests/test_run.c
 */
#include <convref/kernel.h>
#include <stdlib.h>
#include <string.h>

static const char mark[CONV_ALIGNMENT] = "memory of the test device";

static void *allocate(size_t bytes)
{
    char *block = aligned_alloc(CONV_ALIGNMENT,
                                sizeof mark + (bytes + CONV_ALIGNMENT) / CONV_ALIGNMENT * CONV_ALIGNMENT);
    return block ? memcpy(block, mark, sizeof mark) + sizeof mark : NULL;
}

static bool is_ours(const void *memory)
{
    return !memory || !memcmp((const char *)memory - sizeof mark, mark, sizeof mark);
}

static void release(void *memory) { free((char *)memory - sizeof mark); }

static int copy_in(void *device_memory, const void *host_memory, size_t bytes)
{
    memcpy(device_memory, host_memory, bytes);
    return is_ours(device_memory) ? 0 : -1;
}

static int copy_out(void *host_memory, const void *device_memory, size_t bytes)
{
    memcpy(host_memory, device_memory, bytes);
    return is_ours(device_memory) ? 0 : -1;
}

/* The same, but the call that a kernel is named for fails; from the fourth on, where it says `late`. */
static int calls;
static bool is_late(void) { return ++calls > 3; }
static void *no_memory(size_t bytes) { (void)bytes; return NULL; }
static void *late_memory(size_t bytes) { return is_late() ? NULL : allocate(bytes); }
static int no_way_in(void *to, const void *from, size_t bytes) { (void)to, (void)from, (void)bytes; return -1; }
static int late_in(void *to, const void *from, size_t bytes) { return is_late() ? -1 : copy_in(to, from, bytes); }
static int no_way_out(void *to, const void *from, size_t bytes) { return copy_out(to, from, bytes), -1; }
static int late_out(void *to, const void *from, size_t bytes) { return is_late() ? -1 : copy_out(to, from, bytes); }

static double timed_run(const struct conv_kernel *kernel, const struct conv_problem *problem,
                        const struct conv_operands *operands, const struct conv_workspace *workspace)
{
    for (int i = 0; i < CONV_OPERANDS; i++)
        if (!is_ours(operands->at[i]))
            return -1;
    if (!is_ours(workspace->scratch) || !is_ours(workspace->packed))
        return -1;
    kernel->run(problem, operands, workspace);
    return 0.125;
}

static double failing_run(const struct conv_kernel *kernel, const struct conv_problem *problem,
                          const struct conv_operands *operands, const struct conv_workspace *workspace)
{
    (void)kernel, (void)problem, (void)operands, (void)workspace;
    return -1;
}

/* A pointwise convolution, 2-D: y[n][k][i] = bias[k] + SUM x[n][c][i] * w[k][c] */
static void run(const struct conv_problem *conv, const struct conv_operands *operands,
                const struct conv_workspace *workspace)
{
    const int64_t pixels = conv->axis[CONV_H].in * conv->axis[CONV_W].in;
    const float (*x)[conv->c][pixels] = operands->x;
    const float (*w)[conv->c] = workspace->packed;
    const float *bias = operands->bias;
    float (*y)[conv->k][pixels] = operands->y, *sum = workspace->scratch;
    for (int64_t n = 0; n < conv->n; n++)
    for (int64_t k = 0; k < conv->k; k++)
    for (int64_t i = 0; i < pixels; i++) {
        *sum = bias ? bias[k] : 0;
        for (int64_t c = 0; c < conv->c; c++)
            *sum += x[n][c][i] * w[k][c];
        y[n][k][i] = conv_activate(conv->act, *sum);
    }
}

static const char *applies(const struct conv_problem *conv)
{
    const struct conv_axis H = conv->axis[CONV_H], W = conv->axis[CONV_W];
    return conv->rank == 2 && H.stride * W.stride == 1
        && H.pad_begin + H.pad_end + W.pad_begin + W.pad_end == 0 ? NULL
         : "it knows 2-D problems without stride and padding only";
}

static size_t scratch_bytes(const struct conv_problem *conv, int threads)
{
    (void)conv, (void)threads;
    return sizeof(float);
}

static size_t packed_bytes(const struct conv_problem *conv) { return (size_t)(conv->k * conv->c) * sizeof(float); }

static void pack(void *packed, const struct conv_problem *conv, const struct conv_operands *weights)
{
    memcpy(packed, weights->w, packed_bytes(conv));
}

#define DEVICE(run_function) { "the test device", allocate, release, copy_in, copy_out, run_function }
static const struct conv_device device = DEVICE(timed_run), broken = DEVICE(failing_run);
static const struct conv_device failing[] = {
    { "a full device", no_memory, release, copy_in, copy_out, timed_run },
    { "a device that fills", late_memory, release, copy_in, copy_out, timed_run },
    { "a device without a way in", allocate, release, no_way_in, copy_out, timed_run },
    { "a device that closes", allocate, release, late_in, copy_out, timed_run },
    { "a device without a way out", allocate, release, copy_in, no_way_out, timed_run },
    { "a device that keeps", allocate, release, copy_in, late_out, timed_run },
};

#define ON(where, id, words) { .name = id, .title = words, .kinds = 1u << CONV_POINTWISE, .applies = applies, \
    .scratch_bytes = scratch_bytes, .packed_bytes = packed_bytes, .pack = pack, .run = run, .device = where }
static const struct conv_kernel good = ON(&device, "device_pointwise", "a pointwise kernel on a device"),
                                bad = ON(&broken, "device_broken", "a device that can't run"),
                                no_allocate = ON(&failing[0], "device_no_allocate", "it has no memory"),
                                late_allocate = ON(&failing[1], "device_late_allocate", "its memory is used up"),
                                no_copy_in = ON(&failing[2], "device_no_copy_in", "nothing gets there"),
                                late_copy_in = ON(&failing[3], "device_late_copy_in", "at last nothing gets there"),
                                no_copy_out = ON(&failing[4], "device_no_copy_out", "nothing comes back"),
                                late_copy_out = ON(&failing[5], "device_late_copy_out", "at last nothing comes back");

const struct conv_provider *convref_provider(void)
{
    static const struct conv_kernel *const kernels[] = {
        &good, &bad, &no_allocate, &late_allocate, &no_copy_in, &late_copy_in, &no_copy_out, &late_copy_out, NULL };
    static const struct conv_provider provider = {
        CONV_PROVIDER_ABI, sizeof(struct conv_kernel), "device", "1", kernels
    };
    return &provider;
}
