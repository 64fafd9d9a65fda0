/* Two members who mean to be linked: one invites, the other accepts, and each asks again for as
 * long as a power cut or a failing disk may have had the answer. */
#ifndef KITH_TESTS_SIM_LINKING_H
#define KITH_TESTS_SIM_LINKING_H

#include "tests/sim/judge.h"

struct linking {
    struct world_node *inviter, *acceptor;
    char uri[INVITATION_TEXT_SIZE_MAX];
};

/* True when both hold the link; else asks for what is next. */
bool linking_urge(struct linking *linking);

#endif
