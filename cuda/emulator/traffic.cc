/* traffic.cc - what a GPU would move for the accesses that the watch sees: requests, sectors, passes over banks.
 *
 * With CONVREF_CUDA_TRAFFIC=FILE each launch adds a table to FILE, as TSV: a row for each place in the code and array.
 *
 *     request     the k-th time that the lanes of a warp pass a place; 32 lanes at most
 *     sectors     distinct pieces of 32 bytes of the device's memory that a request touches: 4 at best for 32 floats
 *     passes      turns that shared memory takes for a request: it has 32 banks of 4 bytes, and lanes that want different
 *                 words of one bank wait for each other; 1 at best, 2 and 4 for lanes of 8 and 16 bytes
 *
 * The totals are bytes: through the first cache, all sectors; from the second at least, the sectors of a block once;
 * from memory at least, the sectors of the launch once.  They are exact counts and no times.  Caches are ideal or absent,
 * so they are bounds.  nvcc may merge neighbouring loads of shared memory, which are counted one by one here.
 * Not here: faults (watch.cc).   Read next: docs/how-a-gpu-runs-a-kernel.md
 */
#include "grid.h"
#include <algorithm>
#include <cstdio>
#include <map>
#include <unordered_map>
#include <vector>

namespace emulator {
namespace {

enum { SECTOR = 32, BANKS = 32, BANK_BYTES = 4 };

struct place {
    const void *site;
    size_t array_bytes;
    bool write, shared;
    auto operator<=>(const place &) const = default;
};

struct event {
    place at;
    uintptr_t address;
    size_t bytes;
    uintptr_t last() const { return address + bytes - 1; }
};
struct counts { unsigned long long requests, lanes, sectors, passes; };
typedef std::vector<const event *> request;   /* one event for each lane that takes part */

const char *file;
std::vector<event> of_thread[MOST_THREADS];
std::map<place, counts> table;
std::unordered_map<uintptr_t, uint64_t> last_block;   /* sector -> the block that touched it last */
unsigned long long from_second_cache, from_memory;    /* sectors */

/* ---- one request ----------------------------------------------------------------------------------------------- */

uint64_t distinct(std::vector<uintptr_t> *numbers)
{
    std::sort(numbers->begin(), numbers->end());
    return static_cast<uint64_t>(std::unique(numbers->begin(), numbers->end()) - numbers->begin());
}

uint64_t sectors_of(const request &lanes)
{
    std::vector<uintptr_t> sectors;
    for (const event *lane : lanes)
        for (uintptr_t s = lane->address / SECTOR; s <= lane->last() / SECTOR; s++) {
            sectors.push_back(s);
            uint64_t &block = last_block[s];
            from_memory += block < launch_first_block;
            from_second_cache += block != block_number;
            block = block_number;
        }
    return distinct(&sectors);
}

/* Lanes of 8 bytes go in two halves of the warp, those of 16 bytes in four quarters. */
uint64_t passes_of(const request &lanes)
{
    const size_t group = lanes[0]->bytes <= BANK_BYTES ? warpSize : warpSize * BANK_BYTES / lanes[0]->bytes;
    uint64_t passes = 0;
    for (size_t first = 0; first < lanes.size(); first += group) {
        std::vector<uintptr_t> words[BANKS];
        uint64_t most = 1;
        for (size_t i = first; i < std::min(lanes.size(), first + group); i++)
            for (uintptr_t w = lanes[i]->address / BANK_BYTES; w <= lanes[i]->last() / BANK_BYTES; w++)
                words[w % BANKS].push_back(w);
        for (auto &bank : words)
            most = std::max(most, distinct(&bank));
        passes += most;
    }
    return passes;
}

void count(const request &lanes)
{
    counts &row = table[lanes[0]->at];
    row.requests++;
    row.lanes += lanes.size();
    if (lanes[0]->at.shared)
        row.passes += passes_of(lanes);
    else
        row.sectors += sectors_of(lanes);
}

void count_warp(int begin, int end)
{
    std::map<place, std::vector<request>> requests;
    for (int t = begin; t < end; t++) {
        std::map<place, size_t> turns;
        for (const event &e : of_thread[t]) {
            std::vector<request> &here = requests[e.at];
            const size_t turn = turns[e.at]++;
            here.resize(std::max(here.size(), turn + 1));
            here[turn].push_back(&e);
        }
    }
    for (const auto &[at, turns] : requests)
        for (const request &lanes : turns)
            count(lanes);
}

/* ---- the table ----------------------------------------------------------------------------------------------------- */

void print(FILE *out)
{
    unsigned long long sectors = 0, passes = 0;
    fprintf(out, "line\tmemory\taccess\tarray_bytes\trequests\tlanes\tsectors_per_request\tpasses_per_request\n");
    for (const auto &[at, row] : table) {
        const double requests = static_cast<double>(row.requests);
        fprintf(out, "%s\t%s\t%s\t%zu\t%llu\t%.2f\t", line_of(at.site), at.shared ? "shared" : "global",
                at.write ? "write" : "read", at.array_bytes, row.requests, static_cast<double>(row.lanes) / requests);
        fprintf(out, at.shared ? "\t%.2f\n" : "%.2f\t\n",
                static_cast<double>(at.shared ? row.passes : row.sectors) / requests);
        sectors += row.sectors;
        passes += row.passes;
    }
    fprintf(out, "# bytes through the first cache %llu, from the second at least %llu, from memory at least %llu; "
            "passes over banks %llu", sectors * SECTOR, from_second_cache * SECTOR, from_memory * SECTOR, passes);
    if (tensor_products || narrow_products)
        fprintf(out, "; multiply-adds of tensor cores %llu, in 16 bits %llu", tensor_products, narrow_products);
    fprintf(out, "\n");
}

}   /* namespace */

/* ---- what the watch calls -------------------------------------------------------------------------------------------- */

void traffic_begins()
{
    file = getenv("CONVREF_CUDA_TRAFFIC");
    table.clear();
    last_block.clear();
    from_second_cache = from_memory = tensor_products = narrow_products = 0;
}

void traffic_note(const void *site, uintptr_t address, size_t bytes, bool write, bool shared, size_t array_bytes)
{
    if (file)
        of_thread[current].push_back({ { site, shared ? 0 : array_bytes, write, shared }, address, bytes });
}

void traffic_of_block(int threads)
{
    for (int t = 0; file && t < threads; t += warpSize)
        count_warp(t, std::min(threads, t + warpSize));
    for (int t = 0; file && t < threads; t++)
        of_thread[t].clear();
}

void traffic_ends()
{
    if (!file)
        return;
    FILE *out = fopen(file, "a");
    if (out)
        print(out);
    if (!out || fclose(out))
        refuse(cudaErrorInvalidValue, "CONVREF_CUDA_TRAFFIC: %s can't be written", file);
}

}   /* namespace emulator */
