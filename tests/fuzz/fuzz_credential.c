/* Any text as a credential or a presentation from anywhere: parsed or refused, judged or not, never
 * out of bounds; what is JSON has one canonical form, and that form is its own. */
#include <stdlib.h>

#include "crypto/base58.h"
#include "crypto/secret.h"
#include "node/credential.h"
#include "node/jcs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_canonical(json_t *document)
{
    struct buf first = {0}, second = {0};
    json_t *again;

    if (jcs_write(document, &first) != ERR_OK)
        abort();
    again = credential_parse(buf_span(&first));
    /* Numbers beyond 64 bits are written whole and not read again. */
    if (again != NULL && (jcs_write(again, &second) != ERR_OK ||
                          !span_is_equal(buf_span(&first), buf_span(&second))))
        abort();
    json_decref(again);
    buf_release(&first);
    buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *document = credential_parse(span_of(data, size));
    struct credential_verdict verdict;
    uint8_t bytes[SIGNATURE_SIZE];
    char text[BASE58_TEXT_SIZE];

    if (secret_start() != ERR_OK)
        abort();
    credential_verify(document, UINT64_C(1800000000000), &verdict);
    if (verdict.why == NULL || (verdict.is_valid && verdict.issuer == NULL))
        abort();
    if (document != NULL)
        fuzz_canonical(document);
    if (base58_read(span_of(data, size), bytes, sizeof bytes) == ERR_OK) {
        base58_write(span_of(bytes, sizeof bytes), text);
        if (!span_is_equal(span_str(text), span_of(data, size)))
            abort();
    }
    json_decref(document);
    return 0;
}
