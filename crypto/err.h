/*
 * The error words of the whole house. A word exists because some caller acts differently on it.
 * Our own mistakes are KITH_ASSERT and abort; a peer's mistakes and the world's failures are
 * values.
 */
#ifndef KITH_CRYPTO_ERR_H
#define KITH_CRYPTO_ERR_H

#define ERR_LIST(X)                                                                                \
    X(OK, "done")                                                                                  \
    X(NOMEM, "out of memory")                                                                      \
    X(IO, "the system refused to read or write")                                                   \
    X(FULL, "no room left on the disk")                                                            \
    X(CORRUPT, "stored bytes are damaged")                                                         \
    X(MALFORMED, "bytes break a rule of the protocol")                                             \
    X(FORGED, "a signature or seal does not fit")                                                  \
    X(LIMIT, "a bound was exceeded")                                                               \
    X(NOT_FOUND, "no such thing")                                                                  \
    X(EXISTS, "it exists already")                                                                 \
    X(AMBIGUOUS, "more than one thing fits")                                                       \
    X(LOCKED, "a passphrase is needed, or it was wrong")                                           \
    X(BUSY, "somebody else holds it")                                                              \
    X(VERSION, "written by a newer version")                                                       \
    X(STATE, "not possible now")                                                                   \
    X(INVALID, "not a usable value")                                                               \
    X(KEY_MISSING, "the key that opens it has not arrived")                                        \
    X(DETACHED, "it does not continue what is stored")                                             \
    X(CANCELLED, "cancelled")                                                                      \
    X(BEHIND, "the lists must be brought up to date first")

enum err {
#define X(word, sentence) ERR_##word,
    ERR_LIST(X)
#undef X
};

/* The sentence of an error word; a constant string, never NULL. */
const char *err_sentence(enum err err);

#define MUST_USE __attribute__((warn_unused_result))

/* Stays on in release: a broken promise between our own parts stops the program. */
#define KITH_ASSERT(condition)                                                                     \
    ((condition) ? (void)0 : err_assert_failed(#condition, __FILE__, __LINE__))

_Noreturn void err_assert_failed(const char *condition, const char *file, int line);

#endif
