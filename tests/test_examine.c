/* test_examine.c - a list of problems in which right, wrong, crashing, hanging and refused ones are mixed: a verdict
 * for each.
 *
 * The kernels of this file do what the number of output channels says, so that what is expected stands beside each
 * problem.
 * Planted faults, whose problems are right and wrong by turns, come last.
 * Not here: what the verifier says of one problem (test_verify, test_sandbox).   Read next: verify/engine/examine.c
 */
#include "tests/test.h"

#include <fenv.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/providers/direct.h"

enum { MOST = 64 };

/* ---- a kernel of many moods ------------------------------------------------------------------------------------ */

enum mood {
    RIGHT = 1, WRONG, CRASHES, HANGS, REFUSES, EXITS, OUTSIDE, EATS, REPORTS, UNWRITTEN, CHANGES, ROUNDS, KEEPS, SLOW, KILLED
};

/* From the second call at the same place on, the output is that of the first. */
static void keep(const struct conv_problem *p, const struct conv_operands *o)
{
    static float kept[1024];
    static const void *where;
    static int64_t count;
    const int64_t now = conv_operand_count(p, CONV_Y);
    if (where == o->y && count == now)
        memcpy(o->y, kept, (size_t)now * sizeof *kept);
    else if (now <= 1024)
        memcpy(kept, o->y, (size_t)now * sizeof *kept);
    where = o->y;
    count = now;
}

static void eat(void)
{
    enum { PIECE = 1 << 22 };
    for (char *piece; (piece = malloc(PIECE)) != NULL;)
        memset(piece, 1, PIECE);
    abort();
}

static void run_moody(const struct conv_problem *p, const struct conv_operands *o,
                      const struct conv_workspace *workspace)
{
    static const float poison[] = { 0 };
    const int64_t last = conv_operand_count(p, CONV_Y) - 1;
    float *y = o->y, kept[1];
    memcpy(kept, &y[last], sizeof kept);
    compute(p, o, workspace);
    switch ((enum mood)p->k) {
    case WRONG: y[0] += 1; break;
    case CRASHES: raise(SIGSEGV); break;
    case HANGS: for (;;) pause();
    case EXITS: exit(0);
    case OUTSIDE: memcpy(y - 1, poison, sizeof poison); break;
    case EATS: eat(); break;
    case REPORTS: strcpy(workspace->failure, "not today"); break;
    case UNWRITTEN: memcpy(&y[last], kept, sizeof kept); break;
    case CHANGES: *(float *)o->x = -*(float *)o->x; break;
    case ROUNDS: fesetround(FE_UPWARD); break;
    case KEEPS: keep(p, o); break;
    case SLOW: usleep(100 * 1000); break;
    case KILLED: raise(SIGKILL); break;
    default: break;
    }
}

static const char *no_five(const struct conv_problem *p) { return p->k == REFUSES ? "five is too many" : NULL; }

static const struct conv_kernel moody = {
    .name = "moody", .title = "does what the number of channels says", .applies = no_five, .run = run_moody,
    .kinds = 1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE };

/* ---- what is expected ------------------------------------------------------------------------------------------ */

struct expectation { const char *problem; enum conv_verdict verdict; enum conv_fault fault; const char *words; };

struct examined {
    struct conv_problem problems[MOST];
    struct conv_examined rows[MOST];
    struct conv_examination all;
    int count;
};

/* Examine the problems of a table, and compare each verdict with what the table says. */
static void examine(struct examined *e, const struct conv_kernel *kernel, const struct expectation *table, int count,
                    const struct conv_verify_options *options)
{
    e->count = count;
    for (int i = 0; i < count; i++)
        e->problems[i] = test_problem(table[i].problem);
    TEST_EQUAL_INT(conv_examine(e->rows, &e->all, kernel, e->problems, count, options, NULL), CONV_OK);
    for (int i = 0; i < count; i++) {
        const struct conv_examined *row = &e->rows[i];
        if (row->verdict != table[i].verdict || row->fault != table[i].fault || !strstr(row->words, table[i].words))
            TEST_NOTE("%s: %s, %s, \"%s\"", table[i].problem, conv_verdict_name(row->verdict),
                      conv_fault_name(row->fault),
                      row->words);
        TEST_EQUAL_TEXT(conv_verdict_name(row->verdict), conv_verdict_name(table[i].verdict));
        TEST_EQUAL_TEXT(conv_fault_name(row->fault), conv_fault_name(table[i].fault));
        CU_ASSERT(strstr(row->words, table[i].words) != NULL);
    }
}

/* The sums of a table are those of its rows. */
static void sums_agree(const struct examined *e)
{
    int verdicts[4] = { 0 }, faults[CONV_FAULTS] = { 0 };
    for (int i = 0; i < e->count; i++) {
        const enum conv_fault fault = e->rows[i].fault;
        verdicts[e->rows[i].verdict]++;
        if (fault != CONV_FAULT_NONE && faults[fault]++ == 0)
            TEST_EQUAL_INT(e->all.first[fault], i);
    }
    for (int i = 0; i < 4; i++)
        TEST_EQUAL_INT(e->all.verdicts[i], verdicts[i]);
    for (int i = 0; i < CONV_FAULTS; i++)
        TEST_EQUAL_INT(e->all.faults[i], faults[i]);
}

/* Each kind of fault has one finding of its kind, whose problem is the first's or a smaller one. */
static void findings_are_of_their_kind(const struct examined *e)
{
    for (int fault = 0; fault < CONV_FAULTS; fault++) {
        struct conv_count first, smallest;
        const struct conv_finding *finding = &e->all.finding[fault];
        if (e->all.faults[fault] == 0)
            continue;
        TEST_EQUAL_TEXT(conv_fault_name(finding->fault), conv_fault_name((enum conv_fault)fault));
        conv_count_problem(&first, &e->problems[e->all.first[fault]]);
        conv_count_problem(&smallest, &finding->problem);
        CU_ASSERT(smallest.macs <= first.macs && smallest.macs > 0);
        TEST_EQUAL_TEXT(finding->check, "layers");
    }
}

/* ---- tests ----------------------------------------------------------------------------------------------------- */

static struct examined seen;

#define ALL_RIGHT CONV_ACCEPT, CONV_FAULT_NONE, ""
static const struct expectation mixed[] = {
    { "n=2 c=3 in=6x7 k=1 filter=3x3 pad=1 bias=1", ALL_RIGHT },
    { "n=2 c=3 in=6x7 k=2 filter=3x3 pad=1 bias=1", CONV_REJECT, CONV_FAULT_VALUES, "n = 0" },
    { "n=2 c=3 in=6x7 k=3 filter=3x3", CONV_REJECT, CONV_FAULT_CRASH, "the kernel raised signal 11" },
    { "c=3 in=6x7 k=1 filter=2x3 act=relu", ALL_RIGHT },
    { "c=1 in=1 k=4 filter=1", CONV_REJECT, CONV_FAULT_HANG, "hadn't returned when the time limit of 2 seconds" },
    { "c=3 in=6x7 k=5 filter=3x3", CONV_SKIPPED, CONV_FAULT_NONE, "five is too many" },
    { "c=2 in=4x4 k=6 filter=3x3", CONV_REJECT, CONV_FAULT_EXIT, "exit(0)" },
    { "c=2 in=5x4 k=3 filter=3x3", CONV_REJECT, CONV_FAULT_CRASH, "signal 11" },
    { "c=2 in=4x4 k=7 filter=3x3", CONV_REJECT, CONV_FAULT_OUTSIDE, "bytes beside the operand" },
    { "c=2 in=4x4 k=1 filter=3x3 pass=backward_data", CONV_SKIPPED, CONV_FAULT_NONE, "" },
    { "c=2 in=4x4 k=9 filter=3x3", CONV_REJECT, CONV_FAULT_REPORTED, "not today" },
    { "c=3 in=4x4 k=10 filter=3x3", CONV_REJECT, CONV_FAULT_UNWRITTEN, "k = 9 (the last of 10)" },
    { "c=2 in=4x4 k=11 filter=3x3", CONV_REJECT, CONV_FAULT_INPUT_CHANGED, "the input was written to" },
    { "c=2 in=4x4 k=12 filter=3x3", CONV_REJECT, CONV_FAULT_ENVIRONMENT, "after run()" },
    { "c=2 in=4x4 k=13 filter=3x3", CONV_REJECT, CONV_FAULT_UNSTABLE, "" },
    { "c=2 in=4x4 k=14 filter=3x3", CONV_INCONCLUSIVE, CONV_FAULT_NONE, "a longer --time-limit would decide" },
    { "c=2 in=4x4 k=15 filter=3x3", CONV_INCONCLUSIVE, CONV_FAULT_NONE, "killed from outside" },
    { "n=0 c=3 in=6x7 k=1 filter=2x3", ALL_RIGHT },
    { "c=3 in=6x7 k=2 filter=2x3", CONV_REJECT, CONV_FAULT_VALUES, "" },
    { "c=5 in=30 k=1 filter=5 stride=2", ALL_RIGHT },
};
enum { MIXED = sizeof mixed / sizeof *mixed };

static void each_problem_has_its_verdict(void)
{
    examine(&seen, &moody, mixed, MIXED, &(struct conv_verify_options){ .seed = 3, .time_limit = 2 });
    sums_agree(&seen);
    findings_are_of_their_kind(&seen);
    TEST_EQUAL_INT(seen.all.verdicts[CONV_ACCEPT], 4);
    TEST_EQUAL_INT(seen.all.verdicts[CONV_REJECT], 12);
    TEST_EQUAL_INT(seen.all.verdicts[CONV_INCONCLUSIVE], 2);
    TEST_EQUAL_INT(seen.all.verdicts[CONV_SKIPPED], 2);
    TEST_EQUAL_INT(seen.all.faults[CONV_FAULT_CRASH], 2);
    TEST_EQUAL_TEXT(seen.all.warning, "");
}

/* One element of 2 x 2 x 6 x 7 is too large by one. */
static void the_first_wrong_numbers_are_kept(void)
{
    const struct conv_examined *row = &seen.rows[1];
    TEST_EQUAL_INT(row->operand, CONV_Y);
    TEST_EQUAL_INT(row->elements, 2 * 2 * 6 * 7);
    TEST_EQUAL_INT(row->wrong, 1);
    TEST_EQUAL_INT(row->shown, 1);
    CU_ASSERT_DOUBLE_EQUAL(row->first[0].got - row->first[0].expected, 1, 0);
    for (int a = 0; a < 5; a++)
        TEST_EQUAL_INT(row->first[0].index[a], 0);
}

/* As small as the kind of failure allows: the kernel goes by the number of channels alone. */
static void findings_are_shrunk(void)
{
    static const struct { enum conv_fault fault; const char *problem; } smallest[] = {
        { CONV_FAULT_VALUES, "c=1 in=1x1 k=2 filter=1x1" }, { CONV_FAULT_CRASH, "c=1 in=1x1 k=3 filter=1x1" },
        { CONV_FAULT_HANG, "c=1 in=1 k=4 filter=1" }, { CONV_FAULT_EXIT, "c=1 in=1x1 k=6 filter=1x1" },
        { CONV_FAULT_OUTSIDE, "c=1 in=1x1 k=7 filter=1x1" }, { CONV_FAULT_REPORTED, "c=1 in=1x1 k=9 filter=1x1" },
        { CONV_FAULT_UNWRITTEN, "c=1 in=1x1 k=10 filter=1x1" }, { CONV_FAULT_INPUT_CHANGED, "c=1 in=1x1 k=11 filter=1x1" },
        { CONV_FAULT_ENVIRONMENT, "c=1 in=1x1 k=12 filter=1x1" },
    };
    for (size_t i = 0; i < sizeof smallest / sizeof *smallest; i++) {
        char text[CONV_PROBLEM_TEXT];
        TEST_EQUAL_TEXT(conv_problem_print(text, &seen.all.finding[smallest[i].fault].problem), smallest[i].problem);
    }
    CU_ASSERT(strstr(seen.all.finding[CONV_FAULT_UNSTABLE].guess,
                     "something is kept from one call to the next") != NULL);
    CU_ASSERT(strstr(seen.all.finding[CONV_FAULT_HANG].where, "hadn't returned") != NULL);
}

/* Memory has a limit of its own; a sanitizer has its own ideas of that. */
static void memory_is_limited(void)
{
    static const struct expectation table[] = {
        { "c=2 in=4x4 k=1 filter=3x3", ALL_RIGHT },
        { "c=2 in=4x4 k=8 filter=3x3", CONV_REJECT, CONV_FAULT_MEMORY, "has used up the memory" },
        { "c=2 in=4x4 k=1 filter=2x2", ALL_RIGHT },
    };
    if (WATCHED)
        return;
    examine(&seen, &moody, table, 3, &(struct conv_verify_options){ .seed = 1, .memory_limit = 256 << 20, .brief = true });
    sums_agree(&seen);
    TEST_EQUAL_INT(seen.all.finding[CONV_FAULT_MEMORY].problem.k, EATS);
}

/* Brief: the finding is that of the first failure.  And the same without a child. */
static void findings_may_stay_as_they_are(void)
{
    static const struct expectation table[] = {
        { "n=2 c=3 in=6x7 k=2 filter=3x3 pad=1 bias=1", CONV_REJECT, CONV_FAULT_VALUES, "" },
        { "c=2 in=4x4 k=1 filter=3x3", ALL_RIGHT },
        { "c=3 in=4x4 k=10 filter=3x3", CONV_REJECT, CONV_FAULT_UNWRITTEN, "" },
        { "c=2 in=4x4 k=7 filter=3x3", CONV_REJECT, CONV_FAULT_OUTSIDE, "" },
        { "c=2 in=4x4 k=5 filter=3x3", CONV_SKIPPED, CONV_FAULT_NONE, "five" },
        { "c=2 in=4x4 k=1 filter=1x1", ALL_RIGHT },
    };
    for (int here = 0; here < 2; here++) {
        const struct conv_verify_options options = { .seed = 1, .brief = true, .in_process = here };
        examine(&seen, &moody, table, 6, &options);
        sums_agree(&seen);
        TEST_EQUAL_INT(seen.all.finding[CONV_FAULT_VALUES].problem.c, 3);
        TEST_EQUAL_INT(seen.all.finding[CONV_FAULT_VALUES].wrong, 1);
    }
}

static void no_problems_are_no_trouble(void)
{
    struct conv_examination all;
    TEST_EQUAL_INT(conv_examine(NULL, &all, &moody, NULL, 0, &(struct conv_verify_options){ .seed = 1 }, NULL), CONV_OK);
    for (int i = 0; i < 4; i++)
        TEST_EQUAL_INT(all.verdicts[i], 0);
}

/* What is no problem is no pass. */
static void impossible_problems_are_inconclusive(void)
{
    const struct conv_problem good = test_problem("c=2 in=4x4 k=1 filter=3x3");
    struct conv_problem problems[] = { good, good };
    struct conv_examined rows[2];
    struct conv_examination all;
    problems[0].axis[CONV_W].filter = 9;
    TEST_EQUAL_INT(conv_examine(rows, &all, &moody, problems, 2, &(struct conv_verify_options){ .seed = 1 }, NULL), CONV_OK);
    TEST_EQUAL_INT(rows[0].verdict, CONV_INCONCLUSIVE);
    CU_ASSERT(rows[0].words[0] != 0);
    TEST_EQUAL_INT(rows[1].verdict, CONV_ACCEPT);
}

/* ---- planted faults -------------------------------------------------------------------------------------------- */

#define WRONG_BY(fault) CONV_REJECT, fault, ""
static const struct expectation padding[] = {
    { "c=2 in=5x5 k=3 filter=3x3", ALL_RIGHT }, { "c=2 in=5x5 k=3 filter=3x3 pad=1", WRONG_BY(CONV_FAULT_VALUES) },
    { "c=2 in=5x5 k=3 filter=1x1", ALL_RIGHT }, { "c=2 in=5x5 k=3 filter=1x1 pad=0:1x0:0", WRONG_BY(CONV_FAULT_VALUES) },
};
static const struct expectation groups[] = {
    { "c=4 in=5x5 k=4 filter=3x3 groups=1", ALL_RIGHT },
    { "c=4 in=5x5 k=4 filter=3x3 groups=2", WRONG_BY(CONV_FAULT_UNWRITTEN) },
    { "c=4 in=5x5 k=4 filter=3x3 groups=4", WRONG_BY(CONV_FAULT_UNWRITTEN) }, { "c=1 in=5 k=4 filter=3", ALL_RIGHT },
};
static const struct expectation small_output[] = {
    { "c=2 in=5x5 k=3 filter=3x3 pad=1", ALL_RIGHT }, { "c=2 in=5x1 k=3 filter=1x3 pad=0x2", ALL_RIGHT },
    { "c=2 in=5x4 k=3 filter=1x8 pad=0x2", WRONG_BY(CONV_FAULT_CRASH) }, { "c=2 in=5x5 k=3 filter=3x3", ALL_RIGHT },
};
static const struct expectation scratch[] = {
    { "c=16 in=5x5 k=3 filter=3x3", WRONG_BY(CONV_FAULT_CRASH) }, { "c=2 in=5x5 k=3 filter=3x3 pass=backward_data",
      CONV_SKIPPED, CONV_FAULT_NONE, "" },
};
static const struct expectation changed[] = {
    { "c=2 in=5x5 k=3 filter=1x1", WRONG_BY(CONV_FAULT_INPUT_CHANGED) }, { "n=0 c=2 in=5x5 k=3 filter=1x1", ALL_RIGHT },
};
static const struct expectation kept_bias[] = {
    { "c=2 in=5x5 k=3 filter=1x1", ALL_RIGHT }, { "c=2 in=5x5 k=3 filter=1x1 bias=1", WRONG_BY(CONV_FAULT_UNSTABLE) },
};

static void planted_faults_are_right_and_wrong_by_turns(void)
{
    static const struct { const char *kernel; const struct expectation *table; int count; } rows[] = {
#define TABLE(name) name, sizeof name / sizeof *name
        { "fault_bz040_padding_not_zero", TABLE(padding) }, { "fault_bz005_group_lost", TABLE(groups) },
        { "fault_fbgemm395_small_output", TABLE(small_output) }, { "fault_bz100_workspace_overrun", TABLE(scratch) },
        { "fault_bz093_filter_reversed", TABLE(changed) }, { "fault_state_bias", TABLE(kept_bias) },
    };
    TEST_EQUAL_INT(conv_provider_load(BUILDDIR "/verify/faults.so", NULL), CONV_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        TEST_NOTE("%s", rows[i].kernel);
        examine(&seen, conv_kernel_find(rows[i].kernel), rows[i].table, rows[i].count,
                &(struct conv_verify_options){ .seed = 1 });
        sums_agree(&seen);
        findings_are_of_their_kind(&seen);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(each_problem_has_its_verdict), TEST_CASE(the_first_wrong_numbers_are_kept), TEST_CASE(findings_are_shrunk),
        TEST_CASE(memory_is_limited), TEST_CASE(findings_may_stay_as_they_are), TEST_CASE(no_problems_are_no_trouble),
        TEST_CASE(impossible_problems_are_inconclusive), TEST_CASE(planted_faults_are_right_and_wrong_by_turns),
    };
    return test_main("test_examine", cases, (int)(sizeof cases / sizeof *cases));
}
