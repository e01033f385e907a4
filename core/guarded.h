/* guarded.h - memory between two pages that can't be touched: the verifier's tool.  Internal.
 *
 * A block placed flush right ends where the page behind begins, so that the first element read or
 * written too far is a fault, and the fault's address says whose it was.  Slack that alignment leaves is
 * filled with a pattern and compared afterwards.
 */
#ifndef CONVREF_CORE_GUARDED_H
#define CONVREF_CORE_GUARDED_H

#include <convref/base.h>

enum flush { FLUSH_RIGHT, FLUSH_LEFT };

struct guarded {
    unsigned char *base;   /* the guard page in front */
    size_t capacity;       /* usable bytes, whole pages */
    unsigned char *block;  /* what was placed last */
    size_t bytes;
};

enum conv_status guarded_create(struct guarded *guarded, size_t capacity,
                                              struct conv_error *error);
void guarded_free(struct guarded *guarded);

/* Place a block of `bytes`, filled with `poison`, and fill the slack round it with the canary. */
void *guarded_place(struct guarded *guarded, size_t bytes, size_t alignment,
                                  enum flush flush, unsigned char poison);

/* The same, `offset` bytes behind the page in front, less if there is no room for that. */
void *guarded_place_at(struct guarded *guarded, size_t bytes, size_t offset, unsigned char poison);

/* Make the block read-only, or writable again.  False if the system refuses. */
bool guarded_read_only(struct guarded *guarded, bool read_only);

/* Is the slack as guarded_place() left it? */
bool guarded_intact(const struct guarded *guarded);

/* Is `address` in the page before (-1), in the page behind (1), in the block itself (2), or elsewhere (0)? */
int guarded_where(const struct guarded *guarded, const void *address);
#endif
