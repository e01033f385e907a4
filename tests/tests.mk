# The tests.  Programs end with 77 when something that they need is missing, and say what.
# tools/count-tests adds up what they print.

# ---- providers that tests load -------------------------------------------------------------------------
PROVIDER_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere

check_LTLIBRARIES += verify/faults/faults.la tests/device.la tests/bad_abi.la tests/bad_size.la tests/bad_name.la \
	tests/bad_run.la tests/bad_pack.la tests/bad_kernels.la

verify_faults_faults_la_SOURCES = verify/faults/faults.c
verify_faults_faults_la_LDFLAGS = $(PROVIDER_LDFLAGS)
tests_device_la_SOURCES = tests/providers/device.c
tests_device_la_LDFLAGS = $(PROVIDER_LDFLAGS)
tests_bad_abi_la_SOURCES = tests/providers/bad.c
tests_bad_abi_la_CPPFLAGS = $(AM_CPPFLAGS) -DBAD=BAD_ABI
tests_bad_abi_la_LDFLAGS = $(PROVIDER_LDFLAGS)
tests_bad_size_la_SOURCES = tests/providers/bad.c
tests_bad_size_la_CPPFLAGS = $(AM_CPPFLAGS) -DBAD=BAD_SIZE
tests_bad_size_la_LDFLAGS = $(PROVIDER_LDFLAGS)
tests_bad_name_la_SOURCES = tests/providers/bad.c
tests_bad_name_la_CPPFLAGS = $(AM_CPPFLAGS) -DBAD=BAD_NAME_TAKEN
tests_bad_name_la_LDFLAGS = $(PROVIDER_LDFLAGS)
tests_bad_run_la_SOURCES = tests/providers/bad.c
tests_bad_run_la_CPPFLAGS = $(AM_CPPFLAGS) -DBAD=BAD_NO_RUN
tests_bad_run_la_LDFLAGS = $(PROVIDER_LDFLAGS)
tests_bad_pack_la_SOURCES = tests/providers/bad.c
tests_bad_pack_la_CPPFLAGS = $(AM_CPPFLAGS) -DBAD=BAD_NO_PACK
tests_bad_pack_la_LDFLAGS = $(PROVIDER_LDFLAGS)
tests_bad_kernels_la_SOURCES = tests/providers/bad.c
tests_bad_kernels_la_CPPFLAGS = $(AM_CPPFLAGS) -DBAD=BAD_NO_KERNELS
tests_bad_kernels_la_LDFLAGS = $(PROVIDER_LDFLAGS)

# ---- CUnit suites ----------------------------------------------------------------------------------------
if HAVE_CUNIT
noinst_LTLIBRARIES += libtest.la
libtest_la_SOURCES = tests/test.h tests/test.c tests/random_problem.h tests/random_problem.c
libtest_la_CPPFLAGS = $(AM_CPPFLAGS)
libtest_la_LIBADD = libconvref.la $(CUNIT_LIBS)
LDADD = libtest.la

# Under a sanitizer the same tests do less of the same.
if SANITIZED
WATCHED = 1
else
WATCHED = 0
endif
TEST_CPPFLAGS = $(AM_CPPFLAGS) -DSRCDIR='"$(abs_top_srcdir)"' -DBUILDDIR='"$(abs_top_builddir)"' -DWATCHED=$(WATCHED)

UNIT_TESTS = \
	tests/test_problem tests/test_tensor tests/test_npy tests/test_reference tests/test_count \
	tests/test_kernels tests/test_run tests/test_verify tests/test_faults tests/test_accept tests/test_bench tests/test_threads
tests_test_count_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_kernels_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_run_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_verify_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_faults_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_accept_CPPFLAGS = $(TEST_CPPFLAGS)

check_PROGRAMS += $(UNIT_TESTS)
# The thread sanitizer is there for the threads alone: it can't follow the forks of the verifier.
if THREAD_SANITIZER
TESTS += tests/test_threads
else
TESTS += $(UNIT_TESTS)
endif
endif

CLEANFILES += *-junit.xml
EXTRA_DIST += tests/data/other_tools.tsv tools/count-tests

# ---- shared objects for the tests: tests/providers/provider.c, once for each way to be wrong ----------------
TEST_PROVIDERS = good.la wrong_symbol.la wrong_null.la wrong_abi.la wrong_size.la wrong_no_run.la wrong_no_name.la \
	wrong_half_packed.la wrong_name_taken.la last_column_zero.la writes_nan.la writes_outside.la changes_input.la \
	crashes.la hangs.la
check_LTLIBRARIES += $(TEST_PROVIDERS)
TEST_MODULE = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
good_la_SOURCES = tests/providers/provider.c
good_la_LDFLAGS = $(TEST_MODULE)
wrong_symbol_la_SOURCES = tests/providers/provider.c
wrong_symbol_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRONG_SYMBOL
wrong_symbol_la_LDFLAGS = $(TEST_MODULE)
wrong_null_la_SOURCES = tests/providers/provider.c
wrong_null_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRONG_NULL
wrong_null_la_LDFLAGS = $(TEST_MODULE)
wrong_abi_la_SOURCES = tests/providers/provider.c
wrong_abi_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRONG_ABI
wrong_abi_la_LDFLAGS = $(TEST_MODULE)
wrong_size_la_SOURCES = tests/providers/provider.c
wrong_size_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRONG_SIZE
wrong_size_la_LDFLAGS = $(TEST_MODULE)
wrong_no_run_la_SOURCES = tests/providers/provider.c
wrong_no_run_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRONG_NO_RUN
wrong_no_run_la_LDFLAGS = $(TEST_MODULE)
wrong_no_name_la_SOURCES = tests/providers/provider.c
wrong_no_name_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRONG_NO_NAME
wrong_no_name_la_LDFLAGS = $(TEST_MODULE)
wrong_half_packed_la_SOURCES = tests/providers/provider.c
wrong_half_packed_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRONG_HALF_PACKED
wrong_half_packed_la_LDFLAGS = $(TEST_MODULE)
wrong_name_taken_la_SOURCES = tests/providers/provider.c
wrong_name_taken_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRONG_NAME_TAKEN
wrong_name_taken_la_LDFLAGS = $(TEST_MODULE)
last_column_zero_la_SOURCES = tests/providers/provider.c
last_column_zero_la_CPPFLAGS = $(AM_CPPFLAGS) -DLAST_COLUMN_ZERO
last_column_zero_la_LDFLAGS = $(TEST_MODULE)
writes_nan_la_SOURCES = tests/providers/provider.c
writes_nan_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRITES_NAN
writes_nan_la_LDFLAGS = $(TEST_MODULE)
writes_outside_la_SOURCES = tests/providers/provider.c
writes_outside_la_CPPFLAGS = $(AM_CPPFLAGS) -DWRITES_OUTSIDE
writes_outside_la_LDFLAGS = $(TEST_MODULE)
changes_input_la_SOURCES = tests/providers/provider.c
changes_input_la_CPPFLAGS = $(AM_CPPFLAGS) -DCHANGES_INPUT
changes_input_la_LDFLAGS = $(TEST_MODULE)
crashes_la_SOURCES = tests/providers/provider.c
crashes_la_CPPFLAGS = $(AM_CPPFLAGS) -DCRASHES
crashes_la_LDFLAGS = $(TEST_MODULE)
hangs_la_SOURCES = tests/providers/provider.c
hangs_la_CPPFLAGS = $(AM_CPPFLAGS) -DHANGS
hangs_la_LDFLAGS = $(TEST_MODULE)

# ---- the program, from outside ------------------------------------------------------------------------------------
CLI_TESTS = tests/test_bad_input.sh tests/test_cli.sh tests/test_cli_count.sh tests/test_cli_verify.sh \
	tests/test_cli_bench.sh
TESTS += $(CLI_TESTS)
dist_check_SCRIPTS += $(CLI_TESTS)
EXTRA_DIST += tests/bad-input.tsv tests/cli/frame.sh
