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

struct emulator_event { double seconds; };

namespace emulator {

static cudaError_t last_error;
static char last_words[WORDS];

void leave_for_good() __attribute__((noreturn));

static void keep(cudaError_t error, const char *format, va_list list)
{
    if (last_error != cudaSuccess)
        return;   /* the first one is the cause */
    last_error = error;
    vsnprintf(last_words, sizeof last_words, format, list);
}

void refuse(cudaError_t error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    keep(error, format, list);
    va_end(list);
}

void stop(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    keep(cudaErrorLaunchFailure, format, list);
    va_end(list);
    leave_for_good();
}

/* addr2line knows the lines, and belongs to the package of the linker.  It is asked once for a place. */
static void ask_for_line(char line[WORDS], const char *file, size_t offset)
{
    char command[WORDS + 64];
    snprintf(command, sizeof command, "addr2line -e '%s' %#zx 2>/dev/null", file, offset);
    FILE *answer = popen(command, "r");
    if (!answer || !fgets(line, WORDS, answer) || line[0] == '?')
        snprintf(line, WORDS, "%s+%#zx", file, offset);
    if (answer)
        pclose(answer);
    line[strcspn(line, " \n")] = 0;
}

const char *line_of(const void *site)
{
    enum { KNOWN = 64 };
    static struct { const void *site; char line[WORDS]; } known[KNOWN];
    static int next;
    Dl_info module;
    for (auto &row : known)
        if (site && row.site == site)
            return strrchr(row.line, '/') ? strrchr(row.line, '/') + 1 : row.line;
    if (!site || !dladdr(site, &module))
        return "?";
    auto *row = &known[next++ % KNOWN];
    row->site = site;
    /* the call lies before the address to which it returns */
    ask_for_line(row->line, module.dli_fname,
                 static_cast<size_t>(static_cast<const char *>(site) - static_cast<char *>(module.dli_fbase)) - 1);
    return line_of(site);
}

static double now()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}   /* namespace emulator */

using namespace emulator;

cudaError_t cudaMalloc(void **memory, size_t bytes)
{
    enum { ALIGNMENT = 256 };
    *memory = aligned_alloc(ALIGNMENT, (bytes / ALIGNMENT + 1) * ALIGNMENT);
    if (!*memory)
        return cudaErrorMemoryAllocation;
    memset(*memory, 0xff, bytes);
    if (watching)
        watching->allocated(*memory, bytes);
    return cudaSuccess;
}

cudaError_t cudaFree(void *memory)
{
    if (watching && memory)
        watching->released(memory);
    free(memory);
    return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    memcpy(to, from, bytes);
    if (watching && kind == cudaMemcpyHostToDevice)
        watching->filled(to, bytes);
    return cudaSuccess;
}

cudaError_t cudaGetLastError()
{
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}

const char *cudaGetErrorString(cudaError_t error)
{
    return error == cudaSuccess ? "no error" : error == cudaErrorMemoryAllocation ? "out of memory" : last_words;
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
    *event = static_cast<cudaEvent_t>(calloc(1, sizeof **event));
    return *event ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaEventRecord(cudaEvent_t event)
{
    event->seconds = now();
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t begin, cudaEvent_t end)
{
    *milliseconds = static_cast<float>(1e3 * (end->seconds - begin->seconds));
    return cudaSuccess;
}
