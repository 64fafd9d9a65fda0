/*
 * Two devices of one member, each with its own LMDB store, joined by a session over TCP on
 * loopback: the giver on one thread, the taker on two, its own and the writer's, as in a node.
 * Sessions and channels are the product's, and so is the writer; the handshake is left out.
 */
#ifndef KITH_TESTS_BENCH_RIG_H
#define KITH_TESTS_BENCH_RIG_H

#include "tests/bench/bench.h"

struct rig_device {
    struct device_secrets secrets;
    struct entropy entropy;
    char *path;
    struct kv *kv;
    struct ledger *ledger;
};

/* A device; when first is not NULL a further one of its member, which has met nobody yet. */
void rig_device_open(struct rig_device *device, const struct rig_device *first);
void rig_device_close(struct rig_device *device);
/* Writes so many edits of about 300 sealed bytes over so many contacts into the giver's self space.
 * is_wordy: each changes thirty words that search must find; else none. */
void rig_fill(struct rig_device *giver, size_t edits, size_t contacts, bool is_wordy);

/* Of this process, in KiB. Mapped are pages of files, which are the kernel's to take back: the
 * stores' maps, nearly all of it. */
struct rig_memory {
    long anonymous_kib, mapped_kib;
};
struct rig_memory rig_memory(void);

struct rig_times {
    size_t entries;
    double durable_s;  /* until all is acknowledged */
    double readable_s; /* until objects and lists are there, too */
    double giver_cpu_s, taker_cpu_s, all_cpu_s;
    uint64_t batch_bytes, wire_bytes; /* from giver to taker */
    struct rig_memory memory;         /* the most seen while it ran, both ends in one process */
};
/* is_log_first: views are made when all is durable, so that the log can be timed alone. */
void rig_sync(struct rig_device *giver, struct rig_device *taker, bool is_log_first,
              struct rig_times *out);

/* The one-thread bare pipeline over entries of the giver: decrypt, hash, chain, verify once in
 * 256, append to LMDB in commits of 8,000. Entries a second. */
double rig_bare(struct rig_device *giver, size_t entries);

/* Prints what each table of a store that nobody has open takes, shared out among so many things;
 * tables of less than five bytes each are left out. */
void rig_print_tables(const char *path, double things);

#endif
