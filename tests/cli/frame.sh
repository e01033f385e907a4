# shellcheck shell=sh
# frame.sh - what the shell tests share: the program, a folder to work in, counting, a JUnit file.   Sourced, not run.
#
# A test sets `suite` and sources this.  It then runs in an empty folder of its own, with `convref` in the path, and
# calls pass, fail or skip once for each case, and finish at the end.  The last line that it prints,
# "SUITE: 12 passed, 0 failed, 1 skipped", is what `make check` adds up.
#
#   CONVREF   the program [./convref]
#   srcdir    the top of the sources [.]
#   MODULES   the folder of the shared objects that tests/tests.mk builds for the tests [.libs]

program=${CONVREF:-./convref}
[ -x "$program" ] || { echo "$suite: there is no program $program; set CONVREF"; exit 99; }
start=$(pwd)
data=$(cd "${srcdir:-.}/tests" && pwd)
source_top=$(dirname "$data")
modules=$(cd "${MODULES:-.libs}" 2>/dev/null && pwd) || modules=/nonexistent
junit=$start/$suite-junit.xml
passed=0 failed=0 skipped=0

# Colours, the language and the user's settings must not change what is compared.
unset CONVREF_ISA CONVREF_PLOTS
CONVREF_NETWORKS=$source_top/networks NO_COLOR=1 LC_ALL=C
# a sanitizer must give NULL for memory that isn't there, as malloc does
ASAN_OPTIONS=allocator_may_return_null=1:${ASAN_OPTIONS:-}
export CONVREF_NETWORKS NO_COLOR LC_ALL ASAN_OPTIONS data source_top modules

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
