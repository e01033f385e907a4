/* random_problem.c - valid problems of every sort, one for each seed. */
#include "tests/random_problem.h"
#include "tests/test.h"

#include <string.h>

struct dice { struct conv_fill fill; int64_t throws; };

static int64_t pick(struct dice *dice, int64_t count)
{
    const double unit = (conv_fill_value(&dice->fill, "problem", dice->throws++) + 1) / 2;
    return (int64_t)(unit * (double)count);
}

/* An inverted residual: expanded, or with x added, or both. */
static void invert(struct conv_problem *p, struct dice *dice)
{
    p->residual = pick(dice, 2);
    p->expand = pick(dice, 8) + !p->residual;
    for (int a = 0; p->residual && a < CONV_AXES; a++) {
        struct conv_axis *axis = &p->axis[a];
        axis->stride = 1;
        axis->pad_begin = pick(dice, 2) * (axis->filter - 1) * axis->dilation;
        axis->pad_end = (axis->filter - 1) * axis->dilation - axis->pad_begin;
    }
    p->k = p->residual ? p->c : p->k;
}

bool random_problem(struct conv_problem *problem, int64_t seed)
{
    struct dice dice = { { CONV_FILL_UNIFORM, (uint64_t)seed, 1, 0 }, 0 };
    struct conv_problem p = conv_problem_default((int)pick(&dice, 3) + 1);
    p.op = (enum conv_op)pick(&dice, CONV_OPS);
    const bool separable = p.op == CONV_OP_SEPARABLE;
    p.n = pick(&dice, 4);
    p.groups = separable ? 1 : pick(&dice, 4) + 1;
    p.c = p.groups * (pick(&dice, 4) + 1);
    p.k = p.groups * (pick(&dice, 4) + 1);
    p.mult = separable ? pick(&dice, 3) + 1 : 1;
    p.bias = pick(&dice, 2);
    p.pass = separable ? CONV_FORWARD : (enum conv_pass)pick(&dice, CONV_PASSES);
    p.act = p.pass == CONV_FORWARD ? (enum conv_activation)pick(&dice, CONV_ACTIVATIONS) : CONV_ACT_NONE;
    p.mid_act = separable ? (enum conv_activation)pick(&dice, CONV_ACTIVATIONS) : CONV_ACT_NONE;
    p.layout = (enum conv_layout)pick(&dice, CONV_LAYOUTS);
    p.type = (enum conv_type)pick(&dice, CONV_TYPES);
    for (int a = CONV_AXES - p.rank; a < CONV_AXES; a++)
        p.axis[a] = (struct conv_axis){
            .in = pick(&dice, 9) + 1, .filter = pick(&dice, 4) + 1, .stride = pick(&dice, 3) + 1,
            .dilation = pick(&dice, 3) + 1, .pad_begin = pick(&dice, 3), .pad_end = pick(&dice, 3),
            .output_pad = p.op == CONV_OP_TRANSPOSED ? pick(&dice, 2) : 0 };
    if (separable && pick(&dice, 2))
        invert(&p, &dice);
    *problem = p;
    return conv_problem_finish(problem, NULL) == CONV_OK;
}

void test_operands_create(struct test_operands *set, const struct conv_problem *problem, uint64_t seed)
{
    const struct conv_fill fill = { CONV_FILL_INTEGERS, seed, conv_exact_range(problem), 0 };
    memset(set, 0, sizeof *set);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++) {
        int64_t dims[CONV_MAX_RANK];
        const int rank = conv_operand_shape(dims, problem, operand);
        if (rank == 0 || conv_tensor_create(&set->tensors[operand], problem->type, rank, dims, NULL) != CONV_OK)
            continue;
        set->operands.at[operand] = set->tensors[operand].data;
        memset(set->tensors[operand].data, 0xFF, conv_tensor_bytes(&set->tensors[operand]));
        if (conv_operand_role(problem, operand) == CONV_INPUT)
            conv_fill(problem->type, set->tensors[operand].data, conv_operand_count(problem, operand),
                      conv_operand_name(problem, operand), &fill);
    }
}

void test_operands_free(struct test_operands *set)
{
    for (int operand = 0; operand < CONV_OPERANDS; operand++)
        conv_tensor_free(&set->tensors[operand]);
}

const struct conv_kernel *test_reference(const struct conv_problem *problem)
{
    for (int i = 0; i < conv_kernel_count(); i++)
        if (!strncmp(conv_kernel_at(i)->name, "ref_", 4) && !conv_kernel_refuses(conv_kernel_at(i), problem))
            return conv_kernel_at(i);
    return NULL;
}

struct test_operands test_solved(const struct conv_problem *problem, enum conv_fill_kind kind)
{
    struct test_operands set;
    const struct conv_fill fill = { kind, 3, kind == CONV_FILL_INTEGERS ? 4 : 1, 0 };
    test_operands_create(&set, problem, 3);
    for (enum conv_operand i = 0; i < CONV_OPERANDS; i++)
        if (conv_operand_role(problem, i) == CONV_INPUT && set.operands.at[i])
            conv_fill(problem->type, set.operands.at[i], conv_operand_count(problem, i),
                      conv_operand_name(problem, i), &fill);
    TEST_EQUAL_INT(conv_run(&set.operands, test_reference(problem), problem, NULL, NULL), CONV_OK);
    return set;
}
