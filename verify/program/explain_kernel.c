/* explain_kernel.c - convref explain --kernel: what a GPU would move for a kernel of CUDA, and the least time.
 *
 *   convref explain --kernel cuda_dw_04_tile "c=64 in=56x56 k=64 filter=3x3 pad=1 groups=64"
 *   convref explain --kernel cuda_dw_02_coalesced --against cuda_dw_04_tile --card h200 "..."
 *
 * The kernel runs once, in the emulator that counts.  The bound is the largest of the times that its counts take on
 * a card as its data sheet has it: that of a kernel that overlaps all of them perfectly.
 * Read next: explain_code.h, verify/measure/traffic.h
 */
#include <stdlib.h>
#include <string.h>

#include "verify/cli/operands.h"
#include "verify/measure/traffic.h"
#include "verify/io/output.h"
#include "verify/program/explain_code.h"
#include "verify/program/explain_kernel.h"

const char *explain_watched_module(void)
{
    static char *path;
    static char beside[1024];
    const char *const folders[] = { conv_folder_beside(beside, "cuda"), CONVREF_PROVIDERS_DIR };
    if (!path)
        path = conv_file_find(folders, sizeof folders / sizeof *folders, "cuda-watched.so");
    return path;
}

/* ---- the counts of each line ----------------------------------------------------------------------------------- */

static void real_or_missing(struct table *table, double number)
{
    if (number > 0)
        table_real(table, number, "%.2f");
    else
        table_missing(table);
}

static void print_lines(const struct traffic *traffic, const char *name)
{
    static const struct table_column columns[] = {
        { "line", "line", false }, { "memory", "memory", false }, { "access", "access", false },
        { "array_bytes", "array, bytes", true }, { "requests", "requests", true }, { "lanes", "lanes", true },
        { "sectors_per_request", "sectors", true }, { "passes_per_request", "passes", true },
    };
    struct table *table = table_create(columns, sizeof columns / sizeof *columns);
    for (int i = 0; i < traffic->count; i++) {
        const struct traffic_row *row = &traffic->rows[i];
        table_text(table, row->line);
        table_text(table, row->memory);
        table_text(table, row->access);
        if (row->array_bytes > 0)
            table_integer(table, row->array_bytes);
        else
            table_missing(table);
        table_integer(table, row->requests);
        real_or_missing(table, row->lanes);
        real_or_missing(table, row->sectors);
        real_or_missing(table, row->passes);
    }
    printf("\n%s: %d %s; lanes, sectors of 32 bytes and passes over the banks are those of a request\n\n", name,
           traffic->launches, traffic->launches == 1 ? "launch" : "launches");
    table_print(table, stdout, TABLE_TEXT);
    table_free(table);
}

/* ---- the totals and their times -------------------------------------------------------------------------------- */

/* The total that takes longest. */
static enum traffic_total longest(const struct card *card, const struct traffic *traffic)
{
    enum traffic_total most = TRAFFIC_MEMORY;
    for (enum traffic_total total = 0; total < TRAFFIC_TOTALS; total++)
        if (card_bound(card, traffic, total) > card_bound(card, traffic, most))
            most = total;
    return most;
}

static void print_totals(const struct traffic *traffic, const char *const *kernels, int count,
                         const struct card *card)
{
    const struct table_column columns[] = {
        { "what", "", false }, { "count", kernels[0], true }, { "microseconds", "at least, us", true },
        { "against", count > 1 ? kernels[1] : "", true }, { "against_microseconds", "at least, us", true },
    };
    struct table *table = table_create(columns, 1 + 2 * count);
    for (enum traffic_total total = 0; total < TRAFFIC_TOTALS; total++) {
        if (total >= TRAFFIC_TENSOR_PRODUCTS && !traffic[0].total[total] && !traffic[count - 1].total[total])
            continue;
        table_text(table, traffic_total_name(total));
        for (int i = 0; i < count; i++) {
            table_integer(table, traffic[i].total[total]);
            real_or_missing(table, 1e6 * card_bound(card, &traffic[i], total));
        }
    }
    printf("\nOn an %s, by its data sheet, from cold caches: %d multiprocessors at %.2f GHz, %.0f GB/s.  "
           "No time was measured.\n\n", card->words, card->multiprocessors, card->clock_ghz, card->memory_gb_s);
    table_print(table, stdout, TABLE_TEXT);
    table_free(table);
    puts("");
    for (int i = 0; i < count; i++) {
        const enum traffic_total most = longest(card, &traffic[i]);
        printf("%s takes at least %.2f us, set by its %s", kernels[i], 1e6 * card_bound(card, &traffic[i], most),
               traffic_total_name(most));
        printf(traffic[i].launches > 1 ? "; its %d launches start one after another\n" : "\n", traffic[i].launches);
    }
}

static int unknown_card(const char *name)
{
    char all[256] = "cards are";
    for (int i = 0; card_at(i); i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s %s", i > 0 ? "," : "", card_at(i)->name);
    return cli_unknown(name, "a card that is known here", all);
}

int explain_kernel(const char *name, const char *against, const char *card_name, const struct conv_problem *problem,
                   uint64_t seed)
{
    const char *const names[] = { name, against };
    const int count = against ? 2 : 1;
    const struct card *card = card_find(card_name);
    const struct operand_files files = { { NULL } };
    struct traffic traffic[2] = { { .rows = NULL }, { .rows = NULL } };
    struct operand_set set;
    struct conv_error error;
    char text[CONV_PROBLEM_TEXT];
    if (!card)
        return unknown_card(card_name);
    const struct conv_kernel *const kernels[] = { cli_kernel(name), against ? cli_kernel(against) : NULL };
    if (!kernels[0] || (against && !kernels[1]))
        return EXIT_USAGE;
    enum conv_status status = operands_load(&set, problem, &files, CONV_INPUT, CONV_FILL_INTEGERS, seed, &error);
    if (status != CONV_OK)
        return cli_error(&error, NULL);
    for (int i = 0; i < count && status == CONV_OK; i++)
        status = traffic_count(&traffic[i], kernels[i], problem, &set.operands, &error);
    if (status == CONV_OK) {
        printf("%s: what a GPU would move, counted in an emulator\n", conv_problem_print(text, problem));
        for (int i = 0; i < count; i++)
            print_lines(&traffic[i], names[i]);
        for (int i = 0; i < count; i++)
            explain_code(names[i]);
        print_totals(traffic, names, count, card);
    }
    for (int i = 0; i < count; i++)
        traffic_free(&traffic[i]);
    operands_free(&set);
    return status == CONV_OK ? 0 : cli_error(&error, NULL);
}
