#!/bin/sh
# test_cli_count.sh - convref count: published parameters, every network, every convention, every format.
#
# Figures of other tools come from tests/data/other_tools.tsv, where they were noted from runs of those tools.
# Not here: the formulas themselves (test_count.c).
set -eu

suite=test_cli_count   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"


# ---- problems: the figures of two questions that people ask, and of every kind ------------------------------------------
# count NAME PROBLEM PARAMS MACS
count()
{
    expect "count_$1" 0 "convref count '$2' --format tsv"
    cp out table.tsv
    same "params_$1" "params of $2" "$3" "$(cell table.tsv params value)"
    same "macs_$1" "macs of $2" "$4" "$(cell table.tsv macs value)"
}
count standard 'c=8 in=128x128 k=64 filter=3x3 bias=1' 4672 73156608
count separable 'op=separable c=8 in=128x128 k=64 filter=3x3 bias=1' 656 9271584
count one_axis 'c=4 in=10 k=6 filter=3' 72 576
count depthwise 'c=32 in=112x112 k=32 filter=3x3 groups=32 pad=1' 288 3612672
count pointwise 'c=32 in=112x112 k=64 filter=1x1' 2048 25690112
count grouped 'n=2 c=8 in=6x6 k=12 filter=3x3 groups=4' 216 6912
count transposed 'op=transposed c=4 in=5x5 k=3 filter=2x2 stride=2 bias=1' 51 1200
count three_axes 'c=2 in=4x5x6 k=3 filter=3x3x3' 162 3888
count benchdnn 'g32mb1ic32ih112oc32oh112kh3ph1' 288 3612672
expect padding 0 'convref count "c=1 in=4 k=1 filter=3 pad=1" --format tsv'
same macs_inside 'products inside the image' 10 "$(cell out macs_inside value)"
expect formats_text 0 'convref count "c=8 in=128x128 k=64 filter=3x3 bias=1"' '^standard: c=8' '4,672' '73,156,608'
expect formats_markdown 0 'convref count "c=8 in=128x128 k=64 filter=3x3 bias=1" --format markdown' '^\| params \| 4,672 \|'
expect formats_json 0 'convref count "c=8 in=128x128 k=64 filter=3x3 bias=1" --format json' '^ "params": 4672,$' '^ "biases": 64,$'
parses formats_json_parses json out
expect formats_latex 0 'convref count "c=8 in=128x128 k=64 filter=3x3 bias=1 pad=1" --format latex' '^\\begin\{tabular\}\{lrl\}$' \
    '^\\toprule$' '^params & 4,672 & weights and biases \\\\$' '^macs\\_inside & ' 'which are 1\.[0-9]* \\%' '^\\bottomrule$'
expect formats_csv 0 'convref count "c=8 in=128x128 k=64 filter=3x3 bias=1 pad=1" --format csv' '^quantity,value,what$' \
    '^params,4672,weights and biases$' '^macs_inside,74713088,"without products with padding, which are 1\.'
expect network_latex 0 'convref count lenet5 --format latex' '^C1 & standard & 1 x 32x32 & 6 x 28x28 & 5x5 & 156 & 117,600 & ' \
    '^params & 60,000 '
expect network_csv 0 'convref count lenet5 --format csv' '^layer,kind,problem,in,out,filter,params,weights,biases,macs,' \
    '^C1,standard,c=1 in=32x32 k=6 filter=5x5 bias=1,1 x 32x32,6 x 28x28,5x5,156,150,6,117600,117600,235200,4704,23536,'
expect cite_problem 0 'convref count "c=8 in=128x128 k=64 filter=3x3 bias=1" --cite' \
    '^formula     macs = N \* K \* C/G \* PRODUCT of filter \* out$' '= 1 \* 64 \* 8 \* \(3\*126\) \* \(3\*126\) = 73,156,608$' \
    'params = K \* C/G \* PRODUCT of filter \+ K = 4,672$' '^convention  multiply-adds .*padding are counted, .*biases are not$' \
    '^quote .* 4,672 parameters and needs 73.2 million multiply-adds \(73,156,608\), counted with convref [0-9.]*; padding counted' \
    '^@software\{convref,$'
expect cite_network 0 'convref count mobilenet_v2 --cite --convention thop' '^ *macs_conv *299,494,272$' '^published   3.4 M' \
    '^source ' '^convention  thop 0.1.1: MACs' '327 million MACs as thop 0.1.1 prints them \(327,486,720\)'
expect cite_one 2 'convref count lenet5 vgg16 --cite 2>&1' '--cite quotes one count'
mkdir 'a==1'
cp "$source_top/networks/lenet5.net" 'a==1/five.net'
expect folder_with_equals 0 'convref count a==1/five.net' 'published totals: all exactly as expected'
expect folder_with_equals_lacks_it 4 'convref count a==1/none.onnx 2>&1' "there is no network 'a==1/none.onnx'"
expect to_a_file 0 'convref count "c=1 in=1 k=1 filter=1" --format tsv --output table.tsv; cat table.tsv' '^params	1'

# ---- networks: every one of networks/, and two totals that a forum asked about -----------------------------------------
for file in "$source_top"/networks/*.net; do
    network=$(basename "$file" .net)
    expect "network_$network" 0 "convref count $network" 'published totals: all exactly as expected'
    expect "network_${network}_json" 0 "convref count $network --format json" '"expectations_hold": true'
    expect "network_${network}_by_path" 0 "convref count '$file' --format tsv" '^layer	kind'
done
convref count lenet5 --format json > net.json
parses network_json_parses json net.json
expect stack50 0 'convref count stack50 stack50_separable --format tsv --output two.tsv'
same stack50_params 'params of stack50' 28354058 "$(cell two.tsv stack50 params)"
same stack50_separable_params 'params of stack50_separable' 3311114 "$(cell two.tsv stack50_separable params)"
expect all_networks 0 "convref count '$source_top'/networks/*.net --format tsv" '!	NO$' '	yes$'
expect unknown_total_is_wrong 1 "sed 's/^expect params .*/expect params 1/' '$source_top/networks/lenet5.net' > wrong.net;
    convref count ./wrong.net 2>&1" 'expects params 1, counted' 'not all as expected'
printf 'network tiny\ninput c=3 in=32x32\nstem:  conv k=16 filter=3x3 pad=1\nbn\nact fn=relu\n%s\n%s\n%s\n%s\n%s\n%s\n' \
    'left:  conv k=16 filter=3x3 pad=1 from=stem' 'right: dw filter=3x3 pad=1 from=stem' 'concat from=left,right' \
    gpool 'fc k=10' 'expect params 3242' > tiny.net
grep -v expect tiny.net > bare.net
expect no_totals 0 'convref count ./bare.net' '^no published totals: nothing says' '!exactly as expected'
expect no_totals_json 0 'convref count ./bare.net --format json' '"expectations": 0' '"expectations_hold": null'
expect no_totals_of_several 0 'convref count ./bare.net ./tiny.net --format tsv' '^tiny	.*	0	no published totals$' '^tiny	.*	1	yes$'
expect documented_example 0 'convref count ./tiny.net' '1 published totals: all exactly as expected'

# ---- conventions: what the tools themselves printed ---------------------------------------------------------------------
# one call for each network, whose rows are compared with those of the tools
figures()
{
    convref count "$1" --conventions --format tsv > figures.tsv
    while read -r tool figure; do
        same "${tool}_$1" "the figure of $tool for $1" "$figure" "$(cell figures.tsv "$tool" figure)"
    done < wanted.tsv
}
command='convref count NETWORK --conventions --format tsv'
for network in $(tail -n +2 "$data/data/other_tools.tsv" | cut -f 3 | sort -u); do
    awk -F '\t' -v network="$network" '$3 == network { print $1, $4 }' "$data/data/other_tools.tsv" > wanted.tsv
    figures "$network"
done
for convention in papers torchvision ptflops ptflops-aten thop fvcore torchinfo torchprofile flop_counter deepspeed \
    calflops calflops-macs torchstat torchstat-madd mmengine keras-flops onnx-tool; do
    expect "why_$convention" 0 "convref count resnet18 --convention $convention --why" "^$convention"
    expect "of_a_problem_$convention" 0 "convref count 'c=8 in=16x16 k=8 filter=3x3 bias=1' --convention $convention" .
    # the terms of --why add up to the figure
    expect "terms_$convention" 0 "convref count resnet18 --convention $convention --why --format tsv"
    terms=$(awk -F '\t' 'NR > 1 && NF == 4 { sum += $4 } END { printf "%.0f", sum }' out)
    same "sum_$convention" 'the sum of the terms' \
        "$(convref count resnet18 --conventions --format tsv > all.tsv; cell all.tsv "$convention" figure)" "$terms"
done
# beyond the terms: two scales with a shift in LeNet-5, and six tanh, for which onnx-tool has a price of its own
expect beyond_onnx_tool 3 'convref count lenet5 --convention onnx-tool' '^onnx-tool 1.0.1 counts at least ' '^incomplete: 8 nodes'
expect beyond_keras_flops 3 'convref count lenet5 --convention keras-flops' '^keras-flops 0.1.2 counts at least '
# an LSTM is in no tool's table
printf 'network r\ninput c=3 in=8\nlstm k=5\n' > recurrent.net
expect beyond_thop 3 'convref count ./recurrent.net --convention thop' '^thop 0.1.1 counts at least 0 ' '^incomplete: 1 node is missing'
expect within_papers 0 'convref count ./recurrent.net --convention papers' '^papers counts 1,280 '
# The names of conventions are those of their table, in the help and in the message about another one.
convref count alexnet --conventions --format tsv | sed 1d | cut -f 1 > names
for where in "--help" "alexnet --convention nope"; do
    convref count $where 2>&1 | tr -c 'a-z_0-9-' '\n' | sort -u > words
    same "conventions_of ${where%% *}" 'names that are missing' '' "$(grep -vxFf words names)"
done
same conventions_are_many 'how many there are' 17 "$(wc -l < names | tr -d ' ')"

finish
