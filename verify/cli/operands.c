/* operands.c - operands from files or from the seed. */
#include "verify/cli/operands.h"

#include <inttypes.h>
#include <string.h>

#include "verify/io/tensor_file.h"

/* Elements that a file may have although they are too many: the shape tells more than their number. */
enum { READ_ANYWAY = 1 << 20 };

enum { KEY_X = CLI_KEYS + 100 };   /* and the keys of the other operands behind it */

static const struct argp_option options[] = {
    { "x", KEY_X + CONV_X, "FILE", 0,
      "the input, or its gradient; FILE is .npy, .pb, .raw (with .raw.json), .npz:NAME, .safetensors:NAME or "
      ".onnx:NAME", 1 },
    { "w", KEY_X + CONV_WEIGHTS, "FILE", 0, "the weights", 1 },
    { "bias", KEY_X + CONV_BIAS, "FILE", 0, "the bias", 1 },
    { "pw", KEY_X + CONV_PW, "FILE", 0, "separable: the pointwise weights", 1 },
    { "pw-bias", KEY_X + CONV_PW_BIAS, "FILE", 0, "separable: the pointwise bias", 1 },
    { "ew", KEY_X + CONV_EW, "FILE", 0, "inverted residual: the weights of the stage in front", 1 },
    { "ew-bias", KEY_X + CONV_EW_BIAS, "FILE", 0, "inverted residual: the bias of the stage in front", 1 },
    { "y", KEY_X + CONV_Y, "FILE", 0, "the output, or its gradient", 1 },
    { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct operand_files *files = state->input;
    if (key < KEY_X || key >= KEY_X + CONV_OPERANDS)
        return ARGP_ERR_UNKNOWN;
    files->path[key - KEY_X] = text;
    return 0;
}

const struct argp operand_argp = { options, parse, NULL, NULL, NULL, NULL, NULL };

/* ---- type and shape -------------------------------------------------------------------------------------------- */

static bool has_shape(const struct conv_tensor *tensor, const struct conv_problem *problem, enum conv_operand operand)
{
    int64_t dims[CONV_MAX_RANK];
    const int rank = conv_operand_shape(dims, problem, operand);
    return tensor->rank == rank && !memcmp(tensor->dims, dims, sizeof *dims * (size_t)rank);
}

/* What it is and what was wanted; the hint is about the shape if that is wrong, else about the type. */
static enum conv_status refuse(const struct conv_tensor *tensor, enum element element, const char *path,
                               const struct conv_problem *problem, enum conv_operand operand,
                               struct conv_error *error)
{
    int64_t dims[CONV_MAX_RANK];
    char has[96], wants[96];
    const int rank = conv_operand_shape(dims, problem, operand);
    conv_fail(error, CONV_BAD_FILE, "%s: %s is %s %s, not %s %s", path, conv_operand_name(problem, operand),
              element_facts(element)->name, conv_shape_print(has, tensor->rank, tensor->dims),
              conv_type_facts(problem->type)->name, conv_shape_print(wants, rank, dims));
    if (!has_shape(tensor, problem, operand))
        conv_hint(error, "`convref explain` shows the shapes of a problem");
    else if (problem->type == CONV_F32)
        conv_hint(error, "a problem in f64 says type=f64; or store it as float32: a.astype(np.float32)");
    else
        conv_hint(error, "a problem in f32 has no type=f64; or compute it in f64, and store it as float64");
    return CONV_BAD_FILE;
}

/* The tensor's numbers in another type, if it holds all of them; `at` is the first that it doesn't hold. */
static enum conv_status convert(struct conv_tensor *tensor, int64_t *at, enum conv_type type,
                                struct conv_error *error)
{
    struct conv_tensor made;
    const int64_t count = conv_tensor_count(tensor);
    const enum conv_status status = conv_tensor_create(&made, type, tensor->rank, tensor->dims, error);
    if (status != CONV_OK)
        return status;
    for (*at = 0; *at < count; ++*at) {
        const double value = conv_get(tensor->type, tensor->data, *at);
        conv_set(type, made.data, *at, value);
        if (conv_get(type, made.data, *at) != value && value == value)   /* NaN stays NaN */
            break;
    }
    if (*at < count) {
        conv_tensor_free(&made);
        return CONV_BAD_FILE;
    }
    conv_tensor_free(tensor);
    *tensor = made;
    return CONV_OK;
}

/* A file must have the problem's type; elements that are no type of problems are widened to it. */
static enum conv_status fit_tensor(struct conv_tensor *tensor, enum element element, const char *path,
                                   const struct conv_problem *problem, enum conv_operand operand,
                                   struct conv_error *error)
{
    const bool own = element == ELEMENT_F32 || element == ELEMENT_F64;
    int64_t at;
    if (!has_shape(tensor, problem, operand) || (own && tensor->type != problem->type))
        return refuse(tensor, element, path, problem, operand, error);
    if (tensor->type == problem->type)
        return CONV_OK;
    const enum conv_status status = convert(tensor, &at, problem->type, error);
    if (status == CONV_BAD_FILE) {
        conv_fail(error, CONV_BAD_FILE, "%s: element %" PRId64 " of %s is %.17g, which %s doesn't hold", path, at,
                  conv_operand_name(problem, operand), conv_get(tensor->type, tensor->data, at),
                  conv_type_facts(problem->type)->name);
        conv_hint(error, "type=f64 holds all 32-bit integers");
    }
    return status;
}

/* ---- one operand, and all of them ------------------------------------------------------------------------------ */

static enum conv_status read_one(struct operand_set *set, const struct conv_problem *problem,
                                 enum conv_operand operand, const char *path, struct conv_error *error)
{
    struct conv_tensor *tensor = &set->tensors[operand];
    const int64_t wanted = conv_operand_count(problem, operand), most = wanted > READ_ANYWAY ? wanted : READ_ANYWAY;
    enum element element = ELEMENT_F32;
    const enum conv_status status = tensor_file_read_most(tensor, &element, path, STORED_ANY, most, error);
    if (status != CONV_OK)
        return status;
    if (element == ELEMENT_S32 && conv_operand_role(problem, operand) == CONV_OUTPUT
        && has_shape(tensor, problem, operand)) {
        set->problem.type = CONV_F64;   /* widen_all() */
        return CONV_OK;
    }
    return fit_tensor(tensor, element, path, problem, operand, error);
}

static enum conv_status load_one(struct operand_set *set, const struct conv_problem *problem,
                                 enum conv_operand operand, const char *path, const struct conv_fill *fill,
                                 struct conv_error *error)
{
    struct conv_tensor *tensor = &set->tensors[operand];
    int64_t dims[CONV_MAX_RANK];
    const int rank = conv_operand_shape(dims, problem, operand);
    if (path)
        return read_one(set, problem, operand, path, error);
    const enum conv_status status = conv_tensor_create(tensor, problem->type, rank, dims, error);
    if (status == CONV_OK)
        conv_fill(problem->type, tensor->data, conv_tensor_count(tensor), conv_operand_name(problem, operand), fill);
    return status;
}

/* Outputs in 32-bit integers are the sums of an integer problem, and f32 doesn't hold them all: the whole set is then
 * one of f64, which changes no number of it. */
static enum conv_status widen_all(struct operand_set *set, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    int64_t at;
    for (int operand = 0; operand < CONV_OPERANDS && status == CONV_OK; operand++)
        if (set->tensors[operand].data && set->tensors[operand].type != set->problem.type)
            status = convert(&set->tensors[operand], &at, set->problem.type, error);
    return status;
}

enum conv_status operands_load(struct operand_set *set, const struct conv_problem *problem,
                               const struct operand_files *files, enum conv_role last, enum conv_fill_kind kind,
                               uint64_t seed, struct conv_error *error)
{
    const int range = conv_exact_range(problem);
    const struct conv_fill fill = { kind, seed, kind == CONV_FILL_INTEGERS && range > 0 ? range : 1, 0 };
    enum conv_status status = CONV_OK;
    memset(set, 0, sizeof *set);
    set->problem = *problem;
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && status == CONV_OK; operand++) {
        const enum conv_role role = conv_operand_role(problem, operand);
        if (role == CONV_UNUSED && files->path[operand])
            status = conv_fail(error, CONV_BAD_INPUT, "this problem has no %s", conv_operand_name(problem, operand));
        else if (role != CONV_UNUSED)
            status = load_one(set, problem, operand, role <= last ? files->path[operand] : NULL, &fill, error);
    }
    if (status == CONV_OK)
        status = widen_all(set, error);
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        set->operands.at[operand] = set->tensors[operand].data;
    if (status != CONV_OK)
        operands_free(set);
    return status;
}

void operands_free(struct operand_set *set)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        conv_tensor_free(&set->tensors[operand]);
    memset(set, 0, sizeof *set);
}
