/* folder.h - a folder for files that somebody else's program reads and writes, and its removal.  Internal. */
#ifndef CONVREF_VERIFY_SANDBOX_FOLDER_H
#define CONVREF_VERIFY_SANDBOX_FOLDER_H

#include <convref/base.h>

enum { FOLDER_PATH = 1024 };

/* Make an empty folder for this user alone, in $TMPDIR or /tmp.  Fails if that path has characters that a shell would
 * not take as they are, since it becomes a part of command lines. */
enum conv_status folder_make(char path[FOLDER_PATH], struct conv_error *error);

/* Remove it with all that is in it.  Links are removed, not followed. */
void folder_remove(const char *path);

#endif
