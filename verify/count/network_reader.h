/* network_reader.h - a network file while it is read: the current line, cut up, and the network so far.  Internal.
 *
 * network_line.c cuts lines, network_infer.c infers what a node does to a shape (network_infer_size.c,
 * network_infer_sequence.c: so do they), network_read.c reads the file.
 */
#ifndef CONVREF_VERIFY_COUNT_NETWORK_READER_H
#define CONVREF_VERIFY_COUNT_NETWORK_READER_H

#include <convref/network.h>

enum { MOST_PAIRS = 16, MOST_INPUTS = 64 };

struct pair { char key[16], value[256]; int column; };

/* One line, cut up. */
struct line {
    char label[64], word[16];
    struct pair pairs[MOST_PAIRS];
    int pair_count, word_column;
};

struct reader {
    struct conv_network *network;
    const char *name;
    int line;
    struct line words;
    int inputs[MOST_INPUTS], input_count;   /* nodes that the current one reads */
    double work;                            /* everything that will be counted so far, from above */
    struct conv_error *error;
};

/* An error with its place, file:line:column. */
enum conv_status reader_fail(struct reader *reader, int column, const char *what, const char *hint);

/* Cut a line: [LABEL:] WORD key=value ...  An empty line leaves an empty word. */
enum conv_status reader_cut(struct reader *reader, const char *text, int length);

/* The pair of a key, or NULL; its value, or what is normal; its column, or that of the word. */
const struct pair *reader_pair(const struct reader *reader, const char *key);
const char *reader_value(const struct reader *reader, const char *key, const char *normal);
int reader_column(const struct reader *reader, const char *key);

/* A flag, 0 or 1; a number from 1 to 2^40. */
enum conv_status reader_flag(struct reader *reader, const char *key, bool *flag, bool normal);
enum conv_status reader_number(struct reader *reader, const char *key, int64_t *number);

/* Copy `length` characters and a 0; false if they don't fit. */
bool reader_copy(char *to, size_t room, const char *from, size_t length);

/* May this character stand in a name? */
bool reader_is_name(char c);

/* Parse the problem that a node's sizes make; its errors become errors of this line.  The shape of its output. */
enum conv_status reader_layer(struct reader *reader, struct conv_problem *problem, const char *text);
void reader_output(struct conv_shape *out, const struct conv_problem *problem);

/* Outputs of a pooling window that rounds up: one more at the end, unless it would begin in the padding behind the
 * image. */
int64_t conv_ceil_out(const struct conv_axis *axis);

/* The shape that the current node reads. */
const struct conv_shape *reader_input(const struct reader *reader, int i);

/* Numbers with x between them, one for each axis or one for all; each may be a pair begin:end if `ends` isn't NULL.
 * They stand at the last places, as the sizes of a shape do. */
enum conv_status reader_sizes(struct reader *reader, const char *key, int rank, int64_t sizes[CONV_AXES],
                              int64_t ends[CONV_AXES]);

/* begin:end or a list such as 0,1,5, of things below `limit`: how many. */
enum conv_status reader_part(struct reader *reader, const char *key, int64_t limit, int64_t *taken);

/* network_infer_size.c */
enum conv_status network_infer_upsample(struct reader *reader, struct conv_node *node);
enum conv_status network_infer_pad(struct reader *reader, struct conv_node *node);
enum conv_status network_infer_reshape(struct reader *reader, struct conv_node *node);
enum conv_status network_infer_merge(struct reader *reader, struct conv_node *node);
enum conv_status network_infer_slice(struct reader *reader, struct conv_node *node);
/* network_infer_sequence.c */
enum conv_status network_infer_learned(struct reader *reader, struct conv_node *node);
enum conv_status network_infer_attention(struct reader *reader, struct conv_node *node);
enum conv_status network_infer_recurrent(struct reader *reader, struct conv_node *node);

/* What a kind of node is called, its keys between spaces, and how its output follows from its inputs. */
struct node_rule {
    const char *name, *keys;
    enum conv_status (*infer)(struct reader *, struct conv_node *);
};
extern const struct node_rule node_rules[CONV_NODE_KINDS];

#endif
