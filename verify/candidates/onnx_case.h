/* onnx_case.h - one test case of the ONNX project: is its stored output right, and each kernel on its data?
 * Internal. */
#ifndef CONVREF_VERIFY_CANDIDATES_ONNX_CASE_H
#define CONVREF_VERIFY_CANDIDATES_ONNX_CASE_H

#include <convref/verify.h>

#include "verify/onnx/onnx.h"

/* The stored output against our truth: exact integers bit for bit, other numbers within the bound. */
enum conv_status onnx_case_judge(struct conv_verification *result, struct onnx_case *made, struct conv_error *error);

/* A kernel on the case's data, in a child and watched like any other verification: first against our truth, then
 * against the stored output, from which it may be off by both bounds.  SKIPPED if it doesn't apply. */
enum conv_status onnx_case_run(struct conv_verification *result, const struct onnx_case *made,
                               const struct conv_kernel *kernel, const struct conv_verify_options *options,
                               struct conv_error *error);

#endif
