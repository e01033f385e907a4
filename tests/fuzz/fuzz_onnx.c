/* fuzz_onnx.c - ONNX: the same bytes as a tensor, and as a model that is counted.   See fuzz.h.
 *
 * A tensor that is read is not larger than eight times its bytes (s8 that becomes f64 would be); totals aren't
 * negative, and no convention of counting fails on a network that came out of a model.
 */
#include "tests/fuzz/fuzz.h"

#include "verify/onnx/onnx.h"

static void read_tensor(const struct onnx_bytes *bytes)
{
    struct conv_tensor tensor = { 0 };
    struct conv_error error = { 0 };
    if (onnx_parse_tensor(&tensor, bytes, STORED_ANY, &error) != CONV_OK) {
        FUZZ_DEMAND(error.message[0]);
        return;
    }
    FUZZ_DEMAND(conv_tensor_bytes(&tensor) <= 8 * bytes->size);
    for (int64_t i = 0; i < conv_tensor_count(&tensor); i++)
        conv_get(tensor.type, tensor.data, i);
    conv_tensor_free(&tensor);
}

static void count_model(const struct onnx_bytes *bytes)
{
    struct conv_network network;
    struct conv_error error = { 0 };
    if (onnx_network_parse(&network, bytes, bytes->size % 2 ? "8x8" : NULL, &error) != CONV_OK) {
        FUZZ_DEMAND(error.message[0]);
        return;
    }
    for (int total = 0; total < CONV_TOTALS; total++)
        FUZZ_DEMAND(network.totals[total] >= 0);
    for (int i = 0; i < conv_convention_count(); i++) {
        struct conv_term terms[CONV_MOST_TERMS];
        int count;
        FUZZ_DEMAND(conv_convention_network(terms, &count, i, &network) >= 0 && count <= CONV_MOST_TERMS);
    }
    FUZZ_DEMAND(conv_network_unknowns(&network) == 0 || network.note);
    conv_network_free(&network);
}

FUZZ_TARGET(onnx)
{
    const struct onnx_bytes bytes = { "fuzzed", data, size };
    read_tensor(&bytes);
    count_model(&bytes);
    return 0;
}
