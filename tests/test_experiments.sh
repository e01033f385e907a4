#!/bin/sh
# test_experiments.sh - published claims: that each is there, what is counted, which times can be, and one small case of each.
#
# Times are never asserted.  Floors and fits are tested on experiments made for it, with devices of round numbers.
# Not here: whether the kernels are right (test_kernels), how times are taken (test_bench).
set -eu

suite=test_experiments   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

CONVREF_PLOTS=$source_top/verify/measure/plot
export CONVREF_PLOTS
tab=$(printf '\t')

# ---- each is there, has a page that answers, and its counts are exact ------------------------------------------------
expect list 0 'convref experiment --list --format tsv' "^experiment${tab}title\$"
cp out list.tsv
names=$(sed -n "2,\$s/$tab.*//p" list.tsv)
same twelve 'the number of experiments' 12 "$(echo "$names" | wc -l)"
# shellcheck disable=SC2010
same listed 'the files in experiments.mk' "$(cd "$source_top/experiments" && ls ./*.txt ./*.md | grep -v README | sed 's/^\.\///')" \
    "$(grep -oE 'experiments/[a-z0-9-]+\.(txt|md)' "$source_top/experiments/experiments.mk" | grep -v README | sed 's/^experiments\///' | sort)"
for name in $names; do
    page=$source_top/experiments/$name.md
    same "page_$name" 'the heading of the page' "# $name" "$(head -n 1 "$page")"
    same "page_${name}_question" 'the question of the page' \
        "*$(awk -F "$tab" -v name="$name" '$1 == name { print $2 }' list.tsv)*" "$(sed -n 3p "$page")"
    same "page_${name}_answer" 'the answer below it begins with' '**' "$(sed -n 5p "$page" | cut -c 1-2)"
    grep -q "^| \[$name\]" "$source_top/experiments/README.md" && grep -q "^| \[$name\]" "$source_top/docs/claims.md" && there=yes || there=no
    same "page_${name}_linked" 'a row in README.md and claims.md' yes "$there"
done

expect counts 0 'convref experiment all --counts --format tsv --output counts.tsv; cat counts.tsv' "^experiment${tab}case${tab}scaled${tab}params${tab}macs${tab}macs_inside${tab}"
# number EXPERIMENT CASE COLUMN VALUE [PUBLISHED]: of the case's first row, or of the row of that published time
number()
{
    seen=$(awk -F '\t' -v experiment="$1" -v name="$2" -v column="$3" -v published="${5:-}" '
        /^#/ { next }
        !n { for (i = 1; i <= NF; i++) { if ($i == column) n = i; if ($i == "published") p = i }; next }
        $1 == experiment && $2 == name && (published == "" || $p == published) { print $n; exit }' counts.tsv)
    same "$1_$2_$3${5:+_$5}" "$3 of $2" "$4" "$seen"
}
command='convref experiment all --counts --format tsv'
number leimao-counts standard params 4672
number leimao-counts standard macs 73156608
number leimao-counts separable params 656
number leimao-counts separable macs 9271584
number flux-allocations standard macs 7398752256
number flux-allocations depthwise mac_ratio 1024
number factorized-block block-112 mac_ratio 7.89041096
number stack50 dense-cross-entropy params 28354058
number stack50 separable-cross-entropy params 3311114
number stack50 dense-mean-squared-error params 28337923
number stack50 separable-mean-squared-error params 3294979
number stack50 dense-cross-entropy macs 1857388806144
number mobilenet-groups one-group-batch-1 macs 4827734016
number mobilenet-groups one-group-batch-1 params 29300936
number mobilenet-groups four-groups-batch-1 macs 1619681280
number mobilenet-groups depthwise-batch-32 macs 18166923264
number kernel-size depthwise-7x7 macs_inside 16777216
number small-image forward macs 211250000
number small-image forward macs_inside 101250000
number conv1d-groups one-group macs 589824
number conv1d-groups depthwise macs 2304
number multiplier multiplier-2 params 2304
number groups-sweep groups-256 macs 18063360
number layout mobilenet_v2-nhwc macs 20716416

# ---- what can be -----------------------------------------------------------------------------------------------------
number stack50 dense-cross-entropy plausible 'by Winograd alone, at 33 % of its peak' adam
number stack50 dense-cross-entropy plausible 'no, 1.51 x too fast for its arithmetic' sgd
number stack50 separable-cross-entropy plausible 'yes, 14 % of the peak' adam
number stack50 separable-cross-entropy plausible 'no, 1.91 x too fast for its arithmetic' sgd
number stack50 dense-mean-squared-error plausible 'by Winograd alone, at 94 % of its peak' sgd
number mobilenet-groups vgg16-batch-1 plausible 'no, 1.25 x too fast for its memory' gpu
number mobilenet-groups vgg16-batch-32 plausible 'no, 14.1 x too fast for its arithmetic' gpu
number mobilenet-groups depthwise-batch-32 plausible 'yes, 8.6 % of the peak' gpu
number mobilenet-groups depthwise-batch-32 published_ratio 4.89027149 gpu
number mobilenet-groups depthwise-batch-32 plausible 'device not named' cpu
number flux-allocations depthwise published_ratio 9.92487286 flux-grouped
number flux-allocations depthwise published_ratio 4.76631883 flux-depthwise
same scaled_says_so 'cases of stack50 that say that they are scaled down' 2 \
    "$(awk -F '\t' '$1 == "stack50" && $3 != "" { print $2 }' counts.tsv | sort -u | wc -l)"
expect scaled_first 0 'convref experiment stack50 --counts | head -n 1' '^SCALED DOWN, dense-forward-32: .*32x32 in place of 256x256'

# Devices and times of round numbers: 2 GFLOP/s are 1 GMAC/s.  16 x 16 x 9 x 64 x 64 MACs without padding, 9.437 ms.
mkdir made
printf 'device\tgflops\tgbytes\tcache_mib\tsource\nslow\t2\t1000\t0\tmade up\nnarrow\t2e6\t0.001\t0\tmade up\ncached\t2e6\t0.001\t64\tmade up\n' > made/devices.tsv
cat > made/floors.txt <<'END'
experiment floors
title  "What can be?"
source "made up"
case dense
layer c=16 in=66x66 k=16 filter=3x3
published ten     ms=10   device=slow
published nine    ms=9    device=slow
published three   ms=3    device=slow
published one     ms=1    device=slow
published step    ms=10   device=slow work=3
published narrow  ms=100  device=narrow
published cached  ms=100  device=cached
case strided over=dense
layer c=16 in=130x130 k=16 filter=3x3 stride=2
published nine    ms=9    device=slow
END
CONVREF_EXPERIMENTS=$work/made
export CONVREF_EXPERIMENTS
run 'convref experiment floors --counts --format tsv --output counts.tsv'
number floors dense floor_ms 9.437184 ten
number floors dense winograd_ms 2.359296 ten
number floors dense memory_ms 550.144 narrow
number floors dense memory_ms 0 cached
number floors dense plausible 'yes, 94 % of the peak' ten
number floors dense plausible 'by Winograd alone, at 26 % of its peak' nine
number floors dense plausible 'by Winograd alone, at 79 % of its peak' three
number floors dense plausible 'no, 2.36 x too fast for its arithmetic' one
number floors dense plausible 'by Winograd alone, at 71 % of its peak' step
number floors dense plausible 'no, 5.5 x too fast for its memory' narrow
number floors strided plausible 'no, 1.05 x too fast for its arithmetic' nine
number floors strided published_ratio 1 nine

# Three times that are exactly MACs at 10 GMAC/s and 5 us a group: 2 layers of 33,177,600 / G MACs each.
cat > made/line.txt <<'END'
experiment line
title  "What does a group cost?"
source "made up"
fit groups
case groups-1
layer times=2 c=64 in=32x32 k=64 filter=3x3
published exact ms=6.64552
case groups-4
layer times=2 c=64 in=32x32 k=64 filter=3x3 groups=4
published exact ms=1.69888
case groups-64
layer times=2 c=64 in=32x32 k=64 filter=3x3 groups=64
published exact ms=0.74368
END
expect fit 0 'convref experiment line --counts' 'fit of published exact: MACs inside at 10 GMAC/s, and 5 us for each group of a layer \(3 points, off by 0 % at most\)'

expect plot_groups 0 'convref experiment line --counts --results made && convref plot groups made/line.tsv --save made && cat made/groups.tsv' \
    '^"published: exact"$' "^1${tab}1${tab}1\$" "^2${tab}[?]${tab}0.502257\$" "^4${tab}0.255643${tab}0.255643\$" "^64${tab}0.111907${tab}0.111907\$"

printf 'experiment wrong\ntitle "?"\nsource "made up"\ncase one\nlayer c=8 in=128x128 k=64 filter=3x3 bias=1\nexpect params 4671\n' > made/wrong.txt
expect wrong_count 1 'convref experiment wrong --counts 2>&1' 'wrong, line 6: expects params 4,671 of one, counted 4,672'
printf 'experiment noway\ntitle "?"\nsource "made up"\ncase one\nlayer c=8 in=8x8 k=8 filter=3x3\nway best dw_01_direct\n' > made/noway.txt
expect no_kernel 4 'convref experiment noway 2>&1' 'no kernel of best computes c=8 in=8x8 k=8 filter=3x3'
printf 'experiment guest\ntitle "?"\nsource "made up"\ncase one\nlayer c=8 in=9x9 k=8 filter=3x3 groups=8\nway ours dw_01_direct\nway theirs mine provider=them\n' > made/guest.txt
expect provider_missing 0 'convref experiment guest' '^  one, theirs: its provider isn.t here$' 'dw_01_direct'
printf 'experiment alloc\ntitle "?"\nsource "made up"\ncase one\nlayer c=64 in=28x28 k=64 filter=3x3 pad=1 groups=64\nway many sys_loop_allocating provider=systems\nway none sys_loop provider=systems\n' > made/alloc.txt
if [ -n "${SANITIZED:-}" ]; then
    skip allocations "a sanitizer has an allocator of its own"
else
    # 22 for each of 64 groups, in every call that is timed
    expect allocations 0 'convref experiment alloc --results made && awk -F "\t" "/^alloc/ { print \$7, \$19 }" made/alloc.tsv' '^many 1408$' '^none 0$'
fi
# One layer twice, and behind it one that reads a smaller image, as after a pooling: back to back.
cat > made/chain.txt <<'END'
experiment chain
title  "?"
source "made up"
case one
layer times=2 c=8 in=9x9 k=8 filter=3x3 pad=1
layer c=8 in=4x4 k=4 filter=1x1
way apart std_08_unfold_by_block
way behind pw_03_register_tile std_08_unfold_by_block chain=1
way last pw_nhwc_03_register_tile std_nhwc_01_direct chain=1 layout=nhwc
way many pw_04_openmp std_09_openmp chain=1 threads=1000
END
expect chain 0 'convref experiment chain --results made || [ $? = 3 ]' '^one .* behind ' '^one .* last ' '^  behind: the layers back to back, the first that applies of pw_03_register_tile, std_08' \
    '^  behind: an arena of at most 5 KiB' '^  one, many: this machine has fewer cores$'
[ -n "${SANITIZED:-}" ] || same chain_allocations 'allocations' 0 "$(awk -F '\t' '$7 == "behind" || $7 == "last" { print $19 }' made/chain.tsv | sort -u)"
sed 's/threads=1000/layout=chwn/' made/chain.txt > made/badlayout.txt
expect chain_layout 4 'convref experiment badlayout 2>&1' 'badlayout.txt:10:[0-9]*: an unknown layout'
sed 's/chain=1 threads=1000/threads=2/' made/chain.txt > made/badthreads.txt
expect chain_threads 4 'convref experiment badthreads 2>&1' 'badthreads.txt:10:1: threads of a way that is no chain'

# Peers: a module that isn't Python's, whose times are 2 ms for each layer where ours take 1, and 3 of a second peer that doesn't compute the
# last one.  In the first call it drops the second problem of each.
cat > made/peers.txt <<'END'
experiment peers
title  "?"
source "made up"
case one
layer times=3 c=8 in=9x9 k=8 filter=3x3 pad=1
way best std_08_unfold_by_block
case two over=one
layer c=8 in=9x9 k=8 filter=3x3 pad=1 layout=nhwc
layer c=8 in=9x9 k=4 filter=1x1
way best std_nhwc_01_direct pw_03_register_tile
case gradient
layer c=8 in=9x9 k=8 filter=3x3 pass=backward_data
way best bwd_data_01_gather
case counted
layer c=8 in=9x9 k=9 filter=3x3
END
cat > fake <<'END'
#!/bin/sh
echo "$@" >> asked
while [ $# -gt 0 ]; do
    case $1 in
    --output) file=$2; shift 2 ;;
    --threads|--rounds|--turn|--peers) shift 2 ;;
    -*|convref.peers) shift ;;
    *) break ;;
    esac
done
printf '# made up\npeer\tversion\taccuracy\tnet_ms\tpeer_net_ms\tproblem\n' > "$file"
i=0
for problem; do
    i=$((i + 1))
    case $problem in
    *k=4*) [ -f again ] && printf 'quick\t1.5\tdirect\t1\t2\t%s\n' "$problem" >> "$file" || printf '# %s: quick alone: dropped: noise\n' $i >> "$file"
        printf '# %s: slow alone: not timed: it is tired\n' $i >> "$file" ;;
    *) printf 'quick\t1.5\tdirect\t1\t2\t%s\nquick\t1.5\twinograd4\t1\t0.1\t%s\nslow\t2\tdirect\t1\t3\t%s\n' "$problem" "$problem" "$problem" >> "$file" ;;
    esac
done
touch again
END
chmod +x fake
expect peers 0 'CONVREF_PYTHON=./fake convref experiment peers --peers=quick,slow --results made || [ $? = 3 ]' 'peer / ours' \
    '^one .* peer: quick 1.5 +6.000 .* 2.00' '^one .* peer: slow 2 +9.000 .* 3.00' '^two .* peer: quick 1.5 .* 4.000 .* 1.50 +2.00' \
    '^  two, slow: no sum, 1 of 2 layers have a time that counts' '!gradient.*peer:' '!counted.*peer:'
command='convref experiment peers --peers'
same peers_asked 'what was asked for' '-m convref.peers --bench --output FILE --threads 1 --rounds 5 --turn 5 --peers quick,slow c=8 in=9x9 k=8 filter=3x3 pad=1 c=8 in=9x9 k=4 filter=1x1
-m convref.peers --bench --output FILE --threads 1 --rounds 5 --turn 5 --peers quick,slow c=8 in=9x9 k=4 filter=1x1' "$(sed 's/--output [^ ]*/--output FILE/' asked)"
same peers_tsv 'peers in the TSV' 'one quick 1.5 3 2
one slow 2 3 3
two quick 1.5 2 2' "$(awk -F '\t' '!/^#/ && $31 != "" && $31 != "peer" { print $2, $31, $32, $33, $34 }' made/peers.tsv)"
expect peers_missing 77 'CONVREF_PYTHON=./nothing convref experiment peers --peers 2>&1' 'nothing -m convref.peers --bench. ended with status 127' 'convref.peers --list. says how to install them'
printf '#!/bin/sh\nexit 77\n' > fake
expect peers_skipped 77 'CONVREF_PYTHON=./fake convref experiment peers --peers=caffe 2>&1' 'ended with status 77; its own words stand above'
printf '#!/bin/sh\nshift 4; printf "a\\tb\\n" > "$1"\n' > fake
expect peers_no_table 4 'CONVREF_PYTHON=./fake convref experiment peers --peers 2>&1' 'the peers. table has no column net_ms'
expect peers_counts 2 'convref experiment peers --peers --counts 2>&1' 'peers: --counts can.t be combined with it'

if [ -f "$modules/last_column_zero.so" ]; then
    expect provider_wrong 1 "convref experiment guest --provider '$modules/last_column_zero.so'" \
        'one, theirs: mine: NOT TIMED: its outputs are wrong on this problem'
else
    skip provider_wrong "no shared objects in MODULES"
fi
CONVREF_EXPERIMENTS=$source_top/experiments

expect counts_need_no_clock 0 'convref experiment leimao-counts --counts --format json' '"params": 4672' '"ms": null'

# ---- the training stack of stack50: the program; test_training has its numbers -----------------------------------------
cat > tiny.net <<'END'
network tiny
input c=3 in=16x16
conv k=8 filter=3x3 pad=1 bias=1
act fn=relu
conv k=4 filter=3x3 pad=1 bias=1
END
train=$start/train
expect train_tiny 0 "'$train' tiny.net --steps 50 --rate 0.03" '^tiny: 2 convolutions, 516 parameters, 4 outputs; cross-entropy 1[.][0-9]+ before step 1, (0[.]0[0-9]*|[0-9.]+e-[0-9]+) before step 50' \
    '^convolution forward ' '^gradient of data ' '^gradient of weights ' '^activation backward ' '^loss ' '^optimizer ' '^step ' '!SCALED'
expect train_scaled 0 "'$train' stack50_separable tiny.net --image 3x3 --steps 1 --outputs 3 --loss mse --optimizer sgd --format tsv" \
    '^# SCALED DOWN, stack50_separable: the image is 3x3 in place of 256x256: ' '^# stack50_separable: 98 convolutions, 3,294,979 parameters, 3 outputs; mse ' \
    "^part${tab}stack50_separable_ms${tab}stack50_separable_share${tab}stack50_separable_gmacs${tab}stack50_separable_share_at_own_size${tab}tiny_ms"
same train_scaled_first 'the first line' '# SCALED DOWN, stack50_separable' "$(head -n 1 out | cut -d: -f1)"
# refused OPTIONS STATUS MESSAGE
refused() { expect "train_refused$(echo " $1" | tr -c 'a-z0-9\n' _)" "$2" "'$train' $1 2>&1" "^train: $3"; }
refused '' 2 'train what'
refused 'tiny.net --loss hinge' 2 "'hinge' is not a loss"
refused 'tiny.net --optimizer lion' 2 "'lion' is not an optimizer"
refused 'tiny.net --kernels fastest' 2 "'fastest' is not a way to choose kernels"
refused 'tiny.net --image 32x' 2 "'32x' is not a value of --image"
refused 'tiny.net --image 0x3' 2 "'0x3' is not a value of --image"
refused 'tiny.net --image 32' 2 'the input of tiny has 2 spatial sizes, not 1'
refused 'tiny.net --rate -1' 2 "'-1' is not a value of --rate"
refused 'tiny.net --steps 0' 2 "'0' is not a value of --steps"
refused 'tiny.net --outputs 1' 2 'cross-entropy has nothing to choose from: tiny has 1 output'
refused 'tiny.net --output nowhere/at/all' 4 'nowhere/at/all'
refused 'nothing.net' 4 "there is no network 'nothing.net'"
refused 'stack50_separable --image 8192x8192' 3 'stack50_separable needs [0-9.]+ GB for its weights and outputs, and the machine has '
refused 'resnet18' 77 'resnet18, line [0-9]+: .*can.t be trained here: it is no convolution'
expect train_option 2 "'$train' tiny.net --momentum 0.9 2>&1" "unrecognized option '--momentum"
expect train_help 0 "'$train' --help" '^Usage: train ' '--image=SIZES' '--kernels=WAY'

if [ -n "${SANITIZED:-}" ]; then
    skip small "cases that are timed are left to the builds without a sanitizer"
    finish
fi

# ---- one small case of each, timed -------------------------------------------------------------------------------------
# small NAME CASE: the case, with those that it is compared with
small()
{
    # 3 is for a kernel above the roof, which a busy machine may have measured too low
    expect "small_$1" 0 "convref experiment $1 --case $2 --results results || [ \$? = 3 ]" "$2" 'GMAC/s' 'time ratio' '!NOT TIMED'
    # every way that was to be timed has a positive time
    command="convref experiment $1 --case $2 --results results"
    same "small_$1_times" 'ways without a time' 0 "$(awk -F '\t' '/^#/ { next } !ms { for (i = 1; i <= NF; i++) { if ($i == "ms") ms = i; if ($i == "way") way = i; if ($i == "note") note = i }; next }
        $way != "" && $note == "" && !($ms > 0) { count++ } END { print count + 0 }' "results/$1.tsv")"
}
expect providers_verified 0 "for k in sys_loop_allocating sys_loop sys_batched_product sys_unfold_fold; do
    convref verify --provider '$start/experiments/systems.so' --kernel \$k --check covering || exit; done" '^ACCEPT  *sys_loop_allocating ' '^ACCEPT  *sys_loop ' '^ACCEPT  *sys_batched_product ' '^ACCEPT  *sys_unfold_fold '
small algorithms depthwise-small
small conv1d-groups depthwise-data
small factorized-block block-28
small flux-allocations depthwise
small groups-sweep groups-256
small kernel-size depthwise-3x3-nhwc
small layout mobilenet_v2-nhwc
small leimao-counts separable
small mobilenet-groups depthwise-batch-1
small multiplier multiplier-2
small small-image forward
small stack50 separable-forward-32
expect results_markdown 0 'cat results/factorized-block.md' '^\| case \| params \| MACs ' '^\| block-28 \| 4,736 \| 3,662,848 ' '^\* factorized-block: A factorized block'
same results_ratio 'the time ratio of a base over itself' 1 "$(awk -F '\t' '/^#/ { next } !n { for (i = 1; i <= NF; i++) if ($i == "time_ratio") n = i; next } $2 == "dense-28" { print $n }' results/factorized-block.tsv)"
expect results_machine 0 'cat results/factorized-block.tsv' '^# one thread: roof_gmacs [0-9.]+ ' '^# factorized-block: ' '^# reported by: '
if has gnuplot; then
    parses results_picture xml results/factorized-block.svg
    expect plot_experiment 0 'convref plot experiment results/factorized-block.tsv --output mine.svg; cat mine.svg' '<svg' 'fewer MACs'
else
    skip results_picture "no gnuplot"
    skip plot_experiment "no gnuplot"
fi
finish
