/* fuzz_resume.c -- any bytes as the key with which a client asks for the next page of a scan.  The first byte chooses
 * the scan; the store has a few rows and stays open. */
#include "fuzz.h"

#include "store/store.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

enum { TABLE = 1, ROWS_MAX = 32, TOKEN = 7 };

static struct store *store;
static char dir[] = "/tmp/millrace-fuzz-XXXXXX";

static int path_remove(const char *path, const struct stat *status, int kind, struct FTW *ftw)
{
    MR_UNUSED(status), MR_UNUSED(kind), MR_UNUSED(ftw);
    return remove(path);
}

static void store_remove(void)
{
    store_close(store);
    nftw(dir, path_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static struct mr_bytes bytes_of(const char *text)
{
    return (struct mr_bytes){ (const uint8_t *)text, strlen(text) };
}

static void store_fill(void)
{
    static const char *const clusterings[] = { "a", "b", "c" };
    const struct store_cell cell = { .column_id = 1, .write_time_us = 1, .value = bytes_of("v") };
    const struct store_options options = { .durability = STORE_RELAXED };
    struct mr_err err = MR_ERR_INIT;

    FUZZ_MUST(mkdtemp(dir) != NULL);
    FUZZ_MUST(store_open(&store, dir, &options, &err) == MR_OK);
    atexit(store_remove);
    for (int64_t token = TOKEN; token < TOKEN + 2; token++) {
        for (size_t i = 0; i < MR_COUNT(clusterings); i++) {
            const struct store_mutation row = { .kind = STORE_WRITE,
                                                .key = { .table_id = TABLE,
                                                         .token = token,
                                                         .partition_key = bytes_of("k"),
                                                         .kind = STORE_ROW_CLUSTERED,
                                                         .clustering = bytes_of(clusterings[i]) },
                                                .write_time_us = 1,
                                                .with_marker = true,
                                                .cells = &cell,
                                                .cell_count = 1 };
            FUZZ_MUST(store_apply_wait(store, &row, 1, &err) == MR_OK);
        }
    }
}

static void scan_walk(struct store_scan *scan, bool skip)
{
    struct mr_arena *arena = mr_arena_new();
    struct mr_writer next = { 0 };
    struct store_row row;
    int64_t token = 0;
    struct mr_bytes key;
    int rows = 0;

    while (store_scan_next(scan, arena, &row, NULL) == MR_OK) {
        FUZZ_MUST(++rows <= ROWS_MAX && row.key.table_id == TABLE);
        if (skip)
            store_scan_skip_partition(scan);
    }
    store_scan_resume(scan, &next);
    if (rows > 0)
        FUZZ_MUST(store_resume_partition(mr_writer_bytes(&next), &token, &key) == MR_OK);
    mr_writer_deinit(&next);
    mr_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store_scan_options options = {
        .table_id = TABLE, .token_first = INT64_MIN, .token_last = INT64_MAX, .token = TOKEN
    };
    struct store_scan *scan = NULL;
    struct mr_bytes key = { 0 };
    int64_t token;
    uint8_t choice;

    if (store == NULL)
        store_fill();
    if (size < 1)
        return 0;
    choice = data[0];
    options.one_partition = (choice & 1) != 0;
    options.partition_key = bytes_of("k");
    options.reverse = options.one_partition && (choice & 2) != 0;
    if (options.one_partition && (choice & 4) != 0)
        options.clustering_from = bytes_of("b");
    if (options.one_partition && (choice & 8) != 0)
        options.clustering_to = bytes_of("c");
    if (size > 1) /* else null, as for a first page */
        options.resume = (struct mr_bytes){ data + 1, size - 1 };
    if (store_resume_partition(options.resume, &token, &key) == MR_OK)
        FUZZ_MUST(key.data >= options.resume.data && key.size < options.resume.size);
    if (store_scan_open(&scan, store, &options, NULL) != MR_OK)
        return 0;
    scan_walk(scan, !options.reverse && (choice & 16) != 0);
    store_scan_close(scan);
    return 0;
}
