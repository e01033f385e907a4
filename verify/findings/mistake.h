/* mistake.h - a mistake that people make in convolutions, made on purpose.  Internal to the findings.
 *
 * A mistake is made on a problem and its inputs, before the reference computes it, or on what the reference gave.  Either
 * way the outputs keep their sizes, so that they can be compared with what a kernel gave (guess.c).
 *
 * Read next: settings.c, tensors.c, numbers.c, parts.c, results.c, which are the lists.
 */
#ifndef CONVREF_VERIFY_FINDINGS_MISTAKE_H
#define CONVREF_VERIFY_FINDINGS_MISTAKE_H

#include <convref/tensor.h>

/* A problem and its inputs, ours to change. */
struct mistake {
    struct conv_problem problem;      /* type f64, channels first; `out` of the axes stays, whatever becomes of the rest */
    double *in[CONV_OPERANDS];        /* inputs, channels first; NULL: not an input */
    enum conv_operand output;
    double *out;                      /* channels first; NULL before the reference has computed it */
    int64_t count;                    /* of out */
    double held;                      /* every element of the output, before the kernel was called */
};

enum { TENSOR_AXES = 5, TAPS_OR_PIXELS = TENSOR_AXES, TENSOR_VIEWS };

/* A part of an operand: of these indices on this axis.  Filters and channels are counted within their group.  The view
 * TAPS_OR_PIXELS counts the last three axes as one. */
struct part {
    enum conv_operand operand;
    int axis;
    enum { PART_FIRST, PART_LAST, PART_BEHIND_MULTIPLE, PART_FROM, PARTS } which;
    int64_t number;
};

/* One suspect.  Either function may be missing; false: the mistake can't be made here. */
struct suspect {
    const char *words;                /* a # in them stands for the number */
    bool (*before)(struct mistake *m, int64_t number), (*after)(struct mistake *m, int64_t number);
    int64_t number;
    bool certain;                     /* if it explains what is wrong, nobody else is asked ... */
    bool modest;                      /* ... but those who explain all outputs, right ones too */
    double scale;                     /* of suspects without functions: the factor of `part` */
    struct part part;
};

/* The lists end with a row without words. */
extern const struct suspect suspect_settings[], suspect_tensors[], suspect_numbers[], suspect_results[];

/* Suspect number `index` of those that leave out a part of an operand, or count it twice; false behind the last. */
bool suspect_part(struct suspect *suspect, int64_t index);
bool mistake_scale(struct mistake *m, const struct part *part, double scale);

/* Is it a part of the output, too: an image, a filter? */
bool part_is_of_output(const struct part *part, const struct conv_problem *problem);

/* "the last column of taps is left out" */
void suspect_part_words(char *words, size_t room, const struct suspect *suspect, const struct conv_problem *problem);

/* ---- for the lists --------------------------------------------------------------------------------------------------- */

/* An operand as five axes: images or filters, channels, and three in space. */
struct tensor { double *at; int64_t size[TENSOR_AXES]; };
struct tensor tensor_of(const struct mistake *m, enum conv_operand operand);
struct tensor tensor_of_output(const struct mistake *m);
int64_t tensor_count(const struct tensor *tensor);

/* at[i] = at[source(i)], where the source is an index; negative: 0. */
typedef int64_t source_function(const struct mistake *m, const int64_t *size, const int64_t *index);
bool tensor_pick(const struct mistake *m, struct tensor tensor, source_function *source);

#endif
