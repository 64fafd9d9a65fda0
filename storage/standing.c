/* PROTOCOL STOLEN-13: "How devices stand is judged from the root down: each by its certificates, by
 * what the root says, what those above it say as far as they are to be believed, and it itself." */
#include "storage/standing.h"

#include "storage/join.h"
#include "storage/ledger_state.h"
#include "storage/retire_table.h"

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

/* Lines. */

struct standing_words {
    const struct snapshot *snapshot;
    const struct standing_line *line;
    bool is_said;
};

/* PROTOCOL STOLEN-4: "What a stolen device says of others, whatever the reason, counts where its
 * log in the space of the statement holds it, as far as that log counts; what a void one says,
 * nowhere."
 */
static enum err standing_is_place_credible(const struct snapshot *snapshot,
                                           const struct standing_line *line,
                                           const struct standing_place *place,
                                           const struct standing_word *word, bool *out)
{
    *out = !place->is_void;
    return *out && place->is_stolen ? standing_is_told(snapshot, &line->member, word, out) : ERR_OK;
}

enum err standing_is_said_above(const struct snapshot *snapshot, const struct standing_line *line,
                                const struct standing_word *word, bool may_itself, bool *out)
{
    const struct standing_place *last = &line->places[line->count - 1];

    *out = public_key_is_equal(word->signer, &line->member) ||
           (may_itself && public_key_is_equal(word->signer, &last->device));
    for (size_t at = 0; !*out && at + 1 < line->count; at++)
        if (public_key_is_equal(word->signer, &line->places[at].device))
            return standing_is_place_credible(snapshot, line, &line->places[at], word, out);
    return ERR_OK;
}

static enum err standing_on_stolen(void *self, const struct public_key *signer,
                                   struct span statement)
{
    struct standing_words *words = self;
    struct standing_word word = {.signer = signer, .statement = statement, .kind = KIND_RETIRE};

    return words->is_said
               ? ERR_OK
               : standing_is_said_above(words->snapshot, words->line, &word, true, &words->is_said);
}

/* PROTOCOL OWN-7: "To one that has not joined yet a device of its member is void (STOLEN-2) only
 * when it holds all that counts of the logs of the stolen ones above that in the card space" */
static enum err standing_may_come(const struct snapshot *snapshot, const struct public_key *member,
                                  const struct public_key *stolen, bool *out)
{
    bool is_joining = false, is_whole = true;
    enum err err = public_key_is_equal(member, ledger_member(snapshot->ledger))
                       ? join_is_pending(snapshot, &is_joining)
                       : ERR_OK;

    if (err == ERR_OK && is_joining)
        err = standing_is_whole(snapshot, member, stolen, &is_whole);
    *out = !is_whole;
    return err;
}

/* Judges the last place of a line by those before it, which are judged. */
static enum err standing_judge(const struct snapshot *snapshot, struct standing_line *line,
                               bool is_claim, struct span statement)
{
    struct standing_words words = {.snapshot = snapshot, .line = line};
    struct standing_place *last = &line->places[line->count - 1];
    const struct standing_place *above = line->count > 1 ? last - 1 : NULL;
    bool was_told = true;
    enum err err = ERR_OK;

    if (above != NULL && above->is_stolen)
        err = standing_was_told(
            snapshot,
            &(struct standing_certified){&line->member, &last->device, &above->device, statement},
            NULL, &was_told);
    if (err == ERR_OK && !was_told)
        err = standing_may_come(snapshot, &line->member, &above->device, &was_told);
    last->is_void = above != NULL && (above->is_void || !was_told);
    /* What was stated of a device that is a claim of this member's is another member's word. */
    if (err == ERR_OK && !is_claim)
        err = retire_table_each(snapshot, &last->device, RETIRE_STOLEN, standing_on_stolen, &words);
    last->is_stolen = words.is_said;
    return err;
}

enum err standing_line_of(const struct snapshot *snapshot, const struct public_key *device,
                          const struct public_key *member, struct standing_line *out)
{
    struct device_row rows[VIEW_CHAIN_MAX];
    struct span statements[VIEW_CHAIN_MAX];
    size_t count = 0;
    enum err err = member != NULL
                       ? view_device_stated_of(snapshot, device, member, &rows[0], &statements[0])
                       : view_device_stated(snapshot, device, &rows[0], &statements[0]);

    if (err != ERR_OK)
        return err;
    *out = (struct standing_line){.member = rows[0].member};
    for (count = 1; err == ERR_OK && count < VIEW_CHAIN_MAX; count++) {
        if (public_key_is_equal(&rows[count - 1].certifier, &out->member))
            break;
        err = view_device_stated_of(snapshot, &rows[count - 1].certifier, &out->member,
                                    &rows[count], &statements[count]);
        if (err == ERR_NOT_FOUND)
            break;
    }
    err = err == ERR_NOT_FOUND ? ERR_OK : err;
    for (; err == ERR_OK && count > 0; count--) {
        out->places[out->count++].device = rows[count - 1].device;
        err = standing_judge(snapshot, out, rows[count - 1].is_claim, statements[count - 1]);
    }
    return err;
}

enum err standing_is_led_by(const struct snapshot *snapshot, const struct public_key *device,
                            bool *out)
{
    struct standing_line line = {.count = 0};
    bool has_any = false;
    enum err err = retire_table_has_any(snapshot, &has_any);

    *out = false;
    if (err == ERR_OK && has_any)
        err = standing_line_of(snapshot, ledger_device(snapshot->ledger),
                               ledger_member(snapshot->ledger), &line);
    for (size_t at = 0; err == ERR_OK && at + 1 < line.count; at++)
        *out |= line.places[at].is_stolen &&
                (device == NULL || public_key_is_equal(device, &line.places[at].device));
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err standing_is_sure(const struct snapshot *snapshot, const struct public_key *device,
                          bool *out)
{
    struct standing_line line;
    enum err err = standing_line_of(snapshot, device, NULL, &line);

    *out = err == ERR_OK;
    for (size_t at = 0; err == ERR_OK && *out && at + 1 < line.count; at++)
        if (line.places[at].is_stolen)
            err = standing_is_whole(snapshot, &line.member, &line.places[at].device, out);
    return err;
}

enum err standing_is_credible(const struct snapshot *snapshot, const struct public_key *member,
                              const struct standing_word *word, bool *out)
{
    struct standing_line line;
    enum err err;

    *out = true;
    if (public_key_is_equal(word->signer, member))
        return ERR_OK;
    err = standing_line_of(snapshot, word->signer, member, &line);
    if (err == ERR_OK)
        err = standing_is_place_credible(snapshot, &line, &line.places[line.count - 1], word, out);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err standing_of_certificate(const struct snapshot *snapshot,
                                 const struct certificate *certificate, const struct object *card,
                                 bool *out_is_void)
{
    const struct standing_place *certifier;
    struct standing_line line;
    bool has_any = false, was_told = true;
    enum err err = retire_table_has_any(snapshot, &has_any);

    *out_is_void = false;
    if (err != ERR_OK || !has_any ||
        public_key_is_equal(&certificate->certifier, &certificate->member))
        return err;
    err = standing_line_of(snapshot, &certificate->certifier, &certificate->member, &line);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    certifier = &line.places[line.count - 1];
    if (certifier->is_stolen)
        err = standing_was_told(
            snapshot,
            &(struct standing_certified){&certificate->member, &certificate->device,
                                         &certifier->device, certificate->statement},
            card, &was_told);
    *out_is_void = certifier->is_void || !was_told;
    return err;
}

enum err standing_of(const struct snapshot *snapshot, const struct public_key *device,
                     enum standing *out)
{
    struct retire_state state;
    struct standing_line line;
    bool has_any = false;
    enum err err = retire_table_has_any(snapshot, &has_any);

    *out = STANDING_GOOD;
    if (err != ERR_OK || !has_any)
        return err;
    err = standing_line_of(snapshot, device, NULL, &line);
    if (err == ERR_OK)
        err = retire_table_state_on(snapshot, &line, &state);
    if (err == ERR_OK)
        *out = standing_stated(&state);
    if (err == ERR_OK && !standing_is_out(*out) && line.places[line.count - 1].is_void)
        *out = STANDING_VOID;
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
