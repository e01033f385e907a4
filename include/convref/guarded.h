/* guarded.h - memory between two pages that can't be touched: the verifier's tool.
 *
 * A block placed flush right ends where the page behind begins, so that the first element read or
 * written too far is a fault, and the fault's address says whose it was.  Slack that alignment leaves is
 * filled with a pattern and compared afterwards.
 */
#ifndef CONVREF_GUARDED_H
#define CONVREF_GUARDED_H

#include <convref/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum conv_flush { CONV_FLUSH_RIGHT, CONV_FLUSH_LEFT };

struct conv_guarded {
    unsigned char *base;   /* the guard page in front */
    size_t capacity;       /* usable bytes, whole pages */
    unsigned char *block;  /* what was placed last */
    size_t bytes;
};

CONV_API enum conv_status conv_guarded_create(struct conv_guarded *guarded, size_t capacity,
                                              struct conv_error *error);
CONV_API void conv_guarded_free(struct conv_guarded *guarded);

/* Place a block of `bytes`, filled with `poison`, and fill the slack round it with the canary. */
CONV_API void *conv_guarded_place(struct conv_guarded *guarded, size_t bytes, size_t alignment,
                                  enum conv_flush flush, unsigned char poison);

/* The same, `offset` bytes behind the page in front, less if there is no room for that. */
CONV_API void *conv_guarded_place_at(struct conv_guarded *guarded, size_t bytes, size_t offset, unsigned char poison);

/* Make the block read-only, or writable again.  False if the system refuses. */
CONV_API bool conv_guarded_read_only(struct conv_guarded *guarded, bool read_only);

/* Is the slack as conv_guarded_place() left it? */
CONV_API bool conv_guarded_intact(const struct conv_guarded *guarded);

/* Is `address` in the page before (-1), in the page behind (1), in the block itself (2), or elsewhere (0)? */
CONV_API int conv_guarded_where(const struct conv_guarded *guarded, const void *address);

#ifdef __cplusplus
}
#endif
#endif
