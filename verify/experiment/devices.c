/* devices.c - the least time that a device needs, and whether a published one is possible.
 *
 * Peaks and bandwidths are experiments/devices.tsv, each with its source.  A floor is no prediction: real code stays
 * well above it; a time below it was not the time of that work.
 * Declared in experiment.h.   Read next: experiments/README.md
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/experiment/experiment.h"
#include "verify/io/tsv.h"

static enum conv_status fill(struct exp_devices *devices, const struct tsv *table, const char *path,
                             struct conv_error *error)
{
    static const char *const names[] = { "device", "gflops", "gbytes", "cache_mib" };
    int c[4];
    for (int i = 0; i < 4; i++)
        if ((c[i] = tsv_column(table, names[i])) < 0)
            return conv_fail(error, CONV_BAD_FILE, "%s: there is no column '%s'", path, names[i]);
    devices->rows = calloc((size_t)table->rows + 1, sizeof *devices->rows);
    if (!devices->rows)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for the devices");
    for (int row = 0; row < table->rows; row++) {
        struct exp_device *device = &devices->rows[devices->count++];
        snprintf(device->name, sizeof device->name, "%s", tsv_text(table, row, c[0]));
        device->flops = 1e9 * tsv_number(table, row, c[1]);
        device->bytes = 1e9 * tsv_number(table, row, c[2]);
        device->cache = 0x1p20 * tsv_number(table, row, c[3]);
        if (!(device->flops > 0 && device->bytes > 0 && device->cache >= 0))
            return conv_fail(error, CONV_BAD_FILE, "%s: %s has no positive peak, bandwidth and cache", path,
                             device->name);
    }
    return CONV_OK;
}

enum conv_status devices_read(struct exp_devices *devices, struct conv_error *error)
{
    struct tsv table;
    char *path = experiment_find("devices.tsv");
    *devices = (struct exp_devices){ .count = 0 };
    if (!path) {
        conv_fail(error, CONV_BAD_FILE, "the table of devices, experiments/devices.tsv, is not found");
        conv_hint(error, "set CONVREF_EXPERIMENTS to the folder experiments");
        return CONV_BAD_FILE;
    }
    enum conv_status status = tsv_read(&table, path, error);
    if (status == CONV_OK) {
        status = fill(devices, &table, path, error);
        tsv_free(&table);
    }
    free(path);
    if (status != CONV_OK)
        devices_free(devices);
    return status;
}

void devices_free(struct exp_devices *devices)
{
    free(devices->rows);
    *devices = (struct exp_devices){ .count = 0 };
}

const struct exp_device *devices_find(const struct exp_devices *devices, const char *name)
{
    for (int i = 0; i < devices->count; i++)
        if (!strcmp(devices->rows[i].name, name))
            return &devices->rows[i];
    return NULL;
}

struct exp_floor device_floor(const struct exp_device *device, const struct exp_cost *cost, double work)
{
    return (struct exp_floor){
        .direct = 2 * work * (double)cost->macs_inside / device->flops,
        .winograd = 2 * work * cost->fewest / device->flops,
        .memory = fmax(0, cost->bytes - device->cache) / device->bytes,
    };
}

enum exp_plausible device_judge(char words[96], const struct exp_floor *floor, double seconds)
{
    const double least = fmax(floor->winograd, floor->memory);
    if (seconds < least) {
        snprintf(words, 96, "no, %.3g x too fast for its %s", least / seconds,
                 floor->memory > floor->winograd ? "memory" : "arithmetic");
        return EXP_IMPOSSIBLE;
    }
    if (seconds < floor->direct) {
        snprintf(words, 96, "by Winograd alone, at %.0f %% of its peak", 100 * floor->winograd / seconds);
        return EXP_BY_WINOGRAD;
    }
    snprintf(words, 96, "yes, %.2g %% of the peak", 100 * floor->direct / seconds);
    return EXP_POSSIBLE;
}
