/* The fields of a circle. */
#include "proto/circle.h"

#include "proto/limits.h"

static const struct field circle_fields[] = {
    {CIRCLE_NAME, "name", VALUE_TEXT, false, MATCH_EXACT, NAME_SIZE_MAX},
    {CIRCLE_MEMBERS, "member", VALUE_TEXT, true, MATCH_EXACT, TEXT_SIZE_MAX},
};

const struct kind circle_kind = {.number = KIND_CIRCLE,
                                 .name = "circle",
                                 .spaces = 1u << SPACE_SELF,
                                 .fields = circle_fields,
                                 .fields_count = sizeof circle_fields / sizeof circle_fields[0]};
