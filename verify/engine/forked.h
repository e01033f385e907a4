/* forked.h - the checks in a child, and what became of it.  Internal. */
#ifndef CONVREF_VERIFY_ENGINE_FORKED_H
#define CONVREF_VERIFY_ENGINE_FORKED_H

#include "verify/engine/checker.h"

/* Run `run_checks` in a forked child, and find out what became of it. */
enum conv_status run_forked(struct checker *checker, void (*run_checks)(struct checker *), struct conv_error *error);

#endif
