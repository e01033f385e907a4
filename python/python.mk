# The Python module: ctypes over the shared library, so there is nothing to build but the place of the library.
convrefpythondir = $(pythondir)/convref
dist_convrefpython_DATA = \
	python/convref/__init__.py \
	python/convref/_library.py \
	python/convref/_problem.py \
	python/convref/_compute.py \
	python/convref/_count.py \
	python/convref/_measure.py \
	python/convref/_verdict.py \
	python/convref/_examine.py \
	python/convref/_candidate.py \
	python/convref/__main__.py
convrefpeersdir = $(convrefpythondir)/peers
dist_convrefpeers_DATA = \
	python/convref/peers/__init__.py \
	python/convref/peers/__main__.py \
	python/convref/peers/_onnx.py \
	python/convref/peers/_shared.py \
	python/convref/peers/_speed.py \
	python/convref/peers/_turns.py \
	python/convref/peers/jax.py \
	python/convref/peers/litert.py \
	python/convref/peers/ncnn.py \
	python/convref/peers/numpy.py \
	python/convref/peers/onednn.py \
	python/convref/peers/onnxruntime.py \
	python/convref/peers/openvino.py \
	python/convref/peers/scipy.py \
	python/convref/peers/tensorflow.py \
	python/convref/peers/torch.py
nodist_convrefpython_DATA = python/convref/_installed.py

python/convref/_installed.py: Makefile
	$(AM_V_GEN)$(MKDIR_P) python/convref && \
		printf '# Where make install puts the library.\nLIBDIR = "%s"\n' '$(libdir)' > $@
CLEANFILES += python/convref/_installed.py

# How tests in Python are run: python/run-test knows what they need.
EXTRA_DIST += python/run-test tools/verify-peers tools/compare-onnx tools/compare-counters tools/compare-torchvision \
	tools/network-from-torchvision

# Programs and notebooks that use the module; tests run them.
EXTRA_DIST += examples/photo.py examples/data/README.md examples/data/coffee.jpg
EXTRA_DIST += notebooks/01-why-separable.ipynb notebooks/02-a-gpu-on-your-cpu.ipynb notebooks/03-claims.ipynb
CLEANFILES += notebooks/*-executed.ipynb notebooks/*.html
