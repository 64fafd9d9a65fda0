/* The store on LMDB when the map, the disk, the file or somebody else is against it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/kv_lmdb.h"

enum { TABLES = 2, MAP_SMALL = 256 << 10, NOBODY = 65534 };

static const char *const tables[TABLES + 1] = {"rows", "more", "newer"};
static const uint8_t row_bytes[2000] = {1};

struct place {
    char folder[32];
    char file[64];
    char lock[64];
    struct kv *kv;
};

static enum err place_open(struct place *place, size_t map_bytes, bool is_read_only)
{
    struct kv_lmdb_options options = {.path = place->folder,
                                      .table_names = tables,
                                      .tables_count = TABLES,
                                      .map_bytes = map_bytes,
                                      .is_read_only = is_read_only};

    return kv_lmdb_open(&options, &place->kv);
}

static void place_close(struct place *place)
{
    kv_close(place->kv);
    place->kv = NULL;
}

static int place_setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    if (place == NULL)
        return -1;
    snprintf(place->folder, sizeof place->folder, "/tmp/kith-fault-XXXXXX");
    if (mkdtemp(place->folder) == NULL)
        return -1;
    snprintf(place->file, sizeof place->file, "%s/data.mdb", place->folder);
    snprintf(place->lock, sizeof place->lock, "%s/lock.mdb", place->folder);
    *state = place;
    return 0;
}

static int place_teardown(void **state)
{
    struct place *place = *state;

    kv_close(place->kv);
    (void)chmod(place->folder, 0700);
    if (unlink(place->file) != 0)
        (void)rmdir(place->file);
    (void)unlink(place->lock);
    (void)rmdir(place->folder);
    free(place);
    return 0;
}

/* One row in a transaction of its own; the first error, wherever it came. */
static enum err place_add(struct place *place, uint32_t number)
{
    struct kv_txn *txn;
    uint8_t key[4];
    enum err err = kv_begin(place->kv, KV_WRITE, &txn);

    if (err != ERR_OK)
        return err;
    be32_put(key, number);
    err = kv_put(txn, 0, span_of(key, 4), span_of(row_bytes, sizeof row_bytes));
    if (err == ERR_OK)
        return kv_commit(txn);
    kv_abort(txn);
    return err;
}

static void place_check_rows(struct place *place, uint32_t expected)
{
    struct kv_cursor *cursor;
    struct kv_txn *txn;
    struct span key, value;
    uint32_t found = 0;
    enum err err;

    assert_int_equal(kv_begin(place->kv, KV_READ, &txn), ERR_OK);
    assert_int_equal(kv_cursor_open(txn, 0, &cursor), ERR_OK);
    for (err = kv_cursor_seek(cursor, (struct span){0}); err == ERR_OK;
         err = kv_cursor_next(cursor)) {
        kv_cursor_at(cursor, &key, &value);
        assert_int_equal(be32(key.data), found++);
        assert_true(span_is_equal(value, span_of(row_bytes, sizeof row_bytes)));
    }
    assert_int_equal(err, ERR_NOT_FOUND);
    assert_int_equal(found, expected);
    kv_cursor_close(cursor);
    kv_abort(txn);
}

static void place_fill(struct place *place, uint32_t rows)
{
    assert_int_equal(place_open(place, 0, false), ERR_OK);
    for (uint32_t number = 0; number < rows; number++)
        assert_int_equal(place_add(place, number), ERR_OK);
    place_close(place);
}

static uint64_t place_file_size(const struct place *place)
{
    struct stat status;

    assert_int_equal(stat(place->file, &status), 0);
    return (uint64_t)status.st_size;
}

/* One transaction larger than the map fails at a put, twice as large maps follow, until it fits. */
static void a_map_full_at_put_grows_for_the_next_attempt(void **state)
{
    struct place *place = *state;
    unsigned attempts = 0;
    enum err err;

    assert_int_equal(place_open(place, MAP_SMALL, false), ERR_OK);
    do {
        struct kv_txn *txn;
        uint8_t key[4];

        assert_int_equal(kv_begin(place->kv, KV_WRITE, &txn), ERR_OK);
        err = ERR_OK;
        for (uint32_t number = 0; number < 1000 && err == ERR_OK; number++) {
            be32_put(key, number);
            err = kv_append(txn, 0, span_of(key, 4), span_of(row_bytes, sizeof row_bytes));
        }
        assert_int_equal(kv_commit(txn), err);
        assert_true(err == ERR_OK || err == ERR_FULL);
        place_check_rows(place, err == ERR_OK ? 1000 : 0);
        attempts++;
    } while (err == ERR_FULL && attempts < 10);
    assert_int_equal(err, ERR_OK);
    assert_in_range(attempts, 3, 6);
}

/* A reader of the same thread keeps the map from growing. What was acknowledged stays, what was not
 * leaves no trace, and once the reader is gone the same row fits. */
static void a_map_that_cannot_grow_is_full_and_loses_nothing(void **state)
{
    struct place *place = *state;
    struct kv_txn *reader;
    uint32_t number = 0;
    enum err err;

    assert_int_equal(place_open(place, MAP_SMALL, false), ERR_OK);
    assert_int_equal(kv_begin(place->kv, KV_READ, &reader), ERR_OK);
    while ((err = place_add(place, number)) == ERR_OK && number < 1000)
        number++;
    assert_int_equal(err, ERR_FULL);
    assert_in_range(number, 5, 200);
    place_check_rows(place, number);
    assert_int_equal(place_add(place, number), ERR_FULL);
    kv_abort(reader);
    assert_int_equal(place_add(place, number), ERR_OK);
    place_check_rows(place, number + 1);
    place_close(place);
    assert_int_equal(place_open(place, MAP_SMALL, false), ERR_OK);
    place_check_rows(place, number + 1);
}

/* Pages are taken at the commit too, for the list of free ones: every size of transaction is tried
 * near the end of the map, so that some fail there and not at a put. */
static void a_map_full_at_commit_leaves_nothing(void **state)
{
    struct place *place = *state;
    unsigned at_put = 0, at_commit = 0;
    struct kv_txn *reader;

    for (unsigned extra = 0; extra < 40; extra++) {
        uint32_t number = 0;
        enum err err = ERR_OK;

        assert_int_equal(place_open(place, MAP_SMALL + extra * 4096, false), ERR_OK);
        assert_int_equal(kv_begin(place->kv, KV_READ, &reader), ERR_OK);
        while (err == ERR_OK) {
            struct kv_txn *txn;
            uint8_t key[4];

            assert_int_equal(kv_begin(place->kv, KV_WRITE, &txn), ERR_OK);
            be32_put(key, number);
            err = kv_put(txn, 0, span_of(key, 4), span_of(row_bytes, sizeof row_bytes));
            at_put += err == ERR_FULL;
            at_commit += err == ERR_OK;
            err = kv_commit(txn);
            at_commit -= err == ERR_OK;
            number += err == ERR_OK;
        }
        assert_int_equal(err, ERR_FULL);
        place_check_rows(place, number);
        kv_abort(reader);
        place_close(place);
        assert_int_equal(unlink(place->file), 0);
    }
    assert_int_equal(at_put + at_commit, 40);
    assert_true(at_commit > 0);
}

static void a_store_outgrows_its_map_unnoticed(void **state)
{
    struct place *place = *state;
    struct kv_usage usage;

    assert_int_equal(place_open(place, MAP_SMALL, false), ERR_OK);
    for (uint32_t number = 0; number < 1500; number++)
        assert_int_equal(place_add(place, number), ERR_OK);
    assert_int_equal(kv_usage(place->kv, &usage), ERR_OK);
    assert_true(usage.map_bytes > 10 * MAP_SMALL && usage.live_bytes * 100 <= usage.map_bytes * 61);
    assert_true(usage.file_bytes >= usage.live_bytes / 2);
    place_check_rows(place, 1500);
    place_close(place);
    /* A smaller wish is raised to twice what is used, so the next write has room. */
    assert_int_equal(place_open(place, MAP_SMALL, false), ERR_OK);
    assert_int_equal(kv_usage(place->kv, &usage), ERR_OK);
    assert_true(usage.map_bytes >= 2 * usage.live_bytes);
    assert_int_equal(place_add(place, 1500), ERR_OK);
    place_check_rows(place, 1501);
}

/* Cut at every page and between: never a signal, always ERR_CORRUPT, and the file stays as it was.
 */
static void a_truncated_file_is_told_from_a_whole_one(void **state)
{
    struct place *place = *state;
    uint64_t whole, checked = 0;

    place_fill(place, 60);
    whole = place_file_size(place);
    for (uint64_t size = whole - 1; size > 0; size = size > 1500 ? size - 1500 : 0) {
        assert_int_equal(truncate(place->file, (off_t)size), 0);
        assert_int_equal(place_open(place, 0, false), ERR_CORRUPT);
        assert_int_equal(place_open(place, 0, true), ERR_CORRUPT);
        assert_int_equal(place_file_size(place), size);
        checked++;
    }
    assert_true(checked > 50);
}

/* LMDB does not write pages at the end that were given back: such a file is short and sound. */
static void a_file_that_lacks_only_free_pages_is_whole(void **state)
{
    struct place *place = *state;
    uint8_t *large = calloc(1, KV_VALUE_SIZE_MAX);
    struct kv_txn *txn;

    place_fill(place, 10);
    assert_int_equal(place_open(place, 0, false), ERR_OK);
    assert_int_equal(kv_begin(place->kv, KV_WRITE, &txn), ERR_OK);
    assert_int_equal(kv_put(txn, 1, span_str("large"), span_of(large, KV_VALUE_SIZE_MAX)), ERR_OK);
    assert_int_equal(kv_commit(txn), ERR_OK);
    assert_int_equal(kv_begin(place->kv, KV_WRITE, &txn), ERR_OK);
    assert_int_equal(kv_erase(txn, 1, span_str("large")), ERR_OK);
    assert_int_equal(kv_commit(txn), ERR_OK);
    place_close(place);
    free(large);
    assert_int_equal(truncate(place->file, (off_t)place_file_size(place) - 30 * 4096), 0);
    assert_int_equal(place_open(place, 0, false), ERR_OK);
    place_check_rows(place, 10);
    assert_int_equal(place_add(place, 10), ERR_OK);
    place_check_rows(place, 11);
}

static void place_write(const struct place *place, const void *bytes, size_t size, size_t at)
{
    int file = open(place->file, O_WRONLY | O_CREAT, 0600);

    assert_true(file >= 0);
    assert_int_equal(pwrite(file, bytes, size, (off_t)at), (ssize_t)size);
    close(file);
}

static void a_file_of_another_kind_is_refused(void **state)
{
    static uint8_t bytes[3 * 65536];
    static const struct {
        const char *name;
        size_t size;
        uint8_t fill;
        enum err expected;
    } cases[] = {
        {"one byte", 1, 'x', ERR_CORRUPT},          {"text", 100, 'x', ERR_CORRUPT},
        {"a page of text", 4096, 'x', ERR_CORRUPT}, {"much text", 3 * 65536, 'x', ERR_CORRUPT},
        {"many zeros", 3 * 65536, 0, ERR_CORRUPT},  {"nothing", 0, 0, ERR_OK},
        {"a page of zeros", 4096, 0, ERR_OK},       {"two pages of zeros", 8192, 0, ERR_OK},
    };
    struct place *place = *state;

    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        memset(bytes, cases[index].fill, sizeof bytes);
        place_write(place, bytes, cases[index].size, 0);
        assert_int_equal(place_open(place, 0, true),
                         cases[index].expected == ERR_OK ? ERR_NOT_FOUND : cases[index].expected);
        assert_int_equal(place_open(place, 0, false), cases[index].expected);
        if (cases[index].expected == ERR_OK) {
            assert_int_equal(place_add(place, 0), ERR_OK);
            place_close(place);
        } else {
            assert_int_equal(place_file_size(place), cases[index].size);
        }
        assert_int_equal(unlink(place->file), 0);
    }
    assert_int_equal(mkdir(place->file, 0700), 0);
    assert_int_equal(place_open(place, 0, false), ERR_IO);
}

/* Bytes of the meta pages: 16 magic, 20 format, 40 page size, 136 last page. */
static void a_damaged_meta_page_has_its_word(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        enum err expected;
    } cases[] = {
        {10, 0x01, ERR_CORRUPT},         {16, 0x00, ERR_CORRUPT},
        {20, 0x02, ERR_VERSION},         {23, 0x80, ERR_VERSION},
        {40, 0x01, ERR_CORRUPT},         {43, 0x01, ERR_CORRUPT},
        {4096 + 16, 0x00, ERR_CORRUPT},  {4096 + 20, 9, ERR_VERSION},
        {4096 + 41, 0x20, ERR_CORRUPT},  {4096 + 143, 0xff, ERR_CORRUPT},
        {4096 + 140, 0x01, ERR_CORRUPT},
    };
    struct place *place = *state;

    place_fill(place, 2); /* An odd count of commits, so that the second meta page is the newest. */
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        int file = open(place->file, O_RDONLY);
        uint8_t before;

        assert_int_equal(pread(file, &before, 1, (off_t)cases[index].at), 1);
        close(file);
        place_write(place, &cases[index].value, 1, cases[index].at);
        assert_int_equal(place_open(place, 0, false), cases[index].expected);
        place_write(place, &before, 1, cases[index].at);
    }
    assert_int_equal(place_open(place, 0, false), ERR_OK);
    place_check_rows(place, 2);
}

static void opening_says_what_is_missing(void **state)
{
    struct place *place = *state, elsewhere = {.folder = "/tmp/kith-no-such-folder"};
    struct kv_lmdb_options options = {.path = place->folder,
                                      .table_names = tables,
                                      .tables_count = TABLES + 1,
                                      .is_read_only = true};
    struct kv_txn *txn;

    assert_int_equal(place_open(&elsewhere, 0, false), ERR_NOT_FOUND);
    assert_int_equal(place_open(place, 0, true), ERR_NOT_FOUND);
    place_fill(place, 3);
    assert_int_equal(kv_lmdb_open(&options, &place->kv), ERR_STATE);
    assert_int_equal(place_open(place, 0, true), ERR_OK);
    assert_int_equal(kv_begin(place->kv, KV_WRITE, &txn), ERR_STATE);
    place_check_rows(place, 3);
    place_close(place);
    options.is_read_only = false;
    assert_int_equal(kv_lmdb_open(&options, &place->kv), ERR_OK);
    place_check_rows(place, 3);
}

static void files_are_for_their_owner_alone(void **state)
{
    struct place *place = *state;
    struct stat status;

    place_fill(place, 1);
    assert_int_equal(stat(place->file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(stat(place->lock, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* Root may write anywhere, so a child becomes nobody first. Its exit status is what it found. */
static enum err place_open_as_nobody(struct place *place, bool is_read_only)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        bool is_nobody = geteuid() != 0 || (setgid(NOBODY) == 0 && setuid(NOBODY) == 0);

        _exit(is_nobody ? (int)place_open(place, 0, is_read_only) : 99);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return (enum err)WEXITSTATUS(status);
}

static void a_folder_without_permission_is_an_io_error(void **state)
{
    struct place *place = *state;

    assert_int_equal(chmod(place->folder, 0555), 0);
    assert_int_equal(place_open_as_nobody(place, false), ERR_IO);
    assert_int_equal(chmod(place->folder, 0700), 0);
    place_fill(place, 1);
    assert_int_equal(chmod(place->file, 0), 0);
    assert_int_equal(chmod(place->folder, 0555), 0);
    assert_int_equal(place_open_as_nobody(place, false), ERR_IO);
    assert_int_equal(place_open_as_nobody(place, true), ERR_IO);
}

static void more_readers_than_slots_are_told_so(void **state)
{
    struct place *place = *state;
    static struct kv_txn *readers[KV_LMDB_READERS_MAX + 1];
    unsigned count = 0;
    enum err err = ERR_OK;

    place_fill(place, 1);
    assert_int_equal(place_open(place, 0, false), ERR_OK);
    while (count <= KV_LMDB_READERS_MAX &&
           (err = kv_begin(place->kv, KV_READ, &readers[count])) == ERR_OK)
        count++;
    assert_int_equal(err, ERR_BUSY);
    assert_int_equal(count, KV_LMDB_READERS_MAX);
    kv_abort(readers[--count]);
    assert_int_equal(kv_begin(place->kv, KV_READ, &readers[count]), ERR_OK);
    count++;
    assert_int_equal(place_add(place, 1), ERR_OK);
    while (count > 0)
        kv_abort(readers[--count]);
    place_check_rows(place, 2);
}

/* LMDB's descriptor of data.mdb for pages (or, with O_DSYNC, for meta pages) becomes another file.
 * The one that was there is returned, to be put back. */
static int place_swap_descriptor(const struct place *place, bool is_meta, int replacement, int *out)
{
    char link[64], target[128];

    for (int file = 3; file < 256; file++) {
        ssize_t size;
        int flags = fcntl(file, F_GETFL), kept;

        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        size = readlink(link, target, sizeof target - 1);
        if (size < 0 || flags < 0 || ((flags & O_DSYNC) != 0) != is_meta)
            continue;
        target[size] = '\0';
        if (strcmp(target, place->file) != 0)
            continue;
        kept = dup(file);
        assert_int_equal(dup2(replacement, file), file);
        close(replacement);
        *out = kept;
        return file;
    }
    fail_msg("LMDB has no such descriptor");
    return -1;
}

static void a_full_disk_at_commit_is_told_and_survived(void **state)
{
    struct place *place = *state;
    int file, kept;

    place_fill(place, 5);
    assert_int_equal(place_open(place, 0, false), ERR_OK);
    file = place_swap_descriptor(place, false, open("/dev/full", O_RDWR), &kept);
    assert_int_equal(place_add(place, 5), ERR_FULL);
    assert_int_equal(place_add(place, 5), ERR_FULL);
    place_check_rows(place, 5);
    assert_int_equal(dup2(kept, file), file);
    close(kept);
    assert_int_equal(place_add(place, 5), ERR_OK);
    place_check_rows(place, 6);
}

/* Rule L18, for pages and for meta pages: no later write is believed until the store is opened
 * again. */
static void a_failed_write_poisons_the_store(void **state)
{
    struct place *place = *state;

    place_fill(place, 5);
    for (unsigned is_meta = 0; is_meta < 2; is_meta++) {
        uint32_t rows = 5 + is_meta;
        int file, kept;

        assert_int_equal(place_open(place, 0, false), ERR_OK);
        file = place_swap_descriptor(place, is_meta != 0, open("/dev/null", O_RDONLY), &kept);
        assert_int_equal(place_add(place, rows), ERR_IO);
        assert_int_equal(dup2(kept, file), file);
        close(kept);
        assert_int_equal(place_add(place, rows), ERR_IO);
        if (!is_meta)
            place_check_rows(place, rows);
        place_close(place);
        assert_int_equal(place_open(place, 0, false), ERR_OK);
        place_check_rows(place, rows);
        assert_int_equal(place_add(place, rows), ERR_OK);
        place_close(place);
    }
}

static void step_tell(int pipe_end)
{
    assert_int_equal(write(pipe_end, "x", 1), 1);
}

static void step_await(int pipe_end)
{
    char byte;

    assert_int_equal(read(pipe_end, &byte, 1), 1);
}

/* The node makes its map larger while a command reads beside it. */
static void a_reader_of_another_process_follows_growth(void **state)
{
    struct place *place = *state;
    int to_child[2], to_parent[2], status;
    pid_t child;

    assert_int_equal(pipe(to_child), 0);
    assert_int_equal(pipe(to_parent), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool is_good = place_open(place, MAP_SMALL, false) == ERR_OK;

        for (uint32_t number = 0; number < 1000; number++) {
            is_good = is_good && place_add(place, number) == ERR_OK;
            if (number == 0) {
                step_tell(to_parent[1]);
                step_await(to_child[0]);
            }
        }
        step_tell(to_parent[1]);
        step_await(to_child[0]);
        _exit(is_good ? 0 : 1);
    }
    step_await(to_parent[0]);
    assert_int_equal(place_open(place, MAP_SMALL, true), ERR_OK);
    place_check_rows(place, 1);
    step_tell(to_child[1]);
    step_await(to_parent[0]);
    place_check_rows(place, 1000);
    place_close(place);
    step_tell(to_child[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (unsigned end = 0; end < 2; end++) {
        close(to_child[end]);
        close(to_parent[end]);
    }
}

#define IN_A_PLACE(test) cmocka_unit_test_setup_teardown(test, place_setup, place_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PLACE(a_map_full_at_put_grows_for_the_next_attempt),
        IN_A_PLACE(a_map_that_cannot_grow_is_full_and_loses_nothing),
        IN_A_PLACE(a_map_full_at_commit_leaves_nothing),
        IN_A_PLACE(a_store_outgrows_its_map_unnoticed),
        IN_A_PLACE(a_truncated_file_is_told_from_a_whole_one),
        IN_A_PLACE(a_file_that_lacks_only_free_pages_is_whole),
        IN_A_PLACE(a_file_of_another_kind_is_refused),
        IN_A_PLACE(a_damaged_meta_page_has_its_word),
        IN_A_PLACE(opening_says_what_is_missing),
        IN_A_PLACE(files_are_for_their_owner_alone),
        IN_A_PLACE(a_folder_without_permission_is_an_io_error),
        IN_A_PLACE(more_readers_than_slots_are_told_so),
        IN_A_PLACE(a_full_disk_at_commit_is_told_and_survived),
        IN_A_PLACE(a_failed_write_poisons_the_store),
        IN_A_PLACE(a_reader_of_another_process_follows_growth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
