/* A set of keys with open addressing; what counts as the same person is import_match's to say, so a
 * key that says "met" too often costs time and nothing else. */
#include "node/import_index.h"

#include <string.h>

#include "crypto/heap.h"
#include "node/import_match.h"
#include "proto/kind.h"

enum { IMPORT_INDEX_FIRST = 1024 };

struct import_index_slot {
    uint64_t key; /* 0: empty */
    uint64_t line;
};

/* What a key is of. */
enum import_index_kind {
    IMPORT_KEY_UID = 1,
    IMPORT_KEY_PROFILE,
    IMPORT_KEY_REACH,       /* an e-mail or phone, whoever's */
    IMPORT_KEY_NAMED_REACH, /* and the name with it */
    IMPORT_KEY_NAME,        /* whatever else is known */
    IMPORT_KEY_BARE_NAME,   /* of somebody without e-mail or phone */
    IMPORT_KEY_CONTACT      /* whose views are behind */
};

void import_index_begin(struct import_index *index, const struct entropy *entropy)
{
    entropy_fill(entropy, index->salt, sizeof index->salt);
}

static uint64_t import_index_key(const struct import_index *index, enum import_index_kind kind,
                                 struct span value, struct span name)
{
    uint8_t parts[1 + 8 + 8] = {(uint8_t)kind};

    be64_put(parts + 1, digest_short(index->salt, value));
    be64_put(parts + 9, digest_short(index->salt, name));
    return digest_short(index->salt, span_of(parts, sizeof parts)) | 1;
}

static const struct import_index_slot *import_index_find(const struct import_index *index,
                                                         uint64_t key)
{
    for (size_t at = key >> 1; index->capacity > 0; at++) {
        const struct import_index_slot *slot = &index->slots[at & (index->capacity - 1)];

        if (slot->key == key)
            return slot;
        if (slot->key == 0)
            return NULL;
    }
    return NULL;
}

static void import_index_place(struct import_index *index, uint64_t key, uint64_t line)
{
    size_t at = key >> 1;

    while (index->slots[at & (index->capacity - 1)].key != 0 &&
           index->slots[at & (index->capacity - 1)].key != key)
        at++;
    if (index->slots[at & (index->capacity - 1)].key == 0) {
        index->slots[at & (index->capacity - 1)] =
            (struct import_index_slot){.key = key, .line = line};
        index->count++;
    }
}

static enum err import_index_put(struct import_index *index, uint64_t key, uint64_t line)
{
    struct import_index grown = *index;

    if (2 * (index->count + 1) > index->capacity) {
        grown.capacity = index->capacity == 0 ? IMPORT_INDEX_FIRST : 2 * index->capacity;
        grown.slots = heap_new_zeroed(grown.capacity, sizeof *grown.slots);
        if (grown.slots == NULL)
            return ERR_NOMEM;
        grown.count = 0;
        for (size_t at = 0; at < index->capacity; at++)
            if (index->slots[at].key != 0)
                import_index_place(&grown, index->slots[at].key, index->slots[at].line);
        heap_free(index->slots);
        *index = grown;
    }
    import_index_place(index, key, line);
    return ERR_OK;
}

/* Tells the keys of a person, the surest first, until tell is done. */
struct import_index_walk {
    struct import_index *index;
    const struct person *person;
    struct span name;
    struct buf normal;
    size_t next; /* among the person's values, twice over */
};

static bool import_index_has_reach(const struct person *person)
{
    return person_text(person, CONTACT_EMAILS).size > 0 ||
           person_text(person, CONTACT_PHONES).size > 0;
}

/* The next e-mail, then phone number, as it is compared; empty at the end. One pass over the
 * person's values for each: a card may have hundreds. */
static struct span import_index_reach(struct import_index_walk *walk)
{
    size_t count = person_count(walk->person);

    while (walk->next < 2 * count) {
        bool is_email = walk->next < count;
        uint8_t field;
        struct span value = person_value_at(walk->person, walk->next++ % count, &field);

        if (field != (is_email ? CONTACT_EMAILS : CONTACT_PHONES))
            continue;
        buf_clear(&walk->normal);
        kind_normalise(is_email ? MATCH_EMAIL : MATCH_PHONE, value, &walk->normal);
        return walk->normal.size > 0 ? buf_span(&walk->normal) : value;
    }
    return span_of(NULL, 0);
}

static const struct import_index_slot *import_index_hit(const struct import_index *index,
                                                        enum import_index_kind kind,
                                                        struct span value, struct span name)
{
    return import_index_find(index, import_index_key(index, kind, value, name));
}

static const struct import_index_slot *import_index_look_sure(const struct import_index *index,
                                                              const struct person *person)
{
    struct span none = {0}, uid = person_text(person, CONTACT_UID), url;
    const struct import_index_slot *hit =
        uid.size > 0 ? import_index_hit(index, IMPORT_KEY_UID, uid, none) : NULL;

    for (size_t at = 0; hit == NULL && (url = person_at(person, CONTACT_URLS, at)).size > 0; at++)
        if (import_match_is_profile(url))
            hit = import_index_hit(index, IMPORT_KEY_PROFILE, import_match_bare(url), none);
    return hit;
}

enum import_index_answer import_index_look(const struct import_index *index,
                                           const struct person *person, struct span folded,
                                           size_t *out_line)
{
    struct import_index_walk walk = {.person = person, .name = folded};
    const struct import_index_slot *hit, *like;
    struct span none = {0}, reach;

    if (index->count == 0)
        return IMPORT_INDEX_NEW;
    hit = import_index_look_sure(index, person);
    like = import_index_hit(index, IMPORT_KEY_NAME, folded, none);
    if (hit == NULL && like != NULL && !import_index_has_reach(person))
        hit = import_index_hit(index, IMPORT_KEY_BARE_NAME, folded, none);
    while (hit == NULL && (reach = import_index_reach(&walk)).size > 0) {
        const struct import_index_slot *shared =
            import_index_hit(index, IMPORT_KEY_REACH, reach, none);

        if (shared != NULL)
            hit = import_index_hit(index, IMPORT_KEY_NAMED_REACH, reach, folded);
        like = like == NULL ? shared : like;
    }
    buf_release(&walk.normal);
    if (hit == NULL && like == NULL)
        return IMPORT_INDEX_NEW;
    *out_line = (size_t)(hit != NULL ? hit->line : like->line);
    return hit != NULL ? IMPORT_INDEX_MET : IMPORT_INDEX_LIKE;
}

bool import_index_has(const struct import_index *index, const struct id *contact)
{
    return index->count > 0 &&
           import_index_hit(index, IMPORT_KEY_CONTACT, span_of(contact->bytes, ID_SIZE),
                            span_of(NULL, 0)) != NULL;
}

enum err import_index_add(struct import_index *index, const struct person *person,
                          struct span folded, const struct id *contact)
{
    struct import_index_walk walk = {.index = index, .person = person, .name = folded};
    struct span none = {0}, uid = person_text(person, CONTACT_UID), value;
    enum err err = import_index_put(index, import_index_key(index, IMPORT_KEY_NAME, folded, none),
                                    person->line);

    if (err == ERR_OK)
        err = import_index_put(
            index,
            import_index_key(index, IMPORT_KEY_CONTACT, span_of(contact->bytes, ID_SIZE), none),
            person->line);
    if (err == ERR_OK && !import_index_has_reach(person))
        err = import_index_put(index, import_index_key(index, IMPORT_KEY_BARE_NAME, folded, none),
                               person->line);
    if (err == ERR_OK && uid.size > 0)
        err = import_index_put(index, import_index_key(index, IMPORT_KEY_UID, uid, none),
                               person->line);
    for (size_t at = 0; err == ERR_OK && (value = person_at(person, CONTACT_URLS, at)).size > 0;
         at++)
        if (import_match_is_profile(value))
            err = import_index_put(
                index, import_index_key(index, IMPORT_KEY_PROFILE, import_match_bare(value), none),
                person->line);
    while (err == ERR_OK && (value = import_index_reach(&walk)).size > 0) {
        uint64_t named = import_index_key(index, IMPORT_KEY_NAMED_REACH, value, folded);

        err = import_index_put(index, import_index_key(index, IMPORT_KEY_REACH, value, none),
                               person->line);
        if (err == ERR_OK)
            err = import_index_put(index, named, person->line);
    }
    if (walk.normal.is_failed)
        err = ERR_NOMEM;
    buf_release(&walk.normal);
    return err;
}

void import_index_clear(struct import_index *index)
{
    if (index->count > 0)
        memset(index->slots, 0, index->capacity * sizeof *index->slots);
    index->count = 0;
}

void import_index_release(struct import_index *index)
{
    heap_free(index->slots);
    *index = (struct import_index){0};
}
