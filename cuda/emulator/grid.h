/* grid.h - what the files of the emulator know of each other.  Internal.
 *
 * Not here: what kernels see (cuda_runtime.h).   Read next: grid.cc
 */
#pragma once
#include <cuda_runtime.h>

namespace emulator {

enum { MOST_THREADS = 1024, STACK_BYTES = 64 << 10, WORDS = 300 };

/* The thread that runs, counted within its block; the block, counted from the first launch on. */
extern int current;
extern uint64_t block_number, launch_first_block;

/* When asynchronous copies arrive (instructions.cc): CONVREF_CUDA_LANDING. */
enum landing { LAND_LATE, LAND_EARLY, LAND_RANDOM };
extern int landing;
int random_below(int n);   /* the same numbers in every launch */
void forget_copies();      /* those of the block before */

struct segment { char *begin; size_t bytes; };
extern segment static_shared, dynamic_shared, stacks, host_frames;

/* End the launch: nothing of the grid runs on, and cudaGetLastError() tells `format`.  Never returns. */
[[noreturn]] void stop(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same error without leaving: before a grid has begun. */
void refuse(cudaError_t error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "cuda_dw_04_tile.cu:48" for the call before a return address; "?" if nobody knows. */
const char *line_of(const void *site);

/* Who watches a grid.  The plain module has none: its functions do nothing. */
struct watcher {
    void (*launch_begins)();
    void (*launch_ends)();
    void (*block_begins)(int threads);
    void (*block_ends)(int threads);
    void (*barrier)();
    void (*warp_met)(int warp);
    void (*access)(const void *address, size_t bytes, bool write, const void *site);
    void (*atomic_access)(const void *address, size_t bytes, const void *site);
    void (*copy_begins)(void *shared, size_t bytes);
    void (*copy_ends)(void *shared, size_t bytes, const void *site);   /* its thread waited for it */
    void (*allocated)(void *memory, size_t bytes);
    void (*released)(void *memory);
    void (*filled)(void *memory, size_t bytes);   /* by a copy to the device */
};
extern const watcher *watching;

/* Multiply-adds of tensor cores in TF32 and in 16 bits, those of zeros included. */
extern uint64_t tensor_products, narrow_products;

/* Of what the watch sees, what a GPU would move (traffic.cc); for a file that CONVREF_CUDA_TRAFFIC names. */
void traffic_begins();
void traffic_note(const void *site, uintptr_t address, size_t bytes, bool write, bool shared, size_t array_bytes);
void traffic_of_block(int threads);
void traffic_ends();

}
