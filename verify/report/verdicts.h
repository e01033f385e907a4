/* verdicts.h - where the verdicts of `convref verify` go, and in which formats.   Internal to the program.
 *
 * The main report is for people or programs (--format, --output); JUnit and TAP are written besides.  All files are
 * opened before the work begins, because minutes of it must not end in a folder that isn't there, and put into place
 * at its end.
 * Not here: test vectors (candidates/golden.c) and the matrix of faults (proof/self.c).
 * Read next: docs/verify.schema.json
 */
#ifndef CONVREF_VERIFY_REPORT_VERDICTS_H
#define CONVREF_VERIFY_REPORT_VERDICTS_H

#include <convref/verify.h>

#include "verify/cli/options.h"

/* A file that nobody asked for is NULL. */
struct reports {
    const struct cli *cli;
    bool silent;                        /* TAP has the standard output */
    bool complete;                      /* all verdicts are in it */
    struct conv_output main, junit, tap;
};

/* Returns 0, or an exit status after a message. */
int reports_open(struct reports *reports, const struct cli *cli, const char *junit, const char *tap);

/* One verdict as it becomes known; only text is printed one by one. */
void reports_print(const struct reports *reports, const struct conv_verification *result);

/* All verdicts, at least one.  `told`: what one tensor tells, of a single verdict; or NULL.  Returns as above. */
int reports_write(struct reports *reports, const struct conv_verification *results, int count,
                  const struct conv_sensitivity *told);

/* Some verdicts as a JUnit or TAP file, complete or not there. */
enum conv_status verdicts_write_junit(const char *path, const struct conv_verification *results, int count,
                                      struct conv_error *error);
enum conv_status verdicts_write_tap(const char *path, const struct conv_verification *results, int count,
                                    struct conv_error *error);

/* Put the main report into its place if all verdicts were written, and remove what was only begun.  Returns the
 * status of the program. */
int reports_close(struct reports *reports, int status);

#endif
