/* A row for each writer, beside the endorsements: theirs were counted first. Rows of older stores
 * have the count alone. */
#include "storage/dropped.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "storage/agenda.h"
#include "storage/endorsement_state.h"
#include "storage/journal.h"
#include "storage/ledger_state.h"
#include "storage/view_peer.h"

enum { DROPPED_OLD_SIZE = 8, DROPPED_SIZE = 3 * 8 + 1, DROPPED_TELL_MS = 24 * 3600 * 1000 };

enum err dropped_of(const struct snapshot *snapshot, const struct public_key *writer,
                    struct dropped *out)
{
    struct span value;
    struct key key;
    enum err err;

    *out = (struct dropped){.count = 0};
    endorsement_key(SORT_DROPPED, writer, &key);
    err = ledger_get(snapshot, TABLE_ENDORSEMENT, &key, &value);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    if (value.size != DROPPED_OLD_SIZE && value.size != DROPPED_SIZE)
        return ERR_CORRUPT;
    out->count = be64(value.data);
    if (value.size == DROPPED_SIZE) {
        out->told = be64(value.data + 8);
        out->told_ms = be64(value.data + 16);
        out->newest = value.data[24];
    }
    return ERR_OK;
}

static enum err dropped_put(struct ledger_txn *txn, const struct public_key *writer,
                            const struct dropped *dropped)
{
    uint8_t value[DROPPED_SIZE];
    struct key key;

    be64_put(value, dropped->count);
    be64_put(value + 8, dropped->told);
    be64_put(value + 16, dropped->told_ms);
    value[24] = dropped->newest;
    endorsement_key(SORT_DROPPED, writer, &key);
    return ledger_put(txn, TABLE_ENDORSEMENT, &key, span_of(value, sizeof value));
}

/* PROTOCOL DROP-1: "What breaks a rule of what a space may hold is passed over and counted against
 * the writer of the space;" */
enum err dropped_add(struct ledger_txn *txn, const struct space_row *space,
                     enum dropped_reason reason)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct dropped dropped;
    enum err err;

    if (space->is_mine)
        return ERR_OK;
    err = dropped_of(&snapshot, &space->writer, &dropped);
    if (err != ERR_OK)
        return err;
    dropped.count++;
    dropped.newest = (uint8_t)reason;
    err = dropped_put(txn, &space->writer, &dropped);
    return err == ERR_OK ? agenda_put(txn, AGENDA_NOW, KIND_DROPPED,
                                      span_of(space->writer.bytes, sizeof space->writer.bytes))
                         : err;
}

static const char *dropped_sentence(uint8_t reason)
{
    switch ((enum dropped_reason)reason) {
    case DROPPED_ENDORSEMENT:
        return "an endorsement that is forged, too long, or not theirs to show";
    case DROPPED_INTRODUCTION:
        return "something about an introduction that is forged, too much, or about none I know";
    case DROPPED_REPLY:
        return "a reply or an answer that is none";
    case DROPPED_ENTRY:
        break;
    }
    return "something that cannot be read";
}

/* PROTOCOL DROP-1: "the reader's owner is told, with the newest reason, at most once in a day." */
enum err dropped_look(struct ledger_txn *txn, struct span name)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct journal_row row = {.at_ms = ledger_txn_now_ms(txn), .kind = span_str("refused")};
    struct peer *peer = secret_new(sizeof *peer);
    struct public_key writer;
    struct dropped dropped = {.count = 0};
    uint64_t news;
    char text[200];
    enum err err = peer != NULL ? ERR_OK : ERR_NOMEM;

    if (err == ERR_OK && name.size == sizeof writer.bytes) {
        memcpy(writer.bytes, name.data, sizeof writer.bytes);
        err = dropped_of(&snapshot, &writer, &dropped);
    }
    news = dropped.count - dropped.told;
    if (err != ERR_OK || news == 0)
        goto out;
    if (dropped.told_ms != 0 && row.at_ms < dropped.told_ms + DROPPED_TELL_MS) {
        err = agenda_put(txn, dropped.told_ms + DROPPED_TELL_MS, KIND_DROPPED, name);
        goto out;
    }
    err = view_peer(&snapshot, &writer, peer);
    if (err == ERR_OK)
        row.who = span_str(peer->alias[0] != '\0' ? peer->alias : peer->name);
    (void)snprintf(text, sizeof text,
                   "handed over what %s refused, %" PRIu64 " in all; the newest is %s",
                   news == 1 ? "was" : "were", news, dropped_sentence(dropped.newest));
    row.text = span_str(text);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        err = journal_add(txn, &row);
    dropped.told = dropped.count;
    dropped.told_ms = row.at_ms;
    if (err == ERR_OK)
        err = dropped_put(txn, &writer, &dropped);

out:
    secret_free(peer);
    return err;
}
