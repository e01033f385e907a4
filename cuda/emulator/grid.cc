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
#include "fiber.h"
#include <link.h>
#include <sys/mman.h>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulator {

int current;
uint64_t block_number, launch_first_block;
segment static_shared, dynamic_shared, stacks, host_frames;
const watcher *watching;
int landing;

namespace {

/* The limits of every device from sm_75 on; shared memory is that of a launch that asks for no more. */
enum { MOST_SHARED = 48 << 10, MOST_GRID_YZ = 65535, MOST_BLOCK_Z = 64 };
const unsigned most_grid_x = 0x7fffffff;

enum state : unsigned char { FRESH, READY, AT_BARRIER, AT_MEETING, ENDED };
enum order { FORWARD, BACKWARD, RANDOM };

struct thread {
    fiber where;
    int stack;
    state is;
    const void *site;   /* the line at which it waits */
    void *posted;       /* what it brought to the meeting */
    uint3 index;
};

struct warp { unsigned arrived; };

thread threads[MOST_THREADS];
warp warps[MOST_THREADS / warpSize];
int count;                                  /* threads of the block */
int at_barrier;
bool any, any_before;                       /* of the flags that threads bring to a barrier, and brought to the last */
int runnable[MOST_THREADS], runnables;      /* a stack: the last one goes on first */
int free_stacks[MOST_THREADS], frees, stacks_made;
fiber host;                                 /* the loop over blocks */
void (*body)(void *);
void *arguments;
bool stopped;
uint64_t dice;

const char *const order_names[] = { "forward", "backward", "random" };   /* by enum order */
const char *const landing_names[] = { "late", "early", "random" };       /* by enum landing */
int in_order;

/* One of three names; the first if the variable isn't set.  False, and an error, if it is none of them. */
bool find_choice(int *found, const char *variable, const char *const names[3])
{
    const char *text = getenv(variable);
    for (*found = 0; text && *found < 3 && strcmp(text, names[*found]); ++*found)
        ;
    if (*found == 3)
        refuse(cudaErrorInvalidValue, "%s is \"%s\": %s, %s or %s", variable, text, names[0], names[1], names[2]);
    return *found < 3;
}

/* ---- who goes on ------------------------------------------------------------------------------------------------- */

void become(int t)
{
    current = t;
    threadIdx = threads[t].index;
}

/* Threads [begin, end) whose bit in `mask` is set may go on, in the wanted order. */
void wake(int begin, int end, unsigned mask)
{
    int *list = runnable + runnables, n = 0;
    for (int t = begin; t < end; t++)
        if (mask >> t % warpSize & 1 && threads[t].is <= READY)
            list[n++] = t;
    for (int i = 0; i < n / 2 && in_order == FORWARD; i++) {
        const int other = list[i];
        list[i] = list[n - 1 - i];
        list[n - 1 - i] = other;
    }
    for (int i = n - 1; i > 0 && in_order == RANDOM; i--) {
        const int j = random_below(i + 1), other = list[i];
        list[i] = list[j];
        list[j] = other;
    }
    runnables += n;
}

/* The first function of a stack: threads that are fresh run here one after another. */
void run_threads()
{
    for (;;) {
        body(arguments);
        thread *me = &threads[current];
        me->is = ENDED;
        fiber dead, *next = &host;
        if (runnables) {
            const int t = runnable[--runnables];
            become(t);
            if (threads[t].is == FRESH) {
                threads[t].is = READY;
                threads[t].stack = me->stack;
                continue;
            }
            next = &threads[t].where;
        }
        free_stacks[frees++] = me->stack;
        fiber_switch(&dead, next);
    }
}

/* Stacks lie 64 KiB apart; their tops don't, or all of them would meet in the same lines of the cache. */
void give_stack(thread *thread)
{
    thread->stack = frees ? free_stacks[--frees] : stacks_made++;
    thread->is = READY;
    char *end = stacks.begin + static_cast<size_t>(thread->stack + 1) * STACK_BYTES;
    fiber_prepare(&thread->where, end - thread->stack % 61 * 64, STACK_BYTES - 61 * 64, run_threads);
}

/* Leave `self` (-1: the host) and go on with whoever may run; with the host if nobody may. */
void leave(fiber *here, int self)
{
    if (!runnables) {
        fiber_switch(here, &host);
        return;
    }
    const int t = runnable[--runnables];
    become(t);
    if (t == self)
        return;
    if (threads[t].is == FRESH)
        give_stack(&threads[t]);
    fiber_switch(here, &threads[t].where);
}

/* ---- the shared memory of the module ------------------------------------------------------------------------------ */

/* `static thread_local` arrays are the thread-local segment of the module in which threadIdx is. */
int find_static_shared(dl_phdr_info *module, size_t, void *)
{
    bool ours = false;
    const uintptr_t here = reinterpret_cast<uintptr_t>(&threadIdx) - module->dlpi_addr;
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) &part = module->dlpi_phdr[i];
        ours |= part.p_type == PT_LOAD && here - part.p_vaddr < part.p_memsz;
    }
    for (int i = 0; ours && i < module->dlpi_phnum; i++)
        if (module->dlpi_phdr[i].p_type == PT_TLS)
            static_shared = { static_cast<char *>(module->dlpi_tls_data), module->dlpi_phdr[i].p_memsz };
    return ours;
}

segment pages(size_t bytes)
{
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? segment{ nullptr, 0 } : segment{ static_cast<char *>(memory), bytes };
}

void find_memory()
{
    static thread_local volatile char touched;   /* the segment comes into being when it is first used */
    touched = touched + 1;
    dl_iterate_phdr(find_static_shared, nullptr);
    if (!stacks.begin)
        stacks = pages(static_cast<size_t>(MOST_THREADS) * STACK_BYTES);
    if (!dynamic_shared.begin)
        dynamic_shared = pages(MOST_SHARED);
}

/* ---- a block ------------------------------------------------------------------------------------------------------- */

/* Nobody may run, and not all have ended. */
void tell_deadlock()
{
    const void *site = nullptr;
    int waiting = 0, ended = 0;
    for (int t = 0; t < count; t++) {
        ended += threads[t].is == ENDED;
        if (threads[t].is != ENDED) {
            site = threads[t].site;
            waiting++;
        }
    }
    if (waiting)
        refuse(cudaErrorLaunchFailure, "%s: %d of %d threads wait here for ever; %d have ended (block %u,%u,%u)",
               line_of(site), waiting, count, ended, blockIdx.x, blockIdx.y, blockIdx.z);
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
    memset(warps, 0, sizeof warps);
    forget_copies();
    at_barrier = runnables = frees = stacks_made = any = 0;
    wake(0, count, ~0u);
    if (watching)
        watching->block_begins(count);
    while (runnables && !stopped)
        leave(&host, -1);
    if (!stopped)
        tell_deadlock();
    if (watching)
        watching->block_ends(count);
}

/* ---- what a device refuses ------------------------------------------------------------------------------------------ */

bool launchable(dim3 grid, dim3 block, size_t shared_bytes)
{
    const uint64_t in_block = static_cast<uint64_t>(block.x) * block.y * block.z;
    if (in_block == 0 || in_block > MOST_THREADS || block.z > MOST_BLOCK_Z)
        refuse(cudaErrorInvalidConfiguration, "a block of %u x %u x %u threads: a device takes 1 to %d, at most %d of "
               "them deep", block.x, block.y, block.z, MOST_THREADS, MOST_BLOCK_Z);
    else if (!grid.x || !grid.y || !grid.z || grid.x > most_grid_x || grid.y > MOST_GRID_YZ || grid.z > MOST_GRID_YZ)
        refuse(cudaErrorInvalidConfiguration, "a grid of %u x %u x %u blocks: a device takes 1 to %u x %d x %d", grid.x,
               grid.y, grid.z, most_grid_x, MOST_GRID_YZ, MOST_GRID_YZ);
    else if (shared_bytes > MOST_SHARED)
        refuse(cudaErrorInvalidValue, "%zu bytes of dynamic shared memory: a launch has %d", shared_bytes, MOST_SHARED);
    else if (!stacks.begin || !dynamic_shared.begin)
        refuse(cudaErrorMemoryAllocation, "no memory for the stacks of %d threads", MOST_THREADS);
    else
        return true;
    return false;
}

}   /* namespace */

int random_below(int n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int>((dice >> 33) % static_cast<unsigned>(n));
}

/* ---- what cuda_runtime.h promises ----------------------------------------------------------------------------------- */

void run(dim3 grid, dim3 block, size_t shared_bytes, void (*kernel)(void *), void *kernel_arguments)
{
    find_memory();
    if (!launchable(grid, block, shared_bytes) || !find_choice(&in_order, "CONVREF_CUDA_ORDER", order_names)
        || !find_choice(&landing, "CONVREF_CUDA_LANDING", landing_names))
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
    if (watching)
        watching->launch_begins();
    const uint64_t blocks = static_cast<uint64_t>(grid.x) * grid.y * grid.z;
    for (uint64_t i = 0; i < blocks && !stopped; i++) {
        const uint64_t b = in_order == BACKWARD ? blocks - 1 - i : i;
        blockIdx = { static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                     static_cast<unsigned>(b / grid.x / grid.y) };
        run_block();
    }
    if (watching)
        watching->launch_ends();
}

void *dynamic_shared_memory() { return dynamic_shared.begin; }
unsigned lane() { return static_cast<unsigned>(current) % warpSize; }

/* Are they one line?  A compiler of the host may have copied a call into both arms of a branch. */
static bool same_place(const void *site, const void *other)
{
    return site == other || !strcmp(line_of(site), line_of(other));
}

bool barrier(bool mine, const void *site)
{
    thread *me = &threads[current];
    me->is = AT_BARRIER;
    me->site = site;
    any |= mine;
    if (++at_barrier == count) {
        for (int t = 0; t < count; t++) {
            if (!same_place(threads[t].site, site))
                stop("%s: thread %d waits here, and thread %d at %s: a barrier in a branch that not all take",
                     line_of(site), current, t, line_of(threads[t].site));
            threads[t].is = READY;
        }
        at_barrier = 0;
        any_before = any;
        any = false;
        if (watching)
            watching->barrier();
        wake(0, count, ~0u);
    }
    leave(&me->where, current);
    return any_before;   /* all are back from this barrier before the last comes to the next */
}

void meet(unsigned mask, void *mine, void (*compute)(void *[warpSize]), const void *site)
{
    const int w = current / warpSize, first = w * warpSize;
    thread *me = &threads[current];
    if (count - first < warpSize)
        mask &= (1u << (count - first)) - 1;
    if (!(mask >> lane() & 1))
        stop("%s: lane %u isn't in its own mask %#x", line_of(site), lane(), mask);
    me->is = AT_MEETING;
    me->site = site;
    me->posted = mine;
    warps[w].arrived |= 1u << lane();
    if ((warps[w].arrived & mask) == mask) {
        void *lanes[warpSize] = {};
        for (int i = 0; i < warpSize; i++) {
            if (!(mask >> i & 1))
                continue;
            thread *other = &threads[first + i];
            if (!same_place(other->site, site))
                stop("%s: lane %u waits for lane %d, which is at %s", line_of(site), lane(), i, line_of(other->site));
            lanes[i] = other->posted;
            other->is = READY;
        }
        compute(lanes);
        warps[w].arrived &= ~mask;
        if (watching)
            watching->warp_met(w);
        wake(first, count - first < warpSize ? count : first + warpSize, mask);
    }
    leave(&me->where, current);
}

void access(const void *address, unsigned bytes, bool write, const void *site)
{
    if (watching)
        watching->access(address, bytes, write, site);
}

void atomic_access(const void *address, unsigned bytes, const void *site)
{
    if (watching)
        watching->atomic_access(address, bytes, site);
}

/* Nobody goes on: the host ends the launch, and the stacks are used again by the next. */
void leave_for_good()
{
    fiber dead;
    stopped = true;
    fiber_switch(&dead, &host);
    abort();
}

}   /* namespace emulator */
