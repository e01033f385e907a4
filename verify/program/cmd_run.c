/* cmd_run.c - convref run: one kernel on .npy files or generated data.
 *
 *   convref run "c=3 in=8x8 k=4 filter=3x3" --kernel std_01_direct --x x.npy --w w.npy --y y.npy
 *   convref run "c=3 in=8x8 k=4 filter=3x3" --save inputs/      data to try another implementation on
 *
 * Operands that aren't given are generated from the seed.  The kernel runs in a child: one that crashes, hangs or
 * exits is told by name, and nothing is written.   Read next: cmd_verify.c
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/guest.h"
#include "verify/cli/operands.h"
#include "verify/cli/options.h"
#include "verify/program/verbs.h"
#include "verify/sandbox/sandbox.h"

enum { KEY_KERNEL = 'k', KEY_SAVE = CLI_KEYS, KEY_FILL, KEY_TIME_LIMIT };

struct arguments {
    struct cli cli;
    const char *problem, *kernel, *save;
    struct operand_files files;
    enum conv_fill_kind fill;
    double time_limit;
};

static const struct argp_option options[] = {
    { "kernel", KEY_KERNEL, "NAME", 0, "the kernel [the reference of that kind and pass]", 0 },
    { "save", KEY_SAVE, "FOLDER", 0, "write every operand into FOLDER, as x.npy, w.npy, ..., y.npy", 0 },
    { "fill", KEY_FILL, "KIND", 0, "generated data: integers (exact sums) or uniform [integers]", 0 },
    { "time-limit", KEY_TIME_LIMIT, "SECONDS", 0, "a kernel that takes longer is a hang [600]", 0 },
    { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->cli;
        state->child_inputs[1] = &arguments->files;
        return 0;
    case KEY_KERNEL: arguments->kernel = text; return 0;
    case KEY_SAVE: arguments->save = text; return 0;
    case KEY_FILL:
        if (strcmp(text, "integers") && strcmp(text, "uniform"))
            argp_error(state, "'%s' is not a kind of data; they are integers and uniform", text);
        arguments->fill = text[0] == 'i' ? CONV_FILL_INTEGERS : CONV_FILL_UNIFORM;
        return 0;
    case KEY_TIME_LIMIT: arguments->time_limit = (double)cli_number("--time-limit", text, 1, 100000); return 0;
    case ARGP_KEY_ARG:
        if (arguments->problem)
            argp_error(state, "one problem at a time; put it between quotes");
        arguments->problem = text;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "run what?  A problem such as \"c=3 in=8x8 k=4 filter=3x3\"");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The reference that computes this problem. */
static const struct conv_kernel *reference_for(const struct conv_problem *problem)
{
    for (int i = 0; i < conv_kernel_count(); i++)
        if (!strncmp(conv_kernel_at(i)->name, "ref_", 4) && !conv_kernel_refuses(conv_kernel_at(i), problem))
            return conv_kernel_at(i);
    return NULL;
}

/* ---- in a child ------------------------------------------------------------------------------------------------ */

struct job {
    const struct conv_kernel *kernel;
    const struct conv_problem *problem;
    struct conv_plan_options plan;
    struct conv_operands operands;
    char *results[CONV_OPERANDS];       /* outputs, in memory that outlives the child */
    struct end { enum conv_status status; struct conv_error error; const char *asked; } *end;   /* there too */
};

static void *share(size_t bytes)
{
    void *at = mmap(NULL, bytes + 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

static enum conv_status open_job(struct job *job, struct conv_error *error)
{
    bool enough = (job->end = share(sizeof *job->end)) != NULL;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_role(job->problem, operand) == CONV_OUTPUT)
            enough = (job->results[operand] = share(conv_operand_bytes(job->problem, operand))) && enough;
    return enough ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no shared memory to run a kernel in a child");
}

static void close_job(struct job *job)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (job->results[operand])
            munmap(job->results[operand], conv_operand_bytes(job->problem, operand) + 1);
    if (job->end)
        munmap(job->end, sizeof *job->end);
}

static void do_job(void *argument)
{
    struct job *job = argument;
    job->end->status = conv_run(&job->operands, job->kernel, job->problem, &job->plan, &job->end->error);
    job->end->asked = guest_asked();
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (job->results[operand])
            memcpy(job->results[operand], job->operands.at[operand], conv_operand_bytes(job->problem, operand));
}

/* How it ended, if not well, and the status of the program. */
static int tell_end(const struct job *job, const struct sandbox_end *end, double time_limit)
{
    char problem[CONV_PROBLEM_TEXT], how[256];
    fprintf(stderr, "%s: kernel %s %s\n    on \"%s\"\n", cli_name, job->kernel->name,
            sandbox_words(how, sizeof how, end, time_limit), conv_problem_print(problem, job->problem));
    return conv_verdict_exit(end->memory_short ? CONV_INCONCLUSIVE : CONV_REJECT);
}

/* The program's status; outputs are in `operands` if it is 0. */
static int run_apart(const struct job *job, double time_limit)
{
    const struct sandbox_limits limits = { .seconds = time_limit };
    struct sandbox_end end;
    struct conv_error error;
    if (sandbox_run(&end, do_job, (void *)job, &limits, NULL, &error) != CONV_OK)
        return cli_error(&error, NULL);
    if (!end.completed)
        return tell_end(job, &end, time_limit);
    fputs(end.tail, stderr);   /* what the kernel printed, or the last of it */
    if (job->end->status != CONV_OK)
        return cli_error(&job->end->error, NULL);
    if (job->end->asked) {
        fprintf(stderr, "%s: kernel %s has its work done by this library: it called %s\n", cli_name,
                job->kernel->name,
                job->end->asked);
        return conv_verdict_exit(CONV_REJECT);
    }
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (job->results[operand])
            memcpy(job->operands.at[operand], job->results[operand], conv_operand_bytes(job->problem, operand));
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

/* The outputs that were asked for by file, and all operands into --save. */
static enum conv_status write_operands(const struct arguments *arguments, const struct operand_set *set,
                                       const struct conv_problem *problem, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    if (arguments->save && mkdir(arguments->save, 0777) != 0) {
        struct stat facts;
        if (stat(arguments->save, &facts) != 0 || !S_ISDIR(facts.st_mode))
            return conv_fail(error, CONV_BAD_FILE, "%s is not a folder and can't be made", arguments->save);
    }
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && status == CONV_OK; operand++) {
        const enum conv_role role = conv_operand_role(problem, operand);
        char path[4096];
        if (role == CONV_OUTPUT && arguments->files.path[operand])
            status = conv_npy_write(arguments->files.path[operand], &set->tensors[operand], error);
        if (arguments->save && role != CONV_UNUSED && status == CONV_OK) {
            snprintf(path, sizeof path, "%s/%s.npy", arguments->save, conv_operand_name(problem, operand));
            status = conv_npy_write(path, &set->tensors[operand], error);
        }
    }
    return status;
}

static void print_outputs(const struct operand_set *set, const struct conv_problem *problem)
{
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        int64_t dims[CONV_MAX_RANK];
        char shape[96];
        if (conv_operand_role(problem, operand) != CONV_OUTPUT)
            continue;
        const int rank = conv_operand_shape(dims, problem, operand);
        const int64_t count = conv_operand_count(problem, operand);
        printf("%s %s:", conv_operand_name(problem, operand), conv_shape_print(shape, rank, dims));
        for (int64_t i = 0; i < count && i < 8; i++)
            printf(" %g", conv_get(problem->type, set->operands.at[operand], i));
        puts(count > 8 ? " ..." : "");
    }
}

int cmd_run(int argc, char **argv)
{
    static const struct argp_child children[] = {
        { &cli_kernel_argp, 0, NULL, 0 }, { &operand_argp, 0, NULL, 0 }, { 0 } };
    static const struct argp argp = { options, parse, "PROBLEM", "Run a kernel once.\v"
        "Operands are x, w, bias, y, and pw and pw_bias of separable problems, ew and ew_bias of inverted residuals; "
        "backward passes read and write "
        "gradients in the places of x, w, bias and y.  Inputs that are not given are generated; outputs that are "
        "given as files are written.", children, NULL, NULL };
    struct arguments arguments = { .cli = cli_defaults(), .fill = CONV_FILL_INTEGERS, .time_limit = 600 };
    struct conv_problem problem;
    struct conv_error error;
    struct operand_set set;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (conv_problem_parse(&problem, arguments.problem, &error) != CONV_OK)
        return cli_error(&error, arguments.problem);
    const struct conv_kernel *kernel = arguments.kernel ? cli_kernel(arguments.kernel) : reference_for(&problem);
    if (!kernel)
        return EXIT_USAGE;

    enum conv_status status = operands_load(&set, &problem, &arguments.files, CONV_INPUT, arguments.fill,
                                            arguments.cli.seed, &error);
    struct job job = { .kernel = kernel, .problem = &problem, .plan = { .threads = arguments.cli.threads },
                       .operands = set.operands };
    if (status == CONV_OK)
        status = open_job(&job, &error);
    const int ended = status == CONV_OK ? run_apart(&job, arguments.time_limit) : cli_error(&error, NULL);
    close_job(&job);
    if (ended == 0)
        status = write_operands(&arguments, &set, &problem, &error);
    if (ended == 0 && status == CONV_OK) {
        printf("%s, seed %" PRIu64 "\n", kernel->name, arguments.cli.seed);
        print_outputs(&set, &problem);
    }
    operands_free(&set);
    return ended ? ended : status == CONV_OK ? 0 : cli_error(&error, NULL);
}
