# The book.
dist_doc_DATA = README.md CHANGELOG.md
bookdir = $(docdir)/book
dist_book_DATA = \
	docs/tour.md docs/problem.md docs/counting.md docs/exactness.md docs/measuring.md docs/networks.md \
	docs/ladder-standard.md docs/ladder-pointwise.md docs/ladder-grouped.md docs/ladder-depthwise.md \
	docs/ladder-separable.md docs/ladder-inverted-residual.md docs/ladder-gradients.md docs/ladder-cuda.md docs/published-kernels.md \
	docs/how-a-gpu-runs-a-kernel.md docs/adding-a-kernel.md docs/faults.md \
	docs/mutants.md docs/golden.md docs/onnx.md docs/peers.md docs/claims.md docs/glossary.md \
	docs/verify.schema.json docs/count.schema.json
# Whole folders, so that a new table or picture can't be forgotten: README.md and the book link to them.
EXTRA_DIST += docs/images results
