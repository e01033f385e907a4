/* kernel_table.c - finding kernels, and asking one whether it computes a problem.
 *
 * The rows of the library are generated; those of providers are added at run time.  A kernel may have
 * several rows, one for each build (instruction set, or element type in the reference); callers see one.
 * Declared in convref/table.h and kernel_table.h.
 */
#include "core/kernel_table.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/calls.h"
#include "core/guest.h"

static struct conv_kernel_row *added;
static int added_count;

bool kernel_add(const struct conv_kernel *kernel, const char *source)
{
    struct conv_kernel_row *rows = realloc(added, sizeof *rows * (size_t)(added_count + 1));
    if (!rows)
        return false;
    added = rows;
    added[added_count++] = (struct conv_kernel_row){ kernel, source };
    return true;
}

static int builtin_count(void)
{
    static int count = -1;
    if (count < 0) {
        int counted = 0;
        while (conv_builtin_kernels[counted].kernel)
            counted++;
        count = counted;
    }
    return count;
}

/* Row i of both tables in turn; NULL behind the last. */
static const struct conv_kernel_row *row_at(int i)
{
    const int builtin = builtin_count();
    if (i < builtin)
        return &conv_builtin_kernels[i];
    return i - builtin < added_count ? &added[i - builtin] : NULL;
}

static bool usable(const struct conv_kernel *kernel)
{
    return kernel->device || (kernel->isa <= conv_isa_limit() && conv_isa_available(kernel->isa));
}

/* Is row i the one by which its kernel is known: the first usable one of that name?  In the generated table rows of one
 * name are neighbours, and no provider's kernel can take one of these names. */
static bool is_first(int i)
{
    const struct conv_kernel *kernel = row_at(i)->kernel;
    if (!usable(kernel))
        return false;
    const int builtin = builtin_count();
    for (int before = i - 1; before >= (i < builtin ? 0 : builtin); before--) {
        const bool same_name = !strcmp(row_at(before)->kernel->name, kernel->name);
        if (same_name && usable(row_at(before)->kernel))
            return false;
        if (!same_name && i < builtin)
            break;
    }
    return true;
}

/* A guest that looks for a kernel wants to have its work done. */
int conv_kernel_count(void)
{
    int count = 0;
    if (guest_asks("conv_kernel_count"))
        return 0;
    for (int i = 0; row_at(i); i++)
        count += is_first(i);
    return count;
}

const struct conv_kernel *conv_kernel_at(int index)
{
    if (guest_asks("conv_kernel_at"))
        return NULL;
    for (int i = 0; row_at(i); i++)
        if (is_first(i) && index-- == 0)
            return row_at(i)->kernel;
    return NULL;
}

const struct conv_kernel *kernel_named(const char *name)
{
    for (int i = 0; row_at(i); i++)
        if (!strcmp(row_at(i)->kernel->name, name) && usable(row_at(i)->kernel))
            return row_at(i)->kernel;
    return NULL;
}

const struct conv_kernel *conv_kernel_find(const char *name)
{
    return guest_asks("conv_kernel_find") ? NULL : kernel_named(name);
}

const struct conv_kernel *kernel_build(const struct conv_kernel *kernel, enum conv_type type)
{
    if (kernel_types(kernel) & 1u << type)
        return kernel;
    for (int i = 0; row_at(i); i++) {
        const struct conv_kernel *other = row_at(i)->kernel;
        if (!strcmp(other->name, kernel->name) && usable(other) && kernel_types(other) & 1u << type)
            return other;
    }
    return kernel;
}

const char *conv_kernel_source(const struct conv_kernel *kernel)
{
    for (int i = 0; row_at(i); i++)
        if (row_at(i)->kernel == kernel)
            return row_at(i)->source;
    return "";
}

/* The name up to "_NN_": "dw" of "dw_04_rows_in_registers" */
char *conv_kernel_ladder(char ladder[32], const struct conv_kernel *kernel)
{
    const char *name = kernel->name;
    ladder[0] = 0;
    for (size_t i = 0; name[i] && i < 31; i++)
        if (name[i] == '_' && isdigit((unsigned char)name[i + 1])
            && isdigit((unsigned char)name[i + 2]) && name[i + 3] == '_') {
            memcpy(ladder, name, i);
            ladder[i] = 0;
            break;
        }
    return ladder;
}

/* ---- does a kernel compute a problem? ---------------------------------------------------------------- */

unsigned kernel_passes(const struct conv_kernel *kernel)
{
    return kernel->passes ? kernel->passes : 1u << CONV_FORWARD;
}

unsigned kernel_layouts(const struct conv_kernel *kernel)
{
    return kernel->layouts ? kernel->layouts : 1u << CONV_CHANNELS_FIRST;
}

unsigned kernel_types(const struct conv_kernel *kernel)
{
    return kernel->types ? kernel->types : 1u << CONV_F32;
}

static const char *outside_sets(const struct conv_kernel *kernel, const struct conv_problem *problem)
{
    static _Thread_local char words[96];
    const enum conv_kind kind = conv_problem_kind(problem);
    const char *missing = NULL;

    if (!(kernel->kinds & 1u << kind))
        missing = conv_kind_name(kind);
    else if (!(kernel_passes(kernel) & 1u << problem->pass))
        missing = conv_pass_name(problem->pass);
    else if (!(kernel_layouts(kernel) & 1u << problem->layout))
        missing = conv_layout_name(problem->layout, problem->rank);
    else if (!(kernel_types(kernel) & 1u << problem->type))
        missing = conv_type_facts(problem->type)->name;
    if (!missing)
        return NULL;
    snprintf(words, sizeof words, "it does not compute %s problems", missing);
    return words;
}

const char *conv_kernel_refuses(const struct conv_kernel *kernel, const struct conv_problem *problem)
{
    kernel = kernel_build(kernel, problem->type);
    if (!kernel->device && !conv_isa_available(kernel->isa))
        return "this machine lacks the instruction set that it was compiled for";
    const char *why = outside_sets(kernel, problem);
    return why ? why : kernel_applies(kernel, problem);
}
