/* Which of several releases counts, by the hellos that were said under each. */
#include <string.h>

#include "crypto/secret.h"
#include "node/introducee.h"
#include "node/link.h"
#include "proto/limits.h"

static const struct public_key *introducee_own(const struct introducee *self)
{
    return ledger_member(self->intro->snapshot.ledger);
}

/* One release. */

static enum err introducee_make_bond(struct introducee *self)
{
    struct exchange_key *keys = secret_new(2 * sizeof *keys);
    uint8_t *secret = secret_new(KEY_SIZE);
    enum err err = keys != NULL && secret != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK)
        err = introduction_secret_of(&self->intro->snapshot, self->release.yes->message.yes.key,
                                     secret);
    if (err == ERR_OK) {
        introduction_bond_keys(secret, &self->intro->row.introducer, &self->intro->row.id, &keys[0],
                               &keys[1]);
        err = introduction_bond_agree(&self->intro->row.introducer, &self->intro->row.id,
                                      &self->release.mine, &self->release.theirs, &keys[0],
                                      &keys[1], self->bond);
    }
    self->has_bond = err == ERR_OK;
    secret_free(keys);
    secret_free(secret);
    return err == ERR_NOT_FOUND || err == ERR_FORGED ? ERR_OK : err;
}

/* PROTOCOL INTRO-14: "A space of somebody else makes a hello void." */
static enum err introducee_hear_hello(struct introducee *self)
{
    const struct introduction_fact *relay;

    for (size_t at = 0; (relay = introduction_said(self->intro, INTRODUCTION_RELAY,
                                                   &self->intro->row.introducer, at)) != NULL;
         at++) {
        enum err err;

        buf_clear(&self->plain);
        err = introduction_bond_open(self->bond, &self->release.theirs.root, relay->message.sealed,
                                     &self->plain, &self->hello);
        if (err == ERR_NOMEM)
            return err;
        if (err != ERR_OK)
            continue;
        err = link_check_spaces(&self->intro->snapshot, &self->release.theirs.root,
                                &self->hello.pair_space, &self->hello.card_space);
        self->facts.has_hello = err == ERR_OK;
        if (err != ERR_FORGED)
            return err;
    }
    return ERR_OK;
}

enum err introducee_my_hello(struct introducee *self, struct buf *plain,
                             struct introduction_hello *out)
{
    const struct introduction_fact *fact;
    enum err err = ERR_NOT_FOUND;

    for (size_t at = 0; self->has_bond && err != ERR_OK &&
                        (fact = introduction_said(self->intro, INTRODUCTION_HELLO,
                                                  introducee_own(self), at)) != NULL;
         at++) {
        buf_clear(plain);
        err = introduction_bond_open(self->bond, introducee_own(self), fact->message.sealed, plain,
                                     out);
    }
    return err;
}

/* Is one said under this release? */
static enum err introducee_look_back(struct introducee *self, bool *out_is_said)
{
    struct introduction_hello mine;
    struct buf plain = {0};
    enum err err = introducee_my_hello(self, &plain, &mine);

    *out_is_said = err == ERR_OK;
    if (plain.data != NULL)
        secret_wipe(plain.data, plain.capacity);
    buf_release(&plain);
    return err == ERR_NOMEM ? err : ERR_OK;
}

static bool introducee_may_say_again(const struct introducee *self)
{
    bool is_over = self->facts.has_met && self->other->state != LINK_LINKED;

    return self->release.fits_tag && !is_over &&
           introduction_said(self->intro, INTRODUCTION_HELLO, introducee_own(self),
                             INTRODUCTION_HELLOS_MAX - 1) == NULL;
}

/* PROTOCOL INTRO-16: "Whose hello was for another release than the one that counts says it again
 * for that one, unless their link has ended; INTRODUCTION_HELLOS_MAX hellos in all." */
enum err introducee_find_hello(struct introducee *self)
{
    bool is_said = true;
    enum err err = ERR_OK;

    if (self->has_bond &&
        introduction_said(self->intro, INTRODUCTION_HELLO, introducee_own(self), 0) != NULL)
        err = introducee_look_back(self, &is_said);
    if (err != ERR_OK || is_said)
        return err;
    self->facts.has_hello = false; /* It is no answer before mine is said. */
    self->facts.is_other_release = introducee_may_say_again(self);
    return ERR_OK;
}

bool introducee_holds_secret(const struct introducee *self)
{
    const struct peer *other = self->other;
    uint8_t *secret = secret_new(KEY_SIZE);
    bool is_held = false;

    if (secret != NULL && self->has_bond) {
        introduction_bond_secret(self->bond, secret);
        is_held = (other->has_secret && secret_is_equal(other->secret, secret, KEY_SIZE)) ||
                  (other->has_secret_old && secret_is_equal(other->secret_old, secret, KEY_SIZE));
    }
    secret_free(secret);
    return is_held;
}

/* Several. */

/* How a release stands; what comes first here counts first. */
enum introducee_standing {
    INTRODUCEE_UNANSWERED, /* who holds no link has said hello, and I, who do, have not */
    INTRODUCEE_HEARD,      /* the other's hello opens */
    INTRODUCEE_SILENT,     /* none does */
    INTRODUCEE_LOCKED,     /* the secret of my yes is not here */
    INTRODUCEE_STANDINGS
};

static enum err introducee_weigh(struct introducee *self, enum introducee_standing *out)
{
    bool is_said;
    enum err err;

    self->facts.has_hello = false;
    err = introducee_make_bond(self);
    *out = self->has_bond ? INTRODUCEE_SILENT : INTRODUCEE_LOCKED;
    if (err == ERR_OK && self->has_bond)
        err = introducee_hear_hello(self);
    if (err != ERR_OK || !self->facts.has_hello)
        return err;
    *out = INTRODUCEE_HEARD;
    err = introducee_look_back(self, &is_said);
    if (!is_said && !self->hello.is_linked && self->other->state == LINK_LINKED &&
        introducee_may_say_again(self))
        *out = INTRODUCEE_UNANSWERED;
    return err;
}

/* PROTOCOL INTRO-10: "Before these comes one under which the other's hello opens, where it shows
 * the same other: they may have heard of that one alone. Before it, while a link stands, comes one
 * under which the other has said that they hold none, until my hello is said: their link may have
 * died with a machine. Last comes one whose secret the reader has lost." */
enum err introducee_choose_release(struct introducee *self)
{
    const struct public_key other = self->release.theirs.root;
    struct introducee_release found[INTRODUCEE_STANDINGS];
    bool has[INTRODUCEE_STANDINGS] = {false}, is_first = true;
    enum introducee_standing standing;
    enum err err = ERR_OK;

    for (; err == ERR_OK; is_first = false) {
        const struct introducee_release release = self->release;

        if (is_first || (release.fits_tag && public_key_is_equal(&release.theirs.root, &other))) {
            err = introducee_weigh(self, &standing);
            if (!has[standing])
                found[standing] = release;
            has[standing] = true;
        }
        if (err == ERR_OK)
            err = introducee_release_after(self->intro, &release.order, &self->release);
    }
    for (size_t at = 0; at < INTRODUCEE_STANDINGS && err == ERR_NOT_FOUND; at++)
        if (has[at]) {
            self->release = found[at];
            err = introducee_weigh(self, &standing);
        }
    return err;
}
