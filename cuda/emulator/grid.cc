/* grid.cc - runs a grid: blocks one after another, the threads of a block as functions that can wait.
 *
 * A thread that never waits costs a function call: the next one runs on the same stack.  Only a thread that waits, at a
 * barrier or where its warp meets, keeps its stack, and the next one gets another.
 * Nothing may depend on the order in which threads run: CONVREF_CUDA_ORDER says forward (the default), backward or
 * random.  Shared memory starts as NaN in every block.  What a real device refuses is refused: too many threads, too
 * large a grid, too much shared memory; and a block whose threads wait for each other in vain is told with its lines.
 * Not here: the switch (fiber.cc), memory of the device (runtime.cc), races (watch.cc).
 * Read next: docs/how-a-gpu-runs-a-kernel.md
 */
#include "grid.h"
#include <algorithm>
#include <link.h>
#include <sys/mman.h>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulator {

int current = -1, landing;
uint64_t block_number, launch_first_block;
segment static_shared, dynamic_shared, stacks, host_frames;

namespace {

enum { MOST_SHARED = 48 << 10 };   /* bytes */

enum state : unsigned char { FRESH, BEGUN, ENDED };
enum order { FORWARD, BACKWARD, RANDOM };

struct thread {
    void *where;        /* its fiber, while it waits */
    int stack;
    state is;
    const void *site;   /* the line at which it waits */
    void *posted;       /* what it brought to the meeting */
    uint3 index;
};

thread threads[MOST_THREADS];
int count;                                  /* threads of the block */
int at_barrier;
bool any, any_before;                       /* of the flags that threads bring to a barrier, and brought to the last */
unsigned arrived[MOST_WARPS];               /* lanes that wait for a meeting */
int runnable[MOST_THREADS], runnables;      /* a stack: the last one goes on first */
int free_stacks[MOST_THREADS], frees, stacks_made;
void *host;                                 /* the loop over blocks */
void (*body)(void *);
void *arguments;
bool stopped;
uint64_t dice;
int in_order;
watcher nobody;

/* One of three names; the first if the variable isn't set.  False, and an error, if it is none of them. */
bool find_choice(int *found, const char *variable, const char *first, const char *second, const char *third)
{
    const char *text = getenv(variable), *names[] = { first, second, third };
    for (*found = 0; text && *found < 3 && strcmp(text, names[*found]); ++*found)
        ;
    if (*found == 3)
        refuse(cudaErrorInvalidValue, "%s is \"%s\": %s, %s or %s", variable, text, first, second, third);
    return *found < 3;
}

/* ---- who goes on ------------------------------------------------------------------------------------------------- */

/* Threads [begin, end) whose bit in `mask` is set may go on, in the wanted order. */
void wake(int begin, int end, unsigned mask)
{
    int *list = runnable + runnables, n = 0;
    for (int t = begin; t < end; t++)
        if (mask >> t % warpSize & 1)
            list[n++] = t;
    if (in_order == FORWARD)
        std::reverse(list, list + n);
    for (int i = n - 1; i > 0 && in_order == RANDOM; i--)
        std::swap(list[i], list[random_below(i + 1)]);
    runnables += n;
}

/* The next one that may run, whose threadIdx is there from now on; nullptr: nobody. */
thread *next_thread()
{
    current = runnables ? runnable[--runnables] : -1;
    if (current < 0)
        return nullptr;
    threadIdx = threads[current].index;
    return &threads[current];
}

/* The first function of a stack: threads that are fresh run here one after another. */
void run_threads()
{
    for (;;) {
        body(arguments);
        thread *me = &threads[current], *next = next_thread();
        me->is = ENDED;
        if (next && next->is == FRESH) {
            next->is = BEGUN;
            next->stack = me->stack;
            continue;
        }
        free_stacks[frees++] = me->stack;
        emulator_switch(&me->where, next ? next->where : host);
    }
}

/* Stacks lie 64 KiB apart; their tops don't, or all of them would meet in the same lines of the cache. */
void give_stack(thread *thread)
{
    enum { COLOURS = 61, LINE = 64 };
    thread->stack = frees ? free_stacks[--frees] : stacks_made++;
    thread->is = BEGUN;
    thread->where = new_fiber({ stacks.begin + static_cast<size_t>(thread->stack) * STACK_BYTES,
                                STACK_BYTES - static_cast<size_t>(thread->stack % COLOURS * LINE) }, run_threads);
}

/* Leave a thread, or the host, and go on with whoever may run; with the host if nobody may. */
void leave(void **here)
{
    thread *next = next_thread();
    if (next && here == &next->where)
        return;
    if (next && next->is == FRESH)
        give_stack(next);
    emulator_switch(here, next ? next->where : host);
}

/* ---- the shared memory of the module ------------------------------------------------------------------------------ */

/* `static thread_local` arrays are the thread-local segment of the module in which threadIdx is. */
int find_static_shared(dl_phdr_info *module, size_t, void *)
{
    bool ours = false;
    segment shared = {};
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) &part = module->dlpi_phdr[i];
        ours |= part.p_type == PT_LOAD && uintptr_t(&threadIdx) - module->dlpi_addr - part.p_vaddr < part.p_memsz;
        if (part.p_type == PT_TLS)
            shared = { static_cast<char *>(module->dlpi_tls_data), part.p_memsz };
    }
    if (ours)
        static_shared = shared;
    return ours;
}

/* Stacks, 64 MiB that are taken where they are touched; above them a gap, and dynamic shared memory. */
bool find_memory()
{
    static thread_local volatile char touched;   /* the segment comes into being when it is first used */
    touched = touched + 1;
    dl_iterate_phdr(find_static_shared, nullptr);
    const size_t bytes = static_cast<size_t>(MOST_THREADS) * STACK_BYTES;
    static void *memory = mmap(nullptr, bytes + 2 * MOST_SHARED, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        refuse(cudaErrorMemoryAllocation, "no memory for the stacks of %d threads", MOST_THREADS);
    stacks = { static_cast<char *>(memory), bytes };
    dynamic_shared = { stacks.begin + bytes + MOST_SHARED, 0 };
    return memory != MAP_FAILED;
}

/* ---- a block ------------------------------------------------------------------------------------------------------- */

/* Nobody may run, and perhaps not all have ended. */
void tell_deadlock()
{
    const void *site = nullptr;
    int waiting = 0;
    for (int t = 0; t < count; t++)
        if (threads[t].is != ENDED) {
            site = threads[t].site;
            waiting++;
        }
    if (waiting)
        refuse(cudaErrorLaunchFailure, "%s: %d of %d threads wait here for ever; %d have ended (block %u,%u,%u)",
               line_of(site), waiting, count, count - waiting, blockIdx.x, blockIdx.y, blockIdx.z);
    stopped |= waiting > 0;
}

void run_block()
{
    block_number++;
    /* 0xff everywhere is a NaN, in floats of any width */
    memset(static_shared.begin, 0xff, static_shared.bytes);
    memset(dynamic_shared.begin, 0xff, dynamic_shared.bytes);
    for (int t = 0; t < count; t++)
        threads[t].is = FRESH;
    memset(arrived, 0, sizeof arrived);
    forget_copies();
    at_barrier = runnables = frees = stacks_made = 0;
    any = false;
    watching->block_begins();
    wake(0, count, ~0u);
    while (runnables && !stopped)
        leave(&host);
    if (!stopped)
        tell_deadlock();
    watching->block_ends(count);
}

/* ---- what a device refuses ------------------------------------------------------------------------------------------ */

/* From sm_75 on; shared memory is that of a launch that asks for no more. */
bool launchable(dim3 grid, dim3 block, size_t shared_bytes)
{
    const struct { const char *what; uint64_t asked, least, most; } limits[] = {
        { "threads in a block", uint64_t(block.x) * block.y * block.z, 1, MOST_THREADS },
        { "threads of a block along z", block.z, 1, 64 },
        { "blocks along x", grid.x, 1, 0x7fffffff },
        { "blocks along y", grid.y, 1, 65535 },
        { "blocks along z", grid.z, 1, 65535 },
        { "bytes of dynamic shared memory", shared_bytes, 0, MOST_SHARED },
    };
    for (const auto &[what, asked, least, most] : limits)
        if (asked < least || asked > most) {
            refuse(cudaErrorInvalidConfiguration, "%llu %s: a launch has %llu to %llu", 0ull + asked, what, 0ull + least,
                   0ull + most);
            return false;
        }
    return true;
}

/* All of [begin, end) whose bit is set are here, and go on if they wait at one line: not at one address, since a
 * compiler of the host may have copied a call into both arms of a branch. */
void go_on(int begin, int end, unsigned mask, const void *site, const char *otherwise)
{
    for (int t = begin; t < end; t++) {
        const void *other = mask >> t % warpSize & 1 ? threads[t].site : site;
        if (other != site && strcmp(line_of(other), line_of(site)))
            refuse(cudaErrorLaunchFailure, "%s: thread %d waits here, and thread %d at %s: %s", line_of(site), current, t,
                   line_of(other), otherwise);
    }
    wake(begin, end, mask);
}

}   /* namespace */

watcher *watching = &nobody;

int random_below(int n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int>((dice >> 33) % static_cast<unsigned>(n));
}

/* Nobody goes on: the host ends the launch, and the stacks are used again by the next. */
void end_grid()
{
    void *dead;
    stopped = true;
    current = -1;
    emulator_switch(&dead, host);
    abort();
}

/* ---- what cuda_runtime.h promises ----------------------------------------------------------------------------------- */

void run(dim3 grid, dim3 block, size_t shared_bytes, void (*kernel)(void *), void *kernel_arguments)
{
    if (!find_memory() || !launchable(grid, block, shared_bytes)
        || !find_choice(&in_order, "CONVREF_CUDA_ORDER", "forward", "backward", "random")    /* by enum order */
        || !find_choice(&landing, "CONVREF_CUDA_LANDING", "late", "early", "random"))        /* by enum landing */
        return;
    host_frames = { static_cast<char *>(__builtin_frame_address(0)), STACK_BYTES };   /* the arguments lie there */
    dice = 1;
    body = kernel;
    arguments = kernel_arguments;
    gridDim = grid;
    blockDim = block;
    dynamic_shared.bytes = shared_bytes;
    count = static_cast<int>(block.x * block.y * block.z);
    for (unsigned t = 0; t < static_cast<unsigned>(count); t++)
        threads[t].index = { t % block.x, t / block.x % block.y, t / (block.x * block.y) };
    stopped = false;
    launch_first_block = block_number + 1;
    watching->launch_begins();
    const uint64_t blocks = static_cast<uint64_t>(grid.x) * grid.y * grid.z;
    for (uint64_t i = 0; i < blocks && !stopped; i++) {
        const uint64_t b = in_order == BACKWARD ? blocks - 1 - i : i;
        blockIdx = { static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                     static_cast<unsigned>(b / grid.x / grid.y) };
        run_block();
    }
    watching->launch_ends();
}

void *dynamic_shared_memory() { return dynamic_shared.begin; }
unsigned lane() { return static_cast<unsigned>(current) % warpSize; }
void fence() { watching->fence(); }
void access(const void *address, size_t bytes, kind kind, const void *site)
{
    watching->access(address, bytes, kind, site);
}

bool barrier(bool mine, const void *site)
{
    thread *me = &threads[current];
    me->site = site;
    any |= mine;
    if (++at_barrier == count) {
        go_on(0, count, ~0u, site, "a barrier in a branch that not all take");
        at_barrier = 0;
        any_before = any;
        any = false;
        watching->barrier();
    }
    leave(&me->where);
    return any_before;   /* all are back from this barrier before the last comes to the next */
}

void meet(unsigned mask, void *mine, void (*compute)(void *[warpSize]), const void *site)
{
    const int w = current / warpSize, first = w * warpSize, end = std::min(count, first + warpSize);
    thread *me = &threads[current];
    mask &= ~0u >> (first + warpSize - end);
    if (!(mask >> lane() & 1))
        refuse(cudaErrorLaunchFailure, "%s: lane %u isn't in its own mask %#x", line_of(site), lane(), mask);
    me->site = site;
    me->posted = mine;
    arrived[w] |= 1u << lane();
    if ((arrived[w] & mask) == mask) {
        void *lanes[warpSize] = {};
        go_on(first, end, mask, site, "lanes of a mask that meet in different places");
        for (int t = first; t < end; t++)
            lanes[t - first] = mask >> (t - first) & 1 ? threads[t].posted : nullptr;
        compute(lanes);
        arrived[w] &= ~mask;
        watching->warp_met(w);
    }
    leave(&me->where);
}

}   /* namespace emulator */
