/*
 * Plain ASCII takes a short way. Everything else is cleaned, decomposed with case and marks
 * removed, composed again (only Hangul syllables still can be, and would otherwise take three
 * letters each), and written with the table's letters replaced.
 */
#include "storage/fold.h"

#include <utf8proc.h>

#include "crypto/heap.h"

enum { UTF8_LETTER_SIZE_MAX = 4 };

/* Letters that have no decomposition, in lower case; case was folded before. */
static const struct {
    utf8proc_int32_t letter;
    const char *folded;
} fold_letters[] = {
    {0x00e6, "ae"}, {0x00f0, "d"}, {0x00f8, "o"}, {0x00fe, "th"}, {0x0111, "d"},  {0x0127, "h"},
    {0x0131, "i"},  {0x0138, "k"}, {0x0142, "l"}, {0x014b, "n"},  {0x0153, "oe"}, {0x0167, "t"},
    {0x0180, "b"},  {0x0192, "f"}, {0x0199, "k"}, {0x019a, "l"},  {0x01b4, "y"},  {0x01b6, "z"},
    {0x01dd, "e"},  {0x01e5, "g"}, {0x0237, "j"}, {0x0247, "e"},  {0x0249, "j"},  {0x024d, "r"},
    {0x024f, "y"},  {0x0253, "b"}, {0x0254, "o"}, {0x0256, "d"},  {0x0257, "d"},  {0x0259, "e"},
    {0x025b, "e"},  {0x0263, "g"}, {0x0268, "i"}, {0x0272, "n"},  {0x028b, "v"},  {0x02bb, "'"},
    {0x02bc, "'"},  {0x2010, "-"}, {0x2013, "-"}, {0x2018, "'"},  {0x2019, "'"},
};

static const char *fold_letter(utf8proc_int32_t letter)
{
    for (size_t at = 0; at < sizeof fold_letters / sizeof fold_letters[0]; at++)
        if (fold_letters[at].letter == letter)
            return fold_letters[at].folded;
    return NULL;
}

/* Lower case and single spaces. False, and out as it was, at the first byte beyond ASCII. */
static bool fold_ascii(struct span text, struct buf *out)
{
    uint8_t *to = buf_grow(out, text.size);
    size_t size = 0;

    if (to == NULL)
        return true; /* The failure stands in out. */
    for (size_t at = 0; at < text.size; at++) {
        uint8_t letter = text.data[at];

        if (letter >= 0x80) {
            out->size -= text.size;
            return false;
        }
        if (letter > ' ' && letter != 0x7f)
            to[size++] = letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter + 32) : letter;
        else if (size > 0 && to[size - 1] != ' ')
            to[size++] = ' ';
    }
    if (size > 0 && to[size - 1] == ' ')
        size--;
    out->size -= text.size - size;
    return true;
}

static bool fold_is_space(utf8proc_int32_t letter)
{
    switch (utf8proc_category(letter)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return true;
    default:
        return false;
    }
}

static void fold_encode(utf8proc_int32_t letter, struct buf *out)
{
    uint8_t bytes[UTF8_LETTER_SIZE_MAX];

    buf_append(out, span_of(bytes, (size_t)utf8proc_encode_char(letter, bytes)));
}

static void fold_write(const utf8proc_int32_t *letters, size_t count, struct buf *out)
{
    size_t begun_at = out->size;

    for (size_t at = 0; at < count; at++) {
        const char *folded = fold_letter(letters[at]);

        if (folded != NULL)
            buf_append(out, span_str(folded));
        else if (!fold_is_space(letters[at]))
            fold_encode(letters[at], out);
        else if (out->size > begun_at && out->data[out->size - 1] != ' ')
            buf_byte(out, ' ');
    }
    if (out->size > begun_at && out->data[out->size - 1] == ' ')
        out->size--;
}

/* Every byte beyond ASCII that is no UTF-8 becomes the Latin-1 letter of its number. */
static void fold_clean(struct span text, struct buf *out)
{
    size_t at = 0;

    while (at < text.size) {
        utf8proc_int32_t letter;
        utf8proc_ssize_t size =
            utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.size - at), &letter);

        fold_encode(size > 0 ? letter : text.data[at], out);
        at += size > 0 ? (size_t)size : 1;
    }
}

static utf8proc_ssize_t fold_decompose(struct span text, utf8proc_int32_t *letters, size_t room)
{
    const utf8proc_option_t options = UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD |
                                      UTF8PROC_STRIPMARK | UTF8PROC_IGNORE | UTF8PROC_STABLE;

    return utf8proc_decompose(text.data, (utf8proc_ssize_t)text.size, letters,
                              (utf8proc_ssize_t)room, options);
}

/* Clean text; a first measuring pass, so that the room is right whatever the ligatures. */
static enum err fold_unicode(struct span text, struct buf *out)
{
    utf8proc_ssize_t count = fold_decompose(text, NULL, 0);
    utf8proc_int32_t *letters;

    KITH_ASSERT(count >= 0); /* It fails for invalid UTF-8 and sizes beyond any bound of ours. */
    /* One more: utf8proc's composing may write an end. */
    letters = heap_new_zeroed((size_t)count + 1, sizeof *letters);
    if (letters == NULL)
        return ERR_NOMEM;
    count = fold_decompose(text, letters, (size_t)count);
    count = utf8proc_normalize_utf32(letters, count, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    KITH_ASSERT(count >= 0);
    fold_write(letters, (size_t)count, out);
    heap_free(letters);
    return buf_err(out);
}

/* The greatest size not above max that does not cut a character in two. */
static size_t fold_cut(struct span text, size_t max)
{
    size_t size = max;

    if (text.size <= max)
        return text.size;
    while (size > 0 && max - size < UTF8_LETTER_SIZE_MAX && (text.data[size] & 0xc0) == 0x80)
        size--;
    return size > 0 && (text.data[size] & 0xc0) != 0x80 ? size : max;
}

/* PROTOCOL FOLD-1: "decomposed by compatibility (NFKD), with full case folding, without marks (Mn,
 * Mc, Me) and what Unicode lets be ignored, and composed again (NFC)." */
enum err fold(struct span text, struct buf *out)
{
    struct buf clean = {0};
    enum err err;

    text.size = fold_cut(text, FOLD_SIZE_MAX);
    if (text.size == 0 || fold_ascii(text, out))
        return buf_err(out);
    fold_clean(text, &clean);
    err = buf_err(&clean);
    if (err == ERR_OK)
        err = fold_unicode(buf_span(&clean), out);
    buf_release(&clean);
    return err;
}

static bool fold_is_letter_seen(utf8proc_int32_t letter)
{
    switch (utf8proc_category(letter)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
        return false;
    default: /* The blank of Braille is a sign to Unicode. */
        return !fold_is_space(letter) && !utf8proc_get_property(letter)->ignorable &&
               letter != 0x2800;
    }
}

bool fold_is_seen(struct span text)
{
    while (text.size > 0) {
        utf8proc_int32_t letter;
        utf8proc_ssize_t size = utf8proc_iterate(text.data, (utf8proc_ssize_t)text.size, &letter);

        if (size <= 0 || fold_is_letter_seen(letter)) /* What is no UTF-8 is shown as something. */
            return true;
        text = span_of(text.data + size, text.size - (size_t)size);
    }
    return false;
}

static bool fold_is_word(utf8proc_int32_t letter)
{
    utf8proc_category_t category = utf8proc_category(letter);

    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

enum err fold_words(struct span folded, fold_word_fn on_word, void *context)
{
    size_t begun_at = 0, at = 0;
    enum err err = ERR_OK;

    while (at < folded.size && err == ERR_OK) {
        utf8proc_int32_t letter;
        utf8proc_ssize_t size =
            utf8proc_iterate(folded.data + at, (utf8proc_ssize_t)(folded.size - at), &letter);
        struct span word = span_of(folded.data + begun_at, at - begun_at);
        bool is_inside = size > 0 && fold_is_word(letter);

        at += size > 0 ? (size_t)size : 1;
        if (is_inside)
            continue;
        word.size = fold_cut(word, FOLD_WORD_SIZE_MAX);
        if (word.size > 0)
            err = on_word(context, word);
        begun_at = at;
    }
    if (err == ERR_OK && at > begun_at) {
        struct span word = span_of(folded.data + begun_at, at - begun_at);

        word.size = fold_cut(word, FOLD_WORD_SIZE_MAX);
        err = on_word(context, word);
    }
    return err;
}
