# The book.
dist_doc_DATA = README.md CHANGELOG.md
bookdir = $(docdir)/book
dist_book_DATA = \
	docs/tour.md docs/problem.md docs/counting.md docs/exactness.md docs/measuring.md docs/networks.md \
	docs/ladder-standard.md docs/ladder-pointwise.md docs/ladder-grouped.md docs/ladder-depthwise.md \
	docs/ladder-separable.md docs/ladder-gradients.md docs/ladder-cuda.md docs/published-kernels.md \
	docs/how-a-gpu-runs-a-kernel.md docs/adding-a-kernel.md docs/faults.md \
	docs/mutants.md docs/golden.md docs/onnx.md docs/peers.md docs/claims.md docs/glossary.md \
	docs/verify.schema.json docs/count.schema.json
EXTRA_DIST += docs/images/ratio.svg docs/images/claims.svg docs/images/groups.svg results/README.md \
	results/mobilenet_v1.tsv results/mobilenet_v1-blocks.tsv results/mobilenet_v1-avx2.tsv results/mobilenet_v1-avx2-blocks.tsv \
	results/resnet50-standard.tsv results/resnet50-pointwise.tsv \
	results/peers.tsv results/peers-speed.tsv results/peers-speed-resnet50.tsv results/cuda-registers.tsv results/cuda-sass.tsv \
	results/onnx-models.tsv results/benchdnn-strings.tsv results/counting-tools.tsv \
	results/torchvision-networks.tsv
