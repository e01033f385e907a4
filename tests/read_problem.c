/* read_problem.c - read a problem from a JSON file and print it as a line; or say why not, with the program's
 * statuses.
 * Usage: read_problem FILE
 * For test_hostile.sh: programs read such files through the library, and no verb of convref does.
 */
#include <convref.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static char text[1 << 20];
    char line[CONV_PROBLEM_TEXT];
    struct conv_problem problem;
    struct conv_error error;
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) {
        fprintf(stderr, "usage: read_problem FILE\n");
        return 99;
    }
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    if (conv_problem_from_json(&problem, text, &error) == CONV_OK) {
        puts(conv_problem_print(line, &problem));
        return 0;
    }
    fprintf(stderr, "%s: %s\n    %s\n", argv[1], error.message, error.hint);
    return conv_exit_status(error.status);
}
