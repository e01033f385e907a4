# The book.
dist_doc_DATA = README.md CHANGELOG.md
docsdir = $(docdir)/book
dist_docs_DATA = \
	docs/networks.md \
	docs/ladder-standard.md docs/ladder-pointwise.md docs/ladder-grouped.md docs/ladder-depthwise.md \
	docs/ladder-separable.md
