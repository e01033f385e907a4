# The nouns.  Nothing here computes a convolution.
include_HEADERS += include/convref.h
convrefinclude_HEADERS += \
	include/convref/base.h \
	include/convref/dtype.h \
	include/convref/problem.h \
	include/convref/tensor.h \
	include/convref/accuracy.h \
	include/convref/isa.h \
	include/convref/device.h \
	include/convref/provider.h \
	include/convref/table.h \
	include/convref/define.h \
	include/convref/kernel.h \
	include/convref/simd.h \
	include/convref/run.h \
	include/convref/machine.h \
	include/convref/reference.h

noinst_LTLIBRARIES += libcore.la
LIBRARY_PARTS += libcore.la

libcore_la_SOURCES = \
	core/words.h core/random.h core/main_output.h core/error.c \
	core/dtype.c \
	core/problem.c core/problem_text.c core/problem_print.c core/problem_json.c \
	core/problem_benchdnn.h core/problem_benchdnn.c \
	core/tensor.c core/operand.c core/fill.c core/accuracy.c \
	core/guarded.h core/guarded.c \
	core/isa.c core/kernel_table.h core/kernel_table.c \
	core/calls.h core/calls.c core/guest.h core/guest.c \
	core/plan.h core/clock.h core/run.c \
	core/machine.c core/roof.h core/roof.c
nodist_libcore_la_SOURCES = core/kernel_rows.c
