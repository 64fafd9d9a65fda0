/*
 * How an invitation becomes a link. What is drawn is stored before it is told, and told again the
 * same: a step that is repeated after a crash or a lost connection finds its own traces and answers
 * alike.
 */
#include "node/link.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "storage/join.h"
#include "storage/journal.h"
#include "storage/row.h"
#include "storage/space.h"
#include "storage/standing.h"
#include "storage/view_contact.h"
#include "storage/view_interaction.h"
#include "storage/view_peer.h"

static const struct id *link_self(struct ledger_txn *txn)
{
    return ledger_self_space(ledger_txn_snapshot(txn).ledger);
}

static void link_id(const struct public_key *member, struct id *out)
{
    id_about("kith link", member, out);
}

static enum err link_refuse(struct link_answer *out, enum refusal refusal)
{
    *out = (struct link_answer){.is_refused = true, .refusal = refusal};
    return ERR_OK;
}

static struct span link_key(const uint8_t key[static KEY_SIZE])
{
    return span_of(key, KEY_SIZE);
}

static struct span link_id_span(const struct id *id)
{
    return span_of(id->bytes, ID_SIZE);
}

/* What I tell the other side: where to knock, what I write for them, who I am. */
static enum err link_introduce_me(struct ledger_txn *txn, const struct link_request *request,
                                  const struct id *pair_out, struct link_answer *out)
{
    static const struct id card_id = {{0}};
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint8_t knocks[8 * KEY_SIZE];
    struct space_row card_space;
    struct object card = {0};
    size_t count = 0;
    uint32_t number;
    enum err err = ledger_own_space(&snapshot, SPACE_CARD, &card_space);

    if (err == ERR_OK)
        err = view_knocks(&snapshot, knocks, &count);
    if (err == ERR_OK && count == 0)
        err = ERR_CORRUPT;
    if (err != ERR_OK)
        return err;
    memcpy(out->message.knock, knocks, KEY_SIZE);
    secret_wipe(knocks, sizeof knocks);
    out->message.pair_space = *pair_out;
    out->message.card_space = card_space.id;
    err = row_get(&snapshot, &card_space.id, KIND_CARD, &card_id, &card, &number);
    if (err == ERR_OK) {
        struct span name = object_text(&card, CARD_NAME);

        (void)snprintf(out->name, sizeof out->name, "%.*s",
                       (int)(name.size < NAME_SIZE_MAX ? name.size : NAME_SIZE_MAX),
                       name.size > 0 ? (const char *)name.data : "");
    }
    object_release(&card);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    out->message.name = span_str(out->name);
    if (request->my_addresses.size <= sizeof out->addresses && request->my_addresses.size > 0) {
        memcpy(out->addresses, request->my_addresses.data, request->my_addresses.size);
        out->message.addresses = span_of(out->addresses, request->my_addresses.size);
    }
    out->has_message = true;
    return ERR_OK;
}

/* The pair space I write for a member: made once, kept over removal and a new link. */
static enum err link_pair_space(struct ledger_txn *txn, const struct public_key *member,
                                const struct peer *before, struct id *out)
{
    if (!before->has_pair_out)
        return space_create(txn, SPACE_PAIR, member, out);
    *out = before->pair_out;
    return before->state == LINK_LINKED ? ERR_OK : space_rotate(txn, out);
}

/* Loads the link there is; a zeroed peer when there is none. */
enum err link_before(struct ledger_txn *txn, const struct public_key *member, struct peer *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    enum err err = view_peer(&snapshot, member, out);

    if (err != ERR_NOT_FOUND)
        return err;
    *out = (struct peer){.member = *member};
    return ERR_OK;
}

void link_secret_hash(const uint8_t secret[static KEY_SIZE], struct hash *out)
{
    struct span part = link_key(secret);

    digest("kith secret", &part, 1, out);
}

/* PROTOCOL INVITE-4: "Of two link secrets for one pair the one with the lesser HASH(kith secret,
 * secret) is used; the other is still accepted." */
bool link_secret_counts(const uint8_t candidate[static KEY_SIZE],
                        const uint8_t other[static KEY_SIZE])
{
    struct hash left, right;

    link_secret_hash(candidate, &left);
    link_secret_hash(other, &right);
    return span_order(span_of(left.bytes, HASH_SIZE), span_of(right.bytes, HASH_SIZE)) <= 0;
}

void link_secret_compare(const struct peer *before, const uint8_t fresh[static KEY_SIZE],
                         struct link_judge_facts *out)
{
    out->is_held = (before->has_secret && secret_is_equal(before->secret, fresh, KEY_SIZE)) ||
                   (before->has_secret_old && secret_is_equal(before->secret_old, fresh, KEY_SIZE));
    out->is_before_first = before->has_secret && link_secret_counts(fresh, before->secret);
    out->is_before_old = before->has_secret_old && link_secret_counts(fresh, before->secret_old);
}

void link_amend_verdict(struct amend *amend, const struct peer *before,
                        const uint8_t fresh[static KEY_SIZE], enum link_verdict verdict)
{
    switch (verdict) {
    case LINK_ALONE:
        amend_bytes(amend, LINK_SECRET, link_key(fresh));
        amend_clear(amend, LINK_SECRET_OLD);
        break;
    case LINK_FIRST:
        amend_bytes(amend, LINK_SECRET, link_key(fresh));
        amend_bytes(amend, LINK_SECRET_OLD, link_key(before->secret));
        break;
    case LINK_SECOND:
        amend_bytes(amend, LINK_SECRET_OLD, link_key(fresh));
        break;
    case LINK_VOUCHED:
    case LINK_SAME:
        break;
    }
}

/* Whoever claims is told the secret and calls with it at once: it is always accepted. */
static void link_amend_secret(struct amend *amend, const struct peer *before,
                              const uint8_t secret[static KEY_SIZE])
{
    struct link_judge_facts facts = {.is_linked = before->state == LINK_LINKED,
                                     .has_secret = before->has_secret};
    enum link_verdict verdict;

    link_secret_compare(before, secret, &facts);
    verdict = link_judge(&facts);
    link_amend_verdict(amend, before, secret, verdict);
    if (verdict != LINK_SAME)
        amend_number(amend, LINK_CONFIRMED, 0);
}

/* What both sides store alike about a link. PROTOCOL SELF-3: "Its chain is the identity (CERT-4) of
 * the device it was made with" */
static void link_amend_basics(struct amend *amend, const struct link_request *request,
                              const struct peer *before, const uint8_t secret[static KEY_SIZE],
                              const struct id *pair_out, uint64_t now_ms)
{
    link_amend_secret(amend, before, secret);
    amend_bytes(amend, LINK_MEMBER, span_of(request->chain.member.bytes, 32));
    amend_number(amend, LINK_STATE, LINK_LINKED);
    if (before->state != LINK_LINKED)
        amend_number(amend, LINK_SINCE, now_ms);
    amend_bytes(amend, LINK_PAIR_OUT, link_id_span(pair_out));
    if (object_value(&amend->object, LINK_PIN).type == VALUE_NONE)
        amend_bytes(amend, LINK_PIN, span_of(request->next_root.bytes, HASH_SIZE));
    amend_bytes(amend, LINK_CHAIN, request->identity);
    amend_bytes(amend, LINK_INVITATION, link_id_span(&request->invitation));
}

/* What the other side told about itself. */
void link_amend_told(struct amend *amend, const struct link_message *message)
{
    amend_bytes(amend, LINK_PAIR_IN, link_id_span(&message->pair_space));
    amend_bytes(amend, LINK_CARD_IN, link_id_span(&message->card_space));
    amend_bytes(amend, LINK_KNOCK, link_key(message->knock));
    amend_text(amend, LINK_NAME, message->name);
    amend_bytes(amend, LINK_ADDRESSES, message->addresses);
}

static enum err link_first_contact(void *self, uint32_t number, const struct object *contact)
{
    (void)number;
    *(struct id *)self = contact->id;
    return ERR_CANCELLED;
}

/* The contact of a link: the one the invitation named, else one that is linked to the member
 * already, else a new one. */
enum err link_contact(struct ledger_txn *txn, const struct public_key *member, struct span wanted,
                      struct span name, struct id *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct amend amend;
    enum err err = ERR_OK;

    if (wanted.size == ID_SIZE) {
        memcpy(out->bytes, wanted.data, ID_SIZE);
    } else {
        err = view_contact_match(&snapshot, MATCH_BY_MEMBER, span_of(member->bytes, 32),
                                 link_first_contact, out);
        if (err == ERR_CANCELLED)
            return ERR_OK;
        if (err != ERR_OK)
            return err;
        id_draw(ledger_entropy(snapshot.ledger), ledger_txn_now_ms(txn), out);
    }
    amend_begin(&amend, txn, link_self(txn), KIND_CONTACT, out);
    amend_bytes(&amend, CONTACT_MEMBER, span_of(member->bytes, 32));
    if (amend.is_new)
        amend_number(&amend, CONTACT_CREATED, ledger_txn_now_ms(txn));
    if (object_text(&amend.object, CONTACT_NAME).size == 0)
        amend_text(&amend, CONTACT_NAME, name);
    return amend_end(&amend, NULL);
}

enum err link_journal(struct ledger_txn *txn, const char *kind, struct span who, const char *text)
{
    struct journal_row row = {.at_ms = ledger_txn_now_ms(txn),
                              .kind = span_str(kind),
                              .who = who,
                              .text = span_str(text)};

    return journal_add(txn, &row);
}

enum err link_grant_card(struct ledger_txn *txn, const struct public_key *member)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row card, network;
    enum err err = ledger_own_space(&snapshot, SPACE_CARD, &card);

    if (err == ERR_OK)
        err = space_admit(txn, &card.id, member);
    if (err == ERR_OK)
        err = space_network(&snapshot, &network);
    if (err == ERR_NOT_FOUND)
        return ERR_OK; /* It is off. */
    return err == ERR_OK ? space_share_network(txn, member, true) : err;
}

/* The inviter. */

/* PROTOCOL STOLEN-10: "With a device that was given up, stolen or is void no link is made, whoever
 * invited whom. It is refused like one that comes too late." */
static enum err link_check_device(const struct snapshot *snapshot, const struct device_chain *chain,
                                  struct link_answer *out)
{
    enum standing here = STANDING_GOOD;
    bool is_out = false;
    enum err err = standing_of_chain(snapshot, chain, &is_out);

    if (err == ERR_OK)
        err = standing_of(snapshot, ledger_device(snapshot->ledger), &here);
    return err == ERR_OK && (is_out || standing_is_out(here)) ? link_refuse(out, REFUSAL_REVOKED)
                                                              : err;
}

/* Whether this member may have, or already has, what the invitation gives. */
static enum err link_check_claim(struct ledger_txn *txn, const struct object *invitation,
                                 const struct public_key *member, const struct peer *before,
                                 struct link_answer *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    uint64_t state = object_number(invitation, INVITATION_STATE);
    struct span claimed = object_value(invitation, INVITATION_CLAIMED_BY).bytes;
    bool is_claimer = claimed.size == 32 && span_is_equal(claimed, span_of(member->bytes, 32));

    if (public_key_is_equal(member, ledger_member(snapshot.ledger)))
        return link_refuse(out, REFUSAL_SELF);
    if (state == INVITATION_REVOKED)
        return link_refuse(out, REFUSAL_REVOKED);
    if (before->state == LINK_BLOCKED || state == INVITATION_SPENT ||
        (state == INVITATION_CLAIMED && !is_claimer))
        return link_refuse(out, REFUSAL_SPENT);
    if (state == INVITATION_OPEN &&
        object_number(invitation, INVITATION_EXPIRES) * 1000 <= ledger_txn_now_ms(txn))
        return link_refuse(out, REFUSAL_EXPIRED);
    return ERR_OK;
}

/* PROTOCOL INVITE-3: "The link secret is KDF(own, `kith link secret`, invitation's secret | root of
 * the claimer), where own is the psk between own devices." */
static enum err link_derive_secret(struct ledger_txn *txn, const struct link_request *request,
                                   const struct object *invitation, uint8_t out[static KEY_SIZE])
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct span secret = object_value(invitation, INVITATION_SECRET).bytes;
    uint8_t context[INVITATION_SECRET_SIZE + 32], *own = secret_new(KEY_SIZE);
    enum err err = own != NULL ? join_secret(&snapshot, own) : ERR_NOMEM;

    if (err == ERR_OK && secret.size != INVITATION_SECRET_SIZE)
        err = ERR_CORRUPT;
    if (err == ERR_OK) {
        memcpy(context, secret.data, INVITATION_SECRET_SIZE);
        memcpy(context + INVITATION_SECRET_SIZE, request->chain.member.bytes, 32);
        digest_derive(own, "kith link secret", span_of(context, sizeof context), out);
    }
    secret_wipe(context, sizeof context);
    secret_free(own);
    return err;
}

/* The link secret is found once; repeated to the one who claimed. */
/* PROTOCOL INVITE-3: "The first root that proves the secret claims the invitation. The inviter
 * stores the link secret then, and tells the same bytes as often as that root asks." */
static enum err link_draw_secret(struct ledger_txn *txn, const struct link_request *request,
                                 const struct object *invitation, uint8_t out[static KEY_SIZE])
{
    struct span drawn = object_value(invitation, INVITATION_LINK_SECRET).bytes;
    struct amend amend;
    enum err err;

    if (drawn.size == KEY_SIZE) {
        memcpy(out, drawn.data, KEY_SIZE);
        return ERR_OK;
    }
    err = link_derive_secret(txn, request, invitation, out);
    if (err != ERR_OK)
        return err;
    amend_begin(&amend, txn, link_self(txn), KIND_INVITATION, &request->invitation);
    amend_number(&amend, INVITATION_STATE, INVITATION_CLAIMED);
    amend_bytes(&amend, INVITATION_CLAIMED_BY, span_of(request->chain.member.bytes, 32));
    amend_bytes(&amend, INVITATION_LINK_SECRET, link_key(out));
    return amend_end(&amend, NULL);
}

/* Through whom: the invitation was given, or, where two were introduced, nobody gave it. */
static void link_amend_via(struct amend *amend, const struct object *invitation,
                           const struct peer *before)
{
    struct span via = object_value(invitation, INVITATION_VIA).bytes;
    struct span introduction = object_value(invitation, INVITATION_INTRODUCTION).bytes;

    if (before->state == LINK_LINKED)
        return;
    amend_number(amend, LINK_LEVEL, via.size == 32 ? LINK_INTRODUCED : LINK_INVITED);
    if (via.size == 32 && introduction.size == ID_SIZE) {
        amend_bytes(amend, LINK_VIA, via);
        amend_bytes(amend, LINK_INTRODUCTION, introduction);
    }
}

/* Until the acceptor's own message has come, the peer goes by the name they were invited by. */
static enum err link_claim_contact(struct ledger_txn *txn, const struct public_key *member,
                                   const struct object *invitation, const struct peer *before)
{
    struct span wanted = object_value(invitation, INVITATION_CONTACT).bytes;
    struct span name = object_text(invitation, INVITATION_NAME);
    struct amend amend;
    struct id contact, id;
    enum err err;

    if (wanted.size != ID_SIZE)
        return ERR_OK;
    err = link_contact(txn, member, wanted, name, &contact);
    if (err != ERR_OK)
        return err;
    link_id(member, &id);
    amend_begin(&amend, txn, link_self(txn), KIND_LINK, &id);
    amend_bytes(&amend, LINK_CONTACT, link_id_span(&contact));
    if (before->name[0] == '\0')
        amend_text(&amend, LINK_NAME, name);
    return amend_end(&amend, NULL);
}

static enum err link_claim_open(struct ledger_txn *txn, const struct link_request *request,
                                const struct object *invitation, const struct peer *before,
                                struct link_answer *out)
{
    uint8_t secret[KEY_SIZE];
    struct amend amend;
    struct id pair_out, id;
    enum err err = view_device_learn(txn, &request->chain);

    if (err == ERR_OK)
        err = link_draw_secret(txn, request, invitation, secret);
    if (err == ERR_OK)
        err = link_pair_space(txn, &request->chain.member, before, &pair_out);
    if (err != ERR_OK)
        return err;
    link_id(&request->chain.member, &id);
    amend_begin(&amend, txn, link_self(txn), KIND_LINK, &id);
    link_amend_basics(&amend, request, before, secret, &pair_out, ledger_txn_now_ms(txn));
    link_amend_via(&amend, invitation, before);
    err = amend_end(&amend, NULL);
    if (err == ERR_OK)
        err = link_claim_contact(txn, &request->chain.member, invitation, before);
    if (err == ERR_OK)
        err = link_introduce_me(txn, request, &pair_out, out);
    memcpy(out->message.secret, secret, KEY_SIZE);
    out->message.has_secret = true;
    secret_wipe(secret, sizeof secret);
    return err;
}

enum err link_claim(struct ledger_txn *txn, const struct link_request *request,
                    struct link_answer *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *before = secret_new(sizeof *before);
    struct object invitation = {0};
    uint32_t number;
    enum err err;

    *out = (struct link_answer){0};
    if (before == NULL)
        return ERR_NOMEM;
    err = row_get(&snapshot, link_self(txn), KIND_INVITATION, &request->invitation, &invitation,
                  &number);
    if (err == ERR_OK)
        err = link_before(txn, &request->chain.member, before);
    if (err == ERR_OK)
        err = link_check_claim(txn, &invitation, &request->chain.member, before, out);
    if (err == ERR_OK && !out->is_refused)
        err = link_check_device(&snapshot, &request->chain, out);
    if (err == ERR_OK && !out->is_refused)
        err = link_claim_open(txn, request, &invitation, before, out);
    object_release(&invitation);
    secret_free(before);
    return err;
}

/* A new link stands in the log and on the person's timeline. */
static enum err link_tell(struct ledger_txn *txn, const struct id *contact, struct span name,
                          const char *text)
{
    struct interaction note = {.contact = *contact, .what = INTERACTION_LINKED};
    enum err err = link_journal(txn, "linked", name, text);

    return err == ERR_OK ? view_interaction_add(txn, &note, NULL) : err;
}

static enum err link_complete_claimed(struct ledger_txn *txn, const struct link_request *request,
                                      struct span wanted, bool was_told)
{
    const struct public_key *member = &request->chain.member;
    struct amend amend;
    struct id contact, id;
    enum err err = link_add_spaces(txn, member, &request->message);

    if (err == ERR_OK)
        err = link_contact(txn, member, wanted, request->message.name, &contact);
    if (err != ERR_OK)
        return err;
    link_id(member, &id);
    amend_begin(&amend, txn, link_self(txn), KIND_LINK, &id);
    link_amend_told(&amend, &request->message);
    amend_bytes(&amend, LINK_CONTACT, link_id_span(&contact));
    err = amend_end(&amend, NULL);
    if (err == ERR_OK)
        err = link_grant_card(txn, member);
    if (err == ERR_OK && !was_told)
        err = link_tell(txn, &contact, request->message.name,
                        "accepted your invitation: you are linked");
    return err;
}

/* PROTOCOL HANDSHAKE-5: "A link secret counts for the inviter only once the acceptor's link
 * message is stored." */
enum err link_complete(struct ledger_txn *txn, const struct link_request *request,
                       struct link_answer *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *before = secret_new(sizeof *before);
    struct object invitation = {0};
    uint32_t number;
    enum err err;

    *out = (struct link_answer){0};
    if (before == NULL)
        return ERR_NOMEM;
    err = row_get(&snapshot, link_self(txn), KIND_INVITATION, &request->invitation, &invitation,
                  &number);
    if (err == ERR_OK)
        err = view_peer(&snapshot, &request->chain.member, before);
    if (err == ERR_OK && before->state != LINK_LINKED)
        err = link_refuse(out, REFUSAL_REVOKED);
    if (err == ERR_OK && !out->is_refused)
        err = link_check_device(&snapshot, &request->chain, out);
    if (err == ERR_OK && !out->is_refused)
        err = link_complete_claimed(
            txn, request, object_value(&invitation, INVITATION_CONTACT).bytes,
            before->has_pair_in || object_value(&invitation, INVITATION_VIA).bytes.size > 0);
    object_release(&invitation);
    secret_free(before);
    return err;
}

/* The acceptor. */

static enum err link_make_new(struct ledger_txn *txn, const struct link_request *request,
                              const struct peer *before, struct link_answer *out)
{
    const struct public_key *member = &request->chain.member;
    struct id pair_out, contact, id;
    struct amend amend;
    enum err err = view_device_learn(txn, &request->chain);

    if (err == ERR_OK)
        err = link_add_spaces(txn, member, &request->message);
    if (err == ERR_OK)
        err = link_pair_space(txn, member, before, &pair_out);
    if (err == ERR_OK)
        err = link_contact(txn, member, span_of(NULL, 0), request->message.name, &contact);
    if (err != ERR_OK)
        return err;
    link_id(member, &id);
    amend_begin(&amend, txn, link_self(txn), KIND_LINK, &id);
    link_amend_basics(&amend, request, before, request->message.secret, &pair_out,
                      ledger_txn_now_ms(txn));
    if (before->state != LINK_LINKED)
        amend_number(&amend, LINK_LEVEL, LINK_INVITED);
    link_amend_told(&amend, &request->message);
    amend_bytes(&amend, LINK_CONTACT, link_id_span(&contact));
    err = amend_end(&amend, NULL);
    if (err == ERR_OK)
        err = link_grant_card(txn, member);
    if (err == ERR_OK)
        err = link_introduce_me(txn, request, &pair_out, out);
    if (err == ERR_OK && before->state != LINK_LINKED)
        err = link_tell(txn, &contact, request->message.name,
                        "invited you and you accepted: you are linked");
    return err;
}

enum err link_make(struct ledger_txn *txn, const struct link_request *request,
                   struct link_answer *out)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct peer *before = secret_new(sizeof *before);
    struct amend amend;
    enum err err;

    *out = (struct link_answer){0};
    if (before == NULL)
        return ERR_NOMEM;
    err = link_before(txn, &request->chain.member, before);
    if (err == ERR_OK &&
        public_key_is_equal(&request->chain.member, ledger_member(snapshot.ledger)))
        err = link_refuse(out, REFUSAL_SELF);
    else if (err == ERR_OK && before->state == LINK_BLOCKED)
        err = link_refuse(out, REFUSAL_BLOCKED);
    else if (err == ERR_OK)
        err = link_check_device(&snapshot, &request->chain, out);
    if (err == ERR_OK && !out->is_refused)
        err = link_make_new(txn, request, before, out);
    if (err == ERR_OK && !out->is_refused) {
        amend_begin(&amend, txn, link_self(txn), KIND_ACCEPTANCE, &request->invitation);
        amend_number(&amend, ACCEPTANCE_STATE, ACCEPTANCE_LINKED);
        amend_bytes(&amend, ACCEPTANCE_MEMBER, span_of(request->chain.member.bytes, 32));
        err = amend_end(&amend, NULL);
    }
    secret_free(before);
    return err;
}
