/* Any bytes as an address book of any format: the first chooses which, 0 leaves it to be found out.
 * Two readings tell the same number of people, and everybody is as person.h says. */
#include "node/book.h"
#include "tests/fuzz/fuzz_person.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err fuzz_count(void *self, const struct person *person)
{
    size_t *count = self;

    (*count)++;
    return fuzz_person(NULL, person);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t counts[2] = {0};

    for (size_t round = 0; round < 2 && size > 0; round++) {
        struct person_reader reader = {
            .person = fuzz_count, .reject = fuzz_reject, .self = &counts[round]};
        const char *why;
        enum err err = book_read(span_of(data + 1, size - 1),
                                 (enum book_format)(data[0] % (BOOK_JSON + 1)), &reader, &why);

        if ((err != ERR_OK && err != ERR_MALFORMED) || (err == ERR_MALFORMED) != (why != NULL))
            abort();
    }
    if (counts[0] != counts[1])
        abort();
    return 0;
}
