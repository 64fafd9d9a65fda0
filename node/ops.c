/* The table of ops and what every op shares: params, failures. */
#include "node/ops.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "node/op_ask.h"
#include "node/op_ask_pass.h"
#include "node/op_ask_post.h"
#include "node/op_circle.h"
#include "node/op_closeness.h"
#include "node/op_complete.h"
#include "node/op_contact.h"
#include "node/op_credential.h"
#include "node/op_doctor.h"
#include "node/op_due.h"
#include "node/op_endorse.h"
#include "node/op_endorsement.h"
#include "node/op_export.h"
#include "node/op_history.h"
#include "node/op_import.h"
#include "node/op_interaction.h"
#include "node/op_introduce.h"
#include "node/op_introduction.h"
#include "node/op_invite.h"
#include "node/op_lead.h"
#include "node/op_me.h"
#include "node/op_merge.h"
#include "node/op_network.h"
#include "node/op_node.h"
#include "node/op_path.h"
#include "node/op_peer.h"
#include "node/op_plan.h"
#include "node/op_quota.h"
#include "node/op_remind.h"
#include "node/op_reply.h"
#include "node/op_search.h"
#include "node/op_share.h"
#include "node/op_shared.h"
#include "node/op_trust.h"
#include "node/op_undo.h"
#include "node/op_want.h"
#include "proto/scan.h"
#include "storage/check.h"
#include "storage/fold.h"
#include "storage/join.h"
#include "storage/standing.h"

enum { OPS_KEY_SHOWN = 40 };

static const struct op ops_all[] = {
    {.method = "ask.close", .mode = OP_WRITE, .run = op_ask_close},
    {.method = "ask.dismiss", .mode = OP_WRITE, .run = op_ask_dismiss},
    {.method = "ask.list", .mode = OP_READ, .run = op_ask_list},
    {.method = "ask.pass", .mode = OP_WRITE, .run = op_ask_pass},
    {.method = "ask.post", .mode = OP_WRITE, .run = op_ask_post},
    {.method = "ask.post.plan", .mode = OP_WRITE, .run = op_ask_post_plan},
    {.method = "offer.post.plan", .mode = OP_WRITE, .run = op_ask_post_offer_plan},
    {.method = "ask.show", .mode = OP_READ, .run = op_ask_show},
    {.method = "balance", .mode = OP_READ, .run = op_interaction_balance},
    {.method = "circle.add", .mode = OP_WRITE, .run = op_circle_add},
    {.method = "circle.create", .mode = OP_WRITE, .run = op_circle_create},
    {.method = "circle.list", .mode = OP_READ, .run = op_circle_list},
    {.method = "circle.remove", .mode = OP_WRITE, .run = op_circle_remove},
    {.method = "complete", .mode = OP_READ, .run = op_complete},
    {.method = "contact.add", .mode = OP_WRITE, .run = op_contact_add},
    {.method = "contact.add.plan", .mode = OP_WRITE, .run = op_plan_contact_add},
    {.method = "contact.closeness", .mode = OP_WRITE, .run = op_closeness},
    {.method = "contact.duplicates", .mode = OP_READ, .run = op_merge_duplicates},
    {.method = "contact.edit", .mode = OP_WRITE, .run = op_contact_edit},
    {.method = "contact.edit.plan", .mode = OP_WRITE, .run = op_plan_contact_edit},
    {.method = "contact.history", .mode = OP_READ, .run = op_history},
    {.method = "contact.list", .mode = OP_READ, .run = op_contact_list},
    {.method = "contact.log", .mode = OP_WRITE, .run = op_interaction_log},
    {.method = "contact.log.plan", .mode = OP_WRITE, .run = op_plan_contact_log},
    {.method = "contact.merge", .mode = OP_WRITE, .run = op_merge},
    {.method = "contact.remove", .mode = OP_WRITE, .run = op_contact_remove},
    {.method = "contact.search", .mode = OP_READ, .run = op_search},
    {.method = "contact.share", .mode = OP_WRITE, .run = op_share},
    {.method = "contact.share.plan", .mode = OP_READ, .run = op_share_plan},
    {.method = "contact.show", .mode = OP_READ, .run = op_contact_show},
    {.method = "contact.split", .mode = OP_WRITE, .run = op_merge_split},
    {.method = "contact.timeline", .mode = OP_READ, .run = op_interaction_timeline},
    {.method = "doctor", .mode = OP_READ, .run = op_doctor},
    {.method = "doctor.rebuild", .mode = OP_WRITE, .run = op_doctor_rebuild},
    {.method = "endorse", .mode = OP_WRITE, .run = op_endorse},
    {.method = "endorse.plan", .mode = OP_WRITE, .run = op_plan_endorse},
    {.method = "endorsement.accept", .mode = OP_WRITE, .run = op_endorsement_accept},
    {.method = "endorsement.export", .mode = OP_READ, .run = op_credential_export},
    {.method = "endorsement.hide", .mode = OP_WRITE, .run = op_endorsement_hide},
    {.method = "endorsement.list", .mode = OP_READ, .run = op_endorsement_list},
    {.method = "endorsement.present", .mode = OP_READ, .run = op_credential_present},
    {.method = "endorsement.publish", .mode = OP_WRITE, .run = op_endorsement_publish},
    {.method = "endorsement.revoke", .mode = OP_WRITE, .run = op_endorsement_revoke},
    {.method = "endorsement.set-aside", .mode = OP_WRITE, .run = op_endorsement_set_aside},
    {.method = "endorsement.show", .mode = OP_READ, .run = op_endorsement_show},
    {.method = "endorsement.verify", .mode = OP_READ, .run = op_credential_verify},
    {.method = "endorsement.want", .mode = OP_WRITE, .run = op_want},
    {.method = "endorsement.want.plan", .mode = OP_WRITE, .run = op_plan_endorsement_want},
    {.method = "endorsement.wants", .mode = OP_READ, .run = op_want_list},
    {.method = "export", .mode = OP_READ, .run = op_export},
    {.method = "due", .mode = OP_READ, .run = op_due},
    {.method = "import", .mode = OP_WRITE, .run = op_import, .poll = op_import_poll},
    {.method = "import.plan", .mode = OP_WRITE, .run = op_import_plan},
    {.method = "ask.reply", .mode = OP_WRITE, .run = op_reply},
    {.method = "ask.reply.plan", .mode = OP_WRITE, .run = op_reply_plan},
    {.method = "intro.accept", .mode = OP_WRITE, .run = op_introduction_accept},
    {.method = "intro.decline", .mode = OP_WRITE, .run = op_introduction_decline},
    {.method = "intro.known", .mode = OP_WRITE, .run = op_introduction_known},
    {.method = "intro.list", .mode = OP_READ, .run = op_introduction_list},
    {.method = "intro.mute", .mode = OP_WRITE, .run = op_introduction_mute},
    {.method = "intro.show", .mode = OP_READ, .run = op_introduction_show},
    {.method = "intro.thanks", .mode = OP_WRITE, .run = op_introduction_thanks},
    {.method = "intro.thanks.plan", .mode = OP_WRITE, .run = op_plan_intro_thanks},
    {.method = "intro.want", .mode = OP_WRITE, .run = op_introduce_want},
    {.method = "intro.want.plan", .mode = OP_WRITE, .run = op_plan_intro_want},
    {.method = "intro.withdraw", .mode = OP_WRITE, .run = op_introduction_withdraw},
    {.method = "lead.answer", .mode = OP_WRITE, .run = op_lead_answer},
    {.method = "lead.answer.plan", .mode = OP_WRITE, .run = op_plan_lead_answer},
    {.method = "lead.introduce", .mode = OP_WRITE, .run = op_lead_introduce},
    {.method = "lead.list", .mode = OP_READ, .run = op_lead_list},
    {.method = "lead.show", .mode = OP_READ, .run = op_lead_show},
    {.method = "introduce", .mode = OP_WRITE, .run = op_introduce},
    {.method = "introduce.plan", .mode = OP_WRITE, .run = op_plan_introduce},
    {.method = "log", .mode = OP_READ, .run = op_node_log},
    {.method = "me.edit", .mode = OP_WRITE, .run = op_me_edit},
    {.method = "me.show", .mode = OP_READ, .run = op_me_show},
    {.method = "network.list", .mode = OP_READ, .run = op_network_list},
    {.method = "network.off", .mode = OP_WRITE, .run = op_network_off},
    {.method = "network.on", .mode = OP_WRITE, .run = op_network_on},
    {.method = "network.quote", .mode = OP_WRITE, .run = op_network_quote},
    {.method = "network.unquote", .mode = OP_WRITE, .run = op_network_unquote},
    {.method = "offer.post", .mode = OP_WRITE, .run = op_ask_post_offer},
    {.method = "path", .mode = OP_READ, .run = op_path},
    {.method = "peer.accept",
     .mode = OP_WRITE,
     .run = op_invite_accept,
     .poll = op_invite_accept_poll},
    {.method = "peer.block", .mode = OP_WRITE, .run = op_peer_block},
    {.method = "peer.compared", .mode = OP_WRITE, .run = op_peer_compared},
    {.method = "peer.invite", .mode = OP_WRITE, .run = op_invite},
    {.method = "peer.list", .mode = OP_READ, .run = op_peer_list},
    {.method = "peer.quota", .mode = OP_WRITE, .run = op_quota},
    {.method = "peer.remove", .mode = OP_WRITE, .run = op_peer_remove},
    {.method = "peer.rename", .mode = OP_WRITE, .run = op_peer_rename},
    {.method = "peer.revoke", .mode = OP_WRITE, .run = op_invite_revoke},
    {.method = "peer.show", .mode = OP_READ, .run = op_peer_show},
    {.method = "peer.unblock", .mode = OP_WRITE, .run = op_peer_unblock},
    {.method = "peer.words", .mode = OP_READ, .run = op_peer_words},
    {.method = "remind", .mode = OP_WRITE, .run = op_remind},
    {.method = "reminder.done", .mode = OP_WRITE, .run = op_remind_done},
    {.method = "reminder.list", .mode = OP_READ, .run = op_remind_list},
    {.method = "reminder.remove", .mode = OP_WRITE, .run = op_remind_remove},
    {.method = "reminder.snooze", .mode = OP_WRITE, .run = op_remind_snooze},
    {.method = "share.keep", .mode = OP_WRITE, .run = op_shared_keep},
    {.method = "share.list", .mode = OP_READ, .run = op_shared_list},
    {.method = "share.set-aside", .mode = OP_WRITE, .run = op_shared_set_aside},
    {.method = "share.show", .mode = OP_READ, .run = op_shared_show},
    {.method = "share.withdraw", .mode = OP_WRITE, .run = op_share_withdraw},
    {.method = "status", .mode = OP_READ, .run = op_node_status},
    {.method = "status.waiting", .mode = OP_READ, .run = op_node_waiting},
    {.method = "stop", .mode = OP_READ, .needs_node = true, .run = op_node_stop},
    {.method = "sync",
     .mode = OP_READ,
     .needs_node = true,
     .run = op_node_sync,
     .poll = op_node_sync_poll},
    {.method = "thanks", .mode = OP_WRITE, .run = op_lead_thanks},
    {.method = "thanks.plan", .mode = OP_WRITE, .run = op_plan_thanks},
    {.method = "trust", .mode = OP_READ, .run = op_trust},
    {.method = "undo", .mode = OP_WRITE, .run = op_undo},
};

const struct op *ops_table(size_t *out_count)
{
    *out_count = sizeof ops_all / sizeof ops_all[0];
    return ops_all;
}

const struct op *ops_find(const char *method)
{
    for (size_t at = 0; at < sizeof ops_all / sizeof ops_all[0]; at++)
        if (strcmp(ops_all[at].method, method) == 0)
            return &ops_all[at];
    return NULL;
}

/* PROTOCOL STOLEN-11: "Nor does it make a link or take its owner's edits: nobody else would see
 * them." */
static enum err ops_check_out(struct op_call *call)
{
    enum standing standing = STANDING_GOOD;
    enum err err = standing_of(&call->snapshot, ledger_device(call->snapshot.ledger), &standing);

    if (err != ERR_OK || !standing_is_out(standing))
        return err;
    return op_fail(call, OP_UNTRUSTED,
                   "type it on another of your devices; kith export -o FILE saves what is here",
                   "%s", standing_sentence(standing));
}

/* What is written now would be of what once was. */
static enum err ops_check_lists(struct op_call *call)
{
    bool is_rebuilding = false;
    enum err err = check_is_rebuilding(call->txn, &is_rebuilding);

    if (err != ERR_OK || !is_rebuilding)
        return err;
    return op_fail(call, OP_FAILED, "kith status, then type it again",
                   "the lists are being made again: nothing is written before they are whole");
}

/* A new device writes nothing yet, whichever step of an op found that out. */
static enum err ops_may_write(struct op_call *call, enum err err)
{
    bool is_new = false;

    if (err == ERR_OK || join_is_pending(&call->snapshot, &is_new) != ERR_OK || !is_new)
        return err;
    return op_fail(call, OP_NEEDS_NODE, "kith run, where it can reach one of them",
                   "this device is new: it writes nothing before it has met your other devices "
                   "and holds what they know");
}

/* Words that mean people, and names, have sentences of their own; what is taken out may be unseen.
 */
static bool ops_is_read_elsewhere(const char *name)
{
    static const char *const names[] = {"name", "alias", "who", "a", "b", "other", "unset"};

    for (size_t at = 0; at < sizeof names / sizeof names[0]; at++)
        if (strcmp(name, names[at]) == 0)
            return true;
    return false;
}

static enum err ops_check_text(struct op_call *call, const char *name, json_t *given)
{
    bool is_pair = strcmp(name, "set") == 0 || strcmp(name, "add") == 0;
    struct span key = span_str(name),
                value = span_of(json_string_value(given), json_string_length(given));

    if (is_pair && json_is_string(given))
        (void)op_key_value(json_string_value(given), &key, &value);
    if (value.size == 0 || fold_is_seen(value) || span_is_equal(key, span_str("name")))
        return ERR_OK;
    return op_fail(call, OP_USAGE, "say something in it, or leave it out",
                   "there is nothing to see in what was given for %.*s",
                   (int)(key.size < OPS_KEY_SHOWN ? key.size : OPS_KEY_SHOWN),
                   (const char *)key.data);
}

enum err op_check_seen(struct op_call *call)
{
    const char *name;
    json_t *value, *item;
    size_t at;
    enum err err = ERR_OK;

    json_object_foreach(call->params, name, value)
    {
        if (err != ERR_OK || ops_is_read_elsewhere(name))
            continue;
        err = ops_check_text(call, name, value);
        json_array_foreach(value, at, item)
        {
            if (err == ERR_OK)
                err = ops_check_text(call, name, item);
        }
    }
    return err;
}

enum err op_step(enum err (*step)(struct op_call *call), struct op_call *call,
                 struct ledger *ledger, struct ledger_txn *txn, uint64_t wall_ms)
{
    enum err err;

    call->now_ms = wall_ms;
    call->txn = txn;
    if (txn != NULL) {
        call->snapshot = ledger_txn_snapshot(txn);
        call->failure = (struct op_failure){.code = OP_DONE}; /* It may be run again. */
        /* Lists are made again wherever they are. */
        err = step == op_doctor_rebuild ? ERR_OK : ops_check_out(call);
        if (err == ERR_OK && step != op_doctor_rebuild)
            err = ops_check_lists(call);
        if (err == ERR_OK)
            err = op_check_seen(call);
        return err == ERR_OK ? ops_may_write(call, step(call)) : err;
    }
    err = ledger_snapshot(ledger, &call->snapshot);
    if (err != ERR_OK)
        return err;
    err = step(call);
    ledger_snapshot_end(&call->snapshot);
    return err;
}

enum err op_settle(struct op_call *call, enum err err)
{
    if (err == ERR_CANCELLED && call->effects.is_rehearsal)
        return ERR_OK;
    if (err != ERR_OK && call->failure.code == OP_DONE)
        (void)op_fail_err(call, err, "this could not be done");
    return err;
}

/* The error word a code travels with until the call's failure is read. */
static enum err ops_err(enum op_code code)
{
    switch (code) {
    case OP_NOT_FOUND:
        return ERR_NOT_FOUND;
    case OP_UNTRUSTED:
        return ERR_FORGED;
    case OP_AMBIGUOUS:
        return ERR_AMBIGUOUS;
    case OP_LOCKED:
        return ERR_LOCKED;
    case OP_NEEDS_NODE:
        return ERR_STATE;
    case OP_CANCELLED:
        return ERR_CANCELLED;
    case OP_DONE:
    case OP_FAILED:
    case OP_USAGE:
        break;
    }
    return ERR_INVALID;
}

/* A hint that ends in ID is about the one that was typed. */
static void ops_hint(struct op_call *call, const char *hint)
{
    const char *id = op_text(call, "id");
    size_t size = strlen(hint);

    if (size > 3 && strcmp(hint + size - 3, " ID") == 0 && id != NULL && id[0] != '\0' &&
        strspn(id, "0123456789abcdef-") == strlen(id))
        (void)snprintf(call->failure.hint, sizeof call->failure.hint, "%.*s%.40s", (int)size - 2,
                       hint, id);
    else
        (void)snprintf(call->failure.hint, sizeof call->failure.hint, "%s", hint);
}

enum err op_fail(struct op_call *call, enum op_code code, const char *hint, const char *format, ...)
{
    va_list arguments;

    call->failure.code = code;
    va_start(arguments, format);
    (void)vsnprintf(call->failure.message, sizeof call->failure.message, format,
                    arguments); /* Cut when too long. */
    va_end(arguments);
    ops_hint(call, hint);
    return ops_err(code);
}

enum err op_fail_err(struct op_call *call, enum err err, const char *what)
{
    const char *hint = "kith doctor";
    enum op_code code = OP_FAILED;

    if (call->failure.code != OP_DONE)
        return err; /* Whoever failed first has said why. */
    if (err == ERR_FULL)
        hint = "free some room on the disk, then type it again";
    else if (err == ERR_LIMIT)
        hint = "make it smaller";
    else if (err == ERR_LOCKED)
        code = OP_LOCKED;
    else if (err == ERR_NOT_FOUND)
        code = OP_NOT_FOUND;
    if (err == ERR_KEY_MISSING)
        (void)op_fail(call, OP_NEEDS_NODE, "kith run, where it can reach your other devices",
                      "%s: another of them wrote what cannot be read here yet", what);
    else
        (void)op_fail(call, code, hint, "%s: %s", what, err_sentence(err));
    return err;
}

/* JSON is UTF-8 alone; what was cut within a letter, or never was UTF-8, becomes a question mark.
 */
static json_t *ops_mend(const char *text)
{
    static const uint8_t sizes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
    struct span rest = span_str(text);
    struct buf mended = {.is_secret = true}; /* It may repeat what was typed. */
    json_t *string;

    while (rest.size > 0) {
        size_t size = sizes[rest.data[0] >> 4];

        if (size > rest.size || !scan_is_utf8(span_of(rest.data, size))) {
            size = 1;
            buf_byte(&mended, '?');
        } else {
            buf_append(&mended, span_of(rest.data, size));
        }
        rest = span_of(rest.data + size, rest.size - size);
    }
    string = json_stringn((const char *)mended.data, mended.size);
    buf_release(&mended);
    return string != NULL ? string : json_string("");
}

json_t *op_failure_json(const struct op_failure *failure)
{
    json_t *inner =
        json_pack("{s:i, s:o}", "code", (int)failure->code, "message", ops_mend(failure->message));

    if (failure->hint[0] != '\0')
        (void)json_object_set_new(inner, "hint", ops_mend(failure->hint));
    return json_pack("{s:o}", "error", inner);
}

const char *op_text(const struct op_call *call, const char *name)
{
    return json_string_value(json_object_get(call->params, name));
}

json_t *op_list(const struct op_call *call, const char *name)
{
    json_t *list = json_object_get(call->params, name);

    return json_is_array(list) ? list : NULL;
}

bool op_key_value(const char *text, struct span *out_key, struct span *out_value)
{
    const char *equals = text != NULL ? strchr(text, '=') : NULL;
    size_t size = text == NULL ? 0 : equals != NULL ? (size_t)(equals - text) : strlen(text);

    *out_key = span_of(text, size);
    *out_value = equals != NULL ? span_str(equals + 1) : span_of(NULL, 0);
    return equals != NULL;
}

bool op_flag(const struct op_call *call, const char *name)
{
    return json_is_true(json_object_get(call->params, name));
}
