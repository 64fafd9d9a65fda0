/*
 * A disk that fails on order, under the real program: loaded before everything else, it stands
 * between the program (LMDB and libuv too) and the system's calls. The file that KITH_FAULT names
 * orders it, as it stands at the moment of the call: "CALLS PATH SKIP ERRNO TIMES". CALLS is read,
 * write, sync, rename or open; the calls whose file has PATH in its name are counted, SKIP of them
 * pass, then TIMES (0: all from there) fail with ERRNO. "KITH_FAULT.fired" grows by a byte for
 * each. A new order begins a new count.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FAULT_PATH = 1024, FAULT_ORDER = 256 };

static struct {
    char order[FAULT_ORDER];
    unsigned long counted;
} fault_seen;

/* The system's own calls: these are not stood between. */
static long fault_read_file(const char *path, char *out, size_t size)
{
    long file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0), count = -1;

    if (file >= 0) {
        count = syscall(SYS_read, file, out, size);
        (void)syscall(SYS_close, file);
    }
    return count;
}

static void fault_fired(const char *order)
{
    char path[FAULT_PATH];
    long file;

    (void)snprintf(path, sizeof path, "%s.fired", order);
    file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file >= 0) {
        (void)syscall(SYS_write, file, "x", 1);
        (void)syscall(SYS_close, file);
    }
}

/* The error to fail with; 0: none. */
static int fault_of(const char *calls, const char *path)
{
    const char *file = getenv("KITH_FAULT");
    char order[FAULT_ORDER] = "", wanted[16], match[128];
    unsigned long skip, times, number;
    int error, kept = errno;
    long size = file != NULL ? fault_read_file(file, order, sizeof order - 1) : -1;

    errno = kept;
    if (size <= 0 ||
        sscanf(order, "%15s %127s %lu %d %lu", wanted, match, &skip, &error, &times) != 5)
        return 0;
    if (strcmp(order, fault_seen.order) != 0) {
        memcpy(fault_seen.order, order, sizeof order);
        fault_seen.counted = 0;
    }
    if (strcmp(wanted, calls) != 0 || strstr(path, match) == NULL)
        return 0;
    number = fault_seen.counted++;
    if (number < skip || (times > 0 && number >= skip + times))
        return 0;
    fault_fired(file);
    return error;
}

static bool fault_at(const char *calls, int file)
{
    char link[64], path[FAULT_PATH];
    ssize_t size;
    int error;

    if (getenv("KITH_FAULT") == NULL)
        return false;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    size = readlink(link, path, sizeof path - 1);
    if (size < 0)
        return false;
    path[size] = '\0';
    error = fault_of(calls, path);
    if (error != 0)
        errno = error;
    return error != 0;
}

static bool fault_by_name(const char *calls, const char *path)
{
    int error = fault_of(calls, path);

    if (error != 0)
        errno = error;
    return error != 0;
}

#define FAULT_NEXT(name) __extension__((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

ssize_t read(int file, void *out, size_t size)
{
    return fault_at("read", file) ? -1 : FAULT_NEXT(read)(file, out, size);
}

ssize_t pread(int file, void *out, size_t size, off_t at)
{
    return fault_at("read", file) ? -1 : FAULT_NEXT(pread)(file, out, size, at);
}

ssize_t pread64(int file, void *out, size_t size, off64_t at)
{
    return fault_at("read", file) ? -1 : FAULT_NEXT(pread64)(file, out, size, at);
}

ssize_t recvmsg(int file, struct msghdr *message, int flags)
{
    return fault_at("read", file) ? -1 : FAULT_NEXT(recvmsg)(file, message, flags);
}

ssize_t write(int file, const void *bytes, size_t size)
{
    return fault_at("write", file) ? -1 : FAULT_NEXT(write)(file, bytes, size);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t at)
{
    return fault_at("write", file) ? -1 : FAULT_NEXT(pwrite)(file, bytes, size, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at)
{
    return fault_at("write", file) ? -1 : FAULT_NEXT(pwrite64)(file, bytes, size, at);
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
    return fault_at("write", file) ? -1 : FAULT_NEXT(writev)(file, parts, count);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at)
{
    return fault_at("write", file) ? -1 : FAULT_NEXT(pwritev)(file, parts, count, at);
}

ssize_t sendmsg(int file, const struct msghdr *message, int flags)
{
    return fault_at("write", file) ? -1 : FAULT_NEXT(sendmsg)(file, message, flags);
}

int fsync(int file)
{
    return fault_at("sync", file) ? -1 : FAULT_NEXT(fsync)(file);
}

int fdatasync(int file)
{
    return fault_at("sync", file) ? -1 : FAULT_NEXT(fdatasync)(file);
}

int rename(const char *from, const char *to)
{
    return fault_by_name("rename", to) ? -1 : FAULT_NEXT(rename)(from, to);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;

    va_start(arguments, flags);
    if ((flags & (O_CREAT | O_TMPFILE)) != 0)
        mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return fault_by_name("open", path) ? -1 : FAULT_NEXT(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;

    va_start(arguments, flags);
    if ((flags & (O_CREAT | O_TMPFILE)) != 0)
        mode = va_arg(arguments, mode_t);
    va_end(arguments);
    return fault_by_name("open", path) ? -1 : FAULT_NEXT(open64)(path, flags, mode);
}
