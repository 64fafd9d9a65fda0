/* Addresses as bytes and text; the invitation as bytes in base32. */
#include "proto/invite.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "proto/scan.h"

enum {
    INVITE_CHECKSUM_SIZE = 4,
    INVITE_FIXED_SIZE = 32 + INVITATION_SECRET_SIZE + 4 + 1,
    INVITE_HOUR_S = 3600
};

static const char invite_prefix[] = "kith:";
static const uint8_t invite_ipv4_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* Addresses. */

bool address_is_ipv4(const struct address *address)
{
    return memcmp(address->host, invite_ipv4_prefix, sizeof invite_ipv4_prefix) == 0;
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t loopback[16] = {[15] = 1};

    if (address_is_ipv4(address))
        return address->host[12] == 127;
    return memcmp(address->host, loopback, sizeof loopback) == 0;
}

bool address_is_elsewhere(const struct address *address)
{
    static const uint8_t unspecified[16] = {0};
    const uint8_t *host = address->host;

    if (address->port == 0 || address_is_loopback(address))
        return false;
    if (address_is_ipv4(address))
        return host[12] != 0 && host[12] < 224 && (host[12] != 169 || host[13] != 254);
    return memcmp(host, unspecified, sizeof unspecified) != 0 && host[0] != 0xff &&
           (host[0] != 0xfe || (host[1] & 0xc0) != 0x80);
}

bool address_is_equal(const struct address *left, const struct address *right)
{
    return memcmp(left->host, right->host, sizeof left->host) == 0 && left->port == right->port;
}

void address_write(const struct address *address, char out[static ADDRESS_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "";
    bool is_ipv4 = address_is_ipv4(address);

    (void)inet_ntop(is_ipv4 ? AF_INET : AF_INET6, address->host + (is_ipv4 ? 12 : 0), host,
                    sizeof host);
    (void)snprintf(out, ADDRESS_TEXT_SIZE, is_ipv4 ? "%s:%u" : "[%s]:%u", host,
                   (unsigned)address->port);
}

/* One to five digits, at most 65535. */
static enum err address_read_port(struct span text, uint16_t *out)
{
    uint32_t port = 0;

    if (text.size == 0 || text.size > 5)
        return ERR_INVALID;
    for (size_t at = 0; at < text.size; at++) {
        if (text.data[at] < '0' || text.data[at] > '9')
            return ERR_INVALID;
        port = port * 10 + (uint32_t)(text.data[at] - '0');
    }
    if (port > UINT16_MAX)
        return ERR_INVALID;
    *out = (uint16_t)port;
    return ERR_OK;
}

/* Where the host ends: at the bracket, or at the only colon; several colons without brackets are
 * all host. */
static struct span address_host(struct span text, struct span *out_port)
{
    const uint8_t *colon = memchr(text.data, ':', text.size);
    size_t size = text.size;

    *out_port = span_of(NULL, 0);
    if (text.data[0] == '[') {
        const uint8_t *end = memchr(text.data, ']', text.size);

        if (end == NULL)
            return span_of(NULL, 0);
        size = (size_t)(end - text.data) - 1;
        if (end + 1 < text.data + text.size && end[1] == ':')
            *out_port = span_of(end + 2, text.size - size - 3);
        else if (end + 1 != text.data + text.size)
            return span_of(NULL, 0);
        return span_of(text.data + 1, size);
    }
    if (colon != NULL &&
        memchr(colon + 1, ':', text.size - (size_t)(colon - text.data) - 1) == NULL) {
        size = (size_t)(colon - text.data);
        *out_port = span_of(colon + 1, text.size - size - 1);
    }
    return span_of(text.data, size);
}

enum err address_read(struct span text, struct address *out)
{
    struct address address = {.port = PORT_DEFAULT};
    char host[INET6_ADDRSTRLEN + 1];
    struct span port, name;

    if (text.size == 0)
        return ERR_INVALID;
    name = address_host(text, &port);
    if (name.size == 0 || name.size >= sizeof host)
        return ERR_INVALID;
    memcpy(host, name.data, name.size);
    host[name.size] = '\0';
    if (inet_pton(AF_INET, host, address.host + 12) == 1)
        memcpy(address.host, invite_ipv4_prefix, sizeof invite_ipv4_prefix);
    else if (inet_pton(AF_INET6, host, address.host) != 1)
        return ERR_INVALID;
    if (port.data != NULL && address_read_port(port, &address.port) != ERR_OK)
        return ERR_INVALID;
    *out = address;
    return ERR_OK;
}

void address_put_list(const struct address *addresses, size_t count, struct buf *out)
{
    for (size_t at = 0; at < count; at++) {
        bool is_ipv4 = address_is_ipv4(&addresses[at]);

        buf_byte(out, is_ipv4 ? 4 : 6);
        buf_append(out,
                   is_ipv4 ? span_of(addresses[at].host + 12, 4) : span_of(addresses[at].host, 16));
        buf_u16(out, addresses[at].port);
    }
}

enum err address_read_list(struct span bytes, struct address *out, size_t *out_count)
{
    size_t at = 0, count = 0;

    while (at < bytes.size) {
        bool is_ipv4 = bytes.data[at] == 4;
        size_t size = is_ipv4 ? 4 : 16;

        if ((!is_ipv4 && bytes.data[at] != 6) || bytes.size - at < 1 + size + 2 ||
            count == ADDRESSES_MAX)
            return ERR_MALFORMED;
        memset(&out[count], 0, sizeof out[count]);
        if (is_ipv4)
            memcpy(out[count].host, invite_ipv4_prefix, sizeof invite_ipv4_prefix);
        memcpy(out[count].host + 16 - size, bytes.data + at + 1, size);
        out[count].port = be16(bytes.data + at + 1 + size);
        count++;
        at += 1 + size + 2;
    }
    *out_count = count;
    return ERR_OK;
}

/* Base32, RFC 4648, lower case, no padding. */

static const char invite_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static void invite_put_base32(struct span bytes, char *out)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t at = 0; at < bytes.size; at++) {
        bits = bits << 8 | bytes.data[at];
        for (count += 8; count >= 5; count -= 5)
            *out++ = invite_alphabet[bits >> (count - 5) & 31];
    }
    if (count > 0)
        *out++ = invite_alphabet[bits << (5 - count) & 31];
    *out = '\0';
}

/* Reads the letters, white space aside. ERR_INVALID for others; ERR_LIMIT for too many. */
static enum err invite_read_base32(struct span text, uint8_t out[static INVITATION_SIZE_MAX],
                                   size_t *out_size)
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t size = 0;

    for (size_t at = 0; at < text.size; at++) {
        uint8_t letter = text.data[at];
        uint32_t digit;

        if (letter == ' ' || (letter >= '\t' && letter <= '\r'))
            continue;
        if (letter >= 'A' && letter <= 'Z')
            letter = (uint8_t)(letter + 32);
        if (letter >= 'a' && letter <= 'z')
            digit = (uint32_t)(letter - 'a');
        else if (letter >= '2' && letter <= '7')
            digit = (uint32_t)(letter - '2') + 26;
        else
            return ERR_INVALID;
        bits = (bits << 5 | digit) & 0xfff;
        count += 5;
        if (count < 8)
            continue;
        count -= 8;
        if (size == INVITATION_SIZE_MAX)
            return ERR_LIMIT;
        out[size++] = (uint8_t)(bits >> count & 0xff);
    }
    *out_size = size;
    return count < 5 && (bits & ((1u << count) - 1)) == 0 ? ERR_OK : ERR_INVALID;
}

/* The invitation. */

/* PROTOCOL INVITE-2: "An address is 4 | IPv4 4 | port u16, or 6 | IPv6 16 | port u16. The
 * checksum is the first 4 bytes of HASH(kith invite, all before it)." */
static void invite_checksum(struct span bytes, uint8_t out[static INVITE_CHECKSUM_SIZE])
{
    struct hash hash;

    digest("kith invite", &bytes, 1, &hash);
    memcpy(out, hash.bytes, INVITE_CHECKSUM_SIZE);
}

/* PROTOCOL INVITE-1: "An invitation is kith:1 and base32 (RFC 4648, lower case, no padding) of
 * static key 32 | secret 16 | expiry in hours u32 | count of addresses 1 | addresses | hint size
 * 1 | hint | checksum 4; at most INVITATION_SIZE_MAX bytes before base32. Case and white space
 * do not matter when reading." */
enum err invitation_write(const struct invitation *invitation,
                          char out[static INVITATION_TEXT_SIZE_MAX])
{
    uint8_t checksum[INVITE_CHECKSUM_SIZE];
    size_t hint_size = strlen(invitation->hint);
    struct buf bytes = {.is_secret = true};
    enum err err;

    buf_append(&bytes, span_of(invitation->static_key, 32));
    buf_append(&bytes, span_of(invitation->secret, INVITATION_SECRET_SIZE));
    buf_u32(&bytes, (uint32_t)((invitation->expires_at_s + INVITE_HOUR_S - 1) / INVITE_HOUR_S));
    buf_byte(&bytes, (uint8_t)invitation->addresses_count);
    address_put_list(invitation->addresses, invitation->addresses_count, &bytes);
    buf_byte(&bytes, (uint8_t)hint_size);
    buf_append(&bytes, span_of(invitation->hint, hint_size));
    err = buf_err(&bytes);
    if (err == ERR_OK) {
        invite_checksum(buf_span(&bytes), checksum);
        buf_append(&bytes, span_of(checksum, sizeof checksum));
        err = buf_err(&bytes);
    }
    if (err == ERR_OK &&
        (bytes.size > INVITATION_SIZE_MAX || hint_size > INVITATION_HINT_SIZE_MAX ||
         invitation->addresses_count > ADDRESSES_MAX))
        err = ERR_LIMIT;
    if (err == ERR_OK) {
        memcpy(out, "kith:1", 6);
        invite_put_base32(buf_span(&bytes), out + 6);
    }
    buf_release(&bytes);
    return err;
}

/* How many bytes the addresses take that stand in front of what follows; 0 with a count means
 * malformed. */
static size_t invite_addresses_size(struct span bytes, size_t count)
{
    size_t at = 0;

    for (size_t index = 0; index < count; index++) {
        size_t size;

        if (at >= bytes.size || (bytes.data[at] != 4 && bytes.data[at] != 6))
            return SIZE_MAX;
        size = bytes.data[at] == 4 ? 7 : 19;
        if (bytes.size - at < size)
            return SIZE_MAX;
        at += size;
    }
    return at;
}

static enum err invite_read_bytes(struct span bytes, struct invitation *out)
{
    uint8_t checksum[INVITE_CHECKSUM_SIZE];
    struct span body = span_of(bytes.data, bytes.size - INVITE_CHECKSUM_SIZE), rest;
    size_t size;

    invite_checksum(body, checksum);
    if (memcmp(checksum, body.data + body.size, INVITE_CHECKSUM_SIZE) != 0)
        return ERR_CORRUPT;
    memcpy(out->static_key, body.data, 32);
    memcpy(out->secret, body.data + 32, INVITATION_SECRET_SIZE);
    out->expires_at_s = (uint64_t)be32(body.data + 48) * INVITE_HOUR_S;
    out->addresses_count = body.data[52];
    rest = span_of(body.data + INVITE_FIXED_SIZE, body.size - INVITE_FIXED_SIZE);
    size = out->addresses_count > ADDRESSES_MAX ? SIZE_MAX
                                                : invite_addresses_size(rest, out->addresses_count);
    if (size >= rest.size || rest.data[size] > INVITATION_HINT_SIZE_MAX ||
        rest.size - size - 1 != rest.data[size])
        return ERR_CORRUPT;
    memcpy(out->hint, rest.data + size + 1, rest.data[size]);
    out->hint[rest.data[size]] = '\0';
    if (!scan_is_utf8(span_str(out->hint)) || strlen(out->hint) != rest.data[size])
        return ERR_CORRUPT;
    return address_read_list(span_of(rest.data, size), out->addresses, &out->addresses_count) ==
                   ERR_OK
               ? ERR_OK
               : ERR_CORRUPT;
}

static bool invite_starts(struct span text)
{
    if (text.size < sizeof invite_prefix)
        return false;
    for (size_t at = 0; at < sizeof invite_prefix - 1; at++)
        if ((text.data[at] | 0x20) != (invite_prefix[at] | 0x20))
            return false;
    return true;
}

enum err invitation_read(struct span text, struct invitation *out)
{
    uint8_t bytes[INVITATION_SIZE_MAX];
    struct invitation invitation = {0};
    size_t size = 0;
    enum err err;

    while (text.size > 0 && (text.data[0] == ' ' || (text.data[0] >= '\t' && text.data[0] <= '\r')))
        text = span_of(text.data + 1, text.size - 1);
    if (!invite_starts(text))
        return ERR_INVALID;
    text = span_of(text.data + sizeof invite_prefix - 1, text.size - sizeof invite_prefix + 1);
    if (text.data[0] < '0' || text.data[0] > '9')
        return ERR_INVALID;
    if (text.data[0] != '1' || (text.size > 1 && text.data[1] >= '0' && text.data[1] <= '1'))
        return ERR_VERSION;
    err = invite_read_base32(span_of(text.data + 1, text.size - 1), bytes, &size);
    if (err != ERR_OK || size < INVITE_FIXED_SIZE + 1 + INVITE_CHECKSUM_SIZE)
        err = ERR_CORRUPT;
    else
        err = invite_read_bytes(span_of(bytes, size), &invitation);
    if (err == ERR_OK)
        *out = invitation;
    secret_wipe(bytes, sizeof bytes);
    secret_wipe(&invitation, sizeof invitation);
    return err;
}
