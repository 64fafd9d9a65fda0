/* F8 and F11: search over many contacts, and the disk they take. Names, organisations and places
 * are drawn from lists by a falling law, as they are in life. usage: bench_search [CONTACTS] */
#include "crypto/heap.h"
#include "proto/contact.h"
#include "storage/view_search.h"
#include "tests/bench/bench.h"

enum { SEARCH_NAMES = 4000, SEARCH_ROUNDS = 400 };

static uint64_t search_seed = 7;

static uint32_t search_random(uint32_t below)
{
    search_seed = search_seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(search_seed >> 33) % below;
}

/* The n-th word of a language nobody speaks: two to four syllables. */
static void search_word(uint32_t number, char out[static 16])
{
    static const char *const syllables[] = {"ma", "ri", "an", "to", "le", "no", "ka",  "so",
                                            "be", "du", "el", "vi", "pe", "ur", "sha", "go"};
    uint32_t rest = number * 2654435761u % 65536u;

    snprintf(out, 16, "%s%s%s%s", syllables[rest & 15], syllables[rest >> 4 & 15],
             number > 16 ? syllables[rest >> 8 & 15] : "",
             number > 256 ? syllables[rest >> 12] : "");
}

/* Small numbers come more often: half of all draws fall into the first hundredth. */
static uint32_t search_draw(uint32_t count)
{
    return search_random(search_random(2) == 0 ? count : count / 100 + 1);
}

static void search_put(struct edit_space *edit, uint8_t field, char *text)
{
    edit_set(edit, field, 1, (struct value){.type = VALUE_TEXT, .bytes = span_str(text)});
}

static void search_fill(struct ledger *ledger, size_t contacts)
{
    struct edit_space edit = {0};
    struct id object = {{0}}, dot = {{0}};
    bool is_more = true;

    for (size_t at = 0; at < contacts; at += 5000) {
        struct ledger_txn *txn;

        bench_check(ledger_begin(ledger, 1700000000000 + at, &txn), "begin");
        for (size_t one = at; one < at + 5000 && one < contacts; one++) {
            char first[16], last[16], org[16], place[16], name[40], email[80];

            search_word(search_draw(SEARCH_NAMES), first);
            search_word(SEARCH_NAMES + search_draw(SEARCH_NAMES * 8), last);
            search_word(search_draw(SEARCH_NAMES * 2), org);
            search_word(search_draw(500), place);
            snprintf(name, sizeof name, "%s %s", first, last);
            snprintf(email, sizeof email, "%s.%s@%s.example", first, last, org);
            be32_put(object.bytes + 10, (uint32_t)one);
            be32_put(dot.bytes, (uint32_t)one);
            edit_begin(&edit, KIND_CONTACT, &object, 1700000000000);
            search_put(&edit, CONTACT_NAME, name);
            search_put(&edit, CONTACT_ORG, org);
            search_put(&edit, CONTACT_PLACE, place);
            edit_add(&edit, CONTACT_EMAILS, &dot,
                     (struct value){.type = VALUE_TEXT, .bytes = span_str(email)});
            bench_check(ledger_append(txn, ledger_self_space(ledger), &edit, 0), "append");
        }
        bench_check(ledger_commit(txn, NULL), "commit");
    }
    edit_release(&edit);
    while (is_more)
        bench_check(follow_stage(ledger, 100000, &is_more), "follow");
}

/* Questions of this many words, each of three letters or more. */
static void search_ask(struct ledger *ledger, unsigned words, const char *reach)
{
    static double times[SEARCH_ROUNDS];
    uint64_t found = 0;

    for (size_t round = 0; round < SEARCH_ROUNDS; round++) {
        char text[80] = "", word[16];
        struct view_search_found answer;
        struct snapshot snapshot;
        double begun;

        for (unsigned at = 0; at < words; at++) {
            search_word(at == 0 ? search_draw(SEARCH_NAMES) : search_draw(500), word);
            word[3 + search_random(4)] = '\0';
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", word);
        }
        begun = bench_now();
        bench_check(ledger_snapshot(ledger, &snapshot), "snapshot");
        bench_check(view_search_find(&snapshot, span_str(text), 50, &answer), "find");
        ledger_snapshot_end(&snapshot);
        times[round] = (bench_now() - begun) * 1e3;
        found += answer.total;
        heap_free(answer.numbers);
    }
    qsort(times, SEARCH_ROUNDS, sizeof times[0], bench_order);
    printf("F8 %u word%s  median %6.3f ms  p99 %6.3f ms  %8.0f found on average  (reach %s)\n",
           words, words == 1 ? " " : "s", times[SEARCH_ROUNDS / 2],
           times[SEARCH_ROUNDS - SEARCH_ROUNDS / 100], (double)found / SEARCH_ROUNDS, reach);
}

int main(int argc, char **argv)
{
    size_t contacts = argc > 1 ? (size_t)atol(argv[1]) : 1000000;
    struct device_secrets secrets;
    char *path = bench_folder();
    struct kv *kv = bench_kv(path);
    struct ledger *ledger;
    struct kv_usage usage;
    double begun;

    if (secret_start() != ERR_OK)
        return 1;
    bench_secrets(&secrets);
    ledger = bench_ledger(kv, &secrets);
    begun = bench_now();
    search_fill(ledger, contacts);
    printf("%zu contacts written and made searchable: %.0f a second\n", contacts,
           (double)contacts / (bench_now() - begun));
    search_ask(ledger, 1, "1 ms, p99 5 ms");
    search_ask(ledger, 2, "3 ms, p99 8 ms");
    bench_check(kv_usage(kv, &usage), "usage");
    printf(
        "F11 one edit a contact, search included: %.0f bytes an entry in live pages, %.0f in the "
        "file (reach 1,250)\n",
        (double)usage.live_bytes / (double)contacts, (double)usage.file_bytes / (double)contacts);
    ledger_close(ledger);
    kv_close(kv);
    bench_remove(path);
    return 0;
}
