/* Trust over real stores: what is kept between questions says what would be said anew, and two
 * devices of a member say the same, whatever came first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/ops.h"
#include "node/react.h"
#include "node/vouch.h"
#include "storage/running.h"
#include "tests/sim/member.h"
#include "tests/unit/heap_failing.h"

enum { FOLK = 4, FOLK_ZORA = 0, FOLK_ANA, FOLK_BEN, FOLK_DANA };

/* Everybody is linked with everybody. */
struct folk {
    struct member members[FOLK];
    char dids[FOLK][DID_SIZE];
};

static void folk_begin(struct folk *folk)
{
    static const char *const names[FOLK] = {"Zora", "Ana", "Ben", "Dana"};

    for (uint8_t at = 0; at < FOLK; at++) {
        member_new(&folk->members[at], (uint8_t)(at + 1), false);
        identity_did(&folk->members[at].secrets.member, folk->dids[at]);
        assert_int_equal(member_name_card(&folk->members[at], names[at]), ERR_OK);
    }
    for (size_t one = 0; one < FOLK; one++)
        for (size_t other = one + 1; other < FOLK; other++) {
            member_link(&folk->members[one], &folk->members[other]);
            member_grant(&folk->members[one], &folk->members[other]);
            member_grant(&folk->members[other], &folk->members[one]);
        }
}

static void folk_end(struct folk *folk)
{
    for (size_t at = 0; at < FOLK; at++)
        member_free(&folk->members[at]);
}

/* Takes what another wrote, and answers it, as a node does. */
static void folk_pull(struct member *to, struct member *from)
{
    struct ledger_txn *txn;

    (void)member_pull(to, from, NULL);
    txn = member_begin(to);
    assert_int_equal(react_all(txn), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* One op; a reading one without a transaction, as in a node. The answer is the caller's. */
static json_t *folk_op(struct member *member, const char *method, json_t *params,
                       struct vouch_cache *vouches)
{
    const struct op *op = ops_find(method);
    struct op_world world = {.home = "", .vouches = vouches};
    struct op_call call = {.params = params, .world = &world};
    struct ledger_txn *txn = op->mode == OP_WRITE ? member_begin(member) : NULL;

    if (op_step(op->run, &call, member->ledger, txn, member->now_ms) != ERR_OK)
        fail_msg("%s: %s", method, call.failure.message);
    if (txn != NULL) {
        assert_int_equal(react_all(txn), ERR_OK);
        assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
    }
    json_decref(params);
    return call.result;
}

/* Written, received, shown to all peers; the id is the caller's to free. */
static char *folk_endorse(struct folk *folk, size_t issuer, size_t subject, const char *about)
{
    json_t *answer =
        folk_op(&folk->members[issuer], "endorse",
                json_pack("{s:s, s:[s], s:s, s:s}", "who", folk->dids[subject], "about", about,
                          "relation", "client", "words", "Built our stairs, on time and true."),
                NULL);
    char *id = strdup(json_string_value(json_object_get(answer, "id")));

    json_decref(answer);
    folk_pull(&folk->members[subject], &folk->members[issuer]);
    json_decref(folk_op(&folk->members[subject], "endorsement.accept",
                        json_pack("{s:s, s:s}", "id", id, "to", "peers"), NULL));
    return id;
}

static char *folk_trust(struct folk *folk, struct member *viewer, size_t who,
                        struct vouch_cache *vouches)
{
    json_t *answer = folk_op(viewer, "trust", json_pack("{s:s}", "who", folk->dids[who]), vouches);
    char *text = json_dumps(answer, JSON_SORT_KEYS);

    json_decref(answer);
    return text;
}

/* What is kept and what is made anew say the same of everybody; tells how often Dana's branches
 * are. */
static size_t folk_agree(struct folk *folk, struct vouch_cache *vouches)
{
    struct member *zora = &folk->members[FOLK_ZORA];
    json_t *answer;
    size_t count;

    for (size_t who = FOLK_ANA; who < FOLK; who++) {
        char *kept = folk_trust(folk, zora, who, vouches);
        char *again = folk_trust(folk, zora, who, vouches);
        char *anew = folk_trust(folk, zora, who, NULL);

        assert_string_equal(kept, anew);
        assert_string_equal(again, anew);
        free(kept);
        free(again);
        free(anew);
    }
    answer = folk_op(zora, "trust", json_pack("{s:s}", "who", folk->dids[FOLK_DANA]), vouches);
    count = json_array_size(json_object_get(answer, "branches"));
    json_decref(answer);
    return count;
}

static void folk_feel(struct folk *folk, size_t who, const char *level)
{
    json_decref(folk_op(&folk->members[FOLK_ZORA], "contact.closeness",
                        json_pack("{s:s, s:s}", "who", folk->dids[who], "level", level), NULL));
}

static void what_is_kept_is_what_would_be_made(void **state)
{
    struct vouch_cache vouches = {0};
    struct folk folk;
    struct member *zora = &folk.members[FOLK_ZORA];
    char *first, *second;

    (void)state;
    folk_begin(&folk);
    assert_int_equal(folk_agree(&folk, &vouches), 0);
    first = folk_endorse(&folk, FOLK_ANA, FOLK_DANA, "stairs");
    assert_int_equal(folk_agree(&folk, &vouches), 0);
    folk_pull(zora, &folk.members[FOLK_DANA]);
    assert_int_equal(folk_agree(&folk, &vouches), 1);
    second = folk_endorse(&folk, FOLK_BEN, FOLK_DANA, "doors");
    folk_pull(zora, &folk.members[FOLK_DANA]);
    assert_int_equal(folk_agree(&folk, &vouches), 2);
    /* Private words count at once. */
    folk_feel(&folk, FOLK_BEN, "muted");
    assert_int_equal(folk_agree(&folk, &vouches), 1);
    folk_feel(&folk, FOLK_BEN, "unset");
    assert_int_equal(folk_agree(&folk, &vouches), 2);
    /* Taken back by who wrote it; hidden by who shows it. */
    json_decref(folk_op(&folk.members[FOLK_ANA], "endorsement.revoke",
                        json_pack("{s:s}", "id", first), NULL));
    folk_pull(zora, &folk.members[FOLK_ANA]);
    assert_int_equal(folk_agree(&folk, &vouches), 1);
    json_decref(folk_op(&folk.members[FOLK_DANA], "endorsement.hide",
                        json_pack("{s:s}", "id", second), NULL));
    folk_pull(zora, &folk.members[FOLK_DANA]);
    assert_int_equal(folk_agree(&folk, &vouches), 0);
    free(first);
    free(second);
    vouch_cache_release(&vouches);
    folk_end(&folk);
}

static void folk_run(struct member *member, uint64_t more_ms)
{
    struct ledger_txn *txn = member_begin(member);

    assert_int_equal(running_advance(txn, 1000), ERR_OK);
    assert_int_equal(running_advance(txn, 1000 + more_ms), ERR_OK);
    assert_int_equal(ledger_commit(txn, NULL), ERR_OK);
}

/* Time alone changes what counts, and nothing of it is written anywhere. */
static void what_ends_is_kept_no_longer(void **state)
{
    const uint64_t day_ms = VOUCH_MS_PER_DAY;
    struct vouch_cache vouches = {0};
    struct folk folk;
    struct member *zora = &folk.members[FOLK_ZORA];

    (void)state;
    folk_begin(&folk);
    free(folk_endorse(&folk, FOLK_ANA, FOLK_DANA, "stairs"));
    folk_pull(zora, &folk.members[FOLK_DANA]);
    assert_int_equal(folk_agree(&folk, &vouches), 1);
    zora->now_ms += 80 * day_ms;
    folk_run(zora, 80 * day_ms);
    assert_int_equal(folk_agree(&folk, &vouches), 1);
    zora->now_ms += 11 * day_ms;
    folk_run(zora, 11 * day_ms);
    assert_int_equal(folk_agree(&folk, &vouches), 0);
    vouch_cache_release(&vouches);
    folk_end(&folk);
}

static void two_devices_say_the_same(void **state)
{
    struct folk folk;
    struct member *zora = &folk.members[FOLK_ZORA], laptop;

    (void)state;
    folk_begin(&folk);
    for (size_t at = FOLK_ANA; at < FOLK; at++)
        folk_pull(zora, &folk.members[at]); /* The keys of their cards. */
    member_twin(&laptop, zora, 9);
    free(folk_endorse(&folk, FOLK_ANA, FOLK_DANA, "stairs"));
    free(folk_endorse(&folk, FOLK_BEN, FOLK_DANA, "stairs"));
    free(folk_endorse(&folk, FOLK_DANA, FOLK_ANA, "stairs"));
    free(folk_endorse(&folk, FOLK_BEN, FOLK_ANA, "maths"));
    folk_feel(&folk, FOLK_ANA, "close");
    /* One device hears of them in one order, the other in another, and of the words last. */
    folk_pull(zora, &folk.members[FOLK_ANA]);
    folk_pull(zora, &folk.members[FOLK_BEN]);
    folk_pull(zora, &folk.members[FOLK_DANA]);
    folk_pull(&laptop, &folk.members[FOLK_DANA]);
    folk_pull(&laptop, &folk.members[FOLK_BEN]);
    folk_pull(&laptop, &folk.members[FOLK_ANA]);
    folk_pull(&laptop, zora);
    laptop.now_ms = zora->now_ms;
    for (size_t who = FOLK_ANA; who < FOLK; who++) {
        char *one = folk_trust(&folk, zora, who, NULL);
        char *other = folk_trust(&folk, &laptop, who, NULL);

        assert_string_equal(one, other);
        assert_non_null(strstr(one, "written"));
        free(one);
        free(other);
        if (who == FOLK_ANA)
            who = FOLK_BEN; /* Nobody endorses Ben. */
    }
    member_free(&laptop);
    folk_end(&folk);
}

/* Asked with ever more memory until there is enough; every answer before that is an error. */
static void folk_starve(struct member *member, const char *method, json_t *params,
                        struct vouch_cache *vouches)
{
    const struct op *op = ops_find(method);
    struct op_world world = {.home = "", .vouches = vouches};
    enum err err = ERR_NOMEM;
    size_t given;

    for (given = 0; err != ERR_OK && given < 20000; given++) {
        struct op_call call = {.params = params, .world = &world};

        heap_failing_after(given);
        err = op_step(op->run, &call, member->ledger, NULL, member->now_ms);
        heap_failing_after(SIZE_MAX);
        assert_true(err == ERR_OK || call.failure.code == OP_FAILED || err == ERR_NOMEM);
        json_decref(call.result);
    }
    assert_int_equal(err, ERR_OK);
    assert_true(given > 10);
    json_decref(params);
}

static void without_memory_there_is_no_answer(void **state)
{
    struct vouch_cache vouches = {0};
    struct folk folk;
    struct member *zora = &folk.members[FOLK_ZORA];

    (void)state;
    folk_begin(&folk);
    free(folk_endorse(&folk, FOLK_ANA, FOLK_DANA, "stairs"));
    free(folk_endorse(&folk, FOLK_BEN, FOLK_DANA, "stairs"));
    free(folk_endorse(&folk, FOLK_ZORA, FOLK_DANA, "stairs"));
    folk_pull(zora, &folk.members[FOLK_DANA]);
    for (int is_kept = 0; is_kept < 2; is_kept++) {
        struct vouch_cache *cache = is_kept ? &vouches : NULL;

        folk_starve(zora, "trust",
                    json_pack("{s:s, s:s}", "who", folk.dids[FOLK_DANA], "about", "stairs"), cache);
        folk_starve(zora, "path", json_pack("{s:[s]}", "words", folk.dids[FOLK_DANA]), cache);
        folk_starve(zora, "path", json_pack("{s:[s]}", "words", "stairs"), cache);
        folk_starve(zora, "endorsement.list", json_pack("{s:s}", "of", folk.dids[FOLK_DANA]),
                    cache);
    }
    vouch_cache_release(&vouches);
    folk_end(&folk);
}

/* Whom a search for stairs names, if it names one; the text is the caller's to free. */
static char *folk_path(struct member *viewer, struct vouch_cache *vouches)
{
    json_t *answer = folk_op(viewer, "path", json_pack("{s:[s]}", "words", "stairs"), vouches);
    json_t *paths = json_object_get(answer, "paths"), *first = json_array_get(paths, 0);
    const char *name = json_string_value(json_object_get(json_object_get(first, "to"), "name"));
    char *text = strdup(name != NULL ? name : "nobody");

    assert_true(json_array_size(paths) <= 1);
    if (first != NULL)
        assert_int_equal(json_array_size(json_object_get(first, "through")), 0);
    json_decref(answer);
    return text;
}

static void folk_finds(struct member *viewer, const char *name, struct vouch_cache *vouches)
{
    char *found = folk_path(viewer, vouches), *anew = folk_path(viewer, NULL);

    assert_string_equal(found, name);
    assert_string_equal(anew, name);
    free(found);
    free(anew);
}

/* Whoever endorsed a peer knows what for, shown or not, and finds them once. */
static void ones_own_words_find_a_peer(void **state)
{
    struct vouch_cache vouches = {0};
    struct folk folk;
    struct member *zora = &folk.members[FOLK_ZORA];
    char *mine, *bens;

    (void)state;
    folk_begin(&folk);
    folk_pull(zora, &folk.members[FOLK_ANA]); /* Her card: it says her name. */
    folk_finds(zora, "nobody", &vouches);
    mine = folk_endorse(&folk, FOLK_ZORA, FOLK_ANA, "Stairs");
    folk_finds(zora, "Ana", &vouches);
    folk_pull(zora, &folk.members[FOLK_ANA]);
    folk_finds(zora, "Ana", &vouches);
    /* Somebody else says it as well, and no more. */
    bens = folk_endorse(&folk, FOLK_BEN, FOLK_ANA, "stairs");
    folk_pull(zora, &folk.members[FOLK_ANA]);
    folk_finds(zora, "Ana", &vouches);
    json_decref(folk_op(&folk.members[FOLK_BEN], "endorsement.revoke",
                        json_pack("{s:s}", "id", bens), NULL));
    folk_pull(zora, &folk.members[FOLK_BEN]);
    folk_finds(zora, "Ana", &vouches);
    folk_feel(&folk, FOLK_ANA, "muted");
    folk_finds(zora, "nobody", &vouches);
    folk_feel(&folk, FOLK_ANA, "good");
    folk_finds(zora, "Ana", &vouches);
    json_decref(folk_op(zora, "endorsement.revoke", json_pack("{s:s}", "id", mine), NULL));
    folk_finds(zora, "nobody", &vouches);
    free(mine);
    free(bens);
    vouch_cache_release(&vouches);
    folk_end(&folk);
}

static void words_of_the_muted_find_nobody(void **state)
{
    struct vouch_cache vouches = {0};
    struct folk folk;
    struct member *zora = &folk.members[FOLK_ZORA];

    (void)state;
    folk_begin(&folk);
    free(folk_endorse(&folk, FOLK_BEN, FOLK_ANA, "stairs"));
    folk_pull(zora, &folk.members[FOLK_ANA]);
    folk_finds(zora, "Ana", &vouches);
    folk_feel(&folk, FOLK_BEN, "muted");
    folk_finds(zora, "nobody", &vouches);
    free(folk_endorse(&folk, FOLK_DANA, FOLK_ANA, "stairs"));
    folk_pull(zora, &folk.members[FOLK_ANA]);
    folk_finds(zora, "Ana", &vouches);
    vouch_cache_release(&vouches);
    folk_end(&folk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_what_would_be_made),
        cmocka_unit_test(what_ends_is_kept_no_longer),
        cmocka_unit_test(two_devices_say_the_same),
        cmocka_unit_test(ones_own_words_find_a_peer),
        cmocka_unit_test(words_of_the_muted_find_nobody),
        cmocka_unit_test(without_memory_there_is_no_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
