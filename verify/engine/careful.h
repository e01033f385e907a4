/* careful.h - one careful run: watched from all sides, then compared with the truth.  Internal.   Read next: ways.h */
#ifndef CONVREF_VERIFY_ENGINE_CAREFUL_H
#define CONVREF_VERIFY_ENGINE_CAREFUL_H

#include "verify/engine/flips.h"
#include "verify/engine/place.h"

/* Runs in a row that place operands in all ways and have all sorts of other data in their second calls. */
enum { CHECK_VARIATIONS = PLACEMENTS * FLIP_SORTS };

/* Run the kernel on one problem and judge it.  False when it failed: the check must return. */
bool check_data(struct checker *checker, const struct conv_problem *problem, const struct check_data *data,
                int threads);

/* Did the plan's last run end in a failure that the kernel told of?  Then that is the finding, and true is returned. */
bool check_reported(struct checker *checker, const struct conv_plan *plan);

#endif
