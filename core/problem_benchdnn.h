/* problem_benchdnn.h - oneDNN's convolution strings.  Internal. */
#ifndef CONVREF_CORE_PROBLEM_BENCHDNN_H
#define CONVREF_CORE_PROBLEM_BENCHDNN_H

#include <convref/problem.h>

/* Does the text look like g32ic32ih112oc32oh112kh3ph1 rather than key=value? */
bool conv_is_benchdnn(const char *text);

enum conv_status conv_parse_benchdnn(struct conv_problem *problem, const char *text,
                                     struct conv_error *error);

#endif
