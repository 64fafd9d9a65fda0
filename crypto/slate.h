/*
 * Giving back memory of a library that keeps copies of whatever it is told, secrets among it: it is
 * wiped first. Pieces too small for a whole secret, which such a library has by the hundred
 * thousand, are not. What has to live long belongs into secret.h.
 */
#ifndef KITH_CRYPTO_SLATE_H
#define KITH_CRYPTO_SLATE_H

/* The text of an invitation has 93 letters at least, 58 of them before its secret; recovery words
 * have 95. */
enum { SLATE_SIZE_MIN = 64 };

/* Wipes memory from heap_new, from SLATE_SIZE_MIN bytes on, and gives it back; NULL does nothing.
 */
void slate_free(void *memory);

#endif
