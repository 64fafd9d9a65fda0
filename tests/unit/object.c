/* Merging: the same edits in any order give the same object. PROTOCOL MERGE-1 to MERGE-4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/contact.h"
#include "proto/object.h"

enum { EDITS_MAX = 24, TRIALS = 4000, DEVICES = 3 };

struct made {
    struct buf bytes;
    struct origin origin;
};

struct world {
    struct made edits[EDITS_MAX];
    size_t count;
    uint64_t seed;
};

static uint64_t world_draw(struct world *world, uint64_t below)
{
    world->seed ^= world->seed << 13;
    world->seed ^= world->seed >> 7;
    world->seed ^= world->seed << 17;
    return world->seed % below;
}

static enum err world_origin(void *self, uint64_t arrival, struct origin *out)
{
    struct world *world = self;

    *out = world->edits[arrival - 1].origin;
    return ERR_OK;
}

static enum err world_log_number(void *self, const struct public_key *device, uint32_t *out)
{
    (void)self;
    *out = device->bytes[0];
    return ERR_OK;
}

static void world_add(struct world *world, struct edit_space *edit, uint8_t device)
{
    struct made *made = &world->edits[world->count];
    uint64_t seq = 1;

    for (size_t at = 0; at < world->count; at++)
        seq += world->edits[at].origin.log == device;
    memset(made, 0, sizeof *made);
    assert_int_equal(edit_write(edit, &made->bytes), ERR_OK);
    made->origin = (struct origin){.arrival = world->count + 1,
                                   .log = device,
                                   .seq = seq,
                                   .time_ms = edit->edit.time_ms,
                                   .device = {{device}},
                                   .entry_hash = {{(uint8_t)world->count}}};
    world->count++;
}

static void world_free(struct world *world)
{
    for (size_t at = 0; at < world->count; at++)
        buf_release(&world->edits[at].bytes);
}

static void world_apply(struct world *world, const size_t *order, struct object *object)
{
    struct object_context context = {
        .origin = world_origin, .log_number = world_log_number, .self = world};
    struct edit_space edit = {0};

    memset(object, 0, sizeof *object);
    for (size_t at = 0; at < world->count; at++) {
        struct made *made = &world->edits[order[at]];

        assert_int_equal(edit_read(&edit, buf_span(&made->bytes)), ERR_OK);
        assert_int_equal(object_apply(object, &edit.edit, &made->origin, &context), ERR_OK);
        assert_int_equal(object_own(object), ERR_OK);
    }
    edit_release(&edit);
}

static void object_print(const struct object *object, char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "%d|", object_is_visible(object));

    for (uint8_t field = 0; field < 40; field++) {
        struct value value = object_value(object, field);
        const struct object_element *element;
        unsigned sum = 0, count = 0;

        if (value.type == VALUE_TEXT)
            at += (size_t)snprintf(out + at, size - at, "%u=%.*s;", field, (int)value.bytes.size,
                                   value.bytes.data);
        for (element = object_element_next(object, field, NULL); element != NULL;
             element = object_element_next(object, field, element)) {
            struct id id;

            count++;
            object_element_id(object, element, &id);
            for (size_t letter = 0; letter < element->value.bytes.size; letter++)
                sum += element->value.bytes.data[letter] * (unsigned)(letter + 1) * id.bytes[0];
        }
        at += (size_t)snprintf(out + at, size - at, "%u:%u:%u;", field, count, sum);
    }
}

static void world_random_edit(struct world *world, struct edit_space *edit)
{
    static const char *const texts[] = {"Ana", "ANA", "ana@x.org", "Ana@X.org", "b@x.org"};
    uint8_t device = (uint8_t)(1 + world_draw(world, DEVICES));
    const char *text = texts[world_draw(world, 5)];
    struct value value = {.type = VALUE_TEXT, .bytes = span_str(text)};
    struct id object = {{1}}, dot = {{0}}, element;
    struct seen seen = {.device = {{(uint8_t)(1 + world_draw(world, DEVICES))}},
                        .size = world_draw(world, 6)};

    edit_begin(edit, KIND_CONTACT, &object, 1700000000000 + world_draw(world, 3));
    dot.bytes[0] = (uint8_t)world_draw(world, 12);
    dot.bytes[1] = text[0] == 'A' || text[0] == 'a' ? 1 : 2;
    object_element(KIND_CONTACT, CONTACT_EMAILS, value.bytes, &element);
    switch (world_draw(world, 6)) {
    case 0:
    case 1:
        edit_set(edit, CONTACT_NAME, 1 + world_draw(world, 3), value);
        break;
    case 2:
        edit_set(edit, CONTACT_ORG, 1 + world_draw(world, 3), value);
        break;
    case 3:
        dot.bytes[2] = (uint8_t)world->count;
        dot.bytes[3] = (uint8_t)(element.bytes[0]);
        edit_add(edit, CONTACT_EMAILS, &dot, value);
        break;
    case 4:
        dot.bytes[2] = (uint8_t)world_draw(world, world->count + 1);
        dot.bytes[3] = (uint8_t)(element.bytes[0]);
        edit_remove(edit, CONTACT_EMAILS, &element, &dot, 1);
        break;
    default:
        edit_delete(edit, &seen, 1);
        break;
    }
    world_add(world, edit, device);
}

static void the_same_edits_in_any_order_give_the_same_object(void **state)
{
    struct edit_space edit = {0};
    size_t visible = 0, with_sets = 0;

    (void)state;
    for (uint64_t trial = 1; trial <= TRIALS; trial++) {
        struct world world = {.seed = trial * UINT64_C(0x9e3779b97f4a7c15)};
        size_t order[EDITS_MAX], count = 2 + world_draw(&world, EDITS_MAX - 2);
        char first[2000], other[2000];
        struct object object;

        for (size_t at = 0; at < count; at++) {
            world_random_edit(&world, &edit);
            order[at] = at;
        }
        world_apply(&world, order, &object);
        object_print(&object, first, sizeof first);
        visible += object_is_visible(&object);
        with_sets += object_element_next(&object, CONTACT_EMAILS, NULL) != NULL;
        object_release(&object);
        for (int shuffle = 0; shuffle < 3; shuffle++) {
            for (size_t at = count; at > 1; at--) {
                size_t pick = world_draw(&world, at), kept = order[at - 1];

                order[at - 1] = order[pick];
                order[pick] = kept;
            }
            world_apply(&world, order, &object);
            object_print(&object, other, sizeof other);
            object_release(&object);
            if (strcmp(first, other) != 0)
                fail_msg("trial %llu:\n%s\n%s", (unsigned long long)trial, first, other);
        }
        world_free(&world);
    }
    edit_release(&edit);
    assert_true(visible > TRIALS / 10 && visible < TRIALS);
    assert_true(with_sets > TRIALS / 10);
}

static void the_greater_counter_wins_then_time_then_device(void **state)
{
    static const struct {
        uint64_t counters[2], times[2];
        uint8_t devices[2];
        const char *winner;
    } cases[] = {
        {{2, 1}, {1700000000000, 1800000000000}, {1, 2}, "left"},
        {{1, 2}, {1800000000000, 1700000000000}, {2, 1}, "right"},
        {{1, 1}, {1700000000001, 1700000000000}, {1, 2}, "left"},
        {{1, 1}, {1700000000000, 1700000000000}, {2, 1}, "left"},
        {{1, 1}, {1700000000000, 1700000000000}, {1, 2}, "right"},
        /* Clocks beyond 2100 and before 2020 count as just there. */
        {{1, 1}, {9000000000000, 8000000000000}, {1, 2}, "right"},
        {{1, 1}, {5, 6}, {2, 1}, "left"},
    };
    struct edit_space edit = {0};

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++)
        for (size_t reversed = 0; reversed < 2; reversed++) {
            struct world world = {0};
            size_t order[2] = {reversed, 1 - reversed};
            struct id id = {{1}};
            struct object object;

            for (size_t side = 0; side < 2; side++) {
                edit_begin(&edit, KIND_CONTACT, &id, cases[at].times[side]);
                edit_set(&edit, CONTACT_NAME, cases[at].counters[side],
                         (struct value){.type = VALUE_TEXT,
                                        .bytes = span_str(side == 0 ? "left" : "right")});
                world_add(&world, &edit, cases[at].devices[side]);
            }
            world_apply(&world, order, &object);
            assert_int_equal(object_text(&object, CONTACT_NAME).size, strlen(cases[at].winner));
            assert_memory_equal(object_text(&object, CONTACT_NAME).data, cases[at].winner,
                                strlen(cases[at].winner));
            object_release(&object);
            world_free(&world);
        }
    edit_release(&edit);
}

static void a_write_that_a_delete_did_not_see_shows_the_object_again(void **state)
{
    struct edit_space edit = {0};
    struct world world = {0};
    struct seen seen = {.device = {{1}}, .size = 1};
    size_t order[] = {0, 1, 2};
    struct id id = {{1}};
    struct object object;

    (void)state;
    edit_begin(&edit, KIND_CONTACT, &id, 1);
    edit_set(&edit, CONTACT_NAME, 1, (struct value){.type = VALUE_TEXT, .bytes = span_str("a")});
    world_add(&world, &edit, 1);
    edit_begin(&edit, KIND_CONTACT, &id, 1);
    edit_delete(&edit, &seen, 1);
    world_add(&world, &edit, 2);
    world_apply(&world, order, &object);
    assert_false(object_is_visible(&object));
    object_release(&object);
    edit_begin(&edit, KIND_CONTACT, &id, 1);
    edit_set(&edit, CONTACT_ORG, 1, (struct value){.type = VALUE_TEXT, .bytes = span_str("b")});
    world_add(&world, &edit, 1);
    world_apply(&world, order, &object);
    assert_true(object_is_visible(&object));
    object_release(&object);
    world_free(&world);
    edit_release(&edit);
}

enum { KIND_NOBODYS = 127 }; /* its fields are anybody's guess, and so written as they are */

/* What a reader refuses is not written either; what somebody else wrote is still refused. */
static void edit_must_agree(struct edit_space *edit, bool fits)
{
    struct edit_space read = {0};
    struct buf bytes = {0};

    assert_int_equal(edit->edit.kind, KIND_CONTACT);
    assert_int_equal(edit_write(edit, &bytes), fits ? ERR_OK : ERR_LIMIT);
    assert_true(fits || bytes.size == 0);
    buf_clear(&bytes);
    edit->edit.kind = KIND_NOBODYS;
    assert_int_equal(edit_write(edit, &bytes), ERR_OK);
    assert_int_equal(bytes.data[1], KIND_NOBODYS);
    bytes.data[1] = KIND_CONTACT;
    assert_int_equal(edit_read(&read, buf_span(&bytes)), fits ? ERR_OK : ERR_MALFORMED);
    edit_release(&read);
    buf_release(&bytes);
}

static void an_edit_is_refused_beyond_its_bounds(void **state)
{
    struct edit_space edit = {0};
    struct id id = {{1}};
    struct buf bytes = {0};
    static char text[1100];

    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t size = 999; size <= 1001; size++) {
        edit_begin(&edit, KIND_CONTACT, &id, 1);
        edit_set(&edit, CONTACT_NAME, 1,
                 (struct value){.type = VALUE_TEXT, .bytes = span_of(text, size)});
        edit_must_agree(&edit, size <= 1000);
        edit_begin(&edit, KIND_CONTACT, &id, 1);
        edit_add(&edit, CONTACT_TAGS, &id,
                 (struct value){.type = VALUE_TEXT, .bytes = span_of(text, size)});
        edit_must_agree(&edit, size <= 1000);
    }
    for (uint64_t counter = (UINT64_C(1) << 40) - 1; counter <= (UINT64_C(1) << 40) + 1;
         counter++) {
        edit_begin(&edit, KIND_CONTACT, &id, 1);
        edit_set(&edit, CONTACT_NAME, counter,
                 (struct value){.type = VALUE_TEXT, .bytes = span_str("x")});
        edit_must_agree(&edit, counter <= (UINT64_C(1) << 40));
    }
    edit_begin(&edit, KIND_CONTACT, &id, 1);
    edit_set(&edit, CONTACT_NAME, 1, (struct value){.type = VALUE_NUMBER, .number = 1});
    edit_must_agree(&edit, false);
    edit_begin(&edit, KIND_CONTACT, &id, 1);
    edit_add(&edit, CONTACT_NAME, &id, (struct value){.type = VALUE_TEXT, .bytes = span_str("x")});
    edit_must_agree(&edit, false);
    buf_clear(&bytes);
    edit_begin(&edit, KIND_CONTACT, &id, 1);
    assert_int_equal(edit_write(&edit, &bytes), ERR_LIMIT);
    edit_release(&edit);
    buf_release(&bytes);
}

/* A walk meets each element of its set once, and a value is found as its element is. */
static void a_walk_meets_each_element_once(void **state)
{
    static const char *const values[] = {
        "Joon@Example.org", "joon@example.org", "mara@example.org", "+49 30 1234",
        "+49301234",        "49301234",         "no number",        ""};
    struct object_element elements[24] = {0};
    struct object object = {.kind = KIND_CONTACT, .elements = elements, .elements_count = 24};
    static const uint8_t fields[] = {CONTACT_EMAILS, CONTACT_PHONES, CONTACT_URLS};

    (void)state;
    for (size_t at = 0; at < 24; at++)
        elements[at] = (struct object_element){
            .field = fields[at % 3],
            .value = {.type = VALUE_TEXT, .bytes = span_str(values[at / 3])}};
    for (size_t set = 0; set < 3; set++) {
        const struct object_element *at = NULL;

        for (size_t met = 0; met < 8; met++) {
            struct id id;

            at = object_element_next(&object, fields[set], at);
            assert_ptr_equal(at, &elements[3 * met + set]);
            object_element(KIND_CONTACT, fields[set], at->value.bytes, &id);
            assert_ptr_equal(object_element_like(&object, fields[set], at->value.bytes),
                             object_element_find(&object, fields[set], &id));
        }
        assert_null(object_element_next(&object, fields[set], at));
    }
    assert_null(object_element_next(&object, CONTACT_TAGS, NULL));
    assert_null(object_element_like(&object, CONTACT_URLS, span_str("JOON@example.org")));
    assert_ptr_equal(object_element_like(&object, CONTACT_EMAILS, span_str("JOON@example.org")),
                     &elements[0]);
    object_know_elements(&object);
    for (size_t at = 0; at < 24; at++)
        assert_true(elements[at].has_id);
}

static size_t repeat_write(struct edit_space *edit, const struct original *original,
                           struct buf *out)
{
    const struct id id = {{1}}, dot = {{9}};

    buf_clear(out);
    edit_begin(edit, KIND_CONTACT, &id, 1700000000000);
    edit_set(edit, CONTACT_NAME, 5,
             (struct value){.type = VALUE_TEXT, .bytes = span_str("repeated")});
    edit_add(edit, CONTACT_EMAILS, &dot,
             (struct value){.type = VALUE_TEXT, .bytes = span_str("a@x.org")});
    if (original != NULL)
        edit_carry(edit, original);
    assert_int_equal(edit_write(edit, out), ERR_OK);
    return out->size;
}

/* PROTOCOL ORIGIN-1, ORIGIN-2 */
static void a_repetition_counts_as_its_original(void **state)
{
    struct original original = {.device = {{3}}, .seq = 7, .entry_hash = {{8}}}, read_back;
    struct origin first = {.arrival = 1, .log = 3, .seq = 7, .device = {{3}}, .entry_hash = {{8}}};
    struct origin carrier = {
        .arrival = 2, .log = 1, .seq = 2, .device = {{1}}, .entry_hash = {{4}}};
    const struct object_context context = {.log_number = world_log_number};
    struct edit_space edit = {0}, read = {0};
    struct object alone = {0}, both = {0};
    char left[2048], right[2048];
    struct buf bytes = {0}, bare = {0};

    (void)state;
    for (int has_place = 0; has_place <= 1; has_place++) {
        original.has_place = has_place != 0;
        original.place_device.bytes[0] = 5;
        original.place_seq = 6;
        repeat_write(&edit, &original, &bytes);
        assert_int_equal(edit_read(&read, buf_span(&bytes)), ERR_OK);
        assert_true(read.edit.has_original);
        read_back = read.edit.original;
        assert_true(original_is_equal(&read_back, &original));
        assert_int_equal(read_back.has_place, has_place);
        assert_int_equal(read_back.place_seq, has_place ? 6 : 0);
    }
    assert_int_equal(object_identify(&read.edit, &context, &carrier), ERR_OK);
    assert_int_equal(carrier.log, 3);
    assert_int_equal(carrier.seq, 7);
    assert_int_equal(carrier.time_ms, 1700000000000);
    assert_memory_equal(carrier.device.bytes, first.device.bytes, 32);
    assert_memory_equal(carrier.entry_hash.bytes, first.entry_hash.bytes, HASH_SIZE);
    /* Counter 5 needs no counter 4 before it, and what is known already stays as it is. */
    assert_int_equal(object_apply(&alone, &read.edit, &carrier, &context), ERR_OK);
    object_print(&alone, left, sizeof left);
    repeat_write(&edit, NULL, &bare);
    assert_int_equal(edit_read(&edit, buf_span(&bare)), ERR_OK);
    assert_false(edit.edit.has_original);
    assert_int_equal(object_identify(&edit.edit, &context, &first), ERR_OK);
    assert_int_equal(first.log, 3);
    assert_int_equal(object_apply(&both, &edit.edit, &first, &context), ERR_OK);
    carrier.arrival = 1; /* equal counters: the origins are asked for only when they differ */
    assert_int_equal(object_apply(&both, &read.edit, &carrier, &context), ERR_OK);
    object_print(&both, right, sizeof right);
    assert_string_equal(left, right);
    /* A delete that names what the repetition repeats hides it, too. */
    assert_int_equal(both.apart_count, 1);
    assert_memory_equal(both.apart[0].name.bytes, first.entry_hash.bytes, WRITE_NAME_SIZE);
    assert_int_equal(both.touched_count, 1);
    assert_int_equal(both.touched[0].log, 3);
    assert_int_equal(both.touched[0].seq, 7);
    object_release(&alone);
    object_release(&both);
    edit_release(&edit);
    edit_release(&read);
    buf_release(&bytes);
    buf_release(&bare);
}

/* PROTOCOL ORIGIN-1: three elements or five, nothing else. */
static void a_repetition_of_another_shape_is_refused(void **state)
{
    const struct original original = {.device = {{3}}, .seq = 7, .entry_hash = {{8}}};
    struct edit_space edit = {0};
    struct buf bytes = {0}, bare = {0};
    size_t at;

    (void)state;
    repeat_write(&edit, NULL, &bare);
    at = bare.size;
    for (unsigned count = 0; count < 16; count++) {
        repeat_write(&edit, &original, &bytes);
        assert_int_equal(bytes.data[at], 0x93); /* an array of three */
        bytes.data[at] = (uint8_t)(0x90 + count);
        assert_int_equal(edit_read(&edit, buf_span(&bytes)), count == 3 ? ERR_OK : ERR_MALFORMED);
    }
    repeat_write(&edit, &original, &bytes);
    buf_byte(&bytes, 1);
    assert_int_equal(edit_read(&edit, buf_span(&bytes)), ERR_MALFORMED);
    edit_release(&edit);
    buf_release(&bytes);
    buf_release(&bare);
}

/* PROTOCOL EDIT-5: "The dot of an add is 16 bytes, or a number n below 2^16". */
static void dots_that_count_up_are_written_short(void **state)
{
    static const struct {
        uint64_t from, to;
        size_t size; /* bytes of the second dot */
    } cases[] = {
        {7, 8, 1},          {7, 135, 1},        {7, 136, 2}, {7, 7 + 65536, 3},
        {7, 7 + 65537, 18}, {UINT64_MAX, 0, 1}, {8, 7, 18},  {7, 7, 18},
    };
    const struct id object = {{1}};
    size_t empty = 0;

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct edit_space edit = {0}, read = {0};
        struct buf bytes = {0};
        struct id dots[3] = {{{5}}, {{5}}, {{5}}};

        be64_put(dots[0].bytes + 8, cases[at].from);
        be64_put(dots[1].bytes + 8, cases[at].to);
        dots[2].bytes[7] = 9; /* Of another beginning, whatever it ends in. */
        be64_put(dots[2].bytes + 8, cases[at].to + 1);
        edit_begin(&edit, KIND_CONTACT, &object, 1);
        for (size_t dot = 0; dot < 3; dot++)
            edit_add(&edit, CONTACT_TAGS, &dots[dot],
                     (struct value){.type = VALUE_TEXT, .bytes = span_str("t")});
        assert_int_equal(edit_write(&edit, &bytes), ERR_OK);
        if (at == 0)
            empty = bytes.size - 1;
        assert_int_equal(bytes.size, empty + cases[at].size);
        assert_int_equal(edit_read(&read, buf_span(&bytes)), ERR_OK);
        for (size_t dot = 0; dot < 3; dot++)
            assert_true(id_is_equal(&read.edit.writes[dot].dot, &dots[dot]));
        edit_release(&edit);
        edit_release(&read);
        buf_release(&bytes);
    }
}

/* A number upon nothing, or one too great, is no dot. */
static void a_short_dot_needs_one_before_it(void **state)
{
    static const uint8_t number[] = {0}, many[] = {0xce, 0, 1, 0, 0};
    const struct id object = {{1}}, dot = {{5}};

    (void)state;
    for (size_t at = 0; at < 3; at++) {
        struct edit_space read = {0};
        struct buf bytes = {0};

        wire_put_array(&bytes, 4);
        wire_put_uint(&bytes, KIND_CONTACT);
        wire_put_bin(&bytes, span_of(object.bytes, ID_SIZE));
        wire_put_uint(&bytes, 1);
        wire_put_array(&bytes, at == 0 ? 1 : 2);
        for (size_t add = 0; add < (at == 0 ? 1u : 2u); add++) {
            wire_put_array(&bytes, 4);
            wire_put_uint(&bytes, WRITE_ADD);
            wire_put_uint(&bytes, CONTACT_TAGS);
            if (at > 0 && add == 0)
                wire_put_bin(&bytes, span_of(dot.bytes, ID_SIZE));
            else
                buf_append(&bytes, at == 2 ? span_of(many, sizeof many) : span_of(number, 1));
            wire_put_str(&bytes, span_str("t"));
        }
        assert_int_equal(edit_read(&read, buf_span(&bytes)), at == 1 ? ERR_OK : ERR_MALFORMED);
        edit_release(&read);
        buf_release(&bytes);
    }
}

/* An element's id is that of its value, known already or not. */
static void an_element_is_found_by_its_value(void **state)
{
    struct object_dot dot = {.value = {.type = VALUE_TEXT, .bytes = span_str("A@x.example")}};
    struct object_element element = {
        .field = CONTACT_EMAILS, .value = dot.value, .dots = &dot, .dots_count = 1};
    struct object object = {.kind = KIND_CONTACT, .elements = &element, .elements_count = 1};
    struct id id;

    (void)state;
    for (int has_id = 0; has_id < 2; has_id++) {
        element.has_id = has_id != 0;
        object_element_id(&object, &element, &id);
        assert_ptr_equal(object_element_find(&object, CONTACT_EMAILS, &id), &element);
        assert_null(object_element_find(&object, CONTACT_PHONES, &id));
        assert_ptr_equal(object_element_like(&object, CONTACT_EMAILS, span_str("a@X.example")),
                         &element);
        assert_null(object_element_like(&object, CONTACT_EMAILS, span_str("b@x.example")));
        element.id = id;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_edits_in_any_order_give_the_same_object),
        cmocka_unit_test(the_greater_counter_wins_then_time_then_device),
        cmocka_unit_test(a_write_that_a_delete_did_not_see_shows_the_object_again),
        cmocka_unit_test(an_edit_is_refused_beyond_its_bounds),
        cmocka_unit_test(a_walk_meets_each_element_once),
        cmocka_unit_test(a_repetition_counts_as_its_original),
        cmocka_unit_test(a_repetition_of_another_shape_is_refused),
        cmocka_unit_test(dots_that_count_up_are_written_short),
        cmocka_unit_test(a_short_dot_needs_one_before_it),
        cmocka_unit_test(an_element_is_found_by_its_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
