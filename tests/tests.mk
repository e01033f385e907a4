# The tests.  Programs end with 77 when something that they need is missing, and say what.
if HAVE_CUNIT
noinst_LTLIBRARIES += libtest.la
libtest_la_SOURCES = tests/test.h tests/test.c
libtest_la_LIBADD = libconvref.la $(CUNIT_LIBS)

UNIT_TESTS = \
	tests/test_problem
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
LDADD = libtest.la
endif

CLEANFILES += *-junit.xml
