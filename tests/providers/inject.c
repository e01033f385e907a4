/* inject.c - one call to the system fails: a library for LD_PRELOAD.
 *
 *   INJECT_LOG=FILE     append a line for each call: its kind, its number, who asked for it
 *   INJECT=KIND:N       call number N of this kind fails, once, in whichever process it is made
 *
 * Kinds: memory (malloc, calloc, realloc, aligned_alloc), pages (mmap, mprotect), process (fork, pthread_create,
 * pipe2), file (fopen, fdopen, mkstemp, fwrite, fflush, fclose, rename).  Only calls that the program itself makes
 * count, not those of other libraries.
 * Who asked is a hash of the nearest callers, so that each place in the program need fail only once.
 * Read next: tests/test_internal_failures.sh
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { MEMORY, PAGES, PROCESS, INTO_FILE, KINDS };
static const char *const names[KINDS] = { "memory", "pages", "process", "file" };

/* Shared by all processes that are forked from the first. */
static atomic_int *count;
static int failing = -1, number, log_file = -1;
static _Thread_local int inside;
static const char *program, *program_end;   /* its code */

/* The first object is the program. */
static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size, (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            program = (const char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            program_end = program + info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

__attribute__((constructor)) static void begin(void)
{
    const char *wanted = getenv("INJECT"), *path = getenv("INJECT_LOG");
    void *first;
    inside = 1;
    dl_iterate_phdr(find_program, NULL);
    backtrace(&first, 1);   /* loads a library, once */
    if (path)
        log_file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    for (int kind = 0; wanted && kind < KINDS; kind++)
        if (!strncmp(wanted, names[kind], strlen(names[kind])) && wanted[strlen(names[kind])] == ':') {
            failing = kind;
            number = atoi(wanted + strlen(names[kind]) + 1);
        }
    count = (atomic_int *)syscall(SYS_mmap, NULL, sizeof *count * KINDS, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    inside = 0;
}

static void note(enum kind kind, int now)
{
    enum { CALLERS = 5, OWN = 2 };
    void *callers[CALLERS + OWN];
    char line[80];
    unsigned long hash = 5381;
    const int depth = backtrace(callers, CALLERS + OWN);
    for (int i = OWN; i < depth; i++)
        hash = hash * 33 + (unsigned long)callers[i];
    const int length = snprintf(line, sizeof line, "%s %d %lx\n", names[kind], now, hash);
    if (write(log_file, line, (size_t)length) != length)
        log_file = -1;
}

/* Does this call, which returns to `caller`, fail? */
static int is_failing(enum kind kind, const void *caller)
{
    if (!count || inside || (const char *)caller < program || (const char *)caller >= program_end)
        return 0;
    const int kept = errno, now = atomic_fetch_add(&count[kind], 1);
    inside = 1;
    if (log_file >= 0)
        note(kind, now);
    inside = 0;
    errno = kept;
    if ((int)kind != failing || now != number)
        return 0;
    errno = kind == INTO_FILE ? ENOSPC : kind == PROCESS ? EAGAIN : ENOMEM;
    return 1;
}

/* The program's malloc hands on by a jump, so that the caller is whoever called that. */
#define fails(kind) is_failing(kind, __builtin_return_address(0))

/* The function that this one stands before. */
#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) { \
        void *found = dlsym(RTLD_NEXT, #name); \
        memcpy(&real, &found, sizeof real); \
    }

#pragma GCC visibility push(default)   /* else nobody would find them */

/* The program has a malloc of its own, which counts (verify/measure/alloc_count.c) and then calls these. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *at, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *__libc_malloc(size_t bytes) { REAL(void *, __libc_malloc, size_t) return fails(MEMORY) ? NULL : real(bytes); }
void *__libc_calloc(size_t n, size_t bytes)
{
    REAL(void *, __libc_calloc, size_t, size_t)
    return fails(MEMORY) ? NULL : real(n, bytes);
}
void *__libc_realloc(void *at, size_t bytes)
{
    REAL(void *, __libc_realloc, void *, size_t)
    return fails(MEMORY) ? NULL : real(at, bytes);
}
void *__libc_memalign(size_t alignment, size_t bytes)
{
    REAL(void *, __libc_memalign, size_t, size_t)
    return fails(MEMORY) ? NULL : real(alignment, bytes);
}

void *mmap(void *at, size_t bytes, int protection, int flags, int file, off_t offset)
{
    return fails(PAGES) ? MAP_FAILED : (void *)syscall(SYS_mmap, at, bytes, protection, flags, file, offset);
}
int mprotect(void *at, size_t bytes, int protection)
{
    return fails(PAGES) ? -1 : (int)syscall(SYS_mprotect, at, bytes, protection);
}

pid_t fork(void) { REAL(pid_t, fork, void) return fails(PROCESS) ? -1 : real(); }
int pipe2(int ends[2], int flags) { REAL(int, pipe2, int[2], int) return fails(PROCESS) ? -1 : real(ends, flags); }
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
    REAL(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)
    return fails(PROCESS) ? EAGAIN : real(thread, attributes, body, argument);
}

FILE *fopen(const char *path, const char *mode)
{
    REAL(FILE *, fopen, const char *, const char *)
    return fails(INTO_FILE) ? NULL : real(path, mode);
}
FILE *fdopen(int file, const char *mode)
{
    REAL(FILE *, fdopen, int, const char *)
    return fails(INTO_FILE) ? NULL : real(file, mode);
}
int mkstemp(char *path) { REAL(int, mkstemp, char *) return fails(INTO_FILE) ? -1 : real(path); }
int rename(const char *from, const char *to)
{
    REAL(int, rename, const char *, const char *)
    return fails(INTO_FILE) ? -1 : real(from, to);
}
int fflush(FILE *file) { REAL(int, fflush, FILE *) return fails(INTO_FILE) ? EOF : real(file); }
int fclose(FILE *file)   /* what is buffered is lost, and the file is closed all the same */
{
    REAL(int, fclose, FILE *)
    const int failed = fails(INTO_FILE), result = real(file);
    return failed ? EOF : result;
}
size_t fwrite(const void *data, size_t size, size_t n, FILE *file)
{
    REAL(size_t, fwrite, const void *, size_t, size_t, FILE *)
    if (!fails(INTO_FILE))
        return real(data, size, n, file);
    enum { ERROR_SEEN = 0x20 };   /* what ferror() looks at in glibc's struct */
    const size_t written = real(data, size, n / 2, file);
    file->_flags |= ERROR_SEEN;
    return written;
}
