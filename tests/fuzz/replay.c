/* replay.c -- runs a target without libFuzzer over the files of its corpus, and over every beginning of each.
 *
 *   fuzz_X_replay DIR
 *
 * Each input lies in memory of exactly its size, so that a sanitizer sees a byte read too many. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

enum { FILE_BYTES_MAX = 64 * 1024 };

static void replay(const uint8_t *bytes, size_t size)
{
    for (size_t n = 0; n <= size; n++) {
        uint8_t *copy = malloc(n > 0 ? n : 1);

        FUZZ_MUST(copy != NULL);
        memcpy(copy, bytes, n);
        LLVMFuzzerTestOneInput(copy, n);
        free(copy);
    }
}

int main(int argc, char **argv)
{
    static uint8_t bytes[FILE_BYTES_MAX];
    struct dirent *entry;
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    int files = 0;

    if (dir == NULL) {
        fprintf(stderr, "usage: %s DIR\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(dir)) != NULL) {
        char path[4096];
        FILE *file;
        size_t size;

        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name) >= (int)sizeof(path) ||
            (file = fopen(path, "rb")) == NULL) {
            perror(path);
            closedir(dir);
            return 1;
        }
        size = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        replay(bytes, size);
        files++;
    }
    closedir(dir);
    if (files == 0)
        fprintf(stderr, "%s: no inputs\n", argv[1]);
    return files > 0 ? 0 : 1;
}
