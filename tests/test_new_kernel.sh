#!/bin/sh
# test_new_kernel.sh - a new kernel is one file and one line, and nothing else.
#
# A step is copied under a new name and its line added to the list; the table is made from that list, and the program
# linked with the two new objects and everything else as it was.  The new kernel must then be listed, shown, verified and
# timed.   Not here: that headers and documents agree with the table (test_kernels.c).
set -eu

suite=test_new_kernel   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

compiler=${NEW_KERNEL_CC:-cc -std=gnu11 -O2}
libraries=${NEW_KERNEL_LIBS:--ljansson -lhwloc -lm -fopenmp}
if [ -n "${SANITIZED:-}" ] || [ ! -f "$start/.libs/libconvref.a" ]; then
    skip new_kernel "a sanitizer, or no static library"
    finish
fi

# the file
mkdir -p optimized/standard core
sed 's/std_01_direct/new_01_kernel/; s/\.title = .*/.title = "a new kernel of the tests",/' \
    "$source_top/optimized/standard/std_01_direct.c" > optimized/standard/new_01_kernel.c

# the line: what kernels.mk would have
list() { sed -n 's/^[[:space:]]*\([a-z]*\/[a-z0-9_/]*\.c\).*/\1/p' "$source_top/$1"; }
# lists of files are meant to be split
# shellcheck disable=SC2046
sh "$source_top/tools/make-kernel-table" "f32 f64" $(list reference/kernels.mk) -- \
    "${NEW_KERNEL_BUILDS:-baseline}" $(list optimized/kernels.mk | grep -v roof_loops) \
    -- baseline optimized/standard/new_01_kernel.c > core/kernel_rows.c

flags="-I$source_top/include -I$source_top -fvisibility=hidden"
run "$compiler $flags -DCONV_VARIANT=__baseline -c optimized/standard/new_01_kernel.c -o new.o &&
    $compiler $flags -c core/kernel_rows.c -o rows.o &&
    $compiler -rdynamic new.o rows.o $start/verify/program/convref.o $start/.libs/libverbs.a \
        $start/.libs/libconvref.a $libraries -o bin/plus"
same builds 'the status of the compiler' 0 "$status"

run 'convref list --format=tsv | tail -n +2 | wc -l'
before=$(cat out)
run 'plus list --format=tsv | tail -n +2 | wc -l'
same listed 'the number of kernels' "$((before + 1))" "$(cat out)"
expect named 0 'plus list "new_*"' '^new_01_kernel  +a new kernel of the tests'
expect shown 0 'plus show new_01_kernel' 'optimized/standard/new_01_kernel\.c'
expect verified 0 'plus verify -k new_01_kernel --check=seams' '^ACCEPT  +new_01_kernel'
expect timed 0 'plus bench -k "std_01_direct,new_*" --rounds=1 --turn=1 --patience=10 "c=4 in=8x8 k=4 filter=3x3"' \
    '^new_01_kernel '
finish
