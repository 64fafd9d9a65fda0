/* A home made by the library, and the real program, for benches that run it. */
#ifndef KITH_TESTS_BENCH_HOME_H
#define KITH_TESTS_BENCH_HOME_H

#include "crypto/keyfile.h"
#include "tests/bench/bench.h"

/* Writes the key file of a home. */
static inline void bench_key(const char *home, const struct device_secrets *secrets)
{
    struct entropy entropy = entropy_os();
    struct buf bytes = {0};
    char path[300];
    FILE *file;

    snprintf(path, sizeof path, "%s/key", home);
    bench_check(keyfile_write(secrets, span_of(NULL, 0), keyfile_cost_default(), &entropy, &bytes),
                "key file");
    file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes.data, 1, bytes.size, file) != bytes.size || fclose(file) != 0)
        exit(1);
    chmod(path, 0600);
    buf_release(&bytes);
}

/* A home with a key file and an empty store; *out_store is the store's folder. */
static inline char *bench_home(const struct device_secrets *secrets, char *out_store, size_t size)
{
    char *home = bench_folder();

    bench_key(home, secrets);
    snprintf(out_store, size, "%s/store", home);
    if (mkdir(out_store, 0700) != 0)
        exit(1);
    return home;
}

static inline void bench_forget(char *home, const char *store)
{
    static const char *const names[] = {"key", "lock", "listening"};
    char path[300];

    for (size_t at = 0; at < sizeof names / sizeof names[0]; at++) {
        snprintf(path, sizeof path, "%s/%s", home, names[at]);
        unlink(path);
    }
    bench_remove(strdup(store));
    rmdir(home);
    free(home);
}

/* KITH_BINARY, or kith in the build folder above the bench. */
static inline void bench_program(const char *own, char *out, size_t size)
{
    const char *slash = strrchr(own, '/');

    snprintf(out, size, "%.*s/../kith", (int)(slash != NULL ? slash - own : 0), own);
    if (getenv("KITH_BINARY") != NULL)
        snprintf(out, size, "%s", getenv("KITH_BINARY"));
}

#endif
