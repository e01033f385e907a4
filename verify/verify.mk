# The verifier, the counter, the clock and the program.  What the program does is in the library.
convrefinclude_HEADERS += \
	include/convref/npy.h \
	include/convref/count.h \
	include/convref/network.h \
	include/convref/convention.h \
	include/convref/verify.h \
	include/convref/bench.h \
	include/convref/layout.h

noinst_LTLIBRARIES += libverify.la
LIBRARY_PARTS += libverify.la
libverify_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONVREF_NETWORKS_DIR='"$(pkgdatadir)/networks"'
libverify_la_SOURCES = \
	verify/io/output.h verify/io/output.c \
	verify/io/npy.c verify/io/layout.c \
	verify/io/element.h verify/io/element.c verify/io/stored.h verify/io/stored.c \
	verify/io/tensor_file.h verify/io/tensor_file.c \
	verify/io/npz.c verify/io/safetensors.c verify/io/raw.c \
	verify/golden/golden.h verify/golden/cases.c verify/golden/quantised.c \
	verify/golden/requantise.h verify/golden/requantise.c \
	verify/golden/render.c verify/golden/render_npz.c verify/golden/render_onnx.c verify/golden/sha256.c \
	verify/golden/manifest.c verify/golden/folder.c verify/golden/judge.c \
	verify/io/table.h verify/io/table.c verify/io/tsv.h verify/io/tsv.c \
	verify/count/count.c verify/count/convention.c \
	verify/count/network_reader.h verify/count/network_line.c verify/count/network_infer.c verify/count/network_read.c \
	verify/count/network_totals.h verify/count/network_totals.c \
	verify/bench/bench.c \
	verify/sandbox/sandbox.h verify/sandbox/sandbox.c \
	verify/sandbox/environment.h verify/sandbox/environment.c \
	verify/sandbox/folder.h verify/sandbox/folder.c \
	verify/checks/check.h verify/checks/checks.c verify/checks/forked.c \
	verify/checks/run_checked.c verify/checks/judge.c verify/checks/guess.c verify/checks/shrink.c \
	verify/checks/verdict.c verify/checks/one_tensor.c \
	verify/checks/small.c verify/checks/seams.c verify/checks/threads.c verify/checks/real.c \
	verify/checks/cover.h verify/checks/cover.c verify/checks/covering.c \
	verify/checks/probe.h verify/checks/probe.c verify/checks/probes.c verify/checks/special.c verify/checks/limits.c verify/checks/arithmetic.c \
	verify/checks/checksum.h verify/checks/checksum.c verify/checks/large.c \
	verify/checks/spots.h verify/checks/spots.c \
	verify/checks/layers.c verify/checks/parallel.c \
	verify/checks/turns.c \
	verify/checks/command.h verify/checks/command.c verify/checks/command_set.c

# ---- ONNX: messages are C that protoc-c makes of onnx.proto --------------------------------------------
noinst_LTLIBRARIES += libonnx.la
LIBRARY_PARTS += libonnx.la
ONNX_MESSAGES = verify/onnx/onnx.pb-c.c verify/onnx/onnx.pb-c.h
libonnx_la_CPPFLAGS = $(AM_CPPFLAGS)
if HAVE_ONNX
libonnx_la_SOURCES = verify/onnx/onnx.h verify/onnx/model.h verify/onnx/read.c verify/onnx/tensor.c \
	verify/onnx/conv_node.c verify/onnx/case.c verify/onnx/judge.c \
	verify/onnx/graph.h verify/onnx/graph.c verify/onnx/network.c \
	verify/onnx/infer.h verify/onnx/infer.c verify/onnx/infer_layers.c verify/onnx/infer_elements.c \
	verify/onnx/infer_shapes.c
nodist_libonnx_la_SOURCES = $(ONNX_MESSAGES)
# both files at once, by way of one; a header that was removed is made again
verify/onnx/onnx.pb-c.c: $(top_srcdir)/verify/onnx/onnx.proto
	$(AM_V_GEN)$(MKDIR_P) verify/onnx && $(PROTOC_C) --proto_path=$(top_srcdir) --c_out=. verify/onnx/onnx.proto
verify/onnx/onnx.pb-c.h: verify/onnx/onnx.pb-c.c
	@test -f $@ || { rm -f $<; $(MAKE) $(AM_MAKEFLAGS) $<; }
$(libonnx_la_OBJECTS): verify/onnx/onnx.pb-c.h
BUILT_SOURCES += $(ONNX_MESSAGES)
CLEANFILES += $(ONNX_MESSAGES)
else
libonnx_la_SOURCES = verify/onnx/onnx.h verify/onnx/without.c
endif
EXTRA_DIST += verify/onnx/onnx.proto verify/onnx/without.c

# ---- the program: one file for each verb --------------------------------------------------------------
# The verbs are a library for the program and for tests/fuzz/fuzz_cli.c; it isn't installed.
noinst_LTLIBRARIES += libverbs.la
libverbs_la_SOURCES = \
	verify/cli/verbs.h verify/cli/cli.h verify/cli/cli.c verify/cli/names.h verify/cli/names.c \
	verify/cli/operands.h verify/cli/operands.c verify/cli/results.h verify/cli/results.c \
	verify/report/study.h verify/report/study.c verify/report/style.h verify/report/page.c \
	verify/cli/plots.h verify/cli/plots.c verify/cli/alloc_count.h verify/cli/alloc_count.c \
	verify/cli/cmd_list.c verify/cli/cmd_show.c verify/cli/cmd_explain.c verify/cli/cmd_count.c \
	verify/cli/cmd_run.c verify/cli/cmd_verify.c verify/cli/self.h verify/cli/self.c verify/cli/cmd_bench.c \
	verify/cli/cmd_plot.c verify/cli/cmd_report.c verify/cli/cmd_doctor.c \
	verify/cli/cmd_golden.c verify/cli/golden_verify.h verify/cli/golden_verify.c \
	verify/cli/onnx_verify.h verify/cli/onnx_verify.c \
	verify/cli/reports.h verify/cli/reports.c verify/cli/tap.h verify/cli/tap.c
libverbs_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONVREF_PLOTS_DIR='"$(pkgdatadir)/plots"' \
	-DCONVREF_PROOF_DIR='"$(pkglibdir)"'
bin_PROGRAMS = convref
convref_SOURCES = verify/cli/convref.c
convref_LDADD = libverbs.la libconvref.la
# static, so that ./convref is the program itself and not a script of libtool's; it exports the public functions to
# the providers that it loads
convref_LDFLAGS = $(AM_LDFLAGS) $(OPENMP_CFLAGS) -static -export-dynamic

plotsdir = $(pkgdatadir)/plots
dist_plots_DATA = verify/plot/speedup.gp verify/plot/roofline.gp verify/plot/ratio.gp verify/plot/networks.gp

# ---- the verifier's proof, for `convref verify --self`: a provider of wrong kernels, and one of right ones ---------
FAULT_FILES = \
	verify/faults/faults.c verify/faults/channels.c verify/faults/geometry.c verify/faults/gradients.c \
	verify/faults/stages.c verify/faults/memory.c verify/faults/precision.c verify/faults/threads.c \
	verify/faults/naive.c
NAIVE_FILES = verify/faults/faults.h verify/faults/naive.h
AWKWARD_FILES = verify/accept/awkward.c verify/accept/transforms.c verify/faults/naive.c
EXTRA_DIST += $(FAULT_FILES) $(NAIVE_FILES) verify/accept/awkward.c verify/accept/transforms.c \
	verify/accept/transforms.h tools/faults-table tools/mutate
proofdir = $(pkglibdir)
proof_DATA = verify/faults.so verify/awkward.so
verify/faults.so: $(FAULT_FILES) $(NAIVE_FILES) include/convref/kernel.h include/convref/problem.h
	$(AM_V_GEN)$(MKDIR_P) verify && sources= && for s in $(FAULT_FILES); do \
	    sources="$$sources $(srcdir)/$$s"; done && $(COMPILE_MODULE) -o $@ $$sources -lm
verify/awkward.so: $(AWKWARD_FILES) $(NAIVE_FILES) verify/accept/transforms.h include/convref/kernel.h include/convref/problem.h
	$(AM_V_GEN)$(MKDIR_P) verify && sources= && for s in $(AWKWARD_FILES); do \
	    sources="$$sources $(srcdir)/$$s"; done && $(COMPILE_MODULE) -o $@ $$sources -lm
CLEANFILES += verify/faults.so verify/awkward.so

# ---- the man page, from --help of the program and of its verbs ---------------------------------------------
if HAVE_HELP2MAN
nodist_man_MANS = convref.1
convref.1: convref $(top_srcdir)/tools/make-man-page
	$(AM_V_GEN)$(SHELL) $(top_srcdir)/tools/make-man-page ./convref '$(HELP2MAN)' $@
CLEANFILES += convref.1
endif
EXTRA_DIST += tools/make-man-page

# ---- bash completion ------------------------------------------------------------------------------------------
EXTRA_DIST += verify/cli/completion.bash
if BASH_COMPLETION
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) $(srcdir)/verify/cli/completion.bash '$(DESTDIR)$(bashcompletiondir)/convref'
uninstall-local:
	rm -f '$(DESTDIR)$(bashcompletiondir)/convref'
endif

# ---- is what was installed usable? ------------------------------------------------------------------------------
installcheck-local:
	$(SHELL) $(top_srcdir)/tests/installed.sh '$(DESTDIR)' '$(bindir)' '$(libdir)' '$(pkgconfigdir)' '$(CC)' \
	    '$(SANITIZER_CFLAGS)' '$(PYTHON)' '$(pythondir)' '$(srcdir)/examples'
EXTRA_DIST += tests/installed.sh
