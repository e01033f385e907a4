/* names.c - sets of a kernel as words. */
#include "verify/cli/names.h"

#include <stdio.h>
#include <string.h>

static char *join(char text[256], unsigned set, int count, const char *(*name)(int))
{
    text[0] = 0;
    for (int i = 0; i < count; i++)
        if (set & 1u << i) {
            if (text[0])
                strncat(text, " ", 255 - strlen(text));
            strncat(text, name(i), 255 - strlen(text));
        }
    return text;
}

static const char *kind(int i) { return conv_kind_name((enum conv_kind)i); }
static const char *pass(int i) { return conv_pass_name((enum conv_pass)i); }
static const char *layout(int i) { return i == CONV_CHANNELS_FIRST ? "first" : "last"; }
static const char *type(int i) { return conv_type_facts((enum conv_type)i)->name; }

char *names_of_kinds(char text[256], const struct conv_kernel *kernel)
{
    return join(text, kernel->kinds, CONV_KINDS, kind);
}

char *names_of_passes(char text[256], const struct conv_kernel *kernel)
{
    return join(text, kernel->passes ? kernel->passes : 1u << CONV_FORWARD, CONV_PASSES, pass);
}

char *names_of_layouts(char text[256], const struct conv_kernel *kernel)
{
    return join(text, kernel->layouts ? kernel->layouts : 1u << CONV_CHANNELS_FIRST, CONV_LAYOUTS, layout);
}

char *names_of_types(char text[256], const struct conv_kernel *kernel)
{
    return join(text, kernel->types ? kernel->types : 1u << CONV_F32, CONV_TYPES, type);
}
