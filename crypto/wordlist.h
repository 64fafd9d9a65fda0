/*
 * The English word list of BIP-39: sorted, first four letters unique. Data only; words.h has the
 * verbs.
 */
#ifndef KITH_CRYPTO_WORDLIST_H
#define KITH_CRYPTO_WORDLIST_H

enum { WORDLIST_COUNT = 2048, WORDLIST_WORD_SIZE = 8 };

/* Each word with at least one zero at its end. */
extern const char wordlist[WORDLIST_COUNT][WORDLIST_WORD_SIZE + 1];

#endif
