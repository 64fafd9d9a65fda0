/*
 * Somebody who has very much: what a person is made to wait for by a peer whose card has as many
 * values as it may (OBJECT_MARKS_MAX), and by a contact of their own with as many. Medians in
 * processor time, with a quarter, half and all of them: what grows with the square is four times
 * dearer from one column to the next. usage: bench_card [MOST]
 */
#include "node/amend.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "tests/bench/bench.h"
#include "tests/sim/meeting.h"

enum { CARD_MOST = 8000, CARD_EDIT = 1000, CARD_TRIES = 3, CARD_COLUMNS = 3 };

static const struct {
    const char *name, *method, *key, *who;
} card_rows[] = {
    {"a peer's card: contact show", "contact.show", "who", "Bruno Costa"},
    {"peer show", "peer.show", "who", "Bruno"},
    {"path to somebody", "path", "tag", "carpentry"},
    {"my own: contact show", "contact.show", "who", "Mara"},
    {"contact edit, one text, durable", "contact.edit", "who", "Mara"},
    {"both: contact list", "contact.list", NULL, NULL},
    {"contact search", "contact.search", "words", "mara"},
    {"contact duplicates", "contact.duplicates", NULL, NULL},
    {"due", "due", NULL, NULL},
    {"export as vCards", "export", "format", "vcard"},
};
enum { CARD_ROWS = sizeof card_rows / sizeof card_rows[0] };

/* Of this process, so that whoever else uses the machine does not count. */
static double card_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

/* A thousand values an edit, spread over the sets. */
static void card_fill(struct member *member, const struct id *space, uint8_t kind,
                      const struct id *object, const uint8_t fields[static 3], size_t count)
{
    static char values[CARD_EDIT][32];

    for (size_t from = 0; from < count; from += CARD_EDIT) {
        struct ledger_txn *txn = member_begin(member);
        struct amend amend;

        amend_begin(&amend, txn, space, kind, object);
        for (size_t at = 0; at < CARD_EDIT && from + at < count; at++) {
            (void)snprintf(values[at], sizeof values[at], "%zu@example.org", 1000000 + from + at);
            amend_add(&amend, fields[at % 3], span_str(values[at]));
        }
        bench_check(amend_end(&amend, NULL), "fill");
        bench_check(ledger_commit(txn, NULL), "commit");
    }
}

/* The contact that a link makes. */
static void card_know(struct member *ana, const struct member *bruno)
{
    struct ledger_txn *txn;
    struct amend amend;
    struct id id;

    bench_check(member_add_contact(ana, "Bruno Costa", NULL, &id), "contact");
    txn = member_begin(ana);
    amend_begin(&amend, txn, ledger_self_space(ana->ledger), KIND_CONTACT, &id);
    amend_bytes(&amend, CONTACT_MEMBER, span_of(bruno->secrets.member.bytes, 32));
    bench_check(amend_end(&amend, NULL), "link");
    bench_check(ledger_commit(txn, NULL), "commit");
}

static double card_do(struct member *ana, size_t row, size_t try)
{
    json_t *params = json_object(), *result;
    char change[20];
    double begun;

    if (card_rows[row].key != NULL && strcmp(card_rows[row].key, "words") == 0)
        (void)json_object_set_new(params, "words", json_pack("[s]", card_rows[row].who));
    else if (card_rows[row].key != NULL)
        (void)json_object_set_new(params, card_rows[row].key, json_string(card_rows[row].who));
    (void)snprintf(change, sizeof change, "org=Org %zu", try);
    if (strcmp(card_rows[row].method, "contact.edit") == 0)
        (void)json_object_set_new(params, "set", json_pack("[s]", change));
    begun = card_now();
    result = meeting_op(ana, card_rows[row].method, params, NULL);
    if (result == NULL)
        exit(1);
    json_decref(result);
    return card_now() - begun;
}

static void card_measure(size_t count, double medians[static CARD_ROWS])
{
    static const uint8_t card[] = {CARD_EMAILS, CARD_PHONES, CARD_URLS},
                         contact[] = {CONTACT_EMAILS, CONTACT_URLS, CONTACT_TAGS};
    static const struct id only = {{0}};
    struct member ana, bruno;
    struct id space, mara;
    double begun, arrived;

    meeting_new(&ana, 1, "Ana");
    meeting_new(&bruno, 2, "Bruno");
    meeting_link(&ana, &bruno);
    card_know(&ana, &bruno);
    space = member_card_space(&bruno);
    card_fill(&bruno, &space, KIND_CARD, &only, card, count);
    begun = card_now();
    meeting_carry(&ana, &bruno);
    arrived = card_now() - begun;
    bench_check(member_add_contact(&ana, "Mara", NULL, &mara), "contact");
    begun = card_now();
    card_fill(&ana, ledger_self_space(ana.ledger), KIND_CONTACT, &mara, contact, count);
    printf("%zu values: the card arrived in %.0f ms, the contact was made in %.0f ms\n", count,
           arrived, card_now() - begun);
    for (size_t row = 0; row < CARD_ROWS; row++) {
        double took[CARD_TRIES];

        for (size_t try = 0; try < CARD_TRIES; try++)
            took[try] = card_do(&ana, row, try);
        medians[row] = bench_median(took, CARD_TRIES);
    }
    member_free(&ana);
    member_free(&bruno);
}

int main(int argc, char **argv)
{
    static double medians[CARD_COLUMNS][CARD_ROWS];
    size_t most = argc > 1 ? (size_t)atol(argv[1]) : CARD_MOST;

    if (secret_start() != ERR_OK)
        return 1;
    for (size_t at = 0; at < CARD_COLUMNS; at++)
        card_measure(most >> (CARD_COLUMNS - 1 - at), medians[at]);
    for (size_t row = 0; row < CARD_ROWS; row++)
        printf("%-34s %9.1f %9.1f %9.1f ms\n", card_rows[row].name, medians[0][row],
               medians[1][row], medians[2][row]);
    return 0;
}
