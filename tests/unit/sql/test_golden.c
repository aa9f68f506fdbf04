/* test_golden.c -- runs the golden files of tests/golden: SQL with the answer below it.
 *
 *   test_golden DIR [FILE …]
 *
 * A file is SQL with these comments:
 *   -- test: WHAT                      what it shows; every file has one
 *   -- compare: rows in any order      else the order counts
 *   -- rows                            the last statement above gave exactly the rows in the "-- a | b" lines that
 * follow
 *   -- fails (next statement): WHY     the statement below is refused so; lines are counted from its first one
 * $INPUT is the folder tests/golden/input, $OUTPUT an empty one of this run.
 *
 * Each file is run straight through, then with polls of 1 and 3 records, then killed and resumed: after every
 * checkpoint, and before the n-th step of each query for every n.  There is one answer.  Rows of a SELECT count when a
 * checkpoint covers them, so each must come exactly once; a file that an INSERT wrote may have rows twice. */
#include "golden_kill.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 64 * 1024, STEPS_MAX = 1000 };

/* A way to run a file. */
struct golden_way {
    uint32_t per_poll; /* records; 0: as many as the engine asks for */
    bool durable;      /* with checkpoints, so that it can be killed */
    int kill_at;       /* enum golden_kill_at, or a step */
};

struct golden {
    const char *file;
    struct golden_way way;
    struct golden_kill kill;
    struct sql_engine *engine;
    struct mr_writer sql;    /* statements not yet run */
    int sql_lines;           /* of them */
    struct mr_writer got;    /* rows of the last statement, a line each */
    struct mr_writer expect; /* rows wanted */
    struct mr_writer why;    /* the failure wanted; size 0: none */
    bool reading_rows;
    bool any_order;
    bool has_test;
    int wrong;
    int line;
};

static void golden_wrong(struct golden *g, const char *what, const char *expected, const char *got)
{
    g->wrong++;
    printf("%s:%d: %s\n  expected: %s\n  got:      %s\n", g->file, g->line, what, expected, got);
    if (g->way.durable && g->way.kill_at == GOLDEN_KILL_CHECKPOINTS)
        printf("  (polls of %u, killed after every checkpoint)\n", g->way.per_poll);
    else if (g->way.durable)
        printf("  (polls of %u, killed before step %d)\n", g->way.per_poll, g->way.kill_at);
    else if (g->way.per_poll != 0)
        printf("  (polls of %u)\n", g->way.per_poll);
}

static void rows_begin(void *arg, const struct data_type *row, bool live)
{
    struct golden *g = arg;

    MR_UNUSED(row);
    MR_UNUSED(live);
    g->got.size = 0;
}

static void rows_add(void *arg, const struct data_batch *batch)
{
    struct golden *g = arg;

    for (uint32_t row = 0; row < batch->row_count; row++) {
        for (uint32_t c = 0; c < batch->column_count; c++) {
            if (c > 0)
                mr_write_text(&g->got, " | ");
            data_cell_write(&g->got, batch->columns[c], row, true);
        }
        mr_write_u8(&g->got, '\n');
    }
}

static int line_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The text as a string, its lines sorted when SORT, without the repeated ones when also ONCE.  Caller frees. */
static char *lines_of(const struct mr_writer *text, bool sort, bool once)
{
    char *copy = mr_str_dup((struct mr_str){ (const char *)text->data, text->size });
    char *lines[4096];
    struct mr_writer out = { 0 };
    size_t count = 0;

    if (!sort)
        return copy;
    for (char *line = strtok(copy, "\n"); line != NULL && count < MR_COUNT(lines); line = strtok(NULL, "\n"))
        lines[count++] = line;
    qsort(lines, count, sizeof(lines[0]), line_compare);
    for (size_t i = 0; i < count; i++) {
        if (!once || i == 0 || strcmp(lines[i - 1], lines[i]) != 0)
            mr_write_text(&out, "%s\n", lines[i]);
    }
    mr_write_u8(&out, '\0');
    mr_free(copy);
    return (char *)out.data;
}

/* Runs what was gathered; it must succeed, or fail as said. */
static void golden_run(struct golden *g)
{
    const struct sql_results results = { .on_begin = rows_begin, .on_rows = rows_add, .arg = g };
    struct mr_err err = MR_ERR_INIT;
    struct mr_str sql = { (const char *)g->sql.data, g->sql.size };
    struct mr_writer text = { 0 };
    enum mr_status status;

    if (g->sql.size == 0)
        return;
    g->kill.results = &results;
    if (g->way.durable)
        status = golden_kill_execute(&g->kill, sql, &err);
    else
        status = sql_engine_execute(g->engine, sql, "golden", &results, &err);
    if (err.line > 0)
        mr_write_text(&text, "line %d, column %d: %s", err.line, err.column, err.text);
    else
        mr_write_text(&text, "%s", err.text);
    mr_write_u8(&text, '\0');
    if (g->why.size != 0) {
        mr_write_u8(&g->why, '\0');
        if (status == MR_OK || strcmp((char *)g->why.data, (char *)text.data) != 0)
            golden_wrong(g, "a statement should fail", (char *)g->why.data,
                         status == MR_OK ? "(no error)" : (char *)text.data);
    } else if (status != MR_OK) {
        golden_wrong(g, "a statement fails", "(no error)", (char *)text.data);
    }
    mr_writer_deinit(&text);
    g->sql.size = 0;
    g->why.size = 0;
}

static void golden_compare(struct golden *g)
{
    bool once = g->kill.inserted, sort = g->any_order || once;
    char *expect, *got;

    if (!g->reading_rows)
        return;
    expect = lines_of(&g->expect, sort, once);
    got = lines_of(&g->got, sort, once);
    if (strcmp(expect, got) != 0)
        golden_wrong(g, "other rows", expect, got);
    mr_free(expect);
    mr_free(got);
    g->reading_rows = false;
    g->expect.size = 0;
    g->got.size = 0;
}

static void golden_sql(struct golden *g, const char *line)
{
    for (const char *at = line; *at != '\0';) {
        if (strncmp(at, "$INPUT", 6) == 0 || strncmp(at, "$OUTPUT", 7) == 0) {
            mr_write_text(&g->sql, "%s", at[1] == 'I' ? "input" : "output");
            at += at[1] == 'I' ? 6 : 7;
        } else {
            mr_write_u8(&g->sql, (uint8_t)*at++);
        }
    }
    mr_write_u8(&g->sql, '\n');
}

static void golden_line(struct golden *g, const char *line)
{
    static const char fails[] = "-- fails (next statement): ";

    if (strncmp(line, "-- test:", 8) == 0) {
        g->has_test = true;
    } else if (strncmp(line, "-- compare:", 11) == 0) {
        g->any_order = strstr(line, "any order") != NULL;
    } else if (strcmp(line, "-- rows") == 0) {
        golden_run(g);
        g->reading_rows = true;
    } else if (strncmp(line, fails, sizeof(fails) - 1) == 0) {
        golden_compare(g);
        golden_run(g);
        mr_write_text(&g->why, "%s", line + sizeof(fails) - 1);
    } else if (g->reading_rows && strncmp(line, "-- ", 3) == 0) {
        mr_write_text(&g->expect, "%s\n", line + 3);
    } else if (line[0] != '\0' && strncmp(line, "--", 2) != 0) {
        golden_compare(g);
        golden_sql(g, line);
        if (g->why.size != 0 && line[strlen(line) - 1] == ';')
            golden_run(g);
    } else if (g->sql.size != 0) {
        golden_sql(g, "");
    }
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    MR_UNUSED(info);
    MR_UNUSED(kind);
    MR_UNUSED(where);
    return remove(path);
}

static void copy_inputs(const char *dir, const char *to)
{
    char from_path[1024], to_path[1024], buffer[4096];
    struct dirent *entry;
    DIR *inputs;

    snprintf(from_path, sizeof(from_path), "%s/input", dir);
    inputs = opendir(from_path);
    while (inputs != NULL && (entry = readdir(inputs)) != NULL) {
        FILE *in, *out;
        size_t size;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(from_path, sizeof(from_path), "%s/input/%s", dir, entry->d_name);
        snprintf(to_path, sizeof(to_path), "%s/input/%s", to, entry->d_name);
        in = fopen(from_path, "r");
        out = fopen(to_path, "w");
        while (in != NULL && out != NULL && (size = fread(buffer, 1, sizeof(buffer), in)) > 0)
            fwrite(buffer, 1, size, out);
        if (in != NULL)
            fclose(in);
        if (out != NULL)
            fclose(out);
    }
    if (inputs != NULL)
        closedir(inputs);
}

/* Makes PROJECT (a template) with its folders. */
static void project_make(char *project, const char *dir)
{
    static const char *const folders[] = { "input", "output" };
    char path[1024];

    if (mkdtemp(project) == NULL)
        exit(2);
    for (size_t i = 0; i < MR_COUNT(folders); i++) {
        snprintf(path, sizeof(path), "%s/%s", project, folders[i]);
        mkdir(path, 0700);
    }
    copy_inputs(dir, project);
}

/* One file in one way; *KILLS is how often it was killed. */
static int golden_file_way(const char *dir, const char *file, const struct golden_way *way, struct golden_state *state,
                           int *kills)
{
    struct golden g = { .file = file, .way = *way };
    char project[] = "/tmp/millrace-golden-XXXXXX", path[1024];
    struct mr_err err = MR_ERR_INIT;
    struct sql_engine_options options = { .env = golden_env(),
                                          .connectors = golden_connectors(way->per_poll),
                                          .project_dir = project };
    char *line = mr_alloc(LINE_BYTES_MAX);
    FILE *in;

    project_make(project, dir);
    snprintf(path, sizeof(path), "%s/%s", dir, file);
    in = fopen(path, "r");
    if (in == NULL || sql_engine_open(&g.engine, &options, &err) != MR_OK) {
        printf("%s: can't be run: %s\n", path, err.text);
        exit(2);
    }
    g.kill = (struct golden_kill){ .engine = g.engine, .state = state, .rows = &g.got, .at = way->kill_at };
    while (fgets(line, LINE_BYTES_MAX, in) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        g.line++;
        golden_line(&g, line);
    }
    golden_compare(&g);
    golden_run(&g);
    if (!g.has_test)
        golden_wrong(&g, "no description", "-- test: …", "nothing");
    fclose(in);
    sql_engine_close(g.engine);
    mr_writer_deinit(&g.sql);
    mr_writer_deinit(&g.got);
    mr_writer_deinit(&g.expect);
    mr_writer_deinit(&g.why);
    mr_free(line);
    nftw(project, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    *kills = g.kill.kills;
    return g.wrong;
}

/* One file in every way, until one is wrong. */
static int golden_file(const char *dir, const char *file, struct golden_state *state, int *kills)
{
    static const struct golden_way ways[] = {
        { 0, false, GOLDEN_KILL_NEVER },      { 1, false, GOLDEN_KILL_NEVER },      { 3, false, GOLDEN_KILL_NEVER },
        { 1, true, GOLDEN_KILL_CHECKPOINTS }, { 3, true, GOLDEN_KILL_CHECKPOINTS },
    };
    int wrong = 0, killed;

    for (size_t i = 0; i < MR_COUNT(ways) && wrong == 0; i++) {
        wrong = golden_file_way(dir, file, &ways[i], state, &killed);
        *kills += killed;
    }
    killed = 1;
    for (int step = 0; step < STEPS_MAX && killed > 0 && wrong == 0; step++) {
        struct golden_way way = { 2, true, step };

        wrong = golden_file_way(dir, file, &way, state, &killed);
        *kills += killed;
    }
    return wrong;
}

static int is_sql(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);

    return size > 4 && strcmp(entry->d_name + size - 4, ".sql") == 0;
}

static int golden_folder(const char *dir, struct golden_state *state)
{
    struct dirent **files = NULL;
    int count = scandir(dir, &files, is_sql, alphasort), wrong = 0, kills = 0;

    for (int i = 0; i < count; i++) {
        wrong += golden_file(dir, files[i]->d_name, state, &kills);
        free(files[i]);
    }
    free(files);
    printf("%d golden files, killed %d times, %d wrong\n", count, kills, wrong);
    return wrong != 0 || count < 1 || kills < count;
}

int main(int argc, char **argv)
{
    /* Checkpoints are synced, a thousand times: in memory where there is such a folder. */
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    struct golden_state state = { 0 };
    int wrong = 0, kills = 0;

    snprintf(state.dir, sizeof(state.dir), "%s/millrace-golden-XXXXXX", folder);
    if (argc < 2 || mkdtemp(state.dir) == NULL) {
        printf("usage: %s DIR [FILE …]\n", argv[0]);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        wrong += golden_file(argv[1], argv[i], &state, &kills);
    if (argc == 2)
        wrong = golden_folder(argv[1], &state);
    state_close(state.open);
    nftw(state.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return wrong != 0;
}
