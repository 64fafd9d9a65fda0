/*
 * A replica in memory for tests: real chains and signatures, no database. It shares every space it
 * was told of with everybody; its member's spaces are those whose writer that member is.
 */
#ifndef KITH_TESTS_SIM_REPLICA_MEM_H
#define KITH_TESTS_SIM_REPLICA_MEM_H

#include "proto/replica.h"

enum { REPLICA_MEM_SPACES_MAX = 8, REPLICA_MEM_DEVICES_MAX = 8, REPLICA_MEM_LOGS_MAX = 600 };

struct replica_mem_log {
    struct log_id id;
    struct chain *chains;  /* after 0, 1, 2 ... count entries */
    struct entry *entries; /* count; payloads owned */
    struct head *heads;    /* count; size 0 where no head closes */
    size_t count, capacity;
    uint32_t cuts;
};

struct replica_mem {
    struct public_key member;
    struct public_key device;  /* that lives here; all zero: none of those that write */
    struct public_key retired; /* a device that writes no more; all zero: none */
    bool has_keep;             /* whose logs count as far as keep_size */
    uint64_t keep_size;
    bool is_off; /* and are held otherwise */
    bool is_out; /* it is of this member, and was shut out */
    bool is_led; /* this one was certified by it; the first two spaces tell keys */
    struct id spaces[REPLICA_MEM_SPACES_MAX];
    struct public_key writers[REPLICA_MEM_SPACES_MAX];
    size_t spaces_count;
    struct public_key devices[REPLICA_MEM_DEVICES_MAX];
    struct public_key members[REPLICA_MEM_DEVICES_MAX];
    size_t devices_count;
    struct replica_mem_log *logs[REPLICA_MEM_LOGS_MAX];
    size_t logs_count;
    size_t reads;     /* batches read */
    size_t looks;     /* rows walked over, chains and tags told */
    uint64_t wants;   /* payloads that are missing: of each log the first so many */
    enum err failure; /* what every question answers, unless ERR_OK */
    bool has_bound;
    uint64_t bound; /* entries of all logs together that there is room for */
    bool is_disk_low;
};

void replica_mem_init(struct replica_mem *replica, const struct public_key *member);
void replica_mem_release(struct replica_mem *replica);
/* Makes a space known; in the order of sharing. */
void replica_mem_add_space(struct replica_mem *replica, const struct id *space,
                           const struct public_key *writer);
void replica_mem_add_device(struct replica_mem *replica, const struct public_key *device,
                            const struct public_key *member);
/* One commit of count entries of payload_size bytes made from fill. */
MUST_USE enum err replica_mem_append(struct replica_mem *replica, const struct id *space,
                                     const struct signing_key *device, size_t count,
                                     size_t payload_size, uint8_t fill);
/* As the ledger: ERR_NOT_FOUND for an unknown space, ERR_FORGED for an unknown device,
 * ERR_DETACHED, ERR_OK too for what is stored already. */
MUST_USE enum err replica_mem_ingest(struct replica_mem *replica,
                                     const struct verified_batch *batch);
/* Leaves only the first entries of a log that is there. */
void replica_mem_cut(struct replica_mem *replica, const struct log_id *id, size_t count);
/* Entries of a log; 0 when there is none. */
uint64_t replica_mem_size(struct replica_mem *replica, const struct log_id *id);
struct replica replica_mem_replica(struct replica_mem *replica);

#endif
