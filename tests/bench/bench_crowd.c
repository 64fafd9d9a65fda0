/*
 * F10 idle, and live push: the real program with a store of many linked peers, each of them played
 * over a TCP connection of its own (tests/sim/crowd). Printed: how long it takes until all are
 * there, the anonymous memory of the node then, and how long one edit takes to all of them.
 * usage: bench_crowd [PEERS]; the program is KITH_BINARY, or kith in the build folder above.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/bench/home.h"
#include "tests/sim/crowd.h"

enum { CROWD_PUSHES = 9, CROWD_DIALS_A_TURN = 8, CROWD_PATIENCE_S = 60 };

struct crowd_bench {
    const char *program, *home;
    pid_t node;
    FILE *said;
    uint16_t port;
    struct crowd_host host;
    struct guest *guests;
    struct pollfd *sockets;
    size_t count, redials;
};

/* The node. */

static void crowd_start(struct crowd_bench *bench)
{
    char line[300], *port;
    int lines[2];

    if (pipe(lines) != 0)
        exit(1);
    bench->node = fork();
    if (bench->node == 0) {
        dup2(lines[1], STDOUT_FILENO);
        close(lines[0]);
        close(lines[1]);
        execl(bench->program, bench->program, "--home", bench->home, "--no-input", "run", "--json",
              "--listen", "127.0.0.1:0", (char *)NULL);
        _exit(127);
    }
    close(lines[1]);
    bench->said = fdopen(lines[0], "r");
    if (bench->said == NULL || fgets(line, sizeof line, bench->said) == NULL ||
        (port = strstr(line, "127.0.0.1:")) == NULL) {
        fprintf(stderr, "%s did not start\n", bench->program);
        exit(1);
    }
    bench->port = (uint16_t)strtol(port + 10, NULL, 10);
}

static void crowd_stop(struct crowd_bench *bench)
{
    int status;

    kill(bench->node, SIGTERM);
    (void)waitpid(bench->node, &status, 0);
    fclose(bench->said);
}

/* A line of the node's memory, in KiB. */
static long crowd_memory(const struct crowd_bench *bench, const char *what)
{
    char path[64], line[256];
    long kib = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)bench->node);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, what, strlen(what)) == 0)
            kib = strtol(line + strlen(what), NULL, 10);
    if (file != NULL)
        fclose(file);
    return kib;
}

static void crowd_edit(struct crowd_bench *bench, size_t number)
{
    char title[40];
    pid_t command;
    int status;

    snprintf(title, sizeof title, "Title %zu", number);
    command = fork();
    if (command == 0) {
        int nowhere = open("/dev/null", O_WRONLY);

        dup2(nowhere, STDOUT_FILENO);
        execl(bench->program, bench->program, "--home", bench->home, "--no-input", "me", "edit",
              "--title", title, (char *)NULL);
        _exit(127);
    }
    (void)waitpid(command, &status, WNOHANG); /* Its answer is not waited for. */
}

/* The peers. */

static void crowd_dial(struct crowd_bench *bench, size_t at)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(bench->port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr = {htonl(0x7f010101u + (uint32_t)at)}};
    int one = 1, descriptor = socket(AF_INET, SOCK_STREAM, 0);

    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&from, sizeof from) != 0 ||
        connect(descriptor, (struct sockaddr *)&to, sizeof to) != 0)
        exit(1);
    (void)fcntl(descriptor, F_SETFL, O_NONBLOCK);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bench->sockets[at].fd >= 0)
        close(bench->sockets[at].fd);
    bench->sockets[at] = (struct pollfd){.fd = descriptor, .events = POLLIN};
    guest_dial(&bench->guests[at], &bench->host);
}

static void crowd_flush(struct crowd_bench *bench, size_t at)
{
    struct guest *guest = &bench->guests[at];

    if (guest->out.size > 0)
        (void)!send(bench->sockets[at].fd, guest->out.data, guest->out.size, MSG_NOSIGNAL);
    buf_clear(&guest->out);
}

/* False when the node closed the connection. */
static bool crowd_read(struct crowd_bench *bench, size_t at)
{
    uint8_t bytes[65536];
    ssize_t size = recv(bench->sockets[at].fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (size <= 0)
        return size < 0 && (errno == EAGAIN || errno == EINTR);
    guest_bytes(&bench->guests[at], span_of(bytes, (size_t)size));
    crowd_flush(bench, at);
    return !bench->guests[at].is_over;
}

/* One look at all sockets. */
static void crowd_turn(struct crowd_bench *bench, int wait_ms)
{
    (void)poll(bench->sockets, bench->count, wait_ms);
    for (size_t at = 0; at < bench->count; at++) {
        if (bench->sockets[at].fd < 0 || bench->sockets[at].revents == 0 || crowd_read(bench, at))
            continue;
        bench->redials++; /* Its budget for strangers was spent: again. */
        crowd_dial(bench, at);
        crowd_flush(bench, at);
    }
}

static size_t crowd_have(const struct crowd_bench *bench, size_t entries)
{
    size_t count = 0;

    for (size_t at = 0; at < bench->count; at++)
        count += bench->guests[at].entries >= entries;
    return count;
}

static void crowd_connect(struct crowd_bench *bench)
{
    double begun = bench_now();
    size_t dialled = 0;

    while (crowd_have(bench, 4) < bench->count && bench_now() < begun + CROWD_PATIENCE_S) {
        for (size_t at = 0; at < CROWD_DIALS_A_TURN && dialled < bench->count; at++, dialled++) {
            crowd_dial(bench, dialled);
            crowd_flush(bench, dialled);
        }
        crowd_turn(bench, 20);
    }
    printf("%zu of %zu peers connected in %.1f s (arithmetic for strangers has its budget: %zu "
           "dialled again)\n",
           crowd_have(bench, 4), bench->count, bench_now() - begun, bench->redials);
}

static void crowd_push(struct crowd_bench *bench)
{
    double whole[CROWD_PUSHES], spread[CROWD_PUSHES];

    for (size_t push = 0; push < CROWD_PUSHES; push++) {
        size_t *before = calloc(bench->count, sizeof *before), got = 0;
        double begun = bench_now(), first = 0;

        for (size_t at = 0; at < bench->count; at++)
            before[at] = bench->guests[at].entries;
        crowd_edit(bench, push);
        while (got < bench->count && bench_now() < begun + 10) {
            crowd_turn(bench, 5);
            got = 0;
            for (size_t at = 0; at < bench->count; at++)
                got += bench->guests[at].entries > before[at];
            if (got > 0 && first == 0)
                first = bench_now();
        }
        whole[push] = (bench_now() - begun) * 1000;
        spread[push] = (bench_now() - first) * 1000;
        free(before);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
    printf("live push: one edit to %zu peers, %.1f ms from the command's start to the last of "
           "them, %.1f ms from the first to the last (medians)\n",
           bench->count, bench_median(whole, CROWD_PUSHES), bench_median(spread, CROWD_PUSHES));
}

int main(int argc, char **argv)
{
    struct crowd_bench bench = {.count = argc > 1 ? (size_t)atol(argv[1]) : 1000};
    struct rlimit limit = {.rlim_cur = 8192, .rlim_max = 8192};
    char program[1000], store[280], *home;
    struct device_secrets secrets;
    struct ledger *ledger;
    struct kv *kv;
    double begun;

    if (secret_start() != ERR_OK)
        return 1;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    bench_program(argv[0], program, sizeof program);
    bench_secrets(&secrets);
    home = bench_home(&secrets, store, sizeof store);
    bench.program = program;
    bench.home = home;
    bench.guests = calloc(bench.count, sizeof *bench.guests);
    bench.sockets = calloc(bench.count, sizeof *bench.sockets);
    for (size_t at = 0; at < bench.count; at++)
        bench.sockets[at].fd = -1;
    kv = bench_kv(store);
    ledger = bench_ledger(kv, &secrets);
    begun = bench_now();
    bench_check(crowd_link(ledger, bench.guests, bench.count, 1700000000000), "link");
    bench_check(crowd_host(ledger, &bench.host), "host");
    printf("%zu links made in %.1f s\n", bench.count, bench_now() - begun);
    ledger_close(ledger);
    kv_close(kv);

    crowd_start(&bench);
    printf("F10 idle, nobody connected: anonymous %.1f MiB\n",
           (double)crowd_memory(&bench, "Anonymous:") / 1024);
    crowd_connect(&bench);
    for (int at = 0; at < 40; at++)
        crowd_turn(&bench, 50);
    printf("F10 idle with %zu connected peers: anonymous %.1f MiB (reach 24), all that is mapped "
           "and resident %.1f MiB\n",
           crowd_have(&bench, 4), (double)crowd_memory(&bench, "Anonymous:") / 1024,
           (double)crowd_memory(&bench, "Rss:") / 1024);
    crowd_push(&bench);
    printf("F10 after the pushes: anonymous %.1f MiB\n",
           (double)crowd_memory(&bench, "Anonymous:") / 1024);
    crowd_stop(&bench);
    for (size_t at = 0; at < bench.count; at++)
        guest_hang_up(&bench.guests[at]);
    bench_forget(home, store);
    return 0;
}
