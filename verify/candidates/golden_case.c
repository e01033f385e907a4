/* golden_case.c - somebody else's outputs of a golden case.   Declared in golden_case.h.
 *
 * The truth is computed again from the case's inputs, not read from the folder: integers bit for bit, real numbers by
 * the bound of each output.  Outputs in 8 bits are compared bit for bit in the folder's rounding mode; which other
 * one they have, if that fails, is golden_rounding.c.   Read next: engine/judge.c, docs/exactness.md
 */
#include "verify/candidates/golden_case.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/findings/guess.h"
#include "verify/engine/judge.h"
#include "verify/io/tensor_file.h"

/* ---- their files ------------------------------------------------------------------------------------------ */

/* The places where an output may lie, in the order in which they are looked for. */
static const struct { const char *between, *behind; } places[] = {
    { "/", ".npy" }, { "/", ".raw" }, { "/", ".safetensors" }, { "/", ".pb" }, { ".npz:", "" },
    { ".safetensors:", "" },
};

static bool exists(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", name);
    char *member = strstr(path, ".npz:");
    if (!member)
        member = strstr(path, ".safetensors:");
    if (member)
        *strchr(member, ':') = 0;
    return access(path, F_OK) == 0;
}

/* Elements that a file may have although they are too many: the shape tells more than their number. */
enum { READ_ANYWAY = 1 << 20 };

static enum conv_status take_tensor(double *values, const struct golden_array *array, const char *name,
                                    struct conv_error *error)
{
    struct conv_tensor tensor;
    char has[96], wants[96];
    const int64_t most = array->count > READ_ANYWAY ? array->count : READ_ANYWAY;
    const enum conv_status status = tensor_file_read_most(&tensor, NULL, name, STORED_ANY, most, error);
    if (status != CONV_OK)
        return status;
    const bool same = tensor.rank == array->rank
        && !memcmp(tensor.dims, array->dims, sizeof *array->dims * (size_t)array->rank);
    for (int64_t i = 0; same && i < array->count; i++)
        values[i] = conv_get(tensor.type, tensor.data, i);
    if (!same)
        conv_fail(error, CONV_BAD_FILE, "%s is %s, not %s", name, conv_shape_print(has, tensor.rank, tensor.dims),
                  conv_shape_print(wants, array->rank, array->dims));
    conv_tensor_free(&tensor);
    return same ? CONV_OK : CONV_BAD_FILE;
}

/* Read an output from wherever it lies; `found` stays false if it lies nowhere. */
static enum conv_status read_theirs(double *values, bool *found, const struct golden_case *made,
                                    const struct golden_array *array, const char *theirs, struct conv_error *error)
{
    char name[4096];
    *found = true;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(name, sizeof name, "%s/%s%s%s%s", theirs, made->plan.name, places[i].between, array->name,
                 places[i].behind);
        if (exists(name))
            return take_tensor(values, array, name, error);
    }
    snprintf(name, sizeof name, "%s/%s/test_data_set_0/%s", theirs, made->plan.name,
             golden_onnx_file(array->name) ? golden_onnx_file(array->name) : "");
    if (golden_onnx_file(array->name) && exists(name))
        return take_tensor(values, array, name, error);
    snprintf(name, sizeof name, "%s/%s/%s.hex", theirs, made->plan.name, array->name);
    *found = exists(name);
    return *found ? golden_read_hex(values, name, array->element, array->count, made->settings.lanes, error)
                  : CONV_OK;
}

/* ---- one output ------------------------------------------------------------------------------------------- */

static void reject(struct conv_verification *result, const struct conv_problem *problem, bool exact)
{
    result->verdict = CONV_REJECT;
    result->finding.fault = CONV_FAULT_VALUES;
    result->finding.problem = *problem;
    snprintf(result->finding.check, sizeof result->finding.check, "%s", exact ? "integers" : "bound");
}

static enum conv_status judge_real(struct conv_verification *result, const struct golden_case *made,
                                   const struct golden_array *array, const double *got, struct conv_error *error)
{
    const struct conv_problem problem = golden_problem(made, array->pass);
    const bool exact = made->plan.data == GOLDEN_INTEGERS;
    struct conv_operands operands;
    struct conv_truth truth;
    enum conv_status status = golden_operands(&operands, made, array->pass, error);
    if (status == CONV_OK)
        status = conv_truth_compute(&truth, NULL, &problem, array->operand, &operands, error);
    if (status != CONV_OK)
        return status;
    const enum judged judged = judge_output(&result->finding, &result->evidence[0].worst, &problem, array->operand,
                                            &truth,
                                            got, (struct judging){ .exact = exact });
    if (judged == JUDGED_NOT)
        status = conv_fail(error, CONV_NO_MEMORY, "no memory to judge %s", made->plan.name);
    if (judged == JUDGED_WRONG) {
        reject(result, &problem, exact);
        const struct testimony said = { &problem, array->operand, &operands, &truth, got, { .exact = exact }, NAN };
        guess_from(&result->finding, &said);
    }
    conv_truth_free(&truth);
    golden_operands_free(&operands);
    return status;
}

static enum conv_status judge_quantised(struct conv_verification *result, struct golden_case *made,
                                        const struct golden_array *array, const double *got, bool acc_is_right,
                                        struct conv_error *error)
{
    struct conv_problem order = made->plan.problem;
    const struct golden_array *acc = golden_find(made, "acc");
    double *values = calloc(2 * (size_t)array->count + 1, sizeof *values);
    int64_t *taps = calloc((size_t)array->count + 1, sizeof *taps);
    if (!values || !taps) {
        free(values);
        free(taps);
        return conv_fail(error, CONV_NO_MEMORY, "no memory to judge %s", made->plan.name);
    }
    order.type = CONV_F64;
    conv_operand_widen(values, &order, CONV_Y, array->values);
    conv_operand_widen(values + array->count, &order, CONV_Y, acc->values);
    const struct conv_truth truth = { array->count, values, values, taps };
    if (judge_output(&result->finding, &result->evidence[0].worst, &order, CONV_Y, &truth, got,
                     (struct judging){ .exact = true }) == JUDGED_WRONG) {
        reject(result, &made->plan.problem, true);
        if (array != acc)
            golden_name_rounding(&result->finding, made, values + array->count, got, array->count, acc_is_right);
    }
    free(values);
    free(taps);
    return CONV_OK;
}

/* ---- one case --------------------------------------------------------------------------------------------- */

static void append_name(char list[GOLDEN_LIST], const char *name)
{
    const size_t used = strlen(list);
    snprintf(list + used, GOLDEN_LIST - used, "%s%s", used ? " " : "", name);
}

static enum conv_status judge_array(struct conv_verification *result, struct golden_case *made,
                                    const struct golden_array *array, const double *theirs, double *got,
                                    bool acc_is_right, struct conv_error *error)
{
    struct conv_problem order = golden_problem(made, array->pass);
    order.type = CONV_F64;
    conv_operand_widen(got, &order, array->operand, theirs);
    result->evidence[0].elements += array->count;
    return golden_is_quantised(made->plan.data) ? judge_quantised(result, made, array, got, acc_is_right, error)
                                                : judge_real(result, made, array, got, error);
}

/* Read and judge one output; the first that is wrong ends it. */
static enum conv_status judge_one(struct conv_verification *result, char compared[GOLDEN_LIST],
                                  char missing[GOLDEN_LIST], struct golden_case *made,
                                  const struct golden_array *array,
                                  const char *theirs, struct conv_error *error)
{
    bool found = false;
    double *values = calloc(2 * (size_t)array->count + 1, sizeof *values);
    if (!values)
        return conv_fail(error, CONV_NO_MEMORY, "no memory to judge %s", made->plan.name);
    enum conv_status status = read_theirs(values, &found, made, array, theirs, error);
    if (status == CONV_OK && found && result->verdict != CONV_REJECT) {
        result->verdict = CONV_ACCEPT;
        /* the first that is wrong ends it, so that what was compared before is right */
        status = judge_array(result, made, array, values, values + array->count, strstr(compared, "acc") != NULL,
                             error);
    }
    append_name(found ? compared : missing, array->name);
    free(values);
    return status;
}

enum conv_status golden_judge(struct conv_verification *result, char compared[GOLDEN_LIST], char missing[GOLDEN_LIST],
                              struct golden_case *made, const char *theirs, struct conv_error *error)
{
    enum conv_status status = CONV_OK;
    *result = (struct conv_verification){ .verdict = CONV_SKIPPED, .checks = 1 };
    result->evidence[0].problems = 1;
    snprintf(result->kernel, sizeof result->kernel, "%s", made->plan.name);
    compared[0] = missing[0] = 0;
    for (int i = 0; i < made->count && status == CONV_OK && result->verdict != CONV_REJECT; i++)
        if (made->arrays[i].is_output && (made->settings.format != GOLDEN_ONNX
                                          || golden_onnx_file(made->arrays[i].name)))
            status = judge_one(result, compared, missing, made, &made->arrays[i], theirs, error);
    if (result->verdict == CONV_SKIPPED)
        snprintf(result->reason, sizeof result->reason, "none of its outputs is in %.400s", theirs);
    return status;
}
