/* sandbox.c - run a function or a command in a child.   Declared in sandbox.h.
 *
 * The body runs in a thread of its own: a forked child has only the thread that forked, and an OpenMP runtime
 * that was used before still believes in the others.  A new thread gets a new team.
 *
 * Whether the body came to its end is told by a token: a random number that the parent draws for each run and the
 * runner writes into shared memory after the body has returned.  An exit status of 0 is no proof, since a body may
 * call exit(0); and a byte that says "done" could be written by one that writes anywhere.
 *
 * What is limited is memory that can be written to (RLIMIT_DATA), not address space: a driver that maps a device, or
 * a file that is mapped many times, takes terabytes of addresses and no memory.
 */
#include <config.h>

#include "verify/sandbox/sandbox.h"

#include <convref/machine.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/guest.h"

/* A sanitizer's report must be seen, and its shadow memory takes terabytes: its own limits have to do. */
#ifdef CONV_SANITIZED
enum { WATCHED_BY_SANITIZER = 1 };
#else
enum { WATCHED_BY_SANITIZER = 0 };
#endif

/* What parent and child share. */
struct page {
    uint64_t token;       /* written last */
    bool started, called_exit, memory_short;
};

struct call {
    void (*body)(void *);
    void *argument;
    const char *command;          /* in the place of a body */
    struct sandbox_limits limits;
    size_t in_use;                /* bytes of data when the child was forked */
    uint64_t token;
    struct page *page;
    int output[2];                /* a pipe */
};

/* ---- in the child --------------------------------------------------------------------------------------------- */

static struct page *own_page;     /* NULL in the parent */
static size_t own_memory;         /* its limit; 0: none */

/* An eighth of the limit can't be had any more: what the child asked for last may have been as large. */
void sandbox_note_memory(void)
{
    const size_t bytes = own_memory / 8;
    if (!own_page || bytes == 0)
        return;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    own_page->memory_short = at == MAP_FAILED;
    if (at != MAP_FAILED)
        munmap(at, bytes);
}

/* Registered once, in the parent, and inherited: whoever calls exit() in a child runs it. */
static void note_exit(void)
{
    if (own_page)
        own_page->called_exit = true;
    sandbox_note_memory();
}

static void register_note_exit(void) { atexit(note_exit); }

static void limit(int resource, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && (now.rlim_cur == RLIM_INFINITY || now.rlim_cur > most)) {
        now.rlim_cur = most;
        setrlimit(resource, &now);
    }
}

/* CPU time is a fence behind the clock, for the case that the parent can't look at it: wide enough that no number of
 * threads reaches it before the clock does. */
static void set_limits(const struct call *call)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const double cpu = (call->limits.seconds + 5) * (double)(cores > 0 ? cores : 1);
    limit(RLIMIT_CORE, 0);
    if (cpu < 1e9)
        limit(RLIMIT_CPU, (rlim_t)cpu);
    if (call->limits.memory > 0 && !WATCHED_BY_SANITIZER) {
        limit(RLIMIT_DATA, call->in_use + call->limits.memory);
        own_memory = call->limits.memory;
    }
}

static void redirect(const struct call *call)
{
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    __fpurge(stdout);   /* another thread of the parent may have been about to write */
    if (nothing >= 0)
        dup2(nothing, STDIN_FILENO);
    dup2(call->output[1], STDOUT_FILENO);
    if (!WATCHED_BY_SANITIZER || call->command)
        dup2(call->output[1], STDERR_FILENO);
    close(call->output[0]);
    close(call->output[1]);
    setvbuf(stdout, NULL, _IONBF, 0);   /* or a crash would take the last words with it */
}

static void *call_body(void *argument)
{
    const struct call *call = argument;
    call->page->started = true;
    call->body(call->argument);
    call->page->token = call->token;
    return NULL;
}

static void run_body(const struct call *call)
{
    enum { STACK = 64 << 20 };   /* kernels may keep tiles on the stack */
    pthread_attr_t attributes;
    pthread_t thread;
    own_page = call->page;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    if (pthread_create(&thread, &attributes, call_body, (void *)call) == 0)
        pthread_join(thread, NULL);
}

/* Never returns.  The statuses matter for commands alone: a body that returned has left its token. */
static void be_child(const struct call *call)
{
    setpgid(0, 0);
    guest_owns_process();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    redirect(call);
    set_limits(call);
    if (!call->command) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);   /* a command is the user's own, and may mount or sudo */
        run_body(call);
        _exit(0);
    }
    call->page->started = true;
    execl("/bin/sh", "sh", "-c", call->command, (char *)NULL);
    _exit(127);
}

/* ---- in the parent -------------------------------------------------------------------------------------------- */

/* Keep the last bytes of what the child writes, and count all of them. */
static void take_output(struct sandbox_end *end, int pipe)
{
    enum { ROOM = SANDBOX_TAIL - 1 };
    char bytes[4096];
    ssize_t got;
    size_t have = strlen(end->tail);
    while ((got = read(pipe, bytes, sizeof bytes)) > 0) {
        const size_t count = (size_t)got < ROOM ? (size_t)got : ROOM;
        const size_t kept = have < ROOM - count ? have : ROOM - count;
        end->output += got;
        for (size_t i = 0; i < (size_t)got; i++)
            bytes[i] = bytes[i] ? bytes[i] : '?';
        memmove(end->tail, end->tail + have - kept, kept);
        memcpy(end->tail + kept, bytes + (size_t)got - count, count);
        have = kept + count;
        end->tail[have] = 0;
    }
}

static bool has_ended(pid_t child)
{
    siginfo_t info = { .si_pid = 0 };
    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == child;
}

static void watch_clock(struct sandbox_end *end, pid_t child, double deadline, bool (*go_on)(void *), void *argument)
{
    if (end->timed_out || end->stopped)
        return;
    end->timed_out = conv_seconds() > deadline;
    end->stopped = !end->timed_out && go_on && !go_on(argument);
    if (end->timed_out || end->stopped)
        kill(-child, SIGKILL);
}

/* Wait for the child and end its whole group: before it is reaped, so that the group's number is still its own. */
static void wait_for(struct sandbox_end *end, pid_t child, int pipe, const struct call *call, bool (*go_on)(void *),
                     void *argument)
{
    const double deadline = conv_seconds() + call->limits.seconds;
    double looked = conv_seconds();
    struct pollfd wait = { .fd = pipe, .events = POLLIN };
    struct rusage usage = { .ru_maxrss = 0 };
    int status = 0;
    while (!has_ended(child)) {
        poll(&wait, 1, 2);
        if (wait.revents & POLLIN)
            take_output(end, pipe);
        else if (wait.revents & POLLHUP)
            wait.fd = -1;   /* the child closed it; only the 2 ms are left to wait for */
        if (conv_seconds() - looked > 0.1 || conv_seconds() > deadline) {
            watch_clock(end, child, deadline, go_on, argument);
            looked = conv_seconds();
        }
    }
    kill(-child, SIGKILL);
    while (wait4(child, &status, 0, &usage) < 0 && errno == EINTR)
        continue;
    take_output(end, pipe);
    end->memory = (size_t)usage.ru_maxrss * 1024;
    end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/* Bytes of data that this process has: the sixth number of statm counts pages. */
static size_t data_in_use(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static uint64_t draw_token(void)
{
    uint64_t token = 0;
    if (getrandom(&token, sizeof token, 0) != sizeof token)
        token ^= (uint64_t)(conv_seconds() * 1e9);
    return token | 1;   /* never 0, which the page begins with */
}

static enum conv_status open_pipe(struct call *call, struct conv_error *error)
{
    if (pipe2(call->output, O_CLOEXEC) != 0)
        return conv_fail(error, CONV_NO_MEMORY, "no pipe for a child process: %s", strerror(errno));
    fcntl(call->output[0], F_SETFL, O_NONBLOCK);
    return CONV_OK;
}

static enum conv_status fork_and_wait(struct sandbox_end *end, struct call *call, bool (*go_on)(void *),
                                      void *argument, struct conv_error *error)
{
    fflush(NULL);   /* or the child would write what is buffered a second time */
    const pid_t child = fork();
    if (child == 0)
        be_child(call);
    close(call->output[1]);
    if (child > 0) {
        setpgid(child, child);   /* here too: whoever comes first */
        wait_for(end, child, call->output[0], call, go_on, argument);
    }
    close(call->output[0]);
    return child > 0 ? CONV_OK : conv_fail(error, CONV_NO_MEMORY, "no child process: %s", strerror(errno));
}

static enum conv_status run(struct sandbox_end *end, struct call *call, bool (*go_on)(void *), void *argument,
                            struct conv_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_note_exit);
    *end = (struct sandbox_end){ .completed = false };
    call->token = draw_token();
    call->in_use = data_in_use();
    call->page = mmap(NULL, sizeof *call->page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (call->page == MAP_FAILED)
        return conv_fail(error, CONV_NO_MEMORY, "no shared memory for a child process");
    enum conv_status status = open_pipe(call, error);
    if (status == CONV_OK)
        status = fork_and_wait(end, call, go_on, argument, error);
    end->called_exit = call->page->called_exit;
    end->memory_short = call->page->memory_short;
    end->completed = call->page->token == call->token && !end->timed_out && !end->stopped;
    if (status == CONV_OK && !call->page->started && !end->timed_out && !end->stopped)
        status = conv_fail(error, CONV_NO_MEMORY, "no thread in a child process");
    munmap(call->page, sizeof *call->page);
    return status;
}

enum conv_status sandbox_run(struct sandbox_end *end, void (*body)(void *), void *argument,
                             const struct sandbox_limits *limits, bool (*go_on)(void *), struct conv_error *error)
{
    struct call call = { .body = body, .argument = argument, .limits = *limits };
    return run(end, &call, go_on, argument, error);
}

enum conv_status sandbox_command(struct sandbox_end *end, const char *command, const struct sandbox_limits *limits,
                                 bool (*go_on)(void *), void *argument, struct conv_error *error)
{
    struct call call = { .command = command, .limits = *limits };
    enum conv_status status = run(end, &call, go_on, argument, error);
    end->completed = status == CONV_OK && !end->signal && end->status == 0 && !end->timed_out && !end->stopped;
    return status;
}

char *sandbox_last_lines(char *text, size_t room, const struct sandbox_end *end, int lines)
{
    size_t stop = strlen(end->tail), start, used = 0;
    while (stop > 0 && strchr(" \t\r\n", end->tail[stop - 1]))
        stop--;
    for (start = stop; start > 0 && (end->tail[start - 1] != '\n' || --lines > 0); start--)
        continue;
    for (; start < stop && used + 4 < room; start++) {
        const unsigned char c = (unsigned char)end->tail[start];
        if (c == '\n')
            used += (size_t)snprintf(text + used, room - used, " / ");
        else
            text[used++] = (char)(c < ' ' || c == 0x7F ? ' ' : c);
    }
    text[used] = 0;
    return text;
}

char *sandbox_words(char *text, size_t room, const struct sandbox_end *end, double seconds)
{
    char last[256];
    sandbox_last_lines(last, sizeof last, end, 1);
    if (end->timed_out || end->stopped)
        snprintf(text, room, "hadn't returned after %g seconds", seconds);
    else if (end->memory_short)
        snprintf(text, room, "used up the memory that it may take");
    else if (end->signal)
        snprintf(text, room, "crashed: signal %d (%s)", end->signal, strsignal(end->signal));
    else
        snprintf(text, room, "ended the process with %sexit(%d)", end->called_exit ? "" : "_", end->status);
    if (last[0] && strlen(text) + 16 < room)
        snprintf(text + strlen(text), room - strlen(text), "; it wrote: %s", last);
    return text;
}
