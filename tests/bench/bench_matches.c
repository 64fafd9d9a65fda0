/* Who might fit an ask, among many contacts: one ask whose skill some have, one whose skill all
 * have, and a list of 84 asks (six a day for two weeks). usage: bench_matches [CONTACTS] */
#include "node/matches.h"
#include "proto/contact.h"
#include "tests/bench/bench.h"

enum { MATCHES_ROUNDS = 40, MATCHES_ASKS = 84, MATCHES_TRADES = 400 };

static uint32_t matches_random(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % below;
}

static void matches_put(struct edit_space *edit, uint8_t field, char *text)
{
    edit_set(edit, field, 1, (struct value){.type = VALUE_TEXT, .bytes = span_str(text)});
}

static void matches_fill(struct ledger *ledger, size_t contacts)
{
    struct edit_space edit = {0};
    struct id object = {{0}}, dot = {{0}};
    uint64_t seed = 7;
    bool is_more = true;

    for (size_t at = 0; at < contacts; at += 5000) {
        struct ledger_txn *txn;

        bench_check(ledger_begin(ledger, 1700000000000 + at, &txn), "begin");
        for (size_t one = at; one < at + 5000 && one < contacts; one++) {
            char name[40], title[40], org[40], place[40];

            snprintf(name, sizeof name, "Person %zu", one);
            snprintf(title, sizeof title, "trade%uer", matches_random(&seed, MATCHES_TRADES));
            snprintf(org, sizeof org, "Firm %u", matches_random(&seed, 8000));
            snprintf(place, sizeof place, "Town%u", matches_random(&seed, 500));
            be32_put(object.bytes + 10, (uint32_t)one);
            be32_put(dot.bytes, (uint32_t)one);
            edit_begin(&edit, KIND_CONTACT, &object, 1700000000000);
            matches_put(&edit, CONTACT_NAME, name);
            matches_put(&edit, CONTACT_TITLE, title);
            matches_put(&edit, CONTACT_ORG, org);
            matches_put(&edit, CONTACT_PLACE, place);
            edit_add(&edit, CONTACT_TAGS, &dot,
                     (struct value){.type = VALUE_TEXT, .bytes = span_str("everybody")});
            bench_check(ledger_append(txn, ledger_self_space(ledger), &edit, 0), "append");
        }
        bench_check(ledger_commit(txn, NULL), "commit");
    }
    edit_release(&edit);
    while (is_more)
        bench_check(follow_stage(ledger, 100000, &is_more), "follow");
}

/* One answer over so many asks, in ms. */
static double matches_answer(struct ledger *ledger, size_t asks, const char *tag, uint64_t *seed)
{
    static const char text[] =
        "Our roof came down in the storm and the old barn needs a new frame before winter, so I "
        "am looking for somebody near Town17 or Town41 who knows timber, slate and gutters, and "
        "who could come by in the spring; a firm or a single craftsman, both are welcome here.";
    static const struct op_world world = {.home = ""};
    struct op_call call = {.now_ms = 1700000000000, .world = &world};
    struct matches matches;
    double begun = bench_now();

    bench_check(ledger_snapshot(ledger, &call.snapshot), "snapshot");
    matches_begin(&matches, &call);
    for (size_t at = 0; at < asks; at++) {
        char drawn[40];
        struct span tags[2] = {span_str("place:Town7"), span_str(tag)};
        struct matches_question question = {.id = "3f9a1c",
                                            .title = span_str("A roof for a barn"),
                                            .text = span_str(text),
                                            .tags = tags,
                                            .tags_count = 2};
        json_t *list;

        snprintf(drawn, sizeof drawn, "skill:trade%u", matches_random(seed, MATCHES_TRADES));
        if (tag[0] == '\0')
            tags[1] = span_str(drawn);
        bench_check(matches_of(&matches, &question, &list), "match");
        json_decref(list);
    }
    matches_end(&matches);
    ledger_snapshot_end(&call.snapshot);
    return (bench_now() - begun) * 1e3;
}

static void matches_time(struct ledger *ledger, size_t asks, const char *tag, const char *what)
{
    double times[MATCHES_ROUNDS];
    uint64_t seed = 3;

    for (size_t at = 0; at < MATCHES_ROUNDS; at++)
        times[at] = matches_answer(ledger, asks, tag, &seed);
    qsort(times, MATCHES_ROUNDS, sizeof times[0], bench_order);
    printf("%-44s median %8.2f ms  worst %8.2f ms\n", what, times[MATCHES_ROUNDS / 2],
           times[MATCHES_ROUNDS - 1]);
}

int main(int argc, char **argv)
{
    size_t contacts = argc > 1 ? (size_t)atol(argv[1]) : 100000;
    struct device_secrets secrets;
    char *path = bench_folder();
    struct kv *kv = bench_kv(path);
    struct ledger *ledger;

    if (secret_start() != ERR_OK)
        return 1;
    bench_secrets(&secrets);
    ledger = bench_ledger(kv, &secrets);
    matches_fill(ledger, contacts);
    printf("%zu contacts\n", contacts);
    matches_time(ledger, 1, "", "one ask, a skill that some have");
    matches_time(ledger, 1, "skill:everybody", "one ask, a skill that all have");
    matches_time(ledger, MATCHES_ASKS, "", "84 asks in one answer");
    ledger_close(ledger);
    kv_close(kv);
    bench_remove(path);
    return 0;
}
