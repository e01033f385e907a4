/* where.h - where wrong outputs lie, in words: "k = 2 (of 4); q = 6, 12, ... 30 (every 6)".  Internal. */
#ifndef CONVREF_VERIFY_FINDINGS_WHERE_H
#define CONVREF_VERIFY_FINDINGS_WHERE_H

#include "verify/engine/frame.h"

/* wrong[i] is not 0 where element i is wrong.  False if memory is short. */
bool where_describe(char words[CONV_WORDS], const struct frame *frame, const char *wrong, int64_t count);

#endif
