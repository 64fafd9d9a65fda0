/* The knock: drawn anew when somebody is removed, and told to those who stay. */
#include <string.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "proto/link.h"
#include "storage/agenda.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "storage/running.h"
#include "storage/space.h"
#include "storage/view_peer.h"

/* PROTOCOL SELF-4: "Each knock that is drawn stands there." Where it is told goes with it: older
 * ones are answered until that is acknowledged. */
static enum err space_record_knock(struct ledger_txn *txn, const struct space_row *card,
                                   const uint8_t knock[static KEY_SIZE])
{
    const struct public_key *device = ledger_device(txn->ledger);
    struct edit_space edit = {0};
    struct moment now = {0};
    struct log_row log;
    struct id object;
    enum err err = log_table_now(txn, card, device, &log);

    if (err == ERR_OK)
        err = running_moment(txn, &now);

    id_draw(&txn->ledger->entropy, txn->now_ms, &object);
    edit_begin(&edit, KIND_KNOCK, &object, txn->now_ms);
    edit_set(&edit, KNOCK_KEY, 1,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(knock, KEY_SIZE)});
    edit_set(&edit, KNOCK_CREATED, 1, (struct value){.type = VALUE_NUMBER, .number = txn->now_ms});
    edit_set(&edit, KNOCK_TOLD, 1, (struct value){.type = VALUE_NUMBER, .number = log.tip.size});
    edit_set(&edit, KNOCK_DEVICE, 1,
             (struct value){.type = VALUE_BYTES, .bytes = span_of(device->bytes, 32)});
    edit_set(&edit, KNOCK_RUNNING, 1,
             (struct value){.type = VALUE_NUMBER, .number = now.running_ms + 1});
    if (err == ERR_OK)
        err = ledger_append(txn, &txn->ledger->self_space, &edit, 0);
    edit_release(&edit);
    return err;
}

enum err space_renew_knock(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    static const struct id only = {{0}};
    uint8_t knock[KEY_SIZE];
    struct edit_space edit = {0};
    struct object door = {0};
    struct space_row card;
    uint32_t number;
    enum err err = ledger_own_space(&snapshot, SPACE_CARD, &card);

    if (err == ERR_OK)
        err = row_get(&snapshot, &card.id, KIND_DOOR, &only, &door, &number);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    entropy_fill(&txn->ledger->entropy, knock, sizeof knock);
    edit_begin(&edit, KIND_DOOR, &only, txn->now_ms);
    edit_set(&edit, DOOR_KNOCK, object_next_counter(&door, DOOR_KNOCK),
             (struct value){.type = VALUE_BYTES, .bytes = span_of(knock, KEY_SIZE)});
    err = ledger_append(txn, &card.id, &edit, 0);
    if (err == ERR_OK)
        err = space_record_knock(txn, &card, knock);
    object_release(&door);
    edit_release(&edit);
    secret_wipe(knock, sizeof knock);
    return err;
}

struct space_knocks {
    size_t count;
    uint64_t newest_ms;
};

static enum err space_on_knock(void *self, uint32_t number, const struct object *knock)
{
    struct space_knocks *knocks = self;
    uint64_t created = object_number(knock, KNOCK_CREATED);

    (void)number;
    knocks->count++;
    if (created > knocks->newest_ms)
        knocks->newest_ms = created;
    return ERR_OK;
}

/* PROTOCOL KNOCK-6: "Removals within a day of one another share one: the first draws it at once,
 * the others when a day has passed since." The knock of the beginning is none of these. */
enum err space_renew_knock_soon(struct ledger_txn *txn)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_knocks knocks = {0};
    enum err err =
        row_each(&snapshot, ledger_self_space(txn->ledger), KIND_KNOCK, space_on_knock, &knocks);

    if (err != ERR_OK)
        return err;
    if (knocks.count < 2 || knocks.newest_ms > txn->now_ms ||
        txn->now_ms - knocks.newest_ms >= RUNNING_DAY_MS)
        return space_renew_knock(txn);
    return agenda_put(txn, knocks.newest_ms + RUNNING_DAY_MS, KIND_KNOCK, span_of(NULL, 0));
}

enum err space_tend_knock(struct ledger_txn *txn, struct span name)
{
    (void)name;
    return space_renew_knock_soon(txn);
}
