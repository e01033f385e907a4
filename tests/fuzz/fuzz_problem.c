/* fuzz_problem.c - the grammar of problem lines, benchdnn strings among them: parse(print(p)) == p.   See fuzz.h. */
#include "tests/fuzz/fuzz.h"

/* Whatever a problem's sizes are, its operands and counts are numbers that fit. */
static void look_at(const struct conv_problem *problem)
{
    struct conv_count count;
    conv_count_problem(&count, problem);
    FUZZ_DEMAND(count.macs >= 0 && count.macs_inside >= 0 && count.macs_inside <= count.macs);
    FUZZ_DEMAND(count.bytes >= 0 && count.weights >= 0 && count.biases >= 0);
    for (enum conv_operand operand = 0; operand < CONV_OPERANDS; operand++)
        FUZZ_DEMAND(conv_operand_count(problem, operand) >= 0);
    for (int i = 0; i < conv_kernel_count(); i++)
        conv_kernel_refuses(conv_kernel_at(i), problem);
}

FUZZ_TARGET(problem)
{
    struct conv_problem problem, again;
    struct conv_error error;
    char *text = fuzz_text(data, size), printed[CONV_PROBLEM_TEXT];
    if (conv_problem_parse(&problem, text, &error) == CONV_OK) {
        FUZZ_DEMAND(conv_problem_parse(&again, conv_problem_print(printed, &problem), NULL) == CONV_OK);
        FUZZ_DEMAND(conv_problem_equal(&problem, &again));
        look_at(&problem);
    } else {
        FUZZ_DEMAND(error.message[0]);
        FUZZ_DEMAND(error.position >= -1 && error.position <= (int64_t)size);
    }
    free(text);
    return 0;
}
