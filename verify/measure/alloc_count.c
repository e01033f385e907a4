/* alloc_count.c - counts heap allocations of the whole process, those of its libraries too.
 *
 * A program may replace malloc and its relatives; these count and hand on to glibc's own.  Where there is no glibc,
 * or a sanitizer has replaced them already, nothing is counted and the bench says so.
 */
#include <config.h>

#include "verify/measure/alloc_count.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(HAVE___LIBC_MALLOC) && !defined(CONV_SANITIZED)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_int_fast64_t allocations;

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    return __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    return __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *memory, size_t size)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    return __libc_realloc(memory, size);
}

__attribute__((visibility("default"))) void *aligned_alloc(size_t alignment, size_t size)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    return __libc_memalign(alignment, size);
}

__attribute__((visibility("default"))) int posix_memalign(void **memory, size_t alignment, size_t size)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    void *made = __libc_memalign(alignment, size);
    if (!made)
        return ENOMEM;
    *memory = made;
    return 0;
}

static int64_t count(void) { return atomic_load_explicit(&allocations, memory_order_relaxed); }

int64_t (*const alloc_counter)(void) = count;

#else

int64_t (*const alloc_counter)(void) = NULL;

#endif
