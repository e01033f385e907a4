/* kernel.h - a kernel: one way to compute some convolutions, described by data.
 *
 * Every implementation, from the naive loops to somebody else's library, is one `struct conv_kernel`
 * at the end of the file that implements it.  The library's own kernels are listed in
 * optimized/kernels.mk and reference/kernels.mk, and nowhere else; everything from outside comes in
 * through a provider (below).  A kernel allocates nothing, prints nothing and returns nothing.
 *
 * Read next: run.h (how a kernel is run), docs/adding-a-kernel.md
 */
#ifndef CONVREF_KERNEL_H
#define CONVREF_KERNEL_H

#include <convref/accuracy.h>
#include <convref/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Instruction sets.  A kernel of the library is compiled once for each that the compiler knows, and
 * the best that this machine has is used: the ladder compares ideas, never compiler flags. */
enum conv_isa { CONV_ISA_BASELINE, CONV_ISA_AVX2, CONV_ISA_AVX512, CONV_ISAS };

enum { CONV_FAILURE = 256 };

/* What a kernel may use besides its operands. */
struct conv_workspace {
    const void *packed;   /* the weights as pack() left them; NULL without pack */
    void *scratch;        /* scratch_bytes(), 64-byte aligned, contents undefined */
    int threads;          /* 1 or more */
    char *failure;        /* CONV_FAILURE bytes, an empty text.  A kernel that can't do its work after all, because a
                           * library that it calls returns an error, writes here why, in words */
};

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
     * `packed` is 64-byte aligned; it depends on the weights (w, pw) and the problem alone. */
    size_t (*packed_bytes)(const struct conv_problem *problem);
    void (*pack)(void *packed, const struct conv_problem *problem, const struct conv_operands *weights);

    /* Compute.  Inputs are not written to; every element of every output is.  Not called when there is
     * no output to compute, so that n = 0 needs no thought in a forward pass. */
    void (*run)(const struct conv_problem *problem, const struct conv_operands *operands,
                const struct conv_workspace *workspace);

    /* Where it runs; NULL is this CPU. */
    const struct conv_device *device;
};

/* A place with its own memory and clock, such as a GPU.  Every pointer that a kernel on a device
 * sees was allocated by the device.  Functions that return int return 0 for success. */
struct conv_device {
    const char *name;
    void *(*allocate)(size_t bytes);
    void (*release)(void *memory);
    int (*copy_in)(void *device_memory, const void *host_memory, size_t bytes);
    int (*copy_out)(void *host_memory, const void *device_memory, size_t bytes);
    /* Run once and return the seconds by the device's own clock; a negative number is a failure. */
    double (*timed_run)(const struct conv_kernel *kernel, const struct conv_problem *problem,
                        const struct conv_operands *operands, const struct conv_workspace *workspace);
};

/* Define a kernel: CONV_KERNEL(name, .title = "...", .kinds = ..., .run = run)
 * The name becomes the symbol, and the instruction set is that of the build.  A file of the library is
 * compiled several times, with CONV_VARIANT telling the symbols apart. */
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
#define CONV_ISA_OF_BUILD CONV_ISA_AVX512
#elif defined(__AVX2__) && defined(__FMA__)
#define CONV_ISA_OF_BUILD CONV_ISA_AVX2
#else
#define CONV_ISA_OF_BUILD CONV_ISA_BASELINE
#endif
#ifndef CONV_VARIANT
#define CONV_VARIANT
#endif
#define CONV_PASTE_(a, b) a##b
#define CONV_PASTE(a, b) CONV_PASTE_(a, b)
#define CONV_SYMBOL(id) CONV_PASTE(id, CONV_VARIANT)
#define CONV_KERNEL(id, ...) \
    extern const struct conv_kernel CONV_SYMBOL(kernel_##id); \
    const struct conv_kernel CONV_SYMBOL(kernel_##id) = { \
        .name = #id, .isa = CONV_ISA_OF_BUILD, __VA_ARGS__ }

/* Before a function whose loops the compiler must not vectorise by itself, where that would make a naive step slower
 * than naive and the next steps look better than they are. */
#if defined(__GNUC__) && !defined(__clang__)
#define CONV_SCALAR __attribute__((optimize("no-tree-vectorize")))
#else
#define CONV_SCALAR
#endif

/* An invariant of a kernel, looked at in the checked build (configure --enable-checked) alone. */
#ifdef CONV_CHECKED
#include <assert.h>
#define CONV_CHECK(condition) assert(condition)
#else
#define CONV_CHECK(condition) ((void)0)
#endif

/* The activation, on one number.  Written so that NaN passes through. */
static inline float conv_activate(enum conv_activation act, float value)
{
    if (act != CONV_ACT_NONE && value < 0)
        return 0;
    return act == CONV_ACT_RELU6 && value > 6 ? 6 : value;
}

/* ---- the table ------------------------------------------------------------------------------------- */

/* Kernels in the order of the lists, then those of loaded providers.  Of the several builds of one
 * kernel, the best for this machine and below conv_isa_limit() is in the table. */
CONV_API int conv_kernel_count(void);
CONV_API const struct conv_kernel *conv_kernel_at(int index);

/* The kernel of that name; NULL if there is none. */
CONV_API const struct conv_kernel *conv_kernel_find(const char *name);

/* The file that a kernel of the library came from, "optimized/standard/std_01_direct.c"; for a
 * provider's kernel, the provider's path. */
CONV_API const char *conv_kernel_source(const struct conv_kernel *kernel);

/* The ladder that a kernel belongs to: the name up to its number, "dw" for "dw_04_rows_in_registers".
 * Returns `ladder`, empty if the name has no number. */
CONV_API char *conv_kernel_ladder(char ladder[32], const struct conv_kernel *kernel);

/* NULL if `kernel` computes `problem` on this machine; otherwise why not, in words.  The words stay
 * valid until the next call in the same thread. */
CONV_API const char *conv_kernel_refuses(const struct conv_kernel *kernel,
                                         const struct conv_problem *problem);

/* Use no instruction set above this one.  Starts as the best of the machine, or as the environment
 * variable CONVREF_ISA (baseline, avx2, avx512) says. */
CONV_API void conv_isa_set_limit(enum conv_isa limit);
CONV_API enum conv_isa conv_isa_limit(void);
CONV_API const char *conv_isa_name(enum conv_isa isa);
CONV_API bool conv_isa_compiled(enum conv_isa isa);    /* is there a build for it? */
CONV_API bool conv_isa_available(enum conv_isa isa);   /* compiled, and this machine has it? */

/* ---- providers: the one door for kernels from outside ------------------------------------------------ */

/* ABI 2 added workspace->failure; providers of ABI 1 know nothing of it, and are welcome. */
enum { CONV_PROVIDER_ABI = 2, CONV_PROVIDER_OLDEST_ABI = 1 };

struct conv_provider {
    uint32_t abi;           /* CONV_PROVIDER_ABI */
    uint32_t kernel_size;   /* sizeof(struct conv_kernel), as the provider was compiled */
    const char *name, *version;
    const struct conv_kernel *const *kernels;   /* ends with NULL */
};

/* A provider is a shared object that exports this function (see examples/provider.c). */
CONV_API const struct conv_provider *convref_provider(void);

/* Load a shared object and add its kernels to the table.  CONV_BAD_FILE if it isn't a provider, if its
 * ABI differs, or if one of its kernels is incomplete or has a name that is taken. */
CONV_API enum conv_status conv_provider_load(const char *path, struct conv_error *error);

#ifdef __cplusplus
}
#endif
#endif
