/* What breaks a rule of a session, and that the rule is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "tests/sim/session_pair.h"

static void rule_put_one_batch(struct session_pair *pair, uint32_t alias, bool is_forged,
                               struct buf *out)
{
    struct log_id id = session_pair_log(pair, ANA, ANA_PAIR);
    struct replica replica = replica_mem_replica(&pair->sides[ANA].replica);
    struct batch_writer writer = {0};
    uint8_t signature[SIGNATURE_SIZE];
    struct chain start, end;

    if (replica_mem_size(&pair->sides[ANA].replica, &id) == 0)
        assert_int_equal(replica_mem_append(&pair->sides[ANA].replica, &id.space,
                                            pair->sides[ANA].device, 1, 1000, 1),
                         ERR_OK);
    chain_begin(&id, &start);
    assert_int_equal(replica.read(replica.self, &id, &start, &writer, &end, signature), ERR_OK);
    if (is_forged)
        signature[0] ^= 1;
    message_put_batch(alias, &start, &writer, signature, out);
    batch_release(&writer);
}

static void rule_put_one_log(struct session_pair *pair, uint32_t alias, struct buf *out)
{
    struct log_id id = session_pair_log(pair, ANA, ANA_PAIR);

    message_put_log(alias, &id, out);
}

static void rule_put_garbage(struct session_pair *pair, struct buf *out)
{
    (void)pair;
    buf_u32(out, 1);
    buf_byte(out, 0xc1);
}

static void rule_put_unknown_type(struct session_pair *pair, struct buf *out)
{
    (void)pair;
    buf_u32(out, 2);
    buf_byte(out, 0x91);
    buf_byte(out, MESSAGE_REFUSED + 1);
}

static void rule_put_size_zero(struct session_pair *pair, struct buf *out)
{
    (void)pair;
    buf_u32(out, 0);
}

static void rule_put_size_huge(struct session_pair *pair, struct buf *out)
{
    (void)pair;
    buf_u32(out, MESSAGE_SIZE_MAX + 1);
}

static void rule_put_hello(struct session_pair *pair, struct buf *out)
{
    struct hello hello = {.version = PROTOCOL_VERSION};

    (void)pair;
    message_put_hello(&hello, out);
}

static void rule_put_marks(struct session_pair *pair, struct buf *out)
{
    (void)pair;
    message_put_marks(NULL, 0, true, out);
}

static void rule_put_hello_then_log(struct session_pair *pair, struct buf *out)
{
    rule_put_hello(pair, out);
    rule_put_one_log(pair, 0, out);
}

static void rule_put_log_1_first(struct session_pair *pair, struct buf *out)
{
    rule_put_one_log(pair, 1, out);
}

static void rule_put_log_twice(struct session_pair *pair, struct buf *out)
{
    rule_put_one_log(pair, 0, out);
    rule_put_one_log(pair, 1, out);
}

static void rule_put_number_twice(struct session_pair *pair, struct buf *out)
{
    struct log_id id = session_pair_log(pair, ANA, ANA_CARD);

    rule_put_one_log(pair, 0, out);
    message_put_log(0, &id, out);
}

static void rule_put_batch_without_log(struct session_pair *pair, struct buf *out)
{
    rule_put_one_batch(pair, 0, false, out);
}

static void rule_put_forged_batch(struct session_pair *pair, struct buf *out)
{
    rule_put_one_log(pair, 0, out);
    rule_put_one_batch(pair, 0, true, out);
}

static void rule_put_empty_batch(struct session_pair *pair, struct buf *out)
{
    struct batch_writer nothing = {0};
    uint8_t signature[SIGNATURE_SIZE] = {0};

    rule_put_one_log(pair, 0, out);
    message_put_batch(0, NULL, &nothing, signature, out);
}

/* Five batches that continue one another, none committed meanwhile. */
static void rule_put_batches_beyond_credit(struct session_pair *pair, struct buf *out)
{
    struct log_id id = session_pair_log(pair, ANA, ANA_PAIR);
    struct replica replica = replica_mem_replica(&pair->sides[ANA].replica);
    uint8_t signature[SIGNATURE_SIZE];
    struct chain at, end;

    assert_int_equal(replica_mem_append(&pair->sides[ANA].replica, &id.space,
                                        pair->sides[ANA].device, 5, ENTRY_PAYLOAD_SIZE_MAX, 1),
                     ERR_OK);
    rule_put_one_log(pair, 0, out);
    chain_begin(&id, &at);
    for (int batch = 0; batch < 5; batch++) {
        struct batch_writer writer = {0};

        assert_int_equal(replica.read(replica.self, &id, &at, &writer, &end, signature), ERR_OK);
        message_put_batch(0, &at, &writer, signature, out);
        batch_release(&writer);
        at = end;
    }
}

static void rule_put_ack_without_log(struct session_pair *pair, struct buf *out)
{
    struct ack ack = {.alias = 0, .size = 0};

    (void)pair;
    message_put_acks(&ack, 1, out);
}

static void rule_put_ack_beyond(struct session_pair *pair, struct buf *out)
{
    struct ack ack = {.alias = 0, .size = 2};

    session_pair_write(pair, BEN, BEN_PAIR, 1, 20, 1);
    message_put_acks(&ack, 1, out);
}

static void rule_put_link(struct session_pair *pair, struct buf *out)
{
    struct link_message link = {.has_secret = true, .name = span_str("ana")};

    (void)pair;
    message_put_link(&link, out);
}

static void rule_put_refused(struct session_pair *pair, struct buf *out)
{
    (void)pair;
    message_put_refused(REFUSAL_SPENT, out);
}

static void rule_put_refused_for_nothing(struct session_pair *pair, struct buf *out)
{
    message_put_identity(buf_span(&pair->sides[ANA].identity), out);
    message_put_refused((enum refusal)6, out);
}

static void rule_put_link_without_secret(struct session_pair *pair, struct buf *out)
{
    struct link_message link = {.name = span_str("ana")};

    message_put_identity(buf_span(&pair->sides[ANA].identity), out);
    message_put_link(&link, out);
}

static void rule_put_identity(struct session_pair *pair, struct buf *out)
{
    message_put_identity(buf_span(&pair->sides[ANA].identity), out);
}

static void rule_put_identity_twice(struct session_pair *pair, struct buf *out)
{
    rule_put_identity(pair, out);
    rule_put_identity(pair, out);
}

static void rule_put_identity_of_another(struct session_pair *pair, struct buf *out)
{
    message_put_identity(buf_span(&pair->sides[BEN].identity), out);
}

static void rule_put_credit(struct session_pair *pair, struct buf *out)
{
    (void)pair;
    message_put_credit(CREDIT_MAX, out);
}

static void rule_put_facts_without_end(struct session_pair *pair, struct buf *out)
{
    struct span facts[FACTS_PER_MESSAGE_MAX];

    (void)pair;
    for (size_t at = 0; at < FACTS_PER_MESSAGE_MAX; at++)
        facts[at] = span_str("x");
    for (size_t told = 0; told <= 4096; told += FACTS_PER_MESSAGE_MAX)
        message_put_facts(facts, FACTS_PER_MESSAGE_MAX, out);
}

enum session_state { STATE_FRESH, STATE_LIVE, STATE_ACCEPTOR };

static const struct {
    const char *what;
    void (*put)(struct session_pair *pair, struct buf *out);
    enum session_state state;
    const char *rule; /* NULL: breaks none */
} session_violations[] = {
    {"bytes that are no message", rule_put_garbage, STATE_LIVE, "SYNC-17"},
    {"a message of no known kind", rule_put_unknown_type, STATE_LIVE, "SYNC-17"},
    {"a message without size", rule_put_size_zero, STATE_LIVE, "SYNC-17"},
    {"a message that is too large", rule_put_size_huge, STATE_LIVE, "SYNC-17"},
    {"hello twice", rule_put_hello, STATE_LIVE, "SYNC-16"},
    {"marks before hello", rule_put_marks, STATE_FRESH, "SYNC-16"},
    {"a batch before hello", rule_put_batch_without_log, STATE_FRESH, "SYNC-16"},
    {"a log before the marks", rule_put_hello_then_log, STATE_FRESH, "SYNC-16"},
    {"numbers with a gap", rule_put_log_1_first, STATE_LIVE, "SYNC-7"},
    {"one log under two numbers", rule_put_log_twice, STATE_LIVE, "SYNC-7"},
    {"one number for two logs", rule_put_number_twice, STATE_LIVE, "SYNC-7"},
    {"a batch without log", rule_put_batch_without_log, STATE_LIVE, "SYNC-7"},
    {"a forged batch", rule_put_forged_batch, STATE_LIVE, "SYNC-18"},
    {"an empty batch", rule_put_empty_batch, STATE_LIVE, "SYNC-17"},
    {"batches beyond credit", rule_put_batches_beyond_credit, STATE_LIVE, "SYNC-9"},
    {"credit beyond its maximum", rule_put_credit, STATE_LIVE, "SYNC-9"},
    {"an ack without log", rule_put_ack_without_log, STATE_LIVE, "SYNC-12"},
    {"an ack beyond what was sent", rule_put_ack_beyond, STATE_LIVE, "SYNC-12"},
    {"facts without end", rule_put_facts_without_end, STATE_LIVE, "FACT-2"},
    {"a link message while syncing", rule_put_link, STATE_LIVE, "LINK-3"},
    {"a refusal while syncing", rule_put_refused, STATE_LIVE, "LINK-4"},
    {"an identity while syncing", rule_put_identity, STATE_LIVE, "SYNC-1"},
    {"an identity at first", rule_put_identity, STATE_FRESH, NULL},
    {"an identity twice", rule_put_identity_twice, STATE_FRESH, "SYNC-1"},
    {"another's identity", rule_put_identity_of_another, STATE_FRESH, "SYNC-1"},
    {"a link message before the identity", rule_put_link, STATE_ACCEPTOR, "LINK-3"},
    {"a link message without secret", rule_put_link_without_secret, STATE_ACCEPTOR, "LINK-3"},
    {"another's identity at an invitation", rule_put_identity_of_another, STATE_ACCEPTOR, "LINK-1"},
    {"two identities of an inviter", rule_put_identity_twice, STATE_ACCEPTOR, "LINK-1"},
    {"a refusal without reason", rule_put_refused_for_nothing, STATE_ACCEPTOR, "LINK-4"},
    {"a hello before the link", rule_put_hello, STATE_ACCEPTOR, "SYNC-16"},
};

static void every_broken_rule_is_named(void **state)
{
    size_t checked = 0;

    (void)state;
    for (size_t at = 0; at < sizeof session_violations / sizeof *session_violations; at++) {
        const char *rule = session_violations[at].rule;
        enum session_state from = session_violations[at].state;
        struct session_pair *pair = from == STATE_LIVE ? session_pair_live() : session_pair_new();
        struct session_side *ben = &pair->sides[BEN];
        struct buf bytes = {0};

        ben->holds_commits = true;
        if (from != STATE_LIVE)
            session_pair_connect(pair, from == STATE_FRESH ? SESSION_PEER : SESSION_INVITER,
                                 from == STATE_FRESH ? SESSION_PEER : SESSION_ACCEPTOR);
        session_violations[at].put(pair, &bytes);
        session_pair_inject(pair, BEN, &bytes);
        if (ben->is_ended != (rule != NULL) ||
            (rule != NULL &&
             (ben->reason != SESSION_END_VIOLATION || strncmp(ben->rule, rule, strlen(rule)) != 0)))
            fail_msg("%s: %s", session_violations[at].what, session_pair_text(pair));
        if (rule != NULL)
            assert_non_null(strstr(session_pair_text(pair), "ben> bye 3\n"));
        session_pair_free(pair);
        checked++;
    }
    assert_int_equal(checked, 31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_broken_rule_is_named)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
