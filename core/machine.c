/* machine.c - facts about this machine, by hwloc and uname.   Declared in convref/machine.h and clock.h. */
#include <config.h>
#include <convref/machine.h>
#include <hwloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

static void read_caches(struct conv_machine *machine, hwloc_topology_t topology)
{
    static const hwloc_obj_type_t caches[] = { HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE };
    for (int level = CONV_L1; level <= CONV_L3; level++) {
        hwloc_obj_t cache = hwloc_get_obj_by_type(topology, caches[level], 0);
        machine->bytes[level] = cache ? (int64_t)cache->attr->cache.size : 0;
    }
}

/* From the system, not from hwloc: in a virtual machine whose memory grows, the node's figure may lag behind. */
static void read_memory(struct conv_machine *machine)
{
    machine->bytes[CONV_DRAM] = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

static void read_processor(struct conv_machine *machine, hwloc_topology_t topology)
{
    hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
    const char *model = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
    const int cores = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE);
    const int units = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
    if (model)
        snprintf(machine->cpu, sizeof machine->cpu, "%s", model);
    machine->cores = cores > 0 ? cores : units > 0 ? units : 1;
}

static void read_system(struct conv_machine *machine)
{
    struct utsname system;
    if (uname(&system) == 0)
        snprintf(machine->system, sizeof machine->system, "%.20s %.40s %.20s", system.sysname,
                 system.release, system.machine);
}

void conv_machine_read(struct conv_machine *machine)
{
    hwloc_topology_t topology;
    *machine = (struct conv_machine){ .cpu = "unknown", .system = "unknown", .cores = 1 };
#ifdef __clang__
    snprintf(machine->compiler, sizeof machine->compiler, "%s", __VERSION__);
#else
    snprintf(machine->compiler, sizeof machine->compiler, "GCC %s", __VERSION__);
#endif
    snprintf(machine->flags, sizeof machine->flags, "%s", CONVREF_BUILD_FLAGS);
    for (int isa = 0; isa < CONV_ISAS; isa++)
        if (isa <= (int)conv_isa_limit() && conv_isa_available((enum conv_isa)isa))
            machine->isa = (enum conv_isa)isa;
    read_system(machine);
    read_memory(machine);
    if (hwloc_topology_init(&topology) != 0)
        return;
    if (hwloc_topology_load(topology) == 0) {
        read_caches(machine, topology);
        read_processor(machine, topology);
    }
    hwloc_topology_destroy(topology);
}

const char *conv_level_name(enum conv_level level)
{
    static const char *const names[CONV_LEVELS] = { "L1", "L2", "L3", "DRAM" };
    return names[level];
}

enum conv_level conv_machine_level(const struct conv_machine *machine, int64_t bytes)
{
    for (enum conv_level level = CONV_L1; level < CONV_DRAM; level++)
        if (bytes <= machine->bytes[level])
            return level;
    return CONV_DRAM;
}

double conv_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double (*kernels_clock)(void) = conv_seconds;

double clock_now(void) { return kernels_clock(); }

void clock_set(double (*now)(void)) { kernels_clock = now ? now : conv_seconds; }
