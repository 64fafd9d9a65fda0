/* Leads and threads as people see them. */
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/show_state.h"

static const char *show_reply_kind(json_t *lead)
{
    const char *kind = show_text(lead, "kind");

    return strcmp(kind, "offer-help") == 0 ? "offer" : kind;
}

static const char *show_reply_from(json_t *lead)
{
    const char *name = show_text(json_object_get(lead, "from"), "name");

    return name[0] != '\0' ? name : "somebody without a name";
}

/* What was written last and waits for an answer, below what began it. */
static void show_reply_newest(json_t *letter)
{
    char *clean = letter != NULL ? show_copy(show_text(letter, "text")) : NULL;

    if (clean != NULL) {
        (void)printf("%*snow: ", SHOW_INDENT, "");
        show_wrap(stdout, clean, SHOW_INDENT + 5, SHOW_INDENT);
    }
    heap_free(clean);
}

static void show_reply_row(json_t *lead)
{
    bool is_mine = strcmp(show_text(lead, "role"), "answered") == 0;
    const char *from = show_reply_from(lead), *through = show_text(lead, "through");
    char text[900];
    char *clean;

    if (is_mine)
        (void)snprintf(text, sizeof text, "%.12s  %-7s yours, to %s: %s", show_text(lead, "id"),
                       show_reply_kind(lead), show_text(json_object_get(lead, "ask"), "title"),
                       show_text(lead, "text"));
    else
        (void)snprintf(text, sizeof text, "%.12s  %-7s %s%s%s: %s", show_text(lead, "id"),
                       show_reply_kind(lead), from, strcmp(from, through) != 0 ? ", through " : "",
                       strcmp(from, through) != 0 ? through : "", show_text(lead, "text"));
    clean = show_copy(text);
    if (clean != NULL)
        show_wrap(stdout, clean, 0, SHOW_INDENT);
    heap_free(clean);
    show_reply_newest(json_object_get(lead, "newest"));
}

static void show_reply_rows(json_t *leads)
{
    size_t at;
    json_t *lead;

    json_array_foreach(leads, at, lead) show_reply_row(lead);
}

void show_reply_leads(json_t *ask)
{
    json_t *leads = json_object_get(ask, "leads");

    if (json_array_size(leads) == 0)
        return;
    show_say("What came back:");
    show_reply_rows(leads);
}

static void show_leads(json_t *result, json_t *params)
{
    json_t *leads = json_object_get(result, "leads"), *lead, *waiting = NULL;
    size_t at;

    (void)params;
    if (json_array_size(leads) == 0)
        show_say("No leads yet. Ask the people you know: kith ask post TEXT --title T");
    show_reply_rows(leads);
    json_array_foreach(leads, at, lead)
    {
        if (waiting == NULL && json_object_get(lead, "waiting_for_me") != NULL)
            waiting = lead;
    }
    show_step_row("kith lead show", waiting != NULL ? waiting : json_array_get(leads, 0));
}

/* Labels are words of ours: a name is never one. */
static void show_reply_thread(json_t *lead)
{
    json_t *thread = json_object_get(lead, "thread"), *letter;
    size_t at;

    json_array_foreach(thread, at, letter)
    {
        const char *who = json_is_true(json_object_get(letter, "mine")) ? "You" : "They";

        if (at == 0)
            continue;
        if (json_is_true(json_object_get(letter, "wants_introduction")))
            show_line(who, "yes, please introduce us");
        show_lines(who, show_text(letter, "text"));
    }
}

static void show_reply_next(json_t *lead)
{
    const char *introduction = show_text(lead, "introduction"), *label = "Next";
    bool is_asked = strcmp(show_text(lead, "role"), "asked") == 0;
    bool is_offered = strcmp(introduction, "offered") == 0 && is_asked,
         is_wanted = strcmp(introduction, "wanted") == 0;

    if (is_offered)
        show_say("They would introduce you.");
    else if (is_wanted)
        show_say(is_asked ? "You said yes to the introduction." : "They said yes to meeting.");
    if (is_offered || (is_wanted && !is_asked)) {
        show_step(label, "kith lead introduce", lead, "");
        label = "";
    }
    show_step(label, "kith lead answer", lead, "\"...\"");
    if (is_asked && show_text(lead, "thanked")[0] == '\0')
        show_step("", "kith thanks", lead, "\"...\"  # whoever passed it on reads it, too");
}

static void show_lead(json_t *result, json_t *params)
{
    json_t *about = json_object_get(result, "about");
    bool is_asked = strcmp(show_text(result, "role"), "asked") == 0;

    (void)params;
    if (json_object_get(result, "role") == NULL)
        return;
    show_line("Lead", show_text(result, "id"));
    show_line("To", show_text(json_object_get(result, "ask"), "title"));
    show_line("Kind", show_text(result, "kind"));
    show_line("From", is_asked ? show_reply_from(result) : "you");
    if (json_is_false(json_object_get(json_object_get(result, "from"), "peer")) && is_asked)
        show_line("", "you are not linked with them; the name is their own word");
    if (strcmp(show_text(result, "through"), show_reply_from(result)) != 0)
        show_line("Through", show_text(result, "through"));
    show_lines("Says", show_text(result, "text"));
    if (about != NULL) {
        show_say("About:");
        show_card(about);
    }
    show_line("State", show_text(result, "state"));
    show_time("Thanked", show_text(result, "thanked"));
    show_line("", show_text(result, "thanks"));
    show_reply_thread(result);
    show_reply_next(result);
}

static void show_lead_introduced(json_t *result, json_t *params)
{
    if (json_object_get(result, "thread") != NULL) {
        show_lead(result, params);
        return;
    }
    show_line("Introduction", show_text(result, "id"));
    show_say("Both are asked in turn. See how it stands: kith intro list");
}

const struct show_printer show_reply_printers[] = {
    {"ask.reply", show_lead},
    {"lead.list", show_leads},
    {"lead.show", show_lead},
    {"lead.answer", show_lead},
    {"thanks", show_lead},
    {"lead.introduce", show_lead_introduced},
    {NULL, NULL},
};
