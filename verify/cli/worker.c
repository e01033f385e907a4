/* worker.c - the status of the program, when strangers' code is in the process.   Declared in worker.h. */
#include "verify/cli/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verify/cli/messages.h"

/* What both processes share: the token is written last, and isn't written by accident. */
static struct handover { uint64_t token; int status; } *handover;
static uint64_t token;

static void wait_for_worker(pid_t worker)
{
    int status = 0;
    while (waitpid(worker, &status, 0) < 0 && errno == EINTR)
        continue;
    if (handover->token == token)
        exit(handover->status);
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s: ended by signal %d (%s), before its work was done\n", cli_name, WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    else
        fprintf(stderr, "%s: something ended the process with status %d, before its work was done\n", cli_name,
                WEXITSTATUS(status));
    fputs("    code of a --provider runs in it\n", stderr);
    exit(EXIT_FILE);
}

void worker_begin(void)
{
    if (handover)
        return;
    handover = mmap(NULL, sizeof *handover, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (handover == MAP_FAILED || getrandom(&token, sizeof token, 0) != sizeof token) {
        fprintf(stderr, "%s: no shared memory to open a provider with\n", cli_name);
        exit(EXIT_FILE);
    }
    token |= 1;   /* never 0, which the page begins with */
    fflush(NULL);
    const pid_t worker = fork();
    if (worker < 0) {
        fprintf(stderr, "%s: no process to open a provider in: %s\n", cli_name, strerror(errno));
        exit(EXIT_FILE);
    }
    if (worker > 0)
        wait_for_worker(worker);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

int worker_end(int status)
{
    if (!handover)
        return status;
    fflush(NULL);
    handover->status = status;
    handover->token = token;
    _exit(status);   /* no destructors: they are a stranger's */
}
