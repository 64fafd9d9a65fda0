/* What only the system knows of a home, for kith doctor. Nothing is changed by looking. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "crypto/heap.h"
#include "crypto/secret.h"
#include "node/home.h"
#include "node/loop.h"
#include "proto/wire.h"
#include "storage/kv_lmdb.h"

enum { HOME_LOOK_TEXT_MAX = 64 };

/* Files first: a folder that others may enter is worth telling only when they find nothing worse.
 */
static void home_look_open(const char *home, char *out, size_t size)
{
    static const char *const names[] = {
        "key", "store/data.mdb", "store/lock.mdb", "listening", "lock", "store", ""};
    char path[CONFIG_PATH_MAX];
    struct stat status;

    out[0] = '\0';
    for (size_t at = 0; at < sizeof names / sizeof names[0] && out[0] == '\0'; at++) {
        int count = snprintf(path, sizeof path, "%s/%s", home, names[at]);

        if (count > 0 && (size_t)count < sizeof path && stat(path, &status) == 0 &&
            (status.st_mode & 077) != 0)
            (void)snprintf(out, size, "%s", names[at][0] != '\0' ? names[at] : "the folder itself");
    }
}

/* Could a node listen here now? In doubt it could. */
static bool home_look_may_listen(const struct address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool is_old = memcmp(address->host, mapped, sizeof mapped) == 0;
    struct sockaddr_in old = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
    int door = socket(is_old ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1, status;

    if (door < 0)
        return true;
    memcpy(&old.sin_addr, address->host + 12, 4);
    memcpy(&name.sin6_addr, address->host, 16);
    /* As the node does it: who has just gone is not in the way. */
    (void)setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    status = is_old ? bind(door, (const struct sockaddr *)&old, sizeof old)
                    : bind(door, (const struct sockaddr *)&name, sizeof name);
    status = status != 0 ? errno : 0;
    (void)close(door); /* Nothing was sent. */
    return status != EADDRINUSE;
}

/* The lock file names the node that wrote it; does a kith of that number still run? The lock itself
 * is not tried, because a node that starts in this moment would find it held. */
static bool home_look_has_node(const char *home)
{
    char path[CONFIG_PATH_MAX + 8], text[HOME_LOOK_TEXT_MAX];
    struct buf file = {0};
    size_t size = 0;
    bool is_node;

    (void)snprintf(path, sizeof path, "%s/lock", home);
    is_node = home_read_file(path, HOME_LOOK_TEXT_MAX, &file) == ERR_OK && file.size > 5 &&
              memcmp(file.data, "node ", 5) == 0;
    while (is_node && 5 + size < file.size && size < 12 && file.data[5 + size] >= '0' &&
           file.data[5 + size] <= '9')
        size++;
    if (is_node)
        (void)snprintf(text, sizeof text, "/proc/%.*s/comm", (int)size, file.data + 5);
    buf_clear(&file);
    is_node = is_node && home_read_file(text, HOME_LOOK_TEXT_MAX, &file) == ERR_OK &&
              file.size >= 4 && memcmp(file.data, "kith", 4) == 0;
    buf_release(&file);
    return is_node;
}

/* The first of the last addresses that somebody else has, else the first. */
static enum err home_look_port(const char *home, struct op_health *out)
{
    struct address listening[ADDRESSES_MAX];
    struct home *place = heap_new_zeroed(1, sizeof *place);
    size_t count = 0;

    if (place == NULL)
        return ERR_NOMEM;
    (void)snprintf(place->places.home, sizeof place->places.home, "%s", home);
    if (home_read_listening(place, listening, &count) != ERR_OK)
        count = 0; /* It has not listened yet. */
    heap_free(place);
    out->port = count == 0 ? OP_PORT_NONE : OP_PORT_FREE;
    for (size_t at = 0; at < count && out->port == OP_PORT_FREE; at++) {
        address_write(&listening[at], out->listening);
        if (!home_look_may_listen(&listening[at]))
            out->port = home_look_has_node(home) ? OP_PORT_OURS : OP_PORT_TAKEN;
    }
    return ERR_OK;
}

enum err home_look(const char *home, struct op_health *out)
{
    struct statvfs disk;

    if (statvfs(home, &disk) != 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    out->disk_bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
    out->disk_free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    home_look_open(home, out->open_to_others, sizeof out->open_to_others);
    (void)snprintf(out->libraries, sizeof out->libraries,
                   "libsodium %s, %.*s, libuv %s, msgpack-c %s, jansson %s", secret_library(),
                   (int)strcspn(kv_lmdb_library(), ":"), kv_lmdb_library(), loop_library(),
                   wire_library(), JANSSON_VERSION);
    return home_look_port(home, out);
}
