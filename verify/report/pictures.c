/* pictures.c - a study as files: tables in a folder, and what gnuplot draws of them.   Declared in study.h and
 * pictures.h.
 *
 * Without gnuplot there are no pictures, and that is no error.   Not here: the page that shows them (page.c).
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/measure/plots.h"
#include "verify/report/counts.h"
#include "verify/report/pictures.h"

static enum conv_status write_tsv(const char *folder, const char *name, struct table *table,
                                  const struct results *results, struct conv_error *error)
{
    char path[4200];
    struct conv_output output;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    enum conv_status status = conv_output_open(&output, path, error);
    if (status == CONV_OK) {
        if (results)
            results_print_machine(output.file, results, "# ");
        table_print(table, output.file, TABLE_TSV);
        status = conv_output_commit(&output, error);
    }
    table_free(table);
    return status;
}

/* Are the published totals those that are counted? */
static const char *exact(const struct conv_network *network)
{
    return conv_network_check(network) ? "NO" : network->expectation_count > 0 ? "yes" : "no published totals";
}

struct table *study_network_table(void)
{
    static const struct table_column columns[] = {
        { "network", "network", false }, { "params", "parameters", true }, { "macs_conv", "MACs conv", true },
        { "macs_fc", "MACs fc", true }, { "macs_inside", "conv without padding", true },
        { "checked", "totals checked", true }, { "exact", "exact", false },
    };
    struct table *table = table_create(columns, sizeof columns / sizeof *columns);
    char **paths = conv_network_list();
    for (int i = 0; paths && paths[i]; i++) {
        struct conv_network network;
        if (conv_network_read(&network, paths[i], NULL) == CONV_OK) {
            counts_add_network(table, &network);
            table_text(table, exact(&network));
            conv_network_free(&network);
        }
        free(paths[i]);
    }
    free(paths);
    return table;
}

/* One picture from one table of the folder; without gnuplot there are none, and that is no error. */
static enum conv_status draw(const char *folder, const char *tsv, enum plot plot, const char *ladder,
                             struct conv_error *error)
{
    char path[4200], svg[4200];
    struct tsv table;
    snprintf(path, sizeof path, "%s/%s", folder, tsv);
    snprintf(svg, sizeof svg, "%s/%s%s%s.svg", folder, plot_name(plot), ladder ? "-" : "", ladder ? ladder : "");
    enum conv_status status = tsv_read(&table, path, error);
    if (status != CONV_OK)
        return status;
    status = plot_table(svg, plot, &table, ladder, NULL, error);
    tsv_free(&table);
    return status == CONV_NOT_APPLICABLE ? CONV_OK : status;
}

const char *const study_ladders[STUDY_LADDERS][2] = {
    { "std", "Standard convolutions, channels first" }, { "std_nhwc", "Standard convolutions, channels last" },
    { "pw", "Pointwise convolutions, channels first" }, { "pw_nhwc", "Pointwise convolutions, channels last" },
    { "dw", "Depthwise convolutions, channels first" }, { "dw_nhwc", "Depthwise convolutions, channels last" },
    { "grp", "Grouped convolutions, channels first" },
    { "sep", "Separable convolutions, channels first" }, { "sep_nhwc", "Separable convolutions, channels last" },
};

bool study_has_ladder(const struct study *study, const char *ladder)
{
    char name[32];
    for (int i = 0; i < study->results.count; i++)
        if (result_counts(&study->results.rows[i])
            && !strcmp(conv_kernel_ladder(name, study->results.rows[i].kernel), ladder))
            return true;
    return false;
}

enum conv_status study_keep(const char *folder, const struct study *study, struct conv_error *error)
{
    mkdir(folder, 0777);   /* that it can't be made shows when the first file is opened */
    enum conv_status status = write_tsv(folder, "results.tsv", results_table(&study->results), &study->results,
                                        error);
    if (status == CONV_OK)
        status = write_tsv(folder, "blocks.tsv", study_block_table(study), &study->results, error);
    if (status == CONV_OK)
        status = write_tsv(folder, "networks.tsv", study_network_table(), NULL, error);
    if (status == CONV_OK)
        status = draw(folder, "networks.tsv", PLOT_NETWORKS, NULL, error);
    if (status == CONV_OK && study->results.count > 0)
        status = draw(folder, "results.tsv", PLOT_ROOFLINE, NULL, error);
    for (int i = 0; i < STUDY_LADDERS && status == CONV_OK; i++)
        if (study_has_ladder(study, study_ladders[i][0]))
            status = draw(folder, "results.tsv", PLOT_SPEEDUP, study_ladders[i][0], error);
    if (status == CONV_OK && study->block_count > 0 && study->results.count > 0)
        status = draw(folder, "blocks.tsv", PLOT_RATIO, NULL, error);
    return status;
}

void study_remove_kept(const char *folder)
{
    static const char *const files[] = { "results.tsv", "blocks.tsv", "networks.tsv", "networks.svg", "roofline.svg",
                                         "ratio.svg" };
    char path[4200];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    for (int i = 0; i < STUDY_LADDERS; i++) {
        snprintf(path, sizeof path, "%s/speedup-%s.svg", folder, study_ladders[i][0]);
        unlink(path);
    }
    rmdir(folder);
}
