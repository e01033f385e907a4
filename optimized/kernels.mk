# THE TABLE of CPU kernels: one line each, in the order in which to read them.  Nothing else lists them.
# Each is compiled once for each instruction set of the build.
KERNELS = \
	optimized/standard/std_01_direct.c \
	optimized/standard/std_02_bounds_hoisted.c \
	optimized/standard/std_03_loop_order.c \
	optimized/standard/std_04_im2col.c \
	optimized/standard/std_05_cache_blocked.c \
	optimized/standard/std_06_register_tile.c \
	optimized/standard/std_07_packed_weights.c \
	optimized/standard/std_08_unfold_by_block.c \
	optimized/standard/std_09_openmp.c \
	optimized/standard/std_nhwc_01_direct.c \
	optimized/standard/std_nhwc_02_filters_inside.c \
	optimized/standard/std_nhwc_03_windows_by_pointers.c \
	optimized/standard/std_nhwc_04_rows_of_taps.c \
	optimized/standard/std_nhwc_05_edges_apart.c \
	optimized/standard/std_nhwc_06_openmp.c \
	optimized/pointwise/pw_01_direct.c \
	optimized/pointwise/pw_02_rows.c \
	optimized/pointwise/pw_03_register_tile.c \
	optimized/pointwise/pw_04_openmp.c \
	optimized/pointwise/pw_nhwc_01_direct.c \
	optimized/pointwise/pw_nhwc_02_filters_inside.c \
	optimized/pointwise/pw_nhwc_03_register_tile.c \
	optimized/pointwise/pw_nhwc_04_equal_tiles.c \
	optimized/pointwise/pw_nhwc_05_rows_by_pointers.c \
	optimized/pointwise/pw_nhwc_06_openmp.c \
	optimized/grouped/grp_01_loop_over_groups.c \
	optimized/grouped/grp_02_unfold_per_group.c \
	optimized/grouped/grp_03_direct_blocked.c \
	optimized/grouped/grp_04_tile_by_group.c \
	optimized/grouped/grp_05_openmp.c \
	optimized/grouped/grp_nhwc_01_direct.c \
	optimized/grouped/grp_nhwc_02_groups_in_lanes.c \
	optimized/grouped/grp_nhwc_03_two_vectors.c \
	optimized/grouped/grp_nhwc_04_openmp.c \
	optimized/depthwise/dw_01_direct.c \
	optimized/depthwise/dw_02_bounds_hoisted.c \
	optimized/depthwise/dw_03_whole_rows.c \
	optimized/depthwise/dw_04_rows_in_registers.c \
	optimized/depthwise/dw_05_positions_run_on.c \
	optimized/depthwise/dw_06_openmp.c \
	optimized/depthwise/dw_rows_01_each_row_once.c \
	optimized/depthwise/dw_rows_02_openmp.c \
	optimized/depthwise/dw_small_01_channels_in_lanes.c \
	optimized/depthwise/dw_small_02_fetched_ahead.c \
	optimized/depthwise/dw_small_03_openmp.c \
	optimized/depthwise/dw_nhwc_01_direct.c \
	optimized/depthwise/dw_nhwc_02_bounds_hoisted.c \
	optimized/depthwise/dw_nhwc_03_channels_in_lanes.c \
	optimized/depthwise/dw_nhwc_04_columns_in_registers.c \
	optimized/depthwise/dw_nhwc_05_row_of_zeros.c \
	optimized/depthwise/dw_nhwc_06_whole_vectors.c \
	optimized/depthwise/dw_nhwc_07_filter_known.c \
	optimized/depthwise/dw_nhwc_08_two_rows.c \
	optimized/depthwise/dw_nhwc_09_one_cache_set.c \
	optimized/depthwise/dw_nhwc_10_openmp.c \
	optimized/separable/sep_01_two_passes.c \
	optimized/separable/sep_02_fused_by_rows.c \
	optimized/separable/sep_03_openmp.c \
	optimized/separable/sep_nhwc_01_two_passes.c \
	optimized/separable/sep_nhwc_02_fused.c \
	optimized/separable/sep_nhwc_03_openmp.c \
	optimized/separable/ir_01_three_passes.c \
	optimized/separable/ir_nhwc_01_three_passes.c \
	optimized/separable/ir_nhwc_02_by_rows.c \
	optimized/separable/ir_nhwc_03_openmp.c \
	optimized/gradients/bwd_data_01_gather.c \
	optimized/gradients/bwd_data_02_phases.c \
	optimized/gradients/bwd_data_03_openmp.c \
	optimized/gradients/bwd_data_nhwc_01_windows_by_pointers.c \
	optimized/gradients/bwd_data_nhwc_02_openmp.c \
	optimized/gradients/bwd_weights_01_direct.c \
	optimized/gradients/bwd_weights_02_positions_in_lanes.c \
	optimized/gradients/bwd_weights_03_openmp.c \
	optimized/gradients/bwd_weights_nhwc_01_outer_products.c \
	optimized/gradients/bwd_weights_nhwc_02_openmp.c \
	optimized/gradients/dw_bwd_data_01_rows.c \
	optimized/gradients/dw_bwd_data_02_channels_in_lanes.c \
	optimized/gradients/dw_bwd_data_03_openmp.c \
	optimized/gradients/dw_bwd_weights_01_taps_in_registers.c \
	optimized/gradients/dw_bwd_weights_02_channels_in_lanes.c \
	optimized/gradients/dw_bwd_weights_03_openmp.c \
	optimized/gradients/dw_bwd_data_nhwc_01_channels_inside.c \
	optimized/gradients/dw_bwd_data_nhwc_02_forward_tiles.c \
	optimized/gradients/dw_bwd_data_nhwc_03_whole_rows.c \
	optimized/gradients/dw_bwd_data_nhwc_04_openmp.c \
	optimized/gradients/dw_bwd_weights_nhwc_01_channels_inside.c \
	optimized/gradients/dw_bwd_weights_nhwc_02_taps_in_registers.c \
	optimized/gradients/dw_bwd_weights_nhwc_03_columns_in_registers.c \
	optimized/gradients/dw_bwd_weights_nhwc_04_openmp.c

# What several steps share, named in the ladders' documents.
KERNEL_HELPERS = \
	optimized/threads.h \
	optimized/tile.h \
	optimized/unfold.h \
	optimized/rows.h \
	optimized/planes.h \
	optimized/pointers.h \
	optimized/lanes.h \
	optimized/depthwise/blocks.h \
	optimized/depthwise/pairs.h \
	optimized/depthwise/one_cache_set.h \
	optimized/depthwise/strips.h \
	optimized/grouped/vectors.h \
	optimized/panel.h \
	optimized/standard/rows_of_taps.h \
	optimized/parts.h \
	optimized/separable/mix.h \
	optimized/separable/stages.h \
	optimized/pointwise/matrix.h \
	optimized/gradients/phases.h \
	optimized/gradients/windows.h \
	optimized/gradients/outer.h \
	optimized/gradients/dot.h \
	optimized/gradients/channels.h \
	optimized/gradients/tiles.h \
	optimized/gradients/whole_rows.h \
	optimized/gradients/taps.h

# Compiled once, not once for the static and once for the shared library as libtool does: they are most of the build.
ONCE = -prefer-pic -static

noinst_LTLIBRARIES += libkernels_baseline.la
LIBRARY_PARTS += libkernels_baseline.la
libkernels_baseline_la_SOURCES = $(KERNELS) $(KERNEL_HELPERS) core/roof_loops.c
libkernels_baseline_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONV_VARIANT=__baseline
libkernels_baseline_la_CFLAGS = $(AM_CFLAGS) $(ONCE) $(KERNEL_CFLAGS)

if HAVE_AVX2
noinst_LTLIBRARIES += libkernels_avx2.la
LIBRARY_PARTS += libkernels_avx2.la
libkernels_avx2_la_SOURCES = $(KERNELS) core/roof_loops.c
libkernels_avx2_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONV_VARIANT=__avx2
libkernels_avx2_la_CFLAGS = $(AM_CFLAGS) $(ONCE) $(KERNEL_CFLAGS) $(AVX2_CFLAGS)
endif

if HAVE_AVX512
noinst_LTLIBRARIES += libkernels_avx512.la
LIBRARY_PARTS += libkernels_avx512.la
libkernels_avx512_la_SOURCES = $(KERNELS) core/roof_loops.c
libkernels_avx512_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONV_VARIANT=__avx512
libkernels_avx512_la_CFLAGS = $(AM_CFLAGS) $(ONCE) $(KERNEL_CFLAGS) $(AVX512_CFLAGS)
endif
