/* kernel.h - a kernel: one way to compute some convolutions, described by data.
 *
 * Every implementation, from the naive loops to somebody else's library, is one `struct conv_kernel` at the end of
 * the file that implements it.  The library's own kernels are listed in optimized/kernels.mk and
 * reference/kernels.mk, and nowhere else; everything from outside comes in through a provider (provider.h).  A kernel
 * allocates nothing, prints nothing and returns nothing.  Whoever writes one needs this header alone.
 *
 * Threads: one thread at a time calls run() of a kernel on one workspace; a kernel that declares `threaded` starts
 * its own.   Read next: run.h (how a kernel is run), docs/adding-a-kernel.md
 */
#ifndef CONVREF_KERNEL_H
#define CONVREF_KERNEL_H

#include <convref/accuracy.h>
#include <convref/define.h>
#include <convref/device.h>
#include <convref/isa.h>
#include <convref/provider.h>
#include <convref/table.h>
#include <convref/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CONV_FAILURE = 256 };

/* What a kernel may use besides its operands. */
struct conv_workspace {
    const void *packed;   /* the weights as pack() left them; NULL without pack */
    void *scratch;        /* scratch_bytes(), 64-byte aligned, contents undefined */
    int threads;          /* 1 or more */
    char *failure;        /* CONV_FAILURE bytes, an empty text.  A kernel that can't do its work after all, because a
                           * library that it calls returns an error, writes here why, in words */
};

struct conv_kernel_calls;

/* Sets of enum values: 1u << CONV_DEPTHWISE | 1u << CONV_GROUPED ... */
struct conv_kernel {
    const char *name;     /* file = symbol = what the user types: "dw_04_rows_in_registers" */
    const char *title;    /* one line: what this step changes */
    const char *from;     /* the step that it grew out of; NULL for the first */
    unsigned kinds;       /* set of enum conv_kind */
    unsigned passes;      /* set of enum conv_pass; 0 means forward */
    unsigned layouts;     /* set of enum conv_layout; 0 means channels first */
    unsigned types;       /* set of enum conv_type; 0 means f32 */
    enum conv_isa isa;    /* the instruction set that it was compiled for */
    enum conv_accuracy accuracy;  /* what it claims, and how it is judged: CONV_DIRECT unless it says so */
    bool threaded;        /* uses workspace.threads; others are run with 1 */

    /* NULL if the kernel computes `problem`, which fits the sets above; otherwise why not, in words.
     * A missing function means that it does. */
    const char *(*applies)(const struct conv_problem *problem);

    /* Bytes of scratch for this problem and number of threads.  Missing: none. */
    size_t (*scratch_bytes)(const struct conv_problem *problem, int threads);

    /* Weights, prepared once, outside the timing, like every library does.  Missing: not packed.
     * `packed` is 64-byte aligned; it depends on the weights (w, pw, ew) and the problem alone. */
    size_t (*packed_bytes)(const struct conv_problem *problem);
    void (*pack)(void *packed, const struct conv_problem *problem, const struct conv_operands *weights);

    /* Compute.  Inputs are not written to; every element of every output is.  Not called when there is
     * no output to compute, so that n = 0 needs no thought in a forward pass. */
    void (*run)(const struct conv_problem *problem, const struct conv_operands *operands,
                const struct conv_workspace *workspace);

    /* Where it runs; NULL is this CPU. */
    const struct conv_device *device;

    /* Since ABI 3: for kernels that share their functions, or want the compiler to keep them from their inputs. */
    void *context;
    const struct conv_kernel_calls *calls;   /* in the place of the functions above, which are NULL then */
};

/* Inputs that can't be written to: at the place of an output there is NULL. */
struct conv_inputs {
    CONV_ANONYMOUS union {
        CONV_ANONYMOUS struct { const void *x, *w, *bias, *pw, *pw_bias, *y, *ew, *ew_bias; };
        const void *at[CONV_OPERANDS];   /* the same, by enum conv_operand */
    };
};

/* The functions of a kernel once more, with its context in front, and inputs and outputs apart: `out` has NULL at the
 * place of an input.  What they mean is said above. */
struct conv_kernel_calls {
    size_t size;   /* sizeof(struct conv_kernel_calls) */
    const char *(*applies)(void *context, const struct conv_problem *problem);
    size_t (*scratch_bytes)(void *context, const struct conv_problem *problem, int threads);
    size_t (*packed_bytes)(void *context, const struct conv_problem *problem);
    void (*pack)(void *context, void *packed, const struct conv_problem *problem, const struct conv_inputs *weights);
    void (*run)(void *context, const struct conv_operands *out, const struct conv_problem *problem,
                const struct conv_inputs *in, const struct conv_workspace *workspace);
};

#ifdef __cplusplus
}
#endif
#endif
