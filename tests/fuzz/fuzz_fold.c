/* Any bytes fold to UTF-8 within the promised size, once and for all, and fall into bounded words.
 */
#include "storage/fold.h"

static enum err fuzz_fold_word(void *context, struct span word)
{
    size_t *total = context;

    KITH_ASSERT(word.size > 0 && word.size <= FOLD_WORD_SIZE_MAX);
    *total += word.size;
    return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once = {0}, twice = {0};
    size_t total = 0;

    if (fold(span_of(data, size), &once) == ERR_OK &&
        fold_words(buf_span(&once), fuzz_fold_word, &total) == ERR_OK) {
        KITH_ASSERT(once.size <= 11 * size && total <= once.size);
        if (once.size <= FOLD_SIZE_MAX && fold(buf_span(&once), &twice) == ERR_OK)
            KITH_ASSERT(span_is_equal(buf_span(&once), buf_span(&twice)));
    }
    buf_release(&once);
    buf_release(&twice);
    return 0;
}
