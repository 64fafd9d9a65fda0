/* Any bytes as recovery words: what is read is written and read again to the same seed. */
#include <stdint.h>
#include <string.h>

#include "crypto/secret.h"
#include "crypto/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t seed[SEED_SIZE], again[SEED_SIZE];
    char text[WORDS_RECOVERY_SIZE];

    if (secret_start() != ERR_OK || words_read_recovery(span_of(data, size), seed) != ERR_OK)
        return 0;
    words_recovery(seed, text);
    KITH_ASSERT(words_read_recovery(span_str(text), again) == ERR_OK);
    KITH_ASSERT(memcmp(seed, again, SEED_SIZE) == 0);
    return 0;
}
