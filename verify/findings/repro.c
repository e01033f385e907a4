/* repro.c - the command that shows a finding again.   Declared in convref/verdict.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "verify/engine/check.h"

/* 'text', for a shell: a ' inside ends the quotes, stands alone, and opens them again. */
static void quote(char *quoted, size_t room, const char *text)
{
    size_t used = 0;
    quoted[used++] = '\'';
    for (; *text && used + 6 < room; text++)
        if (*text == '\'')
            used += (size_t)snprintf(quoted + used, room - used, "'\\''");
        else
            quoted[used++] = *text;
    quoted[used++] = '\'';
    quoted[used] = 0;
}

/* What judges files and commands is no check of the list. */
static bool names_a_check(const char *name)
{
    for (int i = 0; i < conv_check_count(); i++)
        if (!strcmp(conv_check_at(i).name, name))
            return true;
    return false;
}

char *conv_repro_line(char text[CONV_REPRO_TEXT], const struct conv_finding *finding, const char *kernel)
{
    const struct conv_kernel *known = conv_kernel_find(kernel);
    const char *source = known ? conv_kernel_source(known) : "";
    char problem[CONV_PROBLEM_TEXT], threads[24] = "", provider[128] = "", what[4 * 256 + 16];
    if (strstr(source, ".so"))
        snprintf(provider, sizeof provider, " --provider %s", source);
    if (finding->threads > 1)
        snprintf(threads, sizeof threads, " --threads %d", finding->threads);
    if (strstr(kernel, "{dir}"))
        quote(what, sizeof what, kernel);
    else
        snprintf(what, sizeof what, "%s", kernel);
    int used = snprintf(text, CONV_REPRO_TEXT, "convref verify%s %s %s --seed %" PRIu64 "%s", provider,
                        what[0] == '\'' ? "--exec" : "--kernel", what, finding->seed, threads);
    if (names_a_check(finding->check))
        used += snprintf(text + used, CONV_REPRO_TEXT - (size_t)used, " --check %s", finding->check);
    if (!finding->needs_others)
        snprintf(text + used, CONV_REPRO_TEXT - (size_t)used, " \"%s\"",
                 conv_problem_print(problem, &finding->problem));
    return text;
}
