/* runtime.cc - the side of the host: memory of the device, copies, errors, clocks.
 *
 * Memory of the device is memory of this machine, 256-byte aligned as the toolkit's is, and starts as NaN.  An error is
 * kept until cudaGetLastError() asks for it, as the toolkit does; its words say what was seen, with the line.
 * Not here: grids (grid.cc).   Read next: watch.cc
 */
#include "grid.h"
#include <cstdarg>
#include <cstdio>
#include <ctime>
#include <dlfcn.h>
#include <map>
#include <string>

namespace emulator {

static cudaError_t last_error;
static char last_words[WORDS_OF_ERROR];

void refuse(cudaError_t error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    if (last_error == cudaSuccess) {   /* the first one is the cause */
        last_error = error;
        vsnprintf(last_words, sizeof last_words, format, list);
    }
    va_end(list);
    if (current >= 0)
        end_grid();
}

/* addr2line knows the lines, and belongs to the package of the linker. */
static std::string ask_for_line(const char *file, size_t offset)
{
    char text[2 * WORDS_OF_ERROR];
    snprintf(text, sizeof text, "addr2line -e '%s' %#zx 2>/dev/null", file, offset);
    FILE *answer = popen(text, "r");
    if (!answer || !fgets(text, sizeof text, answer) || text[0] == '?')
        snprintf(text, sizeof text, "%s+%#zx", file, offset);
    if (answer)
        pclose(answer);
    text[strcspn(text, " \n")] = 0;
    return strrchr(text, '/') ? strrchr(text, '/') + 1 : text;
}

const char *line_of(const void *site)
{
    static std::map<const void *, std::string> known;   /* each is asked for once */
    std::string &line = known[site];
    Dl_info module;
    if (line.empty() && site && dladdr(site, &module))   /* the call lies before the address to which it returns */
        line = ask_for_line(module.dli_fname, static_cast<size_t>(static_cast<const char *>(site)
                                                                  - static_cast<char *>(module.dli_fbase)) - 1);
    return line.empty() ? "?" : line.c_str();
}

}   /* namespace emulator */

using emulator::watching;

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    enum { ALIGNMENT = 256 };
    *memory = aligned_alloc(ALIGNMENT, (bytes / ALIGNMENT + 1) * ALIGNMENT);
    if (!*memory)
        return cudaErrorMemoryAllocation;
    memset(*memory, 0xff, bytes);
    watching->allocated(*memory, bytes);
    return cudaSuccess;
}

cudaError_t cudaFree(void *memory)
{
    watching->released(memory);
    free(memory);
    return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    memcpy(to, from, bytes);
    if (kind == cudaMemcpyHostToDevice)
        watching->filled(to, bytes);
    return cudaSuccess;
}

cudaError_t cudaGetLastError()
{
    const cudaError_t error = emulator::last_error;
    emulator::last_error = cudaSuccess;
    return error;
}

const char *cudaGetErrorString(cudaError_t error)
{
    return error == cudaSuccess ? "no error" : error == cudaErrorMemoryAllocation ? "out of memory"
         : emulator::last_words;
}

cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }

/* A card of two multiprocessors: few, so that a grid as large as the card is small. */
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr, int)
{
    *value = 2;
    return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    *event = new double(0);
    return cudaSuccess;
}

/* Time of the processor: a machine has other things to do as well. */
cudaError_t cudaEventRecord(cudaEvent_t event)
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    *event = static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t begin, cudaEvent_t end)
{
    *milliseconds = static_cast<float>(1e3 * (*end - *begin));
    return cudaSuccess;
}
