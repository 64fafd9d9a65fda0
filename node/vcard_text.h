/* Values of vCard properties as text: unescaped, decoded from quoted-printable, converted to UTF-8.
 */
#ifndef KITH_NODE_VCARD_TEXT_H
#define KITH_NODE_VCARD_TEXT_H

#include "crypto/span.h"

/* Appends valid UTF-8: from the character set named (empty: UTF-8), else from Latin-1. */
void vcard_text_utf8(struct span bytes, struct span charset, struct buf *out);
void vcard_text_quoted(struct span bytes, struct buf *out);
/* Takes backslashes off: \n \, \; \\ and \: */
void vcard_text_unescape(struct span text, struct buf *out);
/* Cuts the next component at an unescaped separator off the front of rest; false at the end. */
bool vcard_text_component(struct span *rest, char separator, struct span *out);

#endif
