# The pages of the reference, in the order in which to read them.  Each is compiled twice, for problems of
# f32 (sums in double) and of f64 (sums in long double).  One line here is all that a new page needs.
REFERENCE_KERNELS = \
	reference/ref_forward.c \
	reference/ref_standard.c \
	reference/ref_pointwise.c \
	reference/ref_grouped.c \
	reference/ref_depthwise.c \
	reference/ref_separable.c \
	reference/ref_inverted_residual.c \
	reference/ref_transposed.c \
	reference/ref_backward_data.c \
	reference/ref_backward_weights.c \
	reference/ref_scatter.c

noinst_LTLIBRARIES += libreference_f32.la libreference_f64.la
LIBRARY_PARTS += libreference_f32.la libreference_f64.la
libreference_f32_la_SOURCES = reference/page.h reference/truth.c $(REFERENCE_KERNELS)
libreference_f32_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONV_VARIANT=__f32
libreference_f64_la_SOURCES = $(REFERENCE_KERNELS)
libreference_f64_la_CPPFLAGS = $(AM_CPPFLAGS) -DCONV_VARIANT=__f64 -DCONV_REFERENCE_F64
