# convref.m4 - the questions that configure.ac asks more than once.

# CONVREF_TRY_CFLAGS(VARIABLE, FLAGS): those of FLAGS that the compiler takes
AC_DEFUN([CONVREF_TRY_CFLAGS], [
  $1=
  for flag in $2; do
    AC_MSG_CHECKING([whether $CC takes $flag])
    saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $flag -Werror"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [flag_works=yes], [flag_works=no])
    CFLAGS=$saved_CFLAGS
    AC_MSG_RESULT([$flag_works])
    AS_IF([test $flag_works = yes], [$1="$$1 $flag"])
  done])

# CONVREF_ISA(name, NAME, FLAGS, PROGRAM): --disable-name, NAME_CFLAGS, HAVE_NAME_BUILD
AC_DEFUN([CONVREF_ISA], [
  AC_ARG_ENABLE([$1], [AS_HELP_STRING([--disable-$1], [compile no kernels for $2])], [], [enable_$1=auto])
  have_$1=no
  AS_IF([test "x$enable_$1" != xno], [
    AC_MSG_CHECKING([whether $CC compiles for $2])
    saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $3"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <immintrin.h>]], [[$4]])], [have_$1=yes])
    CFLAGS=$saved_CFLAGS
    AC_MSG_RESULT([$have_$1])])
  AS_IF([test "x$enable_$1$have_$1" = xyesno], [AC_MSG_ERROR([$2 was asked for, and $CC can't compile for it])])
  AS_IF([test $have_$1 = yes], [
    AC_DEFINE([HAVE_$2_BUILD], [1], [Define if kernels are compiled for $2.])
    isa_summary="$isa_summary, $1"])
  AC_SUBST([$2_CFLAGS], ["$3"])
  AM_CONDITIONAL([HAVE_$2], [test $have_$1 = yes])])

# CONVREF_WITH_MODULE(name, NAME, pkg-config module, what needs it)
AC_DEFUN([CONVREF_WITH_MODULE], [
  AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1], [use $1 @<:@auto@:>@; needed by $4])], [], [with_$1=auto])
  have_$1=no
  AS_IF([test "x$with_$1" != xno], [PKG_CHECK_MODULES([$2], [$3], [have_$1=yes], [have_$1=no])])
  AS_IF([test "x$with_$1$have_$1" = xyesno], [AC_MSG_ERROR([$1 was asked for and is missing])])
  AS_IF([test $have_$1 = yes], [$1_summary=yes], [$1_summary="no: $4 left out"])
  AM_CONDITIONAL([HAVE_$2], [test $have_$1 = yes])])

# Reading ONNX needs a library and the program that makes C of its messages.
AC_DEFUN([CONVREF_ONNX], [
  AC_ARG_WITH([onnx], [AS_HELP_STRING([--with-onnx], [read ONNX models and tensors @<:@auto@:>@; needs libprotobuf-c and protoc-c])],
    [], [with_onnx=auto])
  have_onnx=no
  AS_IF([test "x$with_onnx" != xno], [
    AC_PATH_PROG([PROTOC_C], [protoc-c])
    PKG_CHECK_MODULES([PROTOBUF_C], [libprotobuf-c >= 1.3], [AS_IF([test -n "$PROTOC_C"], [have_onnx=yes])], [:])])
  AS_IF([test "x$with_onnx$have_onnx" = xyesno], [AC_MSG_ERROR([ONNX was asked for, and libprotobuf-c or protoc-c is missing])])
  AS_IF([test $have_onnx = yes], [onnx_summary="yes, with libprotobuf-c"], [onnx_summary="no: .onnx and .pb files left out"
    PROTOBUF_C_CFLAGS= PROTOBUF_C_LIBS=])
  AM_CONDITIONAL([HAVE_ONNX], [test $have_onnx = yes])])

# CONVREF_WITH_PROGRAM(name, VARIABLE, program, what needs it)
AC_DEFUN([CONVREF_WITH_PROGRAM], [
  AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1], [use $1 @<:@auto@:>@; needed by $4])], [], [with_$1=auto])
  AS_IF([test "x$with_$1" != xno], [AC_PATH_PROG([$2], [$3])])
  AS_IF([test "x$with_$1" = xyes && test -z "$$2"], [AC_MSG_ERROR([$1 was asked for and is missing])])
  AS_IF([test -n "$$2"], [$1_summary=$$2], [$1_summary="no: $4 left out"])
  AM_CONDITIONAL([HAVE_$2], [test -n "$$2"])])

# The Python that has NumPy: the one on PATH often hasn't, while the system's has.
AC_DEFUN([CONVREF_PYTHON], [
  AC_ARG_VAR([PYTHON], [Python 3 with NumPy, for the bindings' tests and the notebook])
  AC_ARG_WITH([python], [AS_HELP_STRING([--with-python], [test the Python module @<:@auto@:>@])], [], [with_python=auto])
  python_summary="no: the Python module is installed, but not tested"
  AS_IF([test "x$with_python" != xno], [
    AC_MSG_CHECKING([for a Python 3 with NumPy])
    for candidate in $PYTHON python3 /usr/bin/python3; do
      AS_IF(["$candidate" -c 'import sys, numpy; sys.exit(sys.version_info < (3, 8))' 2>/dev/null],
        [PYTHON=$candidate; python_summary=$candidate; break])
    done
    AS_CASE([$python_summary], [no*], [AC_MSG_RESULT([no])], [AC_MSG_RESULT([$python_summary])])])
  AS_CASE(["x$with_python$python_summary"], [xyesno*], [AC_MSG_ERROR([Python was asked for; none with NumPy was found])])
  AM_CONDITIONAL([HAVE_PYTHON], [test "x$python_summary" = "x$PYTHON"])
  # Under --prefix, where that Python looks when PREFIX is one of its own.  Debian's calls the folder dist-packages.
  AC_ARG_WITH([pythondir], [AS_HELP_STRING([--with-pythondir=DIR], [where the Python module goes @<:@PREFIX/lib/pythonX.Y/site-packages or dist-packages; without Python DATADIR/convref/python@:>@])],
    [pythondir=$withval],
    [AS_IF([test "x$python_summary" = "x$PYTHON"],
      [pythondir='${prefix}/lib/'`"$PYTHON" -c '
import sys, sysconfig
debian = sysconfig.get_path("purelib").endswith("dist-packages")
print("python%d.%d/%s-packages" % (*sys.version_info@<:@:2@:>@, "dist" if debian else "site"))'`],
      [pythondir='${pkgdatadir}/python'])])
  AC_SUBST([pythondir])])

# CONVREF_CUDA_PEER(name, NAME, header, call): a library of NVIDIA's that the toolkit has, or that lies beside it
AC_DEFUN([CONVREF_CUDA_PEER], [
  have_$1=no
  AS_IF([test -n "$NVCC"], [
    AC_MSG_CHECKING([for $1])
    saved_CPPFLAGS=$CPPFLAGS saved_LIBS=$LIBS
    CPPFLAGS="$CPPFLAGS -I$CUDA_ROOT/include"
    LIBS="-L$CUDA_LIBDIR -l$1 -lcudart $LIBS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$3>]], [[return (int)$4;]])], [have_$1=yes])
    CPPFLAGS=$saved_CPPFLAGS LIBS=$saved_LIBS
    AC_MSG_RESULT([$have_$1])])
  AS_IF([test $have_$1 = yes], [cuda_peers="$cuda_peers${cuda_peers:+, }$1"])
  AM_CONDITIONAL([HAVE_$2], [test $have_$1 = yes])])

# oneDNN for this CPU, whose threads are GCC's OpenMP's in every distribution
AC_DEFUN([CONVREF_ONEDNN], [
  AC_MSG_CHECKING([for oneDNN 2 or 3])
  have_onednn=no onednn_summary="no: libdnnl-dev (Debian, Ubuntu) or onednn-devel (Fedora) has it"
  ONEDNN_LIBS="-ldnnl -lgomp"
  saved_LIBS=$LIBS LIBS="$ONEDNN_LIBS $LIBS"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <dnnl.h>
void omp_set_num_threads(int);
#if DNNL_VERSION_MAJOR != 2 && DNNL_VERSION_MAJOR != 3
#error another interface
#endif]], [[omp_set_num_threads(1); return dnnl_version()->major;]])], [have_onednn=yes onednn_summary=onednn])
  LIBS=$saved_LIBS
  AC_MSG_RESULT([$have_onednn])
  AC_SUBST([ONEDNN_LIBS])
  AM_CONDITIONAL([HAVE_ONEDNN], [test $have_onednn = yes])])

# The rungs of CUDA: for the emulator with a C++ compiler, for cards with the toolkit.  Neither is needed by the library.
AC_DEFUN([CONVREF_CUDA], [
  AC_ARG_WITH([cuda], [AS_HELP_STRING([--with-cuda=DIR], [compile kernels for cards with the CUDA toolkit, which is in DIR or found; no: leave it out @<:@auto@:>@])],
    [], [AS_IF([test "x$cross_compiling" = xyes], [with_cuda=no], [with_cuda=auto])])   # a toolkit found here is for here
  AS_CASE(["x$with_cuda"],
    [xno], [NVCC=],
    [xyes | xauto], [AC_PATH_PROG([NVCC], [nvcc], [], [$PATH:${CUDA_HOME:-/usr/local/cuda}/bin:/usr/local/cuda/bin:/opt/cuda/bin])],
    [NVCC=$with_cuda/bin/nvcc; AS_IF([test ! -x "$NVCC"], [AC_MSG_ERROR([there is no $NVCC: --with-cuda=DIR wants the folder that has bin/nvcc])])])
  AS_IF([test "x$with_cuda" = xyes && test -z "$NVCC"], [AC_MSG_ERROR([CUDA was asked for and nvcc is missing])])
  AC_SUBST([NVCC])
  AS_IF([test -n "$NVCC"],
    [cuda_summary=$NVCC
     CUDA_ROOT=`dirname "$NVCC"`/..
     CUDA_LIBDIR=$CUDA_ROOT/lib64
     test -d "$CUDA_LIBDIR" || CUDA_LIBDIR=$CUDA_ROOT/lib],
    [cuda_summary="no: kernels run in the emulator only"])
  AC_SUBST([CUDA_LIBDIR])
  AC_SUBST([CUDA_INCLUDEDIR], [$CUDA_ROOT/include])
  AM_CONDITIONAL([HAVE_CUDA], [test -n "$NVCC"])
  CONVREF_CUDA_PEER([cudnn], [CUDNN], [cudnn.h], [cudnnGetVersion()])
  CONVREF_CUDA_PEER([cublas], [CUBLAS], [cublas_v2.h], [cublasGetCudartVersion()])
  : ${cuda_peers:="no: peers on a card are left out"}

  AC_ARG_VAR([CXX], [C++20 compiler, for the emulator of CUDA])
  AC_ARG_VAR([CXXFLAGS], [flags of the C++ compiler])
  : ${CXXFLAGS="-g"}
  AC_CHECK_TOOLS([CXX], [g++ clang++ c++], [])
  AC_MSG_CHECKING([for a C++20 compiler, for the emulator of CUDA])
  emulator_summary="no: it takes a C++20 compiler, such as g++ 10"
  cat > conftest.cc <<'EOF'
struct sizes { int a, b; };
template <int N> auto f(sizes s) { if constexpr (N > 0) return s.a; else return s.b; }
static thread_local int shared[[4]];
int main() { shared[[0]] = f<1>({ .a = 0, .b = 1 }); return shared[[0]]; }
EOF
  AS_IF([test -n "$CXX" && $CXX -std=c++20 -fPIC -fsanitize=thread -c conftest.cc -o conftest.o 2>/dev/null],
    [emulator_summary=$CXX])
  rm -f conftest.cc conftest.o
  AC_MSG_RESULT([$emulator_summary])
  AM_CONDITIONAL([HAVE_CXX], [test "x$emulator_summary" = "x$CXX"])])
