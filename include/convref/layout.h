/* layout.h - for bindings: where the fields of the public structs lie, for languages that can't read headers.
 *
 * A binding that writes the structs down a second time goes wrong, silently, on the day when a field is added.  One
 * that asks here can't: the compiler fills in the answers.  Programs in C and C++ have no use for it.
 *
 * Threads: safe; each call makes a text of its own.   Read next: python/convref/_library.py, such a binding
 */
#ifndef CONVREF_LAYOUT_H
#define CONVREF_LAYOUT_H

#include <convref/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The structs as a JSON object, {"conv_error": {"size": 1008, "fields": [["status", 0, 4, "I"], ...]}, ...}: name,
 * offset, bytes and type of each field.  Types are letters of Python's struct module (? i I l L q Q d), s for an
 * array of char, P for a pointer, x for anything else.  The caller frees it; NULL if memory is short. */
CONV_API char *conv_layout_json(void);

#ifdef __cplusplus
}
#endif
#endif
