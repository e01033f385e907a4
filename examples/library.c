/* library.c - libconvref from a C program: count a problem, run two kernels on it, compare them.
 *
 *     cc examples/library.c $(pkg-config --cflags --libs convref) -o library && ./library
 *
 * Read next: include/convref.h
 */
#include <convref.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    struct conv_problem problem;
    struct conv_error error;
    if (conv_problem_parse(&problem, "c=8 in=32x32 k=16 filter=3x3 pad=1", &error) != CONV_OK) {
        fprintf(stderr, "%s\n%s\n", error.message, error.hint);
        return conv_exit_status(error.status);
    }
    struct conv_count count;
    conv_count_problem(&count, &problem);
    printf("%" PRId64 " parameters, %" PRId64 " multiply-adds\n", count.weights + count.biases, count.macs);

    static float x[8 * 32 * 32], w[16 * 8 * 3 * 3], slow[16 * 32 * 32], fast[16 * 32 * 32];
    const struct conv_fill integers = { CONV_FILL_INTEGERS, 1, 8, 0 };
    conv_fill(CONV_F32, x, sizeof x / sizeof *x, "x", &integers);
    conv_fill(CONV_F32, w, sizeof w / sizeof *w, "w", &integers);

    struct conv_operands operands = { .x = x, .w = w, .y = slow };
    enum conv_status status = conv_run(&operands, conv_kernel_find("ref_forward"), &problem, NULL, &error);
    operands.y = fast;
    if (status == CONV_OK)
        status = conv_run(&operands, conv_kernel_find("std_08_unfold_by_block"), &problem, NULL, &error);
    if (status != CONV_OK) {
        fprintf(stderr, "%s\n", error.message);
        return conv_exit_status(status);
    }
    printf("first output %g; all %zu outputs %s\n", (double)fast[0], sizeof fast / sizeof *fast,
           memcmp(slow, fast, sizeof fast) ? "DIFFER" : "are the same, bit for bit");
    return memcmp(slow, fast, sizeof fast) != 0;
}
