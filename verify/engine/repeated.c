/* repeated.c - arrays of gigabytes that cost megabytes.   Declared in repeated.h.
 *
 * mremap() with an old size of 0 makes a shared mapping appear at one more address (mremap(2)).
 */
#include <config.h>

#include "verify/engine/repeated.h"

#include <math.h>
#include <sys/mman.h>

/* Indices in 32 bits that are negative by mistake are up to 8 GiB off. */
static const size_t beside = (size_t)9 << 30, piece_bytes = REPEATED_PIECE * sizeof(float);

#if defined MREMAP_FIXED && SIZE_MAX > 0xFFFFFFFF

/* All pages at once: one by one, when they are touched, takes twice as long.  Older systems can't. */
static void populate(char *at, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
    (void)madvise(at, bytes, MADV_POPULATE_WRITE);
#else
    (void)at, (void)bytes;
#endif
}

/* One region: memory of its own, and then the same pages once more until it is full. */
static bool map_region(char *at, size_t bytes)
{
    if (mmap(at, piece_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        return false;
    for (size_t done = piece_bytes; done < bytes; done += piece_bytes)
        if (mremap(at, 0, piece_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, at + done) == MAP_FAILED)
            return false;
    return true;
}

bool repeated_create(struct repeated *repeated, int64_t count, int64_t region, bool all_touched)
{
    const int64_t regions = (count + region - 1) / region;
    const size_t bytes = (size_t)(regions * region) * sizeof(float), region_bytes = (size_t)region * sizeof(float);
    *repeated = (struct repeated){ .count = count, .region = region, .regions = (int)regions };
    repeated->reserved_bytes = bytes + 2 * beside;
    char *all = mmap(NULL, repeated->reserved_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return false;
    repeated->reserved = all;
    repeated->data = (float *)(void *)(all + beside);
    bool good = regions <= REPEATED_REGIONS;
    for (int64_t r = 0; r < regions && good; r++)
        good = map_region(all + beside + (size_t)r * region_bytes, region_bytes);
    if (good)
        repeated_clear(repeated);
    if (good && all_touched)
        populate(all + beside, bytes);
    if (!good)
        repeated_free(repeated);
    return good;
}

bool repeated_protect(struct repeated *repeated)
{
    return mprotect(repeated->data, repeated->reserved_bytes - 2 * beside, PROT_READ) == 0;
}

void repeated_free(struct repeated *repeated)
{
    if (repeated->reserved)
        munmap(repeated->reserved, repeated->reserved_bytes);
    *repeated = (struct repeated){ .data = NULL };
}

#else

bool repeated_create(struct repeated *repeated, int64_t count, int64_t region, bool all_touched)
{
    (void)count, (void)region, (void)all_touched, (void)beside, (void)piece_bytes;
    *repeated = (struct repeated){ .data = NULL };
    return false;
}

bool repeated_protect(struct repeated *repeated) { return repeated->data != NULL; }
void repeated_free(struct repeated *repeated) { *repeated = (struct repeated){ .data = NULL }; }

#endif

float *repeated_piece(const struct repeated *repeated, int region) { return repeated->data + region * repeated->region; }

void repeated_clear(const struct repeated *repeated)
{
    for (int r = 0; r < repeated->regions; r++)
        for (int64_t i = 0; i < REPEATED_PIECE; i++)
            repeated_piece(repeated, r)[i] = NAN;
}
