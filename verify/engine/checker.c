/* checker.c - a verification under way.   Declared in checker.h. */
#include "verify/engine/checker.h"

#include <stdio.h>
#include <sys/mman.h>

#include "verify/problems/sets.h"

bool checker_open(struct checker *checker, const struct conv_kernel *kernel,
                  const struct conv_verify_options *options)
{
    *checker = (struct checker){ .kernel = kernel, .options = *options };
    if (checker->options.time_limit <= 0)
        checker->options.time_limit = 600;
    checker->shared = mmap(NULL, sizeof *checker->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (checker->shared == MAP_FAILED)
        return false;
    snprintf(checker->shared->result.kernel, sizeof checker->shared->result.kernel, "%s", kernel->name);
    checker->shared->result.accuracy = kernel->accuracy;
    return true;
}

void checker_close(struct checker *checker)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        guarded_free(&checker->places[operand]);
    munmap(checker->shared, sizeof *checker->shared);
}

struct conv_evidence *checker_evidence(struct checker *checker)
{
    return &checker->shared->result.evidence[checker->shared->result.checks];
}

void checker_begins(struct checker *checker, const struct conv_problem *problem, uint64_t seed, int threads)
{
    struct verification *shared = checker->shared;
    struct conv_finding *finding = &shared->result.finding;
    *finding = (struct conv_finding){ .problem = *problem, .seed = seed, .threads = threads };
    snprintf(finding->check, sizeof finding->check, "%s", shared->check);
    shared->problem = *problem;
    shared->data = checker->data;
    shared->threads = threads;
}

bool checker_found(struct checker *checker, enum conv_fault fault, enum conv_operand operand, const char *where)
{
    struct conv_finding *finding = &checker->shared->result.finding;
    finding->fault = fault;
    finding->operand = operand;
    snprintf(finding->where, sizeof finding->where, "%s", where);
    checker->shared->result.verdict = CONV_REJECT;
    return false;
}

bool checker_impossible(struct checker *checker, const char *why)
{
    checker->shared->result.verdict = CONV_INCONCLUSIVE;
    snprintf(checker->shared->result.reason, sizeof checker->shared->result.reason, "%s", why);
    return false;
}

int64_t checker_problems(const struct conv_verification *result)
{
    int64_t problems = 0;
    for (int i = 0; i < CONV_MOST_CHECKS; i++)
        problems += result->evidence[i].problems;
    return problems;
}

double check_macs(const struct conv_problem *problem) { return problem_macs(problem); }

bool check_fits_memory(const struct conv_problem *problem)
{
    static const size_t most_bytes = (size_t)1 << 30;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        if (conv_operand_bytes(problem, operand) > most_bytes)
            return false;
    return true;
}

bool check_prefers_checksum(const struct conv_problem *problem)
{
    /* measured: 5 ns for one, 8 ns and overhead for the other */
    static const double least_macs = 20e3, macs_per_element = 6;
    double elements = 0;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        elements += (double)conv_operand_count(problem, operand);
    const double macs = check_macs(problem);
    return macs > least_macs && macs > macs_per_element * elements;
}
