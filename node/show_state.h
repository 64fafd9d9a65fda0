/*
 * What the printers share: show_<noun>.c has the printers of one noun and a group that says which
 * method each is for; show.c looks through the groups. Texts are cleaned before they are shown.
 */
#ifndef KITH_NODE_SHOW_STATE_H
#define KITH_NODE_SHOW_STATE_H

#include "node/show.h"

struct show_printer {
    const char *method; /* NULL ends a group */
    void (*print)(json_t *result, json_t *params);
};

extern const struct show_printer show_contact_printers[];
extern const struct show_printer show_peer_printers[];
extern const struct show_printer show_endorsement_printers[];
extern const struct show_printer show_introduction_printers[];
extern const struct show_printer show_ask_printers[];
extern const struct show_printer show_reply_printers[];
extern const struct show_printer show_share_printers[];
extern const struct show_printer show_touch_printers[];
extern const struct show_printer show_trust_printers[];
extern const struct show_printer show_status_printers[];

/* A cleaned copy, freed by the caller with heap_free. NULL without memory. */
char *show_copy(const char *text);
/* A text of an object; "" when there is none. */
const char *show_text(json_t *object, const char *key);
/* One line, label and text; nothing when the text is empty. */
void show_line(const char *label, const char *text);
/* The same for a text of several lines, as it was written. */
void show_lines(const char *label, const char *text);
/* A time as people read it, to the minute; nothing when it is empty. */
void show_time(const char *label, const char *text);
/* A line to type next: a command, the start of the object's id that tells it from others, and what
 * follows. The label is "Next" on the first of several, then "". */
void show_step(const char *label, const char *command, json_t *object, const char *rest);
/* The same below a list, for people alone: how to look at one of its rows. */
void show_step_row(const char *command, json_t *row);
/* A command and whom it is about, as a shell takes it whatever they call themself: freed by the
 * caller with heap_free. NULL without memory. */
char *show_typed(const char *command, json_t *who);
/* One line for each text of a list; the label stands on the first. */
void show_list(const char *label, json_t *list);
/* Who endorses a person, a line each (show_endorsement.c); nothing without "endorsements". */
void show_endorsement_mentions(json_t *person);
/* From whom a contact came and who else has it (show_share.c); nothing without "shared_by" and
 * "shared_with". */
void show_share_mentions(json_t *person);
/* What came back to an ask, a line each (show_reply.c); nothing without "leads". */
void show_reply_leads(json_t *ask);
/* What a card or a contact says of a person. */
void show_card(json_t *card);

enum { SHOW_TIME = 40, SHOW_WRAP_WORD = 1000, SHOW_INDENT = 14 /* below the id of a row */ };
/* A time as people read it, where they are: to the minute, and by which clock. */
void show_when(const char *text, char out[static SHOW_TIME]);
/* One row of the log, so far in. */
void show_event_at(json_t *row, size_t from);
/* As much of an id as lists show: a UUID has a dash more. */
size_t show_id_size(const char *id);

/* As wide as the terminal is (or COLUMNS says); 0 where none is. */
size_t show_columns(FILE *out);
/* The letter at the front: its bytes, 0 at the end of the text, and how wide it is. */
size_t show_letter(const char *text, size_t *out_width);
size_t show_width(const char *text);
/* A cleaned text and the end of the line, after so many columns; broken between words on a
 * terminal, and going on so far in. */
void show_wrap(FILE *out, const char *text, size_t used, size_t indent);
struct show_column {
    const char *title, *key;
};
/* A table on a terminal, without the columns nothing is in; tab separated values without titles
 * elsewhere. Cells are a text, the first of a list, a number, or yes and no. */
void show_table(json_t *rows, json_t *params, const struct show_column *columns,
                size_t columns_count);
/* How to look: a flag, or a number, of SHOW_LOOK. */
json_int_t show_look(json_t *params, const char *what);

#endif
