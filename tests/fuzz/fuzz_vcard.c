/* Any bytes as vCards: every person has a name, and all that is told of them is as person.h says.
 */
#include "node/vcard.h"
#include "tests/fuzz/fuzz_person.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct person_reader reader = {.person = fuzz_person, .reject = fuzz_reject};

    if (vcard_read(span_of(data, size), &reader) != ERR_OK)
        abort();
    return 0;
}
