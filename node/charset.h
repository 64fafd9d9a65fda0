/*
 * Bytes of any character set to valid UTF-8. iconv knows the sets of old phones and offices; what
 * it cannot convert, and what claims nothing and is no UTF-8, is read as Windows-1252, the set of
 * most exporters that do not say theirs: it is Latin-1 with letters where Latin-1 has controls, and
 * every byte means something.
 */
#ifndef KITH_NODE_CHARSET_H
#define KITH_NODE_CHARSET_H

#include "crypto/span.h"

/* Appends valid UTF-8 from the set named (empty: UTF-8), else from Windows-1252. */
void charset_utf8(struct span bytes, struct span name, struct buf *out);
/* A whole file without its mark: as it is, or, when it is UTF-16 (which it says by its mark, or by
 * the zeros of its first two letters), in UTF-8 in converted, which the caller releases. ERR_NOMEM;
 * ERR_MALFORMED: UTF-16 that is none. */
MUST_USE enum err charset_file(struct span file, struct buf *converted, struct span *out);

#endif
