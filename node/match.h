/*
 * Who might fit an ask: its tags and words as terms, held against what is known of one person.
 * Pure, for the owner's eyes alone: nothing here is ever said to anybody.
 *
 * A tag skill:X, or one without a word before a colon, asks for somebody who does X; place:X for
 * somebody there; when:X for somebody who has time then. A tag is met when all its words are. Title
 * and text give one term for each word that is no small word of everyday speech.
 *
 * A person fits who meets a skill; without any skill asked for, or beside it, whose tags, title or
 * endorsements have a word of the ask, or two of whose words it has. A place or a time alone fits
 * nobody; of those who fit they say who fits better.
 */
#ifndef KITH_NODE_MATCH_H
#define KITH_NODE_MATCH_H

#include "storage/fold.h"

enum {
    MATCH_TERMS_MAX = 64, /* bits of a word; tags come first, then title and text as they go */
    MATCH_LONGER_MAX = 3  /* letters a word may have behind a term of MATCH_STEM_MIN */
};

enum match_sort { MATCH_SKILL, MATCH_LOCATION, MATCH_WHEN, MATCH_WORD };

/* One word that is looked for, folded and without its plural ending. */
struct match_term {
    uint8_t bytes[FOLD_WORD_SIZE_MAX];
    uint8_t size;
    uint8_t group; /* the words of one tag; a word of the text is a group of its own */
    enum match_sort sort;
};

struct match_ask {
    struct match_term terms[MATCH_TERMS_MAX];
    size_t count;
    uint8_t groups;
    uint64_t ignored; /* bit n: term n says nothing, since it is said of too many */
};

/* Zero the ask first. Tags before texts. ERR_NOMEM. */
MUST_USE enum err match_add_tag(struct match_ask *ask, struct span tag);
MUST_USE enum err match_add_text(struct match_ask *ask, struct span text);

/* Is this the word, its singular or plural, or (from five letters on) a word that begins with it
 * and goes on for MATCH_LONGER_MAX letters at most: design, designer? The token is folded. */
bool match_fits(const struct match_term *term, struct span token);
/* What every token that fits begins with. */
struct span match_prefix(const struct match_term *term);

/* Where something was found. */
enum match_place {
    MATCH_IN_TAGS,
    MATCH_IN_TITLE,
    MATCH_IN_ENDORSEMENTS,
    MATCH_IN_ORG,
    MATCH_IN_PLACE,
    MATCH_IN_NOTE,
    MATCH_PLACES
};

/* Bit n of a place: term n was found there. Zero it before first use. */
struct match_found {
    uint64_t at[MATCH_PLACES];
};

/* Looks through one text. ERR_NOMEM. */
MUST_USE enum err match_look(const struct match_ask *ask, enum match_place place, struct span text,
                             struct match_found *in_out);
/* How well it fits; 0: it does not. Only to be compared for one ask, never shown. */
unsigned match_score(const struct match_ask *ask, const struct match_found *found);
/* Is a note to be looked through? When its owner wrote the word #match into it. */
bool match_may_read_note(struct span note);

#endif
