/* fuzz_cli.c - the command line: any words are understood or refused with one of the documented statuses.
 *
 * The input has one word in each line; the first names the verb.  The program's own parsers run; when they are done,
 * or when they end the program, the target jumps back, so that no verb begins its work and no file is touched.  The
 * linker does this: argp_parse, exit, conv_provider_load and worker_begin are wrapped (tests/tests.mk, tools/fuzz).
 * See fuzz.h.
 */
#include "tests/fuzz/fuzz.h"

#include <setjmp.h>
#include <sys/wait.h>

#include "verify/cli/worker.h"

#define main convref_main   /* the program's own list of verbs, and what it does before it calls one */
int convref_main(int argc, char **argv);
#include "verify/program/convref.c"
#undef main

enum { MOST_WORDS = 64, LEFT = -1 };

static jmp_buf back;
static bool inside;      /* exit() comes from the program */
static int status;

error_t __real_argp_parse(const struct argp *argp, int argc, char **argv, unsigned flags, int *index, void *input);
error_t __wrap_argp_parse(const struct argp *argp, int argc, char **argv, unsigned flags, int *index, void *input);
_Noreturn void __real_exit(int code);
_Noreturn void __wrap_exit(int code);
enum conv_status __wrap_conv_provider_load(const char *path, struct conv_error *error);
void __wrap_worker_begin(void);

/* Words are parsed by argp, without its own ways to end a program; then the verb is left. */
error_t __wrap_argp_parse(const struct argp *argp, int argc, char **argv, unsigned flags, int *index, void *input)
{
    if (inside) {
        status = __real_argp_parse(argp, argc, argv, flags | ARGP_NO_EXIT, index, input) ? EXIT_USAGE : LEFT;
        longjmp(back, 1);
    }
    return __real_argp_parse(argp, argc, argv, flags, index, input);
}

void __wrap_exit(int code)
{
    if (!inside)
        __real_exit(code);
    status = code;
    longjmp(back, 1);
}

/* Shared objects run code of theirs when they are opened: none is, and so no process of their own is needed.  The
 * first process would wait for it, and end with it. */
void __wrap_worker_begin(void)
{
}

enum conv_status __wrap_conv_provider_load(const char *path, struct conv_error *error)
{
    return conv_fail(error, CONV_BAD_FILE, "%.40s is not loaded here", path);
}

/* The words behind the program's name; returns how many there are with it. */
static int split(char *words[MOST_WORDS + 1], char *text)
{
    static char name[] = "convref";
    int count = 0;
    for (char *word = name; count < MOST_WORDS && word; word = strsep(&text, "\n"))
        words[count++] = word;
    words[count] = NULL;
    return count;
}

/* A function of its own, with nothing in it that a jump could spoil. */
static __attribute__((noinline)) void run_until_left(int count, char **words)
{
    if (setjmp(back) == 0)
        status = run_verb(count, words);
}

static void parse_words(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *words[MOST_WORDS + 1];
    const int count = split(words, text);
    argp_err_exit_status = EXIT_USAGE;
    argp_program_version = PACKAGE_STRING;
    inside = true;
    run_until_left(count, words);
    inside = false;
    conv_isa_set_limit(CONV_ISAS - 1);   /* --isa */
    free(text);
    FUZZ_DEMAND(status == LEFT || status == 0 || status == EXIT_USAGE || status == EXIT_FILE
                || status == EXIT_SKIPPED);
}

#ifdef FUZZING
/* A jump out of argp leaves what it had allocated, which would fill the memory in a minute: everything that was
 * allocated between the jumps is given back. */
extern int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
                                                     void (*)(const volatile void *));
enum { MOST_BLOCKS = 1024 };
static const volatile void *blocks[MOST_BLOCKS];
static int block_count;

static void allocated(const volatile void *block, size_t size)
{
    (void)size;
    if (inside && block_count < MOST_BLOCKS)
        blocks[block_count++] = block;
}

static void freed(const volatile void *block)
{
    for (int i = block_count; inside && i-- > 0;)
        if (blocks[i] == block) {
            blocks[i] = blocks[--block_count];
            return;
        }
}

FUZZ_TARGET(cli)
{
    static int installed;
    static char buffer[4096];
    if (!installed) {   /* what the C library allocates once, and keeps, comes before */
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
        parse_words((const uint8_t *)"verify\n--help", 13);
        parse_words((const uint8_t *)"verify\n--nothing", 16);
        installed = __sanitizer_install_malloc_and_free_hooks(allocated, freed);
    }
    block_count = 0;
    parse_words(data, size);
    while (block_count > 0)
        free((void *)(uintptr_t)blocks[--block_count]);
    return 0;
}
#else
/* In a child, without a voice: what is printed is for people, and what was left allocated is not a leak. */
FUZZ_TARGET(cli)
{
    int ended;
    fflush(stdout);
    const pid_t child = fork();
    FUZZ_DEMAND(child >= 0);
    if (child == 0) {
        FUZZ_DEMAND(freopen("/dev/null", "w", stdout) && freopen("/dev/null", "w", stderr));
        parse_words(data, size);
        _exit(0);
    }
    FUZZ_DEMAND(waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    return 0;
}
#endif
