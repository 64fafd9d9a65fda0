/* Values of vCard properties as text: quoted-printable, backslashes, components, types. */
#ifndef KITH_NODE_VCARD_TEXT_H
#define KITH_NODE_VCARD_TEXT_H

#include "crypto/span.h"

/* Case aside, A to Z only. */
bool vcard_text_is(struct span text, const char *word);
/* Appends what quoted-printable stands for (RFC 2045 6.7); what is none stays as it is. */
void vcard_text_quoted(struct span bytes, struct buf *out);
/* Appends without backslashes: \n \, \; \\ \: and \" (RFC 6350 3.4, and what exporters add). */
void vcard_text_unescape(struct span text, struct buf *out);
/* Appends with backslashes before backslash, comma and semicolon; line ends become \n. */
void vcard_text_escape(struct span text, struct buf *out);
/* Cuts the next component at an unescaped separator off the front of rest; false at the end. */
bool vcard_text_component(struct span *rest, char separator, struct span *out);
/* The same at a separator outside double quotes: parameters. */
bool vcard_text_part(struct span *rest, char separator, struct span *out);

#endif
