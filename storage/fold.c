/* Plain ASCII takes a short way; everything else goes through utf8proc. */
#include "storage/fold.h"

#include <stdlib.h>
#include <utf8proc.h>

static void fold_space(struct buf *out)
{
    if (out->size > 0 && out->data[out->size - 1] != ' ')
        buf_byte(out, ' ');
}

/* Lower case and single spaces, from where the text began in out. False at the first byte beyond
 * ASCII. */
static bool fold_ascii(struct span text, struct buf *out)
{
    size_t begun_at = out->size;

    for (size_t at = 0; at < text.size; at++) {
        uint8_t letter = text.data[at];

        if (letter >= 0x80) {
            out->size = begun_at;
            return false;
        }
        if (letter <= ' ' || letter == 0x7f) {
            if (out->size > begun_at)
                fold_space(out);
        } else {
            buf_byte(out, letter >= 'A' && letter <= 'Z' ? (uint8_t)(letter + 32) : letter);
        }
    }
    if (out->size > begun_at && out->data[out->size - 1] == ' ')
        out->size--;
    return true;
}

/* Letters that have no decomposition, in lower case; case was folded before. */
static const struct {
    utf8proc_int32_t letter;
    const char *folded;
} fold_letters[] = {
    {0x00e6, "ae"}, {0x00f0, "d"}, {0x00f8, "o"}, {0x00fe, "th"}, {0x0111, "d"},  {0x0127, "h"},
    {0x0131, "i"},  {0x0138, "k"}, {0x0142, "l"}, {0x014b, "n"},  {0x0153, "oe"}, {0x0167, "t"},
    {0x0180, "b"},  {0x019a, "l"}, {0x01b6, "z"}, {0x01e5, "g"},  {0x0237, "j"},  {0x0247, "e"},
    {0x0249, "j"},  {0x024d, "r"}, {0x024f, "y"}, {0x0259, "e"},  {0x00df, "ss"}, {0x017f, "s"},
    {0x2019, "'"},  {0x2018, "'"}, {0x2010, "-"}, {0x2013, "-"},
};

static const char *fold_letter(utf8proc_int32_t letter)
{
    for (size_t at = 0; at < sizeof fold_letters / sizeof fold_letters[0]; at++)
        if (fold_letters[at].letter == letter)
            return fold_letters[at].folded;
    return NULL;
}

static bool fold_is_space(utf8proc_int32_t letter)
{
    utf8proc_category_t category = utf8proc_category(letter);

    return letter <= ' ' || letter == 0x7f || category == UTF8PROC_CATEGORY_ZS ||
           category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

static void fold_put(utf8proc_int32_t letter, size_t begun_at, struct buf *out)
{
    const char *folded = fold_letter(letter);
    utf8proc_uint8_t bytes[4];

    if (fold_is_space(letter)) {
        if (out->size > begun_at)
            fold_space(out);
    } else if (folded != NULL) {
        buf_append(out, span_str(folded));
    } else {
        buf_append(out, span_of(bytes, (size_t)utf8proc_encode_char(letter, bytes)));
    }
}

/* Every byte beyond ASCII that is no UTF-8 becomes the Latin-1 letter of its number. */
static void fold_clean(struct span text, struct buf *out)
{
    size_t at = 0;

    while (at < text.size) {
        utf8proc_int32_t letter;
        utf8proc_ssize_t size =
            utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.size - at), &letter);
        utf8proc_uint8_t bytes[4];

        if (size > 0) {
            buf_append(out, span_of(text.data + at, (size_t)size));
            at += (size_t)size;
        } else {
            buf_append(out, span_of(bytes, (size_t)utf8proc_encode_char(text.data[at], bytes)));
            at++;
        }
    }
}

enum err fold(struct span text, struct buf *out)
{
    const utf8proc_option_t options = UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD |
                                      UTF8PROC_STRIPMARK | UTF8PROC_IGNORE | UTF8PROC_STABLE;
    size_t begun_at = out->size, at = 0;
    struct buf clean = {0};
    utf8proc_uint8_t *mapped = NULL;
    utf8proc_ssize_t size;

    if (text.size > FOLD_SIZE_MAX)
        text.size = FOLD_SIZE_MAX;
    if (fold_ascii(text, out))
        return buf_err(out);
    fold_clean(text, &clean);
    size = clean.is_failed
               ? UTF8PROC_ERROR_NOMEM
               : utf8proc_map(clean.data, (utf8proc_ssize_t)clean.size, &mapped, options);
    buf_release(&clean);
    if (size < 0)
        return ERR_NOMEM;
    while (at < (size_t)size) {
        utf8proc_int32_t letter;
        utf8proc_ssize_t step = utf8proc_iterate(mapped + at, size - (utf8proc_ssize_t)at, &letter);

        if (step <= 0)
            break;
        fold_put(letter, begun_at, out);
        at += (size_t)step;
    }
    free(mapped); /* utf8proc's own memory, from malloc. */
    if (out->size > begun_at && out->data[out->size - 1] == ' ')
        out->size--;
    return buf_err(out);
}
