/* A short body in a device's statement. */
#include "proto/show.h"

#include "proto/statement.h"

enum { SHOW_FORM = 1, SHOW_DAY_S = 86400 };

static const char show_label[] = "kith show";

/* PROTOCOL SHOW-2: "It shows to 1 peers, 2 network or 3 public, and holds for more than nothing and
 * at most SHOW_DAYS_MAX days." */
static bool show_is_sound(const struct show *show)
{
    return show->audience >= AUDIENCE_PEERS && show->audience <= AUDIENCE_PUBLIC &&
           show->until_s > show->made_s &&
           show->until_s - show->made_s <= (uint64_t)SHOW_DAYS_MAX * SHOW_DAY_S;
}

enum err show_issue(const struct show *show, struct span identity, const struct signing_key *device,
                    struct buf *out)
{
    struct buf body = {0};
    enum err err;

    if (!show_is_sound(show))
        return ERR_INVALID;
    wire_put_array(&body, 5);
    wire_put_uint(&body, SHOW_FORM);
    wire_put_bin(&body, span_of(show->endorsement.bytes, HASH_SIZE));
    wire_put_uint(&body, show->audience);
    wire_put_uint(&body, show->made_s);
    wire_put_uint(&body, show->until_s);
    err = buf_err(&body);
    if (err == ERR_OK)
        err = statement_by_device(show_label, device, identity, buf_span(&body), out);
    buf_release(&body);
    return err;
}

/* PROTOCOL SHOW-1: "It is a device's; root 0 shows nothing." */
enum err show_read(struct span statement, struct show *out)
{
    struct wire_doc doc = {0};
    struct statement said;
    struct wire wire;
    enum err err = statement.size <= SHOW_SIZE_MAX ? statement_read(show_label, statement, &said)
                                                   : ERR_MALFORMED;

    if (err == ERR_OK && said.chain.count == 0)
        err = ERR_FORGED;
    if (err == ERR_OK)
        err = wire_open(&doc, said.body, &wire);
    if (err == ERR_OK) {
        if (wire_uint(&wire, UINT8_MAX) != SHOW_FORM)
            wire_fail(&wire);
        wire_bytes(&wire, out->endorsement.bytes, HASH_SIZE);
        out->audience = (enum audience)wire_uint(&wire, AUDIENCE_PUBLIC);
        out->made_s = wire_uint(&wire, TIME_MAX_MS / 1000);
        out->until_s = wire_uint(&wire, UINT64_MAX);
        wire_end(&wire);
        if (!show_is_sound(out))
            wire_fail(&wire);
        err = wire_err(&doc);
        out->member = said.member;
        out->device = device_of(&said.chain)->device;
        device_keys_of(&said.chain, &out->by);
    }
    wire_release(&doc);
    return err;
}

bool show_fits(const struct show *show, const struct endorsement *endorsement,
               const struct hash *hash)
{
    return public_key_is_equal(&show->member, &endorsement->subject) &&
           span_is_equal(span_of(show->endorsement.bytes, HASH_SIZE),
                         span_of(hash->bytes, HASH_SIZE)) &&
           show->audience <= endorsement->ceiling;
}
