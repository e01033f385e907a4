#!/bin/sh
# test_cli.sh - convref list, show, explain and doctor, and what all verbs share: help, version, colours.
#
# What is asserted are names, formulas and numbers, never the width of a column.
# Not here: wrong input (test_bad_input.sh), counts, verdicts and timings (the other test_cli_*.sh).
set -eu

suite=test_cli   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"


verbs='list show explain count run verify bench experiment plot report doctor'

# ---- help and version ----------------------------------------------------------------------------------------
for verb in $verbs; do
    expect "help_$verb" 0 "convref $verb --help" "^Usage: convref $verb" '--version'
    expect "version_$verb" 0 "convref $verb --version" '^convref [0-9]+\.[0-9]+'
    expect "in_help_$verb" 0 'convref --help' "^  $verb  +[^ ]"
done
expect help 0 'convref --help' '^Usage: convref VERB' 'Exit status: 0 accepted' 'CONVREF_NETWORKS' 'NO_COLOR'
expect help_as_a_verb 0 'convref help' '^Usage: convref VERB'
expect version 0 'convref --version' '^convref [0-9]+\.[0-9]+\.[0-9]+$'

# ---- list -------------------------------------------------------------------------------------------------------
expect list 0 'convref list' '^ref_forward ' '^std_01_direct ' '^dw_06_openmp ' '^sep_01_two_passes '
expect list_pattern 0 'convref list "dw_0*"' '^dw_01_direct ' '!^std_' '!^dw_nhwc'
expect list_tsv 0 'convref list "ref_forward" --format tsv --output list.tsv'
same list_tsv_kinds 'its kinds' 'standard pointwise grouped depthwise' "$(cell list.tsv ref_forward kinds)"
expect list_markdown 0 'convref list ref_forward --format markdown' '^\| kernel \|' '^\| --- \|' '^\| ref_forward \|'
expect list_json 0 'convref list --format json' '"kernel": "ref_forward"' '"passes": "backward_data"'
parses list_json_parses json out
expect list_for 0 'convref list "dw_01*" --for "c=8 in=9 k=8 filter=3 groups=8" --format tsv' 'yes$'
expect list_for_refused 0 'convref list "dw_01*" --for "c=8 in=9 k=8 filter=3" --format tsv' '!yes$'
expect list_isa 0 'convref list std_01_direct --isa baseline --format tsv' 'baseline'
expect list_environment 0 'CONVREF_ISA=baseline convref list std_01_direct --format tsv' 'baseline'
if [ -f "$modules/good.so" ]; then
    expect list_provider 0 "convref list mine --provider '$modules/good.so'" '^mine  +a kernel of the tests'
else
    skip list_provider "no shared objects in MODULES"
fi
convref list --format tsv > before.tsv
echo old > list.tsv
expect list_replaces_its_output 0 'convref list --format tsv --output list.tsv; cmp list.tsv before.tsv'
same list_leaves_no_temporary 'the number of files' 1 "$(find . -name 'list.tsv*' | wc -l | tr -d ' ')"

# ---- show: every kernel --------------------------------------------------------------------------------------------
for kernel in $(convref list --format tsv | tail -n +2 | cut -f 1); do
    expect "show_$kernel" 0 "convref show $kernel" "^$kernel - ." '^  computes +[a-z]' '^  source +[a-z_/0-9]+\.c$'
    file=$(sed -n 's/^  source *//p' out)
    same "source_of_$kernel" 'its source' yes "$([ -f "$source_top/$file" ] && echo yes)"
done
expect show_ladder 0 'convref show dw_02_bounds_hoisted' 'grew out of +dw_01_direct$' 'next step +dw_03_whole_rows$'

# ---- explain -------------------------------------------------------------------------------------------------------
# by_hand NAME PROBLEM AT INDEX [OUTPUT]: the sum that explain makes by hand is the number that run computes there.
by_hand()
{
    run "convref explain '$2' --at $3"
    by_hand=$(sed -n 's/^    = \(-*[0-9]*\)  *(.* products)$/\1/p' out)
    run "convref run '$2'"
    computed=$(sed -n "s/^${5:-y} [0-9x]*: //p" out | cut -d ' ' -f "$4")
    same "by_hand_$1" 'the sum by hand' "${computed:-no number}" "$by_hand"
}
by_hand first 'c=2 in=6x6 k=3 filter=3x3 pad=1' 0,0,0,0 1
by_hand second 'c=2 in=6x6 k=3 filter=3x3 pad=1' 0,0,0,1 2
by_hand eighth 'c=2 in=6x6 k=3 filter=3x3 pad=1' 0,0,1,1 8
by_hand bias 'c=3 in=7x5 k=2 filter=3x3 bias=1' 0,0,1,1 5
by_hand one_axis 'n=2 c=3 in=5 k=2 filter=3 stride=2 pad=0:1 bias=1' 1,0,1 6
by_hand three_axes 'c=2 in=4x3x4 k=2 filter=2x3x2 dilation=2x1x1' 0,0,1,0,2 6
by_hand depthwise 'c=3 in=4x3 k=6 filter=3x3 groups=3 pad=same' 0,0,1,1 5
by_hand channels_last 'c=2 in=5x4 k=1 filter=3x3 layout=nhwc' 0,0,1,1 4
by_hand seed 'c=2 in=4 k=1 filter=3 type=f64' 0,0,1 2
by_hand separable 'op=separable c=2 in=4x4 k=3 filter=3x3 pad=1 bias=1 mid_act=relu' 0,0,1,2 7
by_hand separable_multiplier 'op=separable c=3 in=4 k=2 filter=3 mult=2 layout=nwc' 0,1,1 4
by_hand expanded 'op=separable c=3 in=4x4 k=2 filter=3x3 stride=2 pad=1 bias=1 mid_act=relu expand=5' 0,1,1,0 7
by_hand expanded_last 'op=separable n=2 c=2 in=5 k=3 filter=3 mult=2 expand=3 layout=nwc bias=1' 0,1,1 5
by_hand transposed 'op=transposed c=2 in=3x3 k=2 filter=3x3 stride=2 pad=1 output_pad=1 bias=1' 0,0,1,1 8
by_hand transposed_groups 'op=transposed n=2 c=4 in=3 k=4 filter=2 groups=2 dilation=2' 0,1,2 8
by_hand data 'c=2 in=3x3 k=4 filter=3x3 pad=1 groups=2 pass=backward_data' 0,0,2,1 8 dx
by_hand data_stride 'c=1 in=7 k=3 filter=3 stride=2 dilation=2 pad=1 pass=backward_data' 0,0,5 6 dx
by_hand data_transposed 'op=transposed c=3 in=4 k=2 filter=3 stride=2 pass=backward_data' 0,1,2 7 dx
by_hand weights 'n=2 c=2 in=5x5 k=2 filter=2x2 stride=2 pass=backward_weights' 0,1,1,0 7 dw
by_hand weights_groups 'c=4 in=5 k=4 filter=2 groups=2 layout=nwc pass=backward_weights' 1,1,0 7 dw
by_hand weights_transposed 'op=transposed c=2 in=4x3 k=3 filter=2x2 pad=1 pass=backward_weights' 0,1,1,1 8 dw
expect explain_formula_forward 0 'convref explain "c=3 in=5 k=2 filter=3 bias=1 act=relu"' '^y\[n\]\[k\]\[q\] = relu\(bias\[k\] \+ SUM over c,s of x\[n\]\[c\]\[w\] \* w\[k\]\[c\]\[s\]\)$'
expect explain_formula_inverted 0 'convref explain "op=separable c=2 in=5 k=2 filter=3 pad=1 bias=1 mid_act=relu expand=4 residual=1"' \
    '^e\[c\]\[w\] = relu\(ew_bias\[c\] \+ SUM over i of x\[n\]\[i\]\[w\] \* ew\[c\]\[i\]\)$' \
    '^m\[c\]\[q\] = relu\(bias\[c\] \+ SUM over s of e\[c / mult\]\[w\] \* w\[c\]\[s\]\)$' \
    '^y\[n\]\[k\]\[q\] = pw_bias\[k\] \+ SUM over c of m\[c\]\[q\] \* pw\[k\]\[c\] \+ x\[n\]\[k\]\[q\]$'
run 'convref run "op=separable c=2 in=4 k=2 filter=3 pad=1 act=relu mid_act=relu expand=3 residual=1 bias=1"'
sixth=$(sed -n 's/^y [0-9x]*: //p' out | cut -d ' ' -f 6)
expect explain_residual 0 'convref explain "op=separable c=2 in=4 k=2 filter=3 pad=1 act=relu mid_act=relu expand=3 residual=1 bias=1" --at 0,1,1' \
    '^inverted_residual, forward' "^    \+ x\[0\]\[1\]\[1\] = -?[0-9]+ -> ${sixth:-no number}$"
expect explain_formula_data 0 'convref explain "c=4 in=5x5 k=2 filter=3x3 groups=2 pass=backward_data" --at 0,1,2,2' \
    "^dx\[n\]\[c\]\[h\]\[w\] = SUM over k,r,s of dy\[n\]\[k\]\[p\]\[q\] \* w\[k\]\[c'\]\[r\]\[s\]$" 'p \* stride - pad \+ r \* dilation = h' '^  P: ###$'
expect explain_formula_weights 0 'convref explain "c=2 in=4x4x4 k=2 filter=3x3x3 pass=backward_weights bias=1"' \
    '^dw\[k\]\[c\]\[t\]\[r\]\[s\] = SUM over n,z,p,q of ' '^dbias\[k\] = SUM over n,z,p,q of dy'
# --at is of the output of the pass: dx is 5 wide, y only 3
expect explain_at_dx 0 'convref explain "c=1 in=5 k=1 filter=3 pass=backward_data" --at 0,0,4' '^  dx\[0\]\[0\]\[4\]$'
expect explain_at_too_far 2 'convref explain "c=1 in=5 k=1 filter=3 pass=backward_weights" --at 0,0,3 2>&1' "'0,0,3' is not an output" 'below the sizes of dw'
# The picture: the numbers of the window, the weights and the sum, each once or more.
expect explain_svg 0 'convref explain "c=1 in=4x4 k=1 filter=3x3 pad=1" --at 0,0,0,1 --svg window.svg > said && tail -n 1 said && cat window.svg' '^window\.svg$' '^<svg ' \
    'stroke-width="3"' '^</svg>'
sum=$(sed -n 's/^    = \(-*[0-9]*\) .*/\1/p' said)
same explain_svg_numbers 'filled cells, and those with the sum' '12 1' \
    "$(grep -c 'fill="#a9c4e4"' window.svg) $(grep -c ">$sum</text>" window.svg)"
parses explain_svg_parses xml window.svg
expect explain_svg_nothing 2 'convref explain "n=0 c=1 in=4x4 k=1 filter=3x3" --svg nothing.svg 2>&1; test ! -e nothing.svg && exit 2' 'nothing to draw'
expect explain_sizes 0 'convref explain "c=3 in=11x8 k=4 filter=3x3 stride=2 pad=1"' \
    'P = .* = floor\(\(11 \+ 2 - 3\) / 2\) \+ 1 = 6$' 'Q = .* = floor\(\(8 \+ 2 - 3\) / 2\) \+ 1 = 4$' '^standard, forward'
expect explain_transposed 0 'convref explain "op=transposed c=2 in=4 k=3 filter=3 stride=2 output_pad=1"' \
    'Q = .* = \(4 - 1\) \* 2 \+ 3 \+ 1 - 0 = 10$'
expect explain_window 0 'convref explain "c=1 in=5 k=1 filter=3 dilation=2 pad=1" --at 0,0,0' '^  W: 0\.#\.#.-$|^  W: 0\.#\.#\.-$'
expect explain_counts 0 'convref explain "c=2 in=6x6 k=3 filter=3x3 pad=1"' '1,944 multiply-adds, 1,536 of them inside' '54 parameters'
expect explain_padding_only 0 'timeout 10 convref explain "c=1 in=1 k=1 filter=3 pad=549755813000"' '^standard'
expect explain_long_sum 0 'timeout 10 convref explain "c=1099511627776 in=1 k=1 filter=1"' 'more than 2\^24 products'

# ---- doctor ---------------------------------------------------------------------------------------------------------
expect doctor 0 'convref doctor --no-roof' '^convref [0-9]' '^processor +.*[0-9]+ cores?$' 'instruction sets +baseline' \
    '^kernels +[0-9]+' 'gnuplot +(found|missing)' 'networks +.*mobilenet_v1\.net$' '^  emulated +(/.*cuda-emulated\.so|no: .*C\+\+20)' \
    '^  card +(/.*cuda\.so|no: .*nvcc)'
expect doctor_without_networks 0 'CONVREF_NETWORKS=/nonexistent convref doctor --no-roof' 'networks   '

# ---- colours: none into a file, and none on a terminal with NO_COLOR ---------------------------------------------------
escape=$(printf '\033')
problem='c=4 in=4 k=4 filter=3 groups=4'
expect no_colour_in_a_file 0 "env -u NO_COLOR convref verify '$problem' --kernel dw_01_direct" '^ACCEPT' "!$escape"
if has script && script -qec true /dev/null > /dev/null 2>&1; then
    expect colour_on_a_terminal 0 "env -u NO_COLOR script -qec 'convref verify \"$problem\" --kernel dw_01_direct' /dev/null" "$escape\\[32m"
    expect no_color 0 "NO_COLOR=1 script -qec 'convref verify \"$problem\" --kernel dw_01_direct' /dev/null" 'ACCEPT' "!$escape\\[3"
else
    skip colour_on_a_terminal "no script(1)"
    skip no_color "no script(1)"
fi

# ---- completion -----------------------------------------------------------------------------------------------------
# complete WORD...: what bash would offer for the last of them
cat > complete.bash <<'END'
. "$source_top/verify/program/completion.bash"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_convref 2> /dev/null
printf '%s\n' "${COMPREPLY[@]}"
END
if has bash; then
    expect completion_of_verbs 0 'bash complete.bash convref ver' '^verify$' '!^bench$'
    expect completion_of_options 0 'bash complete.bash convref bench --pat' '^--patience=$'
    expect completion_of_kernels 0 'bash complete.bash convref verify -k dw_nhwc_03' '^dw_nhwc_03_channels_in_lanes$'
    expect completion_of_checks 0 'bash complete.bash convref verify --check se' '^seams$'
    expect completion_of_experiments 0 'bash complete.bash convref experiment groups' '^groups-sweep$'
    expect completion_of_networks 0 'bash complete.bash convref count mobilenet_v2' '^mobilenet_v2$'
else
    skip completion "no bash"
fi
finish
