/* place.h - operands between guard pages, filled, and looked at afterwards.  Internal.
 *
 * From run to run they lie differently: flush right, flush left, or a few elements behind the left page, inputs in
 * pages that can be written to or not.   Read next: careful.h
 */
#ifndef CONVREF_VERIFY_ENGINE_PLACE_H
#define CONVREF_VERIFY_ENGINE_PLACE_H

#include "verify/engine/checker.h"

enum { PLACEMENTS = 4 };

/* What outputs are filled with before the first call: NaN in every type. */
enum { POISON_FIRST = 0xFF };

/* Place all operands, and fill the inputs.  hashes[] is for place_intact(). */
enum conv_status place_operands(struct checker *checker, struct conv_operands *operands,
                                uint64_t hashes[CONV_OPERANDS], const struct conv_problem *problem,
                                const struct check_data *data, struct conv_error *error);

/* Inputs may be written to until place_close(), which takes their hashes anew.  False: the system refuses. */
bool place_open(struct checker *checker);
bool place_close(struct checker *checker, const struct conv_problem *problem, const struct conv_operands *operands,
                 uint64_t hashes[CONV_OPERANDS]);

/* Was nothing beside the operands, the scratch and the packed weights written, and no input?  If not, that is the
 * finding, and false is returned. */
bool place_intact(struct checker *checker, const struct conv_problem *problem, const struct conv_operands *operands,
                  const uint64_t hashes[CONV_OPERANDS]);

#endif
