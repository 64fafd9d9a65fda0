/* Statements first, then up the chain of certifiers. */
#include "storage/standing.h"

#include "proto/card.h"
#include "proto/limits.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"
#include "storage/row.h"
#include "storage/view_peer.h"

const char *standing_sentence(enum standing standing)
{
    switch (standing) {
    case STANDING_OWNER:
        return "this device was given up by another of yours: nobody else sees what is written on "
               "it from then on";
    case STANDING_STOLEN:
        return "this device was reported as stolen by another of yours: nobody else sees what is "
               "written on it from then on";
    case STANDING_VOID:
        return "the device that admitted this one was stolen: nobody else sees what is written "
               "here";
    case STANDING_GOOD:
    case STANDING_FORKED:
        break;
    }
    return NULL;
}

static enum standing standing_stated(const struct retire_state *state)
{
    if (!state->is_retired)
        return STANDING_GOOD;
    return state->reason == RETIRE_FORKED  ? STANDING_FORKED
           : state->reason == RETIRE_OWNER ? STANDING_OWNER
                                           : STANDING_STOLEN;
}

/* Has this log written here? */
static bool standing_has_touched(const struct object *object, uint32_t log)
{
    for (size_t at = 0; at < object->touched_count; at++)
        if (object->touched[at].log == log)
            return true;
    return false;
}

/* Does the certifier's log in the card space, as far as it counts, bring this certificate? */
static enum err standing_was_told(const struct snapshot *snapshot, const struct public_key *member,
                                  const struct public_key *device,
                                  const struct public_key *certifier, const struct object *shown,
                                  bool *out)
{
    struct log_id id = {.device = *certifier};
    struct object read = {0};
    struct space_row card;
    struct log_row log;
    struct id object;
    uint32_t number;
    enum err err = view_peer_card(snapshot, member, &card);

    *out = false;
    id.space = card.id;
    if (err == ERR_OK)
        err = ledger_log(snapshot, &id, &log);
    id_about("kith device", device, &object);
    if (err == ERR_OK && shown == NULL)
        err = row_get(snapshot, &card.id, KIND_CERTIFICATE, &object, &read, &number);
    if (err == ERR_OK)
        *out = standing_has_touched(shown != NULL ? shown : &read, log.number);
    object_release(&read);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* PROTOCOL STOLEN-2: "A certificate by a stolen device counts where the card space holds it in that
 * device's log, as far as the log counts; otherwise the device it is for is void, and so is whoever
 * that one certified." */
static enum err standing_is_void(const struct snapshot *snapshot, const struct public_key *member,
                                 struct public_key device, struct public_key certifier,
                                 const struct object *shown, bool *out)
{
    enum err err = ERR_OK;

    *out = false;
    for (size_t depth = 0; depth < CHAIN_CERTIFICATES_MAX && err == ERR_OK && !*out; depth++) {
        struct retire_state state;
        struct device_row row;
        bool was_told = true;

        if (public_key_is_equal(&certifier, member))
            return ERR_OK;
        err = view_device_of(snapshot, &certifier, member, &row);
        if (err == ERR_OK)
            err = retire_table_state(snapshot, &certifier, &state);
        /* What was stated of a device that is a claim of this member's is another member's word. */
        if (err == ERR_OK && !row.is_claim && standing_stated(&state) == STANDING_STOLEN)
            err = standing_was_told(snapshot, member, &device, &certifier, shown, &was_told);
        *out = err == ERR_OK && !was_told;
        device = certifier;
        certifier = row.certifier;
        shown = NULL;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err standing_of_certificate(const struct snapshot *snapshot,
                                 const struct certificate *certificate, const struct object *card,
                                 bool *out_is_void)
{
    bool has_any = false;
    enum err err = retire_table_has_any(snapshot, &has_any);

    *out_is_void = false;
    if (err != ERR_OK || !has_any)
        return err;
    return standing_is_void(snapshot, &certificate->member, certificate->device,
                            certificate->certifier, card, out_is_void);
}

enum err standing_of(const struct snapshot *snapshot, const struct public_key *device,
                     enum standing *out)
{
    struct retire_state state;
    struct device_row row;
    bool has_any = false, is_void = false;
    enum err err = retire_table_has_any(snapshot, &has_any);

    *out = STANDING_GOOD;
    if (err != ERR_OK || !has_any)
        return err;
    err = retire_table_state(snapshot, device, &state);
    if (err == ERR_OK)
        *out = standing_stated(&state);
    if (err == ERR_OK && !standing_is_out(*out)) {
        err = view_device(snapshot, device, &row);
        if (err == ERR_OK)
            err =
                standing_is_void(snapshot, &row.member, row.device, row.certifier, NULL, &is_void);
        if (is_void)
            *out = STANDING_VOID;
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err standing_of_signer(const struct snapshot *snapshot, const struct device_keys *chain,
                            enum standing *out)
{
    bool has_any = false;
    enum err err = retire_table_has_any(snapshot, &has_any);

    *out = STANDING_GOOD;
    if (err != ERR_OK || !has_any)
        return err;
    for (size_t left = chain->count; left > 0; left--) {
        struct device_row row;

        err = view_device(snapshot, &chain->devices[left - 1], &row);
        if (err == ERR_NOT_FOUND)
            continue;
        if (err == ERR_OK)
            err = standing_of(snapshot, &chain->devices[left - 1], out);
        if (err == ERR_OK && left < chain->count)
            *out = *out >= STANDING_STOLEN ? STANDING_VOID : STANDING_GOOD;
        return err;
    }
    return ERR_OK;
}

enum err standing_of_chain(const struct snapshot *snapshot, const struct device_chain *chain,
                           bool *out_is_out)
{
    enum standing standing = STANDING_GOOD;
    enum err err = ERR_OK;

    *out_is_out = false;
    for (size_t at = 0; err == ERR_OK && at < chain->count && !*out_is_out; at++)
        err = standing_of_certificate(snapshot, &chain->certificates[at], NULL, out_is_out);
    if (err != ERR_OK || *out_is_out)
        return err;
    err = standing_of(snapshot, &device_of(chain)->device, &standing);
    *out_is_out = standing_is_out(standing);
    return err;
}
