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

unsigned long long tensor_products, narrow_products;

namespace {

struct copy { char *to; const void *from; unsigned size, bytes; int group; const void *site; };

std::vector<copy> coming[MOST_THREADS];
int groups[MOST_THREADS];   /* committed by a thread in this block */
bool used;

void land(const copy &copy)
{
    memcpy(copy.to, copy.from, copy.bytes);
    memset(copy.to + copy.bytes, 0, copy.size - copy.bytes);
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
    if ((uintptr_t(to) | uintptr_t(from)) % size || bytes > size)
        refuse(cudaErrorLaunchFailure, "%s: thread %d copies %u of %u bytes, from %p to %p: both begin at multiples of %u",
               line_of(site), current, bytes, size, from, to, size);
    access(from, bytes, READ, site);
    access(to, size, WRITE, site);
    watching->copy_begins(to, size);
    coming[current].push_back({ static_cast<char *>(to), from, size, bytes, groups[current], site });
    if (landing == LAND_EARLY || (landing == LAND_RANDOM && random_below(2)))
        land(coming[current].back());   /* and at the wait the same once more, which is seen by nobody who waits */
    used = true;
}

void commit_copies() { used = true, groups[current]++; }

void wait_for_copies(int groups_left)
{
    std::vector<copy> &mine = coming[current];
    auto end = mine.begin();
    for (; end != mine.end() && end->group < groups[current] - groups_left; ++end) {
        land(*end);
        watching->copy_ends(end->to, end->size, end->site);
    }
    mine.erase(mine.begin(), end);
}

/* ---- tensor cores ----------------------------------------------------------------------------------------------- */

namespace {

struct matrices { float *d; const void *a, *b; };

/* Element i of those that a lane has.  TF32 has 19 bits: 1 of sign, 8 of exponent, 10 behind the point; what lies
 * below isn't read (NVIDIA, PTX ISA, on .tf32).  Of 16 bits there are two in a register, the first in its lower half. */
double tf32(const void *elements, int i)
{
    return __uint_as_float(static_cast<const unsigned *>(elements)[i] & 0xffffe000);
}
template <int EXPONENT> double of_16_bits(const void *elements, int i)
{
    return narrow<EXPONENT>::to(static_cast<const unsigned *>(elements)[i / 2] >> i % 2 * 16 & 0xffff);
}

/* 52 - 23 bits behind the point that f32 hasn't */
float cut_off(double value)
{
    return static_cast<float>(std::bit_cast<double>(std::bit_cast<uint64_t>(value) & ~uint64_t(0) << 29));
}

/* cut_off(sum + four products) for a row of D. */
void add_products(float d[8], const double a[4], const double b[4][8])
{
    for (int column = 0; column < 8; column++) {
        double sum = d[column];
        for (int k = 0; k < 4; k++)
            sum += a[k] * b[k][column];
        d[column] = cut_off(sum);
    }
}

/* Of lane l: the row and column of its sum i in D, and of its element i in A and, turned, in B. */
int row_of(int l, int i) { return l / 4 + i / 2 * 8; }
int column_of(int l, int i) { return l % 4 * 2 + i % 2; }
template <int EACH> int row_of_a(int l, int i) { return l / 4 + i / EACH % 2 * 8; }
template <int EACH> int inner_of(int l, int i, int apart) { return l % 4 * EACH + i % EACH + i / EACH / apart * 4 * EACH; }

/* D[16][8] += A[16][8 EACH] * B[8 EACH][8], with EACH elements in a register of A and of B.
 * Products are exact, and a new sum is cut off, not rounded, as was seen on V100, T4 and A100: Fasi, Higham, Mikaitis
 * and Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer Science 7:e330 (2021).  How many are added
 * at once isn't documented: here four and the sum before.  A card also cuts off each term at some bits below the
 * largest; here a term keeps those of a double. */
template <int EACH, double element(const void *elements, int i)> void multiply_warp(void *lanes[warpSize])
{
    double a[16][8 * EACH], b[8 * EACH][8], of_a[16] = {}, of_b = 0;   /* sums of magnitudes: 0, finite or not */
    float d[16][8];
    (EACH == 1 ? tensor_products : narrow_products) += 16 * 8 * 8 * EACH;
    for (int l = 0; l < warpSize; l++) {
        const matrices *lane = static_cast<matrices *>(lanes[l]);
        for (int i = 0; i < 4 * EACH; i++) {
            const int row = row_of_a<EACH>(l, i);
            of_a[row] += std::fabs(a[row][inner_of<EACH>(l, i, 2)] = element(lane->a, i));
        }
        for (int i = 0; i < 2 * EACH; i++)
            of_b += std::fabs(b[inner_of<EACH>(l, i, 1)][l / 4] = element(lane->b, i));
        for (int i = 0; i < 4; i++)
            d[row_of(l, i)][column_of(l, i)] = lane->d[i];
    }
    for (int row = 0; row < 16; row++)
        for (int k = 0; k < 8 * EACH && of_a[row] * of_b != 0; k += 4)   /* not zeros times finite numbers, of which */
            add_products(d[row], a[row] + k, b + k);                     /* the verifier's integers have many */
    for (int l = 0; l < warpSize; l++)
        for (int i = 0; i < 4; i++)
            static_cast<matrices *>(lanes[l])->d[i] = d[row_of(l, i)][column_of(l, i)];
}

void (*const models[])(void *lanes[warpSize]) = {   /* by enum type */
    multiply_warp<1, tf32>, multiply_warp<2, of_16_bits<5>>, multiply_warp<2, of_16_bits<8>>
};

}   /* namespace */

void multiply(float *d, const void *a, const void *b, type type, const void *site)
{
    matrices mine = { d, a, b };
    meet(~0u, &mine, models[type], site);
}

/* ---- matrices from shared memory -------------------------------------------------------------------------------- */

/* Lane l has the address of row l % 8 of matrix l / 8, and gets word l % 4 of row l / 4 of each matrix. */
void load_matrices(unsigned *words, const void *row, const void *site)
{
    enum { ROW = 16 };
    struct rows { unsigned *words; const char *row; } mine = { words, static_cast<const char *>(row) };
    if (uintptr_t(row) % ROW)
        refuse(cudaErrorLaunchFailure, "%s: thread %d loads a row of a matrix at %p: rows begin at multiples of %d",
               line_of(site), current, row, ROW);
    access(row, ROW, READ, site);
    meet(~0u, &mine, [](void *lanes[warpSize]) {
        for (int l = 0; l < warpSize; l++)
            for (int matrix = 0; matrix < 4; matrix++)
                memcpy(&static_cast<rows *>(lanes[l])->words[matrix],
                       static_cast<rows *>(lanes[matrix * 8 + l / 4])->row + l % 4 * 4, 4);
    }, site);
}

}   /* namespace emulator */
