/* cmd_plot.c - convref plot: draw results with gnuplot.
 *
 *   convref bench --network mobilenet_v1 --kernel "dw_0*" --format tsv --output dw.tsv
 *   convref plot speedup dw.tsv --output dw.svg
 *   convref plot speedup dw.tsv --save mine/     and then change mine/speedup.gp, and run gnuplot there
 *
 * Read next: verify/measure/plot/speedup.gp
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "verify/cli/options.h"
#include "verify/measure/plots.h"
#include "verify/program/verbs.h"

enum { KEY_LADDER = CLI_KEYS, KEY_HEADING, KEY_SAVE };

struct arguments { struct cli cli; const char *plot, *table, *ladder, *heading, *save; };

static const struct argp_option options[] = {
    { "output", 'o', "FILE.svg", 0, "the picture [the plot's name, .svg]", 0 },
    { "ladder", KEY_LADDER, "NAME", 0, "speedup: the ladder, such as dw [that with the most rows]", 0 },
    { "title", KEY_HEADING, "TEXT", 0, "the title above the picture", 0 },
    { "save", KEY_SAVE, "FOLDER", 0, "don't draw: put the data and the script there, to be changed", 0 },
    { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case 'o': arguments->cli.output = text; return 0;
    case KEY_LADDER: arguments->ladder = text; return 0;
    case KEY_HEADING: arguments->heading = text; return 0;
    case KEY_SAVE: arguments->save = text; return 0;
    case ARGP_KEY_ARG:
        if (arguments->table)
            argp_error(state, "one table is enough, '%s' is the second", text);
        *(arguments->plot ? &arguments->table : &arguments->plot) = text;
        return 0;
    case ARGP_KEY_END:
        if (!arguments->table)
            argp_error(state, "draw what?  One of speedup, roofline, ratio, networks, experiment and groups, and a table in TSV");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum conv_status copy_script(const char *folder, enum plot plot, struct conv_error *error)
{
    char path[4200], *text = NULL, *script = plot_script(plot);
    struct conv_output output;
    if (!script)
        return conv_fail(error, CONV_BAD_FILE, "the script %s.gp is not found", plot_name(plot));
    enum conv_status status = conv_text_read(&text, script, 1 << 20, error);
    free(script);
    snprintf(path, sizeof path, "%s/%s.gp", folder, plot_name(plot));
    if (status == CONV_OK)
        status = conv_output_open(&output, path, error);
    if (status == CONV_OK) {
        fputs(text, output.file);
        status = conv_output_commit(&output, error);
    }
    free(text);
    return status;
}

/* FOLDER/speedup.tsv and FOLDER/speedup.gp */
static enum conv_status save(const struct arguments *arguments, enum plot plot, const struct tsv *table,
                             struct conv_error *error)
{
    char path[4200];
    struct conv_output output;
    mkdir(arguments->save, 0777);   /* that it can't be made shows when a file is opened in it */
    snprintf(path, sizeof path, "%s/%s.tsv", arguments->save, plot_name(plot));
    enum conv_status status = conv_output_open(&output, path, error);
    if (status != CONV_OK)
        return status;
    status = plot_data(output.file, plot, table, arguments->ladder, error);
    if (status != CONV_OK) {
        conv_output_abandon(&output);
        return status;
    }
    status = conv_output_commit(&output, error);
    if (status == CONV_OK)
        status = copy_script(arguments->save, plot, error);
    if (status == CONV_OK)
        printf("now change %s/%s.gp as you like, and:  cd %s && gnuplot %s.gp\n", arguments->save, plot_name(plot),
               arguments->save, plot_name(plot));
    return status;
}

int cmd_plot(int argc, char **argv)
{
    static const struct argp argp = { options, parse, "speedup|roofline|ratio|networks|experiment|groups TABLE.tsv",
        "Draw results with gnuplot.\v"
        "speedup and roofline are drawn from `convref bench --format tsv`, networks from `convref count NETWORK... "
        "--format tsv`, ratio from the blocks.tsv of `convref report --keep`, experiment and groups from the NAME.tsv of "
        "`convref experiment --results`.", NULL, NULL, NULL };
    struct arguments arguments = { .cli = cli_defaults() };
    struct conv_error error;
    struct tsv table;
    char svg[64];
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    const int plot = plot_find(arguments.plot);
    if (plot < 0)
        return cli_unknown(arguments.plot, "a plot", "plots are speedup, roofline, ratio, networks, experiment and groups");
    snprintf(svg, sizeof svg, "%s.svg", plot_name((enum plot)plot));
    const char *output = strcmp(arguments.cli.output, "-") ? arguments.cli.output : svg;

    enum conv_status status = tsv_read(&table, arguments.table, &error);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    if (table.rows == 0) {
        tsv_free(&table);
        conv_fail(&error, CONV_BAD_FILE, "%s has no rows", arguments.table);
        return cli_error(&error, NULL);
    }
    status = arguments.save ? save(&arguments, (enum plot)plot, &table, &error)
                            : plot_table(output, (enum plot)plot, &table, arguments.ladder, arguments.heading,
                                         &error);
    tsv_free(&table);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    if (!arguments.save)
        printf("%s\n", output);
    return 0;
}
