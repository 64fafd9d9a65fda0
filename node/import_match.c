/* One look-up after the other in the contacts' view, the surest first. */
#include "node/import_match.h"

#include <string.h>
#include <strings.h>

#include "node/person_contact.h"
#include "storage/fold.h"
#include "storage/view_contact.h"

enum { IMPORT_URL_MAX = 300 };

struct import_search {
    const struct snapshot *snapshot;
    const struct person *person;
    struct import_match *match;
    struct buf folded; /* the person's name */
    size_t looks;
};

static enum err import_match_take(void *self, uint32_t number, const struct object *contact)
{
    struct import_search *search = self;

    (void)number;
    search->match->is_found = true;
    search->match->contact = contact->id;
    return ERR_CANCELLED;
}

static void import_match_like(struct import_search *search, const struct object *contact)
{
    search->match->has_like = true;
    search->match->like = contact->id;
}

/* Profiles. */

struct span import_match_bare(struct span url)
{
    static const char *const begins[] = {"https://", "http://", "www."};

    for (size_t at = 0; at < 3; at++) {
        size_t size = strlen(begins[at]);

        if (url.size > size && strncasecmp((const char *)url.data, begins[at], size) == 0)
            url = span_of(url.data + size, url.size - size);
    }
    for (size_t at = 0; at < url.size; at++)
        if (url.data[at] == '?' || url.data[at] == '#')
            url.size = at;
    while (url.size > 0 && url.data[url.size - 1] == '/')
        url.size--;
    return url;
}

bool import_match_is_profile(struct span url)
{
    static const char *const pages[] = {"linkedin.com/in/", "xing.com/profile/"};

    url = import_match_bare(url);
    for (size_t at = 0; at < 2; at++)
        if (url.size > strlen(pages[at]) &&
            strncasecmp((const char *)url.data, pages[at], strlen(pages[at])) == 0)
            return true;
    return false;
}

static bool import_match_is_same_url(struct span left, struct span right)
{
    left = import_match_bare(left);
    right = import_match_bare(right);
    return left.size == right.size &&
           strncasecmp((const char *)left.data, (const char *)right.data, left.size) == 0;
}

/* Every way the same page is written. */
static enum err import_match_profile(struct import_search *search, struct span url)
{
    static const char *const begins[] = {"https://www.", "https://", "http://www.",
                                         "http://",      "www.",     ""};
    struct span bare = import_match_bare(url);
    enum err err =
        view_contact_match(search->snapshot, MATCH_BY_URL, url, import_match_take, search);

    for (size_t at = 0; at < 12 && err == ERR_OK && bare.size <= IMPORT_URL_MAX; at++) {
        struct buf text = {0};

        buf_append(&text, span_str(begins[at / 2]));
        buf_append(&text, bare);
        if (at % 2 == 1)
            buf_byte(&text, '/');
        err = buf_err(&text);
        if (err == ERR_OK)
            err = view_contact_match(search->snapshot, MATCH_BY_URL, buf_span(&text),
                                     import_match_take, search);
        buf_release(&text);
    }
    return err;
}

static enum err import_match_by_profile(struct import_search *search)
{
    struct span url;
    enum err err = ERR_OK;

    for (size_t at = 0; err == ERR_OK; at++) {
        url = person_at(search->person, CONTACT_URLS, at);
        if (url.size == 0)
            break;
        if (import_match_is_profile(url))
            err = import_match_profile(search, url);
    }
    return err;
}

/* Names. */

/* Both have a profile, and no two are the same page. */
static bool import_match_profiles_differ(const struct object *contact, const struct person *person)
{
    const struct object_element *at;
    bool has_both = false;
    struct span url;

    for (at = object_element_next(contact, CONTACT_URLS, NULL); at != NULL;
         at = object_element_next(contact, CONTACT_URLS, at)) {
        if (!import_match_is_profile(at->value.bytes))
            continue;
        for (size_t index = 0; (url = person_at(person, CONTACT_URLS, index)).size > 0; index++) {
            if (!import_match_is_profile(url))
                continue;
            if (import_match_is_same_url(url, at->value.bytes))
                return false;
            has_both = true;
        }
    }
    return has_both;
}

static bool import_match_differ(struct span left, struct span right)
{
    return left.size > 0 && right.size > 0 && !span_is_equal(left, right);
}

static bool import_match_has_reach(const struct object *contact, const struct person *person)
{
    return object_element_next(contact, CONTACT_EMAILS, NULL) != NULL ||
           object_element_next(contact, CONTACT_PHONES, NULL) != NULL ||
           person_text(person, CONTACT_EMAILS).size > 0 ||
           person_text(person, CONTACT_PHONES).size > 0;
}

static bool import_match_is_same(const struct object *contact, const struct person *person)
{
    return !import_match_has_reach(contact, person) &&
           !import_match_profiles_differ(contact, person) &&
           !import_match_differ(object_text(contact, CONTACT_UID),
                                person_text(person, CONTACT_UID)) &&
           !import_match_differ(object_text(contact, CONTACT_ORG),
                                person_text(person, CONTACT_ORG));
}

/* The member's own card may have the e-mail or phone that the contact need not repeat. */
static enum err import_match_by_card(const struct import_search *search,
                                     const struct object *contact, bool *out)
{
    static const uint8_t fields[] = {CONTACT_EMAILS, CONTACT_PHONES};
    struct object card;
    enum err err = person_card_of(search->snapshot, contact, &card);

    *out = false;
    for (size_t way = 0; way < 2 && err == ERR_OK; way++) {
        struct span value;

        for (size_t at = 0; (value = person_at(search->person, fields[way], at)).size > 0; at++)
            *out |= object_element_like(&card, person_card_field(fields[way]), value) != NULL;
    }
    object_release(&card);
    return err;
}

static enum err import_match_is_named(const struct import_search *search,
                                      const struct object *contact, bool *out)
{
    struct buf other = {0};
    enum err err = fold(object_text(contact, CONTACT_NAME), &other);

    *out = err == ERR_OK && span_is_equal(buf_span(&other), buf_span(&search->folded));
    buf_release(&other);
    return err;
}

/* Somebody with the same e-mail or phone: the same person, or one who shares it. */
static enum err import_match_on_reached(void *self, uint32_t number, const struct object *contact)
{
    struct import_search *search = self;
    bool is_named;
    enum err err = import_match_is_named(search, contact, &is_named);

    if (err != ERR_OK)
        return err;
    if (is_named)
        return import_match_take(self, number, contact);
    import_match_like(search, contact);
    return search->looks++ < IMPORT_MATCH_LOOKS_MAX ? ERR_OK : ERR_LIMIT;
}

/* Somebody of the same name: the same person when neither has an e-mail or phone. */
static enum err import_match_on_named(void *self, uint32_t number, const struct object *contact)
{
    struct import_search *search = self;
    bool is_named, is_on_card = false;
    enum err err = import_match_is_named(search, contact, &is_named);

    if (err == ERR_OK && is_named)
        err = import_match_by_card(search, contact, &is_on_card);
    if (err != ERR_OK)
        return err;
    if (is_named && (is_on_card || import_match_is_same(contact, search->person)))
        return import_match_take(self, number, contact);
    if (is_named)
        import_match_like(search, contact);
    return search->looks++ < IMPORT_MATCH_LOOKS_MAX ? ERR_OK : ERR_LIMIT;
}

static enum err import_match_by_reach(struct import_search *search)
{
    static const struct {
        uint8_t field;
        enum match_what what;
    } ways[] = {{CONTACT_EMAILS, MATCH_BY_EMAIL}, {CONTACT_PHONES, MATCH_BY_PHONE}};
    enum err err = ERR_OK;
    struct span value;

    for (size_t way = 0; way < 2; way++)
        for (size_t at = 0; err == ERR_OK; at++) {
            value = person_at(search->person, ways[way].field, at);
            if (value.size == 0)
                break;
            err = view_contact_match(search->snapshot, ways[way].what, value,
                                     import_match_on_reached, search);
        }
    return err;
}

/* ERR_LIMIT ends a walk among too many of one kind: what was not found by then is new. */
static enum err import_match_go_on(enum err err)
{
    return err == ERR_LIMIT ? ERR_OK : err;
}

enum err import_match(const struct snapshot *snapshot, const struct person *person,
                      struct import_match *out)
{
    struct import_search search = {.snapshot = snapshot, .person = person, .match = out};
    struct span uid = person_text(person, CONTACT_UID);
    enum err err = ERR_OK;

    *out = (struct import_match){0};
    if (uid.size > 0)
        err = view_contact_match(snapshot, MATCH_BY_UID, uid, import_match_take, &search);
    if (err == ERR_OK)
        err = import_match_by_profile(&search);
    if (err == ERR_OK)
        err = fold(person_text(person, CONTACT_NAME), &search.folded);
    if (err == ERR_OK)
        err = import_match_go_on(import_match_by_reach(&search));
    search.looks = 0;
    if (err == ERR_OK)
        err = import_match_go_on(view_contact_called(snapshot, person_text(person, CONTACT_NAME),
                                                     import_match_on_named, &search));
    buf_release(&search.folded);
    return err == ERR_CANCELLED ? ERR_OK : err;
}
