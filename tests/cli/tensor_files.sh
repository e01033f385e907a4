# shellcheck shell=sh
# tensor_files.sh - .npz, .safetensors and .raw files for an x of 1x1x4 floats: one good of each, the rest wrong in
# one way each.   Sourced by test_bad_input.sh, and by test_hostile.sh for what makes files.
#
# Archives are put together byte by byte, because no program writes wrong ones.  gzip computes CRC-32 and deflates.

# npy FILE VERSION HEADER BYTES: a .npy file with that header, however wrong it is, and so many bytes of zeros.
npy()
{
    length=${#3}
    {
        printf '\223NUMPY'
        octal "$2" 0 $((length % 256)) $((length / 256))
        [ "$2" = 1 ] || octal 0 0
        printf '%s' "$3"
        head -c "$4" /dev/zero
    } > "$1"
}

# The bytes of these values.
octal()
{
    for byte; do
        # the format is made of digits alone
        # shellcheck disable=SC2059
        printf "\\$(printf '%03o' "$byte")"
    done
}

# le BYTES VALUE...: little-endian numbers
le()
{
    width=$1
    shift
    for value; do
        for _ in 1 2 3 4 5 6 7 8; do
            [ "$width" -ge "$_" ] || break
            octal $((value % 256))
            value=$((value / 256))
        done
    done
}

size_of() { wc -c < "$1" | tr -d ' '; }

# member NAME FILE: add a member to the archive in zipped.body and zipped.directory.  What a case wants wrong is set
# before: method, flags, size, crc.
member()
{
    stored=$2
    gzip -nc "$2" > zipped.gz
    tail -c 8 zipped.gz | head -c 4 > zipped.crc
    [ -z "${crc:-}" ] || printf '%s' "$crc" > zipped.crc
    if [ "${method:-0}" = 8 ]; then   # what gzip wrote, without its header and trailer
        stored=zipped.deflated
        tail -c +11 zipped.gz | head -c $(($(size_of zipped.gz) - 18)) > zipped.deflated
    fi
    offset=$(size_of zipped.body)
    {
        le 2 20 "${flags:-0}" "${method:-0}" 0 33
        cat zipped.crc
        le 4 "$(size_of "$stored")" "${size:-$(size_of "$2")}"
        le 2 ${#1} 0
    } > zipped.facts
    { printf 'PK\003\004'; cat zipped.facts; printf '%s' "$1"; cat "$stored"; } >> zipped.body
    {
        printf 'PK\001\002'
        le 2 20
        cat zipped.facts
        le 2 0 0 0
        le 4 0 "$offset"
        printf '%s' "$1"
    } >> zipped.directory
    members=$((members + 1))
}

# archive FILE NAME MEMBER-FILE...: an archive of these
archive()
{
    target=$1 members=0
    shift
    : > zipped.body
    : > zipped.directory
    while [ $# -gt 0 ]; do
        member "$1" "$2"
        shift 2
    done
    {
        cat zipped.body zipped.directory
        printf 'PK\005\006'
        le 2 0 0 "$members" "$members"
        le 4 "$(size_of zipped.directory)" "$(size_of zipped.body)"
        le 2 0
    } > "$target"
}

make_npz()
{
    method='' flags='' size='' crc=''
    archive good.npz x.npy good.npy
    archive two.npz x.npy good.npy w.npy good.npy
    archive twice.npz x.npy good.npy x.npy other_shape.npy
    archive absolute.npz /etc/x.npy good.npy
    archive upwards.npz ../x.npy good.npy
    archive none.npz
    archive no_npy.npz x.npy truncated.npy
    archive fortran.npz x.npy fortran.npy
    archive objects.npz x.npy objects.npy
    archive short.npz x.npy short.npy
    archive long.npz x.npy long.npy
    archive overflow.npz x.npy overflow.npy
    archive other_shape.npz x.npy other_shape.npy
    crc=abcd
    archive crc.npz x.npy good.npy
    method=8
    archive crc_deflated.npz x.npy good.npy
    crc='' size=4000000000
    archive bomb.npz x.npy good.npy
    size='' method=12
    archive bzip2.npz x.npy good.npy
    method=98
    archive ppmd.npz x.npy good.npy
    method='' flags=1
    archive encrypted.npz x.npy good.npy
    flags='' size=1
    archive two_sizes.npz x.npy good.npy
    size=''
    head -c 100 good.npz > cut.npz
    { cat good.npz; printf 'more'; } > trailing.npz
    tr P Q < good.npz > no_magic.npz
    : > empty.npz
    printf 'not an archive\n' > text.npz
    mkdir folder.npz
    rm zipped.*
}

# safetensors FILE HEADER BYTES: a file with that header, however wrong it is, and so many bytes of zeros
safetensors()
{
    {
        le 8 ${#2}
        printf '%s' "$2"
        head -c "$3" /dev/zero
    } > "$1.safetensors"
}

make_safetensors()
{
    f32='"dtype": "F32"' shape='"shape": [1, 1, 4]' at='"data_offsets": [0, 16]'
    safetensors good "{\"x\": {$f32, $shape, $at}}" 16
    safetensors two "{\"x\": {$f32, $shape, $at}, \"w\": {$f32, $shape, \"data_offsets\": [16, 32]}}" 32
    safetensors only_metadata '{"__metadata__": {"format": "pt"}}' 0
    safetensors list '[32]' 16
    safetensors open "{\"x\": {$f32, $shape, $at}" 16
    safetensors twice "{\"x\": {$f32, $shape, $at}, \"x\": {$f32, $shape, $at}}" 16
    safetensors number '{"x": 3}' 16
    safetensors no_dtype "{\"x\": {$shape, $at}}" 16
    safetensors no_shape "{\"x\": {$f32, $at}}" 16
    safetensors no_offsets "{\"x\": {$f32, $shape}}" 16
    safetensors int64 "{\"x\": {\"dtype\": \"I64\", \"shape\": [1, 1, 2], $at}}" 16
    safetensors dtype_number "{\"x\": {\"dtype\": 32, $shape, $at}}" 16
    safetensors negative "{\"x\": {$f32, \"shape\": [-1, 1, 4], $at}}" 16
    safetensors fraction "{\"x\": {$f32, \"shape\": [1, 1, 4.0], $at}}" 16
    safetensors nine "{\"x\": {$f32, \"shape\": [1, 1, 1, 1, 1, 1, 1, 1, 4], $at}}" 16
    safetensors product "{\"x\": {$f32, \"shape\": [1, 1, 5], $at}}" 16
    safetensors overflow "{\"x\": {$f32, \"shape\": [4294967296, 4294967296, 4], $at}}" 16
    safetensors too_many_digits "{\"x\": {$f32, \"shape\": [99999999999999999999], $at}}" 16
    safetensors one_offset "{\"x\": {$f32, $shape, \"data_offsets\": [16]}}" 16
    safetensors negative_offset "{\"x\": {$f32, $shape, \"data_offsets\": [-16, 0]}}" 16
    safetensors outside "{\"x\": {$f32, $shape, \"data_offsets\": [4, 20]}}" 16
    safetensors backwards "{\"x\": {$f32, $shape, \"data_offsets\": [16, 0]}}" 16
    safetensors behind "{\"x\": {$f32, $shape, $at}}" 17
    safetensors hole "{\"x\": {$f32, $shape, $at}, \"w\": {$f32, $shape, \"data_offsets\": [20, 36]}}" 36
    safetensors overlap "{\"x\": {$f32, $shape, $at}, \"w\": {$f32, $shape, \"data_offsets\": [8, 24]}}" 24
    safetensors other_shape "{\"x\": {$f32, \"shape\": [1, 4, 1], $at}}" 16
    safetensors deep "$(head -c 3000 /dev/zero | tr '\000' '[')" 16
    : > empty.safetensors
    printf '\020\000\000' > prefix.safetensors
    { le 8 1000; printf '{}'; } > header_long.safetensors
    { printf '\377\377\377\377\377\377\377\377'; printf '{}'; } > header_huge.safetensors
    { le 8 5000000; head -c 5000000 /dev/zero; } > header_large.safetensors
}

# raw NAME SIDECAR BYTES
raw()
{
    head -c "$3" /dev/zero > "$1.raw"
    printf '%s' "$2" > "$1.raw.json"
}

make_raw()
{
    dtype='"dtype": "f32"' shape='"shape": [1, 1, 4]' order='"order": "C"' endian='"endian": "little"'
    raw good "{$dtype, $shape, $order, $endian}" 16
    raw short "{$dtype, $shape, $order, $endian}" 15
    raw long "{$dtype, $shape, $order, $endian}" 17
    raw not_json 'f32 1x1x4' 16
    raw list '[32]' 16
    raw twice "{$dtype, $dtype, $shape, $order, $endian}" 16
    raw no_dtype "{$shape, $order, $endian}" 16
    raw no_shape "{$dtype, $order, $endian}" 16
    raw no_order "{$dtype, $shape, $endian}" 16
    raw no_endian "{$dtype, $shape, $order}" 16
    raw more "{$dtype, $shape, $order, $endian, \"offset\": 8}" 16
    raw complex "{\"dtype\": \"c64\", $shape, $order, $endian}" 16
    raw s64 "{\"dtype\": \"s64\", $shape, $order, $endian}" 32
    raw dtype_number "{\"dtype\": 4, $shape, $order, $endian}" 16
    raw negative "{$dtype, \"shape\": [1, -1, 4], $order, $endian}" 16
    raw text_shape "{$dtype, \"shape\": \"1x1x4\", $order, $endian}" 16
    raw nine "{$dtype, \"shape\": [1, 1, 1, 1, 1, 1, 1, 1, 4], $order, $endian}" 16
    raw overflow "{$dtype, \"shape\": [4294967296, 4294967296, 4], $order, $endian}" 16
    raw fortran "{$dtype, $shape, \"order\": \"F\", $endian}" 16
    raw middle "{$dtype, $shape, $order, \"endian\": \"middle\"}" 16
    raw other_shape "{$dtype, \"shape\": [1, 4, 1], $order, $endian}" 16
    raw alone '' 16
    rm alone.raw.json
    raw folder '' 16
    rm folder.raw.json
    mkdir folder.raw.json
    raw zeros '' 16
    head -c 40 /dev/zero > zeros.raw.json
    raw large_sidecar '' 16
    head -c 70000 /dev/zero | tr '\000' ' ' > large_sidecar.raw.json
}
