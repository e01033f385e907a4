#!/bin/sh
# test_docs.sh - the documents tell the truth: every example in them is typed again, and every link leads somewhere.
#
# A fenced block of the language `console` is a conversation: lines that begin with "$ " are commands, what follows is what
# they print.  Seconds, and how near the worst error came, differ from machine to machine and are not compared; a line
# "..." stands for the rest.   Not here: blocks of the language `text`, which were shortened by hand.
set -eu

suite=test_docs   # for the frame
# shellcheck source=tests/cli/frame.sh
. "${srcdir:-.}/tests/cli/frame.sh"

# as in a clone: the documents' commands name these
for folder in include examples networks tests; do ln -s "$source_top/$folder" "$folder"; done

# What is compared: without blanks at the ends of lines, times and worst errors; and without what check "huge" had time for.
comparable()
{
    sed -E 's/[0-9]+\.[0-9]+ s *$/N s/; s/worst error [0-9.e-]+/worst error N/; s/ huge [0-9]+ / huge N /; /^    huge  /d; s/ +$//'
}

# converse NAME: type the commands of the file `block`, compare what they print.
converse()
{
    : > wanted; : > typed
    command=
    wrong=
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        '$ '*)
            compare
            command=${line#??} ;;
        *) printf '%s\n' "$line" >> wanted ;;
        esac
    done < block
    compare
    judge "$1"
}

# Run $command, which is empty before the first, and compare its output with `wanted`.
compare()
{
    if [ -n "$command" ] && [ -z "$wrong" ]; then
        timeout 300 sh -c "$command" > typed 2> err < /dev/null || true
        if [ "$(tail -n 1 wanted)" = ... ]; then
            lines=$(($(wc -l < wanted) - 1))
            head -n "$lines" wanted > shorter && mv shorter wanted
            head -n "$lines" typed > shorter && mv shorter typed
        fi
        comparable < wanted > out.wanted
        comparable < typed > out
        cmp -s out out.wanted || { wrong="$command prints something else"; diff out.wanted out > differences || true; mv differences out; }
    fi
    : > wanted
}

# conversations DOCUMENT: all of its blocks, in order, in one folder.
conversations()
{
    number=0
    awk -v name="$work/conversation" '
        /^```console$/ { inside = 1; count++; next }
        /^```$/ { inside = 0; next }
        inside { print > (name "-" count) }' "$source_top/$1"
    while [ -f "$work/conversation-$((number + 1))" ]; do
        number=$((number + 1))
        mv "$work/conversation-$number" block
        converse "$1 example $number"
    done
}

# links DOCUMENT: every relative link names a file.
links()
{
    command="the links of $1"
    wrong=
    : > out; : > err
    grep -oE '\]\([^)#:]+[)#]' "$source_top/$1" | sed 's/^](//; s/.$//' | sort -u > targets || true
    while read -r target; do
        [ -e "$source_top/$(dirname "$1")/$target" ] || { wrong="a link leads nowhere"; echo "$target" >> out; }
    done < targets
    judge "$1 links"
}

documents="README.md CONTRIBUTING.md $(cd "$source_top" && ls docs/*.md experiments/*.md)"
reads_onnx=$(convref count tests/data/small.onnx --in 8x8 > /dev/null 2>&1 && echo yes) || :
for document in $documents; do
    case $document,$reads_onnx in
    docs/onnx.md,) skip "$document" "no libprotobuf-c" ;;
    *) conversations "$document" ;;
    esac
    links "$document"
done

# ---- the build's shell ------------------------------------------------------------------------------------------
expect activate 0 "cd / && . '$start/activate' && command -v convref && convref count 'c=8 in=8 k=8 filter=1' -f tsv" \
    "^$start/convref\$" '^params.64'
if [ -n "${PYTHON:-}" ] && [ -e "$start/.libs/libconvref.so" ]; then
    expect activate_python 0 "cd / && PATH=/nowhere && . '$start/activate' && python3 -c 'import convref; print(convref.count(\"c=8 in=8 k=8 filter=1\")[\"params\"])'" '^64$'
fi

# ---- tables that tools write ---------------------------------------------------------------------------------
expect update_tables 0 "$source_top/tools/update-tables --check" '!aren.t those of the results'
run "$source_top/tools/make-kernel-table 'a' one.c two.c"
same make_kernel_table 'its rows' '&kernel_one__a, "one.c"' "$(grep -o '&kernel_one__a, "one.c"' out)"

# ---- examples --------------------------------------------------------------------------------------------------
# The library's own: against the archive of the build tree, if there is one.
library=$(ls "$start/.libs/libconvref.a" 2> /dev/null || true)
if [ -n "$library" ]; then
    run "cc -std=gnu11 -Wall -Wextra -Werror -Iinclude examples/library.c '$library' -ljansson -lhwloc -lm -fopenmp -o library && ./library"
    same example_library 'its output' '1152 parameters, 1179648 multiply-adds
first output 58; all 16384 outputs are the same, bit for bit' "$(cat out)"
    run "cc -std=gnu11 -Wall -Wextra -Werror -Iinclude examples/unsynchronised.c '$library' -ljansson -lhwloc -lm -fopenmp -o early && ./early"
    same example_unsynchronised 'what it prints last' 'outputs, looked at when it was done: right' "$(tail -n 1 out)"
else
    skip example_library "no static library (configured with --disable-static?)"
fi
finish
