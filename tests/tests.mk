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
