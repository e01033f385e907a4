/* test_checks.c - checks that are asked about kernels made for them: arithmetic, special values, limits, large
 * layers.
 *
 * Not here: the mathematics beneath (test_maths.c); planted faults (test_faults.c).   Read next: verify/checks/
 */
#include "tests/test.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- the arithmetic: a plain convolution, computed in many ways ------------------------------------------------ */

/* A number cut or rounded to `bits` bits; f16 has no number above 65504. */
static double narrowed(double value, int bits, bool cut)
{
    int exponent;
    const double part = frexp(value, &exponent);
    const double whole = ldexp(part, bits);
    return ldexp(cut ? trunc(whole) : rint(whole), exponent - bits);
}
static double as_is(double value) { return value; }
static double to_tf32(double value) { return narrowed(value, 11, false); }
static double cut_tf32(double value) { return narrowed(value, 11, true); }
static double to_bf16(double value) { return narrowed(value, 8, false); }
static double cut_bf16(double value) { return narrowed(value, 8, true); }
static double to_f16(double value)
{
    const double near = narrowed(value, 11, false);
    return fabs(near) > 65504 ? copysign(INFINITY, value) : near;
}

/* How to add products; `sum` has as many elements as the way needs. */
struct sum { float one, lanes[8], low; double wide; int count; };
static void add_rounded(struct sum *s, double a, double b) { volatile float p = (float)(a * b); s->one += p; }
static void add_fused(struct sum *s, double a, double b) { s->one = fmaf((float)a, (float)b, s->one); }
static void add_wide(struct sum *s, double a, double b) { s->wide += a * b; }
static void add_lanes(struct sum *s, double a, double b) { s->lanes[s->count++ % 8] += (float)(a * b); }
static void add_f16(struct sum *s, double a, double b) { s->one = (float)to_f16((double)s->one + a * b); }
static void add_bf16(struct sum *s, double a, double b) { s->one = (float)to_bf16((double)s->one + a * b); }
static void add_products(struct sum *s, double a, double b) { s->wide += (double)(float)(a * b); }
static void add_kahan(struct sum *s, double a, double b)
{
    volatile float p = (float)(a * b), y = p - s->low, t = s->one + y, back = t - s->one;
    s->low = back - y;
    s->one = t;
}
/* A sum that is right for single products and not for many. */
static void add_and_lose(struct sum *s, double a, double b)
{
    add_wide(s, a, b);
    s->wide *= s->count++ % 50 == 49 ? 1.001 : 1;
}
/* Products that are wrong in a way that no format explains, as after a transform. */
static void add_disturbed(struct sum *s, double a, double b) { s->wide += a * b * (1 + 1e-6 * sin(1000 * a)); }

static double total(const struct sum *s)
{
    float lanes = 0;
    for (int i = 0; i < 8; i++)
        lanes += s->lanes[i];
    return (double)s->one + (double)lanes + s->wide;
}

static bool multiply_padding;

static void convolve(const struct conv_problem *p, const struct conv_operands *o, double (*in)(double),
                     void (*add)(struct sum *, double, double), double (*out)(double))
{
    const struct conv_axis *a = p->axis;
    const int64_t channels = p->c / p->groups, P = a[CONV_H].out, Q = a[CONV_W].out;
    const float *x = o->x, *w = o->w;
    for (int64_t i = 0; i < p->n * p->k * P * Q; i++) {
        const int64_t k = i / Q / P % p->k, first = i / Q / P / p->k * p->c + k / (p->k / p->groups) * channels;
        struct sum sum = { 0 };
        for (int64_t c = 0; c < channels; c++)
            for (int64_t r = 0; r < a[CONV_H].filter; r++)
                for (int64_t s = 0; s < a[CONV_W].filter; s++) {
                    const int64_t row = conv_input_at(&a[CONV_H], i / Q % P, r),
                                  col = conv_input_at(&a[CONV_W], i % Q, s);
                    const bool inside = conv_inside(&a[CONV_H], row) && conv_inside(&a[CONV_W], col);
                    if (!inside && !multiply_padding)
                        continue;
                    const double xv = inside ? (double)x[((first + c) * a[CONV_H].in + row) * a[CONV_W].in + col] : 0;
                    const double wv = (double)w[((k * channels + c) * a[CONV_H].filter + r) * a[CONV_W].filter + s];
                    add(&sum, in(xv), in(wv));
                }
        const double bias = o->bias ? (double)((const float *)o->bias)[k] : 0;
        ((float *)o->y)[i] = conv_activate(p->act, (float)out(total(&sum) + bias));
    }
}

static const char *two_axes(const struct conv_problem *p)
{
    return p->rank == 2 ? NULL : "it computes 2-D problems only";
}

#define WAYS(X) \
    X(one_rounded, as_is, add_rounded, as_is, "f32, one product added after the other, each rounded", true) \
    X(one_fused, as_is, add_fused, as_is, "f32, one product added after the other, fused", true) \
    X(eight_lanes, as_is, add_lanes, as_is, "f32, in several partial sums", true) \
    X(f64_inside, as_is, add_wide, as_is, "sums in more than f32", true) \
    X(f64_of_products, as_is, add_products, as_is, "sums in more than f32 of products that are rounded to it", true) \
    X(kahan, as_is, add_kahan, as_is, "f32, in several partial sums|sums in more than f32", true) \
    X(tf32_in, to_tf32, add_wide, as_is, "inputs in TF32", false) \
    X(tf32_cut, cut_tf32, add_fused, as_is, "inputs in TF32, cut off", false) \
    X(bf16_in, to_bf16, add_lanes, as_is, "inputs in bf16", false) \
    X(bf16_cut, cut_bf16, add_fused, as_is, "inputs in bf16, cut off", false) \
    X(f16_in, to_f16, add_fused, as_is, "inputs in f16", false) \
    X(f16_sums, as_is, add_f16, as_is, "sums in f16", false) \
    X(f16_all, to_f16, add_f16, as_is, "sums in f16", false) \
    X(bf16_sums, as_is, add_bf16, as_is, "sums in bf16", false) \
    X(f16_out, as_is, add_wide, to_f16, "outputs in f16", false) \
    X(loses, as_is, add_and_lose, as_is, "unknown", false) \
    X(disturbed, as_is, add_disturbed, as_is, "unknown", false)

#define WAY_RUN(way, in, add, out, words, good) \
    static void run_##way(const struct conv_problem *p, const struct conv_operands *o, \
                          const struct conv_workspace *workspace) \
    { \
        (void)workspace; \
        convolve(p, o, in, add, out); \
    }
WAYS(WAY_RUN)

#define ALL_FORWARD (1u << CONV_STANDARD | 1u << CONV_POINTWISE | 1u << CONV_GROUPED | 1u << CONV_DEPTHWISE)
#define WAY_ROW(way, in, add, out, words, good) \
    { { .name = #way, .title = #way, .kinds = ALL_FORWARD, .applies = two_axes, .run = run_##way }, words, good },
static const struct { struct conv_kernel kernel; const char *words; bool good; } ways[] = { WAYS(WAY_ROW) };
enum { COUNT_WAYS = sizeof ways / sizeof *ways };

/* Do the words begin with `wanted`, or with what is behind its bar? */
static bool says(const char *words, const char *wanted)
{
    const char *bar = strchr(wanted, '|');
    return !strncmp(words, wanted, bar ? (size_t)(bar - wanted) : strlen(wanted))
        || (bar && !strncmp(words, bar + 1, strlen(bar + 1)));
}

/* The bar of the project is 9 of 10; all of these are named.  "inputs in TF32" begins "inputs in TF32, cut off" too,
 * so that the length counts where there is no explanation behind it. */
static void arithmetic_is_named(void)
{
    int right = 0;
    for (int i = 0; i < COUNT_WAYS; i++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct conv_arithmetic named;
            TEST_EQUAL_INT(conv_arithmetic_name(&named, &ways[i].kernel, seed, NULL), CONV_OK);
            const bool cut = strstr(ways[i].words, "cut off") != NULL;
            const bool good = says(named.words, ways[i].words) && cut == (strstr(named.words, "cut off") != NULL)
                && (named.sure == CONV_SURE_NOT) == !strncmp(ways[i].words, "unknown", 7);
            if (!good)
                TEST_NOTE("%s, seed %d: \"%s\" (%s), expected \"%s\"", ways[i].kernel.name, (int)seed, named.words,
                          conv_sure_name(named.sure), ways[i].words);
            right += good;
        }
    TEST_EQUAL_INT(right, 3 * COUNT_WAYS);
}

/* Check "probes" accepts every order of summation in the type or above, and rejects everything else; the guess of a
 * rejection is the arithmetic. */
static void probes_reject_narrow_arithmetic(void)
{
    const struct conv_verify_options options = { .seed = 5, .time_limit = 100, .check = "probes" };
    for (int i = 0; i < COUNT_WAYS; i++) {
        struct conv_verification v;
        TEST_EQUAL_INT(conv_verify_kernel(&v, &ways[i].kernel, &options, NULL), CONV_OK);
        if (v.verdict != (ways[i].good ? CONV_ACCEPT : CONV_REJECT))
            TEST_NOTE("%s: %s", ways[i].kernel.name, conv_verdict_name(v.verdict));
        TEST_EQUAL_INT(v.verdict, ways[i].good ? CONV_ACCEPT : CONV_REJECT);
        CU_ASSERT(v.arithmetic.words[0] != 0);
        if (v.arithmetic.narrow)
            CU_ASSERT(strstr(v.finding.guess, v.arithmetic.words) != NULL);
    }
}

/* Integers up to 8 can't see that inputs are narrowed; that is why there are probes. */
static void integers_alone_accept_narrow_inputs(void)
{
    const struct conv_verify_options options = { .seed = 5, .time_limit = 100, .check = "covering" };
    for (int i = 0; i < COUNT_WAYS; i++) {
        struct conv_verification v;
        if (strncmp(ways[i].words, "inputs in", 9))
            continue;
        TEST_EQUAL_INT(conv_verify_kernel(&v, &ways[i].kernel, &options, NULL), CONV_OK);
        TEST_EQUAL_INT(v.verdict, CONV_ACCEPT);
    }
}

/* ---- special values -------------------------------------------------------------------------------------------- */

static double flush(double value) { return fabs(value) < FLT_MIN ? 0 : value; }
static double no_nan(double value) { return isnan(value) ? 0 : value; }

static void run_flushes(const struct conv_problem *p, const struct conv_operands *o,
                        const struct conv_workspace *workspace)
{
    (void)workspace;
    convolve(p, o, as_is, add_fused, flush);
}

static void run_cleans(const struct conv_problem *p, const struct conv_operands *o,
                       const struct conv_workspace *workspace)
{
    (void)workspace;
    convolve(p, o, no_nan, add_fused, as_is);
}

static void run_multiplies(const struct conv_problem *p, const struct conv_operands *o,
                           const struct conv_workspace *workspace)
{
    (void)workspace;
    multiply_padding = true;
    convolve(p, o, as_is, add_fused, as_is);
    multiply_padding = false;
}

/* fmaxf(NaN, 0) is 0 */
static void run_swallows(const struct conv_problem *p, const struct conv_operands *o,
                         const struct conv_workspace *workspace)
{
    struct conv_problem linear = *p;
    float *y = o->y;
    (void)workspace;
    linear.act = CONV_ACT_NONE;
    convolve(&linear, o, as_is, add_fused, as_is);
    for (int64_t i = 0; p->act != CONV_ACT_NONE && i < conv_operand_count(p, CONV_Y); i++)
        y[i] = p->act == CONV_ACT_RELU ? fmaxf(y[i], 0) : fminf(fmaxf(y[i], 0), 6);
}

static void special_values_are_followed(void)
{
    static const struct {
        const char *name, *check;
        void (*run)(const struct conv_problem *, const struct conv_operands *, const struct conv_workspace *);
        enum conv_verdict verdict;
        const char *note;
    } rows[] = {
        { "follows", "special", run_one_fused, CONV_ACCEPT, "infinity times padding: left out" },
        { "multiplies", "special", run_multiplies, CONV_ACCEPT, "infinity times padding: NaN" },
        { "swallows", "special", run_swallows, CONV_REJECT, "" },
        { "cleans", "special", run_cleans, CONV_REJECT, "" },
        { "flushes", "probes", run_flushes, CONV_REJECT, "" },
        { "flushes", "covering", run_flushes, CONV_ACCEPT, "" },
        { "swallows", "covering", run_swallows, CONV_ACCEPT, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_kernel kernel = { .name = rows[i].name, .title = rows[i].name, .kinds = ALL_FORWARD,
                                            .applies = two_axes, .run = rows[i].run };
        const struct conv_verify_options options = { .seed = 4, .time_limit = 100, .check = rows[i].check };
        struct conv_verification v;
        TEST_EQUAL_INT(conv_verify_kernel(&v, &kernel, &options, NULL), CONV_OK);
        if (v.verdict != rows[i].verdict)
            TEST_NOTE("%s, check %s: %s", rows[i].name, rows[i].check, conv_verdict_name(v.verdict));
        TEST_EQUAL_INT(v.verdict, rows[i].verdict);
        if (v.verdict == CONV_ACCEPT)
            TEST_EQUAL_TEXT(v.evidence[0].note, rows[i].note);
        else
            TEST_EQUAL_INT(v.finding.fault, CONV_FAULT_VALUES);
    }
}

/* ---- limits ---------------------------------------------------------------------------------------------------- */

/* Offsets into x in 32 bits, which wrap round; and channels in 16. */
static void run_wraps(const struct conv_problem *p, const struct conv_operands *o,
                      const struct conv_workspace *workspace)
{
    const struct conv_axis *H = &p->axis[CONV_H], *W = &p->axis[CONV_W];
    const float *x = o->x, *w = o->w;
    float *y = o->y;
    (void)workspace;
    for (int64_t i = 0; i < p->n * p->k * H->out * W->out; i++) {
        const int64_t k = i / W->out / H->out % p->k, n = i / W->out / H->out / p->k;
        float sum = o->bias ? ((const float *)o->bias)[k] : 0;
        for (int64_t c = 0; c < p->c; c++)
            for (int64_t r = 0; r < H->filter; r++)
                for (int64_t s = 0; s < W->filter; s++) {
                    const int64_t row = conv_input_at(H, i / W->out % H->out, r),
                                  col = conv_input_at(W, i % W->out, s);
                    const uint32_t at =
                        (uint32_t)(((n * p->c + c) * H->in + row) * W->in + col) % UINT32_C(0x80000000);
                    if (conv_inside(H, row) && conv_inside(W, col))
                        sum += x[at] * w[((k * p->c + c) * H->filter + r) * W->filter + s];
                }
        y[i] = conv_activate(p->act, sum);
    }
}

static void run_short(const struct conv_problem *p, const struct conv_operands *o,
                      const struct conv_workspace *workspace)
{
    struct conv_problem shorter = *p;
    (void)workspace;
    if (p->c > UINT16_MAX)
        memset(o->y, 0, conv_operand_bytes(p, CONV_Y));
    shorter.c = p->groups == 1 ? (uint16_t)p->c : p->c;
    run_one_fused(p->c > UINT16_MAX ? &shorter : p, o, workspace);
}

static enum conv_verdict verdict_of(struct conv_verification *v, const struct conv_kernel *kernel, const char *check)
{
    const struct conv_verify_options options = { .seed = 1, .time_limit = 100, .check = check };
    TEST_EQUAL_INT(conv_verify_kernel(v, kernel, &options, NULL), CONV_OK);
    return v->verdict;
}

/* 16 bits are seen by "limits", 32 by "huge", and by neither what is right. */
static void narrow_counters_are_found(void)
{
    const struct conv_kernel wraps = {
        .name = "wraps", .title = "wraps", .kinds = 1u << CONV_STANDARD, .applies = two_axes, .run = run_wraps
    };
    const struct conv_kernel shorts = { .name = "short", .title = "short", .kinds = ALL_FORWARD, .applies = two_axes,
                                        .run = run_short };
    const struct conv_kernel *right = conv_kernel_find("std_02_bounds_hoisted");
    struct conv_verification v;
    TEST_EQUAL_INT(verdict_of(&v, &shorts, "limits"), CONV_REJECT);
    CU_ASSERT(v.finding.problem.c > UINT16_MAX);
    TEST_EQUAL_INT(verdict_of(&v, &wraps, "limits"), CONV_ACCEPT);
    TEST_EQUAL_INT(verdict_of(&v, right, "limits"), CONV_ACCEPT);
    TEST_EQUAL_TEXT(v.evidence[0].note, "");
    if (WATCHED)
        return;   /* 2^31 inputs are too many for a sanitizer */
    if (verdict_of(&v, right, "huge") == CONV_ACCEPT && v.evidence[0].problems == 0)
        return;   /* this machine has no room for it, and says so */
    TEST_EQUAL_INT(v.verdict, CONV_ACCEPT);
    TEST_EQUAL_INT(verdict_of(&v, &wraps, "huge"), CONV_REJECT);
    TEST_EQUAL_INT(v.finding.fault, CONV_FAULT_VALUES);
    CU_ASSERT(conv_operand_count(&v.finding.problem, CONV_X) > INT32_MAX);
}

/* ---- large layers ---------------------------------------------------------------------------------------------- */

/* A layer too large for the reference, with an activation and a middle: right ones are accepted, and one wrong output
 * of millions is found, and placed. */
static void run_wrong_once(const struct conv_problem *p, const struct conv_operands *o,
                           const struct conv_workspace *workspace)
{
    const struct conv_kernel *right = conv_kernel_find("std_03_loop_order");
    right->run(p, o, workspace);
    if (conv_operand_count(p, CONV_Y) > 100000)
        ((float *)o->y)[77777] += p->act == CONV_ACT_NONE ? 1 : 0;
}

static void run_forgets_relu(const struct conv_problem *p, const struct conv_operands *o,
                             const struct conv_workspace *workspace)
{
    struct conv_problem other = *p;
    other.act = CONV_ACT_NONE;
    conv_kernel_find("std_03_loop_order")->run(conv_operand_count(p, CONV_Y) > 100000 ? &other : p, o, workspace);
}

static struct conv_verification verdict_on_layer(const struct conv_kernel *kernel, const char *text,
                                                 const char *check)
{
    const struct conv_problem problem = test_problem(text);
    const struct conv_verify_options options = {
        .seed = 1, .problems = &problem, .problem_count = 1, .only_problems = true, .check = check
    };
    struct conv_verification verification;
    TEST_EQUAL_INT(conv_verify_kernel(&verification, kernel, &options, NULL), CONV_OK);
    return verification;
}

static void large_layers_are_judged(void)
{
    static const struct conv_kernel once = {
        .name = "once", .title = "one wrong output", .kinds = 1u << CONV_STANDARD, .run = run_wrong_once
    };
    static const struct conv_kernel forgets = { .name = "forgets", .title = "no relu", .kinds = 1u << CONV_STANDARD,
                                                .run = run_forgets_relu };
    static const char *const standard = "c=64 in=64x60 k=96 filter=3x3 pad=1 bias=1 act=relu";
    static const char *const separable =
        "op=separable c=256 in=60x64 k=256 filter=3x3 pad=1 bias=1 mid_act=relu6 act=relu6";
    TEST_EQUAL_INT(verdict_on_layer(conv_kernel_find("std_08_unfold_by_block"), standard, NULL).verdict, CONV_ACCEPT);
    TEST_EQUAL_INT(verdict_on_layer(conv_kernel_find("sep_02_fused_by_rows"), separable, NULL).verdict, CONV_ACCEPT);
    const struct conv_verification wrong = verdict_on_layer(&once, standard, "layers");
    TEST_EQUAL_INT(wrong.verdict, CONV_REJECT);
    TEST_EQUAL_INT(wrong.finding.wrong, 1);
    CU_ASSERT(wrong.finding.first[0].got == wrong.finding.first[0].expected + 1);
    TEST_EQUAL_INT(verdict_on_layer(&forgets, standard, "layers").verdict, CONV_REJECT);
    TEST_EQUAL_INT(verdict_on_layer(&forgets, standard, "real").verdict, CONV_REJECT);
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(arithmetic_is_named), TEST_CASE(probes_reject_narrow_arithmetic),
        TEST_CASE(integers_alone_accept_narrow_inputs), TEST_CASE(special_values_are_followed),
        TEST_CASE(narrow_counters_are_found), TEST_CASE(large_layers_are_judged),
    };
    return test_main("test_checks", cases, (int)(sizeof cases / sizeof *cases));
}
