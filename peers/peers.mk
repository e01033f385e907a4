# Other people's libraries as providers: built where configure found the library (and, for cards, the toolkit), linked
# against it, loaded by whoever asks with --provider.  Python's peers are adapters: python/convref/peers.
EXTRA_DIST += peers/device.h peers/same.h peers/cudnn.c peers/cublas.c peers/onednn.c
CARD_PEERS =
CPU_PEERS =
if HAVE_CUDNN
CARD_PEERS += peers/cudnn.so
endif
if HAVE_CUBLAS
CARD_PEERS += peers/cublas.so
endif
if HAVE_ONEDNN
CPU_PEERS += peers/onednn.so
endif
PEER_NEEDS = peers/device.h peers/same.h cuda/device/sweep.h include/convref/kernel.h include/convref/problem.h include/convref/device.h
COMPILE_PEER = $(AM_V_CCLD)$(MKDIR_P) peers && $(CC) $(CONVREF_CFLAGS) -O2 $(CPPFLAGS) -I$(top_srcdir)/include -I$(top_srcdir) -shared -fPIC
LINK_PEER = -Wl,-z,defs $(LDFLAGS)
FOR_CARD = -I$(CUDA_INCLUDEDIR)
ON_CARD = -L$(CUDA_LIBDIR) -Wl,-rpath,$(CUDA_LIBDIR) -lcudart $(LINK_PEER)
peers/cudnn.so: peers/cudnn.c $(PEER_NEEDS)
	$(COMPILE_PEER) $(FOR_CARD) -o $@ $(srcdir)/peers/cudnn.c -lcudnn $(ON_CARD)
peers/cublas.so: peers/cublas.c $(PEER_NEEDS)
	$(COMPILE_PEER) $(FOR_CARD) -o $@ $(srcdir)/peers/cublas.c -lcublas $(ON_CARD)
peers/onednn.so: peers/onednn.c $(PEER_NEEDS)
	$(COMPILE_PEER) -o $@ $(srcdir)/peers/onednn.c $(ONEDNN_LIBS) $(LINK_PEER)

peersdir = $(pkglibdir)
peers_DATA = $(CARD_PEERS) $(CPU_PEERS)
CLEANFILES += peers/*.so

# what cuda/run-on-gpu needs
.PHONY: for-a-card
for-a-card: convref cuda/cuda.so cuda/cuda-watched.so cuda/roofs tests/cuda/instructions-device $(CARD_PEERS)
