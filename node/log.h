/*
 * The only voice of a running node: one line to standard error, for the person or the service
 * manager who started it. What the owner should read later goes to the journal instead. Never a
 * name of a peer, never a secret.
 */
#ifndef KITH_NODE_LOG_H
#define KITH_NODE_LOG_H

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_INFO = 6 };

/* Under systemd (JOURNAL_STREAM set) lines carry its priority prefix. */
struct log {
    int has_priority;
};

void log_init(struct log *log);
__attribute__((format(printf, 3, 4))) void log_line(const struct log *log, enum log_level level,
                                                    const char *format, ...);

#endif
