/* watch.cc - sees every load and store of a grid, and ends the launch at the first that can't be right.
 *
 * Kernels of the watched module are compiled with -fsanitize=thread, which makes the compiler call __tsan_read4() and its
 * like before each access; those functions are here, and no library of the sanitizer is linked.  Told are:
 *
 *     two accesses to a word, one of them a write, that nothing orders: no barrier between them, no meeting of their
 *     warp, and not the same thread; blocks of a launch are ordered by fences and an atomic operation alone;
 *     a read of what nobody wrote: shared memory in this block, memory of the device since it was allocated;
 *     shared memory that an asynchronous copy fills, touched before the thread that began the copy waited for it; it
 *     counts as written when the copy begins, for what came before, and when its thread has waited, for what follows;
 *     an address in no allocation, no shared memory and on no stack.
 *
 * A word has 4 bytes; accesses to different bytes of a word count as one place.
 * Not here: what threads wait for (grid.cc), which finds barriers that not all reach; what is moved (traffic.cc).
 * Read next: traffic.cc
 */
#include "grid.h"
#include <algorithm>
#include <cstdio>
#include <list>
#include <unordered_map>
#include <vector>

namespace emulator {
namespace {

/* Who touched a word, and when: the time within a block is its number of barriers, and of meetings of the warp. */
struct touch {
    uint64_t block;   /* 0: nobody */
    uint32_t barriers, meetings, fences;
    int thread;
    const void *site;
    bool atomic;      /* of those the device makes a line, whichever order it is */
    bool coming;      /* an asynchronous copy that nobody has waited for */
};

/* Two readers are enough: of two warps, so that a write by either of them meets the other. */
struct word { touch written, read[2]; bool known; };

struct memory : segment { bool shared; std::vector<word> words; };

std::list<memory> allocations;
memory of_static, of_dynamic, *last_found;
uint32_t barriers, meetings[MOST_WARPS], fences;   /* so far, of all threads */
segment module_segment;   /* the code and constants of the module */

memory *find(const void *address)
{
    if (last_found && last_found->holds(address))
        return last_found;
    for (memory *shared : { &of_static, &of_dynamic })
        if (shared->holds(address))
            return last_found = shared;
    for (memory &allocation : allocations)
        if (allocation.holds(address))
            return last_found = &allocation;
    return nullptr;
}

memory memory_of(const segment &at, bool shared) { return { at, shared, std::vector<word>((at.bytes + 3) / 4) }; }

/* do_it(word) for each word of a piece of memory */
template <class F> void each_word(memory *place, const void *at, size_t bytes, F do_it)
{
    const size_t first = static_cast<size_t>(static_cast<const char *>(at) - place->begin);
    for (size_t i = first / 4; bytes && i <= (first + bytes - 1) / 4; i++)
        do_it(&place->words[i]);
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

touch now(const void *site, bool atomic)
{
    return { block_number, barriers, meetings[current / warpSize], fences, current, site, atomic, false };
}

/* Of two moments of one block: is there a barrier between them, or a meeting of their warp, or are they one thread's? */
bool follows(const touch &before, const touch &after)
{
    return before.thread == after.thread || before.barriers < after.barriers
        || (before.thread / warpSize == after.thread / warpSize && before.meetings < after.meetings);
}

/* What comes before a fence is handed on by the next atomic operation of its thread, to whoever has a later one on that
 * word and a fence behind it, itself or in a thread that follows.  Blocks run one after the other, so that `handed`, the
 * fences before the operations on each word, is sorted by blocks.  `taken`: what this block has found there. */
struct taking { const std::vector<touch> *from; size_t count; touch since; bool fenced; };
std::unordered_map<const void *, std::vector<touch>> handed;
std::unordered_map<int, touch> last_fence;   /* of the threads of this block */
std::vector<taking> taken;

void fence_here()
{
    fences++;
    const touch mine = last_fence[current] = now(nullptr, false);
    for (size_t i = 0, count = taken.size(); i < count; i++)
        if (!taken[i].fenced && follows(taken[i].since, mine))
            taken.push_back({ taken[i].from, taken[i].count, mine, true });
}

void hand_on(const void *word)
{
    const auto mine = last_fence.find(current);
    if (handed.empty() && mine == last_fence.end())
        return;
    std::vector<touch> &all = handed[word];
    if (!all.empty())
        taken.push_back({ &all, all.size(), now(nullptr, false), false });
    if (mine != last_fence.end())
        all.push_back(mine->second);
}

/* Was `before` before a fence whose thread handed it on to the access that is made now? */
bool handed_on(const touch &before)
{
    const touch here = now(nullptr, false);
    for (const taking &one : taken) {
        if (!one.fenced || !follows(one.since, here))
            continue;
        const auto end = one.from->begin() + static_cast<ptrdiff_t>(one.count);
        auto at = std::lower_bound(one.from->begin(), end, before.block,
                                   [](const touch &fence, uint64_t block) { return fence.block < block; });
        for (; at != end && at->block == before.block; ++at)
            if (before.fences < at->fences && follows(before, *at))
                return true;
    }
    return false;
}

/* Is there anything between `before` and the access that is made now? */
bool ordered(const touch &before, bool shared)
{
    if (before.block < launch_first_block)
        return true;             /* nobody, or an earlier launch */
    if (before.block != block_number)
        return shared || handed_on(before);   /* shared memory is each block's own */
    return follows(before, now(nullptr, false)) || handed_on(before);
}

/* "at `site` this thread does `what`" */
void tell(const void *site, const char *what)
{
    refuse(cudaErrorLaunchFailure, "%s: thread %d %s (block %u,%u,%u)", line_of(site), current, what, blockIdx.x,
           blockIdx.y, blockIdx.z);
}

void tell_of(const void *site, bool write, const touch &other, const char *did, const char *why)
{
    char what[WORDS_OF_ERROR];
    snprintf(what, sizeof what, "%s what thread %d%s %s at %s, %s", write ? "writes" : "reads", other.thread,
             other.block == block_number ? "" : " of another block", did, line_of(other.site), why);
    tell(site, what);
}

const char no_order[] = "with nothing between that orders them";

/* ---- one access ---------------------------------------------------------------------------------------------------- */

void look_at_word(word *word, bool shared, kind kind, const void *site)
{
    const bool write = kind != READ;
    if (word->written.coming && word->written.block == block_number)
        tell_of(site, write, word->written, "copies there", "which hasn't waited for it");
    if (!ordered(word->written, shared) && !(kind == ATOMIC && word->written.atomic))
        tell_of(site, write, word->written, "wrote", no_order);
    if (kind != WRITE && (shared ? word->written.block != block_number : !word->known))
        tell(site, shared ? "reads shared memory that nobody wrote" : "reads memory that nobody wrote");
    if (write) {
        for (const touch &reader : word->read)
            if (!ordered(reader, shared))
                tell_of(site, write, reader, "read", no_order);
        word->written = now(site, kind == ATOMIC);
        word->known = true;
        return;
    }
    if (word->read[0].thread / warpSize != current / warpSize || word->read[0].block != block_number)
        word->read[1] = word->read[0];
    word->read[0] = now(site, false);
}

bool is_private(const void *at) { return stacks.holds(at) || host_frames.holds(at) || module_segment.holds(at); }

void look(const void *at, size_t bytes, kind kind, const void *site)
{
    const bool write = kind != READ;
    if (current < 0 || bytes == 0)
        return;
    if (kind == ATOMIC)
        hand_on(at);
    memory *place = find(at);
    if (!place && is_private(at))
        return;
    if (!place || !place->holds(static_cast<const char *>(at) + bytes - 1))
        tell(site, write ? "writes outside all memory of the device" : "reads outside all memory of the device");
    traffic_note(site, uintptr_t(at), bytes, write, place->shared, place->bytes);
    each_word(place, at, bytes, [=](word *word) { look_at_word(word, place->shared, kind, site); });
}

/* ---- what the emulator tells ---------------------------------------------------------------------------------------- */

extern "C" const char __ehdr_start __attribute__((weak, visibility("hidden")));
extern "C" char _end __attribute__((weak, visibility("hidden")));

void renew(memory *of, const segment &shared)
{
    if (of->begin != shared.begin || of->bytes != shared.bytes)
        *of = memory_of(shared, true);
}

struct watch : watcher {
    void launch_begins() override
    {
        renew(&of_static, static_shared);
        renew(&of_dynamic, dynamic_shared);
        last_found = nullptr;
        handed.clear();
        traffic_begins();
        module_segment = { const_cast<char *>(&__ehdr_start), static_cast<size_t>(&_end - &__ehdr_start) };
    }
    void launch_ends() override { traffic_ends(); }
    void block_begins() override
    {
        taken.clear();
        last_fence.clear();
    }
    void block_ends(int threads) override { traffic_of_block(threads); }
    void barrier() override { barriers++; }
    void warp_met(int warp) override { meetings[warp]++; }
    void fence() override { fence_here(); }
    void access(const void *at, size_t bytes, kind kind, const void *site) override { look(at, bytes, kind, site); }

    /* look() has seen that the words are there */
    void copy_begins(void *at, size_t bytes) override
    {
        each_word(find(at), at, bytes, [](word *word) { word->written.coming = true; });
    }
    void copy_ends(void *at, size_t bytes, const void *site) override
    {
        each_word(find(at), at, bytes, [=](word *word) { word->written = now(site, false); });
    }

    void allocated(void *at, size_t bytes) override
    {
        allocations.push_back(memory_of({ static_cast<char *>(at), bytes }, false));
    }
    void released(void *at) override
    {
        last_found = nullptr;
        allocations.remove_if([at](const memory &m) { return m.begin == at; });
    }
    void filled(void *at, size_t bytes) override
    {
        if (memory *place = find(at))
            each_word(place, at, bytes, [](word *word) { word->known = true; });
    }
} watch;

__attribute__((constructor)) void begin() { watching = &watch; }

}   /* namespace */
}   /* namespace emulator */

/* ---- what the compiler calls ------------------------------------------------------------------------------------------ */

#define LOOK(at, bytes, kind) emulator::look(at, bytes, emulator::kind, __builtin_return_address(0))
#define ACCESSES_OF(bytes) \
    void __tsan_read##bytes(void *p) { LOOK(p, bytes, READ); } \
    void __tsan_write##bytes(void *p) { LOOK(p, bytes, WRITE); } \
    void __tsan_unaligned_read##bytes(void *p) { LOOK(p, bytes, READ); } \
    void __tsan_unaligned_write##bytes(void *p) { LOOK(p, bytes, WRITE); }

extern "C" {
ACCESSES_OF(1)
ACCESSES_OF(2)
ACCESSES_OF(4)
ACCESSES_OF(8)
ACCESSES_OF(16)
void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void **) {}
void __tsan_vptr_update(void **, void *) {}
void __tsan_read_range(void *p, size_t bytes) { LOOK(p, bytes, READ); }
void __tsan_write_range(void *p, size_t bytes) { LOOK(p, bytes, WRITE); }
void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
    LOOK(from, bytes, READ);
    LOOK(to, bytes, WRITE);
    return memcpy(to, from, bytes);
}
void *__tsan_memset(void *to, int byte, size_t bytes)
{
    LOOK(to, bytes, WRITE);
    return memset(to, byte, bytes);
}
}
