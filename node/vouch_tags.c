/* Mentions of one tag are chained from the newest back, so that adding one costs nothing. */
#include "node/vouch_tags.h"

#include <string.h>

#include "crypto/heap.h"
#include "proto/limits.h"
#include "storage/fold.h"

enum { VOUCH_TAGS_SLOTS_MIN = 256, VOUCH_TAGS_STEM = 4 };

struct vouch_tag {
    uint64_t hash;
    uint32_t at, size;     /* in text */
    uint32_t last_mention; /* + 1 */
};

struct vouch_mention {
    uint32_t person, by;
    uint32_t before; /* mention of the same tag, + 1; 0: none */
};

static struct vouch_tag *vouch_tags_at(const struct vouch_tags *tags, size_t number)
{
    return (struct vouch_tag *)(void *)tags->tags.data + number;
}

static size_t vouch_tags_count(const struct vouch_tags *tags)
{
    return tags->tags.size / sizeof(struct vouch_tag);
}

static struct span vouch_tags_text(const struct vouch_tags *tags, const struct vouch_tag *tag)
{
    return span_of(tags->text.data + tag->at, tag->size);
}

static size_t vouch_tags_slot(const struct vouch_tags *tags, struct span folded, uint64_t hash)
{
    size_t at = (hash ^ hash >> 32) & (tags->slots_count - 1);

    while (tags->slots[at] != 0) {
        const struct vouch_tag *tag = vouch_tags_at(tags, tags->slots[at] - 1);

        if (tag->hash == hash && span_is_equal(vouch_tags_text(tags, tag), folded))
            break;
        at = (at + 1) & (tags->slots_count - 1);
    }
    return at;
}

static enum err vouch_tags_widen(struct vouch_tags *tags)
{
    size_t count = tags->slots_count > 0 ? 2 * tags->slots_count : VOUCH_TAGS_SLOTS_MIN;
    uint32_t *slots = heap_new_zeroed(count, sizeof *slots);

    if (slots == NULL)
        return ERR_NOMEM;
    heap_free(tags->slots);
    tags->slots = slots;
    tags->slots_count = count;
    for (size_t at = 0; at < vouch_tags_count(tags); at++) {
        const struct vouch_tag *tag = vouch_tags_at(tags, at);

        slots[vouch_tags_slot(tags, vouch_tags_text(tags, tag), tag->hash)] = (uint32_t)at + 1;
    }
    return ERR_OK;
}

static enum err vouch_tags_begin(struct vouch_tags *tags, struct span folded, uint64_t hash,
                                 size_t slot)
{
    struct vouch_tag tag = {
        .hash = hash, .at = (uint32_t)tags->text.size, .size = (uint32_t)folded.size};

    buf_append(&tags->text, folded);
    buf_append(&tags->tags, span_of(&tag, sizeof tag));
    if (buf_err(&tags->text) != ERR_OK || buf_err(&tags->tags) != ERR_OK)
        return ERR_NOMEM;
    tags->slots[slot] = (uint32_t)vouch_tags_count(tags);
    return ERR_OK;
}

enum err vouch_tags_add(struct vouch_tags *tags, struct span folded, uint64_t hash, uint32_t person,
                        uint32_t by, uint32_t *out)
{
    struct vouch_mention mention = {.person = person, .by = by};
    struct vouch_tag *tag;
    size_t slot;
    enum err err =
        2 * vouch_tags_count(tags) >= tags->slots_count ? vouch_tags_widen(tags) : ERR_OK;

    *out = VOUCH_TAG_NONE;
    if (err != ERR_OK)
        return err;
    slot = vouch_tags_slot(tags, folded, hash);
    if (tags->slots[slot] == 0 && tags->text.size + folded.size > VOUCH_TAGS_SIZE_MAX) {
        tags->is_cut = true;
        return ERR_OK;
    }
    if (tags->slots[slot] == 0)
        err = vouch_tags_begin(tags, folded, hash, slot);
    if (err != ERR_OK)
        return err;
    *out = tags->slots[slot];
    tag = vouch_tags_at(tags, *out - 1);
    mention.before = tag->last_mention;
    buf_append(&tags->mentions, span_of(&mention, sizeof mention));
    tag->last_mention = (uint32_t)(tags->mentions.size / sizeof mention);
    return buf_err(&tags->mentions);
}

/* Looking. */

struct vouch_tags_look {
    struct span other; /* the other text */
    struct span word;
    bool is_found;
};

static enum err vouch_tags_on_word(void *context, struct span word)
{
    struct vouch_tags_look *look = context;
    size_t least = word.size < look->word.size ? word.size : look->word.size;
    bool is_whole = word.size == look->word.size;

    if (memcmp(word.data, look->word.data, least) != 0 || (!is_whole && least < VOUCH_TAGS_STEM))
        return ERR_OK;
    look->is_found = true;
    return ERR_CANCELLED;
}

/* One of the words asked for: is it in the tag? */
static enum err vouch_tags_on_wanted(void *context, struct span word)
{
    struct vouch_tags_look *look = context;
    struct vouch_tags_look inner = {.word = word};
    enum err err = fold_words(look->other, vouch_tags_on_word, &inner);

    if (err != ERR_OK && err != ERR_CANCELLED)
        return err;
    look->is_found = inner.is_found;
    return inner.is_found ? ERR_OK : ERR_CANCELLED;
}

enum err vouch_tags_fit(struct span folded_tag, struct span folded_words, bool *out)
{
    struct vouch_tags_look look = {.other = folded_tag};
    enum err err = fold_words(folded_words, vouch_tags_on_wanted, &look);

    *out = look.is_found;
    return err == ERR_CANCELLED ? ERR_OK : err;
}

enum err vouch_tags_where(const struct vouch_tags *tags, vouch_tags_fit_fn fits, void *fits_self,
                          vouch_tags_fn each, void *self)
{
    const struct vouch_mention *mentions =
        (const struct vouch_mention *)(const void *)tags->mentions.data;
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK && at < vouch_tags_count(tags); at++) {
        const struct vouch_tag *tag = vouch_tags_at(tags, at);
        bool is_fit = false;

        err = fits(fits_self, vouch_tags_text(tags, tag), &is_fit);
        for (uint32_t mention = is_fit ? tag->last_mention : 0; err == ERR_OK && mention > 0;
             mention = mentions[mention - 1].before)
            err = each(self, mentions[mention - 1].person, mentions[mention - 1].by);
    }
    return err;
}

static enum err vouch_tags_on_tag(void *self, struct span folded_tag, bool *out)
{
    return vouch_tags_fit(folded_tag, *(const struct span *)self, out);
}

enum err vouch_tags_find(const struct vouch_tags *tags, struct span folded, vouch_tags_fn each,
                         void *self)
{
    return vouch_tags_where(tags, vouch_tags_on_tag, &folded, each, self);
}

void vouch_tags_release(struct vouch_tags *tags)
{
    buf_release(&tags->text);
    buf_release(&tags->tags);
    buf_release(&tags->mentions);
    heap_free(tags->slots);
    *tags = (struct vouch_tags){0};
}
