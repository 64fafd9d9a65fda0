/* The BIP-39 English word list, in its own order: 2,048 words whose first four letters differ. */
#ifndef KITH_CRYPTO_WORDLIST_H
#define KITH_CRYPTO_WORDLIST_H

enum { WORDLIST_COUNT = 2048 };

extern const char *const wordlist[WORDLIST_COUNT];

#endif
