/* repeated.h - arrays of gigabytes that cost megabytes: a few pieces of memory, each seen many times in a row.
 * Internal.
 *
 * The array is cut into regions, and all of a region is one piece of 3 MiB again and again.  An index that was
 * computed in too few bits lands in another region, at another place of the piece, or beside the array, where nothing
 * may be touched: a piece has 3 * 2^18 elements, so that an index that is wrong by a multiple of 2^31 isn't a
 * multiple of the piece.
 */
#ifndef CONVREF_VERIFY_ENGINE_REPEATED_H
#define CONVREF_VERIFY_ENGINE_REPEATED_H

#include <convref/base.h>

enum { REPEATED_PIECE = 3 << 18, REPEATED_REGIONS = 16 };   /* elements of f32, and at most so many regions */

struct repeated {
    float *data;                 /* `count` elements */
    int64_t count, region;       /* elements of one region, a multiple of the piece */
    int regions;
    void *reserved;              /* with what lies on either side */
    size_t reserved_bytes;
};

/* Writable, and filled with NaN.  `region`: elements of a region, a multiple of the piece, of which there are at most
 * REPEATED_REGIONS.  `all_touched`: every page is going to be.  False, and nothing to free, if the system can't. */
bool repeated_create(struct repeated *repeated, int64_t count, int64_t region, bool all_touched);
void repeated_free(struct repeated *repeated);

/* NaN again everywhere. */
void repeated_clear(const struct repeated *repeated);

/* No longer writable. */
bool repeated_protect(struct repeated *repeated);

/* The piece of a region. */
float *repeated_piece(const struct repeated *repeated, int region);

#endif
