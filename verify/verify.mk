# The verifier, the counter, the clock and the program.  What the program does is in the library.
convrefinclude_HEADERS += \
	include/convref/npy.h \
	include/convref/count.h \
	include/convref/network.h \
	include/convref/convention.h \
	include/convref/problems.h \
	include/convref/verdict.h \
	include/convref/arithmetic.h \
	include/convref/verify.h \
	include/convref/examine.h \
	include/convref/sensitivity.h \
	include/convref/bench.h \
	include/convref/layout.h

# ---- a list for each room; verify/README.md is the map ---------------------------------------------------------
ROOM_IO = \
	verify/io/output.h verify/io/output.c verify/io/npy.c verify/io/layout.c \
	verify/io/element.h verify/io/element.c verify/io/stored.h verify/io/stored.c \
	verify/io/readers.h verify/io/tensor_file.h verify/io/tensor_file.c \
	verify/io/npz.c verify/io/safetensors.c verify/io/raw.c \
	verify/io/table.h verify/io/table.c verify/io/tsv.h verify/io/tsv.c
ROOM_MATHS = \
	verify/maths/checksum.h verify/maths/checksum.c verify/maths/activation.h verify/maths/cover.h verify/maths/cover.c \
	verify/maths/format.h verify/maths/format.c verify/maths/probe.h verify/maths/probe.c \
	verify/maths/spots.h verify/maths/spots.c
ROOM_SANDBOX = \
	verify/sandbox/sandbox.h verify/sandbox/sandbox.c verify/sandbox/environment.h verify/sandbox/environment.c \
	verify/sandbox/folder.h verify/sandbox/folder.c verify/sandbox/provider.c
ROOM_PROBLEMS = \
	verify/problems/sets.h verify/problems/sets.c verify/problems/strata.h verify/problems/strata.c \
	verify/problems/small.c verify/problems/covering.c verify/problems/lessons.c verify/problems/seams.c \
	verify/problems/rows.c verify/problems/routes.c verify/problems/large.c verify/problems/powers.c
ROOM_ENGINE = \
	verify/engine/check.h verify/engine/checker.h verify/engine/checker.c \
	verify/engine/place.h verify/engine/place.c verify/engine/repeated.h verify/engine/repeated.c \
	verify/engine/careful.h verify/engine/careful.c verify/engine/flips.h verify/engine/flips.c \
	verify/engine/expected.h verify/engine/expected.c \
	verify/engine/ways.h verify/engine/ways.c verify/engine/frame.h verify/engine/frame.c \
	verify/engine/judge.h verify/engine/judge.c verify/engine/judge_large.h verify/engine/judge_large.c \
	verify/engine/arithmetic.c verify/engine/forked.h verify/engine/forked.c verify/engine/verify.c \
	verify/engine/examine.c verify/engine/parallel.c verify/engine/verdict.c
ROOM_FINDINGS = \
	verify/findings/explain.h verify/findings/explain.c verify/findings/circumstances.h \
	verify/findings/circumstances.c verify/findings/shrink.h verify/findings/shrink.c \
	verify/findings/roomier.h verify/findings/roomier.c verify/findings/where.h verify/findings/where.c \
	verify/findings/guess.h verify/findings/guess.c verify/findings/mistake.h verify/findings/mistake.c \
	verify/findings/orders.h verify/findings/orders.c verify/findings/settings.c verify/findings/tensors.c \
	verify/findings/numbers.c verify/findings/parts.c verify/findings/results.c verify/findings/repro.c
ROOM_CHECKS = \
	verify/checks/checks.h verify/checks/checks.c verify/checks/small.c verify/checks/threads.c verify/checks/turns.c \
	verify/checks/probes.c verify/checks/real.c verify/checks/special.c verify/checks/covering.c \
	verify/checks/limits.c verify/checks/routes.c verify/checks/large.c verify/checks/seams.c verify/checks/layers.c \
	verify/checks/huge.c verify/checks/huge_memory.h verify/checks/huge_memory.c verify/checks/huge_run.h \
	verify/checks/huge_run.c
ROOM_CANDIDATES = \
	verify/candidates/outputs.h verify/candidates/outputs.c verify/candidates/overflow.c verify/candidates/storage.c \
	verify/candidates/sensitivity.c verify/candidates/command.h \
	verify/candidates/command.c verify/candidates/command_set.c verify/candidates/golden_case.h \
	verify/candidates/golden_case.c verify/candidates/golden_rounding.c verify/candidates/onnx_case.h \
	verify/candidates/onnx_case.c
ROOM_GOLDEN = \
	verify/golden/golden.h verify/golden/cases.c verify/golden/arrays.c verify/golden/quantised.c \
	verify/golden/requantise.h verify/golden/requantise.c verify/golden/paths.c verify/golden/print_npy.c \
	verify/golden/render.c verify/golden/render_npz.c verify/golden/render_onnx.c verify/golden/hex.c \
	verify/golden/sha256.c verify/golden/manifest.c verify/golden/folder.c
ROOM_COUNT = \
	verify/count/count.c verify/count/convention.c verify/count/network_reader.h verify/count/network_line.c \
	verify/count/network_infer.c verify/count/network_infer_size.c \
	verify/count/network_infer_sequence.c verify/count/network_read.c verify/count/network_totals.h \
	verify/count/network_totals.c
ROOM_MEASURE = \
	verify/measure/statistics.h verify/measure/statistics.c verify/measure/busy.h verify/measure/busy.c \
	verify/measure/exact.h verify/measure/exact.c verify/measure/turns.h verify/measure/turns.c verify/measure/bench.c \
	verify/measure/chain.h verify/measure/chain.c verify/measure/chain_data.h verify/measure/chain_data.c \
	verify/measure/traffic.h verify/measure/traffic.c verify/measure/cards.c

noinst_LTLIBRARIES += libverify.la
LIBRARY_PARTS += libverify.la
libverify_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONVREF_NETWORKS_DIR='"$(pkgdatadir)/networks"'
libverify_la_SOURCES = $(ROOM_IO) $(ROOM_MATHS) $(ROOM_SANDBOX) $(ROOM_PROBLEMS) $(ROOM_ENGINE) $(ROOM_FINDINGS) $(ROOM_CHECKS) \
	$(ROOM_CANDIDATES) $(ROOM_GOLDEN) $(ROOM_COUNT) $(ROOM_MEASURE)

# ---- ONNX: messages are C that protoc-c makes of onnx.proto --------------------------------------------
noinst_LTLIBRARIES += libonnx.la
LIBRARY_PARTS += libonnx.la
ONNX_MESSAGES = verify/onnx/onnx.pb-c.c verify/onnx/onnx.pb-c.h
libonnx_la_CPPFLAGS = $(AM_CPPFLAGS)
if HAVE_ONNX
libonnx_la_SOURCES = verify/onnx/onnx.h verify/onnx/model.h verify/onnx/read.c verify/onnx/tensor.c \
	verify/onnx/conv_node.c verify/onnx/case.c \
	verify/count/onnx/graph.h verify/count/onnx/graph.c verify/count/onnx/network.c verify/count/onnx/inputs.c \
	verify/count/onnx/params.c verify/count/onnx/numbers.h verify/count/onnx/numbers.c verify/count/onnx/operators.c \
	verify/count/onnx/infer.h verify/count/onnx/infer.c verify/count/onnx/infer_layers.c \
	verify/count/onnx/infer_products.c verify/count/onnx/infer_elements.c verify/count/onnx/infer_shapes.c \
	verify/count/onnx/infer_parts.c verify/count/onnx/infer_images.c verify/count/onnx/infer_values.c \
	verify/count/onnx/subgraph.c
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
ROOM_CLI = \
	verify/cli/messages.h verify/cli/messages.c verify/cli/options.h verify/cli/options.c \
	verify/cli/kernels.h verify/cli/kernels.c verify/cli/names.h verify/cli/names.c verify/cli/worker.h verify/cli/worker.c \
	verify/cli/operands.h verify/cli/operands.c verify/count/layers.h verify/count/layers.c
ROOM_REPORT = \
	verify/measure/results.h verify/measure/results.c verify/measure/plots.h verify/measure/plots.c \
	verify/measure/plot_parts.h verify/measure/plot_networks.c verify/measure/plot_findings.c verify/measure/labels.h \
	verify/measure/labels.c \
	verify/measure/alloc_count.h verify/measure/alloc_count.c verify/measure/fit.h verify/measure/fit.c \
	verify/report/study.h verify/report/study.c verify/report/pictures.h verify/report/pictures.c \
	verify/report/style.h verify/report/page.c verify/report/counts.h verify/report/counts.c verify/report/counts_json.c \
	verify/report/cite.c \
	verify/report/verdicts.h verify/report/verdicts.c verify/report/tap.h verify/report/tap.c
ROOM_EXPERIMENT = \
	verify/experiment/experiment.h verify/experiment/find.c verify/experiment/read.c verify/experiment/cost.c \
	verify/experiment/devices.c verify/experiment/run.c verify/experiment/chains.c verify/experiment/peers.c \
	verify/experiment/rows.c verify/experiment/providers.c
ROOM_CANDIDATES_OF_THE_PROGRAM = \
	verify/candidates/candidates.h verify/candidates/candidates.c verify/candidates/kernels.c \
	verify/candidates/files.c verify/candidates/exec.c verify/candidates/golden.c verify/candidates/onnx.c \
	verify/proof/self.c
ROOM_PROGRAM = \
	verify/program/verbs.h verify/program/cmd_list.c verify/program/cmd_show.c verify/program/cmd_explain.c \
	verify/program/explain_kernel.h verify/program/explain_kernel.c verify/program/explain_output.h \
	verify/program/explain_output.c verify/program/explain_by_hand.c verify/program/explain_formula.c \
	verify/program/explain_picture.c verify/program/explain_code.h verify/program/explain_code.c \
	verify/program/cmd_count.c verify/program/cmd_run.c verify/program/cmd_verify.c verify/program/cmd_golden.c \
	verify/program/cmd_bench.c verify/program/bench_chain.h verify/program/bench_chain.c \
	verify/program/cmd_experiment.c verify/program/cmd_plot.c verify/program/cmd_report.c verify/program/cmd_doctor.c
libverbs_la_SOURCES = $(ROOM_CLI) $(ROOM_REPORT) $(ROOM_EXPERIMENT) $(ROOM_CANDIDATES_OF_THE_PROGRAM) $(ROOM_PROGRAM)
nodist_libverbs_la_SOURCES = verify/program/code_rows.c
verify/program/code_rows.c: $(top_srcdir)/tools/make-code-table $(top_srcdir)/results/cuda-sass.tsv
	$(AM_V_GEN)$(MKDIR_P) verify/program && $(SHELL) $(top_srcdir)/tools/make-code-table \
		$(top_srcdir)/results/cuda-sass.tsv > $@.tmp && mv $@.tmp $@
BUILT_SOURCES += verify/program/code_rows.c
CLEANFILES += verify/program/code_rows.c
EXTRA_DIST += tools/make-code-table
libverbs_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONVREF_PLOTS_DIR='"$(pkgdatadir)/plots"' \
	-DCONVREF_EXPERIMENTS_DIR='"$(pkgdatadir)/experiments"' \
	-DCONVREF_PROVIDERS_DIR='"$(pkglibdir)"' -DCONVREF_PROOF_DIR='"$(pkglibdir)"'
bin_PROGRAMS = convref
convref_SOURCES = verify/program/convref.c
convref_LDADD = libverbs.la libconvref.la
# static, so that ./convref is the program itself and not a script of libtool's; it exports the public functions to
# the providers that it loads
convref_LDFLAGS = $(AM_LDFLAGS) $(OPENMP_CFLAGS) -static -export-dynamic

plotsdir = $(pkgdatadir)/plots
dist_plots_DATA = verify/measure/plot/speedup.gp verify/measure/plot/roofline.gp verify/measure/plot/ratio.gp verify/measure/plot/networks.gp \
	verify/measure/plot/experiment.gp verify/measure/plot/groups.gp

# ---- the verifier's proof, for `convref verify --self`: a provider of wrong kernels, and one of right ones ---------
FAULT_FILES = \
	verify/proof/faults/faults.c verify/proof/faults/channels.c verify/proof/faults/geometry.c verify/proof/faults/gradients.c \
	verify/proof/faults/stages.c verify/proof/faults/memory.c verify/proof/faults/precision.c verify/proof/faults/threads.c \
	verify/proof/faults/state.c verify/proof/faults/sizes.c verify/proof/faults/meetings.c verify/proof/faults/huge.c \
	verify/proof/faults/naive.c
NAIVE_FILES = verify/proof/faults/faults.h verify/proof/faults/naive.h
AWKWARD_FILES = verify/proof/accept/awkward.c verify/proof/accept/terms.c verify/proof/accept/manners.c \
	verify/proof/accept/shares.c verify/proof/accept/walks.c verify/proof/accept/transforms.c verify/proof/faults/naive.c
AWKWARD_SHARED = verify/proof/accept/awkward.h verify/proof/accept/terms.h
EXTRA_DIST += verify/README.md $(FAULT_FILES) $(NAIVE_FILES) $(AWKWARD_FILES) $(AWKWARD_SHARED) tools/faults-table tools/mutate \
	tools/entered
proofdir = $(pkglibdir)
proof_DATA = verify/faults.so verify/awkward.so
verify/faults.so: $(FAULT_FILES) $(NAIVE_FILES) include/convref/kernel.h include/convref/problem.h
	$(AM_V_GEN)$(MKDIR_P) verify && sources= && for s in $(FAULT_FILES); do \
	    sources="$$sources $(srcdir)/$$s"; done && $(COMPILE_MODULE) -o $@ $$sources -lm
verify/awkward.so: $(AWKWARD_FILES) $(NAIVE_FILES) $(AWKWARD_SHARED) include/convref/kernel.h include/convref/problem.h
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
EXTRA_DIST += verify/program/completion.bash
if BASH_COMPLETION
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) $(srcdir)/verify/program/completion.bash '$(DESTDIR)$(bashcompletiondir)/convref'
uninstall-local:
	rm -f '$(DESTDIR)$(bashcompletiondir)/convref'
endif

# ---- is what was installed usable? ------------------------------------------------------------------------------
installcheck-local:
	$(SHELL) $(top_srcdir)/tests/installed.sh '$(DESTDIR)' '$(bindir)' '$(libdir)' '$(pkgconfigdir)' '$(CC)' \
	    '$(SANITIZER_CFLAGS)' '$(PYTHON)' '$(pythondir)' '$(srcdir)/examples' '$(includedir)'
EXTRA_DIST += tests/installed.sh
