/* instructions.cc - models of instructions: copies that arrive when they like, and matrices of a warp.
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

uint64_t tensor_products, narrow_products;

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

/* Element i of those that a lane has.  TF32 has 19 bits: 1 of sign, 8 of exponent, 10 behind the point; what lies
 * below isn't read (NVIDIA, PTX ISA, on .tf32).  Of 16 bits there are two in a register, the first in its lower half. */
static double tf32(const void *elements, int i)
{
    return __uint_as_float(static_cast<const unsigned *>(elements)[i] & 0xffffe000);
}
template <int EXPONENT> static double of_16_bits(const void *elements, int i)
{
    return narrow<EXPONENT>::to(static_cast<const unsigned *>(elements)[i / 2] >> i % 2 * 16 & 0xffff);
}

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

/* D[16][8] += A[16][8 EACH] * B[8 EACH][8], with EACH elements in a register of A and of B.
 * Products are exact, and a new sum is cut off, not rounded, as was seen on V100, T4 and A100: Fasi, Higham, Mikaitis
 * and Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer Science 7:e330 (2021).  How many are added
 * at once isn't documented: here four and the sum before.  A card also cuts off each term at some bits below the
 * largest; here a term keeps those of a double. */
template <int EACH> static void multiply(void *lanes[warpSize], double element(const void *elements, int i))
{
    double a[16][8 * EACH], b[8 * EACH][8], of_a = 0, of_b = 0;   /* sums of magnitudes: 0, finite or not */
    float d[16][8];
    (EACH == 1 ? tensor_products : narrow_products) += 16 * 8 * 8 * EACH;
    for (int l = 0; l < warpSize; l++) {
        const matrices *lane = static_cast<matrices *>(lanes[l]);
        for (int i = 0; i < 4 * EACH; i++) {
            double &to = a[l / 4 + i / EACH % 2 * 8][l % 4 * EACH + i % EACH + i / EACH / 2 * 4 * EACH];
            of_a += std::fabs(to = element(lane->a, i));
        }
        for (int i = 0; i < 2 * EACH; i++)
            of_b += std::fabs(b[l % 4 * EACH + i % EACH + i / EACH * 4 * EACH][l / 4] = element(lane->b, i));
    }
    if (of_a * of_b == 0)
        return;   /* zeros times finite numbers, as most products of small parts are in the verifier's integers */
    for (int l = 0; l < warpSize; l++)
        for (int i = 0; i < 4; i++)
            d[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2] = static_cast<matrices *>(lanes[l])->d[i];
    for (int row = 0; row < 16; row++)
        for (int k = 0; k < 8 * EACH; k += 4)
            add_products(d[row], a[row] + k, b + k);
    for (int l = 0; l < warpSize; l++)
        for (int i = 0; i < 4; i++)
            static_cast<matrices *>(lanes[l])->d[i] = d[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2];
}

void multiply_tf32(void *lanes[warpSize]) { multiply<1>(lanes, tf32); }
void multiply_bf16(void *lanes[warpSize]) { multiply<2>(lanes, of_16_bits<8>); }
void multiply_f16(void *lanes[warpSize]) { multiply<2>(lanes, of_16_bits<5>); }

/* ---- matrices from shared memory -------------------------------------------------------------------------------- */

namespace {

struct rows { unsigned *words; const char *row; };

/* Lane l has the address of row l % 8 of matrix l / 8, and gets word l % 4 of row l / 4 of each matrix. */
void exchange_rows(void *lanes[warpSize])
{
    for (int l = 0; l < warpSize; l++)
        for (int matrix = 0; matrix < 4; matrix++)
            memcpy(&static_cast<rows *>(lanes[l])->words[matrix],
                   static_cast<rows *>(lanes[matrix * 8 + l / 4])->row + l % 4 * 4, 4);
}

}   /* namespace */

void load_matrices(unsigned *words, const void *row, const void *site)
{
    enum { ROW = 16 };
    rows mine = { words, static_cast<const char *>(row) };
    if (reinterpret_cast<uintptr_t>(row) % ROW)
        stop("%s: thread %d loads a row of a matrix at %p: rows begin at multiples of %d", line_of(site), current,
             row, ROW);
    access(row, ROW, false, site);
    meet(~0u, &mine, exchange_rows, site);
}

}   /* namespace emulator */
