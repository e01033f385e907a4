/* watch.cc - sees every load and store of a grid, and ends the launch at the first that can't be right.
 *
 * Kernels of the watched module are compiled with -fsanitize=thread, which makes the compiler call __tsan_read4() and its
 * like before each access; those functions are here, and no library of the sanitizer is linked.  Told are:
 *
 *     two accesses to a word, one of them a write, that nothing orders: no barrier between them, no meeting of their
 *     warp, and not the same thread; blocks of a launch are never ordered;
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
#include <cstdio>
#include <list>
#include <vector>

namespace emulator {
namespace {

/* Who touched a word, and when: the time within a block is its number of barriers, and of meetings of the warp. */
struct touch {
    uint64_t block;   /* 0: nobody */
    uint32_t barriers, meetings;
    int thread;
    const void *site;
    bool atomic;      /* of those the device makes a line, whichever order it is */
    bool coming;      /* an asynchronous copy that nobody has waited for */
};

/* Two readers are enough: of two warps, so that a write by either of them meets the other. */
struct word { touch written, read[2]; bool known; };

struct memory {
    char *begin;
    size_t bytes;
    bool shared;
    std::vector<word> words;
};

std::list<memory> allocations;
memory of_static, of_dynamic, *last_found;
uint32_t barriers, meetings[MOST_THREADS / warpSize];
bool running;
segment module_segment;   /* the code and constants of the module */

bool holds(const char *begin, size_t bytes, const char *address)
{
    return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(begin) < bytes;
}

memory *find(const char *address)
{
    if (last_found && holds(last_found->begin, last_found->bytes, address))
        return last_found;
    for (memory *shared : { &of_static, &of_dynamic })
        if (holds(shared->begin, shared->bytes, address))
            return last_found = shared;
    for (memory &allocation : allocations)
        if (holds(allocation.begin, allocation.bytes, address))
            return last_found = &allocation;
    return nullptr;
}

memory memory_of(char *begin, size_t bytes, bool shared)
{
    return { begin, bytes, shared, std::vector<word>((bytes + 3) / 4) };
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

/* Is there anything between `before` and the access that is made now? */
bool ordered(const touch &before, bool shared)
{
    if (before.block < launch_first_block)
        return true;             /* nobody, or an earlier launch */
    if (before.block != block_number)
        return shared;           /* another block, which has shared memory of its own */
    const int warp = current / warpSize;
    return before.thread == current || before.barriers < barriers
        || (before.thread / warpSize == warp && before.meetings < meetings[warp]);
}

[[noreturn]] void tell(const char *what, const void *site, const touch *before)
{
    if (before)
        stop("%s: thread %d %s at %s, with nothing between that orders them (block %u,%u,%u)", line_of(site), current,
             what, line_of(before->site), blockIdx.x, blockIdx.y, blockIdx.z);
    stop("%s: thread %d %s (block %u,%u,%u)", line_of(site), current, what, blockIdx.x, blockIdx.y, blockIdx.z);
}

void tell_race(bool write, bool by_write, const void *site, const touch &before)
{
    char what[WORDS / 2];
    snprintf(what, sizeof what, "%s what thread %d%s %s", write ? "writes" : "reads", before.thread,
             before.block == block_number ? "" : " of another block", by_write ? "wrote" : "read");
    tell(what, site, &before);
}

/* ---- one access ---------------------------------------------------------------------------------------------------- */

enum kind { READ, WRITE, ATOMIC };

void look_at_word(word *word, bool shared, kind kind, const void *site)
{
    const bool write = kind != READ;
    const touch now = { block_number, barriers, meetings[current / warpSize], current, site, kind == ATOMIC,
                        false };
    if (word->written.coming && word->written.block == block_number)
        stop("%s: thread %d %s what thread %d copies there at %s, which hasn't waited for it (block %u,%u,%u)",
             line_of(site), current, write ? "writes" : "reads", word->written.thread, line_of(word->written.site),
             blockIdx.x, blockIdx.y, blockIdx.z);
    if (!ordered(word->written, shared) && !(kind == ATOMIC && word->written.atomic))
        tell_race(write, true, site, word->written);
    if (kind != WRITE && (shared ? word->written.block != block_number : !word->known))
        tell(shared ? "reads shared memory that nobody wrote" : "reads memory that nobody wrote", site, nullptr);
    if (write) {
        for (const touch &reader : word->read)
            if (!ordered(reader, shared))
                tell_race(write, false, site, reader);
        word->written = now;
        word->known = true;
        return;
    }
    if (word->read[0].thread / warpSize != current / warpSize || word->read[0].block != block_number)
        word->read[1] = word->read[0];
    word->read[0] = now;
}

bool is_private(const char *address)
{
    return holds(stacks.begin, stacks.bytes, address) || holds(host_frames.begin, host_frames.bytes, address)
        || holds(module_segment.begin, module_segment.bytes, address);
}

void look(const void *at, size_t bytes, kind kind, const void *site)
{
    const bool write = kind != READ;
    const char *address = static_cast<const char *>(at);
    if (!running || bytes == 0)
        return;
    memory *place = find(address);
    if (!place && is_private(address))
        return;
    if (!place || !holds(place->begin, place->bytes, address + bytes - 1))
        tell(write ? "writes outside all memory of the device" : "reads outside all memory of the device", site, nullptr);
    traffic_note(site, reinterpret_cast<uintptr_t>(at), bytes, write, place->shared, place->bytes);
    const size_t first = static_cast<size_t>(address - place->begin);
    for (size_t i = first / 4; i <= (first + bytes - 1) / 4; i++)
        look_at_word(&place->words[i], place->shared, kind, site);
}

void look_at_access(const void *at, size_t bytes, bool write, const void *site)
{
    look(at, bytes, write ? WRITE : READ, site);
}
void look_at_atomic(const void *at, size_t bytes, const void *site) { look(at, bytes, ATOMIC, site); }

/* ---- what the emulator tells ---------------------------------------------------------------------------------------- */

extern "C" const char __ehdr_start __attribute__((weak, visibility("hidden")));
extern "C" char _end __attribute__((weak, visibility("hidden")));

void launch_begins()
{
    if (of_static.begin != static_shared.begin || of_static.bytes != static_shared.bytes)
        of_static = memory_of(static_shared.begin, static_shared.bytes, true);
    if (of_dynamic.begin != dynamic_shared.begin || of_dynamic.bytes != dynamic_shared.bytes)
        of_dynamic = memory_of(dynamic_shared.begin, dynamic_shared.bytes, true);
    last_found = nullptr;
    traffic_begins();
    module_segment = { const_cast<char *>(&__ehdr_start), static_cast<size_t>(&_end - &__ehdr_start) };
}

void block_begins(int) { running = true; }
void block_ends(int threads)
{
    running = false;
    traffic_of_block(threads);
}
void barrier_passed() { barriers++; }
void warp_met(int warp) { meetings[warp]++; }

word *words_at(void *at)
{
    memory *place = find(static_cast<char *>(at));
    return &place->words[static_cast<size_t>(static_cast<char *>(at) - place->begin) / 4];
}

/* look() has seen that the words are there. */
void copy_begins(void *at, size_t bytes)
{
    for (size_t i = 0; i < bytes / 4; i++)
        words_at(at)[i].written.coming = true;
}

void copy_ends(void *at, size_t bytes, const void *site)
{
    const touch now = { block_number, barriers, meetings[current / warpSize], current, site, false, false };
    for (size_t i = 0; i < bytes / 4; i++)
        words_at(at)[i].written = now;
}

void allocated(void *at, size_t bytes)
{
    allocations.push_back(memory_of(static_cast<char *>(at), bytes, false));
}

void released(void *at)
{
    last_found = nullptr;
    allocations.remove_if([at](const memory &m) { return m.begin == at; });
}

void filled(void *at, size_t bytes)
{
    char *address = static_cast<char *>(at);
    memory *place = find(address);
    for (size_t i = 0; place && bytes && i < (bytes + 3) / 4; i++)
        place->words[static_cast<size_t>(address - place->begin) / 4 + i].known = true;
}

const watcher watch = { launch_begins, traffic_ends, block_begins, block_ends, barrier_passed, warp_met, look_at_access,
                        look_at_atomic, copy_begins, copy_ends, allocated, released, filled };

__attribute__((constructor)) void begin() { watching = &watch; }

}   /* namespace */
}   /* namespace emulator */

/* ---- what the compiler calls ------------------------------------------------------------------------------------------ */

#define SITE __builtin_return_address(0)
#define ACCESSES_OF(bytes) \
    void __tsan_read##bytes(void *p) { emulator::look(p, bytes, emulator::READ, SITE); } \
    void __tsan_write##bytes(void *p) { emulator::look(p, bytes, emulator::WRITE, SITE); } \
    void __tsan_unaligned_read##bytes(void *p) { emulator::look(p, bytes, emulator::READ, SITE); } \
    void __tsan_unaligned_write##bytes(void *p) { emulator::look(p, bytes, emulator::WRITE, SITE); }

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
void __tsan_read_range(void *p, size_t bytes) { emulator::look(p, bytes, emulator::READ, SITE); }
void __tsan_write_range(void *p, size_t bytes) { emulator::look(p, bytes, emulator::WRITE, SITE); }
void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
    emulator::look(from, bytes, emulator::READ, SITE);
    emulator::look(to, bytes, emulator::WRITE, SITE);
    return memcpy(to, from, bytes);
}
void *__tsan_memset(void *to, int byte, size_t bytes)
{
    emulator::look(to, bytes, emulator::WRITE, SITE);
    return memset(to, byte, bytes);
}
}
