/*
 * Ctrl-C and its like (SIGINT, SIGTERM, SIGHUP, SIGQUIT) while something must be whole: held, they
 * wait; released, they do what they would have done. Without a handler and without state.
 */
#ifndef KITH_NODE_INTERRUPT_H
#define KITH_NODE_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

struct interrupt {
    sigset_t before;
};

void interrupt_hold(struct interrupt *interrupt);
/* A descriptor that is readable while one waits, to be closed; -1 when there is none to be had. */
int interrupt_descriptor(void);
/* Has one come since they are held? */
bool interrupt_is_waiting(void);
void interrupt_release(const struct interrupt *interrupt);
/* Was this the end a signal of this kind puts to a process (as waitpid tells it)? Then this process
 * ends the same way; it goes on where the signal is ignored. */
void interrupt_pass_on(int status);

#endif
