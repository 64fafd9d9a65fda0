/*
 * Objects: sets of fields, changed by edits, merged without order. A register write carries counter
 * = 1 + the greatest seen for that field; greater counter wins, then later time (clamped to
 * 2020-2100), greater device id, greater entry hash. Sets hold elements under random dots; a remove
 * lists the dots it saw. A delete names the writes it saw and hides the object whole; a write it
 * did not see shows it whole again. A place in a log names no write: two branches have one each.
 *
 * Pure: what an edit means for an object, nothing of where either is kept.
 */
#ifndef KITH_PROTO_OBJECT_H
#define KITH_PROTO_OBJECT_H

#include "proto/original.h"

enum value_type { VALUE_NONE, VALUE_NUMBER, VALUE_TEXT, VALUE_BYTES };

struct value {
    enum value_type type; /* VALUE_NONE: the field was cleared */
    uint64_t number;
    struct span bytes; /* of text and bytes; borrowed */
};

enum write_op {
    WRITE_SET = 0,    /* register: field, counter, value */
    WRITE_ADD = 1,    /* set: field, dot, value */
    WRITE_REMOVE = 2, /* set: field, element, dots */
    WRITE_DELETE = 3, /* the object: writes seen */
    WRITE_SAME = 4    /* the object: other, counter, is_same */
};

/* What an earlier kith named instead of writes. */
struct seen {
    struct public_key device;
    uint64_t size;
};

enum { WRITE_NAME_SIZE = 8 };

/* The first bytes of the payload hash of the entry that a write came in first. */
struct write_name {
    uint8_t bytes[WRITE_NAME_SIZE];
};

struct write {
    enum write_op op;
    uint8_t field;
    uint64_t counter;
    struct value value;
    struct id element; /* WRITE_ADD: computed when read; WRITE_REMOVE: on the wire */
    struct id dot;
    const struct id *dots; /* WRITE_REMOVE */
    size_t dots_count;
    const struct seen *seen; /* WRITE_DELETE */
    size_t seen_count;
    const struct write_name *names; /* WRITE_DELETE */
    size_t names_count;
    struct id other; /* WRITE_SAME */
    bool is_same;
};

/* One edit of one object: the plaintext of a sealed entry. */
struct edit {
    uint8_t kind;
    struct id object;
    uint64_t time_ms; /* the writer's wall clock */
    struct write *writes;
    size_t writes_count;
    bool has_original; /* it repeats what somebody wrote before */
    struct original original;
};

/* An edit being read or built; owns the arrays its edit points to. Zero it before first use. */
struct edit_space {
    struct wire_doc doc;
    struct edit edit;
    struct buf memory; /* writes */
    struct buf dots;
    struct buf seen;
    struct buf names;
};

/* Element id of a value in a set: the first 16 bytes of digest("kith element", field || normalised
 * value). */
void object_element(uint8_t kind, uint8_t field, struct span value, struct id *out);

void edit_begin(struct edit_space *space, uint8_t kind, const struct id *object, uint64_t time_ms);
/* Values are borrowed until the edit has been written. */
void edit_set(struct edit_space *space, uint8_t field, uint64_t counter, struct value value);
void edit_add(struct edit_space *space, uint8_t field, const struct id *dot, struct value value);
/* The same for a value whose element (object_element) is known already. */
void edit_add_element(struct edit_space *space, uint8_t field, const struct id *element,
                      const struct id *dot, struct value value);
/* The dot that comes 1 + gap behind this one: what edits write short (PROTOCOL EDIT-5). */
void edit_next_dot(struct id *dot, uint16_t gap);
void edit_remove(struct edit_space *space, uint8_t field, const struct id *element,
                 const struct id *dots, size_t dots_count);
/* By marks: only to carry on what an earlier kith wrote. */
void edit_delete(struct edit_space *space, const struct seen *seen, size_t seen_count);
/* As many deletes as the names need, at least one; DELETE_WRITES_MAX at most. */
void edit_delete_named(struct edit_space *space, const struct write_name *names, size_t count);
void edit_same(struct edit_space *space, const struct id *other, uint64_t counter, bool is_same);
/* The edit repeats writes of this original; time and counters are the original's too. */
void edit_carry(struct edit_space *space, const struct original *original);
/* Appends the canonical bytes. ERR_NOMEM; ERR_LIMIT when larger than an entry may be, or when a
 * value is one that edit_read would refuse: what nobody could read is never written. */
MUST_USE enum err edit_write(struct edit_space *space, struct buf *out);
/* Reads and checks against the kind table: unknown kinds and fields of known types pass (a newer
 * kith wrote them), wrong types, bounds and counters above COUNTER_MAX are ERR_MALFORMED.
 * space->edit borrows from bytes. */
MUST_USE enum err edit_read(struct edit_space *space, struct span bytes);
void edit_release(struct edit_space *space);
/* Kind and object of an edit of which only the first bytes are there. ERR_MALFORMED: no edit begins
 * so. What it says of bytes that are no edit means nothing. */
MUST_USE enum err edit_peek(struct span first, uint8_t *out_kind, struct id *out_object);

/* Where a write came from: what decides ties, and where to find the entry again. */
struct origin {
    uint64_t arrival; /* local number of the entry */
    uint32_t log;     /* local number of its log */
    uint64_t seq;     /* in its log */
    uint64_t time_ms;
    struct public_key device;
    struct hash entry_hash; /* payload hash of the entry */
    bool is_apart;          /* its log does not hold it: it was cut, or is repeated elsewhere */
};

struct object_register {
    uint8_t field;
    uint64_t counter;
    uint64_t arrival; /* the winning entry */
    struct value value;
};

struct object_dot {
    struct id dot;
    uint64_t arrival;
    struct value value; /* as this add spelt it */
};

struct object_element {
    uint8_t field;
    bool has_id; /* id is filled in; else object_element_id finds it out from the value */
    struct id id;
    struct value value;      /* the spelling of the least live dot */
    struct object_dot *dots; /* live; at least one, else the element is gone */
    size_t dots_count;
};

struct object_reach {
    uint32_t log;
    uint64_t seq;
    struct write_name name; /* of the write there; of marks that deletes saw: zeros */
};

struct object_tie {
    struct id other;
    uint64_t counter;
    uint64_t arrival;
    bool is_same;
};

/* The merged state of one object. Owns its arrays and, after object_own, its values. Zero it before
 * first use. */
struct object {
    uint8_t kind;
    struct id id;
    struct object_register *registers;
    size_t registers_count;
    struct object_element *elements;
    size_t elements_count;
    struct id *gone; /* dots removed, kept for ever: an add that arrives later stays removed */
    size_t gone_count;
    struct object_reach *touched; /* the newest write of each log, deletes aside */
    size_t touched_count;
    struct object_reach *apart; /* writes that stand in no log, or behind the newest; sorted */
    size_t apart_count;
    struct object_reach *hidden; /* what deletes without names saw of each log */
    size_t hidden_count;
    struct write_name *named; /* what deletes saw; sorted */
    size_t named_count;
    struct object_tie *ties; /* "same as" */
    size_t ties_count;
    uint64_t *edits; /* arrivals of the newest OBJECT_EDITS_MAX edits, as they were merged */
    size_t edits_count;
    struct buf memory; /* bytes of values that do not live elsewhere */
};

/* Looks up the origin of an entry that won earlier: only asked when counters are equal. */
typedef enum err (*origin_fn)(void *self, uint64_t arrival, struct origin *out);
/* Turns a device of the object's space into the local number of its log there; ERR_NOT_FOUND: not
 * known yet, a number is then assigned by the callee. */
typedef enum err (*log_number_fn)(void *self, const struct public_key *device, uint32_t *out);

struct object_context {
    origin_fn origin;
    log_number_fn log_number;
    void *self;
};

/* Whose an edit is: fills in the time, and for one that repeats (original.h) the first writer's
 * device, log, seq and entry hash; such a one is apart. */
MUST_USE enum err object_identify(const struct edit *edit, const struct object_context *context,
                                  struct origin *in_out);
/* How many dots, ties, marks of logs and names of writes an object has, and an edit would add at
 * most. */
size_t object_marks(const struct object *object);
size_t edit_marks(const struct edit *edit);
/* Merges an edit. Values stay borrowed from the edit: call object_own, or write the object out,
 * before the edit's bytes go. On error the object may only be released. */
MUST_USE enum err object_apply(struct object *object, const struct edit *edit,
                               const struct origin *origin, const struct object_context *context);
/* Takes out whatever the lost entries won; an object that keeps nothing was never written, except
 * for its deletes. False: nothing of it was lost. */
typedef bool (*object_lost_fn)(void *self, uint64_t arrival);
bool object_prune(struct object *object, object_lost_fn is_lost, void *self);
/* False when every write was seen by a delete. */
bool object_is_visible(const struct object *object);
const struct object_register *object_register(const struct object *object, uint8_t field);
/* The value of a register, VALUE_NONE when there is none. */
struct value object_value(const struct object *object, uint8_t field);
struct span object_text(const struct object *object, uint8_t field); /* empty when there is none */
uint64_t object_number(const struct object *object, uint8_t field);  /* 0 when there is none */
/* 1 + the greatest counter seen for this register. */
uint64_t object_next_counter(const struct object *object, uint8_t field);
/* Elements of one set, in the order of first arrival: the one behind last, or the first for NULL;
 * NULL at the end. */
const struct object_element *object_element_next(const struct object *object, uint8_t field,
                                                 const struct object_element *last);
/* The element of one set with this id, or NULL. */
const struct object_element *object_element_find(const struct object *object, uint8_t field,
                                                 const struct id *id);
/* Fills in the ids of all elements, so that none is worked out again: for who looks for many. */
void object_know_elements(struct object *object);
/* The same for a value, however it is spelt. */
const struct object_element *object_element_like(const struct object *object, uint8_t field,
                                                 struct span value);
void object_element_id(const struct object *object, const struct object_element *element,
                       struct id *out);
MUST_USE enum err object_own(struct object *object);
void object_release(struct object *object);

#endif
