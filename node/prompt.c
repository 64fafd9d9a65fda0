/*
 * A terminal that does not echo must not stay so. The interrupt key is a letter meanwhile, and
 * signals wait until the terminal is as it was. A command asks in a child of its own, which would
 * be killed when its parent ends: it is asked to end instead while the terminal is silent.
 */
#include "node/prompt.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#include "node/interrupt.h"

enum prompt_end { PROMPT_GOES_ON, PROMPT_GIVEN, PROMPT_CANCELLED, PROMPT_INTERRUPTED };

/* One letter as it is typed. */
static enum prompt_end prompt_letter(const struct termios *terminal, char letter, char *out,
                                     size_t size, size_t *length)
{
    if (letter == (char)terminal->c_cc[VINTR] || letter == (char)terminal->c_cc[VQUIT])
        return PROMPT_INTERRUPTED;
    if (letter == (char)terminal->c_cc[VEOF])
        return PROMPT_CANCELLED;
    if (letter == '\n' || letter == '\r')
        return PROMPT_GIVEN;
    if (letter == (char)terminal->c_cc[VERASE] || letter == '\b') {
        while (*length > 0 && (out[--*length] & 0xc0) == 0x80)
            continue; /* All bytes of one letter. */
    } else if (letter == (char)terminal->c_cc[VKILL]) {
        *length = 0;
    } else if (*length + 1 < size) {
        out[(*length)++] = letter;
    }
    return PROMPT_GOES_ON;
}

static enum prompt_end prompt_read(const struct termios *terminal, int signals, char *out,
                                   size_t size, size_t *length)
{
    struct pollfd watched[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = signals, .events = POLLIN}};
    enum prompt_end end = PROMPT_GOES_ON;

    while (end == PROMPT_GOES_ON) {
        int ready = poll(watched, 2, -1);
        char letter;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0 || interrupt_is_waiting() || read(STDIN_FILENO, &letter, 1) != 1)
            return PROMPT_CANCELLED;
        end = prompt_letter(terminal, letter, out, size, length);
    }
    return end;
}

/* Another signal comes when the parent ends, where one comes at all; gives the one before. */
static int prompt_parent_end(int number)
{
    int before = 0;

    if (prctl(PR_GET_PDEATHSIG, &before) == 0 && before != 0)
        (void)prctl(PR_SET_PDEATHSIG, number); /* At worst the letters stay hidden. */
    return before;
}

bool prompt_passphrase(char *out, size_t size, size_t *out_size)
{
    struct interrupt interrupt;
    struct termios before, silent;
    enum prompt_end end;
    int signals, parent_end;

    *out_size = 0;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    interrupt_hold(&interrupt);
    signals = interrupt_descriptor();
    parent_end = prompt_parent_end(SIGTERM);
    /* At worst the letters show. Whoever reads the question may type. */
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    (void)fputs("Passphrase: ", stderr);
    end = prompt_read(&before, signals, out, size, out_size);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    (void)fputs("\n", stderr);
    (void)prompt_parent_end(parent_end);
    if (signals >= 0)
        (void)close(signals);
    interrupt_release(&interrupt);
    if (end == PROMPT_INTERRUPTED)
        (void)raise(SIGINT);
    out[*out_size] = '\0';
    return end == PROMPT_GIVEN;
}

bool prompt_agrees(const char *question)
{
    char answer[16];
    bool has_more;

    (void)fprintf(stderr, "%s [y/N] ", question);
    if (fgets(answer, sizeof answer, stdin) == NULL) {
        (void)fputs("\n", stderr);
        return false;
    }
    has_more = strchr(answer, '\n') == NULL;
    answer[strcspn(answer, "\r\n")] = '\0';
    return !has_more && (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0);
}

bool prompt_line(const char *label, char *out, size_t size)
{
    size_t length, blanks;

    (void)fprintf(stderr, "%s: ", label);
    if (fgets(out, (int)size, stdin) == NULL) {
        (void)fputs("\n", stderr);
        return false;
    }
    if (strchr(out, '\n') == NULL && !feof(stdin))
        return false;
    length = strcspn(out, "\r\n");
    while (length > 0 && (out[length - 1] == ' ' || out[length - 1] == '\t'))
        length--;
    out[length] = '\0';
    blanks = strspn(out, " \t");
    memmove(out, out + blanks, strlen(out + blanks) + 1);
    return out[0] != '\0';
}
