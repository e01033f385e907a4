/* threads.h - which thread of the team is this?   Without OpenMP there is one, number 0. */
#ifndef CONVREF_OPTIMIZED_THREADS_H
#define CONVREF_OPTIMIZED_THREADS_H

#ifdef _OPENMP
#include <omp.h>
static inline int conv_thread(void) { return omp_get_thread_num(); }
#else
static inline int conv_thread(void) { return 0; }
#endif

#endif
