#include "tests/sim/burst.h"

#include <stdio.h>

#include "proto/card.h"
#include "proto/kind.h"
#include "storage/restate.h"
#include "storage/row.h"

enum err burst_write(void *what, struct ledger_txn *txn)
{
    const struct burst *burst = what;
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    const struct id only = {{0}};
    struct edit_space edit = {0};
    struct object card = {0};
    struct space_row space;
    uint64_t counter = 0;
    uint32_t number;
    bool may_restate = false;
    enum err err = ledger_own_space(&snapshot, SPACE_CARD, &space);

    if (err == ERR_OK)
        err = row_get(&snapshot, &space.id, KIND_CARD, &only, &card, &number);
    if (err == ERR_OK && object_register(&card, CARD_TITLE) != NULL)
        counter = object_register(&card, CARD_TITLE)->counter;
    object_release(&card);
    if (err == ERR_NOT_FOUND)
        err = ERR_OK;
    for (uint64_t at = 0; err == ERR_OK && at < burst->edits; at++) {
        char text[24];

        (void)snprintf(text, sizeof text, "title %u", (unsigned)at);
        edit_begin(&edit, KIND_CARD, &only, ledger_txn_now_ms(txn));
        edit_set(&edit, CARD_TITLE, ++counter,
                 (struct value){.type = VALUE_TEXT, .bytes = span_str(text)});
        err = ledger_append(txn, &space.id, &edit, 0);
    }
    edit_release(&edit);
    if (err == ERR_OK && burst->is_restated)
        err = restate_may_be_made(txn, &space, &may_restate);
    return err == ERR_OK && may_restate ? restate_space(txn, &space.id) : err;
}
