/* grid.h - what the files of the emulator know of each other.  Internal.
 *
 * Not here: what kernels see (cuda_runtime.h).   Read next: grid.cc
 */
#pragma once
#include <cuda_runtime.h>

namespace emulator {

enum { MOST_THREADS = 1024, MOST_WARPS = MOST_THREADS / warpSize, STACK_BYTES = 64 << 10, WORDS_OF_ERROR = 300 };

/* The thread that runs, counted within its block, or -1: the host; the block, counted from the first launch on. */
extern int current;
extern uint64_t block_number, launch_first_block;

/* When asynchronous copies arrive (instructions.cc): CONVREF_CUDA_LANDING. */
enum landing { LAND_LATE, LAND_EARLY, LAND_RANDOM };
extern int landing;
int random_below(int n);   /* the same numbers in every launch */
void forget_copies();      /* those of the block before */

struct segment {
    char *begin;
    size_t bytes;
    bool holds(const void *at) const { return uintptr_t(at) - uintptr_t(begin) < bytes; }
};
extern segment static_shared, dynamic_shared, stacks, host_frames;

/* Keep an error for cudaGetLastError().  Said by a thread it ends the grid, and never returns. */
void refuse(cudaError_t error, const char *format, ...) __attribute__((format(printf, 2, 3)));
[[noreturn]] void end_grid();

/* "cuda_dw_04_tile.cu:48" for the call before a return address; "?" if nobody knows. */
const char *line_of(const void *site);

/* Who watches a grid: in the plain module nobody. */
struct watcher {
    virtual void launch_begins() {}
    virtual void launch_ends() {}
    virtual void block_begins() {}
    virtual void block_ends(int /* threads */) {}
    virtual void barrier() {}
    virtual void warp_met(int /* warp */) {}
    virtual void fence() {}
    virtual void access(const void * /* at */, size_t /* bytes */, kind, const void * /* site */) {}
    virtual void copy_begins(void * /* shared */, size_t /* bytes */) {}
    virtual void copy_ends(void * /* shared */, size_t /* bytes */, const void * /* site */) {}   /* waited for */
    virtual void allocated(void * /* memory */, size_t /* bytes */) {}
    virtual void released(void * /* memory */) {}
    virtual void filled(void * /* memory */, size_t /* bytes */) {}                               /* by the host */
};
extern watcher *watching;

/* Multiply-adds of tensor cores in TF32 and in 16 bits, those of zeros included. */
extern unsigned long long tensor_products, narrow_products;

/* Of what the watch sees, what a GPU would move (traffic.cc); for a file that CONVREF_CUDA_TRAFFIC names. */
void traffic_begins();
void traffic_note(const void *site, uintptr_t address, size_t bytes, bool write, bool shared, size_t array_bytes);
void traffic_of_block(int threads);
void traffic_ends();

}

/* A fiber (fiber.cc): a thread that changes hands by itself.  This one begins with entry(), which never returns. */
void *new_fiber(emulator::segment stack, void (*entry)());
/* Leave a fiber, put into *from, and go on where `to` was left. */
extern "C" void emulator_switch(void **from, void *to);
