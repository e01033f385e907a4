/* verdict.c - names and exit statuses.   Declared in convref/verdict.h. */
#include <convref/verdict.h>

const char *conv_verdict_name(enum conv_verdict verdict)
{
    static const char *const names[] = { "ACCEPT", "REJECT", "INCONCLUSIVE", "SKIPPED" };
    return names[verdict];
}

int conv_verdict_exit(enum conv_verdict verdict)
{
    static const int status[] = { 0, 1, 3, 77 };
    return status[verdict];
}

int conv_exit_status(enum conv_status status)
{
    static const int exits[] = {
        [CONV_OK] = 0, [CONV_BAD_INPUT] = 2, [CONV_BAD_FILE] = 4, [CONV_TOO_LARGE] = 2,
        [CONV_NOT_APPLICABLE] = 77, [CONV_NO_MEMORY] = 3,
    };
    return exits[status];
}

const char *conv_fault_name(enum conv_fault fault)
{
    static const char *const names[CONV_FAULTS] = {
        "nothing", "wrong values", "outputs not written", "memory written outside", "an input changed",
        "two calls differ", "crash", "hang", "the process was ended", "memory used up",
        "floating-point environment changed", "the kernel reports a failure", "it asks the library"
    };
    return names[fault];
}
