/* clang-format off */
/*
 * The tables and the bytes of every database key: the disk layout told. Integers in keys are
 * big-endian, so that byte order is number order. Spaces, logs and objects have dense local numbers
 * (u32); entries have arrival numbers (u64). Rows marked * end in the keyed hash of rule L20:
 * nothing could make them again.
 *
 *   table      key                          value
 *   meta       one byte: enum meta_key      * format (without hash), self space, counters, the
 *                                           device that writes here, keys of devices it followed
 *   entry      arrival                      log, seq, header, the epoch's id where the entry was
 *                                           cut from its log, payload or (absent) its hash
 *   run        log, first seq of the run    first arrival of the run
 *   log        log                          * space, device, chain at the tip, newest head, epochs
 *                                           counted, payload bytes
 *   log_id     space, device                log
 *   head       log, size at a block's end   chain hash, signature, payload bytes so far
 *   space      space                        * id, kind, is_mine, writer, reader, current epoch,
 *                                           is it in question
 *   space_id   id                           space
 *   log_epoch  log, index                   epoch id, seq of its entry
 *   epoch      epoch id                     * space, parent, depth, readers, commitment, the key
 *                                           sealed locally, the parent's key sealed under it
 *   waiting    epoch id, arrival            nothing: entries whose key has not arrived
 *   object     object                       space, is it sealed, row (see row.c)
 *   object_id  space, kind, id              object
 *   name       folded name (<= 60), 0,      nothing
 *              object
 *   match      token, 0, object             e-mails, phones, uids, members, tags, organisations and
 *                                           web addresses of contacts: what (1), hash (6) and who
 *                                           has it, as in token
 *   peer       root                         object of the link
 *   device     device                       member, static key, receiving key, certifier, time,
 *                                           name, statement
 *   static_key static key                   device
 *   delivered  peer's root, log             * size stored there
 *   reached    device                       when last seen, addresses that worked
 *   journal    number                       what happened (kith log)
 *   token      token (<= 24), 0, object     words from there on, and the objects with each: see
 *                                           posting.h
 *   name_order number / 240                 240 name keys of eight bytes
 *   undo       number                       what this device did last to contacts: first and last
 *                                           arrival in its log of the self space, time,
 *                                           words, and the act it is a step of: see undo.c
 *   same       0, object | 1, head, object  the contact it is shown as | nothing
 *   interaction contact's id, day, object nothing
 *   card_of    object of a peer's card      the peer's root
 *   agenda     due time, kind, name         nothing: what must be looked at again
 *   host       IPv4 address or IPv6 /64     when somebody proved from there who they are
 *   space_epoch space, epoch id             nothing: the epochs of each space
 *   network_in peer's root                  the network space it writes
 *   absent     log, seq                     size of a payload that is not here
 *   forgotten  log, seq                     nothing: places that forgets name
 *   expiry     time in s, arrival           state, and since when: running time, wall clock
 *   restate    space                        the restatement that counts: its epoch, where it
 *                                           stands, what it covers
 *   fact       introducer, introduction,    arrival of the entry that says it
 *              speaker, type, hash (16)
 *   introduction  introducer, introduction  * what became of it here, and when
 *   want       asked, asking, hash (16)     arrival of the entry that says it
 *   endorsement  several sorts: see endorsement_table.h
 *   share      several sorts: see view_share.h
 *   retire     device, reason, 1 if not by  * the statement
 *              the root, signer
 *   keep       space, device, 1 if not by   * the statement of that signer that counts before its
 *              the root, signer, 1 if the     others; in the rows of an older program the signer
 *              signer's log holds it          is missing, as above
 *   return     space, device, chain hash    start size and hash, signature, arrivals: a batch that
 *              at the batch's end           was cut from its log and is not restated yet
 *   cut        log, seq, payload hash       arrival of an entry that its log does not follow
 *   restated   space, payload hash of the   arrival of the repeating entry
 *              first entry, log
 *   ask        ask                          * what became of it here, and when
 *   ask_route  ask, neighbour, hash (16)    * how it came, or why that was refused
 *   ask_grant  'g', grant | 'a', ask, grant the ask, to whom it was given, by which way I have it
 *                                           | nothing
 *   ask_budget member                       * what they have used up here
 *   reply      id of the letter             * what became of it here
 *   reply_kept id of the letter             nothing: it waits for somebody to hand it to
 *   brought    1, reply, kind, neighbour,   arrival of the entry that says it
 *              object
 *              2, neighbour, kind, object   id of the letter, since when it waits
 *   thread     id of its first letter,      1 I wrote it, else 0
 *              object of a letter
 *   ask_thread ask, id of a first letter    nothing: the thread is about that ask
 *   claim      device, member               a row as in device, by a member whose it is held not to
 *                                           be
 *   static_claim static key, member         the member's device that is called so, too
 *   writer     member, space                nothing: the spaces that a member writes
 *   origin     arrival                      log, seq, time, device, payload hash: of an entry that
 *                                           holds what others wrote with an equal counter
 */
/* clang-format on */
#ifndef KITH_STORAGE_KEY_H
#define KITH_STORAGE_KEY_H

#include "proto/log.h"
#include "storage/kv.h"

#define TABLE_LIST(X)                                                                              \
    X(META, "meta")                                                                                \
    X(ENTRY, "entry")                                                                              \
    X(RUN, "run")                                                                                  \
    X(LOG, "log")                                                                                  \
    X(LOG_ID, "log_id")                                                                            \
    X(HEAD, "head")                                                                                \
    X(SPACE, "space")                                                                              \
    X(SPACE_ID, "space_id")                                                                        \
    X(LOG_EPOCH, "log_epoch")                                                                      \
    X(EPOCH, "epoch")                                                                              \
    X(WAITING, "waiting")                                                                          \
    X(OBJECT, "object")                                                                            \
    X(OBJECT_ID, "object_id")                                                                      \
    X(NAME, "name")                                                                                \
    X(MATCH, "match")                                                                              \
    X(PEER, "peer")                                                                                \
    X(DEVICE, "device")                                                                            \
    X(STATIC_KEY, "static_key")                                                                    \
    X(DELIVERED, "delivered")                                                                      \
    X(REACHED, "reached")                                                                          \
    X(JOURNAL, "journal")                                                                          \
    X(TOKEN, "token")                                                                              \
    X(NAME_ORDER, "name_order")                                                                    \
    X(ENDORSEMENT, "endorsement")                                                                  \
    X(CARD_OF, "card_of")                                                                          \
    X(AGENDA, "agenda")                                                                            \
    X(HOST, "host")                                                                                \
    X(RESTATE, "restate")                                                                          \
    X(UNDO, "undo")                                                                                \
    X(SAME, "same")                                                                                \
    X(SPACE_EPOCH, "space_epoch")                                                                  \
    X(FACT, "fact")                                                                                \
    X(INTRODUCTION, "introduction")                                                                \
    X(WANT, "want")                                                                                \
    X(INTERACTION, "interaction")                                                                  \
    X(RETIRE, "retire")                                                                            \
    X(KEEP, "keep")                                                                                \
    X(RETURN, "return")                                                                            \
    X(CUT, "cut")                                                                                  \
    X(RESTATED, "restated")                                                                        \
    X(NETWORK_IN, "network_in")                                                                    \
    X(ABSENT, "absent")                                                                            \
    X(FORGOTTEN, "forgotten")                                                                      \
    X(EXPIRY, "expiry")                                                                            \
    X(ASK, "ask")                                                                                  \
    X(ASK_ROUTE, "ask_route")                                                                      \
    X(ASK_GRANT, "ask_grant")                                                                      \
    X(ASK_BUDGET, "ask_budget")                                                                    \
    X(SHARE, "share")                                                                              \
    X(REPLY, "reply")                                                                              \
    X(REPLY_KEPT, "reply_kept")                                                                    \
    X(BROUGHT, "brought")                                                                          \
    X(THREAD, "thread")                                                                            \
    X(CERTIFICATE, "certificate")                                                                  \
    X(ASK_THREAD, "ask_thread")                                                                    \
    X(CLAIM, "claim")                                                                              \
    X(STATIC_CLAIM, "static_claim")                                                                \
    X(WRITER, "writer")                                                                            \
    X(ORIGIN, "origin")

enum table {
#define X(word, name) TABLE_##word,
    TABLE_LIST(X)
#undef X
        TABLES_COUNT
};

/* The tables' names in number order, for kv_lmdb_open. */
extern const char *const table_names[TABLES_COUNT];

/* A key being built: fixed memory, no allocation. */
struct key {
    uint8_t bytes[KV_KEY_SIZE_MAX];
    size_t size;
};

/* Each begins a key. */
void key_of_byte(uint8_t value, struct key *out);
void key_of_u32(uint32_t value, struct key *out);
void key_of_u64(uint64_t value, struct key *out);
void key_of_bytes(struct span bytes, struct key *out);
/* Each adds to one. */
void key_add_byte(struct key *key, uint8_t value);
void key_add_u32(struct key *key, uint32_t value);
void key_add_u64(struct key *key, uint64_t value);
/* size is cut to what fits. */
void key_add_bytes(struct key *key, struct span bytes);
static inline struct span key_span(const struct key *key)
{
    return span_of(key->bytes, key->size);
}

#endif
