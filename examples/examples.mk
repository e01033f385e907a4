# Small programs, compiled and run by tests/test_docs.sh.
EXTRA_DIST += examples/provider.c examples/provider_onednn.c examples/library.c examples/unsynchronised.c
EXTRA_DIST += examples/exec_numpy.py examples/strides.py
