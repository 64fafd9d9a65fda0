/* See four.h. */
#include "tests/sim/four.h"

#include <stdio.h>
#include <string.h>

#include "node/ask.h"
#include "proto/limits.h"
#include "proto/reply.h"
#include "storage/journal.h"
#include "storage/row.h"

void four_all(struct four *four)
{
    for (int round = 0; round < 4; round++) {
        meeting_carry(&four->ana, &four->bruno);
        meeting_carry(&four->ana, &four->carla);
        meeting_carry(&four->bruno, &four->carla);
        meeting_carry(&four->bruno, &four->dora);
        meeting_carry(&four->carla, &four->dora);
    }
}

void four_new(struct four *four)
{
    meeting_new(&four->ana, 1, "Ana");
    meeting_new(&four->bruno, 2, "Bruno");
    meeting_new(&four->carla, 3, "Carla");
    meeting_new(&four->dora, 4, "Dora");
    meeting_link(&four->ana, &four->bruno);
    meeting_link(&four->ana, &four->carla);
    meeting_link(&four->bruno, &four->carla);
    meeting_link(&four->bruno, &four->dora);
    meeting_link(&four->carla, &four->dora);
}

void four_free(struct four *four)
{
    member_free(&four->ana);
    member_free(&four->bruno);
    member_free(&four->carla);
    member_free(&four->dora);
}

static void four_post(struct four *four, const char *to)
{
    json_t *ask = meeting_op(
        &four->ana, "ask.post",
        json_pack("{s:s, s:s, s:[s]}", "text", "I look for work.", "title", "Work", "to", to),
        NULL);

    (void)snprintf(four->ask, sizeof four->ask, "%s",
                   json_string_value(json_object_get(ask, "id")));
    json_decref(ask);
    four_all(four);
}

static void four_pass(struct four *four, struct member *by, const char *to)
{
    json_decref(
        meeting_op(by, "ask.pass", json_pack("{s:s, s:[s]}", "id", four->ask, "to", to), NULL));
    four_all(four);
}

/* In a row: Ana, Bruno, Carla, Dora. */
void four_row(struct four *four)
{
    four_new(four);
    four_post(four, "Bruno");
    four_pass(four, &four->bruno, "Carla");
    four_pass(four, &four->carla, "Dora");
}

/* By two ways: Ana; Bruno and Carla; Dora. */
void four_diamond(struct four *four)
{
    json_t *ask;

    four_new(four);
    ask = meeting_op(&four->ana, "ask.post",
                     json_pack("{s:s, s:s, s:[s, s]}", "text", "I look for work.", "title", "Work",
                               "to", "Bruno", "Carla"),
                     NULL);
    (void)snprintf(four->ask, sizeof four->ask, "%s",
                   json_string_value(json_object_get(ask, "id")));
    json_decref(ask);
    four_all(four);
    four_pass(four, &four->bruno, "Dora");
    four_pass(four, &four->carla, "Dora");
}

void four_reply_to(struct four *four, struct member *by, const char *text,
                   char out[static ID_TEXT_SIZE])
{
    json_t *lead =
        meeting_op(by, "ask.reply", json_pack("{s:s, s:s}", "id", four->ask, "text", text), NULL);

    (void)snprintf(out, ID_TEXT_SIZE, "%s", json_string_value(json_object_get(lead, "id")));
    json_decref(lead);
}

size_t four_leads(struct member *member)
{
    json_t *list = meeting_op(member, "lead.list", json_object(), NULL);
    size_t count = json_array_size(json_object_get(list, "leads"));

    json_decref(list);
    return count;
}

/* How many lines of the journal are of this kind and contain this. */
struct four_lines {
    const char *kind, *text;
    size_t count;
};

static enum err four_on_line(void *self, const struct journal_row *row)
{
    struct four_lines *lines = self;

    if (span_is_equal(row->kind, span_str(lines->kind)) && row->text.size > 0 &&
        memmem(row->text.data, row->text.size, lines->text, strlen(lines->text)) != NULL)
        lines->count++;
    return ERR_OK;
}

size_t four_told(struct member *member, const char *kind, const char *text)
{
    struct four_lines lines = {.kind = kind, .text = text};
    struct snapshot snapshot = member_snapshot(member);

    KITH_ASSERT(journal_each(&snapshot, 0, four_on_line, &lines) == ERR_OK);
    ledger_snapshot_end(&snapshot);
    return lines.count;
}

/* What one says to another of a kind: how many, and the newest of them. */
struct four_found {
    size_t count;
    struct buf bytes;
};

static enum err four_on_found(void *self, uint32_t number, const struct object *object)
{
    struct four_found *found = self;

    (void)number;
    found->count++;
    buf_clear(&found->bytes);
    buf_append(&found->bytes, object_value(object, KIND_STATEMENT_FIELD).bytes);
    return buf_err(&found->bytes);
}

size_t four_says(struct member *by, const struct member *to, uint8_t kind, struct buf *out_newest)
{
    struct snapshot snapshot = member_snapshot(by);
    struct four_found found = {.count = 0};
    struct peer peer;

    KITH_ASSERT(view_peer(&snapshot, &to->secrets.member, &peer) == ERR_OK);
    KITH_ASSERT(row_each(&snapshot, &peer.pair_out, kind, four_on_found, &found) == ERR_OK);
    ledger_snapshot_end(&snapshot);
    if (out_newest != NULL)
        buf_append(out_newest, buf_span(&found.bytes));
    buf_release(&found.bytes);
    return found.count;
}

/* Says anything at all, as only a hostile program would. */
void four_say_anything(struct member *by, const struct member *to, uint8_t kind, struct span bytes)
{
    struct ledger_txn *txn = member_begin(by);

    KITH_ASSERT(ask_say(txn, &to->secrets.member, kind, bytes, by->now_ms + 5 * MS_PER_DAY) ==
                ERR_OK);
    KITH_ASSERT(ledger_commit(txn, NULL) == ERR_OK);
}

/* A letter of noise under a grant. */
void four_say_noise(struct member *by, const struct member *to, const struct public_key *grant,
                    uint32_t number)
{
    uint8_t letter[LETTER_SIZE_MIN] = {7};
    struct reply_carried carried = {.grant = *grant, .letter = span_of(letter, sizeof letter)};
    struct buf bytes = {0};

    be32_put(letter + 8, number);
    reply_carry(&carried, &bytes);
    four_say_anything(by, to, KIND_REPLY, buf_span(&bytes));
    buf_release(&bytes);
}

/* The grant by which somebody has the ask, as a route of theirs says. */
struct public_key four_grant(struct four *four, struct member *of)
{
    struct snapshot snapshot = member_snapshot(of);
    struct ask_route route;
    struct id id;

    KITH_ASSERT(hex_read(span_str(four->ask), id.bytes, ID_SIZE) == ERR_OK);
    KITH_ASSERT(view_ask_route(&snapshot, &id, &route) == ERR_OK);
    ledger_snapshot_end(&snapshot);
    return route.grant;
}
