/* The memory of a session: what it holds, and what it gives back between two steps. */
#include "proto/session_state.h"

#include "crypto/heap.h"
#include "crypto/secret.h"

bool session_has_window(const struct session *session)
{
    uint64_t bytes = session->window + session->out.size;

    switch (session->thrift) {
    case SESSION_PLENTY:
        return bytes < SESSION_WINDOW;
    case SESSION_ONE_BATCH:
        return bytes == 0;
    case SESSION_NO_BATCH:
        break;
    }
    return false;
}

void session_sent(struct session *session)
{
    buf_release(&session->out);
}

void session_rest(struct session *session)
{
    frame_rest(&session->in);
    wire_release(&session->doc);
    buf_release(&session->out);
    buf_release(&session->facts);
    buf_release(&session->fills);
    if (session->options.role != SESSION_PEER && session->effects != NULL)
        secret_wipe(session->effects, session->effects_capacity * sizeof *session->effects);
    heap_free(session->effects);
    session->effects = NULL;
    session->effects_count = session->effects_capacity = 0;
    if (session->pending_count > 0)
        return;
    heap_free(session->pending);
    session->pending = NULL;
}

size_t session_held(const struct session *session)
{
    return sizeof *session + session->identity.size + session->remote_identity.size +
           session->addresses.size + session->in.bytes.size - session->in.taken +
           session->logs_count * sizeof *session->logs +
           session->aliases_count * sizeof *session->aliases +
           session->pending_count * sizeof *session->pending + session->pending_bytes +
           session->told_count * sizeof *session->told + offers_held(&session->offers) +
           places_held(&session->logs_places) + places_held(&session->aliases_places) +
           session->next_alias * sizeof *session->given;
}
