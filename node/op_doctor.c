/* Everything that can be wrong with a home, looked at one by one: ok, warn or fail, and what to do.
 */
#include "node/op_doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/describe.h"
#include "storage/check.h"
#include "storage/follow.h"
#include "storage/journal.h"
#include "storage/undo.h"

enum {
    OP_DOCTOR_DAY_MS = 24 * 3600 * 1000,
    OP_DOCTOR_DISK_LITTLE = 256 << 20, /* or a twentieth of the disk: rule L10 */
    OP_DOCTOR_DISK_LEAST = 64 << 20
};
static const uint64_t OP_DOCTOR_CLOCK_LEAST_MS = 1577836800000; /* 2020: merging clamps to it */
static const uint64_t OP_DOCTOR_CLOCK_MOST_MS = 4102444800000;  /* 2100 */
static const uint64_t OP_DOCTOR_CLOCK_SLACK_MS = 86400000;

static void op_doctor_finding(json_t *checks, const char *what, const char *state, const char *text,
                              const char *remedy)
{
    json_t *row = json_pack("{s:s, s:s, s:s}", "check", what, "state", state, "text", text);

    if (remedy != NULL)
        (void)json_object_set_new(row, "remedy", json_string(remedy));
    (void)json_array_append_new(checks, row); /* A lost row shows as absent. */
}

/* Room to write: below these kith stops taking what peers send, then imports (rule L10). */
static void op_doctor_check_disk(json_t *checks, const struct op_health *health)
{
    uint64_t little = health->disk_bytes / 20;
    char text[100];

    if (little < OP_DOCTOR_DISK_LITTLE)
        little = OP_DOCTOR_DISK_LITTLE;
    (void)snprintf(text, sizeof text, "%" PRIu64 " MiB are free", health->disk_free_bytes >> 20);
    if (health->disk_free_bytes < OP_DOCTOR_DISK_LEAST)
        op_doctor_finding(checks, "disk", "fail", text, "free some room, or move the home");
    else if (health->disk_free_bytes < little)
        op_doctor_finding(checks, "disk", "warn", text, "free some room before it is gone");
    else
        op_doctor_finding(checks, "disk", "ok", text, NULL);
}

static void op_doctor_check_permissions(json_t *checks, const struct op_call *call,
                                        const struct op_health *health)
{
    char text[300], remedy[600];

    if (health->open_to_others[0] == '\0') {
        op_doctor_finding(checks, "permissions", "ok", "everything is for you alone", NULL);
        return;
    }
    (void)snprintf(text, sizeof text, "others may read here: %s", health->open_to_others);
    (void)snprintf(remedy, sizeof remedy, "chmod -R go= %.500s", call->world->home);
    op_doctor_finding(checks, "permissions", "warn", text, remedy);
}

static enum err op_doctor_on_newest(void *self, const struct journal_row *row)
{
    uint64_t *newest = self;

    *newest = row->at_ms > *newest ? row->at_ms : *newest;
    return ERR_OK;
}

/* A wrong clock costs nothing but wrong dates; they are worth a word. */
static void op_doctor_check_clock(json_t *checks, const struct op_call *call)
{
    uint64_t newest = 0;
    char text[100], now[DESCRIBE_TIME_SIZE], then[DESCRIBE_TIME_SIZE];

    describe_time(call->now_ms, now);
    if (journal_each(&call->snapshot, 0, op_doctor_on_newest, &newest) != ERR_OK)
        newest = 0;
    describe_time(newest, then);
    if (call->now_ms < OP_DOCTOR_CLOCK_LEAST_MS || call->now_ms > OP_DOCTOR_CLOCK_MOST_MS)
        (void)snprintf(text, sizeof text, "it says %s", now);
    else if (newest > call->now_ms + OP_DOCTOR_CLOCK_SLACK_MS)
        (void)snprintf(text, sizeof text, "it says %s, and something happened at %s", now, then);
    else
        text[0] = '\0';
    if (text[0] == '\0')
        op_doctor_finding(checks, "clock", "ok", "it fits what happened here", NULL);
    else
        op_doctor_finding(checks, "clock", "warn", text,
                          "set it right: nothing is lost, but dates are wrong");
}

static void op_doctor_check_store(struct op_call *call, json_t *checks, struct check_report *report,
                                  enum err err)
{
    uint64_t held = 0, merged = 0;

    if (err != ERR_OK)
        op_doctor_finding(checks, "store", "fail", err_sentence(err),
                          "look at the disk, then type it again");
    else if (report->damaged > 0)
        op_doctor_finding(checks, "store", "fail", report->first,
                          "kith doctor --rebuild; if that does not help, restore a backup");
    else
        op_doctor_finding(checks, "store", "ok", "every entry, hash and signature fits", NULL);
    if (follow_progress(&call->snapshot, &held, &merged) == ERR_OK && merged < held)
        op_doctor_finding(checks, "views", "warn", "lists are behind what is stored",
                          "they catch up while the node runs: kith run");
    else
        op_doctor_finding(checks, "views", "ok", "lists are up to date", NULL);
}

/* Peers of another version call in vain until one side has been upgraded. */
struct op_doctor_version {
    uint64_t since_ms;
    char who[201];
    bool is_told;
};

static enum err op_doctor_on_version(void *self, const struct journal_row *row)
{
    struct op_doctor_version *version = self;

    if (row->at_ms < version->since_ms || row->kind.size != 7 ||
        memcmp(row->kind.data, "version", 7) != 0)
        return ERR_OK;
    version->is_told = true;
    (void)snprintf(version->who, sizeof version->who, "%.*s", (int)row->who.size,
                   (const char *)row->who.data); /* Cut when too long. */
    return ERR_OK;
}

static void op_doctor_check_versions(json_t *checks, const struct op_call *call,
                                     const struct op_health *health)
{
    struct op_doctor_version version = {
        .since_ms = call->now_ms > OP_DOCTOR_DAY_MS ? call->now_ms - OP_DOCTOR_DAY_MS : 0};
    char text[400];

    if (journal_each(&call->snapshot, 0, op_doctor_on_version, &version) == ERR_OK &&
        version.is_told) {
        (void)snprintf(text, sizeof text, "%s called with another version of kith today",
                       version.who[0] != '\0' ? version.who : "somebody you know");
        op_doctor_finding(checks, "versions", "warn", text,
                          "install the newest kith on both sides, then: kith sync");
        return;
    }
    (void)snprintf(text, sizeof text, "kith %s, protocol %d, store format %d, %s", KITH_VERSION,
                   PROTOCOL_VERSION, STORE_FORMAT, health->libraries);
    op_doctor_finding(checks, "versions", "ok", text, NULL);
}

static void op_doctor_check_ports(json_t *checks, const struct op_health *health)
{
    char text[ADDRESS_TEXT_SIZE + 80];

    switch (health->port) {
    case OP_PORT_NONE:
        op_doctor_finding(checks, "ports", "ok", "your node has not listened yet", NULL);
        return;
    case OP_PORT_FREE:
        (void)snprintf(text, sizeof text, "%s is free for your node", health->listening);
        break;
    case OP_PORT_OURS:
        (void)snprintf(text, sizeof text, "your node listens on %s", health->listening);
        break;
    case OP_PORT_TAKEN:
        (void)snprintf(text, sizeof text, "another program has %s, where your node listened",
                       health->listening);
        op_doctor_finding(checks, "ports", "warn", text,
                          "end that program, or take another port: kith run --listen [::]:0");
        return;
    }
    op_doctor_finding(checks, "ports", "ok", text, NULL);
}

static void op_doctor_check_undo(json_t *checks, const struct op_call *call)
{
    struct undo_row row;
    char text[UNDO_WHAT_MAX + 80];
    enum err err = undo_last(&call->snapshot, &row);

    if (err == ERR_NOT_FOUND) {
        op_doctor_finding(checks, "undo", "ok", "there is nothing to take back", NULL);
    } else if (err != ERR_OK || row.first > row.last) {
        op_doctor_finding(checks, "undo", "fail", "what was done last cannot be read",
                          "kith contact history WHO shows it; a backup has it whole");
    } else if (undo_check(&call->snapshot, &row) == ERR_STATE) {
        (void)snprintf(text, sizeof text, "kith undo cannot take back: %s", row.what);
        op_doctor_finding(checks, "undo", "warn", text, "kith contact history WHO shows it");
    } else {
        (void)snprintf(text, sizeof text, "kith undo takes back: %s", row.what);
        op_doctor_finding(checks, "undo", "ok", text, NULL);
    }
}

enum err op_doctor(struct op_call *call)
{
    json_t *checks = json_array();
    struct op_health health = {0};
    struct check_report report = {0};
    enum err err = check_store(&call->snapshot, &report);

    op_doctor_check_store(call, checks, &report, err);
    if (call->world->is_passphrase_protected)
        op_doctor_finding(checks, "keys", "ok", "a passphrase protects the keys", NULL);
    else
        op_doctor_finding(checks, "keys", "warn", "only file permissions protect the keys",
                          "keep the disk encrypted, or use a passphrase");
    if (call->world->look != NULL && call->world->look(call->world->home, &health) == ERR_OK) {
        op_doctor_check_permissions(checks, call, &health);
        op_doctor_check_disk(checks, &health);
        op_doctor_check_ports(checks, &health);
    }
    op_doctor_check_clock(checks, call);
    op_doctor_check_versions(checks, call, &health);
    op_doctor_check_undo(checks, call);
    call->result = json_pack("{s:b, s:o, s:I, s:I}", "healthy",
                             err == ERR_OK && report.damaged == 0, "checks", checks, "entries",
                             (json_int_t)report.entries, "objects", (json_int_t)report.objects);
    return ERR_OK;
}

enum err op_doctor_rebuild(struct op_call *call)
{
    enum err err = check_forget_views(call->txn);

    if (err == ERR_OK)
        call->result = json_pack("{s:b}", "rebuilding", 1);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the lists could not be made again");
}
