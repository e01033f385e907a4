#!/bin/sh
# test_cli_verify.sh - convref run and verify: files in, files out, verdicts, diagnoses, reports.
#
# Kernels that are wrong on purpose are tests/providers/; none of them may be accepted.
# Not here: whether the verifier finds every fault (verify/proof/faults).
set -eu

suite=test_cli_verify   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"
# shellcheck source=tests/cli/tensor_files.sh
. "$source_top/tests/cli/tensor_files.sh"


# ---- run: numbers that were worked out on paper ----------------------------------------------------------------------------
# x = 1 2 3 4 and w = 1 2 as .npy, written by hand
npy_f32() { printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': ($1), }"; }
{ npy_f32 '1, 1, 4'; printf '\000\000\200\077\000\000\000\100\000\000\100\100\000\000\200\100'; } > x.npy
{ npy_f32 '1, 1, 2'; printf '\000\000\200\077\000\000\000\100'; } > w.npy
small='c=1 in=4 k=1 filter=2'
expect run_by_hand 0 "convref run '$small' --x x.npy --w w.npy --y y.npy" '^y 1x1x3: 5 8 11$' '^ref_forward, seed 1$'
{ npy_f32 '1, 1, 3'; printf '\000\000\240\100\000\000\000\101\000\000\060\101'; } > wanted.npy
expect run_writes_npy 0 'tail -c 12 y.npy > got; tail -c 12 wanted.npy | cmp - got'
expect run_reads_its_own 0 "convref verify '$small' --x x.npy --w w.npy --y y.npy" '^ACCEPT'
expect one_tensor 0 "convref verify '$small' --x x.npy --w w.npy --y wanted.npy" \
    'of 6 products, each left out alone, 6 would be missed; not missed: 0 that are zero' '^    0 that vanish .* 0 that are too small' \
    'not shown by one problem: batches, channels, filters, strides, padding, dilation, groups, bias, activation,$'
{ npy_f32 '1, 1, 2'; printf '\000\000\000\000\000\000\000\100'; } > w0.npy   # w = 0 2: y = 4 6 8
{ npy_f32 '1, 1, 3'; printf '\000\000\200\100\000\000\300\100\000\000\000\101'; } > y0.npy
expect one_tensor_zeros 0 "convref verify '$small' --x x.npy --w w0.npy --y y0.npy" '3 would be missed; not missed: 3 that are zero'
expect one_tensor_json 0 "convref verify '$small' --x x.npy --w w0.npy --y y0.npy --format json" '"one_tensor": ' '"exact": true' \
    '"products": 6' '"zero": 3' '"hidden": 0' '"padding"' '!"repro"'
expect verify_reads_others 0 "convref verify '$small' --x x.npy --w w.npy --y wanted.npy" '^ACCEPT' 'bit for bit'
expect run_gradient_of_x 0 "convref run '$small pass=backward_data' --w w.npy --y wanted.npy" '^dx 1x1x4: 5 18 27 22$'
expect run_gradient_of_w 0 "convref run '$small pass=backward_weights' --x x.npy --y wanted.npy" '^dw 1x1x2: 54 78$'
expect run_bias 0 "convref run 'c=1 in=1 k=1 filter=1 bias=1 type=f64'" '^y 1x1x1: -?[0-9]+$'
expect run_nothing 0 "convref run 'n=0 c=1 in=4 k=1 filter=2'" '^y 0x1x3:$'

# ---- round trip, for every operand and every kind ------------------------------------------------------------------------------
round_trip()
{
    rm -rf saved
    expect "save_$1" 0 "convref run '$2' --save saved --seed 7"
    expect "round_trip_$1" 0 "convref run '$2' $3 --save again && cmp saved/${4:-y}.npy again/${4:-y}.npy"
    expect "verify_$1" 0 "convref verify '$2' $3 --${4:-y} again/${4:-y}.npy" '^ACCEPT'
    rm -rf again
}
xw='--x saved/x.npy --w saved/w.npy'
round_trip standard 'n=2 c=4 in=9x8 k=6 filter=3x3 pad=1' "$xw"
round_trip bias 'c=4 in=9x8 k=6 filter=3x3 pad=1 bias=1 type=f64' "$xw --bias saved/bias.npy"
round_trip depthwise 'c=4 in=9x8 k=8 filter=3x3 groups=4 layout=nhwc' "$xw"
round_trip three_axes 'c=2 in=3x4x5 k=2 filter=2x2x2' "$xw"
round_trip transposed 'op=transposed c=3 in=5 k=2 filter=3 stride=2 output_pad=1' "$xw"
round_trip separable 'op=separable c=3 in=6x6 k=5 filter=3x3 bias=1' \
    "$xw --bias saved/bias.npy --pw saved/pw.npy --pw-bias saved/pw_bias.npy"
expect kernels_agree 0 'convref run "c=3 in=8x8 k=4 filter=3x3" --save ref && convref run "c=3 in=8x8 k=4 filter=3x3" \
    --kernel std_09_openmp --threads 3 --save fast && cmp ref/y.npy fast/y.npy'
expect seeds_differ 1 'convref run "c=3 in=8x8 k=4 filter=3x3" --seed 2 --save other && cmp -s ref/y.npy other/y.npy'
expect uniform_by_bound 0 'convref run "c=3 in=8x8 k=4 filter=3x3" --fill uniform --save real --kernel std_06_register_tile &&
    convref verify "c=3 in=8x8 k=4 filter=3x3" --x real/x.npy --w real/w.npy --y real/y.npy' '^ACCEPT' 'within its bound'

# ---- classes of accuracy: inputs cut off at TF32 are right for those who claim no more -----------------------------------------
p='n=2 c=3 in=8x8 k=4 filter=3x3'
cut="--provider $start/verify/awkward.so --kernel awkward_tf32_cut"
expect tf32_run 0 "convref run '$p' $cut --fill uniform --save cut"
files='--x cut/x.npy --w cut/w.npy --y cut/y.npy'
expect tf32_is_not_direct 1 "convref verify '$p' $files" '^REJECT'
expect tf32_is_tf32 0 "convref verify '$p' $files --accuracy tf32" '^ACCEPT' 'claims +tf32: inputs in TF32' 'within its bound'
expect tf32_is_coarser_than_bf16 0 "convref verify '$p' $files --accuracy bf16 --format json" '"accuracy": "bf16"'
expect tf32_is_not_winograd 1 "convref verify '$p' $files --accuracy winograd6" '^REJECT'
expect no_such_class 2 "convref verify '$p' $files --accuracy tf16 2>&1" 'no class "tf16"' 'direct, tf32, bf16'
expect class_of_the_proof 2 'convref verify --self --accuracy tf32 2>&1' "--self: --accuracy can't be combined with it"
expect junit_of_golden 4 'convref verify --golden . --junit j.xml 2>&1; s=$?; test ! -e j.xml && exit $s' 'manifest.json'
expect class_of_a_kernel 2 'convref verify -k std_01_direct --accuracy tf32 2>&1' 'a kernel says its class itself'

# ---- integers: u8 x s8 with 32-bit sums, of which f32 doesn't hold all ------------------------------------------------
# array FILE DESCR SHAPE: the file's header and, behind it, what is on standard input
array() { { npy "$1" 1 "{'descr': '$2', 'fortran_order': False, 'shape': ($3), }" 0; cat >> "$1"; } }
head -c 600 /dev/zero | tr '\000' '\377' | array u8.npy '|u1' '1, 600, 1'
{ printf '\176'; head -c 599 /dev/zero | tr '\000' '\177'; } | array s8.npy '|i1' '1, 600, 1'
le 4 19430745 | array acc.npy '<i4' '1, 1, 1'      # 255 * (126 + 599 * 127), above 2^24 and odd
le 4 19430744 | array rounded.npy '<i4' '1, 1, 1'  # what f32 makes of it
long='c=600 in=1 k=1 filter=1'
expect accumulators 0 "convref verify '$long' --x u8.npy --w s8.npy --y acc.npy" '^ACCEPT +integers 1' 'bit for bit' '600 would be missed'
expect accumulators_in_f64 0 "convref verify '$long type=f64' --x u8.npy --w s8.npy --y acc.npy" '^ACCEPT +integers 1'
expect accumulators_off_by_one 1 "convref verify '$long' --x u8.npy --w s8.npy --y rounded.npy" 'expected 19430745, got 19430744' \
    "problem  $long\$"
le 4 5 8 11 | array acc.npy '<i4' '1, 1, 3'
expect accumulators_of_f32 0 "convref verify '$small' --x x.npy --w w.npy --y acc.npy" '^ACCEPT'
le 4 54 78 | array dw.npy '<i4' '1, 1, 2'
expect accumulators_of_dw 0 "convref verify '$small pass=backward_weights' --x x.npy --y acc.npy --w dw.npy" '^ACCEPT'
le 4 5 18 27 22 | array dx.npy '<i4' '1, 1, 4'
expect accumulators_of_dx 0 "convref verify '$small pass=backward_data' --y wanted.npy --w w.npy --x dx.npy" '^ACCEPT'
le 4 1 2 3 4 | array x32.npy '<i4' '1, 1, 4'
expect int32_input 0 "convref run '$small' --x x32.npy --w w.npy" '^y 1x1x3: 5 8 11$'
printf '\000\000\200\077\000\000\000\100' | array wf.npy '<f4' '1, 1, 2'
{ printf '{"dtype": "s32", "shape": [1, 1, 3], "order": "C", "endian": "little"}' > acc.raw.json; le 4 5 8 11 > acc.raw; }
expect accumulators_raw 0 "convref verify '$small' --x x.npy --w wf.npy --y acc.raw" '^ACCEPT'

# ---- data that decide what can be said: n=0, zeros, sums that overflow, numbers of f16 ---------------------------------
: | array n0.npy '<f4' '0, 1, 3'
: | array x0.npy '<f4' '0, 1, 4'
expect nothing_to_compare 0 "convref verify 'n=0 $small' --x x0.npy --w w.npy --y n0.npy" '^ACCEPT .* nothing to compare: n=0$' '!missed'
expect nothing_to_compare_json 0 "convref verify 'n=0 $small' --y n0.npy --format json" '"reason": "nothing to compare: n=0"' '!one_tensor'
expect nothing_to_explain 0 "convref explain 'n=0 $small'" '^  y +out +0x1x3$' '^.The window and the sum by hand are left out: n=0, there are no images'
head -c 16 /dev/zero | array zeros.npy '<f4' '1, 1, 4'
head -c 12 /dev/zero | array y_zeros.npy '<f4' '1, 1, 3'
expect zeros_show_nothing 3 "convref verify '$small' --x zeros.npy --w w.npy --y y_zeros.npy --junit zeros.xml --tap zeros.tap" \
    '^INCONCLUSIVE .* no product is missed, whichever is left out: 6 of 6 are zero$' '6 products, each left out alone, 0 would be missed'
expect zeros_junit 0 'cat zeros.xml zeros.tap' '<failure type="INCONCLUSIVE" message="with these data' '^not ok 1 - output files$'
expect zeros_json 3 "convref verify '$small' --x zeros.npy --w w.npy --y y_zeros.npy --format json" '"INCONCLUSIVE"' '"one_tensor"'
expect zeros_by_winograd 3 "convref verify '$small' --x zeros.npy --w w.npy --y y_zeros.npy --accuracy winograd2" '^INCONCLUSIVE' '!products,'
# 3e38 + 1e38 - 3e38: infinite for those who begin at the front
printf '\231\266\141\177\167\226\226\176\231\266\141\377\000\000\000\000' | array large.npy '<f4' '1, 1, 4'
printf '\000\000\200\077\000\000\200\077\000\000\200\077\000\000\200\077' | array ones.npy '<f4' '1, 1, 4'
printf '\000\000\200\177' | array inf.npy '<f4' '1, 1, 1'
printf '\000\000\300\177' | array nan1.npy '<f4' '1, 1, 1'
four='c=1 in=4 k=1 filter=4'
expect overflow 3 "convref verify '$four' --x large.npy --w ones.npy --y inf.npy" '^ +bound +1 of 1 sums leave the range in some order'
expect overflow_is_no_nan 1 "convref verify '$four' --x large.npy --w ones.npy --y nan1.npy" '^REJECT'
printf '\253\252\252\076' | array third.npy '<f4' '1, 1, 1'    # 1/3, and what f16 makes of it
printf '\125\065' | array third16.npy '<f2' '1, 1, 1'
printf '\000\000\200\077' | array one.npy '<f4' '1, 1, 1'
third="'c=1 in=1 k=1 filter=1' --x third.npy --w one.npy --y third16.npy"
expect stored_in_f16 1 "convref verify $third" '^REJECT' '^ +guess +y is stored in f16: --accuracy f16 accepts it$'
expect stored_in_f16_accepted 0 "convref verify $third --accuracy f16" '^ACCEPT'

# ---- verdicts on files ---------------------------------------------------------------------------------------------------------------
# 432 outputs: 4 bytes each behind a header of 128; elements 3 and 40 change places
problem='c=4 in=9x8 k=6 filter=3x3 pad=1'
convref run "$problem" --save good > out
part() { tail -c +$(($1 + 1)) good/y.npy | head -c "$2"; }
{ part 0 140; part 288 4; part 144 144; part 140 4; part 292 100000; } > swapped.npy
expect accept 0 "convref verify '$problem' --y good/y.npy" '^ACCEPT' 'integers 1' 'every output was compared bit for bit'
expect swapped 1 "convref verify '$problem' --y swapped.npy" '^REJECT' 'wrong values' '2 of 432 elements of y' \
    'n=0 k=0 p=0 q=3: expected -?[0-9]+, got -?[0-9]+' 'n=0 k=0 p=5 q=0: expected' "problem  $problem"
{ part 0 1852; head -c 4 /dev/zero; } > last.npy
expect last_element 1 "convref verify '$problem' --y last.npy" '^REJECT' '1 of 432 elements' 'n=0 k=5 p=8 q=7'
{ part 0 128; printf '\000\000\300\177'; part 132 100000; } > nan.npy
expect nan 1 "convref verify '$problem' --y nan.npy" '^REJECT' '1 of 432 elements' 'n=0 k=0 p=0 q=0: expected .* got NaN'
expect other_seed 1 "convref verify '$problem' --seed 2 --y good/y.npy" '^REJECT'

# diagnosed NAME WHAT-WAS-COMPUTED WHAT-WAS-MEANT WORDS: what one problem computes is judged as another
diagnosed()
{
    rm -rf theirs
    expect "diagnosed_$1" 1 "convref run '$2' --save theirs && convref verify '$3' --y theirs/y.npy" '^REJECT' "guess +$4"
}
base='c=4 in=9x8 k=6 filter=3x3'
diagnosed exchanged_pads "$base pad=2:0x2:0" "$base pad=0:2x0:2" 'the padding at the beginning and at the end are exchanged'
diagnosed missing_bias "$base" "$base bias=1" 'the bias is missing'
diagnosed missing_activation "$base" "$base act=relu" 'the activation is missing'
diagnosed relu_for_relu6 "$base act=relu" "$base act=relu6" 'relu6 is computed as relu'
expect no_guess_without_a_fit 1 "convref verify '$problem' --seed 5 --y good/y.npy" '^REJECT' '!guess'
expect swapped_json 1 "convref verify '$problem' --y swapped.npy --format json" '"verdict": "REJECT"' '"wrong": 2' '"elements": 432'
parses swapped_json_parses json out
expect swapped_tsv 1 "convref verify '$problem' --y swapped.npy --format tsv" '	REJECT	' 'wrong values'
expect swapped_markdown 1 "convref verify '$problem' --y swapped.npy --format markdown" '\| REJECT \|'
expect swapped_junit 1 "convref verify '$problem' --y swapped.npy --junit junit.xml && exit 9; s=\$?; cat junit.xml; exit \$s" \
    '<testsuite .*tests="1"' '<failure type="REJECT"'
parses swapped_junit_parses xml junit.xml
expect command_junit 1 "convref verify --exec 'echo \"<&\" > \$0; exit 1 # {dir}' --junit command.xml > text; s=\$?; cat command.xml; exit \$s" \
    'name="echo &quot;&lt;&amp;&quot; > '
parses command_junit_parses xml command.xml

# ---- verdicts on kernels -----------------------------------------------------------------------------------------------------------
expect kernel_accepted 0 'convref verify --kernel dw_01_direct --check seams' '^ACCEPT +dw_01_direct +seams [1-9]'
expect kernel_on_a_problem 0 'convref verify "c=4 in=5x5 k=4 filter=3x3" --kernel std_04_im2col' '^ACCEPT'
expect kernel_skipped 77 'convref verify "c=4 in=5x5 k=4 filter=3x3" --kernel dw_01_direct' '^SKIPPED +dw_01_direct .* applies to none'
expect skipped_does_not_count 0 'convref verify "c=4 in=5x5 k=4 filter=3x3" --kernel "dw_01_direct,std_01_direct"' \
    '1 accepted, 0 rejected, 0 inconclusive, 1 skipped; seed 1'
expect inconclusive 3 'convref verify "n=100000000 c=1 in=10000 k=1 filter=1" --kernel std_01_direct' '^INCONCLUSIVE' 'no memory'
expect self_alone 2 'convref verify --self -k ref_forward 2>&1' "--self: --kernel can't be combined with it"
expect self_without_faults 4 'CONVREF_PROOF=. convref verify --self 2>&1' 'faults\.so is missing'
expect checks 0 'convref verify --checks' '^small +sees' '^seams +sees' 'does not'
expect network_layer 0 'convref verify --network lenet5 --check layers --kernel ref_forward' '^ACCEPT +ref_forward +layers [1-9]'
expect junit 0 'convref verify "c=4 in=5x5 k=4 filter=3x3" --kernel "dw_01_direct,std_01_direct" --junit junit.xml; cat junit.xml' \
    'tests="2"' 'name="std_01_direct"' '<skipped/>' '!<failure'
parses junit_parses xml junit.xml
expect kernels_json 0 'convref verify "c=4 in=5x5 k=4 filter=3x3" --kernel "std_0*" --format json' '"seed": 1' '"verdict": "ACCEPT"' '!REJECT'
parses kernels_json_parses json out

# ---- TAP --------------------------------------------------------------------------------------------------------------------
# tap NAME WANTED FILE: a consumer that isn't ours says what it read.  Perl's knows TAP 13; nothing here is new in 14.
consumer='use TAP::Parser; my $p = TAP::Parser->new({ tap => join "", <STDIN> }); my $y = 0;
    while (my $r = $p->next) { $y++ if $r->is_yaml && $r->data->{verdict} }
    printf "%d of %d, %d skipped, %d yaml, %d errors", scalar $p->passed, $p->tests_run, scalar $p->skipped, $y, scalar $p->parse_errors'
tap()
{
    if perl -MTAP::Parser -e 1 2> err; then
        command="perl on $3"
        sed '1s/14/13/' "$3" | perl -e "$consumer" > out 2> err || :
        same "$1" 'what perl reads' "$2" "$(cat out)"
    else
        skip "$1" "no perl with TAP::Parser"
    fi
}
kernels='-k dw_01_direct,std_01_direct'
expect tap 0 "convref verify 'c=4 in=5x5 k=4 filter=3x3' $kernels --tap a.tap && cat a.tap" '^ACCEPT' '^TAP version 14$' '^1\.\.2$' \
    '^ok 1 - dw_01_direct # SKIP ' '^ok 2 - std_01_direct$' '!not ok' '!TODO'
tap tap_is_read '2 of 2, 1 skipped, 0 yaml, 0 errors' a.tap
expect tap_alone 0 "convref verify 'c=4 in=5x5 k=4 filter=3x3' $kernels --tap - > b.tap && head -n 1 b.tap && cmp a.tap b.tap" \
    '^TAP version 14$'
expect tap_of_files 1 "convref verify '$problem' --y swapped.npy --tap c.tap > text; s=\$?; cat c.tap; exit \$s" '^not ok 1 - output files$' \
    '^  ---$' '^  check: "integers"$' "^  problem: \"$problem\"\$" '^  first: "n=0 k=0 p=0 q=3: expected' '^  \.\.\.$' '!repro'
tap tap_of_files_is_read '0 of 1, 0 skipped, 1 yaml, 0 errors' c.tap
expect tap_inconclusive 3 'convref verify "n=100000000 c=1 in=10000 k=1 filter=1" --kernel std_01_direct --tap -' '^not ok 1 - std_01_direct$' \
    '^  verdict: "INCONCLUSIVE"$' '^  reason: ".*no memory'
expect tap_of_a_command 1 "convref verify --exec 'exit 1 # {dir} \\ \"' --tap d.tap > text; s=\$?; cat d.tap; exit \$s" \
    '^not ok 1 - exit 1 .# ' '^  repro: "convref verify --exec .*\\"'
tap tap_of_a_command_is_read '0 of 1, 0 skipped, 1 yaml, 0 errors' d.tap
expect tap_and_json 2 'convref verify -k std_01_direct --tap - --format json 2>&1' "can't be TAP and another format"
expect tap_and_self 2 'convref verify --self --tap - 2>&1' "--self: --tap can't be combined with it"

# rejected NAME PATTERN...: the provider of that name is rejected, with its reason in words and a line to see it again
rejected()
{
    provider=$1
    shift
    if [ ! -f "$modules/$provider.so" ]; then
        skip "provider_$provider" "no shared objects in MODULES"
        return
    fi
    expect "provider_$provider" 1 "convref verify --provider '$modules/$provider.so' --kernel mine --check small --time-limit ${limit:-60}" \
        '^REJECT +mine' "repro    convref verify --provider .*$provider.so --kernel mine" "$@"
    [ "$status" = 1 ] || return 0
    repro=$(sed -n 's/^    repro *//p' out)
    expect "repro_of_$provider" 1 "$repro --time-limit ${limit:-60}" '^REJECT +mine'
}
rejected last_column_zero 'wrong values' '1 of 1 elements of y' 'problem  c=1 in=1 k=1 filter=1$'
rejected writes_nan 'not written|wrong values' 'got NaN'
rejected writes_outside 'memory behind the end of y'
rejected changes_input 'an input changed'
rejected crashes '  what     crash'
limit=1 rejected hangs '  what     hang' 'time limit of 1 seconds'
if [ -f "$modules/good.so" ]; then
    expect provider_good 0 "convref verify --provider '$modules/good.so' --kernel mine --check seams" '^ACCEPT +mine'
else
    skip provider_good "no shared objects in MODULES"
fi
finish
