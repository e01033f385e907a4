#!/bin/sh
# test_cli_bench.sh - convref bench, plot and report: that they run, and what their tables, pictures and page hold.
#
# Shapes are tiny and times are never asserted: a machine under load must pass.
# Not here: whether the times are right (docs/measuring.md).
set -eu

suite=test_cli_bench   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"


quick='--rounds 3 --turn 1 --patience 20'

# ---- bench: one run serves all that follows --------------------------------------------------------------------------------
expect nothing_to_time 0 'convref bench "n=0 c=1 in=4 k=1 filter=2" -k std_01_direct --rounds 1 --turn 1 --patience 1' \
    '^  std_01_direct NOT TIMED: n=0 has no multiply-adds$'
expect bench_tsv 0 "env -u CONVREF_QUICK_ROOF convref bench 'c=8 in=9x9 k=8 filter=3x3 groups=8' \
    'c=4 in=6x6 k=4 filter=3x3 groups=4 pad=1' \
    --kernel 'dw_0[12]*' $quick --format tsv --output dw.tsv; cat dw.tsv" '^# one thread: roof_gmacs [0-9.]+ \([0-9.]+ at the end\)' \
    '!QUICK_ROOF' 'roof_L1 [0-9.]+' '^# .*, [0-9]+ cores, .*Linux|^# .*, [0-9]+ cores, ' '^layer	kernel	isa	threads	cache	verified	ms	'
# ---- whole networks ---------------------------------------------------------------------------------------------------------
expect chain_tsv 0 "convref bench --network lenet5 --chain --batch 2 --kernel 'std_01*,std_08*,std_nhwc_01*' $quick --format tsv --output chain.tsv; s=\$?; cat chain.tsv; [ \$s = 0 ] || [ \$s = 3 ]" \
    '^# lenet5: 18 convolutions back to back, batch 2, in one arena, weights packed before' '^layout	kernels	layers	n	threads	ms	' \
    '^nchw	first	18	2	1	' '^nchw	best	18	2	1	' '^nhwc	first	18	2	1	' 'std_01_direct 18$' 'std_nhwc_01_direct 18$'
command="convref bench --network lenet5 --chain"
# two halves, each of the largest: y of the first layer, 2 x 6 x 28 x 28 numbers
same chain_arena 'the bytes of the arena' 75264 "$(awk -F '\t' '$2 == "best" { print $18 }' chain.tsv | sort -u)"
[ -n "${SANITIZED:-}" ] || same chain_allocations 'allocations' 0 "$(awk -F '\t' '$2 == "best" { print $17 }' chain.tsv | sort -u)"
same chain_times 'rows with a positive time' 4 "$(awk -F '\t' '$6 + 0 > 0 && $15 + 0 > 0 { n++ } END { print n }' chain.tsv)"
expect chain_text 0 "convref bench --network lenet5 --chain --kernel 'std_0[18]*' $quick || [ \$? = 3 ]" 'over floor' '^  nchw, best: std_0' \
    'no chain in the other layout: none of these kernels computes c=1 in=32x32 k=6 filter=5x5 .*layout=nhwc'
expect chain_nothing 77 "convref bench --network lenet5 --chain -k dw_01_direct $quick 2>&1" 'none of these kernels computes c=1 in=32x32'
expect chain_usage 2 'convref bench --chain "c=1 in=4 k=1 filter=2" 2>&1' 'chain: it takes a whole network'
expect chain_layer 2 'convref bench --network lenet5 --layer C1 --chain 2>&1' 'chain: it takes a whole network'
expect chain_cold 2 'convref bench --network lenet5 --cold --chain 2>&1' 'cold can.t be combined'
expect chain_batch 2 'convref bench --network lenet5 --batch 2 2>&1' 'batch: it is for --chain'

# every COLUMN VALUE: all rows have it
every()
{
    values=$(awk -F '\t' -v column="$1" '/^#/ { next } !n { for (i = 1; i <= NF; i++) if ($i == column) n = i; next } { print $n }' dw.tsv | sort -u)
    same "every_$1" "column $1" "$2" "$values"
}
command='convref bench ... --format tsv'
every verified yes
[ -n "${SANITIZED:-}" ] || every allocations 0   # a sanitizer has an allocator of its own
every cache warm
every first dw_01_direct
every threads 1
same rows 'the number of rows' 4 "$(grep -vc '^#\|^layer' dw.tsv)"
same speedup_of_the_first 'the speed-up of the first over itself' 1 "$(awk -F '\t' '$2 == "dw_01_direct" { print $14 }' dw.tsv | sort -u)"
for column in ms p10_ms p90_ms gmacs of_roof roof_gmacs speedup calls macs macs_inside bytes; do
    numbers=$(awk -F '\t' -v column=$column '/^#/ { next } !n { for (i = 1; i <= NF; i++) if ($i == column) n = i; next }
        $n + 0 > 0 { count++ } END { print count + 0 }' dw.tsv)
    same "positive_$column" "the number of rows with a positive $column" 4 "$numbers"
done
expect bench_text 0 "convref bench 'c=8 in=9x9 k=8 filter=3x3 groups=8' --kernel dw_01_direct $quick" \
    '^THE ROOF IS NOT TO BE QUOTED.*CONVREF_QUICK_ROOF' 'GMAC/s' 'of roof' 'speed-up' \
    'allocations' 'c=8 in=9x9 k=8 filter=3x3 groups=8, warm caches' '1\.00x +' 'speed-up is over dw_01_direct'
expect bench_json 0 "convref bench --network lenet5 --layer C1 --kernel ref_forward --cold $quick --format json" \
    '"verified": "yes"' '"cache": "cold"' '"allocations": ' '"problem": "c=1 in=32x32 k=6 filter=5x5 bias=1"'
parses bench_json_parses json out
if [ -f "$modules/last_column_zero.so" ]; then
    expect bench_wrong_kernel 1 "convref bench 'c=8 in=9x9 k=8 filter=3x3 groups=8' --provider '$modules/last_column_zero.so' \
        --kernel mine $quick" '^  mine NOT TIMED: its outputs are wrong on this problem: element [0-9]+ of y is 0, expected '
else
    skip bench_wrong_kernel "no shared objects in MODULES"
fi

# ---- plot -----------------------------------------------------------------------------------------------------------------------
CONVREF_PLOTS=$source_top/verify/measure/plot
export CONVREF_PLOTS
convref count alexnet lenet5 resnet18 --format tsv > networks.tsv
printf 'block\tmac_ratio\tfirst_ratio\tleft_behind_ratio\tunfolded_ratio\ttwo_layers_ratio\na\t8\t2\t3\t1\t4\nb\t9\t3\t4\t2\t5\n' > ratio.tsv
expect plot_save 0 'convref plot speedup dw.tsv --save mine && cat mine/speedup.tsv' '^dw_01_direct	.*	1$' '^dw_02_bounds_hoisted	'
expect plot_saves_the_script 0 "cmp mine/speedup.gp '$CONVREF_PLOTS/speedup.gp'"
if has gnuplot; then
    # plot NAME TABLE TEXT: a picture that is well-formed, has the text in it and loads nothing
    plot()
    {
        echo earlier > "$1.svg"
        expect "plot_$1" 0 "convref plot $1 $2 --title 'A title of ours' --output $1.svg; cat $1.svg" '<svg' "$3" 'A title of ours' '!href="http'
        parses "plot_$1_parses" xml "$1.svg"
    }
    plot speedup dw.tsv dw_02
    plot roofline dw.tsv peak
    plot networks networks.tsv resnet18
    plot ratio ratio.tsv '>b<|>b |b</'
    same plot_leaves_nothing 'what is left beside the pictures' '' "$(find . -name '*.drawing')"
else
    for name in speedup roofline networks ratio; do
        skip "plot_$name" "no gnuplot"
    done
fi

# ---- report ---------------------------------------------------------------------------------------------------------------------
expect report 0 'convref report --network mobilenet_v1 --no-bench --no-verify --output page.html --keep kept && cat page.html' \
    '^<!DOCTYPE html>|^<!doctype html>' '</html>' '4,231,976' 'MobileNet|mobilenet_v1' 'convref report --network mobilenet_v1'
cp out page.html
loads=$(grep -oE '(src|href)="?(https?:)?//[^"> ]*|url\((https?:)?//[^)]*|@import|<script[^>]* src' page.html | grep -v 'href="https\?://' | head -n 3 || true)
same report_loads_nothing 'what the page would load' '' "$loads"
same report_has_no_stylesheet_link 'links to style sheets' '' "$(grep -oE '<link[^>]*>' page.html || true)"
same report_keeps_tables 'tables and pictures kept' yes "$(find kept -type f | grep -q . && echo yes)"
if has python3; then
    expect report_tags_match 0 "python3 -c '
import html.parser
class Page(html.parser.HTMLParser):
    VOID = set(\"area base br col embed hr img input link meta source track wbr\".split())
    def __init__(self):
        super().__init__()
        self.open = []
    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:], self.getpos())
        self.open.pop()
page = Page()
page.feed(open(\"page.html\", encoding=\"utf-8\").read())
assert not page.open, page.open
print(\"every tag is closed\")'" 'every tag is closed'
else
    skip report_tags_match "no python3"
fi
# a report with times, and how it looks: test_pages.sh
finish
