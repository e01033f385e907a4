/* guarded.c - memory between two pages that can't be touched.   Declared in guarded.h. */
#include "core/guarded.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CANARY = 0xC5, SLACK = 512 };   /* this much of the slack on either side is watched */

static size_t page_size(void)
{
    static size_t size;
    if (!size)
        size = (size_t)sysconf(_SC_PAGESIZE);
    return size;
}

static unsigned char *usable(const struct guarded *guarded)
{
    return guarded->base + page_size();
}

/* ---- blocks that were freed, for the next ones of the same size ------------------------------------------------ */

/* A verification makes and frees some ten thousand small blocks, and the system's part in that takes longer than the
 * kernel.  Nobody can touch a block while it waits here. */
static struct guarded waiting[8];
static atomic_flag waiting_is_busy = ATOMIC_FLAG_INIT;

enum { MOST_WAITING = 1 << 20 };   /* bytes of one block */

static bool take_waiting(struct guarded *guarded, size_t capacity)
{
    bool found = false;
    if (atomic_flag_test_and_set(&waiting_is_busy))
        return false;   /* by another thread */
    for (size_t i = 0; !found && i < sizeof waiting / sizeof *waiting; i++)
        if (waiting[i].base && waiting[i].capacity == capacity && guarded_read_only(&waiting[i], false)) {
            *guarded = (struct guarded){ .base = waiting[i].base, .capacity = capacity };
            waiting[i].base = NULL;
            found = true;
        }
    atomic_flag_clear(&waiting_is_busy);
    return found;
}

/* The one that has waited longest goes.  What `guarded` is afterwards has to be unmapped. */
static void let_wait(struct guarded *guarded)
{
    static size_t next;
    if (guarded->capacity > MOST_WAITING || atomic_flag_test_and_set(&waiting_is_busy))
        return;
    if (mprotect(usable(guarded), guarded->capacity, PROT_NONE) == 0) {
        struct guarded *place = &waiting[next++ % (sizeof waiting / sizeof *waiting)], longest = *place;
        *place = *guarded;
        *guarded = longest;
    }
    atomic_flag_clear(&waiting_is_busy);
}

/* ---- blocks ---------------------------------------------------------------------------------------------------- */

enum conv_status guarded_create(struct guarded *guarded, size_t capacity,
                                     struct conv_error *error)
{
    const size_t page = page_size();
    const size_t rounded = (capacity / page + 1) * page;
    if (take_waiting(guarded, rounded))
        return CONV_OK;
    void *base = mmap(NULL, rounded + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect((char *)base + page, rounded, PROT_READ | PROT_WRITE) != 0) {
        if (base != MAP_FAILED)
            munmap(base, rounded + 2 * page);
        return conv_fail(error, CONV_NO_MEMORY, "no memory for %zu guarded bytes", capacity);
    }
    *guarded = (struct guarded){ .base = base, .capacity = rounded };
    return CONV_OK;
}

void guarded_free(struct guarded *guarded)
{
    if (guarded->base)
        let_wait(guarded);
    if (guarded->base)
        munmap(guarded->base, guarded->capacity + 2 * page_size());
    *guarded = (struct guarded){ .base = NULL };
}

/* The watched slack before and behind the block. */
static size_t slack_before(const struct guarded *guarded)
{
    const size_t before = (size_t)(guarded->block - usable(guarded));
    return before < SLACK ? before : SLACK;
}

static size_t slack_behind(const struct guarded *guarded)
{
    const unsigned char *end = usable(guarded) + guarded->capacity;
    const size_t behind = (size_t)(end - (guarded->block + guarded->bytes));
    return behind < SLACK ? behind : SLACK;
}

void *guarded_place_at(struct guarded *guarded, size_t bytes, size_t offset, unsigned char poison)
{
    const size_t most = guarded->capacity - bytes;
    guarded->bytes = bytes;
    guarded->block = usable(guarded) + (offset < most ? offset : most);
    memset(guarded->block - slack_before(guarded), CANARY, slack_before(guarded));
    memset(guarded->block, poison, bytes);
    memset(guarded->block + bytes, CANARY, slack_behind(guarded));
    return guarded->block;
}

/* A page is aligned to everything that we ask for. */
void *guarded_place(struct guarded *guarded, size_t bytes, size_t alignment,
                         enum flush flush, unsigned char poison)
{
    const size_t right = (guarded->capacity - bytes) / alignment * alignment;
    return guarded_place_at(guarded, bytes, flush == FLUSH_RIGHT ? right : 0, poison);
}

bool guarded_read_only(struct guarded *guarded, bool read_only)
{
    return mprotect(usable(guarded), guarded->capacity,
                    read_only ? PROT_READ : PROT_READ | PROT_WRITE) == 0;
}

bool guarded_intact(const struct guarded *guarded)
{
    const size_t before = slack_before(guarded), behind = slack_behind(guarded);
    for (size_t i = 1; i <= before; i++)
        if (guarded->block[-(ptrdiff_t)i] != CANARY)
            return false;
    for (size_t i = 0; i < behind; i++)
        if (guarded->block[guarded->bytes + i] != CANARY)
            return false;
    return true;
}

int guarded_where(const struct guarded *guarded, const void *address)
{
    const unsigned char *at = address, *first = guarded->base;
    const size_t page = page_size();
    if (!first || at < first || at >= first + guarded->capacity + 2 * page)
        return 0;
    if (at < first + page)
        return -1;
    return at >= first + page + guarded->capacity ? 1 : 2;
}
