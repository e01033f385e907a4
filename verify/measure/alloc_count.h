/* alloc_count.h - how often did the program allocate?  Internal. */
#ifndef CONVREF_VERIFY_MEASURE_ALLOC_COUNT_H
#define CONVREF_VERIFY_MEASURE_ALLOC_COUNT_H

#include <stdint.h>

/* Heap allocations of the whole process so far; NULL where they can't be counted. */
extern int64_t (*const alloc_counter)(void);

#endif
