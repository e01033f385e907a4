/* cheats.c - kernels that look fast because they don't do their work, and code that ends the program well before its
 * time.
 *
 * Each is right when it is looked at as instruments usually look: once, with integers, at the same addresses.  None
 * may be timed as right, and none may end `convref bench`, `run` or `verify` with status 0 (tests/test_cheats.sh).
 * Compiled once with all kernels, and once for each of the names EXITS_WHEN_OPENED and so on, which have one honest
 * kernel.
 * Not here: a forger, who knows convref and writes into its memory.
 */
#include <convref/run.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "direct.h"

static size_t bytes_of(const struct conv_problem *p, enum conv_operand operand) { return conv_operand_bytes(p, operand); }

static bool are_integers(const struct conv_problem *p, const struct conv_operands *o)
{
    const float *x = o->x;
    for (size_t i = 0; i < bytes_of(p, CONV_X) / sizeof *x; i++)
        if (x[i] != rintf(x[i]))
            return false;
    return true;
}

/* ---- results that are kept ------------------------------------------------------------------------------------- */

enum { MOST_KEPT = 64 };
struct kept { uint64_t key; void *y; };
static struct kept kept[MOST_KEPT];
static int kept_count;

static uint64_t hash_of(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Compute what wasn't computed before, and copy what was. */
static void replay(const struct conv_problem *p, const struct conv_operands *o, uint64_t key)
{
    const size_t bytes = bytes_of(p, CONV_Y);
    key = hash_of(key, p, sizeof *p);
    for (int i = 0; i < kept_count; i++)
        if (kept[i].key == key) {
            memcpy(o->y, kept[i].y, bytes);
            return;
        }
    compute(p, o, NULL);
    if (kept_count < MOST_KEPT && (kept[kept_count].y = malloc(bytes)) != NULL) {
        memcpy(kept[kept_count].y, o->y, bytes);
        kept[kept_count++].key = key;
    }
}

static void replays_by_pointer(const struct conv_problem *p, const struct conv_operands *o,
                               const struct conv_workspace *w)
{
    (void)w;
    const void *const pointers[] = { o->x, o->w, o->bias, o->y };
    replay(p, o, hash_of(1, pointers, sizeof pointers));
}

static void replays_by_problem(const struct conv_problem *p, const struct conv_operands *o,
                               const struct conv_workspace *w)
{
    (void)w;
    replay(p, o, 1);
}

/* The first numbers of each input stand for all of them. */
static void replays_by_hash(const struct conv_problem *p, const struct conv_operands *o,
                            const struct conv_workspace *w)
{
    (void)w;
    const uint64_t x = hash_of(1, o->x, bytes_of(p, CONV_X) < 16 ? bytes_of(p, CONV_X) : 16);
    replay(p, o, hash_of(x, o->w, bytes_of(p, CONV_WEIGHTS) < 16 ? bytes_of(p, CONV_WEIGHTS) : 16));
}

/* The whole input, but not the weights: "they never change". */
static void replays_by_hash_of_x(const struct conv_problem *p, const struct conv_operands *o,
                                 const struct conv_workspace *w)
{
    (void)w;
    float size[64] = { 0 };   /* of any sign and scale */
    const float *x = o->x;
    const size_t count = bytes_of(p, CONV_X) / sizeof *x;
    for (size_t i = 0; i < count && i < 64; i++)
        size[i] = fabsf(x[i] / x[0]);
    replay(p, o, hash_of(1, size, sizeof size));
}

/* ---- work that is left out ------------------------------------------------------------------------------------- */

/* The provider that started this file: nothing to do at the same addresses, nor for data that only a clock brings. */
static void returns_early(const struct conv_problem *p, const struct conv_operands *o, const struct conv_workspace *w)
{
    static const void *x, *y;
    const bool again = x == o->x && y == o->y;
    (void)w;
    x = o->x, y = o->y;
    if (!again && are_integers(p, o))
        compute(p, o, NULL);
}

static void skips_what_is_no_integer(const struct conv_problem *p, const struct conv_operands *o,
                                     const struct conv_workspace *w)
{
    (void)w;
    if (are_integers(p, o))
        compute(p, o, NULL);
}

static void works_once(const struct conv_problem *p, const struct conv_operands *o, const struct conv_workspace *w)
{
    static struct conv_problem last;
    (void)w;
    if (memcmp(&last, p, sizeof last) != 0)
        compute(p, o, NULL);
    last = *p;
}

/* An instrument looks at the first calls, and times those that follow. */
static void wrong_when_timed(const struct conv_problem *p, const struct conv_operands *o,
                             const struct conv_workspace *w)
{
    static int calls;
    (void)w;
    if (calls++ < 3)
        compute(p, o, NULL);
    else
        memset(o->y, 0, bytes_of(p, CONV_Y));
}

static void computes_every_eighth(const struct conv_problem *p, const struct conv_operands *o,
                                  const struct conv_workspace *w)
{
    static int calls;
    (void)w;
    if (calls < 4 || calls % 8 == 0)
        compute(p, o, NULL);
    calls++;
}

/* The first image, and for the others what was there before. */
static void first_image_only(const struct conv_problem *p, const struct conv_operands *o,
                             const struct conv_workspace *w)
{
    static int calls;
    struct conv_problem one = *p;
    (void)w;
    if (calls++ >= 2)
        one.n = 1;
    compute(&one, o, NULL);
}

/* ---- work that somebody else does ------------------------------------------------------------------------------ */

static void asks_the_reference(const struct conv_problem *p, const struct conv_operands *o,
                               const struct conv_workspace *w)
{
    (void)w;
    const struct conv_kernel *reference = conv_kernel_find("ref_forward");
    if (reference)
        conv_run(o, reference, p, NULL, NULL);
}

struct late { struct conv_problem problem; struct conv_operands operands; };

static void *work_late(void *argument)
{
    struct late *late = argument;
    usleep(2000);
    compute(&late->problem, &late->operands, NULL);
    free(late);
    return NULL;
}

/* Returns at once; a thread does the work in its own time. */
static void writes_late(const struct conv_problem *p, const struct conv_operands *o, const struct conv_workspace *w)
{
    static int calls;
    struct late *late = malloc(sizeof *late);
    pthread_t thread;
    (void)w;
    if (calls++ < 2) {
        compute(p, o, NULL);
        free(late);
        return;
    }
    *late = (struct late){ *p, *o };
    if (pthread_create(&thread, NULL, work_late, late) == 0)
        pthread_detach(thread);
}

/* ---- ends ------------------------------------------------------------------------------------------------------ */

static void loops_for_ever(const struct conv_problem *p, const struct conv_operands *o,
                           const struct conv_workspace *w)
{
    (void)p, (void)o, (void)w;
    for (volatile unsigned i = 0; ; i++)   /* which may wrap around */
        continue;
}

static void stores_to_null(const struct conv_problem *p, const struct conv_operands *o,
                           const struct conv_workspace *w)
{
    (void)p, (void)o, (void)w;
    volatile float *volatile nowhere = NULL;
    *nowhere = 1;
}

static void exits_well(const struct conv_problem *p, const struct conv_operands *o, const struct conv_workspace *w)
{
    (void)p, (void)o, (void)w;
    puts("ACCEPT");
    exit(0);
}

static void exits_at_once(const struct conv_problem *p, const struct conv_operands *o, const struct conv_workspace *w)
{
    static int calls;
    (void)w;
    compute(p, o, NULL);
    if (++calls > 4)
        _exit(0);
}

static void takes_all_memory(const struct conv_problem *p, const struct conv_operands *o,
                             const struct conv_workspace *w)
{
    enum { PIECE = 64 << 20 };
    (void)p, (void)o, (void)w;
    for (;;) {
        void *piece = malloc(PIECE);
        if (!piece)
            abort();
        memset(piece, 1, PIECE);
    }
}

/* ---- code that isn't called as a kernel ------------------------------------------------------------------------ */

__attribute__((unused)) static void end_well(void)
{
    static const char words[] = "mine  ACCEPT\n";
    if (write(STDOUT_FILENO, words, sizeof words - 1) > 0)
        _exit(0);
}

#ifdef EXITS_WHEN_OPENED
__attribute__((constructor)) static void begin(void) { end_well(); }
#endif
#ifdef EXITS_WHEN_CLOSED
__attribute__((destructor)) static void end(void) { end_well(); }
#endif
#ifdef EXITS_IN_A_THREAD
static void *later(void *nothing)
{
    (void)nothing;
    usleep(50000);
    end_well();
    return NULL;
}
__attribute__((constructor)) static void begin(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, later, NULL);
}
#endif
#ifdef HANGS_WHEN_OPENED
__attribute__((constructor)) static void begin(void) { pause(); }
#endif

/* ---- the table ------------------------------------------------------------------------------------------------- */

#define EVERY_CHEAT(C) C(replays_by_pointer) C(replays_by_problem) C(replays_by_hash) C(replays_by_hash_of_x) \
    C(returns_early) C(skips_what_is_no_integer) C(works_once) C(wrong_when_timed) C(computes_every_eighth) \
    C(first_image_only) C(asks_the_reference) C(writes_late) C(loops_for_ever) C(stores_to_null) C(exits_well) \
    C(exits_at_once) C(takes_all_memory)

#define KINDS (1u << CONV_STANDARD | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE | 1u << CONV_POINTWISE)
#define KERNEL(function) \
    static const struct conv_kernel kernel_##function = \
        { .name = #function, .title = "a cheat of the tests", .kinds = KINDS, .run = function };
EVERY_CHEAT(KERNEL)
static const struct conv_kernel honest = { .name = "honest", .title = "does its work", .kinds = KINDS, .run = compute };

__attribute__((visibility("default"))) const struct conv_provider *convref_provider(void)
{
#define POINTER(function) &kernel_##function,
    static const struct conv_kernel *const kernels[] = { EVERY_CHEAT(POINTER) &honest, NULL };
    static const struct conv_provider provider = {
        CONV_PROVIDER_ABI, sizeof(struct conv_kernel), "cheats", "1", kernels
    };
    return &provider;
}
