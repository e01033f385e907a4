/* cmd_doctor.c - convref doctor: what this machine has, how fast it can be, and what is missing. */
#include <config.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/cli/options.h"
#include "verify/io/output.h"
#include "verify/program/verbs.h"

struct arguments { struct cli cli; bool no_roof; };

static const struct argp_option options[] = {
    { "no-roof", 'R', NULL, 0, "don't measure", 0 },
    { 0 }
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &arguments->cli;
        return 0;
    case 'R':
        arguments->no_roof = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "there is nothing to say about '%s'", text);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_machine(const struct conv_machine *machine)
{
    char number[32];
    printf("processor         %s, %d core%s\n", machine->cpu, machine->cores, machine->cores == 1 ? "" : "s");
    printf("system            %s\n", machine->system);
    for (enum conv_level level = CONV_L1; level <= CONV_L3; level++)
        if (machine->bytes[level] > 0)
            printf("cache %s          %s KiB\n", conv_level_name(level),
                   table_thousands(number, machine->bytes[level] / 1024));
    printf("memory            %s MiB\n", table_thousands(number, machine->bytes[CONV_DRAM] / 1024 / 1024));
    printf("compiler          %s, %s\n", machine->compiler, machine->flags);
    printf("instruction sets ");
    for (enum conv_isa isa = 0; isa < CONV_ISAS; isa++)
        if (conv_isa_compiled(isa))
            printf(" %s%s", conv_isa_name(isa),
                   conv_isa_available(isa) ? "" : " (compiled, but not on this machine)");
    printf("\nkernels           %d, compiled for up to %s\n", conv_kernel_count(), conv_isa_name(machine->isa));
#ifdef _OPENMP
    puts("threads           OpenMP");
#else
    puts("threads           one only: compiled without OpenMP");
#endif
}

static void print_roof(const struct conv_machine *machine, int threads)
{
    struct conv_roof roof;
    conv_roof_measure(&roof, machine, threads);
    printf("\nThe roof, measured now         1 thread   %d thread%s\n", roof.threads, roof.threads == 1 ? "" : "s");
    for (enum conv_isa isa = 0; isa < CONV_ISAS; isa++)
        if (roof.macs[isa][0] > 0)
            printf("  multiply-adds, %-9s %10.1f %10.1f   GMAC/s\n", conv_isa_name(isa), roof.macs[isa][0] / 1e9,
                   roof.macs[isa][1] / 1e9);
    for (enum conv_level level = 0; level < CONV_LEVELS; level++)
        if (roof.bandwidth[level][0] > 0)
            printf("  reading from %-11s %10.1f %10.1f   GB/s\n", conv_level_name(level),
                   roof.bandwidth[level][0] / 1e9,
                   roof.bandwidth[level][1] / 1e9);
}

/* A program that some verb needs. */
static void print_tool(const char *program, const char *what)
{
    char command[128];
    snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", program);
    const bool there = system(command) == 0;
    printf("  %-10s %s%s%s  %s\n", program, cli_colour(there ? CLI_GOOD : CLI_BAD), there ? "found  " : "missing",
           cli_colour(CLI_PLAIN), what);
}

/* The modules with the rungs of CUDA, where they are built or installed. */
static void print_cuda(void)
{
    static const struct { const char *name, *file, *without; } modules[] = {
        { "emulated", "cuda-emulated.so", "no: configure found no C++20 compiler, such as g++ 10" },
        { "watched", "cuda-watched.so", "no: configure found no C++20 compiler, such as g++ 10" },
        { "card", "cuda.so", "no: configure found no nvcc" },
    };
    char beside[1024];
    const char *const folders[] = { conv_folder_beside(beside, "cuda"), CONVREF_PROVIDERS_DIR };
    puts("\nKernels of CUDA: --provider FILE adds them");
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        char *path = conv_file_find(folders, sizeof folders / sizeof *folders, modules[i].file);
        printf("  %-10s %s\n", modules[i].name, path ? path : modules[i].without);
        free(path);
    }
}

int cmd_doctor(int argc, char **argv)
{
    static const struct argp_child children[] = { { &cli_kernel_argp, 0, NULL, 0 }, { 0 } };
    static const struct argp argp = { options, parse, "", "Say what this machine has, how fast it can be, and what is "
        "missing.", children, NULL, NULL };
    struct arguments arguments = { .cli = cli_defaults() };
    struct conv_machine machine;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    conv_machine_read(&machine);
    printf("%s\n\n", PACKAGE_STRING);
    print_machine(&machine);
    if (!arguments.no_roof)
        print_roof(&machine, arguments.cli.threads);
    puts("\nPrograms that convref calls");
    print_tool("gnuplot", "plots and the report");
    puts("\nData");
    char *network = conv_network_find("mobilenet_v1");
    printf("  networks   %s\n", network ? network : "not found: set CONVREF_NETWORKS");
    free(network);
    print_cuda();
    return 0;
}
