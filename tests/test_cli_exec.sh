#!/bin/sh
# test_cli_exec.sh - convref verify --exec: commands that read .npy files and leave others.
#
# Most commands here are `convref run` on files, on the right problem or on another one; the example in NumPy is verified
# on the whole set, and then with one mistake at a time.   Not here: kernels (test_cli_verify.sh).
set -eu

suite=test_cli_exec   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

mkdir folders
TMPDIR=$work/folders
export TMPDIR
empty() { same "$1" "what is left in TMPDIR" "" "$(ls folders)"; }

# ---- right ones -----------------------------------------------------------------------------------------------------------
p='n=2 c=4 in=5x6 k=6 filter=3x2 groups=2 stride=2x1 pad=0:1x1:0 bias=1'
in='--x {dir}/x.npy --w {dir}/w.npy --bias {dir}/bias.npy'
expect forward 0 "convref verify --exec 'convref run \"$p\" $in --y {dir}/y.npy' '$p'" \
    '^ACCEPT +convref run .* integers 1 real 1  worst error 0\.[0-9]+ of the bound'
expect backward_data 0 "convref verify --exec 'convref run \"$p pass=backward_data\" --w {dir}/w.npy --y {dir}/dy.npy --x {dir}/dx.npy' \
    '$p pass=backward_data'" '^ACCEPT .* integers 1 real 1'
expect backward_weights 0 "convref verify --exec 'convref run \"$p pass=backward_weights\" --x {dir}/x.npy --y {dir}/dy.npy \
    --w {dir}/dw.npy --bias {dir}/dbias.npy' '$p pass=backward_weights'" '^ACCEPT .* integers 1 real 1'
expect separable 0 "convref verify --exec 'convref run \"op=separable c=3 in=5x6 k=2 filter=3x3\" --x {dir}/x.npy --w {dir}/w.npy \
    --pw {dir}/pw.npy --y {dir}/y.npy' 'op=separable c=3 in=5x6 k=2 filter=3x3'" '^ACCEPT .* integers 1 real 1'
tiny='c=1 in=4 k=1 filter=2'
compute="convref run \"$tiny\" --x {dir}/x.npy --w {dir}/w.npy --y {dir}/y.npy"
expect several_problems 0 "convref verify --exec 'test -s {dir}/problem.json && $compute' '$tiny' '$tiny'" '^ACCEPT .* integers 2 real 2'
expect output_is_kept_apart 0 "convref verify --exec 'echo noise; echo noise >&2; $compute' '$tiny' --format json" \
    '"verdict": "ACCEPT"' '!noise$'
parses output_is_kept_apart_parses json out
expect nothing_to_read 0 "convref verify --exec 'test -z \"\$(cat)\" && $compute' '$tiny'" '^ACCEPT'
expect fresh_folders 0 "convref verify --exec 'test ! -e {dir}/mark && touch {dir}/mark && mkdir {dir}/more && $compute' '$tiny'" '^ACCEPT'
expect skipped 77 "convref verify --exec 'exit 77 # {dir}' '$tiny'" '^SKIPPED .* computes none of the problems'
expect skipped_all 77 "convref verify --exec 'exit 77 # {dir}'" '^SKIPPED'
expect some_skipped 0 "convref verify --exec 'grep -q \"bias.:true\" {dir}/problem.json && exit 77; $compute' '$tiny' '$tiny bias=1'" \
    '^ACCEPT .* integers 1 real 1 .*not computed, by its own account: 2'
empty nothing_is_left_of_right_ones

# ---- wrong ones -----------------------------------------------------------------------------------------------------------
other='c=3 in=5x6 k=2 filter=3x2 pad=2:0x1:0'
expect wrong_values 1 "convref verify --exec 'convref run \"$other\" --x {dir}/x.npy --w {dir}/w.npy --y {dir}/y.npy' \
    'c=3 in=5x6 k=2 filter=3x2 pad=0:2x0:1'" '^REJECT' 'wrong values, found by check "integers"' 'first +n=0 k=0 p=0 q=0: expected' \
    'guess +the padding at the beginning and at the end are exchanged' 'problem  c=3 in=5x6 k=2 filter=3x2 pad=0:2x0:1' \
    "repro    convref verify --exec 'convref run .*{dir}/y.npy' --seed 1 \"c=3"
repro=$(sed -n 's/^    repro *//p' out)
expect repro_of_wrong_values 1 "$repro" '^REJECT' 'wrong values'
quoted="convref verify --exec 'echo '\\''a b'\\''; exit 5 # {dir}' '$tiny'"
expect quotes 1 "$quoted" '^REJECT' 'status 5; it wrote: a b'
repro=$(sed -n 's/^    repro *//p' out)
expect repro_with_quotes 1 "$repro" '^REJECT' 'status 5; it wrote: a b'
expect no_output 1 "convref verify --exec 'true {dir}' '$tiny'" '^REJECT' 'outputs not written' 'left no y.npy that can be read'
expect no_gradient_of_bias 1 "convref verify --exec 'convref run \"$p pass=backward_weights\" --x {dir}/x.npy --y {dir}/dy.npy \
    --w {dir}/dw.npy' '$p pass=backward_weights'" '^REJECT' 'left no dbias.npy'
expect not_npy 1 "convref verify --exec 'echo 1 2 3 > {dir}/y.npy' '$tiny'" '^REJECT' 'left no y.npy that can be read: '
expect other_shape 1 "convref verify --exec 'convref run \"c=1 in=4 k=1 filter=1\" --x {dir}/x.npy --y {dir}/y.npy' '$tiny'" \
    '^REJECT' 'y.npy is f32 1x1x4, expected f32 1x1x3'
expect other_type 1 "convref verify --exec 'convref run \"$tiny type=f64\" --y {dir}/y.npy' '$tiny'" \
    '^REJECT' 'y.npy is f64 1x1x3, expected f32 1x1x3'
expect fails 1 "convref verify --exec 'echo one; echo two; echo three >&2; echo four; exit 3 # {dir}' '$tiny'" \
    '^REJECT' 'ended with status 3; it wrote: two / three / four' 'let it end with status 77'
# shellcheck disable=SC2016  # the command's own shell reads $$
expect is_killed 1 'convref verify --exec '\''kill -SEGV $$ # {dir}'\'' "c=1 in=4 k=1 filter=2"' '^REJECT' 'ended by signal 11'
expect hangs 1 "convref verify --time-limit 1 --exec 'sleep 100; : {dir}' '$tiny'" '^REJECT' 'what     hang' "hadn't ended after 1 seconds"
expect junit 1 "convref verify --exec 'true {dir}' '$tiny' --junit junit.xml && exit 9; s=\$?; cat junit.xml; exit \$s" '<failure type="REJECT"'
parses junit_parses xml junit.xml
empty nothing_is_left_of_wrong_ones

# ---- wrong usage -----------------------------------------------------------------------------------------------------------
# usage NAME COMMAND WORDS: status 2, and the words on the standard error
usage()
{
    expect "$1" 2 "$2 2>&1" "$3"
}
usage not_found "convref verify --exec 'no-such-program {dir}' '$tiny'" "command can't be run: .*no-such-program"
usage no_folder "convref verify --exec 'true' '$tiny'" "doesn't say where the folder's name goes"
usage with_kernels "convref verify --exec 'true {dir}' --kernel ref_forward" "--exec: --kernel can't be combined with it"
usage strange_folder "mkdir 'a b' && TMPDIR='a b' convref verify --exec 'true {dir}' '$tiny'" 'TMPDIR'
usage too_long "convref verify --exec 'true {dir} $(printf '%0300d' 0)' '$tiny'" 'put it into a script'

# ---- interrupted -----------------------------------------------------------------------------------------------------------
convref verify --exec 'echo $$ > started; sleep 1000; : {dir}' "$tiny" > out 2> err < /dev/null &
convref_id=$!
tries=0
while [ ! -s started ] && [ $tries -lt 600 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -TERM $convref_id
status=0
wait $convref_id || status=$?
command="kill -TERM" same interrupted_by_the_signal "the status" 143 "$status"
empty nothing_is_left_of_interrupted_ones
wrong=
if kill -0 "$(cat started)" 2> err; then wrong="the command still runs"; fi
judge interrupted_command_ends

# ---- the example in NumPy, and mistakes in it --------------------------------------------------------------------------------
example=$source_top/examples/exec_numpy.py
python=${PYTHON:-python3}
if ! "$python" -c 'import numpy' 2> err; then
    skip numpy "no Python with NumPy"
    finish
fi
expect numpy_accepted 0 "convref verify --exec '$python $example {dir}'" '^ACCEPT .* integers 4[0-9] real [5-9]' 'not computed'

# mistake NAME FROM TO PATTERN...: the example with FROM replaced by TO is rejected
mistake()
{
    name=numpy_$1
    awk -v from="$2" -v to="$3" '{ at = index($0, from) }
        at { $0 = substr($0, 1, at - 1) to substr($0, at + length(from)) } { print }' "$example" > mine.py
    shift 3
    if cmp -s "$example" mine.py; then
        fail "$name" awk "the example has no such line" ""
        return
    fi
    expect "$name" 1 "convref verify --exec '$python mine.py {dir}'" '^REJECT' "$@"
}
mistake pads_exchanged 'problem["pad"]' '[p[::-1] for p in problem["pad"]]' 'wrong values' 'guess +the padding at the beginning'
mistake strides_exchanged 'problem["stride"]' 'problem["stride"][::-1]'
mistake dilations_exchanged 'problem["dilation"]' 'problem["dilation"][::-1]'
mistake filter_flipped '*tap)]' '*[-1 - t for t in tap])]' 'wrong values' 'guess +'
mistake first_group 'np.split(w, groups, 0)' '[np.split(w, groups, 0)[0]] * groups' 'groups=2'
mistake no_bias 'bias is not None' 'False' 'guess +the bias is missing'
mistake relu_for_relu6 '6 if' 'np.inf if' 'guess +relu6 is computed as relu'
mistake layout_ignored '.endswith("c")' '.endswith("?")' 'layout=nwc'
mistake rounded_outputs 'np.clip(y,' 'np.clip(y.astype("f2").astype(x.dtype),' 'wrong values'
mistake rounded_inputs 'xg[(..., *seen)]' 'xg[(..., *seen)].astype("f2")' 'wrong values, found by check "real"' 'allowed: '
finish
