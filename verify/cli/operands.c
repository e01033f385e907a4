/* operands.c - operands from files or from the seed. */
#include "verify/cli/operands.h"

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

static enum conv_status check_tensor(const struct conv_tensor *tensor, const char *path,
                                     const struct conv_problem *problem, enum conv_operand operand,
                                     struct conv_error *error)
{
    int64_t dims[CONV_MAX_RANK];
    char has[96], wants[96];
    const int rank = conv_operand_shape(dims, problem, operand);
    const bool same = tensor->rank == rank && !memcmp(tensor->dims, dims, sizeof *dims * (size_t)rank);
    if (same && tensor->type == problem->type)
        return CONV_OK;
    conv_fail(error, CONV_BAD_FILE, "%s: %s is %s %s, not %s %s", path, conv_operand_name(problem, operand),
              conv_type_facts(tensor->type)->name, conv_shape_print(has, tensor->rank, tensor->dims),
              conv_type_facts(problem->type)->name, conv_shape_print(wants, rank, dims));
    conv_hint(error, "`convref explain` shows the shapes of a problem");
    return CONV_BAD_FILE;
}

static enum conv_status load_one(struct operand_set *set, const struct conv_problem *problem,
                                 enum conv_operand operand, const char *path, const struct conv_fill *fill,
                                 struct conv_error *error)
{
    struct conv_tensor *tensor = &set->tensors[operand];
    int64_t dims[CONV_MAX_RANK];
    const int rank = conv_operand_shape(dims, problem, operand);
    const int64_t wanted = conv_operand_count(problem, operand), most = wanted > READ_ANYWAY ? wanted : READ_ANYWAY;
    enum conv_status status;
    if (path) {
        status = tensor_file_read_most(tensor, path, STORED_OPERANDS, most, error);
        if (status == CONV_OK)
            status = check_tensor(tensor, path, problem, operand, error);
    } else {
        status = conv_tensor_create(tensor, problem->type, rank, dims, error);
        if (status == CONV_OK)
            conv_fill(problem->type, tensor->data, conv_tensor_count(tensor), conv_operand_name(problem, operand), fill);
    }
    set->operands.at[operand] = tensor->data;
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
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS && status == CONV_OK; operand++) {
        const enum conv_role role = conv_operand_role(problem, operand);
        if (role == CONV_UNUSED && files->path[operand])
            status = conv_fail(error, CONV_BAD_INPUT, "this problem has no %s", conv_operand_name(problem, operand));
        else if (role != CONV_UNUSED)
            status = load_one(set, problem, operand, role <= last ? files->path[operand] : NULL, &fill, error);
    }
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
