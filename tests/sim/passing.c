/* On copies these acts come to lie at the same places of a log as others. */
#include "tests/sim/passing.h"

#include <stdio.h>

enum { PASSING_NAMES = 3, PASSING_ACTS = 5 };

void passing_step(struct world_node *node, const char *with)
{
    char name[16];

    (void)snprintf(name, sizeof name, "passing %d", (int)world_draw(node->world, PASSING_NAMES));
    switch (world_draw(node->world, PASSING_ACTS)) {
    case 0:
        world_op(node, "contact.add", json_pack("{s:s}", "name", name), NULL, NULL);
        break;
    case 1:
        world_op(node, "contact.edit", json_pack("{s:s, s:s}", "who", name, "note", "met"), NULL,
                 NULL);
        break;
    case 2:
        world_op(node, "contact.share",
                 json_pack("{s:s, s:[s], s:b}", "who", name, "with", with, "agreed", 1), NULL,
                 NULL);
        break;
    case 3:
        world_op(node, "share.withdraw", json_pack("{s:s}", "who", name), NULL, NULL);
        break;
    default:
        world_op(node, "contact.remove", json_pack("{s:s, s:b}", "who", name, "forget", 1), NULL,
                 NULL);
        break;
    }
}
