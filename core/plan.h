/* plan.h - what the verifier may do with a plan (convref/run.h) and others may not.  Internal. */
#ifndef CONVREF_CORE_PLAN_H
#define CONVREF_CORE_PLAN_H

#include <convref/run.h>

#include "core/guarded.h"

/* Fill the scratch with a byte; not that of a device. */
void plan_poison(struct conv_plan *plan, unsigned char byte);

/* The guard pages of a guarded plan's blocks; NULL if the plan isn't guarded or has no such block. */
enum plan_block { PLAN_SCRATCH, PLAN_PACKED };
const struct guarded *plan_guard(const struct conv_plan *plan, enum plan_block block);

#endif
