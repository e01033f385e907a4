/* cards.c - what cards promise, and the time that a kernel takes on them at least.
 *
 * The figures are those of NVIDIA's data sheets and white papers, at the highest clock: nothing here was measured.
 * Read next: traffic.c
 */
#include <string.h>

#include "verify/measure/traffic.h"

enum { LANES = 32 };            /* of a warp */
enum { BYTES_A_CLOCK = 128 };   /* of a multiprocessor's first cache, which is its shared memory, too */

static const struct card cards[] = {
    { "a100", "A100 SXM, 80 GB", 108, 64, 512, 32, 1.41, 2039 },
    { "h100", "H100 SXM, 80 GB", 132, 128, 1024, 32, 1.98, 3350 },
    { "h200", "H200 SXM, 141 GB", 132, 128, 1024, 32, 1.98, 4800 },
};

const struct card *card_at(int index)
{
    return index < (int)(sizeof cards / sizeof *cards) ? &cards[index] : NULL;
}

const struct card *card_find(const char *name)
{
    for (int i = 0; card_at(i); i++)
        if (!strcmp(card_at(i)->name, name))
            return card_at(i);
    return NULL;
}

double card_bound(const struct card *card, const struct traffic *traffic, enum traffic_total total)
{
    const bool by_tensor_cores = traffic->total[TRAFFIC_TENSOR_PRODUCTS] || traffic->total[TRAFFIC_NARROW_PRODUCTS];
    const double clocks = 1e9 * card->clock_ghz * card->multiprocessors;   /* a second, of all multiprocessors */
    const double a_second[TRAFFIC_TOTALS] = {
        [TRAFFIC_MEMORY] = 1e9 * card->memory_gb_s,
        [TRAFFIC_FIRST_CACHE] = clocks * BYTES_A_CLOCK,
        [TRAFFIC_PASSES] = clocks,
        [TRAFFIC_REQUESTS] = clocks * card->loads / LANES,
        [TRAFFIC_PRODUCTS] = by_tensor_cores ? 0 : clocks * card->multiply_adds,
        [TRAFFIC_TENSOR_PRODUCTS] = clocks * card->tensor_multiply_adds,
        [TRAFFIC_NARROW_PRODUCTS] = clocks * 2 * card->tensor_multiply_adds,   /* so say all data sheets */
    };
    return a_second[total] > 0 ? (double)traffic->total[total] / a_second[total] : 0;
}
