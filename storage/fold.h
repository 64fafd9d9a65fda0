/*
 * Folding for search and comparison: case, accents, width and ligatures go; white space and control
 * bytes become one space, none at either end. By utf8proc, with a table for letters that Unicode
 * does not decompose (ł, ø, ı, đ, ð, þ, æ, œ and the like). What it finds equal is more than any
 * one language would: folded text is for finding, never for showing.
 */
#ifndef KITH_STORAGE_FOLD_H
#define KITH_STORAGE_FOLD_H

#include "crypto/span.h"

enum {
    FOLD_SIZE_MAX = 64 << 10,
    FOLD_WORD_SIZE_MAX = 24 /* of a search token, DESIGN 12.5 */
};

/* Appends the folded text, which is UTF-8 and, by some ligatures, up to eleven times as long. Bytes
 * that are no UTF-8 are read as Latin-1; text beyond FOLD_SIZE_MAX is cut before the character that
 * does not fit. Folding folded text changes nothing. ERR_NOMEM. */
MUST_USE enum err fold(struct span text, struct buf *out);

/* Is there anything to see in it? Not in spaces, controls, marks without a letter to stand on,
 * signs of no width or direction, and fillers. */
bool fold_is_seen(struct span text);

/* Receives one word, valid until it returns; any error but ERR_OK ends the walk. */
typedef enum err (*fold_word_fn)(void *context, struct span word);

/* Tells each run of letters, digits and marks in folded text, in order, cut to FOLD_WORD_SIZE_MAX
 * bytes before the character that does not fit. Returns the first error of on_word. */
MUST_USE enum err fold_words(struct span folded, fold_word_fn on_word, void *context);

#endif
