/* Members in tests. See member.h. */
#include "tests/sim/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "node/react.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "proto/device.h"
#include "proto/replica.h"
#include "storage/kv_lmdb.h"
#include "storage/ledger_state.h"
#include "storage/replica.h"
#include "storage/row.h"
#include "storage/space.h"

static void member_must(enum err err)
{
    if (err != ERR_OK)
        (void)fprintf(stderr, "member: %s\n", err_sentence(err)); /* The assertion says where. */
    KITH_ASSERT(err == ERR_OK);
}

static void member_fill(void *self, uint8_t *out, size_t size)
{
    struct member *member = self;

    while (size > 0) {
        const struct span parts[2] = {span_of(member->secrets.signing_seed, 32),
                                      span_of(&member->drawn, sizeof member->drawn)};
        size_t part = size < HASH_SIZE ? size : HASH_SIZE;
        struct hash hash;

        digest("test stream", parts, 2, &hash);
        memcpy(out, hash.bytes, part);
        member->drawn++;
        out += part;
        size -= part;
    }
}

static void member_open_kv(struct member *member)
{
    struct kv_lmdb_options options = {.path = member->folder,
                                      .table_names = table_names,
                                      .tables_count = TABLES_COUNT,
                                      .map_bytes = 64 << 20};

    member_must(member->mem != NULL ? kv_mem_open(member->mem, &member->kv)
                                    : kv_lmdb_open(&options, &member->kv));
}

/* The seed's low byte plus a constant fills each secret; the rest of it makes them different from
 * those of other members with that byte. */
static void member_secret(uint32_t seed, uint8_t plus, uint8_t out[static SEED_SIZE])
{
    memset(out, (uint8_t)(seed + plus), SEED_SIZE);
    be32_put(out, be32(out) ^ seed >> 8);
}

void member_prepare(struct member *member, uint32_t seed, bool is_lmdb)
{
    struct kv_mem_options options = {.tables_count = TABLES_COUNT, .history_max = 64};
    struct device_secrets *secrets = &member->secrets;
    struct signing_key root;
    struct exchange_key recovery;
    uint8_t recovery_seed[SEED_SIZE];

    member_must(secret_start());
    *member = (struct member){.now_ms = UINT64_C(1700000000000) + seed};
    member->entropy = (struct entropy){.fill = member_fill, .self = member};
    member_secret(seed, 0, secrets->signing_seed);
    secrets->has_root = true;
    member_secret(seed, 64, secrets->root_seed);
    member_secret(seed, 96, secrets->static_seed);
    member_secret(seed, 128, secrets->receiving_seed);
    member_secret(seed, 160, secrets->local_key);
    member_secret(seed, 192, recovery_seed);
    identity_exchange_key(recovery_seed, &recovery);
    memcpy(secrets->recovery_public, recovery.public_key, 32);
    identity_signing_key(secrets->root_seed, &root);
    secrets->member = root.public_key;
    (void)snprintf(member->folder, sizeof member->folder, "/tmp/kith-member-XXXXXX");
    if (is_lmdb)
        KITH_ASSERT(mkdtemp(member->folder) != NULL);
    else
        member_must(kv_mem_new(&options, &member->mem));
    member_open_kv(member);
}

void member_new(struct member *member, uint32_t seed, bool is_lmdb)
{
    member_prepare(member, seed, is_lmdb);
    member_must(ledger_create(member->kv, &member->secrets, &member->entropy, span_str("desk"),
                              member->now_ms));
    member_must(ledger_open(member->kv, &member->secrets, &member->entropy, &member->ledger));
}

static void member_certify(struct member *member, const struct member *device)
{
    struct exchange_key statics, receiving;
    struct signing_key signing, root;
    struct id card = member_card_space(member), object;
    struct ledger_txn *txn = member_begin(member);
    struct certificate certificate = {
        .member = member->secrets.member, .time_ms = member->now_ms, .name = span_str("laptop")};
    struct edit_space edit = {0};
    struct buf statement = {0};

    identity_signing_key(device->secrets.signing_seed, &signing);
    identity_exchange_key(device->secrets.static_seed, &statics);
    identity_exchange_key(device->secrets.receiving_seed, &receiving);
    identity_signing_key(member->secrets.root_seed, &root);
    certificate.device = signing.public_key;
    memcpy(certificate.static_key, statics.public_key, KEY_SIZE);
    memcpy(certificate.receiving_key, receiving.public_key, KEY_SIZE);
    member_must(certificate_issue(&certificate, &root, &statement));
    id_about("kith device", &certificate.device, &object);
    edit_begin(&edit, KIND_CERTIFICATE, &object, member->now_ms);
    edit_set(&edit, CERTIFICATE_STATEMENT, 1,
             (struct value){.type = VALUE_BYTES, .bytes = buf_span(&statement)});
    member_must(ledger_append(txn, &card, &edit, 0));
    member_must(react_all(txn));
    member_must(ledger_commit(txn, NULL));
    edit_release(&edit);
    buf_release(&statement);
}

void member_twin(struct member *twin, struct member *of, uint8_t seed)
{
    member_prepare(twin, seed, false);
    memcpy(twin->secrets.root_seed, of->secrets.root_seed, SEED_SIZE);
    memcpy(twin->secrets.local_key, of->secrets.local_key, KEY_SIZE);
    memcpy(twin->secrets.recovery_public, of->secrets.recovery_public, KEY_SIZE);
    twin->secrets.member = of->secrets.member;
    twin->now_ms = of->now_ms;
    member_certify(of, twin);
    member_close(twin);
    kv_mem_free(twin->mem);
    member_must(kv_mem_clone(of->mem, &twin->mem));
    member_open(twin);
}

void member_close(struct member *member)
{
    if (member->ledger != NULL)
        ledger_close(member->ledger);
    kv_close(member->kv);
    member->ledger = NULL;
    member->kv = NULL;
}

void member_open(struct member *member)
{
    member_open_kv(member);
    member_must(ledger_open(member->kv, &member->secrets, &member->entropy, &member->ledger));
}

void member_free(struct member *member)
{
    char path[64];

    member_close(member);
    kv_mem_free(member->mem);
    if (member->mem == NULL) {
        (void)snprintf(path, sizeof path, "%s/data.mdb", member->folder);
        (void)unlink(path);
        (void)snprintf(path, sizeof path, "%s/lock.mdb", member->folder);
        (void)unlink(path);
        (void)rmdir(member->folder);
    }
}

struct ledger_txn *member_begin(struct member *member)
{
    struct ledger_txn *txn;

    member->now_ms += 1000;
    member_must(ledger_begin(member->ledger, member->now_ms, &txn));
    return txn;
}

struct snapshot member_snapshot(struct member *member)
{
    struct snapshot snapshot;

    member_must(ledger_snapshot(member->ledger, &snapshot));
    return snapshot;
}

struct id member_card_space(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    struct space_row card;

    member_must(ledger_own_space(&snapshot, SPACE_CARD, &card));
    ledger_snapshot_end(&snapshot);
    return card.id;
}

size_t member_logs(struct member *member)
{
    struct snapshot snapshot = member_snapshot(member);
    size_t count = 0;

    member_must(ledger_count_rows(&snapshot, TABLE_LOG_ID, span_of(NULL, 0), SIZE_MAX, &count));
    ledger_snapshot_end(&snapshot);
    return count;
}

/* Linking. */

static void member_meet(struct member *member, struct member *other, struct id *out_pair)
{
    struct snapshot theirs = member_snapshot(other);
    struct ledger_txn *txn = member_begin(member);
    struct device_chain chain;
    struct hash next_root;
    struct buf identity = {0};

    member_must(view_identity(&theirs, &identity));
    ledger_snapshot_end(&theirs);
    member_must(device_read_identity(buf_span(&identity), &chain, &next_root));
    member_must(view_device_learn(txn, &chain));
    member_must(space_create(txn, SPACE_PAIR, &other->secrets.member, out_pair));
    member_must(ledger_commit(txn, NULL));
    buf_release(&identity);
}

static struct value member_bytes(const void *bytes, size_t size)
{
    return (struct value){.type = VALUE_BYTES, .bytes = span_of(bytes, size)};
}

static struct value member_number(uint64_t number)
{
    return (struct value){.type = VALUE_NUMBER, .number = number};
}

static void member_hold_link(struct member *member, struct member *other, const struct id *pair_out,
                             const struct id *pair_in)
{
    struct id card_in = member_card_space(other), object;
    struct space_row space = {.writer = other->secrets.member, .reader = member->secrets.member};
    struct ledger_txn *txn = member_begin(member);
    struct edit_space edit = {0};
    uint8_t secret[KEY_SIZE];

    space.id = *pair_in;
    space.kind = SPACE_PAIR;
    member_must(ledger_add_space(txn, &space));
    space = (struct space_row){.id = card_in, .kind = SPACE_CARD, .writer = other->secrets.member};
    member_must(ledger_add_space(txn, &space));
    memset(secret, 5, sizeof secret);
    id_about("kith link", &other->secrets.member, &object);
    edit_begin(&edit, KIND_LINK, &object, member->now_ms);
    edit_set(&edit, LINK_MEMBER, 1, member_bytes(other->secrets.member.bytes, 32));
    edit_set(&edit, LINK_STATE, 1, member_number(LINK_LINKED));
    edit_set(&edit, LINK_LEVEL, 1, member_number(LINK_INVITED));
    edit_set(&edit, LINK_SECRET, 1, member_bytes(secret, KEY_SIZE));
    edit_set(&edit, LINK_PAIR_OUT, 1, member_bytes(pair_out->bytes, ID_SIZE));
    edit_set(&edit, LINK_PAIR_IN, 1, member_bytes(pair_in->bytes, ID_SIZE));
    edit_set(&edit, LINK_CARD_IN, 1, member_bytes(card_in.bytes, ID_SIZE));
    edit_set(&edit, LINK_NAME, 1, member_text("told when linking"));
    member_must(ledger_append(txn, ledger_self_space(member->ledger), &edit, 0));
    member_must(ledger_commit(txn, NULL));
    edit_release(&edit);
}

void member_link(struct member *left, struct member *right)
{
    struct id left_pair, right_pair;

    member_meet(left, right, &left_pair);
    member_meet(right, left, &right_pair);
    member_hold_link(left, right, &left_pair, &right_pair);
    member_hold_link(right, left, &right_pair, &left_pair);
}

void member_grant(struct member *member, const struct member *to)
{
    struct id card = member_card_space(member);
    struct ledger_txn *txn = member_begin(member);

    member_must(space_grant(txn, &card, &to->secrets.member));
    member_must(ledger_commit(txn, NULL));
}

void member_set_link(struct member *member, const struct member *peer, enum link_state state)
{
    const struct id *self = ledger_self_space(member->ledger);
    struct ledger_txn *txn = member_begin(member);
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct edit_space edit = {0};
    struct object link = {0};
    struct id object;
    uint32_t number;

    id_about("kith link", &peer->secrets.member, &object);
    member_must(row_get(&snapshot, self, KIND_LINK, &object, &link, &number));
    edit_begin(&edit, KIND_LINK, &object, member->now_ms);
    edit_set(&edit, LINK_STATE, object_next_counter(&link, LINK_STATE), member_number(state));
    member_must(ledger_append(txn, self, &edit, 0));
    member_must(ledger_commit(txn, NULL));
    object_release(&link);
    edit_release(&edit);
}

/* Writing and reading. */

struct value member_text(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .bytes = span_str(text)};
}

enum err member_write(struct member *member, const struct id *space, uint8_t kind,
                      const struct id *object, uint8_t field, const char *text)
{
    struct edit_space edit = {0};
    struct object known = {0};
    struct snapshot snapshot;
    struct ledger_txn *txn;
    uint32_t number;
    enum err err = ledger_begin(member->ledger, ++member->now_ms, &txn);

    if (err != ERR_OK)
        return err;
    snapshot = ledger_txn_snapshot(txn);
    err = row_get(&snapshot, space, kind, object, &known, &number);
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        edit_begin(&edit, kind, object, member->now_ms);
        edit_set(&edit, field, object_next_counter(&known, field), member_text(text));
        err = ledger_append(txn, space, &edit, 0);
    }
    object_release(&known);
    edit_release(&edit);
    if (err == ERR_OK)
        return ledger_commit(txn, NULL);
    ledger_abort(txn);
    return err;
}

enum err member_name_card(struct member *member, const char *name)
{
    static const struct id only = {{0}};
    struct id card = member_card_space(member);

    return member_write(member, &card, KIND_CARD, &only, CARD_NAME, name);
}

enum err member_add_contact(struct member *member, const char *name, const char *email,
                            struct id *out)
{
    struct edit_space edit = {0};
    struct ledger_txn *txn;
    struct id dot;
    enum err err = ledger_begin(member->ledger, ++member->now_ms, &txn);

    if (err != ERR_OK)
        return err;
    id_draw(&member->entropy, member->now_ms, out);
    id_draw_random(&member->entropy, &dot);
    edit_begin(&edit, KIND_CONTACT, out, member->now_ms);
    edit_set(&edit, CONTACT_NAME, 1, member_text(name));
    if (email != NULL)
        edit_add(&edit, CONTACT_EMAILS, &dot, member_text(email));
    err = ledger_append(txn, ledger_self_space(member->ledger), &edit, 0);
    edit_release(&edit);
    if (err == ERR_OK)
        return ledger_commit(txn, NULL);
    ledger_abort(txn);
    return err;
}

const char *member_read_text(struct member *member, const struct id *space, uint8_t kind,
                             const struct id *object, uint8_t field, char room[static 256])
{
    struct snapshot snapshot = member_snapshot(member);
    struct object known = {0};
    uint32_t number;
    enum err err = row_get(&snapshot, space, kind, object, &known, &number);

    room[0] = '\0';
    if (err == ERR_OK) {
        struct span text = object_text(&known, field);

        KITH_ASSERT(text.size < 256);
        if (text.size > 0)
            memcpy(room, text.data, text.size);
        room[text.size] = '\0';
    }
    object_release(&known);
    ledger_snapshot_end(&snapshot);
    return room;
}

/* Carrying. */

enum err member_fetch(struct member *from, const struct log_id *log, const struct chain *start,
                      struct verified_batch **out)
{
    struct snapshot snapshot = member_snapshot(from);
    struct batch_writer writer = {0};
    uint8_t signature[SIGNATURE_SIZE];
    struct wire_doc doc = {0};
    struct replica replica;
    struct chain end, verified;
    struct buf bytes = {0};
    struct wire wire;
    enum err err;

    replica_of(&snapshot, &replica);
    err = replica.read(replica.self, log, start, &writer, &end, signature);
    if (err == ERR_OK) {
        wire_put_array(&bytes, 2);
        batch_put(&writer, signature, &bytes);
        member_must(buf_err(&bytes));
        from->sent_bytes += bytes.size;
        member_must(wire_open(&doc, buf_span(&bytes), &wire));
        err = batch_verify(&wire, log, start, &verified, out);
    }
    batch_release(&writer);
    wire_release(&doc);
    buf_release(&bytes);
    ledger_snapshot_end(&snapshot);
    return err;
}

struct member_carry {
    struct member *to, *from;
    const struct id *space;
    struct log_id logs[64];
    size_t logs_count;
};

static enum err member_on_log(void *self, const struct replica_log *log)
{
    struct member_carry *carry = self;

    if (!log->is_mine || (carry->space != NULL && !id_is_equal(carry->space, &log->log.space)))
        return ERR_OK;
    KITH_ASSERT(carry->logs_count < sizeof carry->logs / sizeof carry->logs[0]);
    carry->logs[carry->logs_count++] = log->log;
    return ERR_OK;
}

uint64_t member_pull_batch(struct member *to, struct member *from, const struct log_id *log)
{
    struct snapshot snapshot = member_snapshot(to);
    struct verified_batch *batch;
    struct replica replica;
    struct ledger_txn *txn;
    struct replica_log now;
    uint64_t carried;
    enum err accepted;

    replica_of(&snapshot, &replica);
    member_must(replica.tip(replica.self, log, &now));
    accepted = replica.accepts(replica.self, &from->secrets.member, log);
    ledger_snapshot_end(&snapshot);
    if (accepted == ERR_NOT_FOUND || accepted == ERR_STATE) /* Not known yet, or closed. */
        return 0;
    member_must(accepted);
    if (member_fetch(from, log, &now.tip, &batch) != ERR_OK)
        return 0;
    carried = verified_batch_count(batch);
    txn = member_begin(to);
    accepted = ledger_ingest(txn, batch);
    verified_batch_free(batch);
    if (accepted == ERR_STATE) { /* Beyond what counts. */
        ledger_abort(txn);
        return 0;
    }
    member_must(accepted);
    member_must(ledger_commit(txn, NULL));
    return carried;
}

uint64_t member_pull(struct member *to, struct member *from, const struct id *space)
{
    struct snapshot snapshot = member_snapshot(from);
    struct member_carry carry = {.to = to, .from = from, .space = space};
    struct replica replica;
    uint64_t carried = 0;

    replica_of(&snapshot, &replica);
    member_must(replica.logs(replica.self, &to->secrets.member, member_on_log, &carry));
    ledger_snapshot_end(&snapshot);
    for (size_t at = 0; at < carry.logs_count; at++)
        for (uint64_t more = 1; more > 0; carried += more)
            more = member_pull_batch(to, from, &carry.logs[at]);
    return carried;
}

/* Meaning. */

static int member_order_dots(const void *left, const void *right)
{
    return memcmp(((const struct object_dot *)left)->dot.bytes,
                  ((const struct object_dot *)right)->dot.bytes, ID_SIZE);
}

static int member_order_elements(const void *left, const void *right)
{
    const struct object_element *a = left, *b = right;

    return a->field != b->field ? a->field - b->field : span_order(a->value.bytes, b->value.bytes);
}

static int member_order_registers(const void *left, const void *right)
{
    return ((const struct object_register *)left)->field -
           ((const struct object_register *)right)->field;
}

static int member_order_ids(const void *left, const void *right)
{
    return memcmp(left, right, ID_SIZE);
}

/* A sorted copy of an array; the test's memory, never NULL. */
static void *member_sorted(const void *array, size_t count, size_t size,
                           int (*order)(const void *, const void *))
{
    void *copy = calloc(count + 1, size);

    KITH_ASSERT(copy != NULL);
    if (count > 0)
        memcpy(copy, array, count * size);
    qsort(copy, count, size, order);
    return copy;
}

void member_put_meaning(const struct object *object, struct buf *out)
{
    struct object_register *registers = member_sorted(object->registers, object->registers_count,
                                                      sizeof *registers, member_order_registers);
    struct object_element *elements = member_sorted(object->elements, object->elements_count,
                                                    sizeof *elements, member_order_elements);
    struct id *gone =
        member_sorted(object->gone, object->gone_count, sizeof *gone, member_order_ids);

    buf_byte(out, object->kind);
    buf_append(out, span_of(object->id.bytes, ID_SIZE));
    buf_byte(out, object_is_visible(object) ? 1 : 0);
    for (size_t at = 0; at < object->registers_count; at++) {
        buf_byte(out, registers[at].field);
        buf_u64(out, registers[at].counter);
        buf_u64(out, registers[at].value.number);
        buf_append(out, registers[at].value.bytes);
    }
    for (size_t at = 0; at < object->elements_count; at++) {
        struct object_dot *dots = member_sorted(elements[at].dots, elements[at].dots_count,
                                                sizeof *dots, member_order_dots);

        buf_byte(out, elements[at].field);
        buf_append(out, elements[at].value.bytes);
        for (size_t dot = 0; dot < elements[at].dots_count; dot++)
            buf_append(out, span_of(dots[dot].dot.bytes, ID_SIZE));
        free(dots);
    }
    buf_append(out, span_of(gone, object->gone_count * sizeof *gone));
    free(registers);
    free(elements);
    free(gone);
}
