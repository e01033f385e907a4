/* onnx.h - what convref reads of ONNX: tensors, test cases, and networks to be counted.  Internal.
 *
 *   x.pb                    a TensorProto, as the ONNX project's test data have them
 *   model.onnx:conv1.weight an initializer of a model, or the value of a Constant node
 *   test_conv/              model.onnx, test_data_set_0/input_0.pb ..., output_0.pb: one case
 *   model.onnx              a network: nodes with shapes, parameters, multiply-adds
 *
 * Without libprotobuf-c every function fails, and says what to install (without.c).
 * Not here: running a model.   Read next: docs/onnx.md, read.c
 */
#ifndef CONVREF_VERIFY_ONNX_ONNX_H
#define CONVREF_VERIFY_ONNX_ONNX_H

#include <convref/network.h>
#include <convref/verify.h>

#include "verify/io/readers.h"

/* A file in memory. */
struct onnx_bytes { const char *name; const uint8_t *data; size_t size; };

/* False if this build reads no ONNX; `error` then says what to install. */
bool onnx_is_there(struct conv_error *error, const char *name);

/* ---- tensors: readers of tensor_file.c ---------------------------------------------------------------------- */

enum conv_status pb_read(struct conv_tensor *tensor, const struct tensor_name *from, struct conv_error *error);
enum conv_status initializer_read(struct conv_tensor *tensor, const struct tensor_name *from,
                                  struct conv_error *error);
enum conv_status onnx_parse_tensor(struct conv_tensor *tensor, const struct onnx_bytes *bytes, unsigned accepted,
                                   struct conv_error *error);

/* ---- test cases --------------------------------------------------------------------------------------------- */

enum onnx_sort {
    ONNX_CASE_CONV,      /* a convolution with its operands and the stored output */
    ONNX_CASE_UNSAID,    /* a convolution that a problem can't say; `reason` says why */
    ONNX_CASE_OTHER      /* something else */
};

struct onnx_case {
    char name[128];
    enum onnx_sort sort;
    char reason[CONV_WORDS];
    bool exact;                                  /* integers whose sums are exact; onnx_case_judge() finds out */
    struct conv_problem problem;
    struct conv_tensor tensors[CONV_OPERANDS];   /* y is what is stored */
    struct conv_operands operands;
};

/* Read one data set of a case; its outputs from `theirs`, a folder like `folder`.  onnx_case_free() it. */
enum conv_status onnx_case_read(struct onnx_case *made, const char *folder, const char *theirs, int data_set,
                                struct conv_error *error);
void onnx_case_free(struct onnx_case *made);

/* How many data sets a case has. */
int onnx_case_data_sets(const char *folder);

/* ---- networks ----------------------------------------------------------------------------------------------- */

/* Sizes that a model leaves open: spatial ones from `in` ("224x224"; NULL: none are), 1 for the batch. */
enum conv_status onnx_network_read(struct conv_network *network, const char *path, const char *in,
                                   struct conv_error *error);
enum conv_status onnx_network_parse(struct conv_network *network, const struct onnx_bytes *bytes, const char *in,
                                    struct conv_error *error);

#endif
