/* command.h - the problems on which a command is tried (command_set.c).  Internal. */
#ifndef CONVREF_VERIFY_CANDIDATES_COMMAND_H
#define CONVREF_VERIFY_CANDIDATES_COMMAND_H

#include <stddef.h>

/* Problems as texts, ended by NULL. */
extern const char *const command_integers[], *const command_reals[];

#endif
