/* Prose is broken between words, as wide as the terminal is; a line to type never is, because it is
 * copied. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "crypto/heap.h"
#include "node/config.h"
#include "node/show_state.h"

enum { SHOW_WRAP_LEAST = 10, SHOW_WRAP_DEFAULT = 80 };

size_t show_columns(FILE *out)
{
    struct winsize size;
    unsigned columns = config_columns();

    if (isatty(fileno(out)) == 0)
        return 0;
    if (columns == 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    return columns > 0 ? columns : SHOW_WRAP_DEFAULT;
}

size_t show_letter(const char *text, size_t *out_width)
{
    mbstate_t state = {0};
    wchar_t letter;
    size_t size = mbrtowc(&letter, text, strlen(text), &state);
    int width;

    *out_width = 1;
    if (size == 0 || size > strlen(text))
        return text[0] != '\0'; /* No letter: a byte. */
    width = wcwidth(letter);
    *out_width = width > 0 ? (size_t)width : 0;
    return size;
}

size_t show_width(const char *text)
{
    size_t sum = 0, width;

    for (size_t size; (size = show_letter(text, &width)) > 0; text += size)
        sum += width;
    return sum;
}

void show_wrap(FILE *out, const char *text, size_t used, size_t indent)
{
    size_t columns = show_columns(out);
    bool is_first = true;

    if (columns < indent + SHOW_WRAP_LEAST)
        columns = 0;
    while (*text != '\0') {
        size_t size = strcspn(text, " "), width;
        char word[SHOW_WRAP_WORD];

        (void)snprintf(word, sizeof word, "%.*s", (int)(size < sizeof word ? size : 0), text);
        width = show_width(word);
        if (columns > 0 && !is_first && used + 1 + width > columns) {
            (void)fprintf(out, "\n%*s", (int)indent, "");
            used = indent;
        } else if (!is_first) {
            (void)putc(' ', out);
            used++;
        }
        (void)fprintf(out, "%.*s", (int)size, text);
        used += width;
        is_first = false;
        text += size + (text[size] == ' ');
    }
    (void)putc('\n', out);
}

void show_say(const char *text)
{
    char *clean = show_copy(text);

    if (clean != NULL)
        show_wrap(stdout, clean, 0, 0);
    heap_free(clean);
}
