/* The two spaces somebody tells when a link is made: checked, and made known. */
#include "node/link.h"

#include "storage/ledger.h"

static enum err link_check_space(const struct snapshot *snapshot, const struct id *id,
                                 enum space_kind kind, const struct public_key *writer)
{
    struct space_row row;
    enum err err = ledger_space(snapshot, id, &row);

    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    return err == ERR_OK && (row.kind != kind || !public_key_is_equal(&row.writer, writer))
               ? ERR_FORGED
               : err;
}

/* PROTOCOL LINK-7: "The spaces that a link message or a hello tells are two, and each is new to its
 * reader or known as that space of its sender." */
enum err link_check_spaces(const struct snapshot *snapshot, const struct public_key *member,
                           const struct id *pair, const struct id *card)
{
    enum err err = id_is_equal(pair, card) ? ERR_FORGED : ERR_OK;

    if (err == ERR_OK)
        err = link_check_space(snapshot, pair, SPACE_PAIR, member);
    return err == ERR_OK ? link_check_space(snapshot, card, SPACE_CARD, member) : err;
}

/* Their spaces get local numbers, so that batches of them are known when they come. */
enum err link_add_spaces(struct ledger_txn *txn, const struct public_key *member,
                         const struct link_message *message)
{
    struct snapshot snapshot = ledger_txn_snapshot(txn);
    struct space_row pair = {.id = message->pair_space,
                             .kind = SPACE_PAIR,
                             .writer = *member,
                             .reader = *ledger_member(snapshot.ledger)};
    struct space_row card = {.id = message->card_space, .kind = SPACE_CARD, .writer = *member};
    enum err err = link_check_spaces(&snapshot, member, &pair.id, &card.id);

    if (err == ERR_OK)
        err = ledger_add_space(txn, &pair);
    return err == ERR_OK ? ledger_add_space(txn, &card) : err;
}
