/*
 * F12: kith trust and kith path as ops, and who fits an ask, on LMDB: 150 peers with 200 quotes
 * each, and 20,000 people with 500,000 endorsements; with the graph kept by a running node, and
 * made for each question. Rows of endorsements are written as merging writes them, each naming one
 * real signed record, so that making the graph and telling names cost what they cost; the records'
 * verification happens when they arrive and is F3b. usage: bench_vouch [QUESTIONS]
 */
#include "node/amend.h"
#include "node/credential.h"
#include "node/matches.h"
#include "node/ops.h"
#include "node/vouch.h"
#include "proto/link.h"
#include "proto/statement.h"
#include "storage/endorsement_state.h"
#include "storage/ledger_state.h"
#include "storage/row.h"
#include "tests/bench/bench.h"
#include "tests/bench/rig.h"
#include "tests/sim/member.h"

enum { QUESTIONS_MAX = 1000, PEERS = 150, GROUP = 20000 };

static const char *const skills[] = {"design",  "carpentry", "law",     "accounting", "roofing",
                                     "nursing", "teaching",  "welding", "gardening",  "cooking"};
enum { SKILLS = sizeof skills / sizeof skills[0] };

static uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*seed >> 33) % below);
}

/* A root by number: spread like real ones. */
static struct public_key person(uint32_t number)
{
    struct public_key key;
    struct span part = span_of(&number, sizeof number);
    struct hash hash;

    digest("bench person", &part, 1, &hash);
    memcpy(key.bytes, hash.bytes, sizeof key.bytes);
    return key;
}

static void add_peer(struct member *me, uint32_t number)
{
    struct public_key member = person(number);
    struct ledger_txn *txn;
    struct amend amend;
    struct id link, contact;
    char name[32];

    snprintf(name, sizeof name, "Peer %u %s", number, skills[number % SKILLS]);
    bench_check(member_add_contact(me, name, NULL, &contact), "contact");
    txn = member_begin(me);
    id_about("kith link", &member, &link);
    amend_begin(&amend, txn, ledger_self_space(me->ledger), KIND_LINK, &link);
    amend_bytes(&amend, LINK_MEMBER, span_of(member.bytes, 32));
    amend_number(&amend, LINK_STATE, LINK_LINKED);
    amend_number(&amend, LINK_LEVEL, LINK_INVITED);
    amend_number(&amend, LINK_SINCE, me->now_ms);
    amend_text(&amend, LINK_NAME, span_str(name));
    amend_bytes(&amend, LINK_CONTACT, span_of(contact.bytes, ID_SIZE));
    bench_check(amend_end(&amend, NULL), "link");
    bench_check(ledger_commit(txn, NULL), "commit");
}

/* One real record, in my self space: its object is what every row names. */
static uint32_t add_record(struct member *me)
{
    struct endorsement record = {.subject = me->secrets.member,
                                 .relation = RELATION_CLIENT,
                                 .about = {span_str("stairs")},
                                 .about_count = 1,
                                 .words = span_str("Built our stairs, on time and true."),
                                 .issued_s = me->now_ms / 1000 - 10 * 86400,
                                 .expires_s = me->now_ms / 1000 + 600 * 86400,
                                 .ceiling = AUDIENCE_NETWORK,
                                 .name = span_str("Somebody")};
    uint8_t seed[SEED_SIZE] = {9};
    struct signing_key root;
    struct buf statement = {0};
    struct snapshot snapshot;
    struct ledger_txn *txn = member_begin(me);
    struct amend amend;
    struct object kept = {0};
    struct id object;
    uint32_t number;

    identity_signing_key(seed, &root);
    record.issuer = root.public_key;
    endorsement_draw_id(&me->entropy, me->now_ms, &record.id);
    bench_check(credential_prove(&record, &root), "prove");
    bench_check(endorsement_issue(&record, &root, &statement), "issue");
    statement_id(buf_span(&statement), &object);
    amend_begin(&amend, txn, ledger_self_space(me->ledger), KIND_KEPT, &object);
    amend_bytes(&amend, KEPT_STATEMENT, buf_span(&statement));
    bench_check(amend_end(&amend, NULL), "kept");
    bench_check(ledger_commit(txn, NULL), "commit");
    snapshot = member_snapshot(me);
    bench_check(
        row_get(&snapshot, ledger_self_space(me->ledger), KIND_KEPT, &object, &kept, &number),
        "row");
    object_release(&kept);
    ledger_snapshot_end(&snapshot);
    buf_release(&statement);
    return number;
}

struct filling {
    struct member *me;
    struct ledger_txn *txn;
    uint32_t record, written;
    uint64_t seed;
};

static void add_row(struct filling *fill, uint32_t issuer, uint32_t subject, uint32_t quoter)
{
    uint64_t now_s = fill->me->now_ms / 1000;
    struct endorsement_row row = {.issuer = person(issuer),
                                  .subject = person(subject),
                                  .writer = person(quoter),
                                  .space = 100 + quoter,
                                  .number = fill->record,
                                  .source =
                                      subject < PEERS ? ENDORSEMENT_SHOWN : ENDORSEMENT_QUOTED,
                                  .audience = AUDIENCE_NETWORK,
                                  .relation = (enum relation)(1 + draw(&fill->seed, 8)),
                                  .ceiling = AUDIENCE_NETWORK,
                                  .issued_s = now_s - draw(&fill->seed, 700 * 86400),
                                  .expires_s = now_s + 86400 + draw(&fill->seed, 600 * 86400),
                                  .made_s = now_s - 100,
                                  .until_s = now_s - 100 + 80 * 86400,
                                  .about = {span_str(skills[draw(&fill->seed, SKILLS)])},
                                  .about_count = 1};
    struct buf value = {0};
    struct key key;

    if (fill->txn == NULL)
        fill->txn = member_begin(fill->me);
    id_draw_random(&fill->me->entropy, &row.object);
    id_draw_random(&fill->me->entropy, &row.id);
    endorsement_put_row(&row, &value);
    endorsement_row_key(SORT_SUBJECT, &row.subject, &row, &key);
    bench_check(ledger_put(fill->txn, TABLE_ENDORSEMENT, &key, buf_span(&value)), "row");
    endorsement_row_key(SORT_ISSUER, &row.issuer, &row, &key);
    bench_check(ledger_put(fill->txn, TABLE_ENDORSEMENT, &key, span_of(row.subject.bytes, 32)),
                "row");
    buf_release(&value);
    if (++fill->written % GROUP == 0) {
        bench_check(ledger_commit(fill->txn, NULL), "commit");
        fill->txn = NULL;
    }
}

static void finish(struct filling *fill)
{
    if (fill->txn != NULL)
        bench_check(ledger_commit(fill->txn, NULL), "commit");
    fill->txn = NULL;
}

/* Each peer quotes what 200 records say of people it is linked with; some are by other peers. */
static void fill_quotes(struct filling *fill)
{
    for (uint32_t quoter = 0; quoter < PEERS; quoter++)
        for (uint32_t at = 0; at < 200; at++) {
            uint32_t subject = PEERS + quoter * 20 + at / 10;
            uint32_t issuer = at % 4 == 0   ? draw(&fill->seed, PEERS)
                              : at % 4 == 1 ? quoter
                                            : PEERS + draw(&fill->seed, PEERS * 20);

            if (issuer != subject)
                add_row(fill, issuer, subject, quoter);
        }
    finish(fill);
}

/* 20,000 people, 25 endorsements of each. */
static void fill_stress(struct filling *fill)
{
    for (uint32_t subject = 0; subject < 20000; subject++)
        for (uint32_t at = 0; at < 25; at++) {
            uint32_t issuer = draw(&fill->seed, 20000);

            if (issuer != subject)
                add_row(fill, issuer, subject, draw(&fill->seed, PEERS));
        }
    finish(fill);
}

struct asking {
    double wall[QUESTIONS_MAX], cpu[QUESTIONS_MAX];
    size_t answers;
};

/* Time this process has computed, in seconds: what others do on the machine is not in it. */
static double computed(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Asks one question; the time it took and the time it computed, in ms. */
static void ask(struct member *me, const char *method, json_t *params, struct vouch_cache *vouches,
                struct asking *out, size_t at)
{
    struct op_world world = {.home = "", .vouches = vouches};
    struct op_call call = {.params = params, .world = &world};
    const struct op *op = ops_find(method);
    double begun = bench_now(), begun_cpu = computed();

    bench_check(op_step(op->run, &call, me->ledger, NULL, me->now_ms), call.failure.message);
    out->wall[at] = 1000 * (bench_now() - begun);
    out->cpu[at] = 1000 * (computed() - begun_cpu);
    out->answers += json_array_size(
        json_object_get(call.result, strcmp(method, "trust") == 0 ? "branches" : "paths"));
    json_decref(call.result);
    json_decref(params);
}

static json_t *question(const char *method, uint32_t people, uint64_t *seed)
{
    char did[DID_SIZE];
    struct public_key who = person(draw(seed, people));

    identity_did(&who, did);
    if (strcmp(method, "trust") == 0)
        return json_pack("{s:s}", "who", did);
    if (strcmp(method, "path to one") == 0)
        return json_pack("{s:[s]}", "words", did);
    return json_pack("{s:[s]}", "words", skills[draw(seed, SKILLS)]);
}

/* Who might fit: so many asks in one answer, as a list of two weeks has them. */
static double match(struct member *me, size_t asks, struct vouch_cache *vouches, uint64_t *seed)
{
    struct op_world world = {.home = "", .vouches = vouches};
    struct op_call call = {.now_ms = me->now_ms, .world = &world};
    struct matches matches;
    double begun = computed();

    bench_check(ledger_snapshot(me->ledger, &call.snapshot), "snapshot");
    matches_begin(&matches, &call);
    for (size_t at = 0; at < asks; at++) {
        const struct span tags[] = {span_str(skills[draw(seed, SKILLS)])};
        struct matches_question question = {
            .id = "3f9a1c",
            .title = span_str("A roof for a barn"),
            .text = span_str("Our roof came down in the storm and the old barn needs a new frame "
                             "before winter, by somebody who knows timber, slate and gutters."),
            .tags = tags,
            .tags_count = 1};
        json_t *list;

        bench_check(matches_of(&matches, &question, &list), "match");
        json_decref(list);
    }
    matches_end(&matches);
    ledger_snapshot_end(&call.snapshot);
    return (computed() - begun) * 1e3;
}

static void report_matches(struct member *me, struct vouch_cache *vouches)
{
    double one[11], many[11], cold[11];
    uint64_t seed = 9;

    for (size_t at = 0; at < 11; at++) {
        one[at] = match(me, 1, vouches, &seed);
        many[at] = match(me, 84, vouches, &seed);
        cold[at] = match(me, 1, NULL, &seed);
    }
    printf("    who fits an ask  computing resident %.2f ms, 84 asks %.1f ms, cold %.1f ms\n",
           bench_median(one, 11), bench_median(many, 11), bench_median(cold, 11));
}

static void report(struct member *me, uint32_t people, size_t questions)
{
    static const char *const asked[] = {"trust", "path to one", "path to a skill"};
    static struct asking warm, cold;
    struct vouch_cache vouches = {0};

    for (size_t kind = 0; kind < 3; kind++) {
        const char *method = kind == 0 ? "trust" : "path";
        size_t cold_count = questions < 11 ? questions : 11;
        uint64_t seed = 5;

        warm.answers = 0;
        for (size_t at = 0; at < cold_count; at++)
            ask(me, method, question(asked[kind], people, &seed), NULL, &cold, at);
        for (size_t at = 0; at < questions; at++)
            ask(me, method, question(asked[kind], people, &seed), &vouches, &warm, at);
        printf("    %-16s resident %6.2f ms (computing %.2f), cold %6.1f ms (computing %.1f); "
               "%.1f answers each\n",
               asked[kind], bench_median(warm.wall, questions), bench_median(warm.cpu, questions),
               bench_median(cold.wall, cold_count), bench_median(cold.cpu, cold_count),
               (double)warm.answers / (double)questions);
    }
    report_matches(me, &vouches);
    printf("    anonymous memory with the graph %ld KiB\n", rig_memory().anonymous_kib);
    vouch_cache_release(&vouches);
    printf("    anonymous memory without it     %ld KiB\n", rig_memory().anonymous_kib);
}

int main(int argc, char **argv)
{
    size_t questions = argc > 1 ? (size_t)atol(argv[1]) : 200;
    static const char *const names[] = {"150 peers with 200 quotes each",
                                        "20,000 people with 500,000 endorsements"};

    if (secret_start() != ERR_OK || questions == 0 || questions > QUESTIONS_MAX)
        return 1;
    for (int is_stress = 0; is_stress < 2; is_stress++) {
        struct member me;
        struct filling fill = {.me = &me, .seed = 3};

        member_new(&me, 1, true);
        for (uint32_t at = 0; at < PEERS; at++)
            add_peer(&me, at);
        fill.record = add_record(&me);
        if (is_stress)
            fill_stress(&fill);
        else
            fill_quotes(&fill);
        printf("F12 %s (%u rows)\n", names[is_stress], fill.written);
        report(&me, is_stress ? 20000 : PEERS * 21, questions);
        member_free(&me);
    }
    return 0;
}
