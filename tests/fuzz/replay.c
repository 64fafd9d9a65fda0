/*
 * Runs a fuzz target over every file of the folders it is given, so that what fuzzing once found is
 * tested by everybody. A folder that is missing or empty is a failure: a corpus that went astray
 * must not look like a corpus that passed.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { REPLAY_INPUT_SIZE_MAX = 1 << 20, REPLAY_PATH_SIZE_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file's bytes in memory of exactly their size, so that the sanitizer sees a read behind them.
 */
static uint8_t *replay_read(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;

    if (file == NULL)
        return NULL;
    data = malloc(size);
    if (data != NULL && fread(data, 1, size, file) != size) {
        free(data);
        data = NULL;
    }
    (void)fclose(file); /* Only read: nothing can be lost by closing. */
    return data;
}

static int replay_file(const char *path, size_t *out_count)
{
    struct stat status;
    uint8_t *data;

    if (stat(path, &status) != 0) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    if (!S_ISREG(status.st_mode))
        return 0;
    if (status.st_size > REPLAY_INPUT_SIZE_MAX) {
        (void)fprintf(stderr, "%s: larger than %d bytes\n", path, REPLAY_INPUT_SIZE_MAX);
        return -1;
    }
    data = replay_read(path, (size_t)status.st_size);
    if (data == NULL && status.st_size > 0) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    /* A crash leaves no other trace than the name of the input that was being run. */
    (void)fprintf(stderr, "input %s\n", path);
    (void)LLVMFuzzerTestOneInput(data, (size_t)status.st_size);
    free(data);
    *out_count += 1;
    return 0;
}

static int replay_folder(const char *folder, size_t *out_count)
{
    char path[REPLAY_PATH_SIZE_MAX];
    size_t before = *out_count;
    DIR *listing = opendir(folder);
    int result = 0;

    if (listing == NULL) {
        (void)fprintf(stderr, "%s: no such folder\n", folder);
        return -1;
    }
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        int size = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);

        if (size < 0 || (size_t)size >= sizeof path || replay_file(path, out_count) != 0)
            result = -1;
    }
    (void)closedir(listing);
    if (*out_count == before) {
        (void)fprintf(stderr, "%s: holds no input\n", folder);
        result = -1;
    }
    return result;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    int code = argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;

    for (int at = 1; at < argc; at++)
        if (replay_folder(argv[at], &count) != 0)
            code = EXIT_FAILURE;
    (void)printf("replayed %zu inputs\n", count);
    return code;
}
