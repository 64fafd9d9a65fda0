/*
 * The two meta pages of LMDB 0.9 on a 64-bit machine, read as bytes. Page: header of 16 bytes (page
 * number 8, padding 2, flags 2, bounds 4), then the meta record: magic 4, format 4, address 8, map
 * size 8, two table records of 48 (the first begins with the page size, 4), last page 8,
 * transaction 8. All in the machine's own byte order. LMDB takes the meta page of the greater
 * transaction, and so does this file.
 */
#include "storage/kv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    META_HEADER_SIZE = 16,
    META_FLAGS_AT = 10,
    META_MAGIC_AT = META_HEADER_SIZE,
    META_FORMAT_AT = META_HEADER_SIZE + 4,
    META_PAGE_SIZE_AT = META_HEADER_SIZE + 24,
    META_LAST_PAGE_AT = META_HEADER_SIZE + 120,
    META_TXN_AT = META_HEADER_SIZE + 128,
    META_SIZE = META_HEADER_SIZE + 136,
    META_FLAG = 0x08, /* P_META */
    META_FORMAT = 1,  /* MDB_DATA_VERSION */
    PAGE_SIZE_MIN = 512,
    PAGE_SIZE_MAX = 65536,
    ZEROS_SIZE_MAX = 2 * PAGE_SIZE_MAX,
    PATH_SIZE_MAX = 4096,
    DISK_FULL_BYTES = 1 << 20,
    BLOCK_SIZE = 512 /* of st_blocks */
};

_Static_assert(sizeof(size_t) == 8, "the layout is that of a 64-bit machine");

static const uint32_t META_MAGIC = 0xBEEFC0DE;

struct kv_file_meta {
    uint32_t page_size;
    uint64_t last_page;
    uint64_t txn;
};

static enum err kv_file_errno(int code)
{
    return code == ENOENT || code == ENOTDIR ? ERR_NOT_FOUND : code == ENOMEM ? ERR_NOMEM : ERR_IO;
}

static enum err kv_file_meta_read(int file, uint64_t at, struct kv_file_meta *out)
{
    uint8_t page[META_SIZE];
    uint16_t flags;
    uint32_t magic, format;
    ssize_t got = pread(file, page, sizeof page, (off_t)at);

    if (got < 0)
        return ERR_IO;
    if (got != (ssize_t)sizeof page)
        return ERR_CORRUPT;
    memcpy(&flags, page + META_FLAGS_AT, sizeof flags);
    memcpy(&magic, page + META_MAGIC_AT, sizeof magic);
    memcpy(&format, page + META_FORMAT_AT, sizeof format);
    memcpy(&out->page_size, page + META_PAGE_SIZE_AT, sizeof out->page_size);
    memcpy(&out->last_page, page + META_LAST_PAGE_AT, sizeof out->last_page);
    memcpy(&out->txn, page + META_TXN_AT, sizeof out->txn);
    if ((flags & META_FLAG) == 0 || magic != META_MAGIC)
        return ERR_CORRUPT;
    if (format != META_FORMAT)
        return ERR_VERSION;
    if (out->page_size < PAGE_SIZE_MIN || out->page_size > PAGE_SIZE_MAX ||
        (out->page_size & (out->page_size - 1)) != 0 || out->last_page < 1 ||
        out->last_page > UINT64_MAX / PAGE_SIZE_MAX / 4)
        return ERR_CORRUPT;
    return ERR_OK;
}

static bool kv_file_is_zeros(int file, uint64_t size)
{
    uint8_t bytes[4096];
    ssize_t got;

    if (size > ZEROS_SIZE_MAX)
        return false;
    for (uint64_t at = 0; at < size; at += (uint64_t)got) {
        got = pread(file, bytes, sizeof bytes, (off_t)at);
        if (got <= 0)
            return false;
        for (ssize_t index = 0; index < got; index++)
            if (bytes[index] != 0)
                return false;
    }
    return true;
}

static enum err kv_file_read(int file, struct kv_file *out)
{
    struct kv_file_meta left, right, newest;
    struct stat status;
    enum err err;

    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        return ERR_IO;
    *out = (struct kv_file){.size = (uint64_t)status.st_size};
    if (kv_file_is_zeros(file, out->size)) {
        out->is_fresh = true;
        return ERR_OK;
    }
    err = kv_file_meta_read(file, 0, &left);
    if (err != ERR_OK)
        return err;
    err = kv_file_meta_read(file, left.page_size, &right);
    if (err != ERR_OK)
        return err;
    newest = right.txn > left.txn ? right : left;
    if (right.page_size != left.page_size)
        return ERR_CORRUPT;
    out->used_bytes = (newest.last_page + 1) * newest.page_size;
    return ERR_OK;
}

enum err kv_file_look(const char *directory, struct kv_file *out)
{
    struct kv_file found = {.is_fresh = true};
    char path[PATH_SIZE_MAX];
    struct stat status;
    enum err err;
    int file;

    if (stat(directory, &status) != 0)
        return kv_file_errno(errno);
    if (!S_ISDIR(status.st_mode))
        return ERR_NOT_FOUND;
    if (snprintf(path, sizeof path, "%s/data.mdb", directory) >= PATH_SIZE_MAX)
        return ERR_INVALID;
    file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno == ENOENT) {
        *out = found;
        return ERR_OK;
    }
    if (file < 0)
        return kv_file_errno(errno);
    err = kv_file_read(file, &found);
    close(file);
    if (err == ERR_OK)
        *out = found;
    return err;
}

/* Where LMDB's locks or its map are not to be trusted. */
static enum err kv_file_is_remote(const char *directory, bool *out)
{
    /* NFS, SMB (three generations), FUSE, AFS (two), Ceph, 9P, Coda, NCP; from linux/magic.h and
     * statfs(2). */
    static const uint32_t remote[] = {0x6969,     0x517b,     0xfe534d42, 0xff534d42,
                                      0x65735546, 0x5346414f, 0x6b414653, 0x00c36400,
                                      0x01021997, 0x73757245, 0x564c};
    struct statfs status;

    if (statfs(directory, &status) != 0)
        return kv_file_errno(errno);
    *out = false;
    for (size_t index = 0; index < sizeof remote / sizeof remote[0]; index++)
        if ((uint32_t)status.f_type == remote[index])
            *out = true;
    return ERR_OK;
}

enum err kv_file_resize(const char *directory, uint64_t size)
{
    char path[PATH_SIZE_MAX];

    if (snprintf(path, sizeof path, "%s/data.mdb", directory) >= PATH_SIZE_MAX)
        return ERR_INVALID;
    if (truncate(path, (off_t)size) == 0)
        return ERR_OK;
    return errno == ENOSPC || errno == EFBIG || errno == EDQUOT ? ERR_FULL : ERR_IO;
}

enum err kv_file_prepare(const char *directory, bool is_read_only, bool allow_remote,
                         struct kv_file *out)
{
    bool is_remote = false;
    enum err err = kv_file_is_remote(directory, &is_remote);

    if (err != ERR_OK)
        return err;
    if (is_remote && !allow_remote)
        return ERR_STATE;
    err = kv_file_look(directory, out);
    if (err != ERR_OK)
        return err;
    if (is_read_only && out->is_fresh)
        return ERR_NOT_FOUND;
    if (out->is_fresh && out->size > 0)
        return kv_file_resize(directory, 0);
    if (out->is_fresh || out->size >= out->used_bytes)
        return ERR_OK;
    if (is_read_only)
        return ERR_CORRUPT;
    err = kv_file_resize(directory, out->used_bytes);
    /* Holes take no room, so what does not fit is a page number that never was. */
    return err == ERR_FULL ? ERR_CORRUPT : err;
}

enum err kv_file_sync_directory(const char *directory)
{
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result;

    if (file < 0)
        return ERR_IO;
    result = fsync(file);
    close(file);
    return result == 0 ? ERR_OK : ERR_IO;
}

bool kv_file_count_free(struct span list, uint64_t first, uint64_t *inout_count)
{
    uint64_t count, page;

    if (list.size < sizeof count)
        return false;
    memcpy(&count, list.data, sizeof count);
    if (count > list.size / sizeof page - 1)
        return false;
    for (size_t index = 1; index <= count; index++) {
        memcpy(&page, list.data + index * sizeof page, sizeof page);
        *inout_count += page >= first;
    }
    return true;
}

bool kv_file_count_bytes(int file, uint64_t *out)
{
    struct stat status;

    if (fstat(file, &status) != 0)
        return false;
    *out = (uint64_t)status.st_blocks * BLOCK_SIZE;
    return true;
}

bool kv_file_is_disk_full(int file)
{
    struct statvfs status;

    return fstatvfs(file, &status) == 0 && status.f_bavail < DISK_FULL_BYTES / status.f_frsize;
}
