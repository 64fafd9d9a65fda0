/*
 * The two answers to kv.h, as one suite sees them: a place that outlives the store opened on it.
 * Temporary folders are removed again.
 */
#ifndef KITH_TESTS_CONTRACT_KV_ANSWER_H
#define KITH_TESTS_CONTRACT_KV_ANSWER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/kv_lmdb.h"
#include "tests/sim/kv_mem.h"

enum { ANSWER_TABLES = 3 };

static const char *const answer_tables[ANSWER_TABLES] = {"zero", "one", "two"};

struct answer {
    bool is_lmdb;
    struct kv *kv;
    struct kv_mem *mem;
    char folder[32];
};

static inline void answer_open(struct answer *answer)
{
    struct kv_lmdb_options options = {.path = answer->folder,
                                      .table_names = answer_tables,
                                      .tables_count = ANSWER_TABLES,
                                      .map_bytes = 64 << 20};

    assert_null(answer->kv);
    if (answer->is_lmdb)
        assert_int_equal(kv_lmdb_open(&options, &answer->kv), ERR_OK);
    else
        assert_int_equal(kv_mem_open(answer->mem, &answer->kv), ERR_OK);
}

static inline void answer_close(struct answer *answer)
{
    kv_close(answer->kv);
    answer->kv = NULL;
}

static inline int answer_setup(void **state, bool is_lmdb)
{
    struct kv_mem_options options = {.tables_count = ANSWER_TABLES, .history_max = 8};
    struct answer *answer = calloc(1, sizeof *answer);

    if (answer == NULL)
        return -1;
    answer->is_lmdb = is_lmdb;
    snprintf(answer->folder, sizeof answer->folder, "/tmp/kith-kv-XXXXXX");
    if (is_lmdb ? mkdtemp(answer->folder) == NULL : kv_mem_new(&options, &answer->mem) != ERR_OK)
        return -1;
    *state = answer;
    answer_open(answer);
    return 0;
}

static inline int answer_setup_lmdb(void **state)
{
    return answer_setup(state, true);
}

static inline int answer_setup_mem(void **state)
{
    return answer_setup(state, false);
}

static inline int answer_teardown(void **state)
{
    struct answer *answer = *state;
    char path[64];

    if (answer->kv != NULL)
        kv_close(answer->kv);
    kv_mem_free(answer->mem);
    if (answer->is_lmdb) {
        snprintf(path, sizeof path, "%s/data.mdb", answer->folder);
        unlink(path);
        snprintf(path, sizeof path, "%s/lock.mdb", answer->folder);
        unlink(path);
        rmdir(answer->folder);
    }
    free(answer);
    return 0;
}

#endif
