/* mistake.h - a mistake that people make in convolutions, made on purpose.  Internal to the findings.
 *
 * A mistake is made on a problem and its inputs, before the reference computes it, or on what the reference gave.
 * Either way the outputs keep their sizes, so that they can be compared with what a kernel gave (guess.c).
 *
 * Read next: settings.c, tensors.c, numbers.c, parts.c, results.c, which are the lists.
 */
#ifndef CONVREF_VERIFY_FINDINGS_MISTAKE_H
#define CONVREF_VERIFY_FINDINGS_MISTAKE_H

#include "verify/engine/frame.h"

/* A problem and its inputs, ours to change. */
struct mistake {
    /* type f64, channels first; `out` of the axes stays, whatever becomes of the rest */
    struct conv_problem problem;
    double *in[CONV_OPERANDS];        /* inputs, channels first; NULL: not an input */
    enum conv_operand output;
    double *out;                      /* channels first; NULL before the reference has computed it */
    int64_t count;                    /* of out */
    double held;                      /* every element of the output, before the kernel was called */
};

/* Which element is read, or stored, in the place of the one at this index; negative, or beyond the last: 0 is. */
typedef int64_t order_function(const struct mistake *m, const int64_t size[FRAME_AXES],
                               const int64_t index[FRAME_AXES]);

enum { TAPS_OR_PIXELS = FRAME_AXES, PART_VIEWS };

/* A part of an operand: of these indices on this axis.  Filters and channels are counted within their group.  The
 * view TAPS_OR_PIXELS counts the last three axes as one. */
struct part {
    enum conv_operand operand;
    int axis;
    enum { PART_FIRST, PART_LAST, PART_BEHIND_MULTIPLE, PART_FROM } which;
    int64_t number;
};

/* One suspect: one of these, or two. */
struct suspect {
    const char *words;                                          /* "" of a part, which has words of its own */
    bool (*before)(struct mistake *m, int64_t number);          /* false: it can't be made here; so `after` */
    void (*axis)(struct conv_axis *axis, int64_t number);       /* on every axis that is in use */
    order_function *read;                                       /* of `operand` */
    enum conv_operand operand;
    order_function *stored;                                     /* of the output */
    double (*value)(const struct mistake *m, double value);     /* each output becomes this */
    bool (*after)(struct mistake *m, int64_t number);
    int64_t number;
    bool certain;                     /* if it explains what is wrong, nobody else is asked ... */
    bool modest;                      /* ... but those who explain all outputs, right ones too */
    double scale;                     /* without all of them: the factor of `part` */
    struct part part;
};

/* The lists end with a row without words. */
extern const struct suspect suspect_settings[], suspect_tensors[], suspect_numbers[], suspect_results[];

/* Suspect number `index` of those that leave out a part of an operand, or count it twice; false behind the last. */
bool suspect_part(struct suspect *suspect, int64_t index);

/* Is it a part of the output, too: an image, a filter? */
bool part_is_of_output(const struct part *part, const struct conv_problem *problem);

/* "the last column of taps is left out" */
void suspect_part_words(char *words, size_t room, const struct suspect *suspect, const struct conv_problem *problem);

/* Make it, on the problem and its inputs, and then on its outputs.  False if it can't be made here. */
bool mistake_before(struct mistake *m, const struct suspect *suspect);
bool mistake_after(struct mistake *m, const struct suspect *suspect);

/* Of parts.c, for mistake_before(). */
bool mistake_scale(struct mistake *m, const struct part *part, double scale);

#endif
