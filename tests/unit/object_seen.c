/* What a delete hides: the writes it names, whatever place they have on whichever branch of a log,
 * and in whatever order they come. PROTOCOL MERGE-4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/contact.h"
#include "proto/limits.h"
#include "proto/object.h"

enum { STORY_MAX = 8, LOG = 1, OTHER = 2 };

/* One step comes to a node: a write, or a delete that names those of these letters. */
struct step {
    char name; /* 0: a delete */
    uint8_t log;
    uint64_t seq;
    bool is_repeated; /* in another log, with this as its original */
    const char *named;
};

/* Machine 1 writes a and b; c on the branch that somebody has seen, at 8; and, gone back to its
 * old copy, d at 6. */
static const struct step step_a = {.name = 'a', .log = LOG, .seq = 1};
static const struct step step_b = {.name = 'b', .log = LOG, .seq = 3};
static const struct step step_c = {.name = 'c', .log = LOG, .seq = 8};
static const struct step step_d = {.name = 'd', .log = LOG, .seq = 6};

static struct step step_again(struct step step)
{
    step.is_repeated = true;
    return step;
}

static struct step step_delete(const char *named)
{
    return (struct step){.log = OTHER, .seq = 4, .named = named};
}

static struct write_name step_name(char letter)
{
    struct write_name name;

    memset(name.bytes, letter, sizeof name.bytes);
    return name;
}

static enum err step_log_number(void *self, const struct public_key *device, uint32_t *out)
{
    (void)self;
    *out = device->bytes[0];
    return ERR_OK;
}

static enum err step_origin(void *self, uint64_t arrival, struct origin *out)
{
    (void)self;
    *out = (struct origin){.arrival = arrival, .entry_hash = {{(uint8_t)arrival}}};
    return ERR_OK;
}

static void step_write(const struct step *step, struct edit_space *edit)
{
    static const struct id id = {{1}};
    struct write_name names[STORY_MAX];
    size_t count = step->named != NULL ? strlen(step->named) : 0;
    struct original original = {.device = {{step->log}}, .seq = step->seq};

    edit_begin(edit, KIND_CONTACT, &id, 1700000000000);
    for (size_t at = 0; at < count; at++)
        names[at] = step_name(step->named[at]);
    if (step->name == 0)
        edit_delete_named(edit, names, count);
    else
        edit_set(edit, CONTACT_NAME, (uint64_t)step->name,
                 (struct value){.type = VALUE_TEXT, .bytes = span_of(&step->name, 1)});
    memset(original.entry_hash.bytes, step->name, HASH_SIZE);
    if (step->is_repeated)
        edit_carry(edit, &original);
}

static void step_apply(const struct step *step, uint64_t arrival, struct object *object)
{
    const struct object_context context = {.origin = step_origin, .log_number = step_log_number};
    struct origin origin = {
        .arrival = arrival, .log = step->log, .seq = step->seq, .device = {{step->log}}};
    struct edit_space edit = {0}, read = {0};
    struct buf bytes = {0};

    step_write(step, &edit);
    assert_int_equal(edit_write(&edit, &bytes), ERR_OK);
    assert_int_equal(edit_read(&read, buf_span(&bytes)), ERR_OK);
    memset(origin.entry_hash.bytes, step->name, HASH_SIZE);
    if (step->is_repeated) { /* Where it stands says nothing. */
        origin.log = OTHER + 1;
        origin.seq = arrival;
    }
    assert_int_equal(object_identify(&read.edit, &context, &origin), ERR_OK);
    assert_int_equal(object_apply(object, &read.edit, &origin, &context), ERR_OK);
    assert_int_equal(object_own(object), ERR_OK);
    edit_release(&edit);
    edit_release(&read);
    buf_release(&bytes);
}

/* All that decides what shows. */
static size_t step_print(const struct object *object, char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "%d %.*s|", object_is_visible(object),
                                 (int)object_text(object, CONTACT_NAME).size,
                                 object_text(object, CONTACT_NAME).data);

    for (uint32_t log = LOG; log <= OTHER; log++) /* They lie as the logs came. */
        for (size_t touched = 0; touched < object->touched_count; touched++)
            if (object->touched[touched].log == log)
                at += (size_t)snprintf(out + at, size - at, "%u %llu %c,", log,
                                       (unsigned long long)object->touched[touched].seq,
                                       object->touched[touched].name.bytes[0]);
    for (size_t apart = 0; apart < object->apart_count; apart++)
        at += (size_t)snprintf(out + at, size - at, "|%u %llu %c", object->apart[apart].log,
                               (unsigned long long)object->apart[apart].seq,
                               object->apart[apart].name.bytes[0]);
    for (size_t named = 0; named < object->named_count; named++)
        at += (size_t)snprintf(out + at, size - at, "|%c", object->named[named].bytes[0]);
    return at;
}

/* The steps in every order that leaves the first ones where they are. */
struct story {
    struct step steps[STORY_MAX];
    size_t count, fixed;
    bool is_visible;
    char first[400];
    size_t orders;
};

static void story_tell(struct story *story)
{
    struct object object = {0};
    char other[400];

    for (size_t at = 0; at < story->count; at++)
        step_apply(&story->steps[at], at + 1, &object);
    step_print(&object, other, sizeof other);
    if (story->orders == 0)
        memcpy(story->first, other, sizeof other);
    assert_string_equal(other, story->first);
    assert_int_equal(object_is_visible(&object), story->is_visible);
    story->orders++;
    object_release(&object);
}

static void story_permute(struct story *story, size_t from)
{
    if (from + 1 >= story->count) {
        story_tell(story);
        return;
    }
    for (size_t at = from; at < story->count; at++) {
        struct step kept = story->steps[from];

        story->steps[from] = story->steps[at];
        story->steps[at] = kept;
        story_permute(story, from + 1);
        story->steps[at] = story->steps[from];
        story->steps[from] = kept;
    }
}

static size_t story_run(struct story story)
{
    while (story.count < STORY_MAX && (story.steps[story.count].log != 0))
        story.count++;
    story_permute(&story, story.fixed);
    return story.orders;
}

/* The branch that was deleted on is kept, and what the machine wrote after it went back is
 * repeated: by it, and by a clone of what came of it. */
static void a_delete_hides_no_repetition_it_did_not_see(void **state)
{
    (void)state;
    assert_int_equal(story_run((struct story){.steps = {step_a, step_b, step_c, step_delete("abc"),
                                                        step_again(step_d), step_again(step_d)},
                                              .is_visible = true}),
                     720);
    story_run((struct story){.steps = {step_a, step_b, step_c, step_delete("abcd"),
                                       step_again(step_d), step_again(step_d)}});
    /* It came back, and two deletes saw a half each. */
    story_run((struct story){.steps = {step_a, step_b, step_c, step_delete("abc"),
                                       step_delete("abd"), step_again(step_d)}});
    story_run((struct story){.steps = {step_a,
                                       step_b,
                                       step_c,
                                       step_delete("abc"),
                                       step_again(step_d),
                                       step_delete("d"),
                                       {.name = 'e', .log = OTHER, .seq = 9}},
                             .is_visible = true});
}

/* The branch of the machine that went back is kept, and the other is repeated with its delete. */
static void a_delete_hides_no_write_of_a_branch_it_did_not_see(void **state)
{
    struct step gone = step_again(step_delete("abc"));

    (void)state;
    story_run((struct story){.steps = {step_a, step_b, step_d, step_again(step_c), gone, gone},
                             .is_visible = true});
    story_run((struct story){
        .steps = {step_a, step_b, step_d, step_again(step_c), gone, step_delete("d")}});
    /* Nothing was written on the branch that is kept: what it has of old was seen. */
    story_run((struct story){.steps = {step_a, step_b, step_again(step_c), gone}});
}

/* Marks of an earlier kith hide what is not beyond them, of either branch. */
static void a_delete_without_names_hides_by_marks(void **state)
{
    const struct object_context context = {.origin = step_origin, .log_number = step_log_number};
    const struct seen seen = {.device = {{LOG}}, .size = 7};
    const struct id id = {{1}};
    struct origin origin = {.arrival = 9, .log = OTHER, .seq = 1};
    struct object object = {0};
    struct edit_space edit = {0}, read = {0};
    struct buf bytes = {0};
    struct step later = step_again(step_d);

    (void)state;
    step_apply(&step_b, 1, &object);
    edit_begin(&edit, KIND_CONTACT, &id, 1);
    edit_delete(&edit, &seen, 1);
    assert_int_equal(edit_write(&edit, &bytes), ERR_OK);
    assert_int_equal(edit_read(&read, buf_span(&bytes)), ERR_OK);
    assert_int_equal(object_apply(&object, &read.edit, &origin, &context), ERR_OK);
    assert_false(object_is_visible(&object));
    step_apply(&later, 2, &object);
    assert_false(object_is_visible(&object));
    step_apply(&step_c, 3, &object);
    assert_true(object_is_visible(&object));
    object_release(&object);
    edit_release(&edit);
    edit_release(&read);
    buf_release(&bytes);
}

/* Many names stand in several deletes of one edit; a name cut in two is none. */
static void names_come_back_as_they_were_told(void **state)
{
    static const size_t counts[] = {0, 1, DELETE_NAMES_MAX, DELETE_NAMES_MAX + 1,
                                    DELETE_WRITES_MAX};
    static struct write_name names[DELETE_WRITES_MAX];
    const struct id id = {{1}};

    (void)state;
    for (size_t at = 0; at < DELETE_WRITES_MAX; at++)
        be32_put(names[at].bytes + 2, (uint32_t)at);
    for (size_t at = 0; at < sizeof counts / sizeof counts[0]; at++) {
        struct edit_space edit = {0}, read = {0};
        struct buf bytes = {0};
        size_t met = 0;

        edit_begin(&edit, KIND_CONTACT, &id, 1);
        edit_delete_named(&edit, names, counts[at]);
        assert_int_equal(edit_write(&edit, &bytes), ERR_OK);
        assert_int_equal(edit_read(&read, buf_span(&bytes)), ERR_OK);
        for (size_t write = 0; write < read.edit.writes_count; write++) {
            const struct write *one = &read.edit.writes[write];

            assert_memory_equal(one->names_count > 0 ? one->names : names, names + met,
                                one->names_count * sizeof *names);
            met += one->names_count;
        }
        assert_int_equal(met, counts[at]);
        assert_in_range(edit_marks(&read.edit), counts[at], SIZE_MAX);
        if (counts[at] == 1) {
            bytes.size--;
            bytes.data[bytes.size - WRITE_NAME_SIZE] = WRITE_NAME_SIZE - 1;
            assert_int_equal(edit_read(&read, buf_span(&bytes)), ERR_MALFORMED);
        }
        edit_release(&edit);
        edit_release(&read);
        buf_release(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delete_hides_no_repetition_it_did_not_see),
        cmocka_unit_test(a_delete_hides_no_write_of_a_branch_it_did_not_see),
        cmocka_unit_test(a_delete_without_names_hides_by_marks),
        cmocka_unit_test(names_come_back_as_they_were_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
