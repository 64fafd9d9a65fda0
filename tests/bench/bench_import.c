/* F6: import of vCards a second, durable, and with every list and search done; beside what one core
 * does of it alone: reading the file, and sealing and appending as many bytes to bare LMDB in one
 * transaction. F11: live bytes of the store a card. usage: bench_import [CARDS] */
#include "crypto/seal.h"
#include "node/book.h"
#include "node/group.h"
#include "node/ops.h"
#include "storage/round.h"
#include "tests/bench/bench.h"
#include "tests/bench/rig.h"

/* Seconds this process had a processor: what a busy machine does not blur. */
static double bench_spent(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct bench_job {
    struct writer_job base;
    struct op_call call;
    struct ledger *ledger;
};

static enum err bench_run(struct writer_job *base, struct ledger_txn *txn)
{
    struct bench_job *job = (struct bench_job *)(void *)base;

    return op_step(ops_find("import")->run, &job->call, job->ledger, txn, 1700000000000);
}

static unsigned bench_draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 8) % below;
}

/* Cards of about 300 bytes, as a phone writes them; the same every time. */
static void bench_book(size_t cards, struct buf *out)
{
    static const char *const first[] = {"Ana",   "Bruno", "Chloe", "Dario", "Elena", "Farid",
                                        "Greta", "Hugo",  "Ines",  "Jonas", "Katja", "Liam"};
    static const char *const parts[] = {"ar", "bel", "cor", "dan", "el",  "fin", "gor", "han",
                                        "il", "jor", "kan", "lin", "mor", "nal", "or",  "pen"};
    unsigned seed = 7;
    char card[800];

    for (size_t at = 0; at < cards; at++) {
        const char *given = first[bench_draw(&seed, 12)];
        char last[24];

        snprintf(last, sizeof last, "%s%s%s%s", parts[bench_draw(&seed, 16)],
                 parts[bench_draw(&seed, 16)], parts[bench_draw(&seed, 16)],
                 parts[bench_draw(&seed, 16)]);
        snprintf(card, sizeof card,
                 "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:card-%zu-%x\r\nFN:%s %s\r\nN:%s;%s;;;\r\n"
                 "ORG:%s%s Ltd\r\nTITLE:Engineer\r\nEMAIL;TYPE=WORK:%s.%s%zu@example.org\r\n"
                 "TEL;TYPE=CELL:+49 30 %u\r\nADR;TYPE=HOME:;;Street %u;Berlin;;10115;Germany\r\n"
                 "CATEGORIES:friends\r\nNOTE:Met at the spring fair\\, talked about number %zu.\r\n"
                 "END:VCARD\r\n",
                 at, bench_draw(&seed, 1u << 20), given, last, last, given,
                 parts[bench_draw(&seed, 16)], parts[bench_draw(&seed, 16)], given, last, at,
                 bench_draw(&seed, 10000000), bench_draw(&seed, 90), at);
        buf_append(out, span_str(card));
    }
}

static enum err bench_on_person(void *self, const struct person *person)
{
    size_t *bytes = self;

    *bytes += person->text.size;
    return ERR_OK;
}

static void bench_on_reject(void *self, size_t line, const char *why)
{
    (void)self;
    fprintf(stderr, "line %zu: %s\n", line, why);
    exit(1);
}

static double bench_parse(const struct buf *book, size_t *out_bytes)
{
    struct person_reader reader = {
        .person = bench_on_person, .reject = bench_on_reject, .self = out_bytes};
    const char *why;
    double begun = bench_now();

    *out_bytes = 0;
    bench_check(book_read(buf_span(book), BOOK_ANY, &reader, &why), "read");
    return bench_now() - begun;
}

static double bench_bare(struct kv *kv, size_t cards, size_t size)
{
    uint8_t key[8], secret[KEY_SIZE] = {1};
    struct buf plain = {0}, sealed = {0};
    struct kv_txn *txn;
    double begun = bench_now();

    memset(buf_grow(&plain, size), 'x', size);
    bench_check(kv_begin(kv, KV_WRITE, &txn), "begin");
    for (size_t at = 0; at < cards; at++) {
        buf_clear(&sealed);
        seal(secret, span_of(key, 0), buf_span(&plain), &sealed);
        be64_put(key, at + 1);
        bench_check(kv_append(txn, TABLE_JOURNAL, span_of(key, 8), buf_span(&sealed)), "append");
    }
    bench_check(kv_commit(txn), "commit");
    buf_release(&plain);
    buf_release(&sealed);
    return bench_now() - begun;
}

int main(int argc, char **argv)
{
    size_t cards = argc > 1 ? (size_t)atol(argv[1]) : 100000, bytes;
    struct op_world world = {.home = ""};
    struct device_secrets secrets;
    struct buf book = {0};
    double durable[3], whole[3], spent[3], parse[3], bare[3], n = (double)cards;
    struct kv_usage usage = {0}, before = {0};

    if (secret_start() != ERR_OK)
        return 1;
    bench_secrets(&secrets);
    bench_book(cards, &book);
    for (size_t round = 0; round < 3; round++) {
        char *path = bench_folder(), *other = bench_folder();
        struct kv *kv = bench_kv(path), *alone = bench_kv(other);
        struct ledger *ledger = bench_ledger(kv, &secrets);
        struct bench_job job = {.base = {.run = bench_run}, .ledger = ledger};
        double begun, spent_before;

        parse[round] = n / bench_parse(&book, &bytes);
        bare[round] = n / bench_bare(alone, cards, bytes / cards + 120);
        bench_check(kv_usage(kv, &before), "usage");
        job.call.params = json_object();
        job.call.world = &world;
        job.call.file = buf_span(&book);
        begun = bench_now();
        spent_before = bench_spent();
        group_run(ledger, &job.base, 1700000000000);
        bench_check(job.base.err, job.call.failure.message);
        durable[round] = n / (bench_now() - begun);
        while (round_is_due(ledger))
            bench_check(round_run(ledger), "round");
        whole[round] = n / (bench_now() - begun);
        spent[round] = n / (bench_spent() - spent_before);
        bench_check(kv_usage(kv, &usage), "usage");
        json_decref(job.call.result);
        json_decref(job.call.params);
        ledger_close(ledger);
        kv_close(kv);
        kv_close(alone);
        if (round == 2)
            rig_print_tables(path, n);
        bench_remove(path);
        bench_remove(other);
    }
    printf("F6 reading the file alone       %8.0f /s\n", bench_median(parse, 3));
    printf("F6 bare seal and append         %8.0f /s\n", bench_median(bare, 3));
    printf("F6 import, durable              %8.0f /s\n", bench_median(durable, 3));
    printf("F6 import, lists and search too %8.0f /s  (reach 20,000; one thread)\n",
           bench_median(whole, 3));
    printf("F6 the same a second of one core %7.0f /s\n", bench_median(spent, 3));
    printf("F11 live bytes a card           %8.0f     (reach 1,450; %zu of the card itself)\n",
           (double)(usage.live_bytes - before.live_bytes) / n, book.size / cards);
    buf_release(&book);
    return 0;
}
