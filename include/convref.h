/* convref.h - everything.   Start reading at convref/problem.h. */
#ifndef CONVREF_H
#define CONVREF_H

#include <convref/base.h>
#include <convref/dtype.h>
#include <convref/problem.h>
#include <convref/tensor.h>
#include <convref/isa.h>
#include <convref/device.h>
#include <convref/provider.h>
#include <convref/table.h>
#include <convref/define.h>
#include <convref/kernel.h>
#include <convref/run.h>
#include <convref/machine.h>
#include <convref/reference.h>
#include <convref/npy.h>
#include <convref/count.h>
#include <convref/network.h>
#include <convref/convention.h>
#include <convref/problems.h>
#include <convref/verdict.h>
#include <convref/arithmetic.h>
#include <convref/verify.h>
#include <convref/examine.h>
#include <convref/sensitivity.h>
#include <convref/bench.h>
#include <convref/layout.h>

#endif
