/* Trust as people read it: sentences, and behind them the branches. */
#include <stdio.h>
#include <string.h>

#include "crypto/heap.h"
#include "node/show_state.h"

static void show_trust_line(const char *before, const char *text)
{
    char *clean = show_copy(text);

    (void)fputs(before, stdout);
    show_wrap(stdout, clean != NULL ? clean : "", strlen(before), strlen(before));
    heap_free(clean);
}

static void show_trust_answer(json_t *result, json_t *params)
{
    json_t *sentences = json_object_get(result, "sentences"), *sentence;
    json_t *branches = json_object_get(result, "branches"), *branch;
    size_t at;

    (void)params;
    json_array_foreach(sentences, at, sentence) show_trust_line("", json_string_value(sentence));
    if (json_array_size(branches) > 0)
        (void)puts("\nWhy:");
    json_array_foreach(branches, at, branch) show_trust_line("  ", show_text(branch, "sentence"));
    if (json_is_true(json_object_get(result, "is_cut")))
        show_say("There are more endorsements than are looked through here.");
}

static void show_paths(json_t *result, json_t *params)
{
    json_t *paths = json_object_get(result, "paths"), *path;
    size_t at;

    (void)params;
    json_array_foreach(paths, at, path)
    {
        show_trust_line("", show_text(path, "sentence"));
        show_trust_line("  ", show_text(path, "next"));
    }
    if (json_array_size(paths) == 0) {
        show_trust_line("", show_text(result, "sentence"));
        show_trust_line("  ", show_text(result, "next"));
    }
    if (json_is_true(json_object_get(result, "is_cut")))
        show_say("There are more ways than are shown here: say it more closely.");
}

static void show_closeness(json_t *result, json_t *params)
{
    (void)params;
    show_line(show_text(result, "name"), show_text(result, "closeness"));
}

const struct show_printer show_trust_printers[] = {
    {"path", show_paths},
    {"trust", show_trust_answer},
    {"contact.closeness", show_closeness},
    {NULL, NULL},
};
