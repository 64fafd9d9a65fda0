/* Peers, invitations and safety words as people see them. */
#include <qrencode.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/heap.h"
#include "node/show_state.h"

static void show_peers(json_t *result, json_t *params)
{
    static const struct show_column columns[] = {
        {"NAME", "name"},   {"ALIAS", "alias"},     {"LEVEL", "level"},
        {"STATE", "state"}, {"IN STEP", "in_step"}, {"TO SEND", "undelivered"}};
    json_t *rows = json_object_get(result, "peers");

    if (json_array_size(rows) == 0)
        show_say("You have no peers yet. Invite somebody: kith peer invite NAME");
    show_table(rows, params, columns, 6);
}

/* Whom the key came through, in words; no mark that a name could imitate. */
static void show_trust(json_t *peer)
{
    const char *level = show_text(peer, "level"), *via = show_text(peer, "via");
    char text[400];

    if (strcmp(level, "compared") == 0)
        (void)snprintf(text, sizeof text, "you compared safety words");
    else if (strcmp(level, "introduced") == 0)
        (void)snprintf(text, sizeof text,
                       "introduced by %.200s on %.10s; you have not compared safety words",
                       via[0] != '\0' ? via : "a peer", show_text(peer, "since"));
    else
        (void)snprintf(text, sizeof text,
                       "linked by invitation; you have not compared safety words");
    show_line("Trust", text);
    if (json_array_size(json_object_get(peer, "vouchers")) > 1)
        show_list("The same key by", json_object_get(peer, "vouchers"));
}

static void show_peer(json_t *result, json_t *params)
{
    (void)params;
    show_line("Name", show_text(result, "name"));
    show_line("Alias", show_text(result, "alias"));
    show_line("State", show_text(result, "state"));
    show_trust(result);
    show_time("Last seen", show_text(result, "last_seen"));
    if (json_is_true(json_object_get(result, "full")))
        show_line("Full", "no more of what they share is kept: kith peer quota WHO --mib 256");
    if (json_is_true(json_object_get(result, "full_there")))
        show_line("Full there", "they take no more of what you share until they have room");
    show_list("Addresses", json_object_get(result, "addresses"));
    if (show_text(json_object_get(result, "card"), "name")[0] != '\0') {
        show_say("Their card:");
        show_card(json_object_get(result, "card"));
    }
    show_endorsement_mentions(result);
    show_line("Member", show_text(result, "member"));
}

/* Contacts called like the new peer: only their owner knows whether it is the same person. */
static void show_look_alikes(json_t *list)
{
    size_t at;
    json_t *item;

    if (json_array_size(list) > 0)
        show_say("You have contacts of that name. kith does not know whether it is the same "
                 "person:");
    json_array_foreach(list, at, item)
    {
        show_line("  Name", show_text(item, "name"));
        show_line("  Id", show_text(item, "id"));
    }
}

/* One sentence about the peer it happened to. */
static void show_of(json_t *result, const char *sentence)
{
    char *name = show_copy(show_text(result, "name"));
    char line[600];

    (void)snprintf(line, sizeof line, "%.300s %s", name != NULL ? name : "", sentence);
    show_say(line);
    heap_free(name);
}

/* What to type next, with the name of whom it is about. */
static void show_hint(const char *command, json_t *result)
{
    char *line = show_typed(command, result);

    (void)printf("  %s\n", line != NULL ? line : command);
    heap_free(line);
}

static void show_accepted(json_t *result, json_t *params)
{
    (void)params;
    if (strcmp(show_text(result, "state"), "pending") == 0) {
        show_say("Accepted. The link is made as soon as both of you are online: keep your node "
                 "running (kith run).");
        show_line("From", show_text(result, "name"));
    } else {
        show_of(result, "and you are linked; the card comes by itself.");
        show_say("To be sure that nobody stands in between, compare words:");
        show_hint("kith peer words", result);
    }
    show_look_alikes(json_object_get(result, "look_alike"));
}

static void show_quota(json_t *result, json_t *params)
{
    char text[120];

    (void)params;
    show_line("Name", show_text(result, "name"));
    (void)snprintf(text, sizeof text, "%.1f of %lld MiB",
                   (double)json_integer_value(json_object_get(result, "bytes")) / 1048576,
                   (long long)json_integer_value(json_object_get(result, "bytes_max")) / 1048576);
    show_line("Kept", text);
    (void)snprintf(text, sizeof text, "%lld of %lld",
                   (long long)json_integer_value(json_object_get(result, "entries")),
                   (long long)json_integer_value(json_object_get(result, "entries_max")));
    show_line("Entries", text);
    if (json_is_true(json_object_get(result, "full")))
        show_say("No more of what they share is taken. Give it more room: kith peer quota WHO "
                 "--mib 256");
}

static void show_parted(json_t *result, json_t *params)
{
    (void)params;
    show_of(result, "is no peer of yours any more: nothing you write from now on can be read "
                    "there.");
}

static void show_blocked(json_t *result, json_t *params)
{
    (void)params;
    show_of(result, "is blocked, and is not told so.");
}

static void show_unblocked(json_t *result, json_t *params)
{
    (void)params;
    show_of(result, "is not blocked any more. A new link takes a new invitation.");
}

static void show_revoked(json_t *result, json_t *params)
{
    (void)result;
    (void)params;
    show_say("Taken back: nobody can use that invitation now.");
}

/* Two modules a character cell, by half blocks, dark on light with the quiet margin scanners need.
 */
static void show_qr(const char *text)
{
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    int margin = 2;

    if (code == NULL)
        return;
    for (int y = -margin; y < code->width + margin; y += 2) {
        for (int x = -margin; x < code->width + margin; x++) {
            bool is_in = x >= 0 && x < code->width;
            bool upper =
                is_in && y >= 0 && y < code->width && (code->data[y * code->width + x] & 1) != 0;
            bool lower = is_in && y + 1 >= 0 && y + 1 < code->width &&
                         (code->data[(y + 1) * code->width + x] & 1) != 0;

            (void)fputs(upper && lower ? " "
                        : upper        ? "\u2584"
                        : lower        ? "\u2580"
                                       : "\u2588",
                        stdout);
        }
        (void)putchar('\n');
    }
    QRcode_free(code);
}

/* What did not fit is said beside the text, which may be piped. */
static void show_left_out(json_t *list)
{
    size_t at;
    json_t *item;

    if (json_array_size(list) == 0)
        return;
    (void)fputs("kith: an invitation holds four addresses; left out:", stderr);
    json_array_foreach(list, at, item)(void)
        fprintf(stderr, "%s %s", at > 0 ? "," : "", json_string_value(item));
    (void)fputs("\n", stderr);
}

static void show_invitation(json_t *result, json_t *params)
{
    const char *uri = show_text(result, "uri");
    char line[160];

    show_left_out(json_object_get(result, "left_out"));
    if (!isatty(STDOUT_FILENO)) {
        (void)puts(uri);
        return;
    }
    (void)snprintf(line, sizeof line,
                   "Send this to the person you mean, and to nobody else. It works once, until "
                   "%.10s.",
                   show_text(result, "expires"));
    show_say(line);
    (void)printf("\n%s\n\n", uri);
    if (json_is_true(json_object_get(params, "qr")))
        show_qr(uri);
    show_say("They type: kith peer accept kith:1...");
    if (json_is_false(json_object_get(result, "node")))
        show_say("Your node is stopped. It has to run when they do: kith run");
}

static void show_words(json_t *result, json_t *params)
{
    (void)params;
    show_numbered(show_text(result, "words"), 4);
    show_say("Read them to one another, over the telephone or face to face. The same on both "
             "sides? Then type:");
    show_hint("kith peer compared", result);
}

const struct show_printer show_peer_printers[] = {
    {"peer.accept", show_accepted},
    {"peer.compared", show_peer},
    {"peer.invite", show_invitation},
    {"peer.list", show_peers},
    {"peer.rename", show_peer},
    {"peer.show", show_peer},
    {"peer.words", show_words},
    {"peer.quota", show_quota},
    {"peer.remove", show_parted},
    {"peer.block", show_blocked},
    {"peer.unblock", show_unblocked},
    {"peer.revoke", show_revoked},
    {NULL, NULL},
};
