/* Two walks over getifaddrs, so that loopback comes last. */
#include "node/interfaces.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

static bool interfaces_read(const struct sockaddr *from, struct address *out)
{
    memset(out, 0, sizeof *out);
    if (from != NULL && from->sa_family == AF_INET) {
        out->host[10] = out->host[11] = 0xff;
        memcpy(out->host + 12, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
        return true;
    }
    if (from != NULL && from->sa_family == AF_INET6) {
        memcpy(out->host, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
        return out->host[0] != 0xfe || (out->host[1] & 0xc0) != 0x80;
    }
    return false;
}

size_t interfaces_find(struct address *out, size_t size)
{
    struct ifaddrs *all;
    size_t count = 0;

    if (getifaddrs(&all) != 0)
        return 0;
    for (int loopback = 0; loopback < 2; loopback++)
        for (const struct ifaddrs *at = all; at != NULL && count < size; at = at->ifa_next) {
            bool is_loopback = (at->ifa_flags & IFF_LOOPBACK) != 0;

            if (is_loopback == (loopback != 0) && (at->ifa_flags & IFF_UP) != 0 &&
                interfaces_read(at->ifa_addr, &out[count]))
                count++;
        }
    freeifaddrs(all);
    return count;
}
