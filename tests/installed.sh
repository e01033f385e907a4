#!/bin/sh
# installed.sh - is what `make install` put there usable?  Run by `make installcheck`.
# Usage: installed.sh DESTDIR BINDIR LIBDIR PKGCONFIGDIR CC SANITIZER PYTHON PYTHONDIR EXAMPLES INCLUDEDIR
#
# The program finds its networks and plots; a C program finds headers and library by pkg-config; Python finds the module.
# The last line counts, as that of other tests.
set -eu
destdir=$1 bindir=$1$2 libdir=$1$3 pkgconfigdir=$1$4 compiler=$5 sanitizer=$6 python=$7 pythondir=$1$8 examples=$9
headers=$destdir${10}
examples=$(cd "$examples" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset CONVREF_NETWORKS CONVREF_EXPERIMENTS CONVREF_PLOTS
passed=0 wanted=

# check WHAT COMMAND...: its output must have what is in $wanted
check() {
    what=$1
    shift
    output=$("$@" 2>&1) || { echo "installcheck: $what failed: $output"; exit 1; }
    case $output in
    *"$wanted"*) passed=$((passed + 1)) ;;
    *) echo "installcheck: $what printed: $output"; exit 1 ;;
    esac
}

wanted='convref ' check "the program" "$bindir/convref" --version
if [ -z "$destdir" ]; then   # with DESTDIR nothing is where it will be
    wanted='4,672' check "an experiment" "$bindir/convref" experiment leimao-counts --counts
    wanted='4,231,976' check "counting a network" "$bindir/convref" count mobilenet_v1 mobilenet_v2
    if command -v gnuplot >/dev/null; then
        "$bindir/convref" count mobilenet_v1 mobilenet_v2 --format tsv --output networks.tsv
        wanted='networks.svg' check "a plot" "$bindir/convref" plot networks networks.tsv
    fi
    PKG_CONFIG_PATH=$pkgconfigdir${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    export PKG_CONFIG_PATH
    # shellcheck disable=SC2086,SC2046
    $compiler $sanitizer "$examples/library.c" $(pkg-config --cflags --libs convref) -o library
    wanted='the same, bit for bit' check "a C program" env LD_LIBRARY_PATH="$libdir" ./library
    if command -v cmake > /dev/null && [ -z "$sanitizer" ] && [ -e "$libdir/libconvref.so" ]; then
        mkdir with-cmake
        printf '%s\n' 'cmake_minimum_required(VERSION 3.10)' 'project(test C)' 'find_package(convref 0.1.0 REQUIRED)' \
            "add_executable(library $examples/library.c)" 'target_link_libraries(library convref::convref)' \
            > with-cmake/CMakeLists.txt
        cmake -S with-cmake -B with-cmake/build -DCMAKE_PREFIX_PATH="${libdir%/lib*}" > cmake.log 2>&1 \
            && cmake --build with-cmake/build > cmake.log 2>&1 || cat cmake.log
        wanted='the same, bit for bit' check "a program built by CMake" with-cmake/build/library
    fi
    if [ -n "$python" ] && [ -z "$sanitizer" ]; then
        wanted='4672' check "the Python module" env PYTHONPATH="$pythondir" PYTHONDONTWRITEBYTECODE=1 "$python" -c \
            'import convref; print(convref.count("c=8 in=128x128 k=64 filter=3x3 bias=1")["params"])'
    fi
fi
if [ -f "$libdir/libconvref.a" ] && command -v nm >/dev/null; then
    others=$(nm -g --defined-only "$libdir/libconvref.a" | awk 'NF == 3 && $3 !~ /^conv_/ { print $3 }')
    wanted='0 others' check "the static library's symbols" echo "$(printf '%s' "$others" | grep -c .) others: $others"
fi
if command -v c++ >/dev/null; then
    printf '#include <convref.h>\n#include <convref/simd.h>\nint main() { return conv_version() == 0; }\n' > cxx.cc
    wanted='' check "the headers in C++" c++ -std=c++11 -Wall -Wextra -pedantic -Werror -I"$headers" -fsyntax-only cxx.cc
fi
echo "installcheck: $passed passed, 0 failed, 0 skipped"
