/* golden_verify.h - convref verify --golden: verdicts on somebody's outputs of golden vectors.  Internal. */
#ifndef CONVREF_VERIFY_CLI_GOLDEN_VERIFY_H
#define CONVREF_VERIFY_CLI_GOLDEN_VERIFY_H

#include "cli.h"

/* Judge what lies in `theirs` (NULL: in the folder itself), and write the verdicts as TAP too (NULL: don't).  Returns
 * the exit status. */
int golden_verify(const struct cli *cli, const char *folder, const char *theirs, const char *tap);

#endif
