# shellcheck shell=sh
# cuda_modules.sh - what the tests of CUDA share: the folder of the modules, and the names of the rungs.   Sourced after
# frame.sh.  Without the modules there is nothing to test, and the test ends.

cuda=$start/cuda
if [ ! -f "$cuda/cuda-emulated.so" ]; then
    skip emulated "there was no C++20 compiler"
    finish
fi
rungs=$(sed -n 's,^\t*cuda/[a-z]*/\(cuda_[a-z0-9_]*\)\.cu.*,\1,p' "$source_top/cuda/cuda.mk")
