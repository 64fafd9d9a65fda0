/* Signals are blocked, never handled: what is pending is delivered when they are let through. */
#include "node/interrupt.h"

#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static const int interrupt_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { INTERRUPT_COUNT = sizeof interrupt_signals / sizeof interrupt_signals[0] };

static void interrupt_set(sigset_t *out)
{
    (void)sigemptyset(out);
    for (size_t at = 0; at < INTERRUPT_COUNT; at++)
        (void)sigaddset(out, interrupt_signals[at]);
}

void interrupt_hold(struct interrupt *interrupt)
{
    sigset_t held;

    interrupt_set(&held);
    (void)sigprocmask(SIG_BLOCK, &held,
                      &interrupt->before); /* Fails for a wrong first word only. */
}

int interrupt_descriptor(void)
{
    sigset_t held;

    interrupt_set(&held);
    return signalfd(-1, &held, SFD_CLOEXEC);
}

bool interrupt_is_waiting(void)
{
    sigset_t pending;

    if (sigpending(&pending) != 0)
        return false;
    for (size_t at = 0; at < INTERRUPT_COUNT; at++)
        if (sigismember(&pending, interrupt_signals[at]) == 1)
            return true;
    return false;
}

void interrupt_release(const struct interrupt *interrupt)
{
    (void)sigprocmask(SIG_SETMASK, &interrupt->before, NULL);
}

void interrupt_pass_on(int status)
{
    if (!WIFSIGNALED(status))
        return;
    for (size_t at = 0; at < INTERRUPT_COUNT; at++)
        if (WTERMSIG(status) == interrupt_signals[at])
            (void)raise(interrupt_signals[at]);
}
