/* The strongest facts first. */
#include "proto/link_judge.h"

/* PROTOCOL INTRO-14: "Where both hold a link already nothing is replaced: the introducer is added
 * to those who vouch for the key." */
/* PROTOCOL INVITE-4: "Of two link secrets for one pair the one with the lesser HASH(kith secret,
 * secret) is used; the other is still accepted." */
enum link_verdict link_judge(const struct link_judge_facts *facts)
{
    if (facts->is_linked && facts->said_linked && facts->heard_linked)
        return LINK_VOUCHED;
    if (!facts->is_linked || !facts->has_secret)
        return LINK_ALONE;
    if (facts->is_held)
        return LINK_SAME; /* Written twice it would push the other one out. */
    if (facts->is_confirmed || facts->is_before_first)
        return LINK_FIRST;
    return !facts->has_old || facts->is_before_old ? LINK_SECOND : LINK_SAME;
}
