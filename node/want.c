/* What a peer writes again and again is one line here for each span of my own clock. */
#include "node/want.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "proto/endorsement.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "storage/view_interaction.h"

/* PROTOCOL WANT-1: "There is one such object for each peer; asking again writes it anew." */
static const struct id want_object = {{0}};

static uint64_t want_span_ms(void)
{
    return ENDORSEMENT_WANT_DAYS * MS_PER_DAY;
}

enum err want_get(const struct snapshot *snapshot, const struct peer *peer, bool is_mine,
                  uint64_t now_ms, struct want *out)
{
    bool has_space = is_mine ? peer->has_pair_out : peer->has_pair_in;
    uint32_t number;
    enum err err = ERR_NOT_FOUND;

    *out = (struct want){0};
    if (has_space)
        err = row_get(snapshot, is_mine ? &peer->pair_out : &peer->pair_in, KIND_ENDORSEMENT_WANT,
                      &want_object, &out->object, &number);
    if (err != ERR_OK)
        return err;
    out->asked_ms = object_number(&out->object, ENDORSEMENT_WANT_ASKED);
    if (out->asked_ms > now_ms)
        out->asked_ms = now_ms; /* A clock that is ahead. */
    if (object_is_visible(&out->object) &&
        object_text(&out->object, ENDORSEMENT_WANT_WORDS).size > 0 &&
        now_ms - out->asked_ms < want_span_ms())
        return ERR_OK;
    object_release(&out->object);
    return ERR_NOT_FOUND;
}

enum err want_note(struct ledger_txn *txn, const struct public_key *peer, bool is_mine,
                   struct span words, bool *out_is_new)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct interaction act = {.what = is_mine ? INTERACTION_WANTED : INTERACTION_WANTED_ME,
                              .text = words};
    struct object noted = {0};
    char ref[48];
    struct id id;
    uint32_t number;
    enum err err;

    (void)snprintf(ref, sizeof ref, "endorsement want %llu",
                   (unsigned long long)(ledger_txn_now_ms(txn) / want_span_ms()));
    act.ref = span_str(ref);
    interaction_act_id(peer, act.what, act.ref, &id);
    err = row_get(&snapshot, ledger_self_space(snapshot.ledger), KIND_INTERACTION, &id, &noted,
                  &number);
    object_release(&noted);
    *out_is_new = err == ERR_NOT_FOUND;
    if (err != ERR_NOT_FOUND)
        return err;
    return view_interaction_act(txn, peer, &act);
}

/* PROTOCOL WANT-2: "Its reader tells of it at most once in each such span of its own clock,
 * whatever is written, and shows it until that many days have passed since it was asked." */
static enum err want_tell(struct ledger_txn *txn, const struct peer *peer, const struct want *want)
{
    struct span words = object_text(&want->object, ENDORSEMENT_WANT_WORDS);
    const char *name = peer->alias[0] != '\0' ? peer->alias : peer->name;
    struct journal_row row = {.at_ms = ledger_txn_now_ms(txn), .kind = span_str("wanted")};
    struct buf text = {0};
    bool is_new = false;
    enum err err = want_note(txn, &peer->member, false, words, &is_new);

    if (err != ERR_OK || !is_new)
        return err;
    buf_append(&text, span_str("would like to be endorsed by you (kith endorsement wants): "));
    buf_append(&text, words);
    row.who = span_str(name);
    row.text = buf_span(&text);
    err = buf_err(&text);
    if (err == ERR_OK)
        err = journal_add(txn, &row);
    buf_release(&text);
    return err;
}

enum err want_look(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *peer;
    struct public_key member;
    struct want want = {0};
    enum err err;

    if (name.size != sizeof member.bytes)
        return ERR_OK;
    memcpy(member.bytes, name.data, name.size);
    peer = secret_new(sizeof *peer);
    err = peer != NULL ? view_peer(&snapshot, &member, peer) : ERR_NOMEM;
    if (err == ERR_OK && peer->state != LINK_LINKED)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = want_get(&snapshot, peer, false, ledger_txn_now_ms(txn), &want);
    if (err == ERR_OK)
        err = want_tell(txn, peer, &want);
    object_release(&want.object);
    secret_free(peer);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
