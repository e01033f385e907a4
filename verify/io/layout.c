/* layout.c - where the fields of the public structs lie.   Declared in convref/layout.h.
 *
 * The names stand here once; offsets, sizes and types are the compiler's.  Not here: structs that callers only pass
 * on (problems, plans), and those that only kernels see.
 */
#include <convref.h>
#include <jansson.h>
#include <string.h>

struct field {
    const char *structure, *name;
    size_t offset, bytes, whole;
    char type;
};

typedef const char *applies_function(const struct conv_problem *);
typedef size_t bytes_function(const struct conv_problem *, int);
typedef void progress_function(const char *, int64_t, int64_t);
typedef void run_function(const struct conv_problem *, const struct conv_operands *, const struct conv_workspace *);

/* Selected on the field's address, because an array as a value is a pointer. */
#define TYPE_OF(field) _Generic(&(field), \
        bool *: '?', int *: 'i', unsigned *: 'I', long *: 'l', unsigned long *: 'L', long long *: 'q', \
        unsigned long long *: 'Q', double *: 'd', char **: 'P', const char **: 'P', void **: 'P', double **: 'P', \
        int64_t **: 'P', struct conv_node **: 'P', const struct conv_problem **: 'P', \
        applies_function **: 'P', bytes_function **: 'P', run_function **: 'P', \
        progress_function **: 'P', \
        default: _Generic((field), char *: 's', default: 'x'))
#define FIELD(s, name) { #s, #name, offsetof(struct s, name), sizeof ((struct s *)0)->name, sizeof(struct s), \
                         TYPE_OF(((struct s *)0)->name) }

static const struct field fields[] = {
#define E(name) FIELD(conv_error, name)
    E(status), E(message), E(hint), E(key), E(position), E(length),
#define K(name) FIELD(conv_kernel, name)
    K(name), K(title), K(from), K(kinds), K(passes), K(layouts), K(types), K(isa), K(accuracy), K(threaded), K(applies),
    K(scratch_bytes), K(run),
#define W(name) FIELD(conv_workspace, name)
    W(threads), W(failure),
#define P(name) FIELD(conv_plan_options, name)
    P(threads), P(guarded),
#define F(name) FIELD(conv_fill, name)
    F(kind), F(seed), F(range), F(impulse),
#define T(name) FIELD(conv_truth, name)
    T(count), T(value), T(magnitude), T(taps),
#define C(name) FIELD(conv_count, name)
    C(weights), C(biases), C(macs), C(macs_inside), C(bias_adds), C(bytes), C(intensity),
#define N(name) FIELD(conv_network, name)
    N(name), N(nodes), N(node_count), N(source), N(published), N(note), N(totals),
#define D(name) FIELD(conv_node, name)
    D(label), D(kind), D(line), D(aux), D(problem),
#define M(name) FIELD(conv_machine, name)
    M(cpu), M(system), M(compiler), M(flags), M(cores), M(bytes), M(isa),
#define R(name) FIELD(conv_roof, name)
    R(threads), R(macs), R(bandwidth),
#define B(name) FIELD(conv_bench_options, name)
    B(threads), B(cold), B(rounds), B(turn_seconds), B(patience), B(seed), B(time_limit), B(memory_limit),
#define I(name) FIELD(conv_timing, name)
    I(verified), I(median), I(p10), I(p90), I(turns), I(calls), I(speedup), I(scratch_bytes), I(packed_bytes),
    I(pack_seconds), I(threads), I(shared_rounds), I(speedup_low), I(speedup_high), I(others), I(why),
#define O(name) FIELD(conv_verify_options, name)
    O(seed), O(time_limit), O(problems), O(problem_count), O(only_problems), O(check), O(threads),
    O(memory_limit), O(in_process), O(brief), O(progress),
#define V(name) FIELD(conv_verification, name)
    V(verdict), V(kernel), V(reason), V(warning), V(checks), V(evidence), V(arithmetic), V(finding),
#define A(name) FIELD(conv_arithmetic, name)
    A(sure), A(narrow), A(words),
#define Y(name) FIELD(conv_evidence, name)
    Y(check), Y(problems), Y(elements), Y(worst), Y(seconds), Y(note),
#define G(name) FIELD(conv_finding, name)
    G(fault), G(check), G(problem), G(seed), G(threads), G(operand), G(elements), G(wrong), G(shown), G(first),
    G(where), G(guess), G(needs_others), G(has_roomier), G(roomier), G(roomier_elements), G(roomier_wrong), G(pattern),
#define L(name) FIELD(conv_problem_filter, name)
    L(kinds), L(passes), L(layouts), L(types), L(ranks), L(most_stride), L(most_dilation), L(most_filter), L(most_pad),
    L(most_macs),
#define Z(name) FIELD(conv_examined, name)
    Z(verdict), Z(fault), Z(operand), Z(elements), Z(wrong), Z(shown), Z(first), Z(worst), Z(seconds), Z(words),
#define S(name) FIELD(conv_examination, name)
    S(verdicts), S(faults), S(first), S(finding), S(warning),
#define X(name) FIELD(conv_wrong, name)
    X(expected), X(got), X(bound),
};

enum { FIELDS = sizeof fields / sizeof fields[0] };

char *conv_layout_json(void)
{
    json_t *layout = json_object();
    for (int i = 0; i < FIELDS; i++) {
        const struct field *field = &fields[i];
        const char type[2] = { field->type, 0 };
        json_t *structure = json_object_get(layout, field->structure);
        if (!structure) {
            structure = json_pack("{s:I, s:[]}", "size", (json_int_t)field->whole, "fields");
            json_object_set_new(layout, field->structure, structure);
        }
        json_array_append_new(json_object_get(structure, "fields"),
                              json_pack("[s, I, I, s]", field->name, (json_int_t)field->offset,
                                        (json_int_t)field->bytes, type));
    }
    char *text = json_dumps(layout, JSON_COMPACT);
    json_decref(layout);
    return text;
}
