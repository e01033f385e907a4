/* tap.c - verdicts as TAP.
 *
 *   TAP version 14
 *   1..3
 *   ok 1 - std_01_direct
 *   not ok 2 - mine
 *     ---
 *     verdict: "REJECT"
 *     ...
 *   ok 3 - dw_01_direct # SKIP the kernel applies to none of the problems
 *
 * Texts in the diagnostics stand in double quotes, with the escapes that YAML and JSON share.  INCONCLUSIVE is not a
 * pass, and never a "todo", which consumers count as one.   Not here: who is verified (cmd_verify.c).
 * Source of the format: testanything.org, TAP 14 specification.
 */
#include "verify/report/tap.h"

#include <math.h>
#include <string.h>

void tap_begin(FILE *file, int count) { fprintf(file, "TAP version 14\n1..%d\n", count); }

/* A description or reason: one line, in which # and \ mean themselves. */
static void put_words(FILE *file, const char *text)
{
    for (; *text; text++) {
        if (*text == '#' || *text == '\\')
            fputc('\\', file);
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, file);
    }
}

static void put_quoted(FILE *file, const char *key, const char *text)
{
    fprintf(file, "  %s: \"", key);
    for (; *text; text++)
        if ((unsigned char)*text < 0x20)
            fprintf(file, "\\x%02x", (unsigned char)*text);
        else
            fprintf(file, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fputs("\"\n", file);
}

static void put_first(FILE *file, const struct conv_finding *finding)
{
    const struct conv_wrong *wrong = &finding->first[0];
    char index[128], text[256];
    conv_wrong_print(index, finding, wrong);
    if (isnan(wrong->got))
        snprintf(text, sizeof text, "%s: expected %.9g, got NaN", index, wrong->expected);
    else
        snprintf(text, sizeof text, "%s: expected %.9g, got %.9g", index, wrong->expected, wrong->got);
    put_quoted(file, "first", text);
}

static void put_finding(FILE *file, const struct conv_finding *finding, const char *repro)
{
    char problem[CONV_PROBLEM_TEXT];
    put_quoted(file, "fault", conv_fault_name(finding->fault));
    put_quoted(file, "check", finding->check);
    put_quoted(file, "problem", conv_problem_print(problem, &finding->problem));
    put_quoted(file, "where", finding->where);
    if (finding->shown > 0)
        put_first(file, finding);
    if (finding->guess[0])
        put_quoted(file, "guess", finding->guess);
    if (repro && repro[0])
        put_quoted(file, "repro", repro);
}

void tap_point(FILE *file, int number, const struct conv_verification *result, const char *repro)
{
    const bool good = result->verdict == CONV_ACCEPT || result->verdict == CONV_SKIPPED;
    fprintf(file, "%s %d - ", good ? "ok" : "not ok", number);
    put_words(file, result->kernel[0] ? result->kernel : "output files");
    if (result->verdict == CONV_SKIPPED) {
        fputs(" # SKIP ", file);
        put_words(file, result->reason);
    }
    fputc('\n', file);
    if (good && !result->warning[0])
        return;
    fputs("  ---\n", file);
    put_quoted(file, "verdict", conv_verdict_name(result->verdict));
    if (result->verdict == CONV_REJECT)
        put_finding(file, &result->finding, repro);
    else if (!good)
        put_quoted(file, "reason", result->reason);
    if (result->warning[0])
        put_quoted(file, "warning", result->warning);
    fputs("  ...\n", file);
}
