/* output.h - files that are complete or not there.  Internal.
 *
 * A result is written to a temporary file beside its place and renamed at the end, so that an interrupted
 * run never leaves half a table where a whole one was.  The path "-" is the standard output.
 */
#ifndef CONVREF_VERIFY_IO_OUTPUT_H
#define CONVREF_VERIFY_IO_OUTPUT_H

#include <convref/base.h>
#include <stdio.h>

struct conv_output {
    FILE *file;
    char *path, *temporary;   /* NULL for the standard output */
};

enum conv_status conv_output_open(struct conv_output *output, const char *path, struct conv_error *error);

/* Close and put into place. */
enum conv_status conv_output_commit(struct conv_output *output, struct conv_error *error);

/* Close and remove; after a commit it does nothing. */
void conv_output_abandon(struct conv_output *output);

/* Read a whole text file; the caller frees the text.  Refuses files over `limit` bytes and ones with a
 * zero byte in them. */
enum conv_status conv_text_read(char **text, const char *path, size_t limit, struct conv_error *error);

/* The folder `relative` to that of the running program: where data lie in a build folder.  NULL if unknown. */
const char *conv_folder_beside(char folder[1024], const char *relative);

/* The path of `file` in the first of the folders where it can be read; folders may be NULL.  The caller frees it; NULL:
 * in none, or no memory. */
char *conv_file_find(const char *const folders[], size_t count, const char *file);

/* The paths of all files whose names end with `suffix`, of the first of the folders that has any, in the order of their
 * names; NULL stands behind the last.  The caller frees each and the list.  NULL: in none, or no memory. */
char **conv_files_find(const char *const folders[], size_t count, const char *suffix);

#endif
