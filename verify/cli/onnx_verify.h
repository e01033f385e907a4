/* onnx_verify.h - convref verify --golden FOLDER, where FOLDER has test cases of the ONNX project.  Internal. */
#ifndef CONVREF_VERIFY_CLI_ONNX_VERIFY_H
#define CONVREF_VERIFY_CLI_ONNX_VERIFY_H

#include "cli.h"

/* Is the folder a case (it has a model.onnx), or has it folders that are? */
bool onnx_verify_fits(const char *folder);

/* Run every convolution of the folder with the kernels that match `patterns` (NULL: all), and judge them and the
 * stored outputs, which are those in `theirs`.  Returns the exit status. */
int onnx_verify(const struct cli *cli, const char *folder, const char *theirs, const char *patterns);

#endif
