/* Places (an IPv4 address or an IPv6 /64) from which somebody proved who they are, and when: they
 * keep a way in while strangers crowd the door. At most VIEW_HOSTS_MAX of them. */
#ifndef KITH_STORAGE_VIEW_HOST_H
#define KITH_STORAGE_VIEW_HOST_H

#include "storage/ledger.h"

enum { VIEW_HOSTS_MAX = 512, VIEW_HOST_SIZE = 16 };

/* Remembers a place (VIEW_HOST_SIZE bytes). When there are too many, the one seen longest ago is
 * forgotten. Times are the wall clock's. */
MUST_USE enum err view_host_seen(struct ledger_txn *txn, const uint8_t place[static VIEW_HOST_SIZE],
                                 uint64_t seen_at_ms);
typedef enum err (*view_host_fn)(void *self, const uint8_t place[static VIEW_HOST_SIZE],
                                 uint64_t seen_at_ms);
MUST_USE enum err view_host_each(const struct snapshot *snapshot, view_host_fn each, void *self);

#endif
