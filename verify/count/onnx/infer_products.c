/* infer_products.c - matrix products, with weights and of two computed matrices, and recurrent layers.   See infer.c.
 *
 * A product with weights is a layer, written as a pointwise convolution along its rows: c numbers in, k out.  Where
 * the weights are a stack of matrices, one for each head, it is a convolution with as many groups.  A product of two
 * computed matrices, as in attention, has no weights and is no layer: its multiply-adds are counted apart.
 *
 *   MatMul      macs = PRODUCT of the broadcast batch * M * K * N
 *   Einsum      macs = PRODUCT over all letters, of two operands
 *   LSTM        macs = steps * batch * directions * 4 * hidden * (inputs + hidden);  GRU 3, RNN 1
 *   Attention   macs = batch * heads * queries * keys * (head size + head size of the values)
 *
 * Not here: activations, softmax and the elementwise products of gates, which nobody calls multiply-adds.
 */
#include "verify/count/onnx/infer.h"

#include <string.h>

/* ---- both sorts --------------------------------------------------------------------------------------------- */

/* A product of `groups` pairs of matrices: rows x c by c x k. */
struct product { int64_t groups, rows, c, k; };

static bool multiply(int64_t *to, int64_t factor)
{
    return !__builtin_mul_overflow(*to, factor, to) && *to <= INT64_C(1) << 56;
}

/* Multiply-adds of a node that is no layer. */
static enum conv_status set_macs(struct step *step, const int64_t *factors, int count)
{
    int64_t macs = 1;
    bool good = true, zero = false;
    for (int i = 0; i < count; i++)
        zero = zero || factors[i] == 0;
    for (int i = 0; i < count && !zero; i++)
        good = good && multiply(&macs, factors[i]);
    step->made->macs = zero ? 0 : macs;
    return good ? CONV_OK : step_bad(step, "it has more than 2^56 multiply-adds");
}

/* With weights: a layer; `many` axes of rows make it linear, one fc, as PyTorch's tools tell them apart. */
static enum conv_status make_layer(struct step *step, const struct product *product, bool bias, bool many)
{
    struct conv_error inner;
    struct conv_problem *problem = &step->made->problem;
    if (product->rows == 0 || product->c == 0 || product->k == 0 || product->groups == 0) {
        step->made->kind = CONV_NODE_OTHER;
        return CONV_OK;
    }
    step->made->kind = many ? CONV_NODE_LINEAR : CONV_NODE_FC;
    *problem = conv_problem_default(1);
    problem->n = 1;
    problem->groups = product->groups;
    problem->c = product->c;
    problem->k = product->k;
    problem->bias = bias;
    problem->axis[CONV_W].in = product->rows;
    if (!multiply(&problem->c, product->groups) || !multiply(&problem->k, product->groups))
        return step_bad(step, "its matrices are too large");
    return conv_problem_finish(problem, &inner) == CONV_OK ? CONV_OK
        : onnx_bad_node(&step->at, NULL, "%.200s", inner.message);
}

static enum conv_status make_product(struct step *step, const struct product *product, const struct value *a,
                                     const struct value *b, bool bias, bool many)
{
    if (a->constant != b->constant)
        return make_layer(step, product, bias, many);
    step->made->kind = CONV_NODE_PRODUCT;
    const int64_t factors[] = { product->groups, product->rows, product->c, product->k };
    return set_macs(step, factors, 4);
}

/* ---- Gemm and MatMul ---------------------------------------------------------------------------------------- */

enum conv_status infer_gemm(struct step *step)
{
    int64_t trans[2] = { 0, 0 };
    enum conv_status status = step_needs(step, 2);
    if (status == CONV_OK)
        status = onnx_int(&trans[0], &step->at, "transA");
    if (status == CONV_OK)
        status = onnx_int(&trans[1], &step->at, "transB");
    if (status != CONV_OK)
        return status;
    const struct value *a = step->in[0], *b = step->in[1];
    if (a->shape.rank != 2 || b->shape.rank != 2)
        return step_bad(step, "A and B have two dims each");
    const int64_t m = a->shape.dims[trans[0] != 0], c = a->shape.dims[trans[0] == 0];
    const int64_t n = b->shape.dims[trans[1] == 0];
    if (b->shape.dims[trans[1] != 0] != c)
        return step_bad(step, "the dims of A and B don't fit together");
    const struct product product = a->constant ? (struct product){ 1, n, c, m } : (struct product){ 1, m, c, n };
    const struct onnx_shape out = { 2, { m, n } };
    status = make_product(step, &product, a, b, step->in[2] && step->in[2]->constant && !a->constant, false);
    return status == CONV_OK ? step_set_shape(step, &out) : status;
}

/* The axes in front of the last two, broadcast; and how many matrices that is. */
static enum conv_status join_batches(struct onnx_shape *out, const struct step *step, const struct onnx_shape *a,
                                     const struct onnx_shape *b)
{
    struct onnx_shape one = *a, other = *b;
    one.rank -= 2;
    other.rank -= 2;
    *out = one;
    return step_broadcast(out, step, &other);
}

/* Weights are a matrix, or a stack of them for some axes of the batch; the rest of the batch are rows. */
static struct product with_weights(const struct onnx_shape *batch, const struct onnx_shape *weights, int64_t rows,
                                   int64_t c, int64_t k)
{
    struct onnx_shape stack = *weights;
    stack.rank -= 2;
    const int64_t groups = shape_elements(&stack), all = shape_elements(batch);
    return (struct product){ groups, groups > 0 ? all / groups * rows : 0, c, k };
}

/* Where B stands among the inputs, and the type that comes out. */
static int second_of(struct step *step)
{
    if (onnx_is(step->at.node, "MatMulInteger"))
        step->out->type = ONNX_INT32;
    return onnx_is(step->at.node, "QLinearMatMul") ? 3 : 1;
}

enum conv_status infer_matmul(struct step *step)
{
    const struct value *second = step->in[second_of(step)], *first = step->in[0];
    enum conv_status status = step_needs(step, 1);
    if (status == CONV_OK && !second)
        status = step_bad(step, "it has too few inputs");
    if (status == CONV_OK && !second->known)
        status = not_understood(step, "the size of its input isn't known");
    if (status != CONV_OK)
        return status;
    struct onnx_shape a = first->shape, b = second->shape, out;
    const bool row = a.rank == 1, column = b.rank == 1;   /* a vector is a matrix whose axis is taken away again */
    if (a.rank < 1 || b.rank < 1)
        return step_bad(step, "it multiplies a single number");
    if (row)
        a = (struct onnx_shape){ 2, { 1, a.dims[0] } };
    if (column)
        b = (struct onnx_shape){ 2, { b.dims[0], 1 } };
    const int64_t m = a.dims[a.rank - 2], c = a.dims[a.rank - 1], n = b.dims[b.rank - 1];
    if (b.dims[b.rank - 2] != c)
        return step_bad(step, "the dims of A and B don't fit together");
    status = join_batches(&out, step, &a, &b);
    if (status == CONV_OK && !shape_is_sane(&out))
        status = step_bad(step, "its batch is too large");
    if (status != CONV_OK)
        return status;
    const struct product product = second->constant && !first->constant ? with_weights(&out, &b, m, c, n)
                                 : first->constant && !second->constant ? with_weights(&out, &a, n, c, m)
                                 : (struct product){ shape_elements(&out), m, c, n };
    if (!row)
        out.dims[out.rank++] = m;
    if (!column)
        out.dims[out.rank++] = n;
    status = make_product(step, &product, first, second, false, first->shape.rank > 2 || second->shape.rank > 2);
    return status == CONV_OK ? step_set_shape(step, &out) : status;
}

/* ---- Einsum ------------------------------------------------------------------------------------------------- */

/* Letters of "bij,bjk->bik": which terms have one, and its size.  The dims of "..." are letters of their own, counted
 * from the last. */
enum { LETTERS = 52 + CONV_MAX_RANK, OUTPUT = 1 << 30, MOST_TERMS = 12 };
struct einsum {
    int terms;
    unsigned in[LETTERS];
    int64_t size[LETTERS];
    int dots;                          /* dims that "..." stands for, at most */
    bool arrow;
    struct onnx_shape out;
};

static int letter_of(char c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' : c >= 'A' && c <= 'Z' ? c - 'A' + 26 : -1;
}

static bool set_letter(struct einsum *read, int letter, int term, int64_t size)
{
    if (read->in[letter] && read->size[letter] != size && read->size[letter] != 1 && size != 1)
        return false;
    if (!read->in[letter] || read->size[letter] == 1)
        read->size[letter] = size;
    read->in[letter] |= 1u << term;
    return true;
}

/* One term of the left side. */
static bool read_term(struct einsum *read, const char *text, size_t length, int term, const struct onnx_shape *shape)
{
    int letters = 0, d = 0;
    for (size_t i = 0; i < length; i++)
        letters += letter_of(text[i]) >= 0;
    const int dots = shape->rank - letters;
    for (size_t i = 0; i < length; i++) {
        if (letter_of(text[i]) >= 0) {
            if (d >= shape->rank || !set_letter(read, letter_of(text[i]), term, shape->dims[d++]))
                return false;
        } else if (text[i] == '.') {
            i += 2;
            for (int n = dots; n > 0; n--)
                if (!set_letter(read, 52 + n - 1, term, shape->dims[d++]))
                    return false;
            read->dots = dots > read->dots ? dots : read->dots;
        } else if (text[i] != ' ') {
            return false;
        }
    }
    return d == shape->rank;
}

static bool put_out(struct einsum *read, int letter)
{
    if (read->out.rank == CONV_MAX_RANK || !read->in[letter])
        return false;
    read->in[letter] |= OUTPUT;
    read->out.dims[read->out.rank++] = read->size[letter];
    return true;
}

static bool put_dots(struct einsum *read)
{
    for (int n = read->dots; n > 0; n--)
        if (!put_out(read, 52 + n - 1))
            return false;
    return true;
}

static bool read_output(struct einsum *read, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const bool dots = text[i] == '.';
        if (dots ? !put_dots(read) : text[i] != ' ' && (letter_of(text[i]) < 0 || !put_out(read, letter_of(text[i]))))
            return false;
        i += dots ? 2 : 0;
    }
    return true;
}

/* Without an arrow: the letters that stand once, in order of the alphabet, capitals first. */
static bool imply_output(struct einsum *read, const char *text, size_t length)
{
    int count[52] = { 0 };
    for (size_t i = 0; i < length; i++)
        if (letter_of(text[i]) >= 0)
            count[letter_of(text[i])]++;
    bool good = put_dots(read);
    for (int i = 0; i < 52 && good; i++) {
        const int letter = (i + 26) % 52;
        good = count[letter] != 1 || put_out(read, letter);
    }
    return good;
}

static enum conv_status read_equation(struct einsum *read, const struct step *step)
{
    const ConvOnnx__Attribute *found;
    const enum conv_status status = onnx_attribute(&found, &step->at, "equation", ONNX_ATTRIBUTE_STRING);
    if (status != CONV_OK || !found || !found->s.data)
        return status != CONV_OK ? status : step_bad(step, "it has no equation");
    const char *text = (const char *)found->s.data;
    const size_t length = found->s.len;
    size_t begin = 0, end = 0;
    bool good = true;
    for (; end < length && text[end] != '-'; end++)
        good = good && (text[end] != '.' || (end + 2 < length && text[end + 1] == '.' && text[end + 2] == '.'
                                             && (end += 2)));
    for (size_t i = 0; i <= end && good; i++) {
        if (i < end && text[i] != ',')
            continue;
        good = read->terms < (int)step->at.node->n_input && read->terms < MOST_TERMS
            && read_term(read, text + begin, i - begin, read->terms, &step->in[read->terms]->shape);
        read->terms++;
        begin = i + 1;
    }
    good = good && read->terms == (int)step->at.node->n_input;
    if (good && end < length)
        good = end + 1 < length && text[end + 1] == '>' && read_output(read, text + end + 2, length - end - 2);
    else if (good)
        good = imply_output(read, text, length);
    return good ? CONV_OK : step_bad(step, "its equation doesn't fit its inputs");
}

/* Letters by the terms that have them: of both and the output, of both, of the first or the second. */
static enum conv_status einsum_product(struct step *step, const struct einsum *read)
{
    const struct value *a = step->in[0], *b = step->in[1];
    const unsigned weights = b->constant ? 2 : 1;
    struct product product = { 1, 1, 1, 1 };
    int64_t factors[LETTERS];
    int count = 0;
    bool good = true;
    for (int i = 0; i < LETTERS; i++) {
        const unsigned in = read->in[i] & 3;
        if (!in)
            continue;
        factors[count++] = read->size[i];
        int64_t *to = in == 3 ? read->in[i] & OUTPUT ? &product.groups : &product.c
                    : in == weights ? &product.k : &product.rows;
        good = good && multiply(to, read->size[i]);
    }
    if (!good)
        return step_bad(step, "its matrices are too large");
    if (a->constant != b->constant)
        return make_layer(step, &product, false, a->shape.rank > 2 || b->shape.rank > 2);
    step->made->kind = CONV_NODE_PRODUCT;
    return set_macs(step, factors, count);
}

enum conv_status infer_einsum(struct step *step)
{
    struct einsum read = { .terms = 0 };
    const size_t inputs = step->at.node->n_input;
    if (inputs < 1 || inputs > MOST_TERMS)
        return step_bad(step, "it has no inputs, or more than twelve");
    enum conv_status status = step_needs(step, (int)inputs);
    if (status == CONV_OK)
        status = read_equation(&read, step);
    if (status == CONV_OK)
        status = step_set_shape(step, &read.out);
    if (status != CONV_OK)
        return status;
    if (inputs > 2)
        return not_understood(step, "it multiplies more than two tensors, in an order that isn't given");
    step->made->kind = CONV_NODE_OTHER;
    return inputs == 2 ? einsum_product(step, &read) : CONV_OK;
}

/* ---- attention ---------------------------------------------------------------------------------------------- */

/* Q, K or V as batch x heads x length x size; packed ones have the heads in their last axis. */
static enum conv_status unpack_heads(struct onnx_shape *made, const struct step *step, int input, int64_t heads)
{
    const struct onnx_shape *x = &step->in[input]->shape;
    *made = *x;
    if (x->rank == 4)
        return CONV_OK;
    if (x->rank != 3 || heads < 1 || x->dims[2] % heads)
        return step_bad(step, "Q, K and V have four axes, or three with heads that divide the last");
    *made = (struct onnx_shape){ 4, { x->dims[0], heads, x->dims[1], x->dims[2] / heads } };
    return CONV_OK;
}

/* Every query with every key, masked or not: what a product of whole matrices does. */
enum conv_status infer_attention(struct step *step)
{
    int64_t heads[3] = { 0, 0, 0 };
    struct onnx_shape part[3];
    enum conv_status status = step_needs(step, 3);
    if (status == CONV_OK)
        status = onnx_int(&heads[0], &step->at, "q_num_heads");
    if (status == CONV_OK)
        status = onnx_int(&heads[1], &step->at, "kv_num_heads");
    heads[2] = heads[1];
    for (int i = 0; i < 3 && status == CONV_OK; i++)
        status = unpack_heads(&part[i], step, i, heads[i]);
    if (status == CONV_OK && step->in[4] && (!step->in[4]->known || step->in[4]->shape.rank != 4))
        status = not_understood(step, "the size of its past isn't known");
    if (status != CONV_OK)
        return status;
    const int64_t past = step->in[4] ? step->in[4]->shape.dims[2] : 0, *q = part[0].dims, *v = part[2].dims;
    const int64_t keys = part[1].dims[2] + past;
    const int64_t factors[] = { q[0], q[1], q[2], keys, q[3] + v[3] };
    const struct onnx_shape packed = { 3, { q[0], q[2], q[1] * v[3] } }, whole = { 4, { q[0], q[1], q[2], v[3] } };
    const struct onnx_shape present[] = { { 4, { q[0], part[1].dims[1], keys, part[1].dims[3] } },
                                          { 4, { q[0], v[1], keys, v[3] } }, { 4, { q[0], q[1], q[2], keys } } };
    status = set_macs(step, factors, 5);
    for (size_t i = 0; i < 3 && status == CONV_OK; i++)
        status = step_set_output(step, i + 1, &present[i], step->in[0]->type);
    return status == CONV_OK ? step_set_shape(step, step->in[0]->shape.rank == 3 ? &packed : &whole) : status;
}

/* LinearAttention: what it multiplies depends on its rule and on how it is cut into chunks; its size doesn't. */
enum conv_status infer_linear_attention(struct step *step)
{
    int64_t heads[2] = { 0, 0 };
    enum conv_status status = step_needs(step, 3);
    if (status == CONV_OK)
        status = step_need_int(&heads[0], step, "q_num_heads");
    if (status == CONV_OK)
        status = step_need_int(&heads[1], step, "kv_num_heads");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *q = &step->in[0]->shape, *v = &step->in[2]->shape;
    if (q->rank != 3 || v->rank != 3 || heads[0] < 1 || heads[1] < 1 || q->dims[2] % heads[0]
        || v->dims[2] % heads[1])
        return step_bad(step, "query and value have three axes, with heads that divide the last");
    const int64_t size = v->dims[2] / heads[1];
    const struct onnx_shape out = { 3, { q->dims[0], q->dims[1], heads[0] * size } };
    const struct onnx_shape state = { 4, { q->dims[0], heads[1], q->dims[2] / heads[0], size } };
    status = step_set_output(step, 1, &state, step->in[0]->type);
    if (status == CONV_OK)
        status = step_set_shape(step, &out);
    return status == CONV_OK ? not_understood(step, "its multiply-adds depend on how it is cut into chunks") : status;
}

/* ---- LSTM, GRU, RNN ----------------------------------------------------------------------------------------- */

/* W is directions x gates * hidden x inputs, and R the same of what is hidden; X is steps x batch x inputs, or with
 * `layout` batch x steps x inputs.  The axes of the matrices are given: that of the gates, and the other one. */
static enum conv_status recurrent(struct step *step, int64_t gates, int of_gates, int of_inputs)
{
    int64_t layout = 0;
    enum conv_status status = step_needs(step, 3);
    if (status == CONV_OK)
        status = onnx_int(&layout, &step->at, "layout");
    if (status != CONV_OK)
        return status;
    const struct onnx_shape *x = &step->in[0]->shape, *w = &step->in[1]->shape, *r = &step->in[2]->shape;
    if (x->rank != 3 || w->rank != 3 || r->rank != 3 || w->dims[of_inputs] != x->dims[2]
        || w->dims[of_gates] != gates * r->dims[of_inputs] || r->dims[of_gates] != w->dims[of_gates]
        || r->dims[0] != w->dims[0])
        return step_bad(step, "X, W and R don't fit together");
    const int64_t steps = x->dims[layout != 0], batch = x->dims[layout == 0], both = w->dims[0];
    const int64_t hidden = r->dims[of_inputs];
    const int64_t factors[] = { steps, batch, both, gates, hidden, x->dims[2] + hidden };
    const struct onnx_shape all = layout ? (struct onnx_shape){ 4, { batch, steps, both, hidden } }
                                         : (struct onnx_shape){ 4, { steps, both, batch, hidden } };
    const struct onnx_shape last = layout ? (struct onnx_shape){ 3, { batch, both, hidden } }
                                          : (struct onnx_shape){ 3, { both, batch, hidden } };
    status = set_macs(step, factors, 6);
    for (size_t i = 0; i < 3 && status == CONV_OK; i++)
        status = step_set_output(step, i, i ? &last : &all, step->in[0]->type);
    return status;
}

enum conv_status infer_recurrent(struct step *step)
{
    return recurrent(step, onnx_is(step->at.node, "LSTM") ? 4 : onnx_is(step->at.node, "GRU") ? 3 : 1, 1, 2);
}

/* ONNX Runtime's DynamicQuantizeLSTM, which its quantisation puts in the place of LSTM: W and R are transposed, with
 * their scales behind the inputs that LSTM has.  Source: ONNX Runtime, docs/ContribOperators.md */
enum conv_status infer_quantized_lstm(struct step *step) { return recurrent(step, 4, 2, 1); }
