/* test_problem.c - the problem: text, JSON, benchdnn strings, derived sizes, and what is refused. */
#include "tests/random_problem.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

/* ---- what follows from a line of text ---- */

static void derived_sizes(void)
{
    static const struct { const char *text; int64_t out[3]; enum conv_kind kind; } rows[] = {
        { "c=32 in=112x112 k=64 filter=3x3", { 1, 110, 110 }, CONV_STANDARD },
        { "c=3 in=224x224 k=64 filter=7x7 stride=2 pad=3", { 1, 112, 112 }, CONV_STANDARD },
        { "c=64 in=56x56 k=128 filter=1x1", { 1, 56, 56 }, CONV_POINTWISE },
        { "c=64 in=56x56 k=128 filter=1x1 groups=2", { 1, 56, 56 }, CONV_GROUPED },
        { "c=64 in=9 k=128 filter=3 groups=64 dilation=2", { 1, 1, 5 }, CONV_DEPTHWISE },
        { "c=4 in=8x9x10 k=4 filter=3x2x1 stride=1x2x3 pad=1x0x2", { 8, 4, 5 }, CONV_STANDARD },
        { "c=4 in=5x5 k=4 filter=2x2 pad=same", { 1, 5, 5 }, CONV_STANDARD },
        { "c=4 in=5x6 k=4 filter=3x3 stride=2 pad=same_lower", { 1, 3, 3 }, CONV_STANDARD },
        { "op=transposed c=64 in=14x14 k=32 filter=4x4 stride=2 pad=1", { 1, 28, 28 }, CONV_TRANSPOSED },
        { "op=transposed c=4 in=3x3 k=4 filter=3x3 stride=2 output_pad=1", { 1, 8, 8 }, CONV_TRANSPOSED },
        { "op=transposed c=4 in=7x7 k=4 filter=3x3 stride=2 pad=same", { 1, 14, 14 }, CONV_TRANSPOSED },
        { "op=separable c=8 in=128x128 k=64 filter=3x3 bias=1", { 1, 126, 126 }, CONV_SEPARABLE },
        { "op=separable c=8 in=128x128 k=64 filter=3x3 expand=48", { 1, 126, 126 }, CONV_INVERTED_RESIDUAL },
        { "op=separable c=8 in=28x28 k=8 filter=3x3 pad=1 residual=1", { 1, 28, 28 }, CONV_INVERTED_RESIDUAL },
        { "op=separable c=8 in=28x28 k=8 filter=3x3 pad=1 residual=0 expand=0", { 1, 28, 28 }, CONV_SEPARABLE },
        { "c=1 in=4x4 k=4 filter=3x3", { 1, 2, 2 }, CONV_STANDARD },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conv_problem problem = test_problem(rows[i].text);
        for (int a = 0; a < CONV_AXES; a++)
            TEST_EQUAL_INT(problem.axis[a].out, rows[i].out[a]);
        TEST_EQUAL_TEXT(conv_kind_name(conv_problem_kind(&problem)), conv_kind_name(rows[i].kind));
    }
}

/* TensorFlow and ONNX: the odd zero of SAME goes to the end, of SAME_LOWER to the beginning. */
static void same_padding(void)
{
    const struct conv_problem upper = test_problem("c=1 in=224x5 k=1 filter=3x2 stride=2x1 pad=same");
    TEST_EQUAL_INT(upper.axis[CONV_H].pad_begin, 0);
    TEST_EQUAL_INT(upper.axis[CONV_H].pad_end, 1);
    TEST_EQUAL_INT(upper.axis[CONV_W].pad_begin, 0);
    TEST_EQUAL_INT(upper.axis[CONV_W].pad_end, 1);
    const struct conv_problem lower = test_problem("c=1 in=224x5 k=1 filter=3x2 stride=2x1 pad=same_lower");
    TEST_EQUAL_INT(lower.axis[CONV_H].pad_begin, 1);
    TEST_EQUAL_INT(lower.axis[CONV_H].pad_end, 0);
    TEST_EQUAL_INT(lower.axis[CONV_W].pad_begin, 1);
}

/* ---- one problem, many ways to write it ---- */

static void canonical_text(void)
{
    static const char *const pairs[][2] = {
        { "k=64 filter=3 in=112x112 c=32", "c=32 in=112x112 k=64 filter=3x3" },
        { "  c=4\tin=8x8 k=4 filter=3x3  groups=1 stride=1x1 pad=valid dilation=1 bias=0 act=none ",
          "c=4 in=8x8 k=4 filter=3x3" },
        { "c=4 in=8x8 k=4 filter=3x3 pad=1:1x2:2", "c=4 in=8x8 k=4 filter=3x3 pad=1x2" },
        { "c=4 in=8x8 k=4 filter=3x3 pad=0:1", "c=4 in=8x8 k=4 filter=3x3 pad=0:1x0:1" },
        { "c=4 in=8x8 k=4 filter=3x3 pad=same bias=1 act=relu6 layout=nhwc type=f64",
          "c=4 in=8x8 k=4 filter=3x3 pad=1 bias=1 act=relu6 layout=nhwc type=f64" },
        { "op=separable mid_act=relu mult=2 n=0 c=3 in=9 k=5 filter=2 stride=2 dilation=3",
          "op=separable n=0 c=3 in=9 k=5 filter=2 stride=2 dilation=3 mult=2 mid_act=relu" },
        { "op=separable layout=nhwc residual=1 expand=144 mid_act=relu6 pad=same c=24 in=56x56 k=24 filter=3x3",
          "op=separable c=24 in=56x56 k=24 filter=3x3 pad=1 mid_act=relu6 expand=144 residual=1 layout=nhwc" },
        { "op=transposed c=2 in=4x4 k=2 filter=3x3 stride=2 output_pad=1x0 pass=backward_data groups=2",
          "op=transposed c=2 in=4x4 k=2 filter=3x3 groups=2 stride=2 output_pad=1x0 pass=backward_data" },
        /* benchdnn */
        { "g32mb1ic32ih112oc32oh112kh3ph1n\"mobilenet:conv2_1/dw\"",
          "c=32 in=112x112 k=32 filter=3x3 groups=32 pad=1" },
        { "g1mb2_ic3ih227oc96oh55kh11sh4ph0_n\"alexnet:conv1*3\"",
          "n=2 c=3 in=227x227 k=96 filter=11x11 stride=4" },
        { "mb1ic3ih224oc64oh112kh7sh2ph3", "c=3 in=224x224 k=64 filter=7x7 stride=2 pad=3:2x3:2" },
        { "mb1ic16iw30oc16ow15kw4sw2pw1", "c=16 in=30 k=16 filter=4 stride=2 pad=1" },
        { "mb1ic4id8ih9iw10oc4kd3kh2kw1dd1dh0", "c=4 in=8x9x10 k=4 filter=3x2x1 dilation=2x1x1" },
        { "ic8ih10oc8oh8kh3", "n=2 c=8 in=10x10 k=8 filter=3x3" },
        { "mb1ic8oc8_ih2oh1kh2_iw8kw3dw1", "c=8 in=2x8 k=8 filter=2x3 dilation=1x2" },
        { "mb1ic8oc8_ih4oh6kh3ph2_iw4kw1", "c=8 in=4x4 k=8 filter=3x1 pad=2x0" },
        { "mb1ic8ih9sh2kh3oc8_iw9kw3", "c=8 in=9x9 k=8 filter=3x3 stride=2x1" },
        { "mb1ic8ih9sh2kh3oc8_sw1pw0dw0", "c=8 in=9x9 k=8 filter=3x3 stride=2" },
        { "mb1ic8id9kd3oc8pd1", "c=8 in=9x9x9 k=8 filter=3x3x3 pad=1" },
        { "mb1ic8ih8oc8kh3ph1n\"a=b and more\"", "c=8 in=8x8 k=8 filter=3x3 pad=1" },
        { "mb1ic8ih8oc8kh3ph1nconv=1", "c=8 in=8x8 k=8 filter=3x3 pad=1" },
        { "mb1ic8ih8oc8kh3ph1n", "c=8 in=8x8 k=8 filter=3x3 pad=1" },
        { "--conv --dir=FWD_B --mb=3 mb1ic8ih8oc8kh3", "n=3 c=8 in=8x8 k=8 filter=3x3 bias=1" },
        { "--mb=0 --dir=BWD_WB mb1ic8ih8oc8kh3", "c=8 in=8x8 k=8 filter=3x3 bias=1 pass=backward_weights" },
        { "--deconv --dir=BWD_D ic256ih7oc128oh14kh4sh2ph1",
          "op=transposed n=2 c=256 in=7x7 k=128 filter=4x4 stride=2 pad=1 pass=backward_data" },
        { "--deconv mb1ic8ih4oc8oh8kh3sh2ph1",
          "op=transposed c=8 in=4x4 k=8 filter=3x3 stride=2 pad=1:0x1:0" },
        { "--deconv mb1ic8ih4oc8oh9kh2sh2ph0",
          "op=transposed c=8 in=4x4 k=8 filter=2x2 stride=2 output_pad=1" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[CONV_PROBLEM_TEXT];
        const struct conv_problem problem = test_problem(pairs[i][0]);
        TEST_EQUAL_TEXT(conv_problem_print(text, &problem), pairs[i][1]);
    }
}

static void round_trips(void)
{
    int valid = 0;
    for (int64_t seed = 0; valid < 5000; seed++) {
        struct conv_problem problem, from_text, from_json;
        struct conv_error error;
        char text[CONV_PROBLEM_TEXT];
        if (!random_problem(&problem, seed))
            continue;
        valid++;
        conv_problem_print(text, &problem);
        char *json = conv_problem_to_json(&problem);
        const bool same = conv_problem_parse(&from_text, text, &error) == CONV_OK
            && conv_problem_equal(&problem, &from_text)
            && conv_problem_from_json(&from_json, json, &error) == CONV_OK
            && conv_problem_equal(&problem, &from_json);
        if (!same)
            TEST_NOTE("%s: %s", text, error.message);
        CU_ASSERT_FATAL(same);
        free(json);
    }
}

/* ---- what is refused: the message, and the place that it points at ---- */

static void refusals(void)
{
    static const struct { const char *text, *message, *place; } rows[] = {
        { "", "c is missing", "" },
        { "c=32 in=112x112 k=64", "filter is missing", "" },
        { "c=32 in=112x112 k=64 filter=3x3 strid=2", "'strid' is not a key", "strid" },
        { "c=32 in=112x112 k=64 filter=3x3 3x3", "'3x3' has no '='", "3x3" },
        { "c=32 c=16 in=112x112 k=64 filter=3x3", "c is given twice", "c=16" },
        { "c= in=112x112 k=64 filter=3x3", "c has no value", "" },
        { "c=-1 in=112x112 k=64 filter=3x3", "'-1' is not a value of c", "-1" },
        { "c=0x20 in=112x112 k=64 filter=3x3", "'0x20' is not a value of c", "0x20" },
        { "c=1e3 in=112x112 k=64 filter=3x3", "'1e3' is not a value of c", "1e3" },
        { "c=0 in=112x112 k=64 filter=3x3", "c=0 is out of range", "0" },
        { "c=99999999999999999999 in=8 k=64 filter=3", "'99999999999999999999' is not a value of c",
          "99999999999999999999" },
        { "c=2000000000000 in=8 k=64 filter=3", "c=2000000000000 is out of range", "2000000000000" },
        { "c=32 in=112x k=64 filter=3x3", "'' is not a value of in", "" },
        { "c=32 in=1x2x3x4 k=64 filter=3x3", "'1x2x3x4' is not a value of in", "1x2x3x4" },
        { "c=32 in=112 k=64 filter=3x3", "filter has 2 numbers, but in has 1 axes", "3x3" },
        { "c=32 in=8x8 k=64 filter=3x3 stride=0", "stride=0 is out of range", "0" },
        { "c=32 in=8x8 k=64 filter=0x3", "filter=0 is out of range", "0x3" },
        { "c=32 in=8x8 k=64 filter=3x3 dilation=0", "dilation=0 is out of range", "0" },
        { "c=32 in=8x8 k=64 filter=3x3 pad=1:2:3", "'1:2:3' is not a value of pad", "1:2:3" },
        { "c=32 in=8x8 k=64 filter=3x3 pad=full", "'full' is not a value of pad", "full" },
        { "c=32 in=2x8 k=64 filter=3x3", "the window spans 3 elements along H, the padded input has 2", "3x3" },
        { "c=32 in=8x8 k=64 filter=3x3 groups=5", "groups=5 does not divide c=32", "5" },
        { "c=32 in=8x8 k=60 filter=3x3 groups=32", "groups=32 does not divide k=60", "32" },
        { "c=32 in=8x8 k=64 filter=3x3 bias=yes", "'yes' is not a value of bias", "yes" },
        { "c=32 in=8x8 k=64 filter=3x3 act=gelu", "'gelu' is not a value of act", "gelu" },
        { "c=32 in=8x8 k=64 filter=3x3 layout=nwc", "'nwc' is not a value of layout", "nwc" },
        { "c=32 in=8x8 k=64 filter=3x3 type=f16", "'f16' is not a value of type", "f16" },
        { "c=32 in=8x8 k=64 filter=3x3 pass=both", "'both' is not a value of pass", "both" },
        { "c=32 in=8x8 k=64 filter=3x3 op=deform", "'deform' is not a value of op", "deform" },
        { "c=32 in=8x8 k=64 filter=3x3 mid_act=relu", "mid_act belongs to op=separable", "relu" },
        { "c=32 in=8x8 k=64 filter=3x3 expand=6", "expand belongs to op=separable", "6" },
        { "op=transposed c=32 in=8x8 k=32 filter=1x1 residual=1", "residual belongs to op=separable", "1" },
        { "op=separable c=8 in=8x8 k=8 filter=3x3 pad=1 residual=yes", "'yes' is not a value of residual", "yes" },
        { "op=separable c=8 in=8x8 k=8 filter=3x3 expand=-6", "'-6' is not a value of expand", "-6" },
        { "op=separable c=8 in=8x8 k=9 filter=3x3 pad=1 residual=1", "residual=1 adds x to y, but c=8 and k=9", "1" },
        { "op=separable c=8 in=8x9 k=8 filter=3x3 pad=1x0 residual=1",
          "residual=1 adds x to y, but along W x has 9 elements, y 7 with stride 1", "1" },
        { "op=separable c=8 in=1x1 k=8 filter=1x1 stride=1x2 residual=1",
          "residual=1 adds x to y, but along W x has 1 elements, y 1 with stride 2", "1" },
        { "c=32 in=8x8 k=64 filter=3x3 mult=2", "mult belongs to op=separable", "2" },
        { "c=32 in=8x8 k=64 filter=3x3 output_pad=1", "output_pad belongs to op=transposed", "1" },
        { "op=separable c=32 in=8x8 k=64 filter=3x3 groups=2", "a separable layer has no groups", "2" },
        { "op=separable c=32 in=8x8 k=64 filter=3x3 pass=backward_data",
          "op=separable has the forward pass only", "backward_data" },
        { "c=32 in=8x8 k=64 filter=3x3 act=relu pass=backward_data", "a backward pass has no activation", "relu" },
        { "op=transposed c=4 in=4x4 k=4 filter=3x3 stride=2 output_pad=2", "output_pad=2 is too large along H",
          "2" },
        { "op=transposed c=4 in=1x1 k=4 filter=1x1 pad=1", "pad=1:1 leaves no output along H", "1" },
        { "n=1000000000000 c=1000000000000 in=8x8 k=1 filter=1x1",
          "the size of x, 1000000000000x1000000000000x8x8 elements, overflows 63 bits", "8x8" },
        { "c=8 in=8x8 k=8 filter=1048576x3 dilation=1099511627776",
          "the window spans more than 2^40 elements along H", "1099511627776" },
        { "c=8 in=8x8 k=8 filter=1048577", "filter=1048577 is out of range", "1048577" },
        { "ih5oc", "a size without a believable number in a benchdnn string", "oc" },
        { "ic3ih5oc4", "one of ic, oc, ih and kh is missing in a benchdnn string", "i" },
        { "ic3ih5oc4kh3zz4", "an unknown size in a benchdnn string", "zz4" },
        { "ic3ih5oc4kh3ic3", "a size given twice in a benchdnn string", "ic3" },
        { "ic3ih5oc4kh3n\"open", "the name has no end in a benchdnn string", "n\"" },
        { "ic3ih5oc4oh2kh3ph1", "the output size does not fit the rest in a benchdnn string", NULL },
        { "ic256ih7oc128oh14kh4sh2ph1", "an output size with windows outside of the image in a benchdnn string",
          NULL },
        { "ic8id4ih5oc8kd3kh3", "a height without a width, or a width without a height, in a benchdnn string", NULL },
        { "ic8ih8oc8kh3_kw3", "one of ic, oc, ih and kh is missing in a benchdnn string", NULL },
        { "--alg=WINO ic8ih8oc8kh3", "an unknown option in a benchdnn string", "--alg=WINO" },
        { "ic8ih8oc8kh3 junk", "something behind its end in a benchdnn string", "junk" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conv_problem problem;
        struct conv_error error = { .position = -1 };
        const enum conv_status status = conv_problem_parse(&problem, rows[i].text, &error);
        CU_ASSERT_NOT_EQUAL(status, CONV_OK);
        TEST_EQUAL_TEXT(error.message, rows[i].message);
        CU_ASSERT(error.position >= 0 && (size_t)error.position <= strlen(rows[i].text));
        if (rows[i].place && rows[i].place[0]) {
            TEST_EQUAL_INT(error.length, strlen(rows[i].place));
            CU_ASSERT(!strncmp(rows[i].text + error.position, rows[i].place, strlen(rows[i].place)));
        }
    }
}

static void json_refusals(void)
{
    static const struct { const char *json, *message; } rows[] = {
        { "[]", "not a JSON object: another value" },
        { "{\"c\":3,\"in\":[8,8],\"k\":4}", "filter is missing" },
        { "{\"c\":3,\"in\":[8,8],\"k\":4,\"filter\":3,\"extra\":1}", "'extra' is not a key" },
        { "{\"c\":3.5,\"in\":[8,8],\"k\":4,\"filter\":3}", "the member \"c\" has a value of the wrong sort" },
        { "{\"c\":3,\"in\":[8,[8]],\"k\":4,\"filter\":[[[1]]]}",
          "the member \"filter\" has a value of the wrong sort" },
        { "{\"c\":3,\"in\":[],\"k\":4,\"filter\":3}", "the member \"in\" has a value of the wrong sort" },
        { "{\"c\":3,\"in\":[8,8],\"k\":4,\"filter\":3,\"kind\":\"depthwise\"}",
          "\"kind\" does not fit the sizes" },
        { "{\"c\":3,\"in\":[8,8],\"k\":4,\"filter\":3,\"out\":[8,8]}", "\"out\" does not fit the sizes" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conv_problem problem;
        struct conv_error error;
        CU_ASSERT_NOT_EQUAL(conv_problem_from_json(&problem, rows[i].json, &error), CONV_OK);
        TEST_EQUAL_TEXT(error.message, rows[i].message);
    }
}

/* ---- the window arithmetic of one axis, against asking every tap ---- */

static void ranges_equal_enumeration(void)
{
    for (int64_t seed = 0; seed < 4000; seed++) {
        struct conv_problem problem;
        if (!random_problem(&problem, seed) || problem.op == CONV_OP_TRANSPOSED)
            continue;
        const struct conv_axis *axis = &problem.axis[CONV_W];
        for (int64_t out = 0; out < axis->out; out++) {
            const struct conv_range taps = conv_taps_inside(axis, out);
            for (int64_t tap = 0; tap < axis->filter; tap++) {
                const struct conv_range outs = conv_outputs_inside(axis, tap);
                const bool inside = conv_inside(axis, conv_input_at(axis, out, tap));
                CU_ASSERT_EQUAL_FATAL(inside, tap >= taps.begin && tap < taps.end);
                CU_ASSERT_EQUAL_FATAL(inside, out >= outs.begin && out < outs.end);
            }
        }
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        TEST_CASE(derived_sizes), TEST_CASE(same_padding), TEST_CASE(canonical_text), TEST_CASE(round_trips),
        TEST_CASE(refusals), TEST_CASE(json_refusals), TEST_CASE(ranges_equal_enumeration),
    };
    return test_main("test_problem", cases, sizeof cases / sizeof *cases);
}
