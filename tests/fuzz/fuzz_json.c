/* fuzz_json.c - problems in JSON: from_json(to_json(p)) == p.   See fuzz.h. */
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(json)
{
    struct conv_problem problem, again;
    struct conv_error error;
    char *text = fuzz_text(data, size);
    if (conv_problem_from_json(&problem, text, &error) == CONV_OK) {
        char *json = conv_problem_to_json(&problem);
        FUZZ_DEMAND(json && conv_problem_from_json(&again, json, NULL) == CONV_OK);
        FUZZ_DEMAND(conv_problem_equal(&problem, &again));
        free(json);
    } else {
        FUZZ_DEMAND(error.message[0]);
    }
    free(text);
    return 0;
}
