# The tests.  Programs end with 77 when something that they need is missing, and say what.
if HAVE_CUNIT
noinst_LTLIBRARIES += libtest.la
libtest_la_SOURCES = tests/test.h tests/test.c tests/random_problem.h tests/random_problem.c
libtest_la_CPPFLAGS = $(AM_CPPFLAGS)
libtest_la_LIBADD = libconvref.la $(CUNIT_LIBS)

UNIT_TESTS = \
	tests/test_problem tests/test_tensor tests/test_npy tests/test_reference tests/test_count
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
LDADD = libtest.la
tests_test_count_CPPFLAGS = $(AM_CPPFLAGS) -DSRCDIR='"$(abs_top_srcdir)"'
endif

CLEANFILES += *-junit.xml
