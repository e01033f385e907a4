/* explain_formula.c - the formula of a problem, with the letters of its reference page.
 *
 * In it: what the problem has.  No bias, no activation and no axis that it has not.
 */
#include <string.h>

#include "verify/program/explain_output.h"

/* A template, in which a capital stands for as many axes as the problem has: I for [d][h][w], O for [z][p][q], T for
 * [t][r][s], and i, o, t between bars, |t|, for lists such as t,r,s.  B stands for the bias with its plus, A( and )A for
 * the activation around the sum. */
static const char *const forward[CONV_KINDS] = {
    [CONV_STANDARD] = "y[n][k]O = A(B{bias[k]}SUM over c,|t| of x[n][c]I * w[k][c]T)A",
    [CONV_POINTWISE] = "y[n][k]O = A(B{bias[k]}SUM over c of x[n][c]I * w[k][c])A",
    [CONV_GROUPED] = "y[n][g][k]O = A(B{bias[g][k]}SUM over c,|t| of x[n][g][c]I * w[g][k][c]T)A",
    [CONV_DEPTHWISE] = "y[n][c][m]O = A(B{bias[c][m]}SUM over |t| of x[n][c]I * w[c][m]T)A",
    [CONV_SEPARABLE] = ("m[c]O = M(B{bias[c]}SUM over |t| of x[n][c / mult]I * w[c]T)M\n"
                        "y[n][k]O = A(B{pw_bias[k]}SUM over c of m[c]O * pw[k][c])A"),
    [CONV_TRANSPOSED] = "y[n][k]O = A(B{bias[k]}SUM over c,|t| of x[n][c]I * w[c][k']T)A",
};
/* Of an inverted residual: [expands], and what is added. */
static const char *const middles[2] = {
    "m[c]O = M(B{bias[c]}SUM over |t| of x[n][c / mult]I * w[c]T)M",
    ("e[c]I = M(B{ew_bias[c]}SUM over i of x[n][i]I * ew[c][i])M\n"
     "m[c]O = M(B{bias[c]}SUM over |t| of e[c / mult]I * w[c]T)M") };
static const char *const ends[2] = {
    "y[n][k]O = A(B{pw_bias[k]}SUM over c of m[c]O * pw[k][c])A",
    "y[n][k]O = A(B{pw_bias[k]}SUM over c of m[c]O * pw[k][c])A + x[n][k]O" };
static const char *const backward[2][2] = {   /* [transposed][weights] */
    { "dx[n][c]I = SUM over k,|t| of dy[n][k]O * w[k][c']T",
      "dw[k][c']T = SUM over n,|o| of dy[n][k]O * x[n][c]I" },
    { "dx[n][c]I = SUM over k,|t| of dy[n][k]O * w[c][k']T",
      "dw[c][k']T = SUM over n,|i| of x[n][c]I * dy[n][k]O" },
};

static const char *axes_of(char which)
{
    return which == 'I' || which == 'i' ? "dhw" : which == 'O' || which == 'o' ? "zpq" : "trs";
}

static void put_activation(enum conv_activation act, bool opens)
{
    if (act != CONV_ACT_NONE)
        printf(opens ? "%s(" : ")", conv_activation_name(act));
}

static void put_template(const char *text, const struct conv_problem *p)
{
    for (; *text; text++) {
        if (strchr("IOT", *text)) {
            for (const char *axis = axes_of(*text) + CONV_AXES - p->rank; *axis; axis++)
                printf("[%c]", *axis);
        } else if (*text == '|') {
            for (const char *axis = axes_of(text[1]) + CONV_AXES - p->rank; *axis; axis++)
                printf("%c%s", *axis, axis[1] ? "," : "");
            text += 2;
        } else if (*text == 'B' && text[1] == '{') {
            const char *end = strchr(text, '}');
            if (p->bias)
                printf("%.*s + ", (int)(end - text - 2), text + 2);
            text = end;
        } else if ((*text == 'A' || *text == 'M') && text[1] == '(') {
            put_activation(*text == 'A' ? p->act : p->mid_act, true);
            text++;
        } else if (*text == ')' && (text[1] == 'A' || text[1] == 'M')) {
            put_activation(text[1] == 'A' ? p->act : p->mid_act, false);
            text++;
        } else if (*text != '\'' || p->groups > 1) {   /* one group: k' is k */
            putchar(*text);
        }
    }
    putchar('\n');
}

/* "h = p * stride - pad + r * dilation, w = ..." for the axes in use; the side that isn't summed over stands alone. */
static void put_where(const struct conv_problem *p, bool alone)
{
    const bool transposed = p->op == CONV_OP_TRANSPOSED;
    printf("  where ");
    for (int a = CONV_AXES - p->rank; a < CONV_AXES; a++) {
        const char small = (transposed ? "dhw" : "zpq")[a], large = (transposed ? "zpq" : "dhw")[a];
        if (alone)
            printf("%c = %c * stride - pad + %c * dilation", large, small, "trs"[a]);
        else
            printf("%c * stride - pad + %c * dilation = %c", small, "trs"[a], large);
        printf("%s", a + 1 < CONV_AXES ? ", " : "");
    }
    if (p->groups > 1 && (transposed || p->pass != CONV_FORWARD))
        printf("; c and k are channels of one group, and %s counts them from 0", transposed ? "k'" : "c'");
    putchar('\n');
}

void explain_print_formula(const struct conv_problem *p)
{
    const bool transposed = p->op == CONV_OP_TRANSPOSED, weights = p->pass == CONV_BACKWARD_WEIGHTS;
    const bool inverted = conv_problem_kind(p) == CONV_INVERTED_RESIDUAL;
    putchar('\n');
    if (inverted)
        put_template(middles[p->expand > 0], p);
    put_template(inverted ? ends[p->residual]
                 : p->pass == CONV_FORWARD ? forward[conv_problem_kind(p)] : backward[transposed][weights], p);
    if (weights && p->bias)
        put_template("dbias[k] = SUM over n,|o| of dy[n][k]O", p);
    /* an output in the large image asks which positions have it in their windows */
    const bool in_large = transposed ? p->pass == CONV_FORWARD : p->pass == CONV_BACKWARD_DATA;
    put_where(p, !in_large);
}
