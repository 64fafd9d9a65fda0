/* All words must be there, each as the beginning of a word; case and accents do not count. */
#include "node/op_search.h"

#include "crypto/heap.h"
#include "node/describe.h"
#include "storage/follow.h"
#include "storage/view_search.h"

enum { OP_SEARCH_LIMIT_DEFAULT = 50, OP_SEARCH_LIMIT_MAX = 1000000 };

/* The words as one text: the index cuts it into words its own way. */
static enum err op_search_text(struct op_call *call, struct buf *out)
{
    json_t *words = op_list(call, "words"), *word;
    size_t at;

    json_array_foreach(words, at, word)
    {
        const char *text = json_string_value(word);

        if (text == NULL)
            return op_fail(call, OP_USAGE, "kith contact search WORDS", "words are texts");
        buf_append(out, span_str(text));
        buf_byte(out, ' ');
    }
    return buf_err(out);
}

static enum err op_search_limit(struct op_call *call, size_t *out)
{
    json_t *limit = json_object_get(call->params, "limit");

    *out = OP_SEARCH_LIMIT_DEFAULT;
    if (limit == NULL)
        return ERR_OK;
    if (!json_is_integer(limit) || json_integer_value(limit) < 0 ||
        json_integer_value(limit) > OP_SEARCH_LIMIT_MAX)
        return op_fail(call, OP_USAGE, "--limit 50", "--limit wants a number");
    *out = (size_t)json_integer_value(limit);
    return ERR_OK;
}

static enum err op_search_answer(struct op_call *call, const struct view_search_found *found)
{
    json_t *contacts = json_array();
    uint64_t held = 0, merged = 0;
    enum err err = ERR_OK;

    for (size_t at = 0; at < found->count && err == ERR_OK; at++)
        if (json_array_append_new(contacts, describe_contact_numbered(call, found->numbers[at])) !=
            0)
            err = ERR_NOMEM;
    if (err == ERR_OK)
        err = follow_progress(&call->snapshot, &held, &merged);
    call->result = json_pack("{s:o, s:I}", "contacts", contacts, "total", (json_int_t)found->total);
    if (call->result == NULL)
        return ERR_NOMEM;
    if (found->is_cut)
        (void)json_object_set_new(call->result, "is_cut", json_true());
    if (merged < held)
        (void)json_object_set_new(call->result, "views_behind",
                                  json_integer((json_int_t)(held - merged)));
    return err;
}

enum err op_search(struct op_call *call)
{
    struct view_search_found found = {0};
    struct buf text = {0};
    size_t limit;
    enum err err = op_search_text(call, &text);

    if (err == ERR_OK)
        err = op_search_limit(call, &limit);
    if (err == ERR_OK)
        err = view_search_find(&call->snapshot, buf_span(&text), limit, &found);
    if (err == ERR_INVALID && call->failure.code == OP_DONE)
        err = op_fail(call, OP_USAGE, "kith contact search anna berlin",
                      "say what to look for: 1 to %d words", VIEW_SEARCH_WORDS_MAX);
    if (err == ERR_OK)
        err = op_search_answer(call, &found);
    heap_free(found.numbers);
    buf_release(&text);
    return err == ERR_OK ? ERR_OK : op_fail_err(call, err, "the contacts could not be searched");
}
