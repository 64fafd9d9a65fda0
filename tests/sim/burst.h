/*
 * Many edits of a card at once, and a restatement behind them: logs as long as years make them.
 */
#ifndef KITH_TESTS_SIM_BURST_H
#define KITH_TESTS_SIM_BURST_H

#include "storage/ledger.h"

struct burst {
    uint64_t edits;
    bool is_restated;
};

/* The card's title, again and again; what is a struct burst. */
MUST_USE enum err burst_write(void *what, struct ledger_txn *txn);

#endif
