/* Once both have agreed: what I tell the other, sealed for them alone, and what theirs makes of it:
 * a link. */
#include <string.h>

#include "crypto/secret.h"
#include "node/introducee.h"
#include "node/link_join.h"
#include "proto/card.h"
#include "proto/limits.h"
#include "storage/row.h"
#include "storage/space.h"

/* The pair space I shall write for the other: there from before, or drawn now and made when their
 * devices are known. */
static enum err introducee_pair_space(struct introducee *self, struct id *out)
{
    struct span drawn = object_value(&self->intro->record, RECORD_PAIR).bytes;
    struct amend amend;
    enum err err;

    if (self->other->has_pair_out) {
        *out = self->other->pair_out;
        return ERR_OK;
    }
    if (drawn.size == ID_SIZE) {
        memcpy(out->bytes, drawn.data, ID_SIZE);
        return ERR_OK;
    }
    err = space_id(self->intro->txn, SPACE_PAIR, &self->other->member, out);
    if (err != ERR_OK)
        return err;
    introduction_amend(self->intro, &amend);
    amend_bytes(&amend, RECORD_PAIR, span_of(out->bytes, ID_SIZE));
    return amend_end(&amend, NULL);
}

static enum err introducee_my_card(struct introducee *self, struct introduction_hello *hello,
                                   char name[static INTRODUCTION_NAME_SIZE])
{
    static const struct id only = {{0}};
    uint8_t knocks[8 * KEY_SIZE];
    struct object card = {0};
    struct space_row space;
    size_t count = 0;
    uint32_t number;
    enum err err = ledger_own_space(&self->intro->snapshot, SPACE_CARD, &space);

    if (err == ERR_OK)
        err = view_knocks(&self->intro->snapshot, knocks, &count);
    if (err != ERR_OK || count == 0)
        return err == ERR_OK ? ERR_CORRUPT : err;
    memcpy(hello->knock, knocks, KEY_SIZE);
    secret_wipe(knocks, sizeof knocks);
    hello->card_space = space.id;
    err = row_get(&self->intro->snapshot, &space.id, KIND_CARD, &only, &card, &number);
    if (err == ERR_OK) {
        struct span text = object_text(&card, CARD_NAME);
        size_t size = text.size < INTRODUCTION_NAME_SIZE ? text.size : 0;

        if (size > 0)
            memcpy(name, text.data, size);
        name[size] = '\0';
        hello->name = span_str(name);
    }
    object_release(&card);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL INTRO-19: "Each holds an invitation for the other, claimed by them from the start" */
static enum err introducee_leave_invitation(struct introducee *self)
{
    uint8_t *secrets = secret_new(INVITATION_SECRET_SIZE + KEY_SIZE);
    const struct introduction_row *row = &self->intro->row;
    struct amend amend;
    enum err err = secrets != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK) {
        introduction_bond_call(self->bond, secrets);
        introduction_bond_secret(self->bond, secrets + INVITATION_SECRET_SIZE);
        amend_begin(&amend, self->intro->txn, ledger_self_space(self->intro->snapshot.ledger),
                    KIND_INVITATION, &self->intro->record_id);
        amend_bytes(&amend, INVITATION_SECRET, span_of(secrets, INVITATION_SECRET_SIZE));
        amend_number(&amend, INVITATION_EXPIRES, TIME_MAX_MS / 1000);
        amend_number(&amend, INVITATION_STATE, INVITATION_CLAIMED);
        amend_bytes(&amend, INVITATION_CLAIMED_BY, span_of(self->release.theirs.root.bytes, 32));
        amend_bytes(&amend, INVITATION_LINK_SECRET,
                    span_of(secrets + INVITATION_SECRET_SIZE, KEY_SIZE));
        amend_number(&amend, INVITATION_CREATED, self->intro->now_ms);
        amend_bytes(&amend, INVITATION_VIA, span_of(row->introducer.bytes, 32));
        amend_bytes(&amend, INVITATION_INTRODUCTION, span_of(row->id.bytes, ID_SIZE));
        err = amend_end(&amend, NULL);
    }
    secret_free(secrets);
    return err;
}

/* PROTOCOL INTRO-12: "A hello carries identity, pair space, card space, knock, addresses, name" */
enum err introducee_greet(struct introducee *self)
{
    const struct ledger *ledger = self->intro->snapshot.ledger;
    struct introduction_message message = {.type = INTRODUCTION_HELLO};
    struct introduction_hello hello = {.is_linked = self->other->state == LINK_LINKED};
    char name[INTRODUCTION_NAME_SIZE] = "";
    struct buf identity = {0}, addresses = {0}, sealed = {0};
    enum err err = view_identity(&self->intro->snapshot, &identity);

    if (err == ERR_OK)
        err = view_peer_own_addresses(&self->intro->snapshot, &addresses);
    if (err == ERR_OK)
        err = introducee_pair_space(self, &hello.pair_space);
    if (err == ERR_OK)
        err = introducee_my_card(self, &hello, name);
    hello.identity = buf_span(&identity);
    hello.addresses = buf_span(&addresses);
    hello.message = object_text(&self->intro->record, RECORD_MESSAGE);
    if (err == ERR_OK)
        err =
            introduction_bond_seal(self->bond, &hello, ledger_member(self->intro->snapshot.ledger),
                                   ledger_signing_key(ledger), &sealed);
    message.sealed = buf_span(&sealed);
    if (err == ERR_OK)
        err = introduction_tell(self->intro, &self->intro->row.introducer, &message);
    if (err == ERR_OK)
        err = introducee_leave_invitation(self);
    secret_wipe(hello.knock, sizeof hello.knock);
    buf_release(&identity);
    buf_release(&addresses);
    buf_release(&sealed);
    return err;
}

enum err introducee_vouch(struct introducee *self)
{
    if (!self->knows_other || self->other->state != LINK_LINKED)
        return ERR_OK;
    return link_join_vouch(self->intro->txn, &self->other->member, &self->intro->row.introducer);
}

enum err introducee_connect(struct introducee *self)
{
    struct introduction_hello mine;
    struct amend amend;
    struct buf plain = {0};
    uint8_t *secret = secret_new(KEY_SIZE + INVITATION_SECRET_SIZE);
    struct link_join join = {.source = &self->intro->record_id,
                             .introducer = &self->intro->row.introducer,
                             .introduction = &self->intro->row.id,
                             .hello = &self->hello,
                             .secret = secret,
                             .call = secret != NULL ? secret + KEY_SIZE : NULL};
    enum err err = secret != NULL ? introducee_my_hello(self, &plain, &mine) : ERR_NOMEM;

    if (err == ERR_OK) {
        join.pair_out = &mine.pair_space;
        join.was_linked = mine.is_linked;
        introduction_bond_secret(self->bond, secret);
        introduction_bond_call(self->bond, secret + KEY_SIZE);
        err = link_join(self->intro->txn, &join);
    }
    if (err == ERR_OK && self->hello.message.size > 0) {
        introduction_amend(self->intro, &amend);
        amend_text(&amend, RECORD_HEARD, self->hello.message);
        err = amend_end(&amend, NULL);
    }
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.capacity);
    buf_release(&plain);
    secret_free(secret);
    return err;
}

/* Who met. */

enum err introducee_note_met(struct introduction_case *intro)
{
    struct amend amend;

    introduction_amend(intro, &amend);
    amend_number(&amend, RECORD_MET, 1);
    return amend_end(&amend, NULL);
}

struct introducee_met {
    const struct public_key *member;
    struct buf names;
};

static enum err introducee_on_greeted(void *self, const struct introduction_row *row)
{
    struct introducee_met *met = self;

    if (view_introduction_awaits(row) && public_key_is_equal(&row->other, met->member)) {
        buf_append(&met->names, span_of(row->introducer.bytes, 32));
        buf_append(&met->names, span_of(row->id.bytes, ID_SIZE));
    }
    return buf_err(&met->names);
}

/* PROTOCOL INTRO-20: "Whoever has said hello and then has a session with the other, under the
 * secret of whatever link there is, waits no more: the introduction has ended in a link, and the
 * introducer is added to those who vouch for the key." */
enum err introducee_met(struct ledger_txn *txn, const struct public_key *member)
{
    struct introducee_met met = {.member = member};
    struct introduction_case intro = {.txn = txn, .snapshot = ledger_txn_snapshot(txn)};
    enum err err = view_introduction_each(&intro.snapshot, NULL, introducee_on_greeted, &met);

    for (size_t at = 0; at < met.names.size && err == ERR_OK; at += 32 + ID_SIZE) {
        memcpy(intro.row.introducer.bytes, met.names.data + at, 32);
        memcpy(intro.row.id.bytes, met.names.data + at + 32, ID_SIZE);
        introduction_record_id(&intro.row.introducer, &intro.row.id, &intro.record_id);
        err = introducee_note_met(&intro);
    }
    buf_release(&met.names);
    return err;
}
