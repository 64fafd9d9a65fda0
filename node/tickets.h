/*
 * Numbers for what the writer thread will answer, and what each answer is for. Answers come nearly
 * in the order of the numbers; each is taken once. Both cost next to nothing, however many wait.
 */
#ifndef KITH_NODE_TICKETS_H
#define KITH_NODE_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ticket {
    uint64_t number; /* 0: taken */
    uint64_t conn, session_ticket;
};

/* A zeroed one is empty. */
struct tickets {
    struct ticket *list; /* ascending */
    size_t first, end, capacity;
    uint64_t last; /* number */
};

/* The number of a new one; 0: no memory. */
uint64_t tickets_draw(struct tickets *tickets, uint64_t conn, uint64_t session_ticket);
/* False, *out untouched, when it was taken or never drawn. */
bool tickets_take(struct tickets *tickets, uint64_t number, struct ticket *out);
void tickets_release(struct tickets *tickets);

#endif
