# The tests.  Programs end with 77 when something that they need is missing, and say what.
# tools/count-tests adds up what they print.

# ---- shared objects that tests load: tests/modules/NAME.so ------------------------------------------------
# provider.c is compiled once for each way to be wrong: wrong_abi.so with -DWRONG_ABI, and so on.
PROVIDER_VARIANTS = good wrong_symbol wrong_null wrong_abi wrong_size wrong_no_run wrong_no_name wrong_half_packed \
	wrong_name_taken last_column_zero writes_nan writes_outside changes_input crashes hangs
MODULE_FILES = tests/providers/device.c tests/providers/cheats.c tests/providers/inject.c
# ... and cheats.c once more for each of these, whose code ends the program when no kernel runs.
CHEAT_VARIANTS = exits_when_opened exits_when_closed exits_in_a_thread hangs_when_opened
SHARED_BY_MODULES = tests/providers/direct.h
COMPILE_MODULE = $(CC) $(DEFS) -I. $(AM_CPPFLAGS) $(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS) -fPIC -shared

tests/modules/made: tests/providers/provider.c $(MODULE_FILES) $(SHARED_BY_MODULES) include/convref/kernel.h include/convref/problem.h
	$(AM_V_GEN)$(MKDIR_P) tests/modules
	$(AM_V_at)set -e; for variant in $(PROVIDER_VARIANTS); do \
	    name=`echo $$variant | tr '[:lower:]' '[:upper:]'`; \
	    $(COMPILE_MODULE) -D$$name -o tests/modules/$$variant.so $(srcdir)/tests/providers/provider.c -lm; done
	$(AM_V_at)set -e; for variant in $(CHEAT_VARIANTS); do \
	    name=`echo $$variant | tr '[:lower:]' '[:upper:]'`; \
	    $(COMPILE_MODULE) -D$$name -o tests/modules/$$variant.so $(srcdir)/tests/providers/cheats.c -lm; done
	$(AM_V_at)set -e; for source in $(MODULE_FILES); do \
	    $(COMPILE_MODULE) -o tests/modules/`basename $$source .c`.so $(srcdir)/$$source -lm; done
	$(AM_V_at)touch $@

if !THREAD_SANITIZER
check_DATA = tests/modules/made
if HAVE_CXX
check_DATA += $(CUDA_CHECKED)
endif
endif
CLEANFILES += tests/modules/*
EXTRA_DIST += tests/providers/provider.c $(MODULE_FILES) $(SHARED_BY_MODULES)

# ---- CUnit suites ----------------------------------------------------------------------------------------
# Under a sanitizer the same tests do less of the same.
if SANITIZED
WATCHED = 1
else
WATCHED = 0
endif

# The order of the lists below is that of the run: long ones first, so that with several jobs every core has work to
# the end.  The thread sanitizer is there for the threads alone: it can't follow the forks of the verifier.
if THREAD_SANITIZER
UNIT_TESTS = tests/test_threads
else
UNIT_TESTS = \
	tests/test_faults tests/test_accept tests/test_checks tests/test_sandbox tests/test_verify tests/test_golden \
	tests/test_examine tests/test_training tests/test_bench tests/test_chain tests/test_run tests/test_problem tests/test_tensor \
	tests/test_npy tests/test_reference tests/test_count tests/test_kernels tests/test_maths tests/test_findings \
	tests/test_outputs tests/test_threads tests/test_fuzz tests/test_requantise
endif

if HAVE_CUNIT
noinst_LTLIBRARIES += libtest.la
libtest_la_SOURCES = tests/test.h tests/test.c tests/random_problem.h tests/random_problem.c
libtest_la_LIBADD = libconvref.la $(CUNIT_LIBS) $(JANSSON_LIBS)
LDADD = libtest.la
check_PROGRAMS += $(UNIT_TESTS)
TEST_CPPFLAGS = $(AM_CPPFLAGS) -DSRCDIR='"$(abs_top_srcdir)"' -DBUILDDIR='"$(abs_top_builddir)"' -DWATCHED=$(WATCHED)
# static: they look at what the shared library doesn't show
tests_test_tensor_LDFLAGS = $(AM_LDFLAGS) -static
tests_test_run_LDFLAGS = $(AM_LDFLAGS) -static
tests_test_bench_LDFLAGS = $(AM_LDFLAGS) -static
tests_test_chain_LDFLAGS = $(AM_LDFLAGS) -static
tests_test_checks_LDFLAGS = $(AM_LDFLAGS) -static
tests_test_maths_LDFLAGS = $(AM_LDFLAGS) -static
tests_test_requantise_LDFLAGS = $(AM_LDFLAGS) -static
tests_test_golden_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_count_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_checks_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_maths_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_kernels_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_run_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_bench_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_chain_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_verify_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_sandbox_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_faults_SOURCES = tests/test_faults.c tests/guesses.h
tests_test_faults_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_examine_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_accept_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_training_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_training_LDADD = libtraining.la $(LDADD)
tests_test_fuzz_CPPFLAGS = $(TEST_CPPFLAGS)
tests_test_fuzz_SOURCES = tests/test_fuzz.c $(FUZZ_TARGETS)
tests_test_fuzz_LDADD = libverbs.la $(LDADD)
# static: targets look at what the shared library doesn't show; wrapped: see fuzz_cli.c
tests_test_fuzz_LDFLAGS = $(AM_LDFLAGS) -static \
	-Wl,--wrap=argp_parse,--wrap=exit,--wrap=conv_provider_load,--wrap=worker_begin
endif
EXTRA_DIST += tests/data/other_tools.tsv tests/data/make-onnx.py tests/data/small.onnx tests/data/strange.onnx \
	tests/data/shuffled.onnx tests/golden/make.py tests/golden/cases.json

# ---- fuzzing: test_fuzz replays the corpus, tools/fuzz adds to it ---------------------------------------------
FUZZ_TARGETS = tests/fuzz/fuzz.h tests/fuzz/fuzz_problem.c tests/fuzz/fuzz_json.c tests/fuzz/fuzz_network.c \
	tests/fuzz/fuzz_npy.c tests/fuzz/fuzz_onnx.c tests/fuzz/fuzz_table.c tests/fuzz/fuzz_folder.h tests/fuzz/fuzz_npz.c \
	tests/fuzz/fuzz_safetensors.c tests/fuzz/fuzz_raw.c tests/fuzz/fuzz_manifest.c tests/fuzz/fuzz_cli.c
EXTRA_DIST += tools/fuzz tests/fuzz/corpus

# ---- kernels for another processor, compiled and run by hand or by `./quickstart check-builds` -----------------
EXTRA_DIST += tools/check-other-machine tests/other_machine.c

# ---- problems in JSON, which no verb reads: a program for test_hostile.sh --------------------------------------
check_PROGRAMS += tests/read_problem
tests_read_problem_SOURCES = tests/read_problem.c
tests_read_problem_LDADD = libconvref.la
tests_read_problem_LDFLAGS = $(AM_LDFLAGS) -static

# ---- the program and the documents, from outside ------------------------------------------------------------
SHELL_TESTS = tests/test_cheats.sh tests/test_experiments.sh tests/test_bad_input.sh tests/test_cli_verify.sh \
	tests/test_cli_bench.sh tests/test_cli.sh tests/test_hostile.sh tests/test_cli_exec.sh tests/test_cli_golden.sh \
	tests/test_onnx.sh tests/test_onnx_count.sh tests/test_cli_count.sh
# Under a sanitizer the tests above, of what reads files and text of others, are enough: these look at documents, schemas,
# kernels that it doesn't watch, and allocations, which are its own there.
UNWATCHED_TESTS = tests/test_cuda_rungs.sh tests/test_cuda_faults.sh tests/test_internal_failures.sh tests/test_docs.sh \
	tests/test_cuda.sh tests/test_cuda_sass.sh tests/test_peers_in_c.sh tests/test_run_on_gpu.sh tests/test_pages.sh \
	tests/test_cli_schema.sh
dist_check_SCRIPTS += $(SHELL_TESTS) $(UNWATCHED_TESTS) tests/test_new_kernel.sh tests/test_comparators.sh
EXTRA_DIST += tests/pages/measure.js tests/bad-input.tsv tests/hostile.tsv tests/cli/frame.sh tests/cli/cuda_modules.sh \
	tests/cli/tensor_files.sh tests/cli/onnx_files.sh tests/cli/onnx_cases.py tests/cli/validate.py tools/count-tests

# ---- Python ---------------------------------------------------------------------------------------------------
# python/run-test says when it can't be tested.
TEST_EXTENSIONS = .sh .py
PY_LOG_COMPILER = $(SHELL) $(top_srcdir)/python/run-test '$(PYTHON)' '$(SANITIZER_CFLAGS)'
PYTHON_TESTS = tests/test_notebook.py tests/test_peers.py tests/test_peers_speed.py tests/test_python.py tests/test_golden_vectors.py \
	tests/test_photo.py tests/test_onnx_operators.py tests/test_benchdnn.py
EXTRA_DIST += $(PYTHON_TESTS) tests/case.py tools/compare-benchdnn

if !THREAD_SANITIZER
# Python can't load a library that a sanitizer watches, nor can a plain compiler link one.
if !SANITIZED
TESTS += $(UNWATCHED_TESTS) $(PYTHON_TESTS) tests/test_new_kernel.sh tests/test_comparators.sh
endif
endif
if HAVE_CUNIT
TESTS += $(UNIT_TESTS)
endif
if !THREAD_SANITIZER
TESTS += $(SHELL_TESTS)
endif

AM_TESTS_ENVIRONMENT = \
	TSAN_OPTIONS=ignore_noninstrumented_modules=1; export TSAN_OPTIONS; \
	MODULES=tests/modules; export MODULES; \
	PYTHON='$(PYTHON)'; export PYTHON; \
	SANITIZED='$(SANITIZER_CFLAGS)'; export SANITIZED; \
	NEW_KERNEL_CC='$(CC) $(DEFS) -I$(abs_top_builddir) $(CPPFLAGS) $(AM_CFLAGS) $(CFLAGS)'; export NEW_KERNEL_CC; \
	NEW_KERNEL_LIBS='$(JANSSON_LIBS) $(HWLOC_LIBS) $(LIBZIP_LIBS) $(NETTLE_LIBS) $(PROTOBUF_C_LIBS) $(LIBS)'; export NEW_KERNEL_LIBS; \
	NEW_KERNEL_BUILDS='$(BUILDS)'; export NEW_KERNEL_BUILDS;

CLEANFILES += *-junit.xml
