/* Facts are copied out of the store first: what a cursor hands out does not outlive an append. */
#include "node/introduction.h"

#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/react.h"
#include "proto/limits.h"
#include "storage/journal.h"
#include "storage/row.h"

/* Opening. */

static enum err introduction_on_fact(void *self, const struct introduction_fact *fact)
{
    struct introduction_case *intro = self;
    struct introduction_fact *grown;
    size_t at = intro->facts_count;

    grown = heap_resize(intro->facts, (at + 1) * sizeof *grown);
    if (grown == NULL)
        return ERR_NOMEM;
    intro->facts = grown;
    grown[at] = *fact;
    grown[at].bytes = span_of(NULL, fact->bytes.size); /* Found again once all are copied. */
    intro->facts_count++;
    buf_append(&intro->memory, fact->bytes);
    return buf_err(&intro->memory);
}

static enum err introduction_read_facts(struct introduction_case *intro)
{
    const uint8_t *at = intro->memory.data;
    enum err err = ERR_OK;

    for (size_t index = 0; index < intro->facts_count && err == ERR_OK; index++) {
        struct introduction_fact *fact = &intro->facts[index];

        fact->bytes.data = at;
        at += fact->bytes.size;
        err = introduction_peek(fact->bytes, &fact->member, &fact->message);
    }
    return err;
}

/* The offer that an answer of mine names: NULL when it is held, or this is no answer. */
static const struct hash *introduction_answers(const struct introduction_case *intro,
                                               const struct introduction_fact *answer)
{
    const struct hash *named = answer->message.type == INTRODUCTION_YES ? &answer->message.yes.offer
                               : answer->message.type == INTRODUCTION_NO ? &answer->message.no
                                                                         : NULL;

    if (named == NULL ||
        !public_key_is_equal(&answer->member, ledger_member(intro->snapshot.ledger)))
        return NULL;
    for (size_t at = 0; at < intro->facts_count; at++)
        if (memcmp(intro->facts[at].hash.bytes, named->bytes, HASH_SIZE) == 0)
            return NULL;
    return named;
}

/* What the introducer said, kept as a fact or not. */
static enum err introduction_add_said(struct introduction_case *intro, const struct id *space,
                                      const struct hash *hash)
{
    struct introduction_fact fact = {.hash = *hash};
    struct object said = {0};
    uint32_t number;
    struct id id;
    enum err err;

    memcpy(id.bytes, hash->bytes, ID_SIZE);
    err = row_get(&intro->snapshot, space, KIND_INTRODUCTION, &id, &said, &number);
    fact.bytes = object_value(&said, KIND_STATEMENT_FIELD).bytes;
    if (err == ERR_OK && fact.bytes.size > 0)
        err = introduction_read(fact.bytes, &fact.member, &fact.message);
    if (err == ERR_OK && fact.bytes.size > 0 && id_is_equal(&fact.message.id, &intro->row.id) &&
        public_key_is_equal(&fact.member, &intro->row.introducer))
        err = introduction_on_fact(intro, &fact);
    object_release(&said);
    return err == ERR_NOT_FOUND || err == ERR_MALFORMED || err == ERR_FORGED ? ERR_OK : err;
}

/* PROTOCOL INTRO-9: "The offer that was answered counts though it be passed over." */
static enum err introduction_load_answered(struct introduction_case *intro)
{
    struct peer *peer = NULL;
    size_t count = intro->facts_count;
    enum err err = ERR_OK;

    for (size_t at = 0; at < count && err == ERR_OK; at++) {
        const struct hash *named = introduction_answers(intro, &intro->facts[at]);
        struct hash hash;

        if (named == NULL)
            continue;
        hash = *named;
        if (peer == NULL)
            peer = secret_new(sizeof *peer);
        err = peer != NULL ? introduction_peer(&intro->snapshot, &intro->row.introducer, peer)
                           : ERR_NOMEM;
        if (err == ERR_OK && peer->has_pair_in)
            err = introduction_add_said(intro, &peer->pair_in, &hash);
        if (err == ERR_OK && intro->facts_count > count)
            break; /* One is enough, and the others' bytes have moved. */
    }
    secret_free(peer);
    return err == ERR_OK && intro->facts_count > count ? introduction_read_facts(intro) : err;
}

static enum err introduction_load(struct introduction_case *intro)
{
    enum err err = view_introduction_facts(&intro->snapshot, &intro->row.introducer, &intro->row.id,
                                           introduction_on_fact, intro);

    if (err == ERR_OK)
        err = introduction_read_facts(intro);
    return err == ERR_OK ? introduction_load_answered(intro) : err;
}

enum err introduction_open(const struct snapshot *snapshot, struct ledger_txn *txn,
                           const struct public_key *introducer, const struct id *id,
                           struct introduction_case *out)
{
    uint32_t number;
    enum err err;

    *out = (struct introduction_case){.txn = txn, .snapshot = *snapshot};
    if (txn != NULL)
        out->now_ms = ledger_txn_now_ms(txn);
    introduction_record_id(introducer, id, &out->record_id);
    err = view_introduction(&out->snapshot, introducer, id, &out->row);
    if (err == ERR_OK)
        err = introduction_load(out);
    if (err != ERR_OK)
        return err;
    err = row_get(&out->snapshot, ledger_self_space(out->snapshot.ledger), KIND_INTRODUCTION_RECORD,
                  &out->record_id, &out->record, &number);
    out->has_record = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

void introduction_close(struct introduction_case *intro)
{
    object_release(&intro->record);
    heap_free(intro->facts);
    buf_release(&intro->memory);
}

/* Looking. */

static bool introduction_is_over(enum introduction_state state)
{
    switch (state) {
    case INTRODUCTION_SUPPRESSED:
    case INTRODUCTION_DECLINED:
    case INTRODUCTION_LAPSED:
    case INTRODUCTION_WITHDRAWN:
    case INTRODUCTION_RETRACTED:
    case INTRODUCTION_CONNECTED:
    case INTRODUCTION_CLOSED:
        return true;
    case INTRODUCTION_NONE:
    case INTRODUCTION_HELD:
    case INTRODUCTION_OFFERED:
    case INTRODUCTION_AGREED:
    case INTRODUCTION_GREETED:
    case INTRODUCTION_CONFLICT:
    case INTRODUCTION_OPEN:
    case INTRODUCTION_RELEASED:
        break;
    }
    return false;
}

static bool introduction_row_is_equal(const struct introduction_row *left,
                                      const struct introduction_row *right)
{
    return left->state == right->state && left->is_suppressed == right->is_suppressed &&
           left->was_gone == right->was_gone && left->is_mismatched == right->is_mismatched &&
           left->is_asked_again == right->is_asked_again && left->is_met == right->is_met &&
           left->has_other == right->has_other &&
           public_key_is_equal(&left->other, &right->other) && left->seen_ms == right->seen_ms &&
           left->shown_ms == right->shown_ms && left->ended_ms == right->ended_ms &&
           left->ended_running_ms == right->ended_running_ms &&
           left->agreed.running_ms == right->agreed.running_ms &&
           left->agreed.wall_ms == right->agreed.wall_ms && left->expires_ms == right->expires_ms &&
           left->has_thanked[0] == right->has_thanked[0] &&
           left->has_thanked[1] == right->has_thanked[1];
}

/* PROTOCOL INTRO-18: "What ended is remembered INTRODUCTION_TOMBSTONE_DAYS by both clocks" */
static enum err introduction_keep(struct introduction_case *intro,
                                  const struct introduction_row *before)
{
    struct introduction_row *row = &intro->row;
    struct moment now, ended;
    uint64_t over_ms, span_ms = INTRODUCTION_TOMBSTONE_DAYS * MS_PER_DAY;
    struct key name;
    enum err err = running_moment(intro->txn, &now);

    if (!introduction_is_over(row->state))
        row->ended_ms = 0;
    else if (row->ended_ms == 0)
        row->ended_ms = intro->now_ms, row->ended_running_ms = now.running_ms;
    if (err == ERR_OK && !introduction_row_is_equal(row, before))
        err = view_introduction_put(intro->txn, row);
    if (err != ERR_OK || row->ended_ms == 0)
        return err;
    over_ms = row->expires_ms > row->ended_ms ? row->expires_ms : row->ended_ms;
    over_ms += span_ms;
    ended = (struct moment){row->ended_running_ms, row->ended_ms};
    if (intro->now_ms >= over_ms && running_has_passed(&ended, &now, span_ms))
        return view_introduction_forget(intro->txn, &row->introducer, &row->id);
    view_introduction_name(&row->introducer, &row->id, &name);
    if (over_ms <= intro->now_ms)
        over_ms = intro->now_ms + MS_PER_DAY; /* The two clocks disagree. */
    return agenda_put(intro->txn, over_ms, KIND_INTRODUCTION, key_span(&name));
}

/* Wants: what was asked of somebody stands on the timeline of the other one of the two. */

struct introduction_asked {
    struct introduction_case *intro;
    struct public_key from; /* who asks */
};

static enum err introduction_on_asked(void *self, const struct introduction_fact *fact)
{
    struct introduction_asked *asked = self;
    const struct introduction_want *want = &fact->message.want;
    bool is_mine = public_key_is_equal(&asked->from, ledger_member(asked->intro->snapshot.ledger));
    char name[INTRODUCTION_NAME_SIZE];
    struct span whom = want->words;
    enum err err;

    if (!id_is_equal(&fact->message.id, &asked->intro->row.id) ||
        !public_key_is_equal(&fact->member, &asked->from))
        return ERR_OK;
    if (want->has_target) {
        introduction_name(&asked->intro->snapshot, &want->target, name);
        whom = span_str(name);
    }
    err = introduction_act(asked->intro, is_mine ? &fact->message.to : &asked->from,
                           is_mine ? INTERACTION_WANTED : INTERACTION_WANTED_ME, whom);
    return err == ERR_OK ? ERR_CANCELLED : err; /* There is one of it. */
}

static enum err introduction_look_want(struct ledger_txn *txn, struct span name)
{
    struct introduction_case intro = {.txn = txn, .snapshot = ledger_txn_snapshot(txn)};
    struct introduction_asked asked = {.intro = &intro};
    struct public_key to;
    enum err err;

    memcpy(to.bytes, name.data, 32);
    memcpy(asked.from.bytes, name.data + 32, 32);
    memcpy(intro.row.id.bytes, name.data + 64, ID_SIZE);
    err = view_introduction_wants(&intro.snapshot, &to, introduction_on_asked, &asked);
    return err == ERR_CANCELLED ? ERR_OK : err;
}

enum err introduction_look(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct introduction_case intro = {0};
    struct introduction_row before;
    struct public_key introducer;
    struct id id;
    bool is_mine;
    enum err err;

    if (name.size == VIEW_INTRODUCTION_WANT_SIZE)
        return introduction_look_want(txn, name);
    if (name.size != 32 + ID_SIZE)
        return ERR_OK;
    memcpy(introducer.bytes, name.data, 32);
    memcpy(id.bytes, name.data + 32, ID_SIZE);
    err = introduction_open(&snapshot, txn, &introducer, &id, &intro);
    before = intro.row;
    is_mine = public_key_is_equal(&introducer, ledger_member(snapshot.ledger));
    if (err == ERR_OK)
        err = is_mine ? introducer_look(&intro) : introducee_look(&intro);
    if (err == ERR_OK)
        err = introduction_keep(&intro, &before);
    introduction_close(&intro);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* Saying. */

/* PROTOCOL INTRO-18: "Entries of offers, refusals and withdrawals expire then, too; yes, release,
 * hello and relay do not." */
static uint64_t introduction_expiry_s(const struct introduction_case *intro,
                                      const struct introduction_message *message)
{
    switch (message->type) {
    case INTRODUCTION_OFFER:
    case INTRODUCTION_NO:
    case INTRODUCTION_RETRACT:
    case INTRODUCTION_KNOWN:
    case INTRODUCTION_WITHDRAW:
        return (intro->row.expires_ms + INTRODUCTION_TOMBSTONE_DAYS * MS_PER_DAY) / 1000;
    case INTRODUCTION_WANT:
        return (message->want.expires_ms + INTRODUCTION_TOMBSTONE_DAYS * MS_PER_DAY) / 1000;
    case INTRODUCTION_YES:
    case INTRODUCTION_RELEASE:
    case INTRODUCTION_HELLO:
    case INTRODUCTION_RELAY:
    case INTRODUCTION_THANKS:
        break;
    }
    return 0;
}

static enum err introduction_append(struct introduction_case *intro, const struct id *space,
                                    const struct introduction_message *message)
{
    struct buf identity = {0}, statement = {0};
    struct edit_space edit = {0};
    struct value value;
    struct id object;
    enum err err = view_identity(&intro->snapshot, &identity);

    if (err == ERR_OK)
        err = introduction_say(message, ledger_signing_key(intro->snapshot.ledger),
                               buf_span(&identity), &statement);
    if (err == ERR_OK) {
        statement_id(buf_span(&statement), &object);
        value = (struct value){.type = VALUE_BYTES, .bytes = buf_span(&statement)};
        edit_begin(&edit, KIND_INTRODUCTION, &object, intro->now_ms);
        edit_set(&edit, KIND_STATEMENT_FIELD, 1, value);
        err = ledger_append(intro->txn, space, &edit, introduction_expiry_s(intro, message));
    }
    edit_release(&edit);
    buf_release(&identity);
    buf_release(&statement);
    return err;
}

enum err introduction_tell(struct introduction_case *intro, const struct public_key *to,
                           struct introduction_message *message)
{
    struct peer *peer = secret_new(sizeof *peer);
    enum err err = peer != NULL ? view_peer(&intro->snapshot, to, peer) : ERR_NOMEM;

    message->to = *to;
    if (message->type != INTRODUCTION_WANT)
        message->id = intro->row.id;
    if (err == ERR_OK)
        err = peer->has_pair_out ? introduction_append(intro, &peer->pair_out, message)
                                 : ERR_NOT_FOUND;
    secret_free(peer);
    return err;
}

void introduction_amend(struct introduction_case *intro, struct amend *out)
{
    amend_begin(out, intro->txn, ledger_self_space(intro->snapshot.ledger),
                KIND_INTRODUCTION_RECORD, &intro->record_id);
    amend_bytes(out, RECORD_INTRODUCER, span_of(intro->row.introducer.bytes, 32));
    amend_bytes(out, RECORD_ID, span_of(intro->row.id.bytes, ID_SIZE));
}

enum err introduction_journal(struct introduction_case *intro, const char *kind, const char *who,
                              const char *text)
{
    char ref[ID_TEXT_SIZE];
    struct journal_row row = {.at_ms = intro->now_ms,
                              .kind = span_str(kind),
                              .who = span_str(who),
                              .text = span_str(text),
                              .ref = span_str(ref)};

    hex_write(span_of(intro->row.id.bytes, ID_SIZE), ref);
    row.ref = span_str(ref);
    return journal_add(intro->txn, &row);
}

enum err introduction_act(struct introduction_case *intro, const struct public_key *member,
                          enum interaction_what what, struct span text)
{
    struct interaction act = {.what = what, .text = text};
    char ref[ID_TEXT_SIZE];

    hex_write(span_of(intro->row.id.bytes, ID_SIZE), ref);
    act.ref = span_str(ref);
    return view_interaction_act(intro->txn, member, &act);
}

/* Who. */

enum err introduction_peer(const struct snapshot *snapshot, const struct public_key *member,
                           struct peer *out)
{
    enum err err = view_peer(snapshot, member, out);

    if (err != ERR_NOT_FOUND)
        return err;
    *out = (struct peer){.member = *member};
    return ERR_OK;
}

void introduction_name(const struct snapshot *snapshot, const struct public_key *member,
                       char out[static INTRODUCTION_NAME_SIZE])
{
    struct peer *peer = secret_new(sizeof *peer);
    char did[DID_SIZE];

    identity_did(member, did);
    (void)snprintf(out, INTRODUCTION_NAME_SIZE, "%.20s", did);
    if (peer != NULL && view_peer(snapshot, member, peer) == ERR_OK) {
        const char *name = peer->alias[0] != '\0' ? peer->alias : peer->name;

        if (name[0] != '\0')
            (void)snprintf(out, INTRODUCTION_NAME_SIZE, "%s", name);
    }
    secret_free(peer);
}

const struct introduction_fact *introduction_said(const struct introduction_case *intro,
                                                  enum introduction_type type,
                                                  const struct public_key *member, size_t index)
{
    for (size_t at = 0; at < intro->facts_count; at++) {
        const struct introduction_fact *fact = &intro->facts[at];

        if (fact->message.type == type && public_key_is_equal(&fact->member, member) &&
            index-- == 0)
            return fact;
    }
    return NULL;
}
