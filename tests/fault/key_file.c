/*
 * The key file is written over while a successor takes up its keys. A process killed before or
 * after any call that writing makes leaves the old file or the new one, whole; and the calls come
 * in the order that makes a power cut do the same: the new bytes are synced before the name is
 * given, the folder after.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/keyfile.h"
#include "crypto/secret.h"
#include "node/home.h"

enum { KEY_FILE_CALLS_MAX = 64, KEY_FILE_DIES = 9 };

/* What the calls of this process have come to; the linker brings them here (--wrap). */
static struct {
    unsigned deadly; /* this call is the last; 0: none */
    bool is_done;    /* the call itself still comes true */
    unsigned count;
    char order[KEY_FILE_CALLS_MAX]; /* W write, F fsync of a file, D of a folder, R rename */
    size_t order_size;
} key_file_calls;

int __real_open(const char *path, int flags, ...);
ssize_t __real_write(int descriptor, const void *bytes, size_t size);
int __real_fsync(int descriptor);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_close(int descriptor);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size);
int __wrap_fsync(int descriptor);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_close(int descriptor);

static void key_file_before(void)
{
    key_file_calls.count++;
    if (key_file_calls.count == key_file_calls.deadly && !key_file_calls.is_done)
        _exit(KEY_FILE_DIES);
}

static void key_file_after(char letter)
{
    if (key_file_calls.count == key_file_calls.deadly)
        _exit(KEY_FILE_DIES);
    if (letter != '\0' && key_file_calls.order_size < KEY_FILE_CALLS_MAX - 1)
        key_file_calls.order[key_file_calls.order_size++] = letter;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    int descriptor;
    unsigned mode;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    key_file_before();
    descriptor = __real_open(path, flags, mode);
    key_file_after('\0');
    return descriptor;
}

/* Half of what is written may be all there is. */
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size)
{
    ssize_t count;

    key_file_before();
    if (key_file_calls.count == key_file_calls.deadly)
        size /= 2;
    count = __real_write(descriptor, bytes, size);
    key_file_after('W');
    return count;
}

int __wrap_fsync(int descriptor)
{
    struct stat status;
    int result;

    key_file_before();
    result = __real_fsync(descriptor);
    key_file_after(fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode) ? 'D' : 'F');
    return result;
}

int __wrap_rename(const char *from, const char *to)
{
    int result;

    key_file_before();
    result = __real_rename(from, to);
    key_file_after('R');
    return result;
}

int __wrap_unlink(const char *path)
{
    int result;

    key_file_before();
    result = __real_unlink(path);
    key_file_after('\0');
    return result;
}

int __wrap_close(int descriptor)
{
    int result;

    key_file_before();
    result = __real_close(descriptor);
    key_file_after('\0');
    return result;
}

struct key_file_case {
    char folder[64];
    struct home home;
    struct device_secrets *old, *taken; /* taken: with a successor's keys */
};

static void key_file_begin(struct key_file_case *at)
{
    struct entropy entropy = entropy_os();
    uint8_t seed[SEED_SIZE];

    (void)strcpy(at->folder, "/tmp/kith-key-XXXXXX");
    assert_non_null(mkdtemp(at->folder));
    memset(&at->home, 0, sizeof at->home);
    at->home.lock = -1;
    (void)snprintf(at->home.places.home, sizeof at->home.places.home, "%s", at->folder);
    at->old = secret_new(sizeof *at->old);
    at->taken = secret_new(sizeof *at->taken);
    assert_non_null(at->old);
    assert_non_null(at->taken);
    entropy_fill(&entropy, seed, sizeof seed);
    assert_int_equal(keyfile_draw(seed, &entropy, 1, at->old), ERR_OK);
    *at->taken = *at->old;
    at->taken->has_successor = true;
    entropy_fill(&entropy, at->taken->successor_signing_seed, 32);
    entropy_fill(&entropy, at->taken->successor_static_seed, 32);
    entropy_fill(&entropy, at->taken->successor_receiving_seed, 32);
}

static void key_file_end(struct key_file_case *at)
{
    char path[128];

    secret_free(at->old);
    secret_free(at->taken);
    (void)snprintf(path, sizeof path, "%s/key", at->folder);
    (void)unlink(path);
    assert_int_equal(rmdir(at->folder), 0); /* Nothing else was left there. */
}

static bool key_file_is(const struct device_secrets *left, const struct device_secrets *right)
{
    return left->has_successor == right->has_successor &&
           secret_is_equal(left->signing_seed, right->signing_seed, 32) &&
           secret_is_equal(left->successor_signing_seed, right->successor_signing_seed, 32) &&
           secret_is_equal(left->successor_static_seed, right->successor_static_seed, 32) &&
           secret_is_equal(left->successor_receiving_seed, right->successor_receiving_seed, 32);
}

/* Writes the taken keys over the old ones in a process that dies at a call. False: it did not. */
static bool key_file_dies(const struct key_file_case *at, unsigned deadly, bool is_done)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        key_file_calls.count = 0;
        key_file_calls.deadly = deadly;
        key_file_calls.is_done = is_done;
        _exit(home_write_key(&at->home, at->taken, span_of(NULL, 0), true) == ERR_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KEY_FILE_DIES);
    return WEXITSTATUS(status) == KEY_FILE_DIES;
}

static void key_file_is_old_or_new_wherever_writing_ends(void **state)
{
    struct device_secrets *read = secret_new(sizeof *read);
    struct key_file_case at;
    unsigned deadly = 0, news = 0;
    bool has_died = true;

    (void)state;
    assert_non_null(read);
    key_file_begin(&at);
    while (has_died) {
        deadly++;
        assert_true(deadly < KEY_FILE_CALLS_MAX);
        for (int is_done = 0; is_done < 2; is_done++) {
            assert_int_equal(home_write_key(&at.home, at.old, span_of(NULL, 0), true), ERR_OK);
            has_died = key_file_dies(&at, deadly, is_done == 1);
            assert_int_equal(home_read_key(&at.home, span_of(NULL, 0), read), ERR_OK);
            assert_true(key_file_is(read, at.old) || key_file_is(read, at.taken));
            news += key_file_is(read, at.taken);
        }
    }
    assert_true(deadly > 8);
    assert_in_range(news, 4, deadly); /* Both are seen: before the name is given, and after. */
    assert_int_equal(home_write_key(&at.home, at.taken, span_of(NULL, 0), true), ERR_OK);
    assert_int_equal(home_read_key(&at.home, span_of(NULL, 0), read), ERR_OK);
    assert_true(key_file_is(read, at.taken));
    key_file_end(&at);
    secret_free(read);
}

static void key_file_is_synced_before_it_has_its_name_and_the_folder_after(void **state)
{
    struct key_file_case at;
    const char *named;

    (void)state;
    key_file_begin(&at);
    assert_int_equal(home_write_key(&at.home, at.old, span_of(NULL, 0), true), ERR_OK);
    memset(&key_file_calls, 0, sizeof key_file_calls);
    assert_int_equal(home_write_key(&at.home, at.taken, span_of(NULL, 0), true), ERR_OK);
    named = strchr(key_file_calls.order, 'R');
    assert_non_null(named);
    assert_true(named - key_file_calls.order >= 2);
    assert_memory_equal(named - 2, "WFRD", 4);
    assert_null(strchr(named + 2, 'W'));
    key_file_end(&at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_file_is_old_or_new_wherever_writing_ends),
        cmocka_unit_test(key_file_is_synced_before_it_has_its_name_and_the_folder_after),
    };

    return secret_start() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
