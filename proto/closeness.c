/* The fields of a closeness, and its names. */
#include "proto/closeness.h"

#include <string.h>

#include "proto/limits.h"

static const struct field closeness_fields[] = {
    {CLOSENESS_OF, "of", VALUE_TEXT, false, MATCH_EXACT, TEXT_SIZE_MAX},
    {CLOSENESS_LEVEL, "level", VALUE_NUMBER, false, MATCH_EXACT, CLOSENESS_MUTED},
};

const struct kind closeness_kind = {.number = KIND_CLOSENESS,
                                    .name = "closeness",
                                    .spaces = 1u << SPACE_SELF,
                                    .fields = closeness_fields,
                                    .fields_count =
                                        sizeof closeness_fields / sizeof closeness_fields[0]};

static const char *const closeness_names[] = {
    [CLOSENESS_UNSET] = "unset", [CLOSENESS_CLOSE] = "close", [CLOSENESS_GOOD] = "good",
    [CLOSENESS_KNOWN] = "known", [CLOSENESS_MET] = "met",     [CLOSENESS_MUTED] = "muted"};

const char *closeness_name(enum closeness level)
{
    return closeness_names[level <= CLOSENESS_MUTED ? level : CLOSENESS_UNSET];
}

enum err closeness_named(const char *name, enum closeness *out)
{
    for (size_t at = 0; at < sizeof closeness_names / sizeof closeness_names[0]; at++)
        if (strcmp(closeness_names[at], name) == 0) {
            *out = (enum closeness)at;
            return ERR_OK;
        }
    return ERR_INVALID;
}
