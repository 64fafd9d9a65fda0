/* Asking on the terminal. */
#ifndef KITH_NODE_PROMPT_H
#define KITH_NODE_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/* Asks for a passphrase without echo; out gets it with an end. False when it was not given: the end
 * of input came. Ctrl-C and other interrupts end the process, and whatever ends it, short of
 * SIGKILL, the terminal echoes again first. */
bool prompt_passphrase(char *out, size_t size, size_t *out_size);

/* Puts a question that wants yes or no, and waits for a line. Nothing but yes is a yes: no, an
 * empty line and the end of input are none. Ctrl-C ends the process. */
bool prompt_agrees(const char *question);

/* Asks for one line, without the blanks around it. False for an empty line, one that is too long
 * and the end of input. Ctrl-C ends the process. */
bool prompt_line(const char *label, char *out, size_t size);

#endif
