/* worker.h - the status of the program, when strangers' code is in the process.  Internal.
 *
 * A provider runs with all our rights, and whatever it does may end the process: a destructor that calls _exit(0), a
 * thread that crashes a second later.  So a verb that opens one goes on in a worker, a process of its own; the first
 * process stays free of that code, waits, and ends with the status that the worker handed over.  One that ended
 * without handing over anything, however well, is an error.
 * Not here: the children in which kernels run (verify/sandbox), which see only the kernel's problems.
 */
#ifndef CONVREF_VERIFY_CLI_WORKER_H
#define CONVREF_VERIFY_CLI_WORKER_H

/* Before the first provider is opened.  Returns in the worker; the first process never comes back. */
void worker_begin(void);

/* The verb is done.  In a worker: hands the status over and ends the process.  Otherwise returns it. */
int worker_end(int status);

#endif
