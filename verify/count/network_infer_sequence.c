/* network_infer_sequence.c - nodes that mix positions: attention, lstm and gru; and parameters that are no layer's.
 *
 *   attention   from=Q,K,V: every position of Q meets every position of K, and what comes out weighs those of V:
 *               positions(Q) * positions(K) * (channels(Q) + channels(V)) multiply-adds, however many heads.
 *               In windows, each position meets those of its own window alone.
 *   lstm, gru   steps * directions * gates * k * (c + k) multiply-adds, with 4 and 3 gates
 *
 * Declared in network_reader.h.   Sources: Vaswani et al. 2017, section 3.2; the documentation of ONNX's LSTM and GRU
 */
#include <stdio.h>
#include <string.h>

#include "verify/count/network_reader.h"

static int64_t positions_of(const struct conv_shape *shape)
{
    return shape->size[0] * shape->size[1] * shape->size[2];
}

/* The product of three numbers; false if it is more than is counted. */
static bool multiply(int64_t *product, int64_t a, int64_t b, int64_t c)
{
    const bool good = (double)a * (double)b * (double)c <= 0x1p56;
    *product = good ? a * b * c : 0;
    return good;
}

static enum conv_status too_large(struct reader *reader)
{
    return reader_fail(reader, reader->words.word_column, "more than 2^56 multiply-adds", "give smaller sizes");
}

/* ---- parameters that are no layer's --------------------------------------------------------------------------- */

/* count=768: a class token, a table of positions; what comes in goes out as it is */
enum conv_status network_infer_learned(struct reader *reader, struct conv_node *node)
{
    node->out = *reader_input(reader, 0);
    node->by_tensor = true;
    return reader_number(reader, "count", &node->weights);
}

/* ---- attention ------------------------------------------------------------------------------------------------ */

/* How many positions each one meets. */
static enum conv_status read_window(struct reader *reader, const struct conv_shape *q, const struct conv_shape *k,
                                    int64_t *met)
{
    int64_t window[CONV_AXES];
    *met = positions_of(k);
    if (!reader_pair(reader, "window"))
        return CONV_OK;
    if (reader_sizes(reader, "window", q->rank, window, NULL) != CONV_OK)
        return CONV_BAD_FILE;
    *met = 1;
    for (int a = CONV_AXES - q->rank; a < CONV_AXES; a++) {
        if (window[a] < 1 || q->size[a] % window[a] || k->size[a] != q->size[a])
            return reader_fail(reader, reader_column(reader, "window"), "window does not divide the sizes",
                               "give divisors; queries and keys have the same sizes");
        *met *= window[a];
    }
    return CONV_OK;
}

enum conv_status network_infer_attention(struct reader *reader, struct conv_node *node)
{
    int64_t heads = 1, met;
    const struct conv_shape *q, *k, *v;
    if (reader->input_count != 3)
        return reader_fail(reader, reader_column(reader, "from"), "three inputs are needed",
                           "write from=Q,K,V: queries, keys and values");
    q = reader_input(reader, 0), k = reader_input(reader, 1), v = reader_input(reader, 2);
    if (reader_pair(reader, "heads") && reader_number(reader, "heads", &heads) != CONV_OK)
        return CONV_BAD_FILE;
    if (q->c != k->c || positions_of(k) != positions_of(v))
        return reader_fail(reader, reader_column(reader, "from"), "the inputs don't fit together",
                           "queries and keys have the same channels, keys and values the same sizes");
    if (q->c % heads || v->c % heads)
        return reader_fail(reader, reader_column(reader, "heads"), "heads does not divide the channels",
                           "give a divisor");
    if (read_window(reader, q, k, &met) != CONV_OK)
        return CONV_BAD_FILE;
    if (!multiply(&node->macs, positions_of(q), met, q->c + v->c))
        return too_large(reader);
    node->kind = CONV_NODE_PRODUCT;
    strcpy(node->fn, "attention");
    node->out = *q;
    node->out.c = v->c;
    return CONV_OK;
}

/* ---- lstm and gru --------------------------------------------------------------------------------------------- */

/* bias=2: frameworks that follow cuDNN have one for each of the two products; bias=1: Keras has one for both */
enum conv_status network_infer_recurrent(struct reader *reader, struct conv_node *node)
{
    const struct conv_shape *in = reader_input(reader, 0);
    const char *bias = reader_value(reader, "bias", "2");
    const int64_t gates = node->kind == CONV_NODE_LSTM ? 4 : 3;
    int64_t k, matrix;
    bool both;
    if (in->rank != 1)
        return reader_fail(reader, reader->words.word_column, "its input is no sequence",
                           "`reshape in=LENGTH` makes one axis of all positions");
    if (reader_number(reader, "k", &k) != CONV_OK || reader_flag(reader, "bidirectional", &both, false) != CONV_OK)
        return CONV_BAD_FILE;
    if (strlen(bias) != 1 || *bias < '0' || *bias > '2')
        return reader_fail(reader, reader_column(reader, "bias"), "bias is not 0, 1 or 2",
                           "2 as in PyTorch and ONNX, 1 as in Keras");
    const int64_t directions = 1 + both;
    if (!multiply(&matrix, directions * gates, k, in->c + k)
        || !multiply(&node->macs, in->size[CONV_AXES - 1], matrix, 1))
        return too_large(reader);
    strcpy(node->fn, node->kind == CONV_NODE_LSTM ? "lstm" : "gru");
    node->kind = CONV_NODE_RECURRENT;
    node->by_tensor = true;
    node->weights = matrix + directions * gates * k * (*bias - '0');
    node->out = *in;
    node->out.c = directions * k;
    return CONV_OK;
}
