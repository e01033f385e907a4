#!/bin/sh
# test_cli_schema.sh - what `convref verify` and `convref count` print as JSON is what docs/verify.schema.json and
# docs/count.schema.json say, and nothing else.
#
# Documents come from the program: every verdict, of kernels, a command, files, golden vectors and the proof.  Each must
# be valid, and no copy of it that is spoilt in one place (tests/cli/validate.py).  Whether the schema's words are all
# of the library's is asked in test_verify.c.
set -eu

suite=test_cli_schema   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

schema=$source_top/docs/verify.schema.json
python=${PYTHON:-python3}
if ! "$python" -c 'import jsonschema' 2> /dev/null; then
    python=/usr/bin/python3
    "$python" -c 'import jsonschema' 2> /dev/null || { echo "skipped: no python3 with jsonschema (Debian: python3-jsonschema)"; exit 77; }
fi

# document NAME STATUS COMMAND PATTERN...: what a command prints, judged
document()
{
    name=$1 wanted=$2
    run "$3"
    shift 3
    cp out "$name.json"
    wrong=
    [ "$status" = "$wanted" ] || wrong="exit status $status, expected $wanted"
    for pattern; do grep -qE -- "$pattern" out || wrong="$wrong; the output lacks: $pattern"; done
    "$python" "$source_top/tests/cli/validate.py" "$schema" "$name.json" > judged 2>&1 || wrong="$wrong; $(tail -n 3 judged)"
    grep -q ': valid, [1-9]' judged || wrong="$wrong; nothing was spoilt"
    judge "$name"
}

small='c=4 in=5x5 k=4 filter=3x3'
document accepted 0 "convref verify -k std_01_direct,dw_01_direct --check real -f json" '"ACCEPT"' '"worst": 0\.[0-9]*[1-9]'
document arithmetic 0 "convref verify -k ref_pointwise --check probes -f json" '"ACCEPT"'
document skipped 77 "convref verify '$small' -k dw_01_direct -f json" '"SKIPPED"' '"reason": "the kernel applies'
document inconclusive 3 'convref verify "n=100000000 c=1 in=10000 k=1 filter=1" -k std_01_direct -f json' '"INCONCLUSIVE"'
for module in last_column_zero writes_outside crashes writes_nan; do
    if [ -f "$modules/$module.so" ]; then
        document "rejected_$module" 1 "convref verify -p '$modules/$module.so' -k mine --check small -f json" '"finding"' '"repro": "convref'
    else
        skip "rejected_$module" "no shared objects in MODULES"
    fi
done
document command 1 "convref verify --exec 'echo \"it isn'\\''t\" > \$0 # {dir}' -f json" '"REJECT"' '"repro": "convref verify --exec'
document command_skipped 77 "convref verify --exec 'exit 77 # {dir}' -f json" '"SKIPPED"'
convref run "$small act=relu bias=1" --save whole > text
convref run "$small" --fill uniform --save real > text
document tensor 0 "convref verify '$small act=relu bias=1' --y whole/y.npy -f json" '"one_tensor"' '"integers"'
document tensor_real 0 "convref verify '$small' --x real/x.npy --w real/w.npy --y real/y.npy -f json" '"bound": [1-9][0-9.]*e-'
document tensor_rejected 1 "convref verify '$small act=relu bias=1' --y whole/y.npy --seed 2 -f json" '"repro": ""' '"guess"'
convref run "$small pass=backward_weights bias=1" --save back > text
document tensor_dw 0 "convref verify '$small pass=backward_weights bias=1' --w back/dw.npy --bias back/dbias.npy -f json" '"operand": "dw"'
if convref golden vectors "$small" > text 2>&1; then
    document golden 0 "convref verify --golden vectors -f json" '"case"'
    convref golden theirs "$small" --seed 2 > text && rm -r theirs/p1-real
    document golden_rejected 1 "convref verify --golden vectors --theirs theirs -f json" '"REJECT"' '"SKIPPED"'
else
    skip golden "no nettle"
fi
schema=$source_top/docs/count.schema.json
layer='c=8 in=128x128 k=64 filter=3x3 bias=1'
document count_problem 0 "convref count '$layer' -f json" '"params": 4672,' '"biases": 64,' '"macs": 73156608,'
document count_separable 0 "convref count 'op=separable $layer' -f json" '"kind": "separable"' '"params": 656,'
document count_convention 0 "convref count '$layer' --convention thop -f json" '"figure": 73156608'
document count_network 0 'convref count lenet5 -f json' '"layer": "C1"' '"params": 60000,' '"expectations_hold": true'
document count_conventions 0 'convref count lenet5 --conventions -f json' '"tool": "torchprofile"'
document count_networks 0 'convref count stack50 stack50_separable -f json' '"params": 28354058' '"params": 3311114'
if convref count "$source_top/tests/data/small.onnx" --in 8x8 -f json > text 2>&1; then
    document count_onnx 0 "convref count '$source_top/tests/data/small.onnx' --in 8x8 -f json" '"complete": true' '"note"'
    document count_incomplete 3 "convref count '$source_top/tests/data/strange.onnx' -f json" '"complete": false' '"unknown": 2'
else
    skip count_onnx "no libprotobuf-c"
fi
schema=$source_top/docs/verify.schema.json

printf '{"convref": "0.1.0", "command": "convref verify --self --seed 1", "seed": 1, "faults": 1, "rejected": 1, "correct": 1,
"accepted": 1, "matrix": [{"kernel": "f", "verdict": "REJECT", "small": "sees", "real": "no", "what": "a fault"}]}' > proof
document proof 0 "cat proof"
finish
