/* golden.h - golden vectors: cases with inputs and outputs, as files that somebody else's machine can read.
 * Internal.
 *
 *   problem, data, seed -> golden_make() -> arrays -> golden_render() -> files -> golden_write() -> a folder
 *
 * A case is a function of its problem, its data and the seed alone, and so is every byte of its files: a folder can
 * be made again, and an output can be judged without trusting the folder.   Read next: docs/golden.md, cases.c
 */
#ifndef CONVREF_VERIFY_GOLDEN_GOLDEN_H
#define CONVREF_VERIFY_GOLDEN_GOLDEN_H

#include <convref/reference.h>
#include <convref/verify.h>
#include <stdio.h>

#include "verify/io/element.h"
#include "verify/golden/requantise.h"

/* ---- cases ------------------------------------------------------------------------------------------------ */

enum golden_data {
    GOLDEN_INTEGERS,    /* small integers: every sum is exact in the problem's type */
    GOLDEN_REAL,        /* uniform in [-1, 1) */
    GOLDEN_F16,         /* inputs that f16 holds, sums and outputs in f32 */
    GOLDEN_BF16,
    GOLDEN_S8,          /* x and y in 8 bits, weights in s8, sums in s32; a scale for each output channel */
    GOLDEN_U8,
    GOLDEN_S8_POW2,     /* as s8, one scale, a power of two, for machines that only shift */
    GOLDEN_S8_TIES,     /* as s8, scales that bring accumulators to ties and next to them: the modes differ */
    GOLDEN_KINDS
};

const char *golden_data_name(enum golden_data data);              /* "integers", ... */
enum golden_data golden_data_of_name(const char *name);           /* GOLDEN_KINDS if there is none */
bool golden_is_quantised(enum golden_data data);

/* What makes a case.  The name becomes a folder. */
struct golden_plan {
    char name[64];
    struct conv_problem problem;     /* the forward pass */
    enum golden_data data;
};

/* What holds for all cases of a folder. */
enum golden_format { GOLDEN_NPY, GOLDEN_NPZ, GOLDEN_RAW, GOLDEN_C, GOLDEN_HEX, GOLDEN_ONNX,
                     GOLDEN_FORMATS };
struct golden_settings {
    uint64_t seed;
    enum golden_format format;
    enum requantise_mode mode;
    int lanes;                       /* of hex files: elements to a word */
};

const char *golden_format_name(enum golden_format format);
enum golden_format golden_format_of_name(const char *name);       /* GOLDEN_FORMATS if there is none */

enum { GOLDEN_MOST_ARRAYS = 12, GOLDEN_MOST_CHANNELS = 4096 };

/* An array of a case: numbers in the order of its file, each of which its element holds exactly. */
struct golden_array {
    char name[16];
    bool is_output;
    enum conv_pass pass;             /* of outputs: the pass that computes it */
    enum conv_operand operand;
    bool is_operand;                 /* false for acc, scale, multiplier and shift */
    enum element element;
    int rank;
    int64_t dims[CONV_MAX_RANK], count;
    double *values;
};

struct golden_case {
    struct golden_plan plan;
    struct golden_settings settings;
    int range;                       /* of integers: -range .. range without 0; else 0 */
    int x_zero_point, y_zero_point, least, most;
    int count;
    struct golden_array arrays[GOLDEN_MOST_ARRAYS];
};

/* The default set: about thirty small problems of every kind, rank, pass and layout. */
int golden_default_count(void);
enum conv_status golden_default_at(struct golden_plan *plan, int index, struct conv_error *error);

/* Compute a case; golden_free() it. */
enum conv_status golden_make(struct golden_case *made, const struct golden_plan *plan,
                             const struct golden_settings *settings, struct conv_error *error);
void golden_free(struct golden_case *made);

/* Fill in scales, accumulators and outputs of a quantised case (quantised.c). */
enum conv_status golden_quantise(struct golden_case *made, struct conv_error *error);

/* The requantiser of output channel k. */
struct requantiser golden_requantiser(const struct golden_case *made, int64_t k);

/* A new array of a case, its values not set; NULL if memory is short. */
struct golden_array *golden_add(struct golden_case *made, const char *name, enum element element, int rank,
                                const int64_t *dims);
struct golden_array *golden_find(struct golden_case *made, const char *name);

/* The problem of a pass: gradients are those of the convolution without its activation. */
struct conv_problem golden_problem(const struct golden_case *made, enum conv_pass pass);

/* The operands of a pass in the problem's own type, copied out of the arrays; free with golden_operands_free(). */
enum conv_status golden_operands(struct conv_operands *operands, const struct golden_case *made, enum conv_pass pass,
                                 struct conv_error *error);
void golden_operands_free(struct conv_operands *operands);

/* ---- files ------------------------------------------------------------------------------------------------ */

struct golden_file { char path[128]; char *bytes; size_t size; };
enum { GOLDEN_MOST_FILES = 2 * GOLDEN_MOST_ARRAYS };
struct golden_files { int count; struct golden_file files[GOLDEN_MOST_FILES]; };

/* The files of a case, in memory. */
enum conv_status golden_render(struct golden_files *files, const struct golden_case *made, struct conv_error *error);
void golden_files_free(struct golden_files *files);

/* The file that holds an array, "case/x.npy" or "case.npz:x", empty if there is none, and the element that is in
 * it (paths.c). */
void golden_path(char path[128], const struct golden_case *made, const struct golden_array *array);
enum element golden_stored_element(enum golden_format format, enum element element);

/* The bytes of some elements; the .npy file of an array (print_npy.c), and all of them in a .npz archive
 * (render_npz.c). */
void golden_put_little_endian(FILE *file, enum element element, const double *values, int64_t count);
enum conv_status golden_print_npy(FILE *file, const struct golden_case *made, const struct golden_array *array);
enum conv_status golden_render_npz(struct golden_file *file, const struct golden_case *made,
                                   struct conv_error *error);

/* As test cases of the ONNX project: the file of an array, NULL if it has none (paths.c); why a plan can't be
 * one, NULL if it can; the files (render_onnx.c). */
const char *golden_onnx_file(const char *array);
const char *golden_onnx_refuses(const struct golden_plan *plan);
enum conv_status golden_render_onnx(struct golden_files *files, const struct golden_case *made,
                                    struct conv_error *error);

/* Read a hex file back: exactly `count` elements (hex.c). */
enum conv_status golden_read_hex(double *values, const char *path, enum element element, int64_t count, int lanes,
                                 struct conv_error *error);

/* ---- folders ------------------------------------------------------------------------------------------------ */

enum { SHA256_TEXT = 65 };

/* The SHA-256 of some bytes, as 64 hex digits.  False if this build can't: nettle was missing. */
bool golden_sha256(char text[SHA256_TEXT], const void *bytes, size_t size);
bool golden_can_hash(void);

/* That of what is left of a file, a piece at a time.  False if it can't be read, too. */
struct source;
bool golden_sha256_rest(char text[SHA256_TEXT], struct source *source);

/* Write a folder, which must not exist; it appears complete or not at all.  `command` makes it again. */
enum conv_status golden_write(const char *folder, const struct golden_plan *plans, int count,
                              const struct golden_settings *settings, const char *command, struct conv_error *error);

/* A manifest, read and believed in nothing but its own words. */
struct golden_manifest {
    struct golden_settings settings;
    int count;
    struct golden_plan *plans;
    struct json_t *json;
};
enum conv_status golden_manifest_read(struct golden_manifest *manifest, const char *folder, struct conv_error *error);
void golden_manifest_free(struct golden_manifest *manifest);

/* The manifest of these cases, to which golden_manifest_add() adds one after the other (manifest.c). */
struct json_t *golden_manifest_begin(const struct golden_settings *settings, const char *command);
bool golden_manifest_add(struct json_t *manifest, const struct golden_case *made, const struct golden_files *files);

/* Are the files of a folder those of its manifest?  `files` counts them.  CONV_BAD_FILE names the first that
 * isn't. */
enum conv_status golden_check(int *files, const char *folder, struct conv_error *error);

/* Do the files of a case have the hashes that the manifest has? */
bool golden_manifest_has(const struct golden_manifest *manifest, const struct golden_files *files);

#endif
