/* What was said, checked against what was said before: which offer, which release. */
#include <string.h>

#include "crypto/secret.h"
#include "node/introducee.h"
#include "proto/limits.h"

static const struct public_key *introducee_self(const struct introduction_case *intro)
{
    return ledger_member(intro->snapshot.ledger);
}

static bool introducee_hash_is_equal(const struct hash *left, const struct hash *right)
{
    return memcmp(left->bytes, right->bytes, HASH_SIZE) == 0;
}

/* The offer an answer of mine names, when it is held. */
static const struct introduction_fact *introducee_named(const struct introduction_case *intro,
                                                        const struct hash *offer)
{
    const struct introduction_fact *fact;

    for (size_t at = 0;
         (fact = introduction_said(intro, INTRODUCTION_OFFER, &intro->row.introducer, at)) != NULL;
         at++)
        if (introducee_hash_is_equal(&fact->hash, offer))
            return fact;
    return NULL;
}

/* PROTOCOL INTRO-10: "Of several offers the one that was answered counts, else the one with the
 * least hash;" */
const struct introduction_fact *introducee_offer(const struct introduction_case *intro)
{
    const struct introduction_fact *yes =
        introduction_said(intro, INTRODUCTION_YES, introducee_self(intro), 0);
    const struct introduction_fact *no =
        introduction_said(intro, INTRODUCTION_NO, introducee_self(intro), 0);
    const struct introduction_fact *named = NULL;

    if (yes != NULL)
        named = introducee_named(intro, &yes->message.yes.offer);
    if (named == NULL && no != NULL)
        named = introducee_named(intro, &no->message.no);
    return named != NULL ? named
                         : introduction_said(intro, INTRODUCTION_OFFER, &intro->row.introducer, 0);
}

static const struct introduction_fact *introducee_my_yes(const struct introduction_case *intro,
                                                         const struct introduction_release *release)
{
    const struct introduction_fact *fact;

    for (size_t at = 0;
         (fact = introduction_said(intro, INTRODUCTION_YES, introducee_self(intro), at)) != NULL;
         at++)
        if (introducee_hash_is_equal(&fact->hash, &release->yes) &&
            introducee_hash_is_equal(&fact->message.yes.offer, &release->offer))
            return fact;
    return NULL;
}

/* A yes as a bundle: its key must be certified by the root of whoever said it. */
static enum err introducee_bundle(const struct public_key *member, const struct hash *hash,
                                  const struct introduction_yes *yes,
                                  struct introduction_bundle *out)
{
    struct public_key owner;
    enum err err = introduction_key_read(yes->key, &owner, out->key);

    if (err == ERR_OK && !public_key_is_equal(&owner, member))
        err = ERR_FORGED;
    out->root = *member;
    out->offer = yes->offer;
    out->yes = *hash;
    memcpy(out->ephemeral, yes->ephemeral, sizeof out->ephemeral);
    return err;
}

/* PROTOCOL INTRO-8: "A release counts when the yes and the offer it names are the reader's, and the
 * other's yes is signed by the other, for this introduction and introducer, with the offer it
 * names." */
static enum err introducee_check(const struct introduction_case *intro,
                                 const struct introduction_release *release,
                                 struct introducee_release *out)
{
    struct introduction_message other;
    struct public_key member;
    struct hash hash;
    enum err err;

    out->yes = introducee_my_yes(intro, release);
    if (out->yes == NULL)
        return ERR_NOT_FOUND;
    err = introduction_read(release->other, &member, &other);
    if (err == ERR_OK &&
        (other.type != INTRODUCTION_YES || !id_is_equal(&other.id, &intro->row.id) ||
         !public_key_is_equal(&other.to, &intro->row.introducer) ||
         !introducee_hash_is_equal(&other.yes.offer, &release->other_offer) ||
         public_key_is_equal(&member, &intro->row.introducer) ||
         public_key_is_equal(&member, introducee_self(intro))))
        err = ERR_FORGED;
    statement_hash(release->other, &hash);
    if (err == ERR_OK)
        err = introducee_bundle(&member, &hash, &other.yes, &out->theirs);
    if (err == ERR_OK)
        err = introducee_bundle(introducee_self(intro), &out->yes->hash, &out->yes->message.yes,
                                &out->mine);
    return err;
}

static bool introducee_fits_tag(const struct introduction_case *intro,
                                const struct introduction_release *release,
                                const struct public_key *other)
{
    const struct introduction_fact *offer = introducee_named(intro, &release->offer);
    struct hash tag;

    if (offer == NULL || offer->message.offer.is_blind != release->has_salt)
        return false;
    introduction_tag(&intro->row.id, release->has_salt ? &release->salt : NULL, other, &tag);
    return introducee_hash_is_equal(&tag, &offer->message.offer.tag);
}

enum err introducee_release(const struct introduction_case *intro, struct introducee_release *out)
{
    return introducee_release_after(intro, NULL, out);
}

enum err introducee_release_after(const struct introduction_case *intro, const struct hash *after,
                                  struct introducee_release *out)
{
    const struct introduction_fact *fact;
    bool is_found = false;

    for (size_t at = 0; (fact = introduction_said(intro, INTRODUCTION_RELEASE,
                                                  &intro->row.introducer, at)) != NULL;
         at++) {
        struct introducee_release release = {.fact = fact};
        enum err err = introducee_check(intro, &fact->message.release, &release);

        if (err == ERR_OK)
            err = introduction_release_order(&fact->message, &release.order);
        if (err == ERR_NOMEM)
            return err;
        if (err != ERR_OK)
            continue;
        release.fits_tag = introducee_fits_tag(intro, &fact->message.release, &release.theirs.root);
        if (after != NULL && memcmp(release.order.bytes, after->bytes, HASH_SIZE) <= 0)
            continue;
        if (!is_found || memcmp(release.order.bytes, out->order.bytes, HASH_SIZE) < 0)
            *out = release;
        is_found = true;
    }
    return is_found ? ERR_OK : ERR_NOT_FOUND;
}

/* Who it is about. */

struct introducee_search {
    const struct introduction_case *intro;
    const struct introduction_offer *offer;
    struct peer *found;
};

static enum err introducee_on_peer(void *self, const struct peer *peer)
{
    struct introducee_search *search = self;
    struct hash tag;

    introduction_tag(&search->intro->row.id, NULL, &peer->member, &tag);
    if (!introducee_hash_is_equal(&tag, &search->offer->tag))
        return ERR_OK;
    *search->found = *peer;
    return ERR_CANCELLED;
}

enum err introducee_recognise(const struct introduction_case *intro,
                              const struct introduction_offer *offer, struct peer *out)
{
    struct introducee_search search = {.intro = intro, .offer = offer, .found = out};
    enum err err;

    if (offer->is_blind)
        return ERR_NOT_FOUND;
    err = view_peer_each(&intro->snapshot, introducee_on_peer, &search);
    return err == ERR_CANCELLED ? ERR_OK : err == ERR_OK ? ERR_NOT_FOUND : err;
}

/* Agreeing. */

enum err introducee_agree(struct introduction_case *intro)
{
    const struct introduction_fact *offer = introducee_offer(intro);
    struct introduction_message message = {.type = INTRODUCTION_YES};
    struct exchange_key *keys = secret_new(2 * sizeof *keys);
    uint8_t *secret = secret_new(KEY_SIZE);
    struct buf key = {0};
    enum err err = keys != NULL && secret != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK && offer == NULL)
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = introduction_secret_now(intro, secret, &key);
    if (err == ERR_OK) {
        introduction_bond_keys(secret, &intro->row.introducer, &intro->row.id, &keys[0], &keys[1]);
        message.yes.offer = offer->hash;
        message.yes.key = buf_span(&key);
        memcpy(message.yes.ephemeral, keys[1].public_key, 32);
        err = introduction_tell(intro, &intro->row.introducer, &message);
    }
    buf_release(&key);
    secret_free(keys);
    secret_free(secret);
    return err;
}
