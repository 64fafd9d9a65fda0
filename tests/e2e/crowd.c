/*
 * Many peers of one member, good and bad, over real sockets, for the end to end tests: links them
 * into a home whose node is down, then plays each over a connection of its own (tests/sim/crowd).
 * usage: kith_crowd HOME MODES    a letter a peer: see crowd_modes
 *
 * Says "linked"; reads lines: "go PORT" connects all, "state" tells of each peer "open" or "closed"
 * and how many entries it has been given, one a line, then an empty line. Ends with its input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "node/clock.h"
#include "node/home.h"
#include "proto/message.h"
#include "tests/sim/crowd.h"

/* r: a good peer. d: acknowledges nothing. u: asks for much and reads nothing. o: the same, a byte
 * a second. p: asks without end and reads nothing. b: says a frame a byte at a time. s: stops in
 * the middle of a batch. h: stops in message 1. t: stops after it. */
static const char crowd_modes[] = "rduopbsht";

enum { CROWD_PINGS = 10000, CROWD_READ = 65536, CROWD_AGAIN_MS = 700 };

struct crowd_peer {
    struct guest guest;
    char mode;
    int socket; /* -1: none */
    size_t sent;
    bool is_begun; /* its mischief */
    uint64_t next_ms;
};

struct crowd {
    struct crowd_peer *peers;
    struct pollfd *polled;
    size_t count;
    struct crowd_host host;
    uint16_t port; /* 0: nobody has to go there yet */
};

static void crowd_must(bool is_so, const char *what)
{
    if (is_so)
        return;
    (void)fprintf(stderr, "kith_crowd: %s\n", what);
    exit(1);
}

/* The links, as a command would make them. */
static void crowd_make(struct crowd *crowd, const char *path)
{
    struct config config = {.home = path};
    struct device_secrets *secrets = secret_new(sizeof *secrets);
    struct guest *guests = calloc(crowd->count, sizeof *guests);
    struct entropy entropy = entropy_os();
    struct ledger *ledger;
    struct kv *kv;
    struct home home;

    crowd_must(secrets != NULL && guests != NULL, "no memory");
    crowd_must(home_init(&config, &home) == ERR_OK, "no home");
    crowd_must(home_read_key(&home, span_of(NULL, 0), secrets) == ERR_OK, "no key");
    crowd_must(home_open_store(&home, false, &kv) == ERR_OK, "no store");
    crowd_must(ledger_open(kv, secrets, &entropy, &ledger) == ERR_OK, "no ledger");
    crowd_must(crowd_link(ledger, guests, crowd->count, clock_wall_ms()) == ERR_OK, "no links");
    crowd_must(crowd_host(ledger, &crowd->host) == ERR_OK, "no knock");
    for (size_t at = 0; at < crowd->count; at++)
        crowd->peers[at].guest = guests[at];
    free(guests);
    ledger_close(ledger);
    kv_close(kv);
    secret_free(secrets);
}

static void crowd_close(struct crowd_peer *peer)
{
    if (peer->socket >= 0)
        close(peer->socket);
    peer->socket = -1;
}

static void crowd_connect(struct crowd *crowd, size_t at)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(crowd->port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr = {htonl(0x7f020101u + (uint32_t)at)}};
    struct crowd_peer *peer = &crowd->peers[at];

    crowd_close(peer);
    peer->socket = socket(AF_INET, SOCK_STREAM, 0);
    crowd_must(peer->socket >= 0 && bind(peer->socket, (struct sockaddr *)&from, sizeof from) == 0,
               "no socket");
    if (connect(peer->socket, (struct sockaddr *)&to, sizeof to) != 0) {
        crowd_close(peer); /* The node is gone. */
        return;
    }
    (void)fcntl(peer->socket, F_SETFL, O_NONBLOCK);
    peer->sent = 0;
    peer->is_begun = false;
    guest_dial(&peer->guest, &crowd->host);
    if (peer->mode == 'h')
        peer->guest.out.size /= 2;
}

/* What is to be said, as far as the socket takes it; one that drips says a byte. */
static void crowd_flush(struct crowd_peer *peer)
{
    struct buf *out = &peer->guest.out;
    size_t size = out->size - peer->sent;
    ssize_t sent;

    if (peer->socket < 0 || size == 0)
        return;
    if (peer->mode == 'b' && peer->is_begun) {
        if (clock_running_ms() < peer->next_ms)
            return;
        peer->next_ms = clock_running_ms() + 100;
        size = 1;
    }
    sent = send(peer->socket, out->data + peer->sent, size, MSG_NOSIGNAL);
    if (sent > 0)
        peer->sent += (size_t)sent;
    else if (errno != EAGAIN)
        crowd_close(peer);
    if (peer->sent == out->size) {
        buf_clear(out);
        peer->sent = 0;
    }
}

/* What it does once it is let in and has heard of the first log. */
static void crowd_begin(struct crowd_peer *peer)
{
    static uint8_t half[8000] = {0, 6, 0, 0}; /* of a message of 393,216 bytes */
    struct buf framed = {0};

    peer->is_begun = true;
    if (peer->mode == 'u' || peer->mode == 'o')
        message_put_credit(CREDIT_MAX - CREDIT_START, &framed);
    else if (peer->mode == 'b')
        message_put_ping(&framed);
    else if (peer->mode == 's')
        buf_append(&framed, span_of(half, sizeof half));
    if (framed.size > 0)
        guest_say(&peer->guest, buf_span(&framed));
    buf_release(&framed);
}

static void crowd_ask_on(struct crowd_peer *peer)
{
    struct buf framed = {0};

    for (size_t at = 0; at < CROWD_PINGS; at++)
        message_put_ping(&framed);
    guest_say(&peer->guest, buf_span(&framed));
    buf_release(&framed);
}

static bool crowd_reads(const struct crowd_peer *peer)
{
    return peer->mode != 't' && (!peer->is_begun || strchr("uop", peer->mode) == NULL ||
                                 (peer->mode == 'o' && clock_running_ms() >= peer->next_ms));
}

static bool crowd_writes(const struct crowd_peer *peer)
{
    return peer->mode != 'b' && (peer->guest.out.size > 0 || (peer->mode == 'p' && peer->is_begun));
}

static void crowd_turn_one(struct crowd_peer *peer)
{
    static uint8_t bytes[CROWD_READ];
    ssize_t size;

    if (peer->mode == 'p' && peer->is_begun && peer->guest.out.size == 0)
        crowd_ask_on(peer);
    crowd_flush(peer);
    if (peer->socket < 0 || !crowd_reads(peer))
        return;
    size = recv(peer->socket, bytes, peer->mode == 'o' && peer->is_begun ? 1 : sizeof bytes,
                MSG_DONTWAIT);
    peer->next_ms = peer->mode == 'o' ? clock_running_ms() + 1000 : peer->next_ms;
    if (size > 0)
        guest_bytes(&peer->guest, span_of(bytes, (size_t)size));
    if (size == 0 || (size < 0 && errno != EAGAIN) || peer->guest.is_over)
        crowd_close(peer);
    if (!peer->is_begun && peer->guest.logs_count > 0)
        crowd_begin(peer);
    crowd_flush(peer);
}

/* Of two hundred strangers at once some give way; who means well comes again. */
static void crowd_come_again(struct crowd *crowd, size_t at)
{
    struct crowd_peer *peer = &crowd->peers[at];

    if (crowd->port == 0 || peer->socket >= 0 || strchr("rd", peer->mode) == NULL)
        return;
    if (peer->next_ms == 0) {
        peer->next_ms = clock_running_ms() + CROWD_AGAIN_MS;
    } else if (clock_running_ms() >= peer->next_ms) {
        peer->next_ms = 0;
        crowd_connect(crowd, at);
    }
}

/* Whoever does not read hears of a close only so. */
static bool crowd_is_open(const struct crowd_peer *peer)
{
    struct pollfd look = {.fd = peer->socket, .events = POLLRDHUP};

    return peer->socket >= 0 && poll(&look, 1, 0) == 0;
}

/* False at the end of the input. */
static bool crowd_obey(struct crowd *crowd)
{
    char line[64];

    if (fgets(line, sizeof line, stdin) == NULL)
        return false;
    if (strncmp(line, "go ", 3) == 0) {
        crowd->port = (uint16_t)strtoul(line + 3, NULL, 10);
        for (size_t at = 0; at < crowd->count; at++)
            crowd_connect(crowd, at);
    }
    for (size_t at = 0; at < crowd->count && strcmp(line, "state\n") == 0; at++)
        (void)printf("%s %zu\n", crowd_is_open(&crowd->peers[at]) ? "open" : "closed",
                     crowd->peers[at].guest.entries);
    (void)printf("\n");
    (void)fflush(stdout);
    return true;
}

static void crowd_run(struct crowd *crowd)
{
    bool goes_on = true;

    while (goes_on) {
        crowd->polled[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        for (size_t at = 0; at < crowd->count; at++) {
            struct crowd_peer *peer = &crowd->peers[at];

            crowd->polled[at + 1] =
                (struct pollfd){.fd = peer->socket,
                                .events = (short)((crowd_reads(peer) ? POLLIN : 0) |
                                                  (crowd_writes(peer) ? POLLOUT : 0))};
        }
        (void)poll(crowd->polled, crowd->count + 1, 50);
        for (size_t at = 0; at < crowd->count; at++) {
            crowd_turn_one(&crowd->peers[at]);
            crowd_come_again(crowd, at);
        }
        if (crowd->polled[0].revents != 0)
            goes_on = crowd_obey(crowd);
    }
}

int main(int argc, char **argv)
{
    struct crowd crowd = {.count = argc == 3 ? strlen(argv[2]) : 0};

    crowd_must(crowd.count > 0 && strspn(argv[2], crowd_modes) == crowd.count,
               "usage: kith_crowd HOME MODES");
    crowd_must(secret_start() == ERR_OK, "no libsodium");
    crowd.peers = calloc(crowd.count, sizeof *crowd.peers);
    crowd.polled = calloc(crowd.count + 1, sizeof *crowd.polled);
    crowd_must(crowd.peers != NULL && crowd.polled != NULL, "no memory");
    crowd_make(&crowd, argv[1]);
    for (size_t at = 0; at < crowd.count; at++) {
        crowd.peers[at].mode = argv[2][at];
        crowd.peers[at].socket = -1;
        crowd.peers[at].guest.is_deaf = argv[2][at] == 'd';
    }
    (void)puts("linked");
    (void)fflush(stdout);
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    crowd_run(&crowd);
    for (size_t at = 0; at < crowd.count; at++) {
        crowd_close(&crowd.peers[at]);
        guest_hang_up(&crowd.peers[at].guest);
    }
    free(crowd.peers);
    free(crowd.polled);
    return 0;
}
