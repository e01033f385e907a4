/* busy.c - did somebody else use the machine meanwhile?   Declared in busy.h.
 *
 * /proc/stat counts the work of all processors, and what a hypervisor took away ("steal"), in hundredths of a second:
 * enough for a measurement of a second.   Source: proc(5).
 */
#include "verify/measure/busy.h"

#include <convref/machine.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds_of(struct timeval time) { return (double)time.tv_sec + 1e-6 * (double)time.tv_usec; }

/* user, nice, system, idle, iowait, irq, softirq, steal; negative if it can't be read. */
static double work_of_all(void)
{
    unsigned long user, nice, system, irq, softirq, steal;
    FILE *file = fopen("/proc/stat", "re");
    const int read = file ? fscanf(file, "cpu %lu %lu %lu %*u %*u %lu %lu %lu", &user, &nice, &system, &irq, &softirq,
                                   &steal) : 0;
    if (file)
        fclose(file);
    return read == 6 ? (double)(user + nice + system + irq + softirq + steal) / (double)sysconf(_SC_CLK_TCK) : -1;
}

struct busy busy_read(void)
{
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    return (struct busy){ conv_seconds(), work_of_all(), seconds_of(own.ru_utime) + seconds_of(own.ru_stime) };
}

double busy_others(const struct busy *since)
{
    const struct busy now = busy_read();
    const double wall = now.wall - since->wall, others = now.all - since->all - (now.own - since->own);
    if (since->all < 0 || now.all < 0 || wall <= 0)
        return -1;
    return others > 0 ? others / wall : 0;
}
