/* Any bytes as a table: the first chooses the delimiter. No row is beyond its bounds, rows come in
 * the order of their lines. */
#include <stdlib.h>

#include "node/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err fuzz_row(void *self, const struct csv_row *row)
{
    size_t *line = self, bytes = 0;

    if (row->line < *line || row->count == 0 || row->count > CSV_CELLS_MAX)
        abort();
    for (size_t at = 0; at < row->count; at++)
        bytes += row->cells[at].size;
    if (bytes > CSV_ROW_MAX)
        abort();
    *line = row->line;
    return ERR_OK;
}

static void fuzz_reject(void *self, size_t line, const char *why)
{
    (void)self;
    if (line == 0 || why[0] == '\0')
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {',', ';', '\t', '|'};
    size_t line = 1;
    struct csv_reader reader = {.row = fuzz_row, .reject = fuzz_reject, .self = &line};

    if (size > 0 &&
        csv_read(span_of(data + 1, size - 1), delimiters[data[0] % 4], &reader) != ERR_OK)
        abort();
    return 0;
}
