#!/bin/sh
# test_cli_golden.sh - convref golden and verify --golden: the same bytes twice, every format, verdicts, hostile folders.
#
# Not here: whether the numbers are right, which test_golden_vectors.py computes once more in NumPy.
set -eu

suite=test_cli_golden   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

if ! convref golden probe > out 2> err; then
    if grep -q nettle err; then skip all "no nettle"; finish; fi
fi
rm -rf probe

# ---- writing ---------------------------------------------------------------------------------------------------------
expect writes 0 'convref golden one' '^41 cases in one, seed 1$'
expect twice_the_same 0 'convref golden two && diff -r one two' '^41 cases'
expect other_seed 0 'convref golden other --seed 2 && ! cmp -s one/std-1d/x.npy other/std-1d/x.npy'
expect checks 0 'convref golden --check one' '^[0-9]+ files in one are those of its manifest$'
expect hashes_are_sha256 0 "grep -q \"\$(sha256sum one/std-1d/y.npy | cut -d ' ' -f 1)\" one/manifest.json"
parses manifest_is_json json one/manifest.json
expect no_names_of_this_machine 0 "! grep -rqF \"\$PWD\" one"
expect nothing_left_behind 0 'ls -d one.* two.* 2> /dev/null | wc -l' '^ *0$'
run 'grep -o "convref golden FOLDER[^\"]*" one/manifest.json | sed "s/FOLDER/again/"'
mv out command
expect made_again_by_its_command 0 'sh ./command && diff -r one again' '^41 cases'
expect own_problem 0 'convref golden mine "c=3 in=5x4 k=2 filter=3x3 pad=1" --data real,u8 && ls mine' '^p1-real$' '^p1-u8$'
expect own_c 0 'convref golden mine-c "c=3 in=5x4 k=2 filter=3x3" --data s8 --format c && grep -c "^static const .* p1_s8_y" mine-c/p1-s8.h' '^1 case in mine-c, seed 1$' '^1$'
expect own_problem_again 0 'grep -qF "\"command\": \"convref golden FOLDER --seed 1 --format npy --lanes 1 --requantise gemmlowp-double --data real,u8 \\\"c=3 in=5x4 k=2 filter=3x3 pad=1\\\"\"" mine/manifest.json'
expect list 0 'convref golden --list' '^std-1d +integers ' '^q-pw-s8-ties +s8-ties ' '^rndnu +24-bit'

# ---- every format is judged by its like; what C compiles is not read back ---------------------------------------------
expect verify_itself 0 'convref verify --golden one' '^ACCEPT +std-2d +y dx dw dbias$' '^ACCEPT +q-std-s8 +acc y$' '^41 accepted, 0 rejected, 0 skipped$'
for format in raw hex; do
    expect "verify_$format" 0 "convref golden in-$format --format $format && convref verify --golden in-$format && convref golden --check in-$format" '^41 accepted, 0 rejected'
    expect "npy_by_$format" 0 "convref verify --golden one --theirs in-$format" '^41 accepted, 0 rejected'
done
if convref golden in-npz --format npz > out 2> err; then
    expect verify_npz 0 'convref verify --golden one --theirs in-npz && convref golden --check in-npz' '^41 accepted, 0 rejected'
    expect npz_twice_the_same 0 'convref golden in-npz2 --format npz && diff -r in-npz in-npz2'
else
    skip verify_npz "no libzip"
fi
expect writes_c 0 'convref golden in-c --format c && ls in-c | wc -l' '^ *42$'
expect c_is_not_read_back 77 'convref verify --golden in-c' '^0 accepted, 0 rejected, 41 skipped$'
if has cc; then
    for case in std-1d std-2d-f64 std-2d-bf16 q-std-u8; do echo "#include \"in-c/$case.h\""; done > all.c
    cat >> all.c <<'END'
#include <stdio.h>
int main(void)
{
    printf("%g %g %u %d\n", (double)std_1d_x[0], std_2d_f64_y[0], (unsigned)std_2d_bf16_x[0], (int)q_std_u8_acc[0]);
    return 0;
}
END
    expect c_compiles 0 'cc -Wall -Wno-unused-const-variable all.c -o all && ./all' '^5 '
fi

# ---- hex: lanes ----------------------------------------------------------------------------------------------------------
# x of q-pw-s8-nhwc is 1x5x6x16 bytes: 480 elements, 120 words of four lanes, the first byte in the last two digits
expect hex_lanes 0 'convref golden lanes --format hex --lanes 4 && grep -vc // lanes/q-pw-s8-nhwc/x.hex' '^120$'
run "grep -v // in-hex/q-pw-s8-nhwc/x.hex | head -n 4 | tac | tr -d '\\n'"
same lane_0_is_lowest 'the first word' "$(cat out)" "$(grep -v // lanes/q-pw-s8-nhwc/x.hex | head -n 1)"
# y of q-grp-u8 is 1x4x6x7 = 168 elements; with 5 lanes the 34th word has 3, and two lanes of zeros
expect hex_last_word 0 'convref golden five --format hex --lanes 5 && tail -n 1 five/q-grp-u8/y.hex' '^0000[0-9a-f]{6}$'
expect hex_lanes_read_back 0 'convref verify --golden five' '^41 accepted'

# ---- their outputs --------------------------------------------------------------------------------------------------------
expect nothing_there 77 'mkdir empty && convref verify --golden one --theirs empty' '^SKIPPED +std-1d +none of its outputs is in empty$' '^0 accepted, 0 rejected, 41 skipped$'
mkdir -p some/std-2d && cp one/std-2d/y.npy some/std-2d
expect some_there 0 'convref verify --golden one --theirs some' '^ACCEPT +std-2d +y; not given: dx dw dbias$' '^1 accepted, 0 rejected, 40 skipped$'
mkdir -p wrong/std-2d && cp other/std-2d/y.npy wrong/std-2d
expect wrong_values 1 'convref verify --golden one --theirs wrong' '^REJECT +std-2d +y is wrong$' '^ +how many [0-9]+ of 720$' '^ +first +n=0 k=0' '^ +problem '
expect wrong_json 1 'convref verify --golden one --theirs wrong --format json'
parses wrong_is_json json out
expect wrong_tsv 1 'convref verify --golden one --theirs wrong --format tsv' '^std-2d	REJECT	y	'
mkdir -p shape/std-2d && cp one/std-2d/x.npy shape/std-2d/y.npy
expect wrong_shape 4 'convref verify --golden one --theirs shape'
same wrong_shape_says 'the message' 'convref verify: shape/std-2d/y.npy is 2x3x8x9, not 2x5x8x9' "$(head -n 1 err)"
# a real output may be off by its rounding, not by more: the least bit of the first element, and then a higher one
cp -r one bits
printf '\001' | dd of=bits/std-2d-f16/y.npy bs=1 seek=128 conv=notrunc 2> /dev/null
expect real_last_bit 0 'convref verify --golden one --theirs bits' '^41 accepted'
printf '\377\377' | dd of=bits/std-2d-f16/y.npy bs=1 seek=129 conv=notrunc 2> /dev/null
expect real_high_bits 1 'convref verify --golden one --theirs bits' '^REJECT +std-2d-f16' 'allowed: '

# ---- rounding modes: the one that would have matched is named, and the special case tells all of them apart --------------------
for mode in gemmlowp-double tflite-single fp32-rne rndnu tosa-scale32 shifts; do
    convref golden "mode-$mode" --requantise "$mode" > /dev/null
done
for vectors in gemmlowp-double tflite-single fp32-rne rndnu tosa-scale32 shifts; do
    for mode in gemmlowp-double tflite-single fp32-rne rndnu tosa-scale32 shifts; do
        case $vectors-$mode in
        "$mode-$mode" | gemmlowp-double-tosa-scale32 | tosa-scale32-gemmlowp-double)
            expect "mode_${vectors}_$mode" 0 "convref verify --golden mode-$vectors --theirs mode-$mode" '^41 accepted' ;;
        *-gemmlowp-double | *-tosa-scale32)
            expect "mode_${vectors}_$mode" 1 "convref verify --golden mode-$vectors --theirs mode-$mode" \
                '^REJECT +q-pw-s8-ties +y is wrong' "^ +guess +acc is right; gemmlowp-double, tosa-scale32 would have matched; the vectors are $vectors\$" ;;
        *)
            expect "mode_${vectors}_$mode" 1 "convref verify --golden mode-$vectors --theirs mode-$mode" \
                '^REJECT +q-pw-s8-ties +y is wrong' "^ +guess +acc is right; $mode(, double-up)? would have matched; the vectors are $vectors\$" ;;
        esac
    done
done
mkdir -p none/q-std-s8 && cp other/q-std-s8/y.npy none/q-std-s8
expect no_mode 1 'convref verify --golden one --theirs none' '^ +guess +none of the rounding modes would have matched; compare acc$'
mkdir -p sums/q-std-s8 && cp one/q-std-s8/y.npy sums/q-std-s8 && cp other/q-std-s8/acc.npy sums/q-std-s8
expect wrong_sums 1 'convref verify --golden one --theirs sums' '^REJECT +q-std-s8 +acc is wrong$' '!rounding'

# ---- reports for machines ------------------------------------------------------------------------------------------------------
rm -rf wrong/* && mkdir -p wrong/std-2d wrong/std-1d && cp other/std-2d/y.npy wrong/std-2d && cp one/std-1d/y.npy wrong/std-1d
expect junit_of_golden 1 'convref verify --golden one --theirs wrong --junit junit.xml > text; s=$?; cat junit.xml; exit $s' \
    '<testsuite name="convref verify" tests="41" failures="1" skipped="39">' 'name="std-1d" time="[0-9.]+"></testcase>' \
    'name="std-2d" time="[0-9.]+"><failure type="REJECT" message="everywhere">n=0 k=0 .*: expected .*, got .*</failure>' \
    'name="std-1d-real" time="[0-9.]+"><skipped/></testcase>'
parses junit_of_golden_parses xml junit.xml
expect junit_of_accepted 0 'convref verify --golden one --junit all.xml > text; s=$?; cat all.xml; exit $s' 'tests="41" failures="0" skipped="0"' '!<failure' '!<skipped'
mkdir -p q/q-pw-s8-ties && cp mode-fp32-rne/q-pw-s8-ties/*.npy q/q-pw-s8-ties
expect junit_has_the_guess 1 'convref verify --golden one --theirs q --junit q.xml > text; s=$?; cat q.xml; exit $s' \
    'guess: acc is right; fp32-rne would have matched; the vectors are gemmlowp-double</failure>'
expect tap_of_golden 1 'convref verify --golden one --theirs wrong --tap -' '^1\.\.41$' '^ok [0-9]+ - std-1d$' '^not ok [0-9]+ - std-2d$' '^ok [0-9]+ - std-1d-real # SKIP '
expect junit_nowhere 4 'convref verify --golden one --junit there/is/none.xml > text 2>&1; s=$?; cat text; exit $s' "none.xml can't be written"

# ---- what must be refused ------------------------------------------------------------------------------------------------------
# refuses NAME STATUS COMMAND MESSAGE
refuses()
{
    run "$3"
    wrong=
    [ "$status" = "$2" ] || wrong="exit status $status, expected $2"
    grep -qF -- "$4" err || wrong="$wrong; the message lacks: $4"
    judge "$1"
}
refuses there_already 4 'convref golden one' 'one is there already'
refuses nowhere 4 'convref golden nowhere/deep' "nowhere/deep can't be written: No such file or directory"
refuses no_folder 2 'convref golden' 'write them where?'
refuses wrong_format 2 'convref golden a --format mat' "'mat' is not a format"
refuses wrong_mode 2 'convref golden a --requantise banker' "'banker' is not a rounding mode"
refuses wrong_data 2 'convref golden a --data s4 "c=1 in=4 k=1 filter=1"' "'s4' is not a kind of data"
refuses data_alone 2 'convref golden a --data s8' '--data is for problems of your own'
refuses wrong_lanes 2 'convref golden a --lanes 0' '--lanes is a number from 1 to 1024'
refuses a_backward_pass 2 'convref golden a "c=1 in=4 k=1 filter=1 pass=backward_data"' 'its gradients come by themselves'
refuses quantised_separable 2 'convref golden a --data s8 "op=separable c=1 in=4 k=1 filter=1"' 's8 data have no op=separable'
refuses half_in_f64 2 'convref golden a --data f16 "c=1 in=4 k=1 filter=1 type=f64"' 'f16 data belong to type=f32'
expect nothing_written 0 '! ls -d a a.* 2> /dev/null'
refuses no_manifest 4 'convref verify --golden empty' "empty/manifest.json can't be read"

# damaged NAME MESSAGE SED-SCRIPT: a manifest changed by sed
damaged()
{
    rm -rf bad && mkdir bad && sed "$3" one/manifest.json > bad/manifest.json
    refuses "manifest_$1" 4 'convref verify --golden bad' "$2"
}
damaged schema 'its schema is not convref-golden-1' 's/convref-golden-1/convref-golden-9/'
damaged format 'is not one of those that convref writes' 's/"format": "npy"/"format": "mat"/'
damaged lanes 'is not one of those that convref writes' 's/"lanes": 1/"lanes": 0/'
damaged seed 'is not one of those that convref writes' 's/"seed": 1/"seed": "1"/'
damaged data 'unknown data of case std-1d' '0,/"data": "integers"/s//"data": "text"/'
damaged problem 'wrong problem of case std-1d' '0,/n=2 c=3 in=11/s//n=2 c=3 in=0/'
damaged name "one that can't be a folder's" 's/"name": "std-1d"/"name": "..\/std-1d"/'
damaged hidden "one that can't be a folder's" 's/"name": "std-1d"/"name": ".std-1d"/'
damaged json 'it is not JSON' '1s/{/[/'
damaged other_bytes 'makes other bytes for case std-1d' '0,/"sha256": "[0-9a-f]/s//"sha256": "0/'
damaged other_seed 'makes other bytes for case std-1d' 's/"seed": 1,/"seed": 3,/'
damaged huge 'wrong problem' '0,/n=2 c=3 in=11/s//n=1099511627776 c=1099511627776 in=11/'
cp -r one changed
printf 'x' | dd of=changed/std-1d/w.npy bs=1 seek=130 conv=notrunc 2> /dev/null
refuses changed_file 4 'convref golden --check changed' 'changed/std-1d/w.npy: its SHA-256 is not that of the manifest'
printf 'x' >> changed/std-1d/w.npy
refuses longer_file 4 'convref golden --check changed' 'bytes, the manifest says'
rm changed/std-1d/w.npy
refuses missing_file 4 'convref golden --check changed' "changed/std-1d/w.npy can't be opened"
sed 's/"path": "std-1d\/w.npy"/"path": "..\/w.npy"/' one/manifest.json > changed/manifest.json
refuses path_upwards 4 'convref golden --check changed' "the path '../w.npy' leads out of the folder"
mkdir -p bad-hex/q-std-u8
for row in 'words:zz:is not a hexadecimal number' 'long:123:is not a hexadecimal number' 'few:12:has 1 of 270 elements'; do
    content=${row#*:}
    printf '%s\n' "${content%%:*}" > bad-hex/q-std-u8/y.hex
    refuses "hex_${row%%:*}" 4 'convref verify --golden in-hex --theirs bad-hex' "${content#*:}"
done
{ cat in-hex/q-std-u8/y.hex; echo 00; } > bad-hex/q-std-u8/y.hex
refuses hex_many 4 'convref verify --golden in-hex --theirs bad-hex' 'is one too many'
finish
