/* One rehearsal, and a name for each op that wants words. */
#include "node/op_plan.h"

#include "node/op_contact.h"
#include "node/op_endorse.h"
#include "node/op_interaction.h"
#include "node/op_introduce.h"
#include "node/op_introduction.h"
#include "node/op_lead.h"
#include "node/op_want.h"

static enum err op_plan_run(struct op_call *call, enum err (*run)(struct op_call *call))
{
    enum err err = run(call);

    if (err != ERR_OK)
        return err;
    json_decref(call->result);
    call->result = json_object();
    call->effects = (struct op_effects){.is_rehearsal = true};
    return call->result != NULL ? ERR_CANCELLED : ERR_NOMEM;
}

enum err op_plan_contact_add(struct op_call *call)
{
    return op_plan_run(call, op_contact_add);
}

enum err op_plan_contact_edit(struct op_call *call)
{
    return op_plan_run(call, op_contact_edit);
}

enum err op_plan_contact_log(struct op_call *call)
{
    return op_plan_run(call, op_interaction_log);
}

enum err op_plan_endorse(struct op_call *call)
{
    return op_plan_run(call, op_endorse);
}

enum err op_plan_endorsement_want(struct op_call *call)
{
    return op_plan_run(call, op_want);
}

enum err op_plan_introduce(struct op_call *call)
{
    return op_plan_run(call, op_introduce);
}

enum err op_plan_intro_thanks(struct op_call *call)
{
    return op_plan_run(call, op_introduction_thanks);
}

enum err op_plan_intro_want(struct op_call *call)
{
    return op_plan_run(call, op_introduce_want);
}

enum err op_plan_lead_answer(struct op_call *call)
{
    return op_plan_run(call, op_lead_answer);
}

enum err op_plan_thanks(struct op_call *call)
{
    return op_plan_run(call, op_lead_thanks);
}
