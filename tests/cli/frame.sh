# shellcheck shell=sh
# frame.sh - what the shell tests share: the program, a folder to work in, counting, a JUnit file.   Sourced, not run.
#
# A test sets `suite` and sources this.  It then runs in an empty folder of its own, with `convref` in the path, and
# calls pass, fail or skip once for each case, and finish at the end.  The last line that it prints,
# "SUITE: 12 passed, 0 failed, 1 skipped", is what `make check` adds up.
#
#   CONVREF   the program [./convref]
#   srcdir    the top of the sources [.]
#   MODULES   the folder of the shared objects that tests/tests.mk builds for the tests [tests/modules]

program=${CONVREF:-./convref}
[ -x "$program" ] || { echo "$suite: there is no program $program; set CONVREF"; exit 99; }
start=$(pwd)
data=$(cd "${srcdir:-.}/tests" && pwd)
source_top=$(dirname "$data")
modules=$(cd "${MODULES:-tests/modules}" 2>/dev/null && pwd) || modules=/nonexistent
junit=$start/$suite-junit.xml
passed=0 failed=0 skipped=0

# Colours, the language and the user's settings must not change what is compared.  Nobody reads the roof, which takes a
# bench 3 seconds; test_cli_bench.sh has one that is whole.
unset CONVREF_ISA CONVREF_PLOTS
CONVREF_NETWORKS=$source_top/networks CONVREF_EXPERIMENTS=$source_top/experiments NO_COLOR=1 LC_ALL=C
CONVREF_QUICK_ROOF=1
# a sanitizer must give NULL for memory that isn't there, as malloc does
ASAN_OPTIONS=allocator_may_return_null=1:${ASAN_OPTIONS:-}
export CONVREF_NETWORKS CONVREF_EXPERIMENTS CONVREF_QUICK_ROOF NO_COLOR LC_ALL ASAN_OPTIONS data source_top modules

work=$(mktemp -d "${TMPDIR:-/tmp}/convref-test-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/bin"
ln -s "$(cd "$(dirname "$program")" && pwd)/$(basename "$program")" "$work/bin/convref"
PATH=$work/bin:$PATH
export PATH
cd "$work" || exit 99
: > cases.xml

escaped() { printf '%s' "$1" | tr -d '\000-\010\013\014\016-\037' | sed 's/&/\&amp;/g; s/</\&lt;/g; s/"/\&quot;/g'; }

pass()
{
    passed=$((passed + 1))
    echo "  <testcase classname=\"$suite\" name=\"$1\"/>" >> "$work/cases.xml"
}

# skip NAME [WHY]
skip()
{
    skipped=$((skipped + 1))
    echo "skipped $1${2:+: $2}"
    echo "  <testcase classname=\"$suite\" name=\"$1\"><skipped/></testcase>" >> "$work/cases.xml"
}

# fail NAME COMMAND WHAT SEEN
fail()
{
    failed=$((failed + 1))
    printf 'FAILED %s\n    command: %s\n    wrong:   %s\n' "$1" "$2" "$3"
    printf '%s\n' "$4" | head -n 40 | sed 's/^/    | /'
    echo "  <testcase classname=\"$suite\" name=\"$1\"><failure message=\"$(escaped "$3")\"/></testcase>" >> "$work/cases.xml"
}

# Run a command line; its status is in $status, 124 after two minutes (or $patience seconds), its output in the files out
# and err.
run()
{
    command=$1 status=0
    timeout "${patience:-120}" sh -c "$1" > out 2> err < /dev/null || status=$?
}

# expect NAME STATUS COMMAND PATTERN...: the status, and for each pattern a line of the output that it matches.  Patterns
# are extended regular expressions; one that begins with ! must match no line.
expect()
{
    name=$1 wanted=$2
    run "$3"
    shift 3
    wrong=
    [ "$status" = "$wanted" ] || wrong="exit status $status, expected $wanted"
    for pattern; do
        case $pattern in
        '!'*) ! grep -qE -- "${pattern#!}" out || wrong="$wrong; the output has: ${pattern#!}" ;;
        *) grep -qE -- "$pattern" out || wrong="$wrong; the output lacks: $pattern" ;;
        esac
    done
    judge "$name"
}

# same NAME WHAT EXPECTED SEEN: two texts are equal.
same()
{
    wrong=
    [ "$3" = "$4" ] || wrong="$2 is '$4', expected '$3'"
    judge "$1"
}

# Pass or fail, by what is in $wrong.
judge()
{
    if [ -z "$wrong" ]; then pass "$1"; else fail "$1" "$command" "${wrong#; }" "$(cat err out)"; fi
}

# has PROGRAM: true if it is there and runs; pyenv's python3 may be a shim that doesn't.
has() { "$1" --version > /dev/null 2>&1; }

# well_formed json|xml FILE: 0 if it is, 77 without a program that can tell.
well_formed()
{
    if has python3; then
        python3 -c 'import json, sys, xml.dom.minidom as xml
with open(sys.argv[2], encoding="utf-8") as file:
    (json.load if sys.argv[1] == "json" else xml.parse)(file)' "$1" "$2" 2> err
    elif [ "$1" = xml ] && has xmllint; then
        xmllint --noout "$2" 2> err
    else
        return 77
    fi
}

# parses NAME json|xml FILE
parses()
{
    result=0
    well_formed "$2" "$3" || result=$?
    wrong=
    [ "$result" = 0 ] || wrong="$3 is not well-formed $2"
    [ "$3" = out ] || cp "$3" out
    if [ "$result" = 77 ]; then skip "$1" "no python3 or xmllint"; else judge "$1"; fi
}

# cell TSV ROW COLUMN: the cell of a table, by the name in its first column and that of the column.
cell()
{
    awk -F '\t' -v row="$2" -v column="$3" '/^#/ { next }
        !n { for (i = 1; i <= NF; i++) if ($i == column) n = i; next }
        $1 == row { print $n; exit }' "$1"
}

finish()
{
    {
        echo '<?xml version="1.0"?>'
        echo "<testsuite name=\"$suite\" tests=\"$((passed + failed + skipped))\" failures=\"$failed\" skipped=\"$skipped\">"
        cat "$work/cases.xml"
        echo '</testsuite>'
    } > "$junit"
    echo "$suite: $passed passed, $failed failed, $skipped skipped"
    if [ "$failed" -gt 0 ]; then exit 1; else exit 0; fi
}
