/* How things stand, and what waits for the owner, each with the line to type next. */
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/op_due_act.h"
#include "node/show_state.h"

enum {
    SHOW_STATUS_NAMES = 3,
    SHOW_STATUS_STEPS = 3,
    SHOW_STATUS_COMMAND = 36,
    SHOW_STATUS_LINE = 60
};

static json_int_t show_status_number(json_t *result, const char *object, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(result, object), key));
}

/* Waiting. */

static bool show_status_is(json_t *row, const char *key, const char *text)
{
    return strcmp(show_text(row, key), text) == 0;
}

/* A reminder, a birthday or an ending; what others wait for has lines of its own. Nobody is
 * reminded of an endorsement that is wanted: kith due and the log have it. */
static bool show_status_is_due(json_t *row)
{
    return !show_status_is(row, "kind", "introduction") && !show_status_is(row, "kind", "share") &&
           strstr(show_text(row, "kind"), "wanted") == NULL &&
           !show_status_is(row, "state", "soon");
}

/* Whom peers want to meet: each a sentence, some at most, and where to look at all of them. */
static void show_status_wanted(json_t *due)
{
    size_t at, count = 0;
    json_t *row;

    json_array_foreach(due, at, row)
    {
        char *who, *text;
        char line[SHOW_STATUS_LINE + 1];

        if (!show_status_is(row, "kind", "introduction wanted") || count++ >= SHOW_STATUS_NAMES)
            continue;
        who = show_copy(show_text(row, "who"));
        text = show_copy(show_text(row, "text"));
        op_due_act_cut(line, sizeof line, span_str(text != NULL ? text : ""));
        (void)printf("  %s %s%s\n", who != NULL ? who : "", line,
                     text != NULL && strlen(text) > strlen(line) ? "..." : "");
        heap_free(who);
        heap_free(text);
    }
    if (count > SHOW_STATUS_NAMES)
        (void)printf("  and %zu more\n", count - SHOW_STATUS_NAMES);
    if (count > 0)
        (void)puts("      kith intro list");
}

static void show_status_introductions(json_t *due, json_int_t waiting)
{
    json_t *row, *only = NULL;
    char line[SHOW_STATUS_LINE + 1];
    char *who, *text;
    size_t at;

    if (waiting == 0)
        return;
    json_array_foreach(due, at, row) if (show_status_is(row, "kind", "introduction")) only = row;
    if (waiting > 1 || only == NULL) {
        (void)printf("  %" JSON_INTEGER_FORMAT " introductions wait for your answer\n"
                     "      kith intro list\n",
                     waiting);
        return;
    }
    who = show_copy(show_text(only, "who"));
    text = show_copy(show_text(only, "text"));
    op_due_act_cut(line, sizeof line, span_str(text != NULL ? text : ""));
    (void)printf("  %s %s%s\n      kith intro show %.12s\n", who != NULL ? who : "", line,
                 text != NULL && strlen(text) > strlen(line) ? "..." : "", show_text(only, "id"));
    heap_free(who);
    heap_free(text);
}

static void show_status_endorsements(json_int_t pending)
{
    if (pending > 0)
        (void)printf("  %" JSON_INTEGER_FORMAT " endorsement%s of you: you decide who sees %s\n"
                     "      kith endorsement list --pending\n",
                     pending, pending == 1 ? "" : "s", pending == 1 ? "it" : "them");
}

static void show_status_shares(json_int_t waiting)
{
    if (waiting > 0)
        (void)printf("  %" JSON_INTEGER_FORMAT " shared contact%s: keep or let pass\n"
                     "      kith share list --received\n",
                     waiting, waiting == 1 ? "" : "s");
}

static void show_status_asks(json_int_t fresh)
{
    if (fresh > 0)
        (void)printf("  %" JSON_INTEGER_FORMAT " ask%s from your network\n      kith ask list\n",
                     fresh, fresh == 1 ? "" : "s");
}

static void show_status_leads(json_int_t words, json_int_t introductions)
{
    if (words > 0)
        (void)printf("  %" JSON_INTEGER_FORMAT
                     " answer%s from your network\n      kith lead list\n",
                     words, words == 1 ? "" : "s");
    if (introductions > 0)
        (void)printf("  %" JSON_INTEGER_FORMAT
                     " introduction%s you offered: they said yes\n      kith lead list\n",
                     introductions, introductions == 1 ? "" : "s");
}

static void show_status_due(json_t *due, size_t count)
{
    size_t at, named = 0;
    json_t *row;

    if (count == 0)
        return;
    (void)fputs("  due today: ", stdout);
    json_array_foreach(due, at, row)
    {
        char *who;

        if (!show_status_is_due(row) || named == SHOW_STATUS_NAMES)
            continue;
        who = show_copy(show_text(row, "who"));
        (void)printf("%s%s", named++ > 0 ? ", " : "", who != NULL ? who : "");
        heap_free(who);
    }
    if (count > named)
        (void)printf(" and %zu more", count - named);
    (void)puts("\n      kith due");
}

static bool show_status_waiting(json_t *result)
{
    json_t *due = json_object_get(result, "due"), *row;
    json_int_t introductions = show_status_number(result, "introductions", "waiting_for_me"),
               endorsements = show_status_number(result, "endorsements", "pending"),
               shares = show_status_number(result, "shares", "waiting"),
               asks = show_status_number(result, "asks", "new"),
               words = show_status_number(result, "leads", "waiting_for_me"),
               wanted = show_status_number(result, "leads", "introductions_wanted");
    size_t at, count = 0, wants = 0;

    json_array_foreach(due, at, row)
    {
        count += show_status_is_due(row);
        wants += show_status_is(row, "kind", "introduction wanted");
    }
    if (introductions + endorsements + shares + asks + words + wanted == 0 && count + wants == 0)
        return false;
    (void)puts("\nWaiting for you:");
    show_status_introductions(due, introductions);
    show_status_wanted(due);
    show_status_endorsements(endorsements);
    show_status_shares(shares);
    show_status_asks(asks);
    show_status_leads(words, wanted);
    show_status_due(due, count);
    return true;
}

static void show_status_lately(json_t *result)
{
    json_t *rows = json_object_get(result, "lately"), *row;
    size_t at;

    if (json_array_size(rows) > 0)
        (void)puts("\nLately:");
    json_array_foreach(rows, at, row)
    {
        show_event_at(row, 2);
    }
}

/* What to do next, three things at most: kith is of use before there is anybody to link with. */
static void show_status_next(json_t *result, json_int_t contacts, json_int_t peers, bool runs,
                             int most)
{
    json_t *next = json_object_get(result, "next");
    bool is_out = show_text(result, "shut_out")[0] != '\0', is_alone = peers == 0,
         has_contacts = contacts > 0,
         has_reminders = json_is_true(json_object_get(next, "reminders")),
         has_pending = json_integer_value(json_object_get(next, "pending")) > 0;
    const char *words = show_text(next, "words"), *introduce = show_text(next, "introduce");
    const struct {
        bool is_due;
        const char *command, *does;
    } steps[] = {
        {is_out, "kith export -o FILE", "saves what is here"},
        {has_pending && !runs, "kith run", "makes the link you accepted"},
        {!has_contacts, "kith import FILE.vcf", "brings your address book"},
        {!has_contacts && is_alone, "kith contact add NAME", "begins one by hand"},
        {has_contacts && is_alone, "kith remind WHO --every 3m", "keeps you in touch"},
        {is_alone && !has_pending, "kith peer invite NAME", "links you with somebody"},
        {has_contacts && is_alone && !runs, "kith run", "answers whoever accepts"},
        {!is_alone && !runs, "kith run", "brings what your peers have to say"},
        {words[0] != '\0', words, "makes sure who it is"},
        {!is_alone && !has_reminders, "kith remind WHO --every 3m", "keeps you in touch"},
        {introduce[0] != '\0', introduce, "brings two together"},
        {!is_alone, "kith ask post TEXT --title TITLE", "asks the people you know"},
    };
    size_t width = 0;
    int shown = 0;

    most = is_out ? 1 : most;                                    /* Whatever writes is refused. */
    for (size_t round = 0; next != NULL && round < 2; round++) { /* Measured, then shown. */
        for (size_t at = 0; at < sizeof steps / sizeof steps[0] && shown < most; at++) {
            char *command = steps[at].is_due ? show_copy(steps[at].command) : NULL;

            if (command == NULL)
                continue;
            if (round == 0)
                width = show_width(command) > width ? show_width(command) : width;
            else if (shown == 0)
                (void)putchar('\n');
            if (round > 0)
                show_command(shown == 0 ? "Next" : "", command, width, steps[at].does);
            shown++;
            heap_free(command);
        }
        shown = 0;
        if (width > SHOW_STATUS_COMMAND) /* Beside a long one the others need no column. */
            width = 0;
    }
}

/* Standing. */

static void show_status(json_t *result, json_t *params)
{
    bool runs = strcmp(show_text(result, "node"), "running") == 0;
    json_int_t contacts = json_integer_value(json_object_get(result, "contacts")),
               peers = show_status_number(result, "peers", "total"),
               undelivered = json_integer_value(json_object_get(result, "undelivered"));

    bool is_waiting;

    (void)params;
    show_line("You", show_text(result, "name"));
    show_line("Node", runs ? "running" : "stopped (start it: kith run)");
    show_list("Listening on", json_object_get(result, "listen"));
    (void)printf("%-14s %" JSON_INTEGER_FORMAT "\n", "Contacts", contacts);
    (void)printf("%-14s %" JSON_INTEGER_FORMAT " (%" JSON_INTEGER_FORMAT " online)\n", "Peers",
                 peers, show_status_number(result, "peers", "online"));
    show_line("Devices", show_text(result, "note"));
    if (undelivered > 0)
        (void)printf("%-14s %" JSON_INTEGER_FORMAT " change%s, as soon as your peers are there\n",
                     "To be sent", undelivered, undelivered == 1 ? "" : "s");
    show_line(
        "Keys",
        strcmp(show_text(result, "key_protection"), "passphrase") == 0
            ? "a passphrase protects them; lists on this disk are readable by whoever has the disk"
            : "protected by file permissions only");
    show_line("Member", show_text(result, "member"));
    is_waiting = show_status_waiting(result);
    show_status_lately(result);
    show_status_next(result, contacts, peers, runs, is_waiting ? 1 : SHOW_STATUS_STEPS);
}

const struct show_printer show_status_printers[] = {
    {"status", show_status}, {"status.waiting", show_status}, {NULL, NULL}};
