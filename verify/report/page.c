/* page.c - writes a study down: one HTML page with everything in it, pictures too.   Declared in study.h.
 *
 * No network access, no scripts; readable on a phone and on paper.   Not here: how pictures are made (pictures.c).
 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "verify/report/pictures.h"
#include "verify/report/style.h"

/* ---- pieces of HTML -------------------------------------------------------------------------------------------- */

static void put(FILE *file, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '<': fputs("&lt;", file); break;
        case '>': fputs("&gt;", file); break;
        case '&': fputs("&amp;", file); break;
        default: fputc(*text, file);
        }
}

static void put_table(FILE *file, struct table *table)
{
    table_print(table, file, TABLE_HTML);
    table_free(table);
}

/* The picture of a file, without the lines in front of <svg. */
static void put_svg(FILE *file, const char *path, const char *alternative)
{
    char *text = NULL;
    if (conv_text_read(&text, path, 16 << 20, NULL) != CONV_OK)
        return;
    const char *svg = strstr(text, "<svg");
    fprintf(file, "<figure role=\"img\" aria-label=\"");
    put(file, alternative);
    fprintf(file, "\">%s<figcaption>", svg ? svg : "");
    put(file, alternative);
    fputs("</figcaption></figure>\n", file);
    free(text);
}

/* ---- sums ------------------------------------------------------------------------------------------------------ */

struct sums {
    double dense_macs, separable_macs, first_dense, last_dense, first, left_behind, unfolded, two_layers, fused;
    double depthwise_macs, depthwise_seconds, direct_seconds;
};

static double count_macs(const struct conv_problem *problem)
{
    struct conv_count count;
    conv_count_problem(&count, problem);
    return (double)count.macs;
}

static struct sums sum_blocks(const struct study *study)
{
    struct sums sums = { 0 };
    for (int i = 0; i < study->block_count; i++) {
        const struct study_block *b = &study->blocks[i];
        sums.dense_macs += b->repeats * count_macs(&b->dense);
        sums.separable_macs += b->repeats * count_macs(&b->separable);
        sums.first_dense += b->repeats * b->first_dense;
        sums.last_dense += b->repeats * b->last_dense;
        sums.first += b->repeats * b->first;
        sums.left_behind += b->repeats * b->left_behind;
        sums.unfolded += b->repeats * b->unfolded;
        sums.two_layers += b->repeats * b->two_layers;
        sums.fused += b->repeats * b->fused;
        sums.depthwise_macs += b->repeats * count_macs(&b->depthwise);
        sums.depthwise_seconds += b->repeats * b->depthwise_stage;
        sums.direct_seconds += b->repeats * b->direct_stage;
    }
    return sums;
}

/* ---- sections -------------------------------------------------------------------------------------------------- */

/* The answer in one sentence, and why, before everything else. */
static void write_lead(FILE *file, const struct study *study, const struct sums *s)
{
    const struct conv_network *network = &study->network;
    char number[2][32];
    fputs("<p class=\"lead\">", file);
    if (study->block_count == 0)
        fprintf(file, "<b>%s parameters and %s multiply-adds.</b> This network has no separable blocks to be held "
                "against standard layers.</p>\n", table_thousands(number[0], network->totals[CONV_TOTAL_PARAMS]),
                table_thousands(number[1], network->totals[CONV_TOTAL_MACS_CONV_FC]));
    else if (study->results.count == 0)
        fprintf(file, "<b>%.1f times fewer multiply-adds</b> than the standard layers that the separable blocks of "
                "%s stand for. How many times faster that is was not measured.</p>\n",
                s->dense_macs / s->separable_macs, network->name);
    else
        fprintf(file, "<b>%.1f times fewer multiply-adds, %.1f times faster here</b>, and this is why: every layer "
                "runs on code that was made for it. With the depthwise layer left as it was first written it is "
                "%.1f times, since that layer, with %.1f %% of the multiply-adds, then takes %.0f %% of the "
                "time.</p>\n",
                s->dense_macs / s->separable_macs, s->last_dense / s->two_layers, s->last_dense / s->left_behind,
                100 * s->depthwise_macs / s->separable_macs, 100 * s->direct_seconds / s->left_behind);
}

static void write_answer(FILE *file, const struct study *study, const struct sums *s)
{
    fputs("<section id=\"answer\">\n", file);
    write_lead(file, study, s);
    if (study->results.busy[0])
        fprintf(file, "<p class=\"note\">The machine was busy: %s. Measure again before you quote a figure.</p>\n",
                study->results.busy);
    if (study->block_count == 0 || study->results.count == 0)
        return;
    fprintf(file, "<p>The separable blocks of <b>%s</b> against the standard convolutions that they stand for, "
            "measured here, one thread, warm caches:</p>\n", study->network.name);
    fprintf(file,
            "<ul>\n<li>first-step code on both sides: <b>%.1f times</b>. Both are slow for reasons that have "
            "nothing to do with arithmetic;</li>\n"
            "<li>the standard and the pointwise layer made fast, the depthwise layer left as it was first written: "
            "<b>%.1f times</b>. This is what people measure who see no gain;</li>\n"
            "<li>the depthwise layer as a grouped one, unfolded and multiplied group by group, as many frameworks "
            "did: <b>%.1f times</b>;</li>\n", s->first_dense / s->first, s->last_dense / s->left_behind,
            s->last_dense / s->unfolded);
    fprintf(file, "<li>the last steps of all ladders, in the faster of both layouts, two layers one after the "
            "other: <b>%.1f times</b>;</li>\n"
            "<li>both stages fused by rows: <b>%.1f times</b>.</li>\n</ul>\n",
            s->last_dense / s->two_layers, s->last_dense / s->fused);
    fprintf(file,
            "<p>Where does the rest go? The depthwise stages do <b>%.1f %%</b> of the multiply-adds of the blocks "
            "and take <b>%.0f %%</b> of the time of the two layers even at their best: with a 3x3 filter there are "
            "nine multiply-adds for each number that is read, so they run at the pace of loads and stores, while a "
            "standard convolution runs at the pace of arithmetic. The roofline below shows it layer by layer.</p>\n",
            100 * s->depthwise_macs / s->separable_macs, 100 * s->depthwise_seconds / s->two_layers);
}

static void write_blocks(FILE *file, const struct study *study, const char *folder)
{
    char svg[4200];
    if (study->block_count == 0 || study->results.count == 0) {
        fputs("</section>\n", file);
        return;
    }
    snprintf(svg, sizeof svg, "%s/ratio.svg", folder);
    put_svg(file, svg, "How many times fewer MACs each separable block has, and how many times faster it is");
    put_table(file, study_block_table(study));
    fputs("<p class=\"note\">Columns are the time of the standard layer over that of the block: first steps on both "
          "sides (std_01 over dw_01 and pw_01), then the best standard step over different ways to compute the "
          "block. Blocks of the same shape stand once.</p></section>\n", file);
}

static void write_verdicts(FILE *file, const struct study *study)
{
    static const struct table_column columns[] = {
        { "kernel", "kernel", false }, { "verdict", "verdict", false }, { "problems", "problems", true },
        { "elements", "outputs compared", true }, { "worst", "worst error / bound", true }, { "what", "what", false },
    };
    if (study->kernel_count == 0)
        return;
    int accepted = 0;
    int64_t problems = 0, elements = 0;
    struct table *table = table_create(columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < study->kernel_count; i++) {
        const struct conv_verification *v = &study->verdicts[i];
        int64_t own_problems = 0, own_elements = 0;
        double worst = 0;
        for (int check = 0; check < CONV_MOST_CHECKS; check++) {
            own_problems += v->evidence[check].problems;
            own_elements += v->evidence[check].elements;
            worst = v->evidence[check].worst > worst ? v->evidence[check].worst : worst;
        }
        accepted += v->verdict == CONV_ACCEPT;
        problems += own_problems;
        elements += own_elements;
        table_text(table, v->kernel);
        table_text(table, conv_verdict_name(v->verdict));
        table_integer(table, own_problems);
        table_integer(table, own_elements);
        table_real(table, worst, "%.2f");
        table_text(table, v->verdict == CONV_REJECT ? v->finding.where : v->reason);
    }
    char number[2][32];
    fprintf(file, "<section id=\"verdicts\"><h2>Do all kernels compute the same thing?</h2>\n<p><b>%d of %d kernels "
            "accepted</b>, on %s problems and %s outputs. Integers were compared bit for bit; real numbers within "
            "the bound that the reference computes for each output; every run was watched by guard pages and "
            "NaN-filled memory.</p>\n",
            accepted, study->kernel_count, table_thousands(number[0], problems), table_thousands(number[1],
                    elements));
    fputs("<details><summary>All verdicts</summary>\n", file);
    put_table(file, table);
    fputs("</details></section>\n", file);
}

static struct table *layer_table(const struct conv_network *network)
{
    static const struct table_column columns[] = {
        { "layer", "layer", false }, { "kind", "kind", false }, { "params", "parameters", true },
        { "macs", "MACs", true }, { "inside", "without padding", true }, { "intensity", "MAC/byte", true },
        { "problem", "problem", false },
    };
    struct table *table = table_create(columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < network->node_count; i++) {
        const struct conv_node *node = &network->nodes[i];
        struct conv_count count;
        char text[CONV_PROBLEM_TEXT];
        if (!conv_node_is_conv(node) && !conv_node_is_fc(node))
            continue;
        conv_count_problem(&count, &node->problem);
        table_text(table, node->label);
        table_text(table, conv_node_is_fc(node) ? "fc" : conv_kind_name(conv_problem_kind(&node->problem)));
        table_integer(table, conv_node_params(node));
        table_integer(table, count.macs);
        table_integer(table, count.macs_inside);
        table_real(table, count.intensity / 2, "%.1f");   /* the unit of the roofline */
        table_text(table, conv_problem_print(text, &node->problem));
    }
    return table;
}

static void write_counts(FILE *file, const struct study *study, const char *folder)
{
    const struct conv_network *network = &study->network;
    char svg[4200], number[2][32];
    fprintf(file, "<section id=\"counts\"><h2>What do the layers cost?</h2>\n<p>%s has <b>%s parameters</b> and "
            "<b>%s MACs</b> in convolutions and fully connected layers; ", network->name,
            table_thousands(number[0], network->totals[CONV_TOTAL_PARAMS]),
            table_thousands(number[1], network->totals[CONV_TOTAL_MACS_CONV_FC]));
    if (network->expectation_count == 0)
        fputs("no published totals say whether that is right.</p>\n", file);
    else
        fprintf(file, "%d published totals are expected, and %s.</p>\n", network->expectation_count,
                conv_network_check(network) ? "<b>not all hold</b>" : "all hold exactly");
    fputs("<details><summary>Layer by layer</summary>\n", file);
    put_table(file, layer_table(network));
    fputs("</details>\n", file);
    snprintf(svg, sizeof svg, "%s/networks.svg", folder);
    put_svg(file, svg, "Parameters against multiply-adds, one point a network.  A name that would cover another one "
            "is moved, with a line to its point, or left out; the table has all.");
    put_table(file, study_network_table());
    fputs("<p class=\"note\">Every total is recounted from the network's file and compared with the published "
          "one.</p></section>\n", file);
}

static void write_ladder(FILE *file, const struct study *study, const char *folder, const char *ladder,
                         const char *title)
{
    static const struct table_column columns[] = {
        { "kernel", "step", false }, { "title", "what it changes", false }, { "ms", "ms, all layers", true },
        { "gmacs", "GMAC/s", true }, { "of_roof", "of roof", true }, { "speedup", "faster", true },
        { "allocations", "allocations", true }, { "right", "right", false },
    };
    enum { MOST = 128 };
    struct result_sum sums[MOST], many[MOST];
    char svg[4200], name[32], words[160];
    const int count = results_sum(sums, MOST, &study->results, false, 1);
    const int cores = study->threads;
    const int many_count = cores > 1 ? results_sum(many, MOST, &study->results, false, cores) : 0;
    struct table *table = table_create(columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < count; i++) {
        const struct result_sum *s = &sums[i];
        if (strcmp(conv_kernel_ladder(name, s->kernel), ladder))
            continue;
        for (int j = 0; j < many_count; j++)
            s = many[j].kernel == sums[i].kernel ? &many[j] : s;
        snprintf(words, sizeof words, s->kernel->threaded ? "%s, here %d" : "%s", s->kernel->title,
                 s == &sums[i] ? 1 : cores);
        table_text(table, s->kernel->name);
        table_text(table, words);
        table_real(table, s->seconds * 1e3, "%.2f");
        table_real(table, s->macs / s->seconds / 1e9, "%.2f");
        table_real(table, 100 * s->ceiling_seconds / s->seconds, "%.0f %%");
        table_real(table, s->speedup, "%.1fx");
        table_integer(table, s->allocations);
        table_text(table, s->verified ? "yes" : "NO");
    }
    fprintf(file, "<h3>%s</h3>\n", title);
    snprintf(svg, sizeof svg, "%s/speedup-%s.svg", folder, ladder);
    put_svg(file, svg, "Dark: what a step gains over the step before.  The whole bar: over the first step.");
    put_table(file, table);
}

static void write_ladders(FILE *file, const struct study *study, const char *folder)
{
    char svg[4200];
    if (study->results.count == 0)
        return;
    fputs("<section id=\"ladders\"><h2>How fast is each step of each ladder?</h2>\n<p>Sums over the distinct "
          "layers, each as often as it stands in its network; one thread, but steps of all cores on all of them; "
          "warm caches. <i>of roof</i> is the time that this machine's measured arithmetic and bandwidth would "
          "allow, over the time taken; <i>faster</i> is over the first step of the same ladder; <i>allocations</i> "
          "are heap allocations inside all timed calls.</p>\n", file);
    for (int i = 0; i < STUDY_LADDERS; i++)
        if (study_has_ladder(study, study_ladders[i][0]))
            write_ladder(file, study, folder, study_ladders[i][0], study_ladders[i][1]);
    fputs("<h3>The roofline</h3>\n", file);
    snprintf(svg, sizeof svg, "%s/roofline.svg", folder);
    put_svg(file, svg,
            "Every layer as a point: its arithmetic intensity and the speed of its fastest step, below the roof");
    fputs("<details><summary>Every measurement</summary>\n", file);
    put_table(file, results_table(&study->results));
    fputs("</details></section>\n", file);
}

/* What repeats the page, and then parts of it, line by line from an empty folder. */
static void write_commands(FILE *file, const struct study *study)
{
    const char *ladder = NULL;
    for (int i = 0; i < STUDY_LADDERS; i++)
        if (study_has_ladder(study, study_ladders[i][0]) && (!ladder || !strcmp(study_ladders[i][0], "dw")))
            ladder = study_ladders[i][0];
    fputs("<p>To repeat it, and then parts of it:</p>\n<pre>", file);
    put(file, study->command);
    if (study->kernel_count > 0)
        fputs("\nconvref verify", file);
    fputs("\nconvref count ", file);
    put(file, study->count_command);
    if (ladder) {
        fputs("\nconvref bench --network ", file);
        put(file, study->count_command);
        fprintf(file, " --kernel \"%s_*\" --format tsv --output results.tsv\nconvref plot speedup results.tsv "
                "--ladder %s",
                ladder, ladder);
    }
    fputs("</pre>\n", file);
}

static void write_machine(FILE *file, const struct study *study)
{
    const struct results *r = &study->results;
    const time_t when = time(NULL);
    char date[64] = "";
    struct conv_machine machine = r->machine;
    struct tm local;
    if (machine.cores == 0)
        conv_machine_read(&machine);
    if (localtime_r(&when, &local))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M %Z", &local);
    fprintf(file, "<section id=\"machine\"><h2>Machine, versions, commands</h2>\n<dl>\n<dt>date</dt><dd>%s</dd>\n"
            "<dt>convref</dt><dd>%s</dd>\n<dt>processor</dt><dd>", date, conv_version());
    put(file, machine.cpu);
    fprintf(file, ", %d cores</dd>\n<dt>system</dt><dd>", machine.cores);
    put(file, machine.system);
    fputs("</dd>\n<dt>compiler</dt><dd>", file);
    put(file, machine.compiler);
    fputs(" ", file);
    put(file, machine.flags);
    fprintf(file, "</dd>\n<dt>instruction set</dt><dd>%s</dd>\n", conv_isa_name(machine.isa));
    if (r->count > 0) {
        fprintf(file, "<dt>roof, one thread</dt><dd>%.1f GMAC/s (%.1f when the study ended)",
                r->roof.macs[machine.isa][0] / 1e9,
                r->roof_after.macs[machine.isa][0] / 1e9);
        for (enum conv_level level = 0; level < CONV_LEVELS; level++)
            if (r->roof.bandwidth[level][0] > 0)
                fprintf(file, ", %s %.0f GB/s", conv_level_name(level), r->roof.bandwidth[level][0] / 1e9);
        fputs("</dd>\n", file);
        if (r->busy[0])
            fprintf(file,
                    "<dt>not quiet</dt><dd>The machine was busy: %s. Measure again before you quote a figure.</dd>\n",
                    r->busy);
    }
    fprintf(file, "<dt>seed</dt><dd>%llu</dd>\n<dt>took</dt><dd>%.0f s</dd>\n</dl>\n",
            (unsigned long long)study->seed, study->seconds);
    write_commands(file, study);
    fputs("</section>\n", file);
}

static void write_page(FILE *file, const struct study *study, const char *folder)
{
    const struct sums sums = sum_blocks(study);
    fprintf(file, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>convref: %s</title>\n"
            "<style>%s</style></head>\n<body>\n<h1>convref: %s</h1>\n",
            study->network.name, page_style, study->network.name);
    write_answer(file, study, &sums);
    fprintf(file, "<nav>%s<a href=\"#counts\">counts</a> %s<a href=\"#machine\">machine</a></nav>\n",
            study->kernel_count > 0 ? "<a href=\"#verdicts\">verdicts</a> " : "",
            study->results.count > 0 ? "<a href=\"#ladders\">ladders</a> " : "");
    write_blocks(file, study, folder);
    write_verdicts(file, study);
    write_counts(file, study, folder);
    write_ladders(file, study, folder);
    write_machine(file, study);
    fputs("</body></html>\n", file);
}

enum conv_status study_page(FILE *file, const struct study *study, struct conv_error *error)
{
    char folder[] = "/tmp/convref-report-XXXXXX";
    if (!mkdtemp(folder))
        return conv_fail(error, CONV_BAD_FILE, "no temporary folder for the pictures");
    enum conv_status status = study_keep(folder, study, error);
    if (status == CONV_OK)
        write_page(file, study, folder);
    study_remove_kept(folder);
    return status;
}
