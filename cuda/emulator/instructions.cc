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

struct matrices { float *d; const unsigned *a, *b; };

/* Element e of a register.  TF32 has 19 bits: 1 of sign, 8 of exponent, 10 behind the point; what lies below isn't read
 * (NVIDIA, PTX ISA, on .tf32).  Of 16 bits there are two in a register, the first in its lower half. */
float tf32(unsigned word, int) { return __uint_as_float(word & 0xffffe000); }
template <int EXPONENT> float of_16_bits(unsigned word, int e) { return narrow<EXPONENT>::to(word >> e * 16 & 0xffff); }

/* 52 - 23 bits behind the point that f32 hasn't */
float cut_off(double value)
{
    return static_cast<float>(std::bit_cast<double>(std::bit_cast<uint64_t>(value) & ~uint64_t(0) << 29));
}

/* cut_off(sum + four products) for a row of D, two columns at a time, as machines have registers for two doubles. */
typedef double two __attribute__((vector_size(2 * sizeof(double))));
void add_products(float d[8], const double a[4], const two b[4][4])
{
    for (int i = 0; i < 4; i++) {
        two sum = { d[2 * i], d[2 * i + 1] };
        for (int k = 0; k < 4; k++)
            sum += a[k] * b[k][i];
        d[2 * i] = cut_off(sum[0]);
        d[2 * i + 1] = cut_off(sum[1]);
    }
}

template <int INNER> bool all_finite(const two (&b)[INNER][4])
{
    two sum = {};
    for (const auto &row : b)
        sum += 0 * row[0] + 0 * row[1] + 0 * row[2] + 0 * row[3];
    return sum[0] + sum[1] == 0;   /* 0 times infinity is NaN */
}

/* D[16][8] += A[16][8 EACH] * B[8 EACH][8], with EACH elements in a register of A and of B.
 * Products are exact, and a new sum is cut off, not rounded, as was seen on V100, T4 and A100: Fasi, Higham, Mikaitis
 * and Pranesh, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer Science 7:e330 (2021).  How many are added
 * at once isn't documented: here four and the sum before.  A card also cuts off each term at some bits below the
 * largest; here a term keeps those of a double. */
template <int EACH, float element(unsigned word, int e)> void multiply_warp(void *lanes[warpSize])
{
    unsigned a_words[16][8], b_words[8][8], any[16] = {};   /* registers of a row, of a column; bits of a row of A */
    double a[16][8 * EACH];
    two b[8 * EACH][4];
    float d[16][8];
    (EACH == 1 ? tensor_products : narrow_products) += 16 * 8 * 8 * EACH;
    for (int l = 0; l < warpSize; l++)
        for (int i = 0; i < 4; i++) {
            const matrices *lane = static_cast<matrices *>(lanes[l]);
            any[l / 4 + i % 2 * 8] |= a_words[l / 4 + i % 2 * 8][l % 4 + i / 2 * 4] = lane->a[i];
            b_words[l % 4 + i % 2 * 4][l / 4] = lane->b[i % 2];
            d[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2] = lane->d[i];
        }
    for (int e = 0; e < EACH; e++)
        for (int w = 0; w < 8; w++) {
            for (int row = 0; row < 16; row++)
                a[row][w * EACH + e] = element(a_words[row][w], e);
            for (int column = 0; column < 8; column++)
                b[w * EACH + e][column / 2][column % 2] = element(b_words[w][column], e);
        }
    const bool finite = all_finite(b);
    for (int row = 0; row < 16; row++)
        for (int k = 0; k < 8 * EACH && (any[row] || !finite); k += 4)   /* not zeros times finite numbers, of which */
            add_products(d[row], a[row] + k, b + k);                     /* the verifier's integers have many */
    for (int l = 0; l < warpSize; l++)
        for (int i = 0; i < 4; i++)
            static_cast<matrices *>(lanes[l])->d[i] = d[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2];
}

void (*const models[])(void *lanes[warpSize]) = {   /* by enum type */
    multiply_warp<1, tf32>, multiply_warp<2, of_16_bits<5>>, multiply_warp<2, of_16_bits<8>>
};

}   /* namespace */

void multiply(float *d, const void *a, const void *b, type type, const void *site)
{
    matrices mine = { d, static_cast<const unsigned *>(a), static_cast<const unsigned *>(b) };
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
