/* explain_code.h - convref explain --kernel: the instructions that nvcc makes of a kernel of CUDA.  Internal.
 *
 * The rows are those of results/cuda-sass.tsv, written into the program when it is built: tools/cuda-sass makes them
 * from a build with nvcc.   Not here: how often a thread runs an instruction.
 */
#ifndef CONVREF_VERIFY_PROGRAM_EXPLAIN_CODE_H
#define CONVREF_VERIFY_PROGRAM_EXPLAIN_CODE_H

enum { EXPLAIN_CODE_COLUMNS = 18 };   /* registers, shared bytes, instructions, FFMA, ... */

/* An instance of a kernel: "tile_in_shared_memory<3>" of rung cuda_dw_04_tile. */
struct explain_code_row {
    const char *rung, *kernel;
    int count[EXPLAIN_CODE_COLUMNS];
};

extern const char *const explain_code_columns[EXPLAIN_CODE_COLUMNS + 1];   /* end with NULL */
extern const struct explain_code_row explain_code_rows[];                  /* end with a rung that is NULL */

/* Print the rows of a rung, without columns that are 0 in all of them; a sentence if nobody looked at its code. */
void explain_code(const char *rung);

#endif
