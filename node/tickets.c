/* A queue in an array: what was taken at the front makes room when the array would grow. */
#include "node/tickets.h"

#include <string.h>

#include "crypto/heap.h"

enum { TICKETS_CAPACITY_MIN = 64 };

static bool tickets_make_room(struct tickets *tickets)
{
    size_t count = tickets->end - tickets->first;
    struct ticket *grown;
    size_t capacity;

    if (tickets->end < tickets->capacity)
        return true;
    if (tickets->first > tickets->capacity / 2) {
        memmove(tickets->list, tickets->list + tickets->first, count * sizeof *tickets->list);
        tickets->first = 0;
        tickets->end = count;
        return true;
    }
    capacity = tickets->capacity == 0 ? TICKETS_CAPACITY_MIN : tickets->capacity * 2;
    grown = heap_resize(tickets->list, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    tickets->list = grown;
    tickets->capacity = capacity;
    return true;
}

uint64_t tickets_draw(struct tickets *tickets, uint64_t conn, uint64_t session_ticket)
{
    if (!tickets_make_room(tickets))
        return 0;
    tickets->list[tickets->end++] =
        (struct ticket){.number = ++tickets->last, .conn = conn, .session_ticket = session_ticket};
    return tickets->last;
}

/* Numbers follow one another without a gap: where a number stands follows from the last one. */
bool tickets_take(struct tickets *tickets, uint64_t number, struct ticket *out)
{
    size_t count = tickets->end - tickets->first;
    struct ticket *at;

    if (number == 0 || number > tickets->last || tickets->last - number >= count)
        return false;
    at = &tickets->list[tickets->end - 1 - (size_t)(tickets->last - number)];
    if (at->number == 0)
        return false;
    *out = *at;
    at->number = 0;
    while (tickets->first < tickets->end && tickets->list[tickets->first].number == 0)
        tickets->first++;
    if (tickets->first == tickets->end) /* Nothing waits: a busy hour's memory goes back. */
        *tickets = (struct tickets){
            .list = tickets->list, .capacity = tickets->capacity, .last = tickets->last};
    if (tickets->end == 0 && tickets->capacity > TICKETS_CAPACITY_MIN)
        tickets_release(tickets);
    return true;
}

void tickets_release(struct tickets *tickets)
{
    heap_free(tickets->list);
    *tickets = (struct tickets){.last = tickets->last};
}
