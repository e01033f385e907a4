# Other people's libraries for cards, as providers: built where configure found the toolkit and the library, linked
# against it, loaded by whoever asks with --provider.  Libraries for this CPU: python/convref/peers and examples.
EXTRA_DIST += peers/device.h peers/cudnn.c peers/cublas.c
PEER_MODULES =
if HAVE_CUDNN
PEER_MODULES += peers/cudnn.so
endif
if HAVE_CUBLAS
PEER_MODULES += peers/cublas.so
endif
COMPILE_PEER = $(CC) $(CONVREF_CFLAGS) -O2 $(CPPFLAGS) -I$(top_srcdir)/include -I$(CUDA_INCLUDEDIR) -shared -fPIC
LINK_PEER = -L$(CUDA_LIBDIR) -Wl,-rpath,$(CUDA_LIBDIR) -Wl,-z,defs -lcudart $(LDFLAGS)
peers/cudnn.so: peers/cudnn.c peers/device.h include/convref/kernel.h include/convref/problem.h include/convref/device.h
	$(AM_V_CCLD)$(MKDIR_P) peers && $(COMPILE_PEER) -o $@ $(srcdir)/peers/cudnn.c -lcudnn $(LINK_PEER)
peers/cublas.so: peers/cublas.c peers/device.h include/convref/kernel.h include/convref/problem.h include/convref/device.h
	$(AM_V_CCLD)$(MKDIR_P) peers && $(COMPILE_PEER) -o $@ $(srcdir)/peers/cublas.c -lcublas $(LINK_PEER)

peersdir = $(pkglibdir)
peers_DATA = $(PEER_MODULES)
CLEANFILES += peers/*.so

# what cuda/run-on-gpu needs
.PHONY: for-a-card
for-a-card: convref cuda/cuda.so cuda/cuda-watched.so $(PEER_MODULES)
