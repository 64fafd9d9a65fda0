/* Any text as an invitation or an address: what reads writes back to the same meaning. */
#include <stdlib.h>
#include <string.h>

#include "proto/invite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[INVITATION_TEXT_SIZE_MAX], address_text[ADDRESS_TEXT_SIZE];
    struct invitation invitation, again;
    struct address address, other;

    if (invitation_read(span_of(data, size), &invitation) == ERR_OK) {
        if (invitation_write(&invitation, text) != ERR_OK ||
            invitation_read(span_str(text), &again) != ERR_OK)
            abort();
        if (memcmp(invitation.secret, again.secret, sizeof again.secret) != 0 ||
            strcmp(invitation.hint, again.hint) != 0)
            abort();
    }
    if (address_read(span_of(data, size), &address) == ERR_OK) {
        address_write(&address, address_text);
        if (address_read(span_str(address_text), &other) != ERR_OK ||
            !address_is_equal(&address, &other))
            abort();
    }
    return 0;
}
