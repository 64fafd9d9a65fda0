/* Two arrays. */
#include "proto/welcome.h"

#include <string.h>

#include "proto/wire.h"

enum { WELCOME_FORM = 1, WELCOME_ASK_ELEMENTS = 5, WELCOME_ELEMENTS = 11 };

/* PROTOCOL WELCOME-4: "The first element is the form. A greater one was written by a newer version,
 * and is refused as that." */
static enum err welcome_open(struct span bytes, size_t max, size_t elements, struct wire_doc *doc,
                             struct wire *out)
{
    enum err err = bytes.size <= max ? wire_open(doc, bytes, out) : ERR_LIMIT;
    uint64_t form;

    if (err != ERR_OK)
        return err;
    form = wire_uint(out, UINT8_MAX);
    if (wire_err(doc) == ERR_OK && form > WELCOME_FORM)
        return ERR_VERSION;
    if (form != WELCOME_FORM || out->left != elements - 1)
        wire_fail(out);
    return wire_err(doc);
}

/* What the new device asks. */

/* PROTOCOL WELCOME-1: "What a new device asks is [1, device, static key, receiving key, name]. The
 * name is as in CERT-1 and may be empty; it holds no zero byte." */
void welcome_ask_write(const struct welcome_ask *ask, struct buf *out)
{
    wire_put_array(out, WELCOME_ASK_ELEMENTS);
    wire_put_uint(out, WELCOME_FORM);
    wire_put_bin(out, span_of(ask->device.bytes, sizeof ask->device.bytes));
    wire_put_bin(out, span_of(ask->static_key, KEY_SIZE));
    wire_put_bin(out, span_of(ask->receiving_key, KEY_SIZE));
    wire_put_str(out, span_str(ask->name));
}

enum err welcome_ask_read(struct span bytes, struct welcome_ask *out)
{
    struct wire_doc doc = {0};
    struct wire wire;
    struct span name;
    enum err err = welcome_open(bytes, WELCOME_ASK_SIZE_MAX, WELCOME_ASK_ELEMENTS, &doc, &wire);

    *out = (struct welcome_ask){0};
    if (err == ERR_OK) {
        wire_bytes(&wire, out->device.bytes, sizeof out->device.bytes);
        wire_bytes(&wire, out->static_key, KEY_SIZE);
        wire_bytes(&wire, out->receiving_key, KEY_SIZE);
        name = wire_str(&wire, DEVICE_NAME_SIZE_MAX);
        if (name.size > 0 && memchr(name.data, '\0', name.size) != NULL)
            wire_fail(&wire);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    if (err == ERR_OK && name.size > 0)
        memcpy(out->name, name.data, name.size);
    wire_release(&doc);
    return err;
}

/* What it is told. */

/* PROTOCOL WELCOME-2: "The welcome is [1, member, hash of root 1, recovery key, self space, card
 * space, psk, knock key, identity of the new device, identity of the one that admits it, addresses
 * of that one]." */
void welcome_write(const struct welcome *welcome, struct buf *out)
{
    wire_put_array(out, WELCOME_ELEMENTS);
    wire_put_uint(out, WELCOME_FORM);
    wire_put_bin(out, span_of(welcome->member.bytes, sizeof welcome->member.bytes));
    wire_put_bin(out, span_of(welcome->next_root_hash.bytes, HASH_SIZE));
    wire_put_bin(out, span_of(welcome->recovery_public, KEY_SIZE));
    wire_put_bin(out, span_of(welcome->self_space.bytes, ID_SIZE));
    wire_put_bin(out, span_of(welcome->card_space.bytes, ID_SIZE));
    wire_put_bin(out, span_of(welcome->secret, KEY_SIZE));
    wire_put_bin(out, span_of(welcome->knock, KEY_SIZE));
    wire_put_bin(out, span_of(welcome->identity, welcome->identity_size));
    wire_put_bin(out, span_of(welcome->host, welcome->host_size));
    wire_put_bin(out, span_of(welcome->addresses, welcome->addresses_size));
}

static void welcome_read_sized(struct wire *wire, size_t min, size_t max, uint8_t *out,
                               size_t *out_size)
{
    struct span bytes = wire_bin(wire, min, max);

    if (bytes.size > 0)
        memcpy(out, bytes.data, bytes.size);
    *out_size = bytes.size;
}

enum err welcome_read(struct span bytes, struct welcome *out)
{
    struct address addresses[ADDRESSES_MAX];
    struct wire_doc doc = {0};
    struct wire wire;
    size_t count;
    enum err err = welcome_open(bytes, WELCOME_SIZE_MAX, WELCOME_ELEMENTS, &doc, &wire);

    *out = (struct welcome){0};
    if (err == ERR_OK) {
        wire_bytes(&wire, out->member.bytes, sizeof out->member.bytes);
        wire_bytes(&wire, out->next_root_hash.bytes, HASH_SIZE);
        wire_bytes(&wire, out->recovery_public, KEY_SIZE);
        wire_bytes(&wire, out->self_space.bytes, ID_SIZE);
        wire_bytes(&wire, out->card_space.bytes, ID_SIZE);
        wire_bytes(&wire, out->secret, KEY_SIZE);
        wire_bytes(&wire, out->knock, KEY_SIZE);
        welcome_read_sized(&wire, 1, sizeof out->identity, out->identity, &out->identity_size);
        welcome_read_sized(&wire, 1, sizeof out->host, out->host, &out->host_size);
        welcome_read_sized(&wire, 0, sizeof out->addresses, out->addresses, &out->addresses_size);
        wire_end(&wire);
        err = wire_err(&doc);
    }
    if (err == ERR_OK && address_read_list(span_of(out->addresses, out->addresses_size), addresses,
                                           &count) != ERR_OK)
        err = ERR_MALFORMED;
    wire_release(&doc);
    return err;
}
