/* See asking.h. */
#include "tests/sim/asking.h"

#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "node/amend.h"
#include "storage/follow.h"

static void asking_write(struct ledger_txn *txn, const struct asking_post *post,
                         struct ask_pass *out, struct buf *body, struct buf *author,
                         uint8_t seed[static SEED_SIZE])
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct public_key *me = ledger_member(snapshot.ledger);
    struct span parts[2] = {span_of(me->bytes, 32), span_str(post->title)};
    uint8_t salt[ASK_SALT_SIZE] = {6};
    struct signing_key *key = secret_new(sizeof *key);
    struct exchange_key *reply = secret_new(sizeof *reply);
    struct buf identity = {0};
    struct hash hash;
    struct ask ask = {.sort = ASK_SORT_ASK,
                      .naming = post->naming,
                      .hop_limit = post->hop_limit,
                      .title = span_str(post->title),
                      .text = span_str("Text."),
                      .keep = post->keep};

    KITH_ASSERT(key != NULL && reply != NULL);
    digest("kith test", parts, 2, &hash);
    memcpy(seed, hash.bytes, SEED_SIZE);
    identity_signing_key(seed, key);
    ask.key = key->public_key;
    secret_free(key);
    identity_exchange_key(seed, reply);
    memcpy(ask.reply_key, reply->public_key, sizeof ask.reply_key);
    secret_free(reply);
    ask.issued_ms = ledger_txn_now_ms(txn);
    ask.expires_ms = ask.issued_ms + post->days * MS_PER_DAY;
    ask.expires_ms -= ask.expires_ms % 1000;
    ask_author(salt, me, &ask.author);
    KITH_ASSERT(ask_write(&ask, body) == ERR_OK);
    *out =
        (struct ask_pass){.body = buf_span(body), .ask = ask, .secret = span_of(seed, SEED_SIZE)};
    ask_hash(&ask.key, out->body, &out->hash);
    ask_id(&out->hash, &out->id);
    KITH_ASSERT(view_identity(&snapshot, &identity) == ERR_OK);
    KITH_ASSERT(ask_author_write(salt, &out->hash, span_str("The author"),
                                 ledger_signing_key(snapshot.ledger), buf_span(&identity),
                                 author) == ERR_OK);
    out->author = post->naming == ASK_NAMED_ON_REQUEST ? span_of(NULL, 0) : buf_span(author);
    buf_release(&identity);
}

static void asking_keep(struct ledger_txn *txn, const struct ask_pass *own)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct amend amend;

    amend_begin(&amend, txn, ledger_self_space(snapshot.ledger), KIND_ASK, &own->id);
    amend_bytes(&amend, ASK_BODY, own->body);
    amend_bytes(&amend, ASK_SECRET, own->secret);
    amend_bytes(&amend, ASK_REPLY_SECRET, own->secret);
    if (own->author.size > 0)
        amend_bytes(&amend, ASK_AUTHOR_PART, own->author);
    KITH_ASSERT(amend_end(&amend, NULL) == ERR_OK);
}

void asking_post(const struct asking_post *post, struct member *const *to, struct id *out_id)
{
    struct ledger_txn *txn = member_begin(post->author);
    struct buf body = {0}, author = {0};
    uint8_t seed[SEED_SIZE];
    struct ask_pass own;

    asking_write(txn, post, &own, &body, &author, seed);
    asking_keep(txn, &own);
    for (size_t at = 0; to[at] != NULL; at++) {
        struct ask_gift gift = {.held = &own, .to = &to[at]->secrets.member};

        KITH_ASSERT(ask_give(txn, &gift) == ERR_OK);
    }
    KITH_ASSERT(ledger_commit(txn, NULL) == ERR_OK);
    *out_id = own.id;
    buf_release(&body);
    buf_release(&author);
}

void asking_bytes(struct member *member, const struct id *id, struct buf *out)
{
    struct snapshot snapshot = member_snapshot(member);
    struct buf plain = {0};
    struct ask_route route;
    struct span bytes;

    KITH_ASSERT(view_ask_route(&snapshot, id, &route) == ERR_OK);
    KITH_ASSERT(view_ask_said(&snapshot, &route, &plain, &bytes) == ERR_OK);
    buf_clear(out);
    buf_append(out, bytes);
    view_ask_wipe(&plain);
    ledger_snapshot_end(&snapshot);
}

void asking_say(struct member *member, const struct member *to, uint8_t kind, struct span bytes,
                uint64_t expires_ms)
{
    static const uint8_t any =
        126; /* No kind's number: what is written under it is not looked at. */
    struct value value = {.type = VALUE_BYTES, .bytes = bytes};
    struct peer *link = secret_new(sizeof *link);
    struct edit_space edit = {0};
    struct buf plain = {0};
    struct ledger_txn *txn;
    struct id id;

    KITH_ASSERT(link != NULL && meeting_peer(member, to, link) && kind_find(any) == NULL);
    statement_id(bytes, &id);
    edit_begin(&edit, any, &id, member->now_ms);
    edit_set(&edit, KIND_STATEMENT_FIELD, 1, value);
    KITH_ASSERT(edit_write(&edit, &plain) == ERR_OK && plain.data[1] == any);
    plain.data[1] = kind;
    txn = member_begin(member);
    KITH_ASSERT(ledger_append_plain(txn, &link->pair_out, buf_span(&plain), expires_ms / 1000) ==
                ERR_OK);
    KITH_ASSERT(ledger_commit(txn, NULL) == ERR_OK);
    edit_release(&edit);
    buf_release(&plain);
    secret_free(link);
}

static json_t *asking_params(const struct id *id)
{
    char text[ID_TEXT_SIZE];

    hex_write(span_of(id->bytes, ID_SIZE), text);
    return json_pack("{s:s}", "id", text);
}

enum op_code asking_pass(struct member *member, const struct id *id, const char *to)
{
    json_t *params = asking_params(id);
    enum op_code code;

    (void)json_object_set_new(params, "to", json_pack("[s]", to));
    json_decref(meeting_op(member, "ask.pass", params, &code));
    return code;
}

json_t *asking_show(struct member *member, const struct id *id)
{
    enum op_code code;

    return meeting_op(member, "ask.show", asking_params(id), &code);
}

const char *asking_state(struct member *member, const struct id *id, char room[static 32])
{
    json_t *shown = asking_show(member, id);
    const char *state = json_string_value(json_object_get(shown, "state"));

    (void)snprintf(room, 32, "%s", state != NULL ? state : "");
    json_decref(shown);
    return room;
}

static size_t asking_log(struct member *member, const char *kind, char *out_last, size_t size)
{
    json_t *log = meeting_op(member, "log", json_object(), NULL), *row;
    size_t at, count = 0;

    json_array_foreach(json_object_get(log, "events"), at, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "kind")), kind) != 0)
            continue;
        (void)snprintf(out_last, size, "%s", json_string_value(json_object_get(row, "text")));
        count++;
    }
    json_decref(log);
    return count;
}

size_t asking_told(struct member *member, const char *kind)
{
    char last[16];

    return asking_log(member, kind, last, sizeof last);
}

bool asking_last_says(struct member *member, const char *kind, const char *text)
{
    char last[700] = "";

    (void)asking_log(member, kind, last, sizeof last);
    return strstr(last, text) != NULL;
}

void asking_wait(struct member *member, uint64_t ms, bool is_wall)
{
    struct ledger_txn *txn = member_begin(member);

    if (!is_wall) {
        KITH_ASSERT(running_advance(txn, 1) == ERR_OK); /* Only takes its reading. */
        KITH_ASSERT(running_advance(txn, 1 + ms) == ERR_OK);
    }
    KITH_ASSERT(ledger_commit(txn, NULL) == ERR_OK);
    member_close(member);
    member_open(member);
    member->now_ms += ms;
    meeting_tick(member);
}
