/* See flood.h. */
#include "tests/sim/flood.h"

#include "node/credential.h"
#include "proto/endorsement.h"
#include "proto/statement.h"
#include "tests/sim/world.h"

enum { FLOOD_A_COMMIT = 200 };

void flood_record(struct member *issuer, const struct public_key *subject,
                  const struct flood_record *record, struct buf *out)
{
    struct endorsement said = {.issuer = issuer->secrets.member,
                               .subject = *subject,
                               .relation = RELATION_CLIENT,
                               .about = {span_str("stairs")},
                               .about_count = 1,
                               .words = span_str(record->words),
                               .issued_s = record->issued_s,
                               .expires_s = record->issued_s + 700 * 86400,
                               .ceiling = AUDIENCE_NETWORK,
                               .name = span_str("Somebody")};

    endorsement_draw_id(&issuer->entropy, issuer->now_ms, &said.id);
    if (record->is_proved)
        world_must(credential_prove(&said, ledger_root_key(issuer->ledger)));
    world_must(endorsement_issue(&said, ledger_root_key(issuer->ledger), out));
}

static void flood_put(struct ledger_txn *txn, const struct id *space, uint8_t kind,
                      const struct id *object, uint8_t field, struct span bytes)
{
    struct value value = {.type = VALUE_BYTES, .bytes = bytes};
    struct edit_space edit = {0};

    edit_begin(&edit, kind, object, ledger_txn_now_ms(txn));
    edit_set(&edit, field, 1, value);
    world_must(ledger_append(txn, space, &edit, 0));
    edit_release(&edit);
}

void flood_offer(struct member *issuer, const struct member *subject, const struct flood *flood)
{
    struct id card = member_card_space(issuer), object;
    struct ledger_txn *txn = NULL;
    struct flood_record said = {.words = "The same, and the same, and the same again.",
                                .issued_s = flood->issued_s};
    struct buf record = {0};
    struct hash hash;
    struct peer peer;

    KITH_ASSERT(meeting_peer(issuer, subject, &peer));
    for (size_t at = 0; at < flood->count; at++) {
        if (txn == NULL)
            txn = member_begin(issuer);
        buf_clear(&record);
        flood_record(issuer, &subject->secrets.member, &said, &record);
        said.issued_s++;
        statement_id(buf_span(&record), &object);
        statement_hash(buf_span(&record), &hash);
        flood_put(txn, &peer.pair_out, KIND_ENDORSEMENT, &object, ENDORSEMENT_STATEMENT,
                  buf_span(&record));
        if (flood->is_revoked)
            flood_put(txn, &card, KIND_REVOKED, &object, REVOKED_HASH,
                      span_of(hash.bytes, HASH_SIZE));
        if ((at + 1) % FLOOD_A_COMMIT != 0 && at + 1 < flood->count)
            continue;
        world_must(ledger_commit(txn, NULL));
        txn = NULL;
    }
    buf_release(&record);
}
