#!/bin/sh
# test_bad_input.sh - runs every row of bad-input.tsv: convref must refuse it, say why and where, and leave no trace.
#
# A row passes if the exit status is exactly the one given, standard error has all pieces of the message, the mark
# below a problem underlines exactly the token at fault, standard output is empty, it took less than 20 seconds, and
# every file in the folder is what it was before: an output that was there keeps its content, none is half-written.
# The files that commands name are made by make_files below.   Read next: tests/bad-input.tsv
set -eu

suite=test_bad_input   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

# shellcheck source=tests/cli/tensor_files.sh
. "$source_top/tests/cli/tensor_files.sh"
# shellcheck source=tests/cli/onnx_files.sh
. "$source_top/tests/cli/onnx_files.sh"

# .npy files for an x of 1x1x4 floats: one good, the rest wrong in one way each.
make_npy()
{
    shape="'shape': (1, 1, 4)" order="'fortran_order': False" descr="'descr': '<f4'"
    npy good.npy 1 "{$descr, $order, $shape}" 16
    npy version_9.npy 9 "{$descr, $order, $shape}" 16
    npy fortran.npy 1 "{$descr, 'fortran_order': True, $shape}" 16
    npy order_odd.npy 1 "{$descr, 'fortran_order': 0, $shape}" 16
    npy objects.npy 1 "{'descr': '|O', $order, $shape}" 16
    npy big_endian.npy 1 "{'descr': '>f4', $order, $shape}" 16
    npy int64.npy 1 "{'descr': '<i8', $order, $shape}" 32
    npy uint16.npy 1 "{'descr': '<u2', $order, $shape}" 8
    npy bool.npy 1 "{'descr': '|b1', $order, $shape}" 4
    npy bfloat16.npy 1 "{'descr': '|V2', $order, $shape}" 8
    npy complex.npy 1 "{'descr': '<c8', $order, $shape}" 32
    npy text.npy 1 "{'descr': '<U5', $order, $shape}" 80
    npy long_double.npy 1 "{'descr': '<f16', $order, $shape}" 64
    npy int32.npy 1 "{'descr': '<i4', $order, $shape}" 0
    le 4 16777217 0 0 0 >> int32.npy
    npy records.npy 1 "{'descr': [('a', '<f4')], $order, $shape}" 16
    npy no_descr.npy 1 "{$order, $shape}" 16
    npy no_order.npy 1 "{$descr, $shape}" 16
    npy no_shape.npy 1 "{$descr, $order}" 16
    npy twice.npy 1 "{$descr, $descr, $order, $shape}" 16
    npy other_key.npy 1 "{$descr, $order, $shape, 'more': 1}" 16
    npy list.npy 1 "{$descr, $order, 'shape': [1, 1, 4]}" 16
    npy negative.npy 1 "{$descr, $order, 'shape': (-1, 1, 4)}" 16
    npy digits.npy 1 "{$descr, $order, 'shape': (1, 1, 99999999999999999999)}" 16
    npy overflow.npy 1 "{$descr, $order, 'shape': (4294967296, 4294967296, 4)}" 16
    npy nine.npy 1 "{$descr, $order, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 4)}" 16
    npy not_tuple.npy 1 "{$descr, $order, 'shape': (4)}" 16
    npy garbage.npy 1 "{$descr, $order, $shape} and more" 16
    npy open.npy 1 "{$descr, $order, $shape" 16
    npy no_dict.npy 1 "$descr, $order, $shape" 16
    npy short.npy 1 "{$descr, $order, $shape}" 15
    npy long.npy 1 "{$descr, $order, $shape}" 17
    npy no_data.npy 2 "{$descr, $order, $shape}" 0
    npy other_shape.npy 1 "{$descr, $order, 'shape': (1, 4, 1)}" 16
    npy other_rank.npy 1 "{$descr, $order, 'shape': (4,)}" 16
    npy other_type.npy 1 "{'descr': '<f8', $order, $shape}" 32
    : > empty.npy
    printf '\223NUM' > truncated.npy
    printf 'PK\003\004\024\000\000\000\010\000\000\000' > zip.npy
    { printf '\223NUMPY\001\000\377\377'; printf '%s' "{$descr, $order, $shape}"; } > header_long.npy
    { printf '\223NUMPY\002\000\377\377\377\377'; printf '%s' "{$descr, $order, $shape}"; } > header_huge.npy
    { printf '\223NUMPY\001\000\020\000{\000'; head -c 30 /dev/zero; } > zeros.npy
    { printf '\223NUMPY\001\001\020\000'; head -c 30 /dev/zero; } > minor.npy
}

make_files()
{
    make_npy
    make_npz
    make_safetensors
    make_raw
    make_pb
    make_onnx
    rm -f inner.*
    mkdir folder
    printf 'not a shared object\n' > text.so
    printf 'network a\ninput c=1 in=4\nconv k=1 filter=1\n' > good.net
    printf 'an earlier result\n' > kept
    head -c 64 /dev/zero > binary.net
    head -c 2000000 /dev/zero | tr '\000' '#' > large.net
    for plugin in "$modules"/good.so "$modules"/wrong_*.so; do
        [ ! -f "$plugin" ] || cp "$plugin" .
    done
}

# Every name in the folder, and the content of the file that commands try to overwrite.
fingerprint() { ls -lR . && cksum kept; }

# What the mark ^~~~ underlines, in the messages on standard input; "-" without a mark, "(end)" behind the end.
underlined()
{
    awk '/^ *\^~*$/ { from = index($0, "^"); at = substr(before, from, length($0) - from + 1)
                      found = 1; print at == "" || at == " " ? "(end)" : at; exit }
         { before = $0 }
         END { if (!found) print "-" }'
}

# check NAME STATUS TOKEN SAYS COMMAND CONTENT
check()
{
    if [ "$6" = - ]; then rm -f bad; else printf '%b' "$6" > bad; fi
    fingerprint > ../before
    seen=0
    timeout 20 sh -c "$5" > ../out 2> ../err < /dev/null || seen=$?
    fingerprint > ../after
    wrong=
    [ "$seen" = "$2" ] || wrong="exit status $seen, expected $2"
    [ ! -s ../out ] || wrong="$wrong; standard output is not empty: $(head -n 1 ../out)"
    cmp -s ../before ../after || wrong="$wrong; files changed: $(diff ../before ../after | sed -n 2p)"
    message=$(cat ../err)
    case $message in *^*) token=$(underlined < ../err) ;; *) token=- ;; esac
    [ "$token" = "$3" ] || wrong="$wrong; the mark underlines '$token', expected '$3'"
    rest="$4 && "
    while [ -n "$rest" ]; do
        piece=${rest%%" && "*}
        rest=${rest#*" && "}
        case $message in *"$piece"*) ;; *) wrong="$wrong; the message lacks: $piece" ;; esac
    done
    if [ -z "$wrong" ]; then pass "$1"; else fail "$1" "$5" "${wrong#; }" "$message"; fi
}

mkdir files && cd files
make_files
reads_npz=$(convref run 'c=1 in=4 k=1 filter=1' --x good.npz > /dev/null 2>&1 && echo yes) || :
reads_onnx=$(convref run 'c=1 in=4 k=1 filter=1' --x good.pb > /dev/null 2>&1 && echo yes) || :
tab=$(printf '\t')
while IFS="$tab" read -r name status token says command content; do
    case $name in '#'* | name) continue ;; esac
    case $command in *.npz*) [ -n "$reads_npz" ] || { skip "$name" "no libzip"; continue; } ;; esac
    case $command in *.onnx* | *.pb*) [ -n "$reads_onnx" ] || { skip "$name" "no libprotobuf-c"; continue; } ;; esac
    case $command in *./wrong_*.so* | *./good.so*) [ -f good.so ] || { skip "$name"; continue; } ;; esac
    check "$name" "$status" "$token" "$says" "$command" "$content"
done < "$data/bad-input.tsv"
finish
