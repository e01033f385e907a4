/* instructions.cc - models of instructions: copies that arrive when they like, and a matrix product of a warp.
 *
 * An asynchronous copy may arrive at once, at the wait for it, or in between, and a kernel must be right whenever:
 * CONVREF_CUDA_LANDING says late (the default: a missing wait reads old data), early (a buffer that is filled again
 * too soon loses what is still read), or random, the same in every run.
 * Not here: who reads a copy before it is there (watch.cc).   Read next: watch.cc
 */
#include <instructions.h>
#include "grid.h"
#include <vector>

namespace emulator {

uint64_t tensor_products;

namespace {

struct copy { char *to; const char *from; unsigned size, bytes; int group; bool landed; const void *site; };

std::vector<copy> coming[MOST_THREADS];
int groups[MOST_THREADS];   /* committed by a thread in this block */
bool used;

void land(copy *copy)
{
    memcpy(copy->to, copy->from, copy->bytes);
    memset(copy->to + copy->bytes, 0, copy->size - copy->bytes);
    copy->landed = true;
}

}   /* namespace */

void forget_copies()
{
    for (int t = 0; used && t < MOST_THREADS; t++) {
        coming[t].clear();
        groups[t] = 0;
    }
    used = false;
}

void copy_async(void *to, const void *from, unsigned size, unsigned bytes, const void *site)
{
    if ((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) % size || bytes > size)
        stop("%s: thread %d copies %u of %u bytes, from %p to %p: both begin at multiples of %u", line_of(site),
             current, bytes, size, from, to, size);
    access(from, bytes, false, site);
    access(to, size, true, site);
    if (watching)
        watching->copy_begins(to, size);
    copy copy = { static_cast<char *>(to), static_cast<const char *>(from), size, bytes, groups[current], false,
                  site };
    if (landing == LAND_EARLY || (landing == LAND_RANDOM && random_below(2)))
        land(&copy);
    coming[current].push_back(copy);
    used = true;
}

void commit_copies() { used = true, groups[current]++; }

void wait_for_copies(int groups_left)
{
    std::vector<copy> &mine = coming[current];
    size_t ended = 0;
    for (; ended < mine.size() && mine[ended].group < groups[current] - groups_left; ended++) {
        if (!mine[ended].landed)
            land(&mine[ended]);
        if (watching)
            watching->copy_ends(mine[ended].to, mine[ended].size, mine[ended].site);
    }
    mine.erase(mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(ended));
}

/* ---- tensor cores ----------------------------------------------------------------------------------------------- */

/* An operand has 19 bits: 1 of sign, 8 of exponent, 10 behind the point; what lies below isn't read (NVIDIA, PTX
 * ISA, on .tf32). */
static double operand(float value) { return __uint_as_float(__float_as_uint(value) & 0xffffe000); }

static float cut_off(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits &= ~uint64_t(0) << 29;   /* 52 - 23 bits behind the point that f32 hasn't */
    memcpy(&value, &bits, sizeof bits);
    return static_cast<float>(value);
}

/* cut_off(sum + four products) for a row of D. */
static void add_products(float d[8], const double a[4], const double b[4][8])
{
    for (int column = 0; column < 8; column++) {
        double sum = d[column];
        for (int k = 0; k < 4; k++)
            sum += a[k] * b[k][column];
        d[column] = cut_off(sum);
    }
}

/* Products are exact, and a new sum is cut off, not rounded, as was seen on V100, T4 and A100: Fasi, Higham, Mikaitis
 * and Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer Science 7:e330 (2021).  How many are added
 * at once isn't documented: here four and the sum before.  A card also cuts off each term at some bits below the
 * largest; here a term keeps those of a double. */
void multiply_matrices(void *lanes[warpSize])
{
    double a[16][8], b[8][8], of_a = 0, of_b = 0;   /* sums of magnitudes: 0, finite or not */
    float d[16][8];
    tensor_products += 16 * 8 * 8;
    for (int l = 0; l < warpSize; l++) {
        const matrices *lane = static_cast<matrices *>(lanes[l]);
        for (int i = 0; i < 4; i++)
            of_a += std::fabs(a[l / 4 + i % 2 * 8][l % 4 + i / 2 * 4] = operand(lane->a[i]));
        for (int i = 0; i < 2; i++)
            of_b += std::fabs(b[l % 4 + i * 4][l / 4] = operand(lane->b[i]));
    }
    if (of_a * of_b == 0)
        return;   /* zeros times finite numbers, as most products of small parts are in the verifier's integers */
    for (int l = 0; l < warpSize; l++)
        for (int i = 0; i < 4; i++)
            d[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2] = static_cast<matrices *>(lanes[l])->d[i];
    for (int row = 0; row < 16; row++)
        for (int k = 0; k < 8; k += 4)
            add_products(d[row], a[row] + k, b + k);
    for (int l = 0; l < warpSize; l++)
        for (int i = 0; i < 4; i++)
            static_cast<matrices *>(lanes[l])->d[i] = d[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2];
}

}   /* namespace emulator */
