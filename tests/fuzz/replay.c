/* Replays every file of the folders given through a fuzz target, so that an ordinary test run keeps what fuzzing found. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { REPLAY_SIZE_MAX = 1 << 20, REPLAY_PATH_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(REPLAY_SIZE_MAX);
    size_t size;

    if (file == NULL || bytes == NULL) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        if (file != NULL)
            (void)fclose(file);
        free(bytes);
        return 1;
    }
    size = fread(bytes, 1, REPLAY_SIZE_MAX, file);
    (void)fclose(file);
    /* A copy of just this size, so that reading beyond it is seen. */
    bytes = realloc(bytes, size > 0 ? size : 1);
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return 0;
}

static int replay_folder(const char *folder, size_t *count)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;
    int failed = 0;

    if (listing == NULL) {
        (void)fprintf(stderr, "no folder %s\n", folder);
        return 1;
    }
    while ((entry = readdir(listing)) != NULL && failed == 0) {
        char path[REPLAY_PATH_MAX];
        struct stat status;

        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
            continue;
        failed = replay_file(path);
        (*count)++;
    }
    (void)closedir(listing);
    return failed;
}

int main(int argc, char **argv)
{
    size_t count = 0;

    for (int at = 1; at < argc; at++)
        if (replay_folder(argv[at], &count) != 0)
            return 1;
    (void)printf("replayed %zu inputs\n", count);
    return count > 0 ? 0 : 1;
}
