/*
 * Folding for search and comparison: case, accents, width and ligatures go; white space becomes one
 * space. By utf8proc, with a table for letters that Unicode does not decompose (ł, ø, ı, đ, ð, þ,
 * æ, œ and the like).
 */
#ifndef KITH_STORAGE_FOLD_H
#define KITH_STORAGE_FOLD_H

#include "crypto/span.h"

enum { FOLD_SIZE_MAX = 64 << 10 };

/* Appends the folded text. Bytes that are no UTF-8 are read as Latin-1. ERR_NOMEM; text beyond
 * FOLD_SIZE_MAX is cut. */
MUST_USE enum err fold(struct span text, struct buf *out);

#endif
