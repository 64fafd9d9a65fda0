/* Words to sentences, and the one way this program stops on its own mistake. */
#include "crypto/err.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *err_sentence(enum err err)
{
    switch (err) {
#define X(word, sentence)                                                                          \
    case ERR_##word:                                                                               \
        return sentence;
        ERR_LIST(X)
#undef X
    }
    return "unknown error";
}

static void err_write(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; /* The program is about to stop; there is nobody else to tell. */
}

_Noreturn void err_assert_failed(const char *condition, const char *file, int line)
{
    char digits[12];
    size_t at = sizeof digits - 1;
    unsigned rest = (unsigned)line;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0 && at > 0);
    err_write("kith: broken promise: ");
    err_write(condition);
    err_write(" at ");
    err_write(file);
    err_write(":");
    err_write(digits + at);
    err_write("\n");
    abort();
}
