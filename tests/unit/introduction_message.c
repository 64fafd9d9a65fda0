/* Introduction messages: what may stand in one, and that nothing else is read. INTRO-1, INTRO-2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/introduction.h"
#include "proto/statement.h"
#include "tests/sim/meeting.h"

struct message_scene {
    struct member ana;
    struct buf identity, bytes;
    struct introduction_message message;
    struct public_key said_by;
};

static void message_scene_new(struct message_scene *scene)
{
    struct snapshot snapshot;

    *scene = (struct message_scene){.message = {.type = INTRODUCTION_OFFER}};
    meeting_new(&scene->ana, 1, "Ana");
    snapshot = member_snapshot(&scene->ana);
    assert_int_equal(view_identity(&snapshot, &scene->identity), ERR_OK);
    ledger_snapshot_end(&snapshot);
    scene->message.offer = (struct introduction_offer){.issued_ms = 1000,
                                                       .expires_ms = 1000 + 21 * MS_PER_DAY,
                                                       .name = span_str("Bruno"),
                                                       .why = span_str("Boats.")};
}

static void message_scene_free(struct message_scene *scene)
{
    buf_release(&scene->identity);
    buf_release(&scene->bytes);
    member_free(&scene->ana);
}

static enum err message_say(struct message_scene *scene)
{
    buf_clear(&scene->bytes);
    return introduction_say(&scene->message, ledger_signing_key(scene->ana.ledger),
                            buf_span(&scene->identity), &scene->bytes);
}

static enum err message_read(struct message_scene *scene)
{
    struct introduction_message read;

    return introduction_read(buf_span(&scene->bytes), &scene->said_by, &read);
}

static void introduction_message_has_bounds(void **state)
{
    static char text[INTRODUCTION_SIZE_MAX + 1];
    struct message_scene scene;

    (void)state;
    message_scene_new(&scene);
    memset(text, 'w', sizeof text);
    assert_int_equal(message_say(&scene), ERR_OK);
    assert_int_equal(message_read(&scene), ERR_OK);
    assert_true(public_key_is_equal(&scene.said_by, &scene.ana.secrets.member));
    scene.message.offer.why = span_of(text, INTRODUCTION_WHY_SIZE_MAX);
    assert_int_equal(message_say(&scene), ERR_OK);
    assert_int_equal(message_read(&scene), ERR_OK);
    scene.message.offer.why = span_of(text, INTRODUCTION_WHY_SIZE_MAX + 1);
    assert_int_equal(message_say(&scene), ERR_LIMIT);
    scene.message.type = INTRODUCTION_HELLO;
    scene.message.sealed = span_of(text, sizeof text);
    assert_int_equal(message_say(&scene), ERR_LIMIT);
    message_scene_free(&scene);
}

/* Every byte changed, every end cut, and something left over: none is read. */
static void introduction_message_cannot_be_changed(void **state)
{
    struct message_scene scene;
    struct introduction_message read;
    struct public_key member;

    (void)state;
    message_scene_new(&scene);
    assert_int_equal(message_say(&scene), ERR_OK);
    for (size_t at = 0; at < scene.bytes.size; at++) {
        scene.bytes.data[at] ^= 1;
        assert_int_not_equal(message_read(&scene), ERR_OK);
        scene.bytes.data[at] ^= 1;
    }
    for (size_t size = 0; size < scene.bytes.size; size++)
        assert_int_not_equal(introduction_read(span_of(scene.bytes.data, size), &member, &read),
                             ERR_OK);
    buf_byte(&scene.bytes, 0);
    assert_int_not_equal(message_read(&scene), ERR_OK);
    message_scene_free(&scene);
}

/* Well signed, and nothing that PROTOCOL.md knows: another type, more elements, no UTF-8. */
static void introduction_message_of_another_shape_is_not_read(void **state)
{
    static const uint8_t bodies[][8] = {
        {0x90},                   /* nothing */
        {0x91, 0x02},             /* a type and no more */
        {0x93, 0x7f, 0xc4, 0x00}, /* a type nobody knows */
        {0xc0},                   /* nil */
        {0x80},                   /* a map */
        {0x91, 0xa1, 0xff},       /* no UTF-8 */
        {0xdd, 0xff, 0xff, 0xff, 0xff},
    };
    static const size_t sizes[] = {1, 2, 4, 1, 1, 3, 5};
    struct message_scene scene;

    (void)state;
    message_scene_new(&scene);
    for (size_t at = 0; at < sizeof bodies / sizeof bodies[0]; at++) {
        struct introduction_message read;

        buf_clear(&scene.bytes);
        assert_int_equal(statement_by_device("kith intro", ledger_signing_key(scene.ana.ledger),
                                             buf_span(&scene.identity),
                                             span_of(bodies[at], sizes[at]), &scene.bytes),
                         ERR_OK);
        assert_int_not_equal(introduction_read(buf_span(&scene.bytes), &scene.said_by, &read),
                             ERR_OK);
    }
    scene.message.offer.why = span_of("\xff\xfe", 2);
    if (message_say(&scene) == ERR_OK)
        assert_int_not_equal(message_read(&scene), ERR_OK);
    message_scene_free(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(introduction_message_has_bounds),
        cmocka_unit_test(introduction_message_cannot_be_changed),
        cmocka_unit_test(introduction_message_of_another_shape_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
