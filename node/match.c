/* Words are compared by their stems: English plurals go, and five letters or more may go on a
 * little, which serves most languages that put their endings behind. */
#include "node/match.h"

#include <string.h>

enum {
    MATCH_STEM_MIN = 5,   /* letters from which on a word may go on */
    MATCH_PLURAL_MIN = 4, /* letters from which on an s is an ending */
    MATCH_WORD_MIN = 3    /* letters of a word of title and text */

};

/* Folded, sorted: what asks say whoever they are for, in the languages most of them are in. */
static const char *const match_small_words[] = {
    "about",        "after",    "all",         "also",         "and",    "any",      "anybody",
    "anyone",       "are",      "aus",         "auf",          "avec",   "been",     "bei",
    "best",         "business", "but",         "can",          "city",   "company",  "con",
    "connect",      "contact",  "could",       "das",          "days",   "dem",      "den",
    "der",          "des",      "die",         "does",         "ein",    "eine",     "einen",
    "else",         "every",    "experience",  "find",         "for",    "friend",   "friends",
    "from",         "fur",      "get",         "good",         "great",  "had",      "has",
    "have",         "hello",    "help",        "her",          "here",   "him",      "his",
    "how",          "ich",      "introduce",   "introduction", "into",   "its",      "jobs",
    "job",          "just",     "know",        "les",          "like",   "local",    "looking",
    "los",          "made",     "make",        "many",         "may",    "meet",     "mit",
    "month",        "months",   "more",        "most",         "much",   "need",     "needed",
    "needs",        "new",      "next",        "not",          "now",    "offer",    "offering",
    "one",          "open",     "opportunity", "other",        "our",    "out",      "para",
    "people",       "per",      "person",      "place",        "please", "por",      "pour",
    "professional", "que",      "ready",       "really",       "role",   "search",   "seek",
    "seeking",      "she",      "should",      "since",        "some",   "somebody", "someone",
    "start",        "still",    "such",        "suche",        "sur",    "take",     "team",
    "than",         "thank",    "thanks",      "that",         "the",    "their",    "them",
    "then",         "there",    "they",        "this",         "time",   "two",      "und",
    "une",          "until",    "use",         "very",         "von",    "want",     "wanted",
    "was",          "week",     "weeks",       "well",         "were",   "what",     "when",
    "where",        "which",    "who",         "will",         "wir",    "with",     "within",
    "work",         "worked",   "working",     "would",        "year",   "years",    "you",
    "your",         "zum",      "zur"};

static bool match_is_small(struct span word)
{
    for (size_t at = 0; at < sizeof match_small_words / sizeof match_small_words[0]; at++)
        if (span_is_equal(word, span_str(match_small_words[at])))
            return true;
    return false;
}

/* Stems. */

static bool match_ends(struct span word, const char *ending)
{
    size_t size = strlen(ending);

    return word.size > size && memcmp(word.data + word.size - size, ending, size) == 0;
}

/* "coaches", "boxes", "classes": the e belongs to the ending. */
static bool match_has_es(struct span word)
{
    return match_ends(word, "ches") || match_ends(word, "shes") || match_ends(word, "xes") ||
           match_ends(word, "sses") || match_ends(word, "zes");
}

/* The singular, or the word as it is. "bakeries" becomes "bakery" in out; nothing else is longer
 * than the word's own beginning. */
static struct span match_stem(struct span word, uint8_t out[static FOLD_WORD_SIZE_MAX])
{
    size_t size = word.size < FOLD_WORD_SIZE_MAX ? word.size : FOLD_WORD_SIZE_MAX;

    memcpy(out, word.data, size);
    if (size <= MATCH_PLURAL_MIN - 1 || match_ends(word, "ss") || match_ends(word, "us") ||
        match_ends(word, "is") || !match_ends(word, "s"))
        return span_of(out, size);
    if (match_ends(word, "ies") && size > MATCH_STEM_MIN) {
        out[size - 3] = 'y';
        return span_of(out, size - 2);
    }
    return span_of(out, size - (match_has_es(word) ? 2 : 1));
}

bool match_fits(const struct match_term *term, struct span token)
{
    uint8_t room[FOLD_WORD_SIZE_MAX];
    struct span stem = match_stem(token, room), wanted = span_of(term->bytes, term->size);

    if (span_is_equal(stem, wanted))
        return true;
    return wanted.size >= MATCH_STEM_MIN && stem.size > wanted.size &&
           stem.size <= wanted.size + MATCH_LONGER_MAX &&
           memcmp(stem.data, wanted.data, wanted.size) == 0;
}

/* A word in -ies does not begin with the -y of its stem. */
struct span match_prefix(const struct match_term *term)
{
    bool has_y = term->size >= MATCH_PLURAL_MIN && term->bytes[term->size - 1] == 'y' &&
                 memchr("aeiou", term->bytes[term->size - 2], 5) == NULL;

    return span_of(term->bytes, term->size - (has_y ? 1u : 0u));
}

/* Terms. */

struct match_adding {
    struct match_ask *ask;
    enum match_sort sort;
    bool is_tag;
};

static bool match_has(const struct match_ask *ask, struct span stem, enum match_sort sort)
{
    for (size_t at = 0; at < ask->count; at++)
        if (span_is_equal(span_of(ask->terms[at].bytes, ask->terms[at].size), stem) &&
            (sort == MATCH_WORD || ask->terms[at].sort == sort))
            return true;
    return false;
}

static enum err match_on_term(void *context, struct span word)
{
    struct match_adding *adding = context;
    struct match_ask *ask = adding->ask;
    struct match_term *term = &ask->terms[ask->count];
    uint8_t room[FOLD_WORD_SIZE_MAX];
    struct span stem = match_stem(word, room);

    if (ask->count == MATCH_TERMS_MAX)
        return ERR_OK;
    if (!adding->is_tag && (word.size < MATCH_WORD_MIN || match_is_small(word)))
        return ERR_OK;
    if (!adding->is_tag && match_has(ask, stem, adding->sort))
        return ERR_OK;
    *term =
        (struct match_term){.size = (uint8_t)stem.size, .group = ask->groups, .sort = adding->sort};
    memcpy(term->bytes, stem.data, stem.size);
    ask->count++;
    ask->groups = (uint8_t)(ask->groups + !adding->is_tag);
    return ERR_OK;
}

static enum err match_add(struct match_adding *adding, struct span text)
{
    struct buf folded = {0};
    enum err err = fold(text, &folded);

    if (err == ERR_OK)
        err = fold_words(buf_span(&folded), match_on_term, adding);
    buf_release(&folded);
    return err;
}

static bool match_begins(struct span text, const char *with)
{
    return text.size > strlen(with) && memcmp(text.data, with, strlen(with)) == 0;
}

enum err match_add_tag(struct match_ask *ask, struct span tag)
{
    struct match_adding adding = {.ask = ask, .sort = MATCH_SKILL, .is_tag = true};
    const uint8_t *colon = tag.size > 0 ? memchr(tag.data, ':', tag.size) : NULL;
    size_t before = ask->count;
    enum err err;

    if (match_begins(tag, "place:"))
        adding.sort = MATCH_LOCATION;
    else if (match_begins(tag, "when:"))
        adding.sort = MATCH_WHEN;
    if (colon != NULL)
        tag = span_of(colon + 1, tag.size - (size_t)(colon + 1 - tag.data));
    err = match_add(&adding, tag);
    ask->groups = (uint8_t)(ask->groups + (ask->count > before));
    return err;
}

enum err match_add_text(struct match_ask *ask, struct span text)
{
    struct match_adding adding = {.ask = ask, .sort = MATCH_WORD};

    return match_add(&adding, text);
}

/* Looking. */

struct match_looking {
    const struct match_ask *ask;
    uint64_t found;
};

static enum err match_on_token(void *context, struct span token)
{
    struct match_looking *looking = context;

    for (size_t at = 0; at < looking->ask->count; at++)
        if (match_fits(&looking->ask->terms[at], token))
            looking->found |= UINT64_C(1) << at;
    return ERR_OK;
}

enum err match_look(const struct match_ask *ask, enum match_place place, struct span text,
                    struct match_found *in_out)
{
    struct match_looking looking = {.ask = ask};
    struct buf folded = {0};
    enum err err = text.size > 0 ? fold(text, &folded) : ERR_OK;

    if (err == ERR_OK)
        err = fold_words(buf_span(&folded), match_on_token, &looking);
    buf_release(&folded);
    if (err == ERR_OK)
        in_out->at[place] |= looking.found & ~ask->ignored;
    return err;
}

/* Judging. */

/* What the groups of an ask come to. */
struct match_sum {
    unsigned skills, skills_asked, places;
    unsigned words, telling; /* telling: found where one word is enough */
    unsigned score;
};

/* One group: terms from first to end. */
static void match_judge_group(const struct match_found *found, uint64_t group, enum match_sort sort,
                              struct match_sum *sum)
{
    uint64_t telling =
        found->at[MATCH_IN_TAGS] | found->at[MATCH_IN_TITLE] | found->at[MATCH_IN_ENDORSEMENTS];
    uint64_t strong = telling | found->at[MATCH_IN_ORG] | found->at[MATCH_IN_PLACE];
    uint64_t any = strong | found->at[MATCH_IN_NOTE];

    switch (sort) {
    case MATCH_SKILL:
        sum->skills_asked++;
        if ((group & ~any) != 0)
            return;
        sum->skills++;
        sum->score += (group & ~telling) == 0 ? 10 : (group & ~strong) == 0 ? 8 : 5;
        return;
    case MATCH_LOCATION:
        if ((group & any) == 0)
            return;
        sum->places++;
        sum->score += (group & ~any) == 0 ? 4 : 2;
        return;
    case MATCH_WHEN:
        if ((group & any) != 0)
            sum->score += (group & ~any) == 0 ? 2 : 1;
        return;
    case MATCH_WORD:
        if ((group & any) == 0)
            return;
        sum->words++;
        sum->telling += (group & telling) != 0;
        sum->score += (group & telling) != 0 ? 3 : (group & strong) != 0 ? 2 : 1;
        return;
    }
}

unsigned match_score(const struct match_ask *ask, const struct match_found *found)
{
    struct match_sum sum = {0};
    bool fits;

    for (size_t at = 0; at < ask->count;) {
        uint64_t group = 0;
        size_t first = at;

        for (; at < ask->count && ask->terms[at].group == ask->terms[first].group; at++)
            group |= UINT64_C(1) << at;
        match_judge_group(found, group, ask->terms[first].sort, &sum);
    }
    fits = sum.skills > 0 || sum.words >= 2 || (sum.words == 1 && sum.places > 0);
    if (sum.skills_asked == 0)
        fits = fits || sum.telling > 0;
    else
        fits = fits && (sum.skills > 0 || sum.telling > 0);
    return fits ? sum.score : 0;
}

bool match_may_read_note(struct span note)
{
    static const char flag[] = "#match";
    size_t size = sizeof flag - 1;

    for (size_t at = 0; at + size <= note.size; at++) {
        bool ends =
            at + size == note.size || strchr(" \t\r\n.,;:!?)", note.data[at + size]) != NULL;

        if (ends && memcmp(note.data + at, flag, size) == 0)
            return true;
    }
    return false;
}
