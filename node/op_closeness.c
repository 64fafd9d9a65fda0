/* One word about one person. */
#include "node/op_closeness.h"

#include "node/closeness.h"
#include "node/describe.h"

static enum err op_closeness_read(struct op_call *call, enum closeness *out)
{
    const char *level = op_text(call, "level");

    if (level == NULL || closeness_named(level, out) != ERR_OK)
        return op_fail(call, OP_USAGE, "kith contact closeness WHO good",
                       "say how near: close, good, known, met or muted; unset takes it back");
    return ERR_OK;
}

static enum err op_closeness_answer(struct op_call *call, const struct name_match *who)
{
    struct closeness_list near;
    enum err err = closeness_load(&call->snapshot, &near);

    if (err != ERR_OK)
        return err;
    call->result = json_object();
    describe_set_name(call->result, span_str(who->shown));
    if (who->has_contact)
        describe_set_id(call->result, "id", &who->contact);
    if (who->has_member)
        describe_set_did(call->result, "member", &who->member);
    describe_set_text(call->result, "closeness",
                      span_str(closeness_name(closeness_to(&near, who))));
    closeness_release(&near);
    return ERR_OK;
}

enum err op_closeness(struct op_call *call)
{
    struct name_match who;
    enum closeness level = CLOSENESS_UNSET;
    enum err err = name_find(call, op_text(call, "who"), &who);

    if (err == ERR_OK)
        err = op_closeness_read(call, &level);
    if (err == ERR_OK)
        err = closeness_say(call->txn, &who, level);
    if (err == ERR_OK)
        err = op_closeness_answer(call, &who);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "that could not be noted");
}
