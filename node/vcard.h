/*
 * vCards (RFC 2426, RFC 6350, and 2.1 as phones wrote it) to people. Pure: bytes in, values out, in
 * one pass over the file and the memory of one card. A card that cannot be read is passed over and
 * told with its line; the others are read. What has no field of its own is kept verbatim
 * (person.h).
 *
 * Read as real exporters write: lines folded by a space or a tab (RFC 6350 3.2), by soft line
 * breaks of quoted-printable (2.1), by a backslash at the end (old Android), base64 that goes on
 * without indentation (old Outlook); \r\r\n (iPhone); comments and blank lines; BEGIN or END that
 * were forgotten; a card inside a card (AGENT of 2.1), which is kept as its text.
 */
#ifndef KITH_NODE_VCARD_H
#define KITH_NODE_VCARD_H

#include "node/person.h"
#include "proto/limits.h"

/* The file as charset_file gave it. ERR_NOMEM; what reader->person returned. */
MUST_USE enum err vcard_read(struct span file, const struct person_reader *reader);

#endif
