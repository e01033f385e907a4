# Published claims, run again: THE list, a line for each experiment, its text file and its page.  experiments/README.md says how
# to add one.  Installed, so that `convref experiment` finds them like networks.
EXPERIMENTS = \
	experiments/algorithms.txt experiments/algorithms.md \
	experiments/conv1d-groups.txt experiments/conv1d-groups.md \
	experiments/factorized-block.txt experiments/factorized-block.md \
	experiments/flux-allocations.txt experiments/flux-allocations.md \
	experiments/groups-sweep.txt experiments/groups-sweep.md \
	experiments/kernel-size.txt experiments/kernel-size.md \
	experiments/layout.txt experiments/layout.md \
	experiments/leimao-counts.txt experiments/leimao-counts.md \
	experiments/mobilenet-groups.txt experiments/mobilenet-groups.md \
	experiments/multiplier.txt experiments/multiplier.md \
	experiments/small-image.txt experiments/small-image.md \
	experiments/stack50.txt experiments/stack50.md \
	experiments/devices.tsv

experimentsdir = $(pkgdatadir)/experiments
dist_experiments_DATA = $(EXPERIMENTS)
EXTRA_DIST += experiments/README.md

# Providers of experiments: ways that aren't worth a step of a ladder.  Found beside the program, and where they are installed.
EXTRA_DIST += experiments/providers/systems.c
systemsdir = $(pkglibdir)
systems_DATA = experiments/systems.so
experiments/systems.so: experiments/providers/systems.c include/convref/kernel.h include/convref/problem.h
	$(AM_V_GEN)$(MKDIR_P) experiments && $(COMPILE_MODULE) -o $@ $(srcdir)/experiments/providers/systems.c -lm
CLEANFILES += experiments/systems.so

# The training stack of stack50: a library for the program ./train and for tests/test_training.c; neither is installed.
noinst_LTLIBRARIES += libtraining.la
libtraining_la_SOURCES = experiments/training/stack.h experiments/training/stack.c experiments/training/read.c \
	experiments/training/task.h experiments/training/task.c experiments/training/loss.c \
	experiments/training/optimizer.h experiments/training/optimizer.c \
	experiments/training/step.h experiments/training/step.c
noinst_PROGRAMS += train
train_SOURCES = experiments/training/train.c experiments/training/figures.h experiments/training/figures.c
train_LDADD = libtraining.la libverbs.la libconvref.la
train_LDFLAGS = $(AM_LDFLAGS) $(OPENMP_CFLAGS) -static
