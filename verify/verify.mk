# The verifier, the counter, the clock and the program.  What the program does is in the library.
nobase_include_HEADERS += \
	include/convref/npy.h \
	include/convref/count.h \
	include/convref/network.h \
	include/convref/verify.h

noinst_LTLIBRARIES += libverify.la
LIBRARY_PARTS += libverify.la
libverify_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONVREF_NETWORKS_DIR='"$(pkgdatadir)/networks"'
libverify_la_SOURCES = \
	verify/io/output.h verify/io/output.c \
	verify/io/npy.c \
	verify/count/count.c \
	verify/count/network_read.c \
	verify/count/network_totals.h verify/count/network_totals.c \
	verify/sandbox/sandbox.h verify/sandbox/sandbox.c \
	verify/checks/check.h verify/checks/checks.c \
	verify/checks/run_checked.c verify/checks/judge.c verify/checks/guess.c verify/checks/shrink.c \
	verify/checks/verdict.c \
	verify/checks/small.c verify/checks/seams.c verify/checks/threads.c verify/checks/real.c \
	verify/checks/layers.c
