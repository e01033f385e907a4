/* counts_json.c - what was counted, for programs: one object, which docs/count.schema.json describes.
 *
 *   a problem    { "convref": ..., "problem": ..., "kind": ..., "params": 4672, "macs": ... }
 *   a network    { "convref": ..., "network": ..., "layers": [ ... ], "totals": { "params": ... }, ... }
 *   --convention, --conventions    of either, "conventions": [ { "tool": ..., "figure": ..., "terms": [ ... ] } ]
 *
 * A layer has the keys of a problem.   Declared in counts.h.   Not here: tables (counts.c).
 */
#include "verify/report/counts.h"

#include <jansson.h>

void counts_print_json(FILE *file, json_t *json)
{
    json_dumpf(json, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    fputc('\n', file);
    json_decref(json);
}

static json_t *new_document(const char *key, const char *name)
{
    json_t *json = json_object();
    json_object_set_new(json, "convref", json_string(conv_version()));
    json_object_set_new(json, key, json_string(name));
    return json;
}

/* ---- conventions ----------------------------------------------------------------------------------------------- */

static json_t *terms_json(const struct conv_term *terms, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        json_t *term = json_object();
        json_object_set_new(term, "term", json_string(terms[i].what));
        json_object_set_new(term, "count", json_integer(terms[i].count));
        json_object_set_new(term, "factor", json_integer(terms[i].factor));
        json_array_append_new(list, term);
    }
    return list;
}

/* `network` is NULL for a problem. */
static json_t *convention_json(int index, const struct conv_network *network, const struct conv_problem *problem)
{
    const struct conv_convention facts = conv_convention_at(index);
    struct conv_term terms[CONV_MOST_TERMS];
    int count;
    const int64_t figure = network ? conv_convention_network(terms, &count, index, network)
                                   : conv_convention_problem(terms, &count, index, problem);
    json_t *json = json_object();
    json_object_set_new(json, "tool", json_string(facts.name));
    json_object_set_new(json, "version", json_string(facts.version));
    json_object_set_new(json, "figure", json_integer(figure));
    json_object_set_new(json, "unit", json_string(facts.unit));
    json_object_set_new(json, "missing", json_integer(network ? conv_convention_missing(index, network) : 0));
    json_object_set_new(json, "terms", terms_json(terms, count));
    return json;
}

static json_t *conventions_json(const struct count_view *view, const struct conv_network *network,
                                const struct conv_problem *problem)
{
    json_t *list = json_array();
    for (int i = 0; i < conv_convention_count(); i++)
        if (view->all || i == view->convention)
            json_array_append_new(list, convention_json(i, network, problem));
    return list;
}

/* ---- what is counted ------------------------------------------------------------------------------------------- */

json_t *counts_problem_json(const struct count_view *view, const struct conv_problem *problem)
{
    char text[CONV_PROBLEM_TEXT];
    struct conv_count count;
    json_t *json = new_document("problem", conv_problem_print(text, problem));
    json_object_set_new(json, "kind", json_string(conv_kind_name(conv_problem_kind(problem))));
    if (view->all || view->convention >= 0) {
        json_object_set_new(json, "conventions", conventions_json(view, NULL, problem));
        return json;
    }
    conv_count_problem(&count, problem);
    for (enum counts_quantity quantity = 0; quantity < COUNTS_QUANTITIES; quantity++)
        json_object_set_new(json, counts_name(quantity), json_integer(counts_value(&count, quantity)));
    json_object_set_new(json, "intensity", json_real(count.intensity));
    return json;
}

static void set_words(json_t *json, const char *key, const char *words)
{
    json_object_set_new(json, key, words ? json_string(words) : json_null());
}

json_t *counts_network_json(const struct count_view *view, const struct conv_network *network)
{
    json_t *json = new_document("network", network->name);
    if (view->all || view->convention >= 0) {
        json_object_set_new(json, "conventions", conventions_json(view, network, NULL));
        return json;
    }
    json_t *totals = json_object();
    struct table *layers = counts_layers(network);
    for (enum conv_total total = 0; total < CONV_TOTALS; total++)
        json_object_set_new(totals, conv_total_name(total), json_integer(network->totals[total]));
    json_object_set_new(json, "layers", table_json(layers));
    json_object_set_new(json, "totals", totals);
    json_object_set_new(json, "unknown", json_integer(conv_network_unknowns(network)));
    json_object_set_new(json, "complete", json_boolean(conv_network_unknowns(network) == 0));
    set_words(json, "published", network->published);
    set_words(json, "source", network->source);
    set_words(json, "note", network->note);
    json_object_set_new(json, "expectations", json_integer(network->expectation_count));
    json_object_set_new(json, "expectations_hold", network->expectation_count > 0
                        ? json_boolean(!conv_network_check(network)) : json_null());
    table_free(layers);
    return json;
}
