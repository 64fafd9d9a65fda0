/* A number, then a unit. */
#include "node/until.h"

#include <stddef.h>
#include <string.h>

enum { UNTIL_NUMBER_MAX = 100000 };

enum err until_read(const char *text, uint64_t *out_seconds)
{
    static const struct {
        const char *name;
        uint64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}};
    uint64_t number = 0;
    const char *at = text;

    while (*at >= '0' && *at <= '9' && number <= UNTIL_NUMBER_MAX)
        number = number * 10 + (uint64_t)(*at++ - '0');
    if (at == text || number > UNTIL_NUMBER_MAX)
        return ERR_INVALID;
    for (size_t unit = 0; unit < sizeof units / sizeof units[0]; unit++)
        if (strcmp(units[unit].name, at) == 0) {
            *out_seconds = number * units[unit].seconds;
            return ERR_OK;
        }
    return ERR_INVALID;
}
