/* One line at a time, whole or not at all. */
#include "node/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/config.h"

void log_init(struct log *log)
{
    log->has_priority = config_env("JOURNAL_STREAM") != NULL;
}

void log_line(const struct log *log, enum log_level level, const char *format, ...)
{
    char line[1024];
    size_t size = 0;
    ssize_t written;
    va_list arguments;
    int count;

    if (log->has_priority)
        size = (size_t)snprintf(line, sizeof line, "<%d>", (int)level);
    size += (size_t)snprintf(line + size, sizeof line - size, "kith: ");
    va_start(arguments, format);
    count = vsnprintf(line + size, sizeof line - size - 1, format, arguments);
    va_end(arguments);
    if (count < 0)
        return;
    size = strlen(line);
    line[size++] = '\n';
    written = write(STDERR_FILENO, line, size);
    (void)written; /* Standard error is gone: there is nobody left to tell. */
}
