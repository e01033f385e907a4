/* other_machine.c - every kernel of the table on problems with every remainder, where nothing of the system is there.
 *
 * For a processor that is emulated: core, reference, kernels and sets of problems in one static program, without JSON and
 * without CUnit.  Inputs are integers, small enough that every order of additions gives the same bits, and outputs are
 * compared with the truth bit by bit.  Some problems are run by two threads.
 * Not here: the whole verifier, which wants libraries and processes of its own.   Read next: tools/check-other-machine
 */
#include <convref/problems.h>
#include <convref/reference.h>
#include <convref/run.h>
#include <convref/table.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

/* The library's own is in machine.c, which wants hwloc.  Nothing is timed here. */
double clock_now(void) { return 0; }

enum { LEAST_PROBLEMS = 20 };   /* of a kernel */

static int failures;

struct data { struct conv_operands given; void *expected[CONV_OPERANDS]; };

static void *checked(void *memory)
{
    if (!memory) {
        fputs("other_machine: memory is short\n", stderr);
        exit(1);
    }
    return memory;
}

static void *elements(const struct conv_problem *problem, enum conv_operand operand)
{
    return checked(malloc(conv_operand_bytes(problem, operand) + 1));
}

/* Integers for all inputs, NaN for all outputs, and what these should become. */
static void make_data(struct data *data, const struct conv_problem *problem, int range)
{
    const struct conv_fill fill = { .kind = CONV_FILL_INTEGERS, .seed = 1, .range = range };
    *data = (struct data){ .given = { .x = NULL } };
    for (int i = 0; i < CONV_OPERANDS; i++) {
        const enum conv_role role = conv_operand_role(problem, (enum conv_operand)i);
        if (role == CONV_UNUSED)
            continue;
        data->given.at[i] = elements(problem, (enum conv_operand)i);
        if (role == CONV_INPUT)
            conv_fill(problem->type, data->given.at[i], conv_operand_count(problem, (enum conv_operand)i),
                      conv_operand_name(problem, (enum conv_operand)i), &fill);
    }
    for (int i = 0; i < CONV_OPERANDS; i++) {
        struct conv_truth truth;
        if (conv_operand_role(problem, (enum conv_operand)i) != CONV_OUTPUT)
            continue;
        if (conv_truth_compute(&truth, NULL, problem, (enum conv_operand)i, &data->given, NULL) != CONV_OK)
            checked(NULL);
        data->expected[i] = elements(problem, (enum conv_operand)i);
        conv_operand_narrow(data->expected[i], problem, (enum conv_operand)i, truth.value);
        conv_truth_free(&truth);
    }
}

static void free_data(struct data *data)
{
    for (int i = 0; i < CONV_OPERANDS; i++) {
        free(data->given.at[i]);
        free(data->expected[i]);
    }
}

static void fail(const struct conv_kernel *kernel, const struct conv_problem *problem, int threads, const char *what)
{
    char text[CONV_PROBLEM_TEXT];
    failures++;
    if (failures <= 20)
        printf("%s: %s: threads=%d, \"%s\"\n", kernel->name, what, threads,
               conv_problem_print(text, problem));
}

/* 0 and -0 are equal, as they are for the verifier. */
static bool same(const void *a, const void *b, int64_t count, enum conv_type type)
{
    for (int64_t i = 0; i < count; i++)
        if (type == CONV_F32 ? ((const float *)a)[i] != ((const float *)b)[i]
                             : ((const double *)a)[i] != ((const double *)b)[i])
            return false;
    return true;
}

static void run(const struct conv_kernel *kernel, const struct conv_problem *problem, struct data *data, int threads)
{
    const struct conv_plan_options options = { .threads = threads };
    for (int i = 0; i < CONV_OPERANDS; i++)
        if (data->expected[i])
            memset(data->given.at[i], 0xff, conv_operand_bytes(problem, (enum conv_operand)i));
    if (conv_run(&data->given, kernel, problem, &options, NULL) != CONV_OK) {
        fail(kernel, problem, threads, "it doesn't run");
        return;
    }
    for (int i = 0; i < CONV_OPERANDS; i++)
        if (data->expected[i] && !same(data->given.at[i], data->expected[i],
                                       conv_operand_count(problem, (enum conv_operand)i), problem->type))
            fail(kernel, problem, threads, "other numbers than the truth's");
}

static bool is_wanted(const struct conv_problem *problem, const void *kernel)
{
    return !conv_kernel_refuses(kernel, problem) && conv_exact_range(problem) > 0
        && conv_accuracy_range(problem, ((const struct conv_kernel *)kernel)->accuracy) > 0;
}

/* One of each `each` problems of a set, by one or two threads.  Returns how many it had. */
static int try_set(const struct conv_kernel *kernel, const char *set, int each)
{
    const struct conv_problem_filter filter = {
        .kinds = kernel->kinds, .passes = kernel->passes ? kernel->passes : 1u << CONV_FORWARD,
        .layouts = kernel->layouts ? kernel->layouts : 1u << CONV_CHANNELS_FIRST,
        .types = kernel->types ? kernel->types : 1u << CONV_F32, .wanted = is_wanted, .context = kernel
    };
    struct conv_problem_walk *walk;
    struct conv_problem problem;
    int tried = 0;
    if (conv_problem_walk_open(&walk, set, 1, &filter, NULL) != CONV_OK)
        checked(NULL);
    for (int i = 0; conv_problem_walk_next(walk, &problem); i++) {
        struct data data;
        const int exact = conv_exact_range(&problem), own = conv_accuracy_range(&problem, kernel->accuracy);
        if (i % each)
            continue;
        make_data(&data, &problem, own < exact ? own : exact);
        run(kernel, &problem, &data, 1 + (kernel->threaded && tried % 4 == 0));
        free_data(&data);
        tried++;
    }
    conv_problem_walk_close(walk);
    return tried;
}

int main(int count, char **argument)
{
    const int each = count > 1 ? atoi(argument[1]) : 1;
    int problems = 0, passed = 0;
    if (each < 1) {
        fputs("usage: other_machine [EACH]   one of so many problems; 1: all\n", stderr);
        return 2;
    }
    for (int i = 0; i < conv_kernel_count(); i++) {
        const struct conv_kernel *kernel = conv_kernel_at(i);
        const int wrong = failures;
        const int tried = try_set(kernel, "covering", each) + try_set(kernel, "remainders", each);
        problems += tried;
        if (tried < LEAST_PROBLEMS)
            printf("%s: only %d problems\n", kernel->name, tried);
        passed += failures == wrong && tried >= LEAST_PROBLEMS;
    }
    printf("%d problems of %d kernels\n", problems, conv_kernel_count());
    printf("other_machine: %d passed, %d failed, 0 skipped\n", passed, conv_kernel_count() - passed);
    return passed < conv_kernel_count();
}
