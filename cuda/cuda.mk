# The rungs of CUDA.  This list is THE table: a new rung takes its file and one line here.
CUDA_RUNGS = \
	cuda/depthwise/cuda_dw_01_thread_per_output.cu \
	cuda/depthwise/cuda_dw_02_coalesced.cu \
	cuda/depthwise/cuda_dw_03_filter_known.cu \
	cuda/depthwise/cuda_dw_04_tile.cu \
	cuda/depthwise/cuda_dw_05_rows_in_registers.cu \
	cuda/depthwise/cuda_dw_06_rows_of_16_bytes.cu \
	cuda/depthwise/cuda_dw_07_halo_by_shuffle.cu \
	cuda/depthwise/cuda_dw_08_whole_planes.cu \
	cuda/depthwise/cuda_dw_09_copies_ahead.cu \
	cuda/depthwise/cuda_dw_10_tensor_cores.cu \
	cuda/depthwise/cuda_dw_11_persistent.cu \
	cuda/depthwise/cuda_dw_12_bf16.cu \
	cuda/depthwise/cuda_dw_13_rows_ahead.cu \
	cuda/depthwise/cuda_dw_14_planes_by_columns.cu \
	cuda/depthwise/cuda_dw_3d_01_slices_once.cu \
	cuda/depthwise/cuda_dw_nhwc_01_channels_in_lanes.cu \
	cuda/depthwise/cuda_dw_nhwc_02_weights_in_registers.cu \
	cuda/depthwise/cuda_dw_nhwc_03_columns_in_registers.cu \
	cuda/depthwise/cuda_dw_nhwc_04_columns_ahead.cu \
	cuda/depthwise/cuda_dw_bwd_data_01_gather.cu \
	cuda/depthwise/cuda_dw_bwd_data_02_by_parity.cu \
	cuda/depthwise/cuda_dw_bwd_data_03_as_forward.cu \
	cuda/depthwise/cuda_dw_bwd_weights_01_atomics.cu \
	cuda/depthwise/cuda_dw_bwd_weights_02_two_stages.cu \
	cuda/depthwise/cuda_dw_bwd_weights_03_last_block.cu \
	cuda/depthwise/cuda_dw_bwd_weights_04_rows_ahead.cu \
	cuda/depthwise/cuda_dw_causal_01_time_in_registers.cu \
	cuda/pointwise/cuda_pw_01_thread_per_output.cu \
	cuda/pointwise/cuda_pw_02_tile.cu \
	cuda/pointwise/cuda_pw_03_register_tile.cu \
	cuda/pointwise/cuda_pw_04_tensor_cores.cu \
	cuda/pointwise/cuda_pw_05_copies_ahead.cu \
	cuda/pointwise/cuda_pw_06_bf16.cu \
	cuda/pointwise/cuda_pw_07_ldmatrix.cu \
	cuda/standard/cuda_std_01_thread_per_output.cu \
	cuda/standard/cuda_std_02_implicit_gemm.cu \
	cuda/standard/cuda_std_03_tensor_cores.cu \
	cuda/standard/cuda_std_04_copies_ahead.cu \
	cuda/grouped/cuda_grp_01_launch_per_group.cu \
	cuda/grouped/cuda_grp_02_one_launch.cu \
	cuda/grouped/cuda_grp_03_implicit_gemm.cu \
	cuda/separable/cuda_sep_01_two_launches.cu \
	cuda/separable/cuda_sep_02_middle_in_shared_memory.cu

# Three modules from the same files, each a provider: cuda.so for a card, by nvcc; cuda-emulated.so for this CPU;
# cuda-watched.so, which is emulated and looks at every access.  cuda-faults.so is watched, and wrong on purpose.
CUDA_SHARED = cuda/launch.h cuda/rung.h cuda/shape.h cuda/four.h cuda/warp_tile.h cuda/three_parts.h cuda/pairs.h \
	cuda/depthwise/sums_of_shares.h cuda/depthwise/rows_ahead.h cuda/depthwise/toeplitz.h \
	include/convref/kernel.h include/convref/problem.h
EMULATOR_SHARED = cuda/emulator/cuda_runtime.h cuda/emulator/launch_body.h cuda/emulator/sweep.h cuda/emulator/grid.h \
	cuda/emulator/instructions.h cuda/emulator/narrow.h cuda/emulator/cuda_bf16.h cuda/emulator/cuda_fp16.h
DEVICE_SHARED = cuda/device/launch_body.h cuda/device/sweep.h cuda/device/instructions.h
EMULATOR_FILES = cuda/emulator/grid.cc cuda/emulator/fiber.cc cuda/emulator/runtime.cc cuda/emulator/instructions.cc
WATCH_FILES = cuda/emulator/watch.cc cuda/emulator/traffic.cc
CUDA_FAULTS = cuda/faults/faults.cu
CUDA_CHECKED = cuda/cuda-faults.so tests/cuda/instructions tests/cuda/narrow tests/cuda/speed
if HAVE_CUDA
CUDA_CHECKED += tests/cuda/narrow-toolkit
endif
EXTRA_DIST += $(CUDA_RUNGS) $(CUDA_SHARED) $(EMULATOR_SHARED) $(EMULATOR_FILES) $(WATCH_FILES) $(CUDA_FAULTS) \
	cuda/provider.cu cuda/roofs.cu $(DEVICE_SHARED) tools/make-rung-table tests/cuda/instructions.cu tests/cuda/narrow.cc \
	tests/cuda/speed.cu \
	tools/cuda-registers tools/cuda-sass cuda/claims.tsv cuda/run-on-gpu cuda/compare-counts cuda/time_pytorch.py

cuda/rungs.cc: $(top_srcdir)/tools/make-rung-table $(top_srcdir)/cuda/cuda.mk Makefile
	$(AM_V_GEN)$(MKDIR_P) cuda && $(SHELL) $(top_srcdir)/tools/make-rung-table $(CUDA_RUNGS) > $@.tmp && mv $@.tmp $@
CLEANFILES += cuda/rungs.cc

SUFFIXES = .cu .cc .emulated.o .watched.o .device.o .plain.o
# clang heeds `#pragma unroll`, and warns where an instance has nothing to unroll.
CUDA_WARNINGS = -Wall -Wextra -Wno-unknown-pragmas -Wno-pass-failed -Wno-missing-field-initializers
CUDA_HOST = $(CXX) -std=c++20 -fPIC -fvisibility=hidden -g $(CUDA_WARNINGS) $(CUDA_WERROR) -I$(srcdir)/cuda/emulator \
	-I$(srcdir)/cuda $(AM_CPPFLAGS) $(CPPFLAGS) $(CXXFLAGS)
.cu.emulated.o:
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CUDA_HOST) -O2 -x c++ -c $< -o $@
.cu.watched.o:
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CUDA_HOST) -O1 -fsanitize=thread -x c++ -c $< -o $@
.cc.plain.o:
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CUDA_HOST) -O2 -c $< -o $@
cuda/rungs.plain.o: cuda/rungs.cc
	$(AM_V_CC)$(CUDA_HOST) -O2 -c cuda/rungs.cc -o $@

EMULATED_OBJECTS = $(CUDA_RUNGS:.cu=.emulated.o) cuda/provider.emulated.o
WATCHED_OBJECTS = $(CUDA_RUNGS:.cu=.watched.o) cuda/provider.watched.o
FAULT_OBJECTS = $(CUDA_FAULTS:.cu=.watched.o) cuda/provider.watched.o
EMULATOR_OBJECTS = $(EMULATOR_FILES:.cc=.plain.o)
WATCH_OBJECTS = $(EMULATOR_OBJECTS) $(WATCH_FILES:.cc=.plain.o)
$(EMULATED_OBJECTS) $(WATCHED_OBJECTS) $(FAULT_OBJECTS): $(CUDA_SHARED) $(EMULATOR_SHARED)
$(WATCH_OBJECTS): $(EMULATOR_SHARED)

LINK_MODULE = $(CXX) -shared $(LDFLAGS)
cuda/cuda-emulated.so: $(EMULATED_OBJECTS) cuda/rungs.plain.o $(EMULATOR_OBJECTS)
	$(AM_V_CCLD)$(LINK_MODULE) -o $@ $(EMULATED_OBJECTS) cuda/rungs.plain.o $(EMULATOR_OBJECTS) -ldl
cuda/cuda-watched.so: $(WATCHED_OBJECTS) cuda/rungs.plain.o $(WATCH_OBJECTS)
	$(AM_V_CCLD)$(LINK_MODULE) -o $@ $(WATCHED_OBJECTS) cuda/rungs.plain.o $(WATCH_OBJECTS) -ldl
cuda/cuda-faults.so: $(FAULT_OBJECTS) $(WATCH_OBJECTS)
	$(AM_V_CCLD)$(LINK_MODULE) -o $@ $(FAULT_OBJECTS) $(WATCH_OBJECTS) -ldl

# What tests/test_cuda.sh asks about instructions, how fast they are emulated, and numbers of 16 bits, of which the
# toolkit has its own.
tests/cuda/instructions.emulated.o tests/cuda/speed.emulated.o tests/cuda/narrow.plain.o: $(CUDA_SHARED) $(EMULATOR_SHARED)
tests/cuda/instructions: tests/cuda/instructions.emulated.o $(EMULATOR_OBJECTS)
	$(AM_V_CCLD)$(CXX) $(LDFLAGS) -o $@ tests/cuda/instructions.emulated.o $(EMULATOR_OBJECTS) -ldl
tests/cuda/speed: tests/cuda/speed.emulated.o $(EMULATOR_OBJECTS)
	$(AM_V_CCLD)$(CXX) $(LDFLAGS) -o $@ tests/cuda/speed.emulated.o $(EMULATOR_OBJECTS) -ldl
tests/cuda/narrow: tests/cuda/narrow.plain.o
	$(AM_V_CCLD)$(CXX) $(LDFLAGS) -o $@ tests/cuda/narrow.plain.o
tests/cuda/narrow-toolkit: tests/cuda/narrow.cc
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CXX) -std=c++20 -isystem $(CUDA_LIBDIR)/../include -o $@ $(srcdir)/tests/cuda/narrow.cc
CLEANFILES += tests/cuda/*.o tests/cuda/instructions tests/cuda/speed tests/cuda/narrow tests/cuda/narrow-toolkit

# The architectures that cuda.so is for; the last one also as PTX, which later cards compile for themselves.
CUDA_ARCHITECTURES = 75 80 90 120
CUDA_CODE = `for a in $(CUDA_ARCHITECTURES); do printf ' -gencode arch=compute_%s,code=sm_%s' $$a $$a; done` \
	-gencode arch=compute_120,code=compute_120
# What ptxas says of registers and spills stays beside the object: tests/test_cuda.sh compares it with the headers' budgets.
.cu.device.o:
	$(AM_V_CC)$(MKDIR_P) $(@D) && { $(NVCC) -std=c++20 -O3 -lineinfo $(CUDA_CODE) -Xcompiler -fPIC,-fvisibility=hidden,-Wall \
	    -Xptxas -v -I$(srcdir)/cuda/device -I$(srcdir)/cuda $(AM_CPPFLAGS) -c $< -o $@ > $@.ptxas 2>&1; status=$$?; \
	    grep -vE '^(ptxas|nvlink) info|bytes stack frame' $@.ptxas >&2; exit $$status; }
DEVICE_OBJECTS = $(CUDA_RUNGS:.cu=.device.o) cuda/provider.device.o
$(DEVICE_OBJECTS): $(CUDA_SHARED) $(DEVICE_SHARED)
cuda/cuda.so: $(DEVICE_OBJECTS) cuda/rungs.plain.o
	$(AM_V_CCLD)$(LINK_MODULE) -Wl,-z,defs -o $@ $(DEVICE_OBJECTS) cuda/rungs.plain.o $(ON_A_CARD)

# programs for a card: what it can do at most, and whether its instructions do what the models of them do
ON_A_CARD = -L$(CUDA_LIBDIR) -lcudart_static -lpthread -ldl -lrt
cuda/roofs.device.o tests/cuda/instructions.device.o: $(CUDA_SHARED) $(DEVICE_SHARED)
cuda/roofs: cuda/roofs.device.o
	$(AM_V_CCLD)$(CXX) $(LDFLAGS) -o $@ cuda/roofs.device.o $(ON_A_CARD)
tests/cuda/instructions-device: tests/cuda/instructions.device.o
	$(AM_V_CCLD)$(CXX) $(LDFLAGS) -o $@ tests/cuda/instructions.device.o $(ON_A_CARD)
CLEANFILES += cuda/roofs tests/cuda/instructions-device tests/cuda/*.ptxas

cudadir = $(pkglibdir)
cuda_DATA =
if HAVE_CXX
cuda_DATA += cuda/cuda-emulated.so cuda/cuda-watched.so

if HAVE_CUDA
cuda_DATA += cuda/cuda.so
endif
endif
CLEANFILES += cuda/*.so cuda/*.o cuda/*/*.o cuda/*.ptxas cuda/*/*.ptxas
