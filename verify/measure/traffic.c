/* traffic.c - runs a kernel with CONVREF_CUDA_TRAFFIC, and reads the tables that the watched module leaves.
 *
 * Not here: how it counts (cuda/emulator/traffic.cc).   Read next: cards.c
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <convref/count.h>
#include <convref/run.h>

#include "verify/measure/traffic.h"
#include "verify/sandbox/folder.h"
#include "verify/sandbox/sandbox.h"

static const char *const names[TRAFFIC_TOTALS] = {
    [TRAFFIC_MEMORY] = "bytes from memory, each once",
    [TRAFFIC_SECOND_CACHE] = "bytes from the second cache, each once a block",
    [TRAFFIC_FIRST_CACHE] = "bytes through the first cache",
    [TRAFFIC_PASSES] = "passes over the banks",
    [TRAFFIC_REQUESTS] = "requests of warps",
    [TRAFFIC_PRODUCTS] = "multiply-adds inside the image",
    [TRAFFIC_TENSOR_PRODUCTS] = "multiply-adds of tensor cores",
    [TRAFFIC_NARROW_PRODUCTS] = "the same in 16 bits",
};

const char *traffic_total_name(enum traffic_total total) { return names[total]; }

/* ---- run it ---------------------------------------------------------------------------------------------------- */

enum { TIME_LIMIT = 600 };

struct job {
    const struct conv_kernel *kernel;
    const struct conv_problem *problem;
    struct conv_operands operands;
    struct conv_error *error;   /* in memory that outlives the child */
};

static void do_job(void *argument)
{
    const struct job *job = argument;
    conv_run(&job->operands, job->kernel, job->problem, NULL, job->error);
}

static enum conv_status run_apart(const struct job *job, const char *path, struct conv_error *error)
{
    const struct sandbox_limits limits = { .seconds = TIME_LIMIT };
    struct sandbox_end end;
    char words[256];
    setenv("CONVREF_CUDA_TRAFFIC", path, 1);
    enum conv_status status = sandbox_run(&end, do_job, (void *)job, &limits, NULL, error);
    unsetenv("CONVREF_CUDA_TRAFFIC");
    if (status == CONV_OK && !end.completed)
        status = conv_fail(error, CONV_NOT_APPLICABLE, "kernel %s %s", job->kernel->name,
                           sandbox_words(words, sizeof words, &end, TIME_LIMIT));
    else if (status == CONV_OK && job->error->status != CONV_OK) {
        *error = *job->error;
        status = error->status;
    }
    return status;
}

/* ---- read what it left ----------------------------------------------------------------------------------------- */

/* A row of a launch's table; false for the line of names. */
static bool read_row(struct traffic_row *row, const char *line)
{
    int at = 0;
    *row = (struct traffic_row){ .requests = 0 };
    if (sscanf(line, "%95[^\t]\t%7[^\t]\t%7[^\t]\t%" SCNd64 "\t%" SCNd64 "\t%lf%n", row->line, row->memory,
               row->access, &row->array_bytes, &row->requests, &row->lanes, &at) < 6 || line[at] != '\t')
        return false;
    const bool shared = line[at + 1] == '\t';   /* it has no sectors; to sscanf one tab is as good as two */
    return sscanf(line + at, "%lf", shared ? &row->passes : &row->sectors) == 1;
}

static void read_totals(struct traffic *traffic, const char *line)
{
    int64_t first, second, memory, passes, tensor = 0, narrow = 0;
    if (sscanf(line, "# bytes through the first cache %" SCNd64 ", from the second at least %" SCNd64 ", from memory "
               "at least %" SCNd64 "; passes over banks %" SCNd64 "; multiply-adds of tensor cores %" SCNd64
               ", in 16 bits %" SCNd64, &first, &second, &memory, &passes, &tensor, &narrow) < 4)
        return;
    traffic->launches++;
    traffic->total[TRAFFIC_FIRST_CACHE] += first;
    traffic->total[TRAFFIC_SECOND_CACHE] += second;
    traffic->total[TRAFFIC_MEMORY] += memory;
    traffic->total[TRAFFIC_PASSES] += passes;
    traffic->total[TRAFFIC_TENSOR_PRODUCTS] += tensor;
    traffic->total[TRAFFIC_NARROW_PRODUCTS] += narrow;
}

static bool add_row(struct traffic *traffic, const struct traffic_row *row)
{
    struct traffic_row *more = realloc(traffic->rows, ((size_t)traffic->count + 1) * sizeof *more);
    if (!more)
        return false;
    traffic->rows = more;
    traffic->rows[traffic->count++] = *row;
    traffic->total[TRAFFIC_REQUESTS] += row->requests;
    return true;
}

static enum conv_status read_tables(struct traffic *traffic, const char *path, const char *kernel,
                                    struct conv_error *error)
{
    FILE *file = fopen(path, "r");
    char line[512];
    struct traffic_row row;
    bool enough = true;
    while (file && enough && fgets(line, sizeof line, file)) {
        if (line[0] == '#')
            read_totals(traffic, line);
        else if (read_row(&row, line))
            enough = add_row(traffic, &row);
    }
    if (file)
        fclose(file);
    if (!enough)
        return conv_fail(error, CONV_NO_MEMORY, "no memory for a table of what %s moves", kernel);
    if (traffic->launches > 0)
        return CONV_OK;
    conv_fail(error, CONV_NOT_APPLICABLE, "nobody counted what %s moves", kernel);
    conv_hint(error, "kernels of CUDA are counted by the module cuda-watched.so; `convref doctor` says where it is");
    return CONV_NOT_APPLICABLE;
}

enum conv_status traffic_count(struct traffic *traffic, const struct conv_kernel *kernel,
                               const struct conv_problem *problem, const struct conv_operands *operands,
                               struct conv_error *error)
{
    char folder[FOLDER_PATH], path[FOLDER_PATH + 16];
    struct conv_count count;
    struct job job = { kernel, problem, *operands, NULL };
    *traffic = (struct traffic){ .rows = NULL };
    enum conv_status status = folder_make(folder, error);
    if (status != CONV_OK)
        return status;
    snprintf(path, sizeof path, "%s/traffic.tsv", folder);
    job.error = mmap(NULL, sizeof *job.error, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (job.error == MAP_FAILED) {
        status = conv_fail(error, CONV_NO_MEMORY, "no shared memory to run a kernel in a child");
    } else {
        status = run_apart(&job, path, error);
        munmap(job.error, sizeof *job.error);
    }
    if (status == CONV_OK)
        status = read_tables(traffic, path, kernel->name, error);
    folder_remove(folder);
    conv_count_problem(&count, problem);
    traffic->total[TRAFFIC_PRODUCTS] = count.macs_inside;
    if (status != CONV_OK)
        traffic_free(traffic);
    return status;
}

void traffic_free(struct traffic *traffic)
{
    free(traffic->rows);
    *traffic = (struct traffic){ .rows = NULL };
}
