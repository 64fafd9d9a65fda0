/* What the benches share: a clock, medians, a temporary folder, a new store in it. */
#ifndef KITH_TESTS_BENCH_H
#define KITH_TESTS_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "storage/follow.h"
#include "storage/kv_lmdb.h"
#include "storage/ledger.h"
#include "storage/space.h"

static inline double bench_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline int bench_order(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static inline double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, bench_order);
    return values[count / 2];
}

static inline void bench_check(enum err err, const char *what)
{
    if (err == ERR_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, err_sentence(err));
    exit(1);
}

static inline char *bench_folder(void)
{
    const char *base = getenv("KITH_BENCH_DIR");
    char *path = malloc(256);

    snprintf(path, 256, "%s/kith-bench-XXXXXX", base != NULL ? base : "/var/tmp");
    if (mkdtemp(path) == NULL)
        exit(1);
    return path;
}

static inline void bench_remove(char *path)
{
    char file[300];

    snprintf(file, sizeof file, "%s/data.mdb", path);
    unlink(file);
    snprintf(file, sizeof file, "%s/lock.mdb", path);
    unlink(file);
    rmdir(path);
    free(path);
}

static inline struct kv *bench_kv(const char *path)
{
    struct kv_lmdb_options options = {
        .path = path, .table_names = table_names, .tables_count = TABLES_COUNT};
    struct kv *kv;

    bench_check(kv_lmdb_open(&options, &kv), "open");
    return kv;
}

static inline void bench_secrets(struct device_secrets *out)
{
    struct entropy entropy = entropy_os();
    struct signing_key root;

    memset(out, 0, sizeof *out);
    out->has_root = true;
    entropy_fill(&entropy, out->root_seed, 32);
    entropy_fill(&entropy, out->signing_seed, 32);
    entropy_fill(&entropy, out->static_seed, 32);
    entropy_fill(&entropy, out->receiving_seed, 32);
    entropy_fill(&entropy, out->local_key, 32);
    entropy_fill(&entropy, out->recovery_public, 32);
    identity_signing_key(out->root_seed, &root);
    out->member = root.public_key;
}

static inline struct ledger *bench_ledger(struct kv *kv, const struct device_secrets *secrets)
{
    struct entropy entropy = entropy_os();
    struct ledger *ledger;

    bench_check(ledger_create(kv, secrets, &entropy, span_str("bench"), 1), "create");
    bench_check(ledger_open(kv, secrets, &entropy, &ledger), "open");
    return ledger;
}

/* One edit of a contact: a name and a note that together make about 250 bytes. */
static inline void bench_edit(struct edit_space *edit, const struct id *object, uint64_t counter)
{
    static char note[230];
    static char name[40]; /* The edit borrows it until it is written. */

    memset(note, 'n', sizeof note);
    snprintf(name, sizeof name, "Person %u",
             (unsigned)(object->bytes[12] << 8 | object->bytes[13]));
    edit_begin(edit, 10, object, 1700000000000 + counter);
    edit_set(edit, 1, counter, (struct value){.type = VALUE_TEXT, .bytes = span_str(name)});
    edit_set(edit, 5, counter,
             (struct value){.type = VALUE_TEXT, .bytes = span_of(note, sizeof note - 30)});
}

#endif
