/* Files of one home: everything is written to a temporary name, synced, renamed, and the folder
 * synced after it. */
#include "node/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "storage/kv_lmdb.h"

enum { HOME_READ_STEP = 64 << 10, HOME_LOCK_TEXT_MAX = 64 };

static enum err home_errno(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case ENOMEM:
        return ERR_NOMEM;
    case EEXIST:
        return ERR_EXISTS;
    default:
        return ERR_IO;
    }
}

static bool home_path(const struct home *home, const char *name, char out[static CONFIG_PATH_MAX])
{
    int count = snprintf(out, CONFIG_PATH_MAX, "%s/%s", home->places.home, name);

    return count > 0 && count < CONFIG_PATH_MAX;
}

enum err home_init(const struct config *config, struct home *out)
{
    out->lock = -1;
    return config_places(config, &out->places);
}

bool home_has_identity(const struct home *home)
{
    char path[CONFIG_PATH_MAX];
    struct stat status;

    return home_path(home, "key", path) && stat(path, &status) == 0;
}

/* Makes a folder and those above it. */
static enum err home_make_folder(const char *path)
{
    char part[CONFIG_PATH_MAX];
    struct stat status;
    size_t size = strlen(path);

    if (size == 0 || size >= sizeof part)
        return ERR_LIMIT;
    memcpy(part, path, size + 1);
    for (size_t at = 1; at <= size; at++) {
        if (part[at] != '/' && part[at] != '\0')
            continue;
        part[at] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return home_errno(errno);
        part[at] = at < size ? '/' : '\0';
    }
    if (stat(path, &status) != 0)
        return home_errno(errno);
    return S_ISDIR(status.st_mode) ? ERR_OK : ERR_INVALID;
}

enum err home_create(const struct home *home)
{
    char store[CONFIG_PATH_MAX];
    enum err err = home_make_folder(home->places.home);

    if (err != ERR_OK)
        return err;
    if (!home_path(home, "store", store))
        return ERR_LIMIT;
    return home_make_folder(store);
}

enum err home_create_runtime(const struct home *home)
{
    struct stat status;
    enum err err = home_make_folder(home->places.runtime);

    if (err != ERR_OK)
        return err;
    /* The folder may lie where anybody can make folders. */
    if (lstat(home->places.runtime, &status) != 0)
        return home_errno(errno);
    return S_ISDIR(status.st_mode) && status.st_uid == geteuid() && (status.st_mode & 077) == 0
               ? ERR_OK
               : ERR_STATE;
}

/* Who wrote the lock file: "node 123" or "command 123". */
static void home_read_holder(int lock, enum home_holder *out_who, long *out_pid)
{
    char text[HOME_LOCK_TEXT_MAX] = {0};
    ssize_t count = pread(lock, text, sizeof text - 1, 0);
    const char *at = count > 0 ? strchr(text, ' ') : NULL;

    *out_who = strncmp(text, "node ", 5) == 0 ? HOME_NODE : HOME_COMMAND;
    *out_pid = 0;
    while (at != NULL && *++at >= '0' && *at <= '9' && *out_pid < INT32_MAX)
        *out_pid = *out_pid * 10 + (*at - '0');
}

enum err home_lock(struct home *home, enum home_holder as, enum home_holder *out_who, long *out_pid)
{
    char path[CONFIG_PATH_MAX], text[HOME_LOCK_TEXT_MAX];
    int lock, size;

    *out_who = HOME_NOBODY;
    *out_pid = 0;
    if (!home_path(home, "lock", path))
        return ERR_LIMIT;
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return home_errno(errno);
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        bool is_held = errno == EWOULDBLOCK;

        if (is_held)
            home_read_holder(lock, out_who, out_pid);
        (void)close(lock); /* Nothing was written. */
        return is_held ? ERR_BUSY : ERR_IO;
    }
    size = snprintf(text, sizeof text, "%s %ld\n", as == HOME_NODE ? "node" : "command",
                    (long)getpid());
    if (ftruncate(lock, 0) != 0 || pwrite(lock, text, (size_t)size, 0) != size) {
        enum err err = home_errno(errno);

        /* The text is a courtesy, the lock is what counts: on a full disk it must not keep a node
         * from starting. */
        if (err != ERR_FULL) {
            (void)close(lock);
            return err;
        }
    }
    home->lock = lock;
    return ERR_OK;
}

void home_unlock(struct home *home)
{
    if (home->lock >= 0)
        (void)close(home->lock); /* Releases the lock; there is nothing to flush. */
    home->lock = -1;
}

static enum err home_sync_folder(const char *path)
{
    char folder[CONFIG_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 1 : (size_t)(slash - path);
    int descriptor;
    enum err err = ERR_OK;

    memcpy(folder, slash == NULL ? "." : path, size);
    folder[size] = '\0';
    descriptor = open(size == 0 ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return home_errno(errno);
    if (fsync(descriptor) != 0)
        err = home_errno(errno);
    (void)close(descriptor);
    return err;
}

static enum err home_write_all(int descriptor, struct span bytes)
{
    while (bytes.size > 0) {
        ssize_t count = write(descriptor, bytes.data, bytes.size);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return home_errno(errno);
        bytes = span_of(bytes.data + count, bytes.size - (size_t)count);
    }
    return fsync(descriptor) == 0 ? ERR_OK : home_errno(errno);
}

/* Writes "PATH.new", synced; what an interrupted write left there goes first. */
static enum err home_write_temporary(const char *path, struct span bytes, unsigned mode,
                                     char out[static CONFIG_PATH_MAX])
{
    int count = snprintf(out, CONFIG_PATH_MAX, "%s.new", path);
    int descriptor;
    enum err err;

    if (count < 0 || count >= CONFIG_PATH_MAX)
        return ERR_LIMIT;
    (void)unlink(out); /* It may not be there. */
    descriptor = open(out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (descriptor < 0)
        return home_errno(errno);
    err = home_write_all(descriptor, bytes);
    if (close(descriptor) != 0 && err == ERR_OK)
        err = home_errno(errno);
    if (err != ERR_OK)
        (void)unlink(out); /* Nothing half done stays. */
    return err;
}

/* Gives a temporary file its name. */
static enum err home_put_in_place(const char *temporary, const char *path)
{
    if (rename(temporary, path) != 0) {
        enum err err = home_errno(errno);

        (void)unlink(temporary); /* Nothing half done stays. */
        return err;
    }
    return home_sync_folder(path);
}

enum err home_write_file(const char *path, struct span bytes, unsigned mode)
{
    char temporary[CONFIG_PATH_MAX];
    enum err err = home_write_temporary(path, bytes, mode, temporary);

    return err == ERR_OK ? home_put_in_place(temporary, path) : err;
}

enum err home_write_new_file(const char *path, struct span bytes, unsigned mode)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    enum err err;

    if (descriptor < 0)
        return home_errno(errno);
    err = home_write_all(descriptor, bytes);
    if (close(descriptor) != 0 && err == ERR_OK)
        err = home_errno(errno);
    if (err == ERR_OK)
        err = home_sync_folder(path);
    if (err != ERR_OK)
        (void)unlink(path); /* Nothing half done stays. */
    return err;
}

static enum err home_read_descriptor(int descriptor, size_t max, struct buf *out)
{
    for (;;) {
        uint8_t *at = buf_grow(out, HOME_READ_STEP);
        ssize_t count;

        if (at == NULL)
            return ERR_NOMEM;
        count = read(descriptor, at, HOME_READ_STEP);
        out->size -= HOME_READ_STEP;
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return home_errno(errno);
        if (count == 0)
            return ERR_OK;
        out->size += (size_t)count;
        if (out->size > max)
            return ERR_LIMIT;
    }
}

const char *home_why_unreadable(const char *path)
{
    struct stat status;

    if (strcmp(path, "-") == 0)
        return fcntl(STDIN_FILENO, F_GETFD) < 0 ? "standard input is closed" : NULL;
    if (stat(path, &status) != 0)
        return errno == EACCES ? "you may not look into its folder" : "there is no such file";
    if (S_ISDIR(status.st_mode))
        return "it is a folder";
    if (access(path, R_OK) != 0)
        return "you may not read it";
    return NULL;
}

const char *home_why_unwritable(const struct home *home)
{
    if (access(home->places.home, W_OK) == 0)
        return NULL;
    return errno == EROFS ? "its disk is read-only" : "you may not write in it";
}

enum err home_read_file(const char *path, size_t max, struct buf *out)
{
    int descriptor;
    enum err err;

    if (strcmp(path, "-") == 0)
        return home_read_descriptor(STDIN_FILENO, max, out);
    descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return home_errno(errno);
    err = home_read_descriptor(descriptor, max, out);
    (void)close(descriptor);
    return err;
}

/* Opens the written bytes again, as proof that the file can be used. */
static enum err home_prove_key(struct span file, struct span passphrase,
                               const struct device_secrets *secrets)
{
    struct device_secrets *read = secret_new(sizeof *read);
    enum err err;

    if (read == NULL)
        return ERR_NOMEM;
    err = keyfile_read(file, passphrase, read);
    if (err == ERR_OK &&
        !secret_is_equal(read->signing_seed, secrets->signing_seed, sizeof read->signing_seed))
        err = ERR_CORRUPT;
    secret_free(read);
    return err;
}

enum err home_write_key(const struct home *home, const struct device_secrets *secrets,
                        struct span passphrase, bool may_replace)
{
    char path[CONFIG_PATH_MAX], temporary[CONFIG_PATH_MAX];
    struct entropy entropy = entropy_os();
    struct buf file = {0}, written = {0};
    enum err err;

    if (!home_path(home, "key", path))
        return ERR_LIMIT;
    if (!may_replace && home_has_identity(home))
        return ERR_EXISTS;
    err = keyfile_write(secrets, passphrase, keyfile_cost_default(), &entropy, &file);
    if (err == ERR_OK)
        err = home_write_temporary(path, buf_span(&file), 0600, temporary);
    if (err == ERR_OK) {
        err = home_read_file(temporary, KEYFILE_SIZE_MAX, &written);
        if (err == ERR_OK)
            err = home_prove_key(buf_span(&written), passphrase, secrets);
        if (err != ERR_OK)
            (void)unlink(temporary); /* Nothing that cannot be used stays. */
    }
    if (err == ERR_OK) {
        err = home_put_in_place(temporary, path);
        if (err != ERR_OK && !may_replace)
            (void)unlink(
                path); /* Its folder could not be synced: nobody is told the words of it. */
    }
    buf_release(&written);
    buf_release(&file);
    return err;
}

/* What is judged is what is read: the opened file, not the name. */
static enum err home_load_key(const struct home *home, struct buf *out)
{
    char path[CONFIG_PATH_MAX];
    struct stat status;
    int descriptor;
    enum err err = ERR_OK;

    if (!home_path(home, "key", path))
        return ERR_LIMIT;
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0)
        return home_errno(errno);
    if (fstat(descriptor, &status) != 0)
        err = home_errno(errno);
    else if (status.st_uid != geteuid())
        err = ERR_INVALID;
    else if ((status.st_mode & 077) != 0)
        err = ERR_STATE;
    if (err == ERR_OK)
        err = home_read_descriptor(descriptor, KEYFILE_SIZE_MAX, out);
    (void)close(descriptor);
    return err;
}

/* More than half of this machine's memory is not spent on one passphrase: a file that asks for it
 * was made on a larger machine, or by somebody who wants this one to stand still. */
static bool home_can_afford(uint64_t memory_kib)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);

    return pages <= 0 || page_size <= 0 ||
           memory_kib <= (uint64_t)pages * ((uint64_t)page_size / 1024) / 2;
}

enum err home_read_key(const struct home *home, struct span passphrase, struct device_secrets *out)
{
    struct buf file = {0};
    enum err err = home_load_key(home, &file);

    if (err == ERR_OK && !home_can_afford(keyfile_memory_kib(buf_span(&file))))
        err = ERR_NOMEM;
    if (err == ERR_OK)
        err = keyfile_read(buf_span(&file), passphrase, out);
    buf_release(&file);
    return err == ERR_LIMIT ? ERR_CORRUPT : err;
}

bool home_is_protected(const struct home *home)
{
    struct buf file = {0};
    bool is_protected =
        home_load_key(home, &file) == ERR_OK && keyfile_is_protected(buf_span(&file));

    buf_release(&file);
    return is_protected;
}

enum err home_read_passphrase(const char *path, char *out, size_t size, size_t *out_size)
{
    struct buf file = {0};
    enum err err = home_read_file(path, size - 1, &file);
    size_t length = 0;

    if (err == ERR_OK) {
        while (length < file.size && file.data[length] != '\n' && file.data[length] != '\r')
            length++;
        if (length > 0)
            memcpy(out, file.data, length);
        out[length] = '\0';
        *out_size = length;
    }
    if (file.data != NULL)
        secret_wipe(file.data, file.capacity);
    buf_release(&file);
    return err;
}

enum err home_forget_store(const struct home *home)
{
    static const char *const files[] = {"store/data.mdb", "store/lock.mdb"};
    char path[CONFIG_PATH_MAX];

    KITH_ASSERT(!home_has_identity(home));
    for (size_t at = 0; at < sizeof files / sizeof files[0]; at++) {
        if (!home_path(home, files[at], path))
            return ERR_LIMIT;
        if (unlink(path) != 0 && errno != ENOENT)
            return home_errno(errno);
    }
    return ERR_OK;
}

enum err home_open_store(const struct home *home, bool is_read_only, struct kv **out)
{
    char path[CONFIG_PATH_MAX];
    struct kv_lmdb_options options = {.path = path,
                                      .table_names = table_names,
                                      .tables_count = TABLES_COUNT,
                                      .is_read_only = is_read_only};

    if (!home_path(home, "store", path))
        return ERR_LIMIT;
    return kv_lmdb_open(&options, out);
}

enum err home_read_listening(const struct home *home, struct address *out, size_t *out_count)
{
    char path[CONFIG_PATH_MAX];
    struct buf file = {0};
    size_t at = 0;
    enum err err;

    *out_count = 0;
    if (!home_path(home, "listening", path))
        return ERR_LIMIT;
    err = home_read_file(path, 4096, &file);
    while (err == ERR_OK && at < file.size && *out_count < ADDRESSES_MAX) {
        size_t end = at;

        while (end < file.size && file.data[end] != '\n')
            end++;
        if (end > at && address_read(span_of(file.data + at, end - at), &out[*out_count]) == ERR_OK)
            (*out_count)++;
        at = end + 1;
    }
    buf_release(&file);
    return err;
}

enum err home_write_listening(const struct home *home, const struct address *addresses,
                              size_t count)
{
    char path[CONFIG_PATH_MAX], text[ADDRESS_TEXT_SIZE];
    struct buf file = {0};
    enum err err;

    if (!home_path(home, "listening", path))
        return ERR_LIMIT;
    for (size_t at = 0; at < count; at++) {
        address_write(&addresses[at], text);
        buf_append(&file, span_str(text));
        buf_byte(&file, '\n');
    }
    err = buf_err(&file);
    if (err == ERR_OK)
        err = home_write_file(path, buf_span(&file), 0600);
    buf_release(&file);
    return err;
}
