/* Thanks and letters on their way to who replied. */
#include "node/carry.h"

#include <stdio.h>

#include "node/ask.h"
#include "node/lead.h"
#include "node/relay.h"
#include "proto/limits.h"
#include "storage/view_interaction.h"

/* Answers. */

static enum err carry_pass_thanks(struct carry *carry, const struct answer *answer,
                                  const struct public_key *by)
{
    char title[CARRY_TITLE_SIZE], text[CARRY_TITLE_SIZE + THANKS_LINE_SIZE_MAX + 80];
    struct interaction act = {.what = INTERACTION_THANKED_ME, .text = answer->line};
    char ref[ID_TEXT_SIZE];
    enum err err;

    if (carry->row.is_thanked)
        return ERR_OK;
    carry->row.is_thanked = true;
    carry_title(&carry->snapshot, &carry->row.ask, title);
    (void)snprintf(text, sizeof text,
                   "thanks you: your pass of \"%s\" brought something back%s%.*s", title,
                   answer->line.size > 0 ? ": " : "", (int)answer->line.size,
                   answer->line.size > 0 ? (const char *)answer->line.data : "");
    hex_write(span_of(carry->row.id.bytes, ID_SIZE), ref);
    act.ref = span_str(ref);
    err = carry_journal(carry, "thanks", by, text);
    if (err == ERR_OK)
        err = view_interaction_act(carry->txn, by, &act);
    act.what = INTERACTION_CARRIED_ME;
    act.text = span_str(title);
    return err == ERR_OK ? view_interaction_act(carry->txn, &carry->row.from, &act) : err;
}

static enum err carry_answer_ways(struct carry *carry, const struct reply_brought *brought,
                                  struct relay_facts *facts)
{
    enum err err = ERR_OK;

    for (size_t at = 0; at < carry->brought_count && err == ERR_OK; at++) {
        struct relay_way way = {.to = carry->brought[at].by};

        if (carry->brought[at].kind != KIND_REPLY || carry->brought[at].is_waiting)
            continue;
        err = carry_said(carry, &way.to, CARRY_MINE, KIND_ANSWER, &brought->object, NULL);
        way.was_told = err == ERR_OK;
        if (err == ERR_OK || err == ERR_NOT_FOUND)
            err = carry_is_linked(carry, &way.to, &way.is_peer);
        if (err == ERR_OK)
            (void)relay_add_way(facts, &way); /* As many as replies. */
    }
    return err;
}

/* PROTOCOL ANSWER-4: "It is handed, the same bytes, to a neighbour the reply came from" */
static enum err carry_do_answer(struct carry *carry, struct reply_brought *brought,
                                const struct relay_facts *facts, const struct answer *answer,
                                struct span bytes)
{
    uint64_t expires_ms = carry->now_ms + ANSWER_KEEP_DAYS * MS_PER_DAY;
    struct relay_verdict verdict;
    enum err err = ERR_OK;

    relay_judge(facts, &verdict);
    switch (verdict.step) {
    case RELAY_WAIT:
        return carry_wait(carry);
    case RELAY_REFUSE:
        return carry_spend(carry, brought, "it answers nothing I know, or is not by who asked");
    case RELAY_OPEN:
        err = lead_take_answer(carry, answer, &brought->by);
        if (carry_fault(err) != NULL)
            return carry_spend(carry, brought, carry_fault(err));
        break;
    case RELAY_HAND:
        err = ask_say(carry->txn, &facts->ways[verdict.way].to, KIND_ANSWER, bytes, expires_ms);
        break;
    case RELAY_DONE:
    case RELAY_KEEP: /* Whoever brought the reply is gone; so is what would be said to them. */
    case RELAY_DROP:
        break;
    }
    /* My own part in it was thanked for, too. */
    if (err == ERR_OK && verdict.step != RELAY_OPEN && answer->type == ANSWER_THANKS)
        err = carry_pass_thanks(carry, answer, &brought->by);
    return err == ERR_OK ? carry_spend(carry, brought, NULL) : err;
}

enum err carry_take_answer(struct carry *carry, struct reply_brought *brought)
{
    struct relay_facts facts = {.is_for_me = carry_is_own(carry)};
    struct buf bytes = {0};
    struct answer answer = {.type = ANSWER_THANKS};
    struct id ask;
    enum err err =
        carry_said(carry, &brought->by, CARRY_THEIRS, KIND_ANSWER, &brought->object, &bytes);

    if (err == ERR_OK) {
        err = answer_read(buf_span(&bytes), &answer);
        ask_id(&answer.ask, &ask);
        facts.fits = err == ERR_OK && carry_is_known(carry) && id_is_equal(&ask, &carry->row.ask);
        if (err == ERR_OK && !carry_is_known(carry))
            err = carry_is_early(carry, brought, &facts.is_early);
        err = err == ERR_FORGED || err == ERR_MALFORMED ? ERR_OK : err;
    }
    if (err == ERR_OK)
        err = carry_has_pace(carry, &brought->by, &facts.has_pace);
    if (err == ERR_OK)
        err = carry_answer_ways(carry, brought, &facts);
    if (err == ERR_OK)
        err = carry_do_answer(carry, brought, &facts, &answer, buf_span(&bytes));
    else if (err == ERR_NOT_FOUND)
        err = carry_taken(carry, brought, false);
    buf_release(&bytes);
    return err;
}
