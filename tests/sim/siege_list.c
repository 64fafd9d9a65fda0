/* Where each number of the catalogue is tried. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/siege.h"

enum { SIEGE_NUMBERS = 90 };

/* What this protocol has no place for. Most of these numbers have cases of what comes nearest. */
static const struct {
    unsigned number;
    const char *reason;
} siege_absent[] = {
    {0, NULL},
};

/* Does the name say this number? */
static bool siege_list_names(const char *name, unsigned number)
{
    for (const char *at = strchr(name, 'B'); at != NULL; at = strchr(at + 1, 'B'))
        if ((at == name || at[-1] == ' ') && strtoul(at + 1, NULL, 10) == number)
            return true;
    return false;
}

static const char *siege_list_reason(unsigned number)
{
    for (size_t at = 0; siege_absent[at].reason != NULL; at++)
        if (siege_absent[at].number == number)
            return siege_absent[at].reason;
    return NULL;
}

bool siege_list_is_whole(const struct siege_case *const *tables, size_t count, bool is_telling)
{
    unsigned missing = 0;

    for (unsigned number = 1; number <= SIEGE_NUMBERS; number++) {
        const char *reason = siege_list_reason(number);
        size_t cases = 0;

        for (size_t table = 0; table < count; table++)
            for (const struct siege_case *one = tables[table]; one->name != NULL; one++) {
                if (!siege_list_names(one->name, number))
                    continue;
                cases++;
                if (is_telling)
                    (void)printf("B%u: %s\n", number, one->name);
            }
        if (is_telling && reason != NULL)
            (void)printf("B%u: %s\n", number, reason);
        if (cases > 0 || reason != NULL)
            continue;
        (void)printf("not ok B%u has no case, and no reason\n", number);
        missing++;
    }
    if (missing == 0)
        (void)printf("ok B1 to B%u each have a case or a reason\n", SIEGE_NUMBERS);
    return missing == 0;
}
