/* Read judge_all first. What a space means is compared without local numbers (member_put_meaning).
 */
#include "tests/sim/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "proto/card.h"
#include "proto/contact.h"
#include "storage/check.h"
#include "storage/join.h"
#include "storage/row.h"
#include "storage/standing.h"
#include "storage/view_peer.h"
#include "tests/sim/judge_search.h"
#include "tests/sim/member.h"

/* Canaries. */

void judge_begin(struct judge *judge, struct world *world)
{
    *judge = (struct judge){.world = world};
}

void judge_end(struct judge *judge)
{
    free(judge->canaries);
}

void judge_fail(struct judge *judge, const char *format, ...)
{
    va_list arguments;

    if (judge->failure[0] != '\0')
        return;
    va_start(arguments, format);
    (void)vsnprintf(judge->failure, sizeof judge->failure, format, arguments); /* Cut if long. */
    va_end(arguments);
}

size_t judge_canary(struct judge *judge, const struct world_node *author,
                    enum judge_audience audience, char out_text[static JUDGE_CANARY_SIZE])
{
    size_t number = judge->canaries_count;

    if (number == judge->canaries_capacity) {
        judge->canaries_capacity = number == 0 ? 64 : number * 2;
        judge->canaries =
            realloc(judge->canaries, judge->canaries_capacity * sizeof *judge->canaries);
        KITH_ASSERT(judge->canaries != NULL);
    }
    KITH_ASSERT(author->person < JUDGE_PERSONS_MAX);
    judge->canaries_count++;
    judge->canaries[number] = (struct judge_canary){.person = author->person,
                                                    .author = author->number,
                                                    .audience = audience,
                                                    .readers = UINT64_C(1) << author->person};
    if (audience == JUDGE_CARD)
        judge->canaries[number].readers |= judge->readers[author->person];
    (void)snprintf(out_text, JUDGE_CANARY_SIZE, "canary:%09zu", number);
    return number;
}

size_t judge_copied(const struct judge *judge, const struct world_node *node)
{
    size_t at = 0;

    while (at < judge->canaries_count &&
           !(judge->canaries[at].is_under_way && judge->canaries[at].author == node->number))
        at++;
    return at;
}

size_t judge_canary_for(struct judge *judge, const struct world_node *author,
                        const struct world_node *reader, char out_text[static JUDGE_CANARY_SIZE])
{
    size_t number = judge_canary(judge, author, JUDGE_PAIR, out_text);

    judge->canaries[number].readers |= UINT64_C(1) << reader->person;
    judge->canaries[number].reader = reader;
    return number;
}

void judge_parted(struct judge *judge, size_t person, size_t other)
{
    judge->readers[person] &= ~(UINT64_C(1) << other);
}

void judge_met(struct judge *judge, size_t person, size_t other)
{
    judge->readers[person] |= UINT64_C(1) << other;
    for (size_t at = 0; at < judge->canaries_count; at++)
        if (judge->canaries[at].audience == JUDGE_CARD && judge->canaries[at].person == person)
            judge->canaries[at].readers |= UINT64_C(1) << other;
}

/* Links. */

static enum err judge_peer(struct world_node *node, const struct world_node *peer, struct peer *out)
{
    struct snapshot snapshot;
    enum err err = node->ledger != NULL ? ledger_snapshot(node->ledger, &snapshot) : ERR_STATE;

    if (err != ERR_OK)
        return err;
    err = view_peer(&snapshot, &peer->secrets->member, out);
    ledger_snapshot_end(&snapshot);
    return err;
}

bool judge_is_linked(struct world_node *node, const struct world_node *peer)
{
    struct peer *link = secret_new(sizeof *link);
    bool is_linked = link != NULL && node->person != peer->person &&
                     judge_peer(node, peer, link) == ERR_OK && link->state == LINK_LINKED;

    secret_free(link);
    return is_linked;
}

bool judge_is_settled(struct world_node *left, struct world_node *right)
{
    return judge_is_linked(left, right) && judge_is_linked(right, left) &&
           world_is_in_step(left, &right->secrets->member) &&
           world_is_in_step(right, &left->secrets->member);
}

/* What a space means to a node: its visible objects, and the marks of its logs. */

static enum err judge_on_object(void *self, uint32_t number, const struct object *object)
{
    (void)number;
    member_put_meaning(object, self);
    return ERR_OK;
}

/* A log that was cut to nothing, or of which only the name is known, is no log. */
static enum err judge_on_log(void *self, const struct log_row *log)
{
    if (log->tip.size == 0)
        return ERR_OK; /* A device that was only named: there is nothing of it to hold. */
    buf_append(self, span_of(log->device.bytes, 32));
    buf_u64(self, log->tip.size);
    buf_append(self, span_of(log->tip.hash.bytes, HASH_SIZE));
    return ERR_OK;
}

static void judge_put_space(struct world_node *node, const struct id *id, struct buf *out_objects,
                            struct buf *out_marks)
{
    struct snapshot snapshot;
    struct space_row space;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    if (ledger_space(&snapshot, id, &space) == ERR_OK) {
        /* Which restatements are known is how a space is kept, not what it says. */
        for (unsigned kind = 1; kind < 256; kind++)
            if (kind_find((uint8_t)kind) != NULL && kind != KIND_RESTATEMENT)
                world_must(row_each(&snapshot, id, (uint8_t)kind, judge_on_object, out_objects));
        world_must(ledger_logs(&snapshot, space.number, judge_on_log, out_marks));
    }
    ledger_snapshot_end(&snapshot);
}

static void judge_compare(struct judge *judge, struct world_node *writer, struct world_node *reader,
                          const struct id *space, const char *what)
{
    struct buf written = {0}, read = {0}, told = {0}, held = {0};

    judge_put_space(writer, space, &written, &told);
    judge_put_space(reader, space, &read, &held);
    world_must(buf_err(&written) == ERR_OK ? buf_err(&read) : ERR_NOMEM);
    world_trace_bytes(judge->world, buf_span(&written));
    if (!span_is_equal(buf_span(&told), buf_span(&held)))
        judge_fail(judge, "%s and %s hold different entries of %s's %s", writer->name, reader->name,
                   writer->name, what);
    else if (!span_is_equal(buf_span(&written), buf_span(&read)))
        judge_fail(judge, "%s reads %s's %s differently", reader->name, writer->name, what);
    buf_release(&written);
    buf_release(&read);
    buf_release(&told);
    buf_release(&held);
}

static void judge_pair(struct judge *judge, struct world_node *writer, struct world_node *reader)
{
    struct peer *link = secret_new(sizeof *link), *back = secret_new(sizeof *back);

    KITH_ASSERT(link != NULL && back != NULL);
    if (judge_peer(writer, reader, link) == ERR_OK && link->state == LINK_LINKED &&
        judge_peer(reader, writer, back) == ERR_OK && back->state == LINK_LINKED) {
        judge_compare(judge, writer, reader, &back->card_in, "card");
        judge_compare(judge, writer, reader, &link->pair_out, "pair space");
    }
    secret_free(link);
    secret_free(back);
}

bool judge_is_one_device(const struct world_node *left, const struct world_node *right)
{
    return memcmp(left->secrets->signing_seed, right->secrets->signing_seed, 32) == 0;
}

static enum err judge_on_good_log(void *self, const struct log_row *log)
{
    const struct snapshot *snapshot = self;
    enum standing standing;

    world_must(standing_of(snapshot, &log->device, &standing));
    return log->tip.size > 0 && standing < STANDING_STOLEN ? ERR_CANCELLED : ERR_OK;
}

/* Does it know the space, or is there anything in it that counts to the other? One that a stolen
 * device alone told of is known to whoever heard it before the theft. */
static bool judge_must_know(struct world_node *node, struct world_node *other,
                            const struct space_row *space)
{
    struct snapshot snapshot;
    struct space_row there;
    enum err err;

    world_must(ledger_snapshot(other->ledger, &snapshot));
    err = ledger_space(&snapshot, &space->id, &there);
    ledger_snapshot_end(&snapshot);
    if (err == ERR_OK)
        return true;
    world_must(ledger_snapshot(node->ledger, &snapshot));
    err = ledger_logs(&snapshot, space->number, judge_on_good_log, &snapshot);
    ledger_snapshot_end(&snapshot);
    return err == ERR_CANCELLED;
}

/* Two devices of one member share everything. */
static void judge_siblings(struct judge *judge, struct world_node *left, struct world_node *right)
{
    struct space_row space = {.number = 0};
    enum err err = ERR_OK;

    if (judge_is_one_device(left, right))
        return;
    for (uint32_t number = 1; err == ERR_OK; number++) {
        struct snapshot snapshot;

        world_must(ledger_snapshot(left->ledger, &snapshot));
        err = ledger_space_numbered(&snapshot, number, &space);
        ledger_snapshot_end(&snapshot);
        if (err == ERR_OK && judge_must_know(left, right, &space))
            judge_compare(judge, left, right, &space.id,
                          space.kind == SPACE_SELF ? "self space"
                          : space.is_mine          ? "space"
                                                   : "peer's space");
    }
}

/* What was acknowledged. */

static bool judge_has_url(struct world_node *node, const struct id *space, const char *text)
{
    static const struct id only = {{0}};
    const struct object_element *element;
    struct object card = {0};
    struct snapshot snapshot;
    uint32_t number;
    bool is_there = false;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    if (row_get(&snapshot, space, KIND_CARD, &only, &card, &number) == ERR_OK)
        for (element = object_element_next(&card, CARD_URLS, NULL); element != NULL && !is_there;
             element = object_element_next(&card, CARD_URLS, element))
            is_there = span_is_equal(element->value.bytes, span_str(text));
    object_release(&card);
    ledger_snapshot_end(&snapshot);
    return is_there;
}

static void judge_on_card_space(struct world_node *node, void *self)
{
    struct id *out = self;
    struct snapshot snapshot;
    struct space_row card;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(ledger_own_space(&snapshot, SPACE_CARD, &card));
    ledger_snapshot_end(&snapshot);
    *out = card.id;
}

static struct id judge_card_space(struct world_node *node)
{
    struct id card = {{0}};

    world_look(node, judge_on_card_space, &card);
    return card;
}

bool judge_has_contact(struct world_node *node, const char *text)
{
    json_t *found = world_read(node, "contact.show", json_pack("{s:s}", "who", text));

    json_decref(found);
    return found != NULL;
}

static bool judge_has_object(struct world_node *node, const struct id *space, const char *text)
{
    struct object object = {0};
    struct snapshot snapshot;
    struct id id;
    uint32_t number;
    bool is_there;

    memcpy(id.bytes, text, ID_SIZE);
    world_must(ledger_snapshot(node->ledger, &snapshot));
    is_there = row_get(&snapshot, space, KIND_GRANT, &id, &object, &number) == ERR_OK;
    ledger_snapshot_end(&snapshot);
    object_release(&object);
    return is_there;
}

static void judge_acknowledged_pair(struct judge *judge, const struct judge_canary *canary,
                                    struct world_node *author, const char *text)
{
    struct peer *link = secret_new(sizeof *link);

    KITH_ASSERT(link != NULL);
    for (size_t at = 0; at < judge->world->nodes_count; at++) {
        struct world_node *reader = judge->world->nodes[at];

        if (reader->person != canary->reader->person || !reader->is_up ||
            judge_peer(author, reader, link) != ERR_OK)
            continue;
        if (!judge_has_object(author, &link->pair_out, text) ||
            !judge_has_object(reader, &link->pair_out, text))
            judge_fail(judge, "%s wrote %s for %s, and it is not there", author->name, text,
                       reader->name);
    }
    secret_free(link);
}

bool judge_shows_canary(struct judge *judge, struct world_node *node, size_t number)
{
    const struct judge_canary *canary = &judge->canaries[number];
    char text[JUDGE_CANARY_SIZE];
    struct id card;

    (void)snprintf(text, sizeof text, "canary:%09zu", number);
    if (canary->audience == JUDGE_SELF)
        return judge_has_contact(node, text);
    card = judge_card_space(judge->world->nodes[canary->author]);
    return judge_has_url(node, &card, text);
}

/* Every peer of the author, and every machine of theirs. */
static void judge_acknowledged(struct judge *judge, size_t number, struct world_node *author)
{
    const struct judge_canary *canary = &judge->canaries[number];
    char text[JUDGE_CANARY_SIZE];
    struct id card;

    (void)snprintf(text, sizeof text, "canary:%09zu", number);
    if (canary->audience == JUDGE_SELF) {
        if (author->number == canary->author && !judge_has_contact(author, text))
            judge_fail(judge, "%s has lost the contact %s", author->name, text);
        return;
    }
    if (canary->audience == JUDGE_PAIR) {
        judge_acknowledged_pair(judge, canary, author, text);
        return;
    }
    card = judge_card_space(author);
    for (size_t at = 0; at < judge->world->nodes_count; at++) {
        struct world_node *reader = judge->world->nodes[at];
        bool is_reader = reader == author || (reader->is_up && judge_is_linked(author, reader) &&
                                              judge_is_linked(reader, author));

        if (is_reader && !judge_has_url(reader, &card, text))
            judge_fail(judge, "%s does not show %s of %s's card", reader->name, text, author->name);
    }
}

struct judge_showing {
    const struct id *card;
    const char *text;
    bool is_shown;
};

static void judge_look(struct world_node *node, void *self)
{
    struct judge_showing *showing = self;

    showing->is_shown = judge_has_url(node, showing->card, showing->text);
}

static bool judge_shows(struct world_node *node, const struct id *card, const char *text)
{
    struct judge_showing showing = {.card = card, .text = text};

    world_look(node, judge_look, &showing);
    return showing.is_shown;
}

/* Does any machine but one show it? */
static bool judge_shows_elsewhere(struct judge *judge, const struct world_node *node,
                                  const struct id *card, const char *text)
{
    struct world *world = judge->world;
    bool is_shown = false;

    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at] != node)
            is_shown |= judge_shows(world->nodes[at], card, text);
    return is_shown;
}

void judge_goes_back(struct judge *judge, struct world_node *node)
{
    struct world *world = judge->world;
    char text[JUDGE_CANARY_SIZE];

    for (size_t at = 0; at < world->nodes_count; at++) /* The judge reads on. */
        kv_mem_fail(world->nodes[at]->mem, (struct kv_mem_failure){0});
    for (size_t number = 0; number < judge->canaries_count; number++) {
        struct judge_canary *canary = &judge->canaries[number];
        struct id card = judge_card_space(world->nodes[canary->author]);

        (void)snprintf(text, sizeof text, "canary:%09zu", number);
        canary->is_last_here = canary->is_acknowledged && canary->author != node->number &&
                               canary->audience == JUDGE_CARD && judge_shows(node, &card, text) &&
                               !judge_shows_elsewhere(judge, node, &card, text);
    }
}

void judge_went_back(struct judge *judge, struct world_node *node, size_t since)
{
    struct world *world = judge->world;
    struct id card;
    char text[JUDGE_CANARY_SIZE];

    for (size_t at = 0; at < world->nodes_count; at++) /* The judge reads on. */
        kv_mem_fail(world->nodes[at]->mem, (struct kv_mem_failure){0});
    for (size_t number = 0; number < judge->canaries_count; number++) {
        struct judge_canary *canary = &judge->canaries[number];

        (void)snprintf(text, sizeof text, "canary:%09zu", number);
        card = judge_card_space(world->nodes[canary->author]);
        if (canary->author == node->number && number >= since)
            canary->is_acknowledged &=
                canary->audience == JUDGE_CARD && judge_shows_elsewhere(judge, node, &card, text);
        else if (canary->is_last_here)
            canary->is_acknowledged = judge_shows(node, &card, text);
    }
}

struct judge_newcomer {
    struct world_node *device, *asked; /* it, and whose store is being read */
    bool is_pending, is_known;
};

static bool judge_answers_as(const struct ledger *ledger, const struct device_row *device)
{
    const struct exchange_key *key = ledger_static_key(ledger);

    for (size_t at = 0; key != NULL; key = ledger_old_static_key(ledger, at++))
        if (memcmp(key->public_key, device->static_key, KEY_SIZE) == 0)
            return true;
    return false;
}

/* Does the machine that is asked answer as this one, which the newcomer knows? */
static enum err judge_on_host(void *self, const struct device_row *device)
{
    struct judge_newcomer *newcomer = self;

    newcomer->is_known |= judge_answers_as(newcomer->asked->ledger, device);
    return ERR_OK;
}

static void judge_look_for(struct world_node *node, void *self)
{
    struct judge_newcomer *newcomer = self;
    struct snapshot snapshot;

    (void)node;
    world_must(ledger_snapshot(newcomer->device->ledger, &snapshot));
    world_must(join_is_pending(&snapshot, &newcomer->is_pending));
    world_must(
        view_device_each(&snapshot, ledger_member(snapshot.ledger), judge_on_host, newcomer));
    ledger_snapshot_end(&snapshot);
}

static void judge_look_at(struct world_node *node, void *self)
{
    struct judge_newcomer *newcomer = self;

    newcomer->asked = node;
    world_look(newcomer->device, judge_look_for, newcomer);
}

bool judge_is_stranded(struct judge *judge, struct world_node *device)
{
    struct world *world = judge->world;
    struct judge_newcomer newcomer = {.device = device};

    for (size_t at = 0; at < world->nodes_count; at++)
        if (world->nodes[at]->person == device->person && world->nodes[at] != device)
            world_look(world->nodes[at], judge_look_at, &newcomer);
    return newcomer.is_pending && !newcomer.is_known;
}

/* Each node for itself. */

static void judge_store(struct judge *judge, struct world_node *node)
{
    struct check_report report;
    struct snapshot snapshot;

    world_must(ledger_snapshot(node->ledger, &snapshot));
    world_must(check_store(&snapshot, &report));
    ledger_snapshot_end(&snapshot);
    if (report.damaged > 0)
        judge_fail(judge, "%s: doctor finds %llu things, first: %s", node->name,
                   (unsigned long long)report.damaged, report.first);
    if (node->violations > 0)
        judge_fail(judge, "%s was told that an honest peer broke a rule", node->name);
}

void judge_all(struct judge *judge)
{
    struct world *world = judge->world;

    for (size_t at = 0; at < world->nodes_count; at++) {
        struct world_node *node = world->nodes[at];

        if (!node->is_up)
            continue;
        judge_store(judge, node);
        judge_search(judge, node);
        for (size_t other = 0; other < world->nodes_count; other++)
            if (world->nodes[other]->is_up && world->nodes[other]->person != node->person)
                judge_pair(judge, node, world->nodes[other]);
            else if (world->nodes[other]->is_up && other != at)
                judge_siblings(judge, node, world->nodes[other]);
        for (size_t canary = 0; canary < judge->canaries_count; canary++)
            if (judge->canaries[canary].person == node->person &&
                judge->canaries[canary].is_acknowledged)
                judge_acknowledged(judge, canary, node);
    }
    judge_nonces(judge);
}

bool judge_is_content(const struct judge *judge, char out_complaint[static JUDGE_FAILURE_SIZE])
{
    struct judge trial = *judge;

    judge_all(&trial);
    (void)snprintf(out_complaint, JUDGE_FAILURE_SIZE, "%s", trial.failure);
    return trial.failure[0] == '\0';
}
