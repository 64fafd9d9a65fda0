/* What must be true of everybody a reader of address books tells, whatever the file. */
#ifndef KITH_TESTS_FUZZ_PERSON_H
#define KITH_TESTS_FUZZ_PERSON_H

#include <stdlib.h>
#include <string.h>

#include "node/person.h"
#include "proto/limits.h"
#include "proto/scan.h"

static inline enum err fuzz_person(void *self, const struct person *person)
{
    (void)self;
    if (person_text(person, CONTACT_NAME).size == 0 || person->line == 0 ||
        person_count(person) > PERSON_VALUES_MAX || person->text.size > PERSON_SIZE_MAX)
        abort();
    for (size_t at = 0; at < person_count(person); at++) {
        uint8_t field;
        struct span value = person_value_at(person, at, &field);
        const struct field *about = kind_field(&contact_kind, field);

        if (about == NULL || value.size == 0 || !scan_is_utf8(value) ||
            (about->type != VALUE_NUMBER && value.size > about->size_max))
            abort();
        if (field == CONTACT_NAME && memchr(value.data, '\n', value.size) != NULL)
            abort();
    }
    return ERR_OK;
}

static inline void fuzz_reject(void *self, size_t line, const char *why)
{
    (void)self;
    if (line == 0 || why[0] == '\0')
        abort();
}

#endif
