/*
 * Devices that end and devices that follow them, as far as conversations go: what sessions bring of
 * it becomes effects; a caller nobody knows is looked for among all links; and when this node
 * itself has gone over to a successor, everybody is called anew.
 */
#include <string.h>

#include "crypto/secret.h"
#include "node/engine_state.h"
#include "storage/standing.h"

/* Effects. */

void engine_heal_returned(struct engine *engine, struct engine_conn *conn,
                          const struct session_effect *from)
{
    struct engine_effect *effect = engine_effect(engine, ENGINE_RETURNED, conn->id);

    if (effect == NULL) {
        returned_free(from->returned.returned);
        return;
    }
    effect->returned.ticket = tickets_draw(&engine->tickets, conn->id, from->returned.ticket);
    effect->returned.returned = from->returned.returned;
    effect->returned.member = conn->member;
    memcpy(effect->returned.handshake_hash, conn->handshake_hash, HASH_SIZE);
    if (effect->returned.ticket == 0)
        engine->is_failed = true;
}

void engine_heal_facts(struct engine *engine, struct engine_conn *conn, struct span facts)
{
    struct engine_effect *effect = engine_effect(engine, ENGINE_FACTS, conn->id);

    if (effect == NULL)
        return;
    effect->facts.list = facts;
    effect->facts.member = conn->member;
    memcpy(effect->facts.handshake_hash, conn->handshake_hash, HASH_SIZE);
}

void engine_heal_rebase(struct engine *engine, struct engine_conn *conn,
                        const struct session_effect *from)
{
    struct engine_effect *effect = engine_effect(engine, ENGINE_REBASE, conn->id);

    if (effect == NULL)
        return;
    effect->rebase.log = from->delivered.log;
    effect->rebase.size = from->delivered.size;
}

enum standing engine_heal_standing(struct engine *engine, const struct public_key *device,
                                   const struct public_key *member)
{
    enum standing standing = STANDING_GOOD;
    struct device_row row;

    if (!engine_look(engine) || standing_of(&engine->snapshot, device, &standing) != ERR_OK)
        return STANDING_GOOD;
    /* What another member said of a device that is not proven to be theirs (CERT-6). */
    if (standing != STANDING_GOOD && view_device(&engine->snapshot, device, &row) == ERR_OK &&
        !public_key_is_equal(&row.member, member))
        return STANDING_GOOD;
    return standing;
}

bool engine_heal_is_retired(struct engine *engine, const struct public_key *device)
{
    enum standing standing = STANDING_GOOD;

    return engine_look(engine) && standing_of(&engine->snapshot, device, &standing) == ERR_OK &&
           standing != STANDING_GOOD;
}

/* That this device was retired may have come in a log, from another device of the member or through
 * a peer: whoever stores facts looks whether a successor is due, so some are stored that say
 * nothing. */
void engine_heal_look(struct engine *engine)
{
    struct engine_conn *conn = engine->conns;
    enum standing standing = STANDING_GOOD;

    if (!engine_look(engine) ||
        standing_of(&engine->snapshot, ledger_device(engine->ledger), &standing) != ERR_OK ||
        standing != STANDING_FORKED)
        return;
    while (conn != NULL && (conn->state != CONN_SESSION || !conn->is_confirmed))
        conn = conn->next;
    if (conn != NULL)
        engine_heal_facts(engine, conn, span_of(NULL, 0));
}

/* PROTOCOL STOLEN-16: "A session with a device that turns out to be void lasts for up to a minute
 * more as long as that is not sure (STOLEN-7)" A minute in the whole of its life. */
static bool engine_heal_doubts(struct engine *engine, struct engine_conn *conn,
                               enum standing standing)
{
    struct session_event doubted = {.type = SESSION_DOUBTED};
    uint64_t over_at_ms;
    bool is_sure = true;

    if (standing == STANDING_VOID && !conn->is_out &&
        standing_is_sure(&engine->snapshot, &conn->device, &is_sure) != ERR_OK)
        is_sure = true;
    if (is_sure && conn->doubted_at_ms == 0)
        return false;
    if (conn->doubted_at_ms == 0)
        conn->doubted_at_ms = engine->now_ms;
    doubted.is_doubted = standing_is_out(standing); /* Until it is good, or parted from below. */
    engine_talk_event(engine, conn, &doubted);
    over_at_ms = conn->doubted_at_ms + ENGINE_DOUBT_MS;
    if (is_sure || engine->now_ms >= over_at_ms)
        return false;
    engine_wake_by(engine, over_at_ms);
    return true;
}

/* PROTOCOL FACT-1: "One that is retired as forked, or given up, while a session with it lasts is
 * told at once. With one that is shut out the session ends then." PROTOCOL STOLEN-8: "A stolen or
 * void device gets no answer from anybody who knows." One that was out from the beginning stays,
 * where it may. */
void engine_heal_part_from(struct engine *engine, struct engine_conn *conn)
{
    enum standing standing = engine_heal_standing(engine, &conn->device, &conn->member);
    struct session_event retired = {.type = SESSION_RETIRED, .is_out = standing_is_out(standing)};
    struct session_event stop = {.type = SESSION_STOP, .stop = BYE_DONE};

    if (engine_heal_doubts(engine, conn, standing))
        return;
    if (standing == STANDING_FORKED || standing == STANDING_OWNER)
        engine_talk_event(engine, conn, &retired);
    if (conn->state == CONN_SESSION && standing_is_out(standing) &&
        (!conn->is_out || engine_sibling_is(engine, &conn->member)))
        engine_talk_event(engine, conn, &stop);
}

void engine_heal_part(struct engine *engine)
{
    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next)
        if (conn->state == CONN_SESSION && conn->role == SESSION_PEER)
            engine_heal_part_from(engine, conn);
}

/* Callers nobody knows. */

struct engine_heal_search {
    struct engine *engine;
    struct engine_conn *conn;
    struct span third;
    const uint8_t *static_key;
    struct buf *content;
    struct handshake_result *result;
    struct device_chain chain;
    bool is_found;
};

/* The secret was the right one: is the chain, too? It leads to a device of this link's member, with
 * the key that message 3 revealed. */
static enum err engine_heal_check(struct engine_heal_search *search,
                                  const struct public_key *member)
{
    struct hash next_root;
    enum err err = device_read_identity(buf_span(search->content), &search->chain, &next_root);

    for (size_t at = 0; err == ERR_OK && at < search->chain.count; at++) {
        bool is_void = false;

        err = standing_of_certificate(&search->engine->snapshot, &search->chain.certificates[at],
                                      NULL, &is_void);
        if (err == ERR_OK &&
            (is_void || engine_heal_standing(search->engine, &search->chain.certificates[at].device,
                                             &search->chain.member) >= STANDING_STOLEN))
            err = ERR_FORGED;
    }
    if (err == ERR_OK &&
        (!public_key_is_equal(&search->chain.member, member) ||
         memcmp(device_of(&search->chain)->static_key, search->static_key, KEY_SIZE) != 0))
        err = ERR_FORGED;
    search->is_found = err == ERR_OK;
    return err == ERR_NOMEM ? err : ERR_CANCELLED;
}

static enum err engine_heal_on_peer(void *self, const struct peer *peer)
{
    struct engine_heal_search *search = self;
    enum err err;

    if (peer->state != LINK_LINKED || !peer->has_secret || !peer->has_pair_in)
        return ERR_OK;
    err = handshake_try_psk(search->conn->handshake, search->third, peer->secret, search->content,
                            search->result);
    if (err == ERR_OK)
        memcpy(search->conn->psk, peer->secret, KEY_SIZE);
    if (err == ERR_FORGED && peer->has_secret_old)
        err = handshake_try_psk(search->conn->handshake, search->third, peer->secret_old,
                                search->content, search->result);
    if (err == ERR_FORGED || err == ERR_MALFORMED)
        return ERR_OK;
    return err == ERR_OK ? engine_heal_check(search, &peer->member) : err;
}

static void engine_heal_tell(struct engine *engine, struct engine_conn *conn)
{
    struct engine_effect *effect = engine_effect(engine, ENGINE_MEET, conn->id);

    if (effect != NULL)
        effect->identity = buf_span(&conn->identity);
}

/* PROTOCOL HANDSHAKE-9: "A static key that belongs to no known device is looked for among the link
 * secrets of all members, where message 3 carries an identity: the one that fits names the member,
 * and the chain must lead from its root to that key. One place causes at most eight such searches,
 * and one more every 30 s; all places together 64, and one more a second." */
enum err engine_heal_search(struct engine *engine, struct engine_conn *conn, struct span third,
                            const uint8_t static_key[static KEY_SIZE], struct buf *content,
                            struct handshake_result *result)
{
    struct engine_heal_search search = {.engine = engine,
                                        .conn = conn,
                                        .third = third,
                                        .static_key = static_key,
                                        .content = content,
                                        .result = result};
    enum err err;

    if (third.size != HANDSHAKE_THIRD_LARGE ||
        !strangers_may_search(engine->strangers, &conn->address, engine->now_ms))
        return ERR_FORGED;
    err = engine_sibling_search(engine, conn, third, content, result);
    if (err == ERR_OK)
        err = engine_heal_check(&search, ledger_member(engine->ledger));
    else if (err == ERR_FORGED)
        err = view_peer_each(&engine->snapshot, engine_heal_on_peer, &search);
    if (err != ERR_OK && err != ERR_CANCELLED)
        return err;
    if (!search.is_found)
        return ERR_FORGED;
    conn->member = search.chain.member;
    conn->device = device_of(&search.chain)->device;
    if (engine_call_is_banned(engine, &conn->device, &conn->member))
        return ERR_FORGED;
    buf_clear(&conn->identity);
    buf_append(&conn->identity, buf_span(content));
    if (buf_err(&conn->identity) != ERR_OK)
        return ERR_NOMEM;
    engine_heal_tell(engine, conn);
    return ERR_OK;
}

/* PROTOCOL HANDSHAKE-10: "A caller who knows only a device that has a successor is answered under
 * that device's static key, and told the facts about both before all else." */
enum err engine_heal_answer(struct engine *engine, struct engine_conn *conn, struct span first)
{
    const struct exchange_key *key = ledger_static_key(engine->ledger);
    const struct entropy *entropy = ledger_entropy(engine->ledger);
    enum err err = handshake_answer(conn->handshake, key, first, entropy, &conn->out);

    for (size_t at = 0; err == ERR_FORGED; at++) {
        key = ledger_old_static_key(engine->ledger, at);
        if (key == NULL)
            return err;
        buf_clear(&conn->out);
        err = handshake_answer(conn->handshake, key, first, entropy, &conn->out);
        conn->is_called_by_old_name = err == ERR_OK;
        memcpy(conn->called, key->public_key, KEY_SIZE);
    }
    return err;
}

enum err engine_heal_old_name(struct engine *engine, struct engine_conn *conn,
                              struct session_options *options, struct buf *identity)
{
    const struct device_secrets *secrets = ledger_secrets(engine->ledger);
    struct span statements[VIEW_CHAIN_MAX];
    struct device_row row;
    size_t count = 0;
    enum err err = view_device_by_static(&engine->snapshot, conn->called, &row);

    if (err == ERR_OK)
        err = view_device_chain(&engine->snapshot, &row.device, statements, &count);
    if (err != ERR_OK)
        return err;
    options->called_device = row.device;
    options->own_device = *ledger_device(engine->ledger);
    options->is_called_by_old_name = true;
    if (conn->role == SESSION_INVITER)
        device_put_identity(&secrets->member, &secrets->next_root_hash, statements, count,
                            identity);
    return buf_err(identity);
}

/* Does this member hold my certificate? A member that has stored my card's log does. */
bool engine_heal_is_known(struct engine *engine, const struct public_key *member)
{
    struct space_row card;
    struct log_id log;
    uint64_t size = 0;

    if (ledger_own_space(&engine->snapshot, SPACE_CARD, &card) != ERR_OK)
        return false;
    log = (struct log_id){.space = card.id, .device = *ledger_device(engine->ledger)};
    return view_delivered_size(&engine->snapshot, member, &log, &size) == ERR_OK && size > 0;
}

/* A successor. */

void engine_heal_succeeded(struct engine *engine, struct ledger *ledger)
{
    struct session_event stop = {.type = SESSION_STOP, .stop = BYE_REPLACED};

    for (struct engine_conn *conn = engine->conns; conn != NULL; conn = conn->next) {
        if (conn->state == CONN_SESSION)
            engine_talk_event(engine, conn, &stop);
        else
            engine_close(engine, conn);
    }
    if (engine->has_snapshot)
        ledger_snapshot_end(&engine->snapshot);
    engine->has_snapshot = false;
    engine->ledger = ledger;
    engine_note_own(engine);
    if (engine_call_reload(engine) != ERR_OK)
        engine->is_failed = true;
    engine_call_now(engine, NULL);
}
