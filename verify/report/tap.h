/* tap.h - verdicts as TAP, version 14: one point for each, for the programs that read test results so.  Internal. */
#ifndef CONVREF_VERIFY_REPORT_TAP_H
#define CONVREF_VERIFY_REPORT_TAP_H

#include <convref/verify.h>
#include <stdio.h>

/* The version and the plan, before the first point. */
void tap_begin(FILE *file, int count);

/* Point `number`, from 1 on.  `repro` is the command that shows a rejection again; NULL if there is none. */
void tap_point(FILE *file, int number, const struct conv_verification *result, const char *repro);

#endif
