# shellcheck shell=sh
# onnx_files.sh - ONNX tensors for an x of 1x1x4 floats and models of one convolution: one good of each, the rest wrong
# in one way each.   Sourced by test_bad_input.sh, whose octal() and le() it uses.
#
# Protocol buffers are put together by hand, because no program writes wrong ones: a field is its number and wire type,
# then a number, or a length and so many bytes.  Field numbers: verify/onnx/onnx.proto.

# varint N: seven bits a byte, the lowest first
varint()
{
    value=$1
    while [ "$value" -gt 127 ]; do
        octal $((value % 128 + 128))
        value=$((value / 128))
    done
    octal "$value"
}

# number FIELD N...: numbers; minus_one FIELD: -1, which takes ten bytes
number()
{
    tag=$(($1 * 8))
    shift
    for n; do varint "$tag"; varint "$n"; done
}
minus_one() { varint $(($1 * 8)); octal 255 255 255 255 255 255 255 255 255 1; }

# text FIELD TEXT; zeros FIELD COUNT: so many bytes of zero; inner FIELD COMMAND...: what the command writes
text() { varint $(($1 * 8 + 2)); varint ${#2}; printf '%s' "$2"; }
zeros() { varint $(($1 * 8 + 2)); varint "$2"; head -c "$2" /dev/zero; }
inner()
{
    field=$1
    shift
    depth=$((${depth:-0} + 1))
    set -- "$field" "inner.$depth" "$@"
    inner_file=$2 inner_field=$1
    shift 2
    ( "$@" ) > "$inner_file"
    varint $((inner_field * 8 + 2))
    varint "$(size_of "$inner_file")"
    cat "$inner_file"
    depth=$((depth - 1))
}

# ---- tensors ------------------------------------------------------------------------------------------------------------

# tensor_body TYPE DIMS COMMAND...: dims, type, and whatever else
tensor_body()
{
    type=$1
    # a list of numbers
    # shellcheck disable=SC2086
    number 1 $2
    [ "$type" = - ] || number 2 "$type"
    shift 2
    "$@"
}
segment() { inner 3 number 1 0; zeros 9 16; }
external() { inner 13 text 1 location; number 14 1; }
two_fields() { zeros 9 16; zeros 4 16; }
int8_range() { number 5 300 1 1 1; }
negative() { minus_one 1; number 2 1; zeros 9 16; }
wrong_wire() { octal 13 1 0 0 0; number 2 1; zeros 9 16; }
truncated() { number 1 1 1 4; number 2 1; varint 74; varint 1000; }
dims() { number 1 1 1 4; zeros 9 16; }

make_pb()
{
    tensor_body 1 '1 1 4' zeros 9 16 > good.pb
    tensor_body 1 '1 1 4' zeros 9 15 > short.pb
    tensor_body 1 '1 1 4' zeros 9 17 > long.pb
    dims > no_type.pb
    tensor_body 8 '1 1 4' zeros 9 16 > strings.pb
    tensor_body 7 '1 1 4' zeros 9 32 > int64.pb
    tensor_body 14 '1 1 4' zeros 9 32 > complex.pb
    tensor_body 99 '1 1 4' zeros 9 16 > unknown.pb
    tensor_body 13 '1 1 4' zeros 9 32 > uint64.pb
    tensor_body 1 '4294967296 4294967296 4' zeros 9 16 > overflow.pb
    tensor_body 1 '1 1 1 1 1 1 1 1 4' zeros 9 16 > nine.pb
    tensor_body 1 '1 1 1099511627776' true > huge.pb
    tensor_body 1 '1 1 4' segment > segment.pb
    tensor_body 1 '1 1 4' external > external.pb
    tensor_body 1 '1 1 4' two_fields > two_fields.pb
    tensor_body 1 '1 1 4' zeros 4 12 > few_floats.pb
    tensor_body 1 '1 1 4' number 5 1 1 1 1 > other_list.pb
    tensor_body 3 '1 1 4' int8_range > int8_range.pb
    tensor_body 1 '1 4 1' zeros 9 16 > other_shape.pb
    negative > negative.pb
    wrong_wire > wrong_wire.pb
    truncated > truncated.pb
    : > empty.pb
    printf 'not a tensor\n' > text.pb
    mkdir folder.pb
}

# ---- models -------------------------------------------------------------------------------------------------------------

# value NAME SIZE...: a ValueInfo; a size of "?" is left open
dimension() { [ "$1" = '?' ] || number 1 "$1"; }
shape() { for size; do inner 1 dimension "$size"; done; }
tensor_type() { number 1 1; inner 2 shape "$@"; }
type_of_value() { inner 1 tensor_type "$@"; }
value() { text 1 "$1"; shift; inner 2 type_of_value "$@"; }

# attribute NAME TYPE COMMAND...
attribute() { text 1 "$1"; number 20 "$2"; shift 2; "$@"; }

# node OP "INPUTS" "OUTPUTS" COMMAND...
node()
{
    # lists of names
    # shellcheck disable=SC2086
    { for name in $2; do text 1 "$name"; done; for name in $3; do text 2 "$name"; done; }
    text 4 "$1"
    shift 3
    "$@"
}

named_tensor() { text 8 "$1"; shift; tensor_body "$@"; }

# The parts of a graph, each a function that may be replaced: x is 1x2x4x4, w is 3x2x3x3.
an_input() { inner 11 value x 1 2 4 4; }
a_weight() { inner 5 named_tensor w 1 '3 2 3 3' zeros 9 216; }
a_node() { inner 1 node Conv 'x w' y true; }
graph() { "$node"; "$weight"; "$input"; }
model()
{
    number 1 7
    inner 7 graph
    [ "$opset" = - ] || inner 8 number 2 "$opset"
}

# onnx FILE PART=FUNCTION...: a model with some parts replaced
onnx()
{
    file=$1.onnx node=a_node weight=a_weight input=an_input opset=13
    shift
    for part; do
        case $part in
        node=*) node=${part#*=} ;;
        weight=*) weight=${part#*=} ;;
        input=*) input=${part#*=} ;;
        opset=*) opset=${part#*=} ;;
        esac
    done
    model > "$file"
}

# with NAME TYPE COMMAND...: a Conv with one attribute
with() { inner 1 node Conv 'x w' y inner 5 attribute "$@"; }
three_pads() { with pads 7 number 8 1 1 1; }
pads_of_floats() { with pads 6 zeros 7 16; }
zero_stride() { with strides 7 number 8 0 1; }
minus_strides() { number 8 1; minus_one 8; }
negative_stride() { with strides 7 minus_strides; }
zero_group() { with group 2 number 3 0; }
five_groups() { with group 2 number 3 5; }
other_kernel() { with kernel_shape 7 number 8 5 5; }
odd_auto_pad() { with auto_pad 3 text 4 SOMETIMES; }
huge_dilation() { with dilations 7 number 8 1099511627776 1; }
twice() { inner 5 attribute group 2 number 3 1; inner 5 attribute group 2 number 3 1; }
attribute_twice() { inner 1 node Conv 'x w' y twice; }
no_weights() { inner 1 node Conv x y true; }
no_output() { inner 1 node Conv 'x w' '' true; }
cycle() { inner 1 node Add 'x b' a true; inner 1 node Relu a b true; }
own_output() { inner 1 node Relu y y true; }
output_twice() { a_node; a_node; }
output_taken() { inner 1 node Relu x w true; }
bad_reshape() { inner 1 node Reshape 'x s' y true; inner 5 named_tensor s 7 2 zeros 9 16; }
bad_broadcast() { inner 1 node Add 'x w' y true; }
two_weights() { a_weight; a_weight; }
two_inputs() { an_input; an_input; }
short_weight() { inner 5 named_tensor w 1 '3 2 3 3' zeros 9 212; }
external_weight() { inner 5 named_tensor w 1 '3 2 3 3' external; }
nameless_weight() { inner 5 tensor_body 1 '3 2 3 3' zeros 9 216; }
large_input() { inner 11 value x 1 2 1099511627776 1099511627776; }
small_input() { inner 11 value x 1 2 2 2; }
open_channels() { inner 11 value x '?' '?' 4 4; }
open_sizes() { inner 11 value x '?' 2 '?' '?'; }
escape_node() { inner 1 node "$(printf 'Conv\033[31m')" 'x nothing' y true; }
# five filters of 2^20 taps, whose weights are no bytes at all
large_filters()
{
    inner 1 node ConstantOfShape s v true
    for y in 1 2 3 4 5; do inner 1 node Conv 'u v' "$y" true; done
    inner 5 large_tensor
    inner 11 value u 1 1 1048577
}
large_tensor() { number 1 3; number 2 7; text 8 s; varint 74; varint 24; le 8 1 1 1048576; }
# 500,000 nodes of two bytes each, which are 50 MB in memory
many_nodes() { yes X | head -n 500000 | tr 'X\n' '\n\000'; }

make_onnx()
{
    onnx good
    onnx no_opset opset=-
    onnx old_opset opset=5
    onnx no_nodes node=true
    for case in three_pads pads_of_floats zero_stride negative_stride zero_group five_groups other_kernel odd_auto_pad \
        huge_dilation attribute_twice no_weights no_output cycle own_output output_twice output_taken bad_reshape \
        bad_broadcast escape_node many_nodes large_filters; do onnx "$case" "node=$case"; done
    for case in two_weights short_weight external_weight nameless_weight; do onnx "$case" "weight=$case"; done
    for case in two_inputs large_input small_input open_channels open_sizes; do onnx "$case" "input=$case"; done
    number 1 7 > no_graph.onnx
    : > empty.onnx
    printf 'a model, but not one of ONNX\n' > text.onnx
    head -c 60 good.onnx > cut.onnx
}
