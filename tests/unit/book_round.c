/* What goes out comes back the same: everybody of every file there is, through every format. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "crypto/heap.h"
#include "node/book.h"
#include "node/person_json.h"
#include "node/table.h"
#include "node/vcard_write.h"

enum { BOOK_PEOPLE_MAX = 400, BOOK_FILE_MAX = 1 << 20 };

struct book_people {
    struct person people[BOOK_PEOPLE_MAX];
    size_t count, rejected;
};

static void book_copy(const struct person *from, struct person *to)
{
    *to = (struct person){.line = from->line};
    buf_append(&to->text, buf_span(&from->text));
    buf_append(&to->values, buf_span(&from->values));
}

static enum err book_on_person(void *self, const struct person *person)
{
    struct book_people *people = self;

    assert_true(people->count < BOOK_PEOPLE_MAX);
    book_copy(person, &people->people[people->count++]);
    return ERR_OK;
}

static void book_on_reject(void *self, size_t line, const char *why)
{
    struct book_people *people = self;

    (void)line;
    (void)why;
    people->rejected++;
}

static enum err book_load(struct span file, enum book_format format, struct book_people *out)
{
    struct person_reader reader = {.person = book_on_person, .reject = book_on_reject, .self = out};
    const char *why;

    out->count = out->rejected = 0;
    return book_read(file, format, &reader, &why);
}

static void book_drop(struct book_people *people)
{
    for (size_t at = 0; at < people->count; at++)
        person_release(&people->people[at]);
    people->count = 0;
}

static bool book_has(const struct person *person, uint8_t field, struct span value)
{
    for (size_t at = 0; at < person_count(person); at++) {
        uint8_t other;
        struct span text = person_value_at(person, at, &other);

        if (other == field && span_is_equal(text, value))
            return true;
    }
    return false;
}

/* Every value of left is one of right's. */
static void book_assert_within(const struct person *left, const struct person *right,
                               const char *what, const char *file)
{
    for (size_t at = 0; at < person_count(left); at++) {
        uint8_t field;
        struct span value = person_value_at(left, at, &field);

        if (!book_has(right, field, value)) {
            print_error("%s, %s: field %u of %.*s: %.*s\n", file, what, field,
                        (int)person_text(left, CONTACT_NAME).size,
                        (const char *)person_text(left, CONTACT_NAME).data, (int)value.size,
                        (const char *)value.data);
            for (size_t other = 0; other < person_count(right); other++) {
                uint8_t number;
                struct span text = person_value_at(right, other, &number);

                if (number == field && text.size > 2 && memcmp(text.data, value.data, 2) == 0)
                    print_error("  beside %.*s\n", (int)text.size, (const char *)text.data);
            }
            fail();
        }
    }
}

static const struct {
    const char *name;
    enum book_format format;
    enum vcard_version version;
} book_ways[] = {{"vcard", BOOK_VCARD, VCARD_3},
                 {"vcard4", BOOK_VCARD, VCARD_4},
                 {"csv", BOOK_ANY, 0},
                 {"json", BOOK_ANY, 0}};

static void book_write(const struct book_people *people, size_t way, struct buf *out)
{
    struct table_shape shape = {0};
    json_t *list;

    if (book_ways[way].version != 0) {
        for (size_t at = 0; at < people->count; at++)
            vcard_write(&people->people[at], book_ways[way].version, out);
        return;
    }
    if (strcmp(book_ways[way].name, "csv") == 0) {
        for (size_t at = 0; at < people->count; at++)
            table_shape_fit(&shape, &people->people[at]);
        table_write_header(&shape, out);
        for (size_t at = 0; at < people->count; at++)
            table_write(&shape, &people->people[at], out);
        return;
    }
    list = json_array();
    for (size_t at = 0; at < people->count; at++)
        assert_int_equal(json_array_append_new(list, person_to_json(&people->people[at])), 0);
    list = json_pack("{s:o}", "contacts", list);
    char *text = json_dumps(list, JSON_INDENT(1));
    buf_append(out, span_str(text));
    free(text);
    json_decref(list);
}

/* Out and back through every format. */
static void book_round(struct span file, const char *name, struct book_people *first,
                       struct book_people *second)
{
    if (book_load(file, BOOK_ANY, first) != ERR_OK)
        first->count = 0;
    for (size_t way = 0; way < 4 && first->count > 0; way++) {
        struct buf text = {0};

        book_write(first, way, &text);
        assert_int_equal(buf_err(&text), ERR_OK);
        assert_int_equal(book_load(buf_span(&text), book_ways[way].format, second), ERR_OK);
        if (second->count != first->count || second->rejected != 0)
            print_error("%s, %s: %zu people for %zu, %zu rejected\n%.*s\n", name,
                        book_ways[way].name, second->count, first->count, second->rejected,
                        (int)text.size, (const char *)text.data);
        assert_int_equal(second->count, first->count);
        for (size_t at = 0; at < first->count; at++) {
            book_assert_within(&first->people[at], &second->people[at], book_ways[way].name, name);
            book_assert_within(&second->people[at], &first->people[at], book_ways[way].name, name);
        }
        book_drop(second);
        buf_release(&text);
    }
    book_drop(first);
}

static void book_round_file(const char *path, struct book_people *first, struct book_people *second)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(BOOK_FILE_MAX);
    size_t size;

    assert_non_null(file);
    assert_non_null(bytes);
    size = fread(bytes, 1, BOOK_FILE_MAX, file);
    (void)fclose(file);
    book_round(span_of(bytes, size), path, first, second);
    free(bytes);
}

static void book_round_folder(const char *folder, struct book_people *first,
                              struct book_people *second)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;

    assert_non_null(listing);
    while ((entry = readdir(listing)) != NULL) {
        char path[4096];
        struct stat about;

        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &about) != 0)
            continue;
        if (S_ISDIR(about.st_mode))
            book_round_folder(path, first, second);
        else
            book_round_file(path, first, second);
    }
    (void)closedir(listing);
}

static void everybody_comes_back_from_every_format(void **state)
{
    static const char *const folders[] = {"vcards", "linkedin-csv", "contacts-csv"};
    const char *data = getenv("KITH_TEST_DATA");
    struct book_people *first, *second;
    struct stat about;

    (void)state;
    if (data == NULL)
        data = KITH_TEST_DATA_DEFAULT;
    if (stat(data, &about) != 0)
        skip();
    first = heap_new_zeroed(1, sizeof *first);
    second = heap_new_zeroed(1, sizeof *second);
    for (size_t at = 0; at < 3; at++) {
        char path[4096];

        (void)snprintf(path, sizeof path, "%s/%s", data, folders[at]);
        book_round_folder(path, first, second);
    }
    heap_free(first);
    heap_free(second);
}

/* Everything a card can have, and what wants to break out of its place. */
static const char *const book_samples[] = {
    "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Plain\r\nEND:VCARD\r\n",
    "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:=HYPERLINK(\"x\")\r\nN:b;a;;;\r\nORG:-1;Two\r\nTITLE:'=it\r\n"
    "EMAIL:+a@example.org\r\nTEL;TYPE=HOME,FAX:+49 30 1\r\nNOTE:@all\\nand\\, more\\; \\\\n\r\n"
    "CATEGORIES:a\\, b,c;d\r\nX-A:1\r\nitem7.X-B:2\r\nitem7.X-ABLabel:three\r\nEND:VCARD\r\n",
    "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:org\r\nFN:ACME\r\nORG:ACME\r\nADR:;;;Town;;;\r\n"
    "TEL;PREF=1;TYPE=\"voice,home\":tel:+1;ext=2\r\nitem1.TEL:+2\r\nitem1.X-ABLabel:_$!<Boat>!$_"
    "\r\n"
    "URL;TYPE=work:https://example.org/a,b;c\r\nKEY;ENCODING=b;TYPE=X509:AA==\r\n"
    "PHOTO:data:image/png;base64,iVBORw0KGgoAAA==\r\nX-KITH-MET:at sea\r\nEND:VCARD\r\n",
    "BEGIN:VCARD\r\nVERSION:2.1\r\nFN;ENCODING=QUOTED-PRINTABLE:Evil=0D=0AEMAIL:x@example.org\r\n"
    "NOTE;ENCODING=QUOTED-PRINTABLE:a=0D=0AEND:VCARD=0D=0A\"=\r\n q\r\nAGENT:\r\nBEGIN:VCARD\r\n"
    "FN:Inner\r\nEND:VCARD\r\nX-Z;TYPE=a;B:1,2;3\r\nEND:VCARD\r\n"};

static void samples_come_back_from_every_format(void **state)
{
    struct book_people *first = heap_new_zeroed(1, sizeof *first);
    struct book_people *second = heap_new_zeroed(1, sizeof *second);

    (void)state;
    for (size_t at = 0; at < sizeof book_samples / sizeof book_samples[0]; at++)
        book_round(span_str(book_samples[at]), book_samples[at], first, second);
    heap_free(first);
    heap_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_come_back_from_every_format),
        cmocka_unit_test(everybody_comes_back_from_every_format),
    };

    return cmocka_run_group_tests_name("book_round", tests, NULL, NULL);
}
