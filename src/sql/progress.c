/* progress.c -- what a query did, epoch by epoch, with the fields of Spark's StreamingQueryProgress.
 *
 * A ring of the newest entries.  An epoch with records opens an entry, or adds to the newest one while that is younger
 * than a second: thousands of short epochs a second cost one entry.  So batchId is the last epoch of an entry, its
 * offsets are from before the first to after the last, its durations are sums.
 *
 * Invariants
 *   P1  the entries of a start follow each other without a gap: the start offsets of one are the end offsets of the one
 *       before.
 *   P2  a source's offsets are kept for at most PROGRESS_SPLITS_MAX splits; with more of them the ring is shorter.
 * Estimate: one epoch costs a lock and some additions; with 8 partitions an entry has 500 bytes, a ring 50 KiB. */
#include "sql/engine_int.h"

#include "base/text.h"

#include <string.h>
#include <time.h>

enum {
    PROGRESS_ENTRY_US = 1000000,
    PROGRESS_SPLITS_MAX = 10000,
    PROGRESS_SPLITS_MANY = 1000, /* from here on the ring keeps a tenth */
};

struct offset {
    int32_t split;
    int64_t start, end;
    int64_t latest; /* -1: unknown */
};

struct source_entry {
    struct offset *offsets; /* owned */
    uint32_t offset_count, offset_capacity;
    int64_t rows;
};

struct entry {
    char run_id[37];
    int64_t batch_id;
    int64_t began_us;  /* since 1970 */
    int64_t waited_us; /* since the entry before began; 0: there was none */
    int64_t rows_in, rows_out;
    int64_t add_us, commit_us;
    struct source_entry *sources; /* owned; source_count of them */
};

struct sql_progress {
    const struct sql_query *bound;
    struct entry entries[SQL_PROGRESS_ENTRIES]; /* a ring */
    uint32_t next, count;
    bool open;                     /* the newest entry belongs to this start */
    int64_t rows_in, rows_out;     /* of the run, as of the last note */
    struct source_entry *standing; /* owned; source_count of them: where the sources stood at the last note */
};

struct sql_progress *sql_progress_new(const struct sql_query *bound)
{
    struct sql_progress *p = MR_NEW(struct sql_progress);

    p->bound = bound;
    p->standing = mr_calloc(bound->source_count + 1, sizeof(struct source_entry));
    return p;
}

static void sources_free(struct source_entry *sources, uint32_t count)
{
    for (uint32_t i = 0; sources != NULL && i < count; i++)
        mr_free(sources[i].offsets);
    mr_free(sources);
}

void sql_progress_free(struct sql_progress *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < SQL_PROGRESS_ENTRIES; i++)
        sources_free(p->entries[i].sources, p->bound->source_count);
    sources_free(p->standing, p->bound->source_count);
    mr_free(p);
}

/* ---- noting ---- */

static struct offset *offset_of(struct source_entry *s, int32_t split, uint32_t hint)
{
    if (hint < s->offset_count && s->offsets[hint].split == split)
        return &s->offsets[hint];
    for (uint32_t i = 0; i < s->offset_count; i++) {
        if (s->offsets[i].split == split)
            return &s->offsets[i];
    }
    if (s->offset_count == PROGRESS_SPLITS_MAX)
        return NULL;
    MR_GROW(s->offsets, s->offset_count, s->offset_capacity);
    s->offsets[s->offset_count] = (struct offset){ .split = split, .start = -1, .end = -1, .latest = -1 };
    return &s->offsets[s->offset_count++];
}

/* Where RUN's sources stand now. */
static void standing_take(struct sql_progress *p, struct sql_run *run)
{
    for (uint32_t i = 0; i < p->bound->source_count; i++) {
        struct sql_run_source *source = &run->sources[i];
        struct source_entry *standing = &p->standing[i];
        standing->rows = source->rows_in;
        for (uint32_t n = 0; n < source->split_count; n++) {
            const struct sql_split *split = &source->splits[n];
            struct offset *o = split->has_position ? offset_of(standing, split->position.split, n) : NULL;
            if (o == NULL)
                continue;
            o->end = split->position.next;
            o->latest = source->source != NULL && source->ops->latest != NULL
                            ? source->ops->latest(source->source, o->split)
                            : -1;
        }
    }
}

void sql_progress_begin(struct sql_run *run)
{
    struct sql_progress *p = run->progress;

    pthread_mutex_lock(&run->lock);
    p->open = false;
    p->rows_in = p->rows_out = 0;
    for (uint32_t i = 0; i < p->bound->source_count; i++)
        p->standing[i].offset_count = 0;
    standing_take(p, run);
    pthread_mutex_unlock(&run->lock);
}

static struct entry *newest(struct sql_progress *p)
{
    return p->count > 0 ? &p->entries[(p->next + SQL_PROGRESS_ENTRIES - 1) % SQL_PROGRESS_ENTRIES] : NULL;
}

/* How many entries are kept. */
static uint32_t ring_size(const struct sql_progress *p)
{
    uint32_t splits = 0;

    for (uint32_t i = 0; i < p->bound->source_count; i++)
        splits += p->standing[i].offset_count;
    return splits > PROGRESS_SPLITS_MANY ? SQL_PROGRESS_ENTRIES / 10 : SQL_PROGRESS_ENTRIES;
}

/* A new entry, which starts where the sources stood at the last note. */
static struct entry *entry_open(struct sql_progress *p, int64_t began_us)
{
    struct entry *before = newest(p), *e = &p->entries[p->next];
    struct source_entry *sources = e->sources;

    if (sources == NULL)
        sources = mr_calloc(p->bound->source_count + 1, sizeof(struct source_entry));
    *e = (struct entry){ .began_us = began_us, .sources = sources };
    if (before != NULL && p->open && before != e)
        e->waited_us = began_us - before->began_us;
    for (uint32_t i = 0; i < p->bound->source_count; i++) {
        sources[i].rows = 0;
        sources[i].offset_count = 0;
        for (uint32_t n = 0; n < p->standing[i].offset_count; n++) {
            struct offset *o = offset_of(&sources[i], p->standing[i].offsets[n].split, n);
            o->start = p->standing[i].offsets[n].end;
        }
    }
    p->next = (p->next + 1) % SQL_PROGRESS_ENTRIES;
    if (p->count < SQL_PROGRESS_ENTRIES)
        p->count++;
    p->open = true;
    while (p->count > ring_size(p)) { /* what is not kept gives its memory back */
        struct entry *oldest = &p->entries[(p->next + SQL_PROGRESS_ENTRIES - p->count) % SQL_PROGRESS_ENTRIES];
        sources_free(oldest->sources, p->bound->source_count);
        *oldest = (struct entry){ 0 };
        p->count--;
    }
    return e;
}

static void entry_add(struct sql_progress *p, struct entry *e, const struct sql_run *run)
{
    memcpy(e->run_id, run->status.run_id, sizeof(e->run_id));
    e->batch_id = run->epoch > 0 ? run->epoch - 1 : 0;
    e->rows_in += run->counts.rows_in - p->rows_in;
    e->rows_out += run->counts.rows_out - p->rows_out;
    e->add_us += run->took.add_us;
    e->commit_us += run->took.commit_us;
    p->rows_in = run->counts.rows_in;
    p->rows_out = run->counts.rows_out;
}

void sql_progress_note(struct sql_run *run)
{
    struct sql_progress *p = run->progress;
    bool has_rows = run->counts.rows_in != p->rows_in;
    struct entry *e;

    pthread_mutex_lock(&run->lock);
    e = p->open ? newest(p) : NULL;
    if (has_rows &&
        (e == NULL || run->work_start_us - e->began_us >= PROGRESS_ENTRY_US || run->work_start_us < e->began_us))
        e = entry_open(p, run->work_start_us);
    if (has_rows) {
        for (uint32_t i = 0; i < p->bound->source_count; i++)
            e->sources[i].rows += run->sources[i].rows_in - p->standing[i].rows;
        entry_add(p, e, run);
    }
    standing_take(p, run);
    for (uint32_t i = 0; has_rows && i < p->bound->source_count; i++) {
        for (uint32_t n = 0; n < p->standing[i].offset_count; n++) {
            const struct offset *now = &p->standing[i].offsets[n];
            struct offset *o = offset_of(&e->sources[i], now->split, n);
            o->end = now->end;
            o->latest = now->latest;
        }
    }
    pthread_mutex_unlock(&run->lock);
}

/* ---- showing ---- */

static const char *option_of(const struct sql_table *table, const char *name)
{
    const char *value = sql_table_option(table, name);

    return value != NULL ? value : "";
}

static const char *connector_of(const struct sql_table *table)
{
    return table->connector->name;
}

/* As Spark names its sources and sinks, where it has such. */
static void description_write(struct mr_writer *out, const struct sql_table *table, bool is_sink)
{
    const char *connector = connector_of(table);

    if (strcmp(connector, "kafka") == 0)
        mr_write_text(out, is_sink ? "Kafka[%s]" : "KafkaV2[Subscribe[%s]]", option_of(table, "topic"));
    else if (strcmp(connector, "cassandra") == 0)
        mr_write_text(out, "Cassandra[%s.%s]", option_of(table, "keyspace"), option_of(table, "table"));
    else if (strcmp(connector, "file") == 0)
        mr_write_text(out, is_sink ? "FileSink[%s]" : "FileStreamSource[%s]", option_of(table, "path"));
    else
        mr_write_text(out, "%s[%s]", connector, table->name);
}

static void description_json(struct mr_writer *out, const struct sql_table *table, bool is_sink)
{
    struct mr_writer text = { 0 };

    if (table != NULL)
        description_write(&text, table, is_sink);
    else
        mr_write_text(&text, "Values");
    mr_write_json_string(out, mr_str_of_bytes(mr_writer_bytes(&text)));
    mr_writer_deinit(&text);
}

enum which { WHICH_START, WHICH_END, WHICH_LATEST };

static int64_t offset_pick(const struct offset *o, enum which which)
{
    return which == WHICH_START ? o->start : which == WHICH_END ? o->end : o->latest;
}

/* {"topic":{"0":17}} for Kafka, a number for a source of one split, null when nothing is known. */
static void offsets_json(struct mr_writer *out, const struct sql_table *table, const struct source_entry *s,
                         enum which which)
{
    bool is_kafka = table != NULL && strcmp(connector_of(table), "kafka") == 0, any = false;

    for (uint32_t i = 0; i < s->offset_count; i++)
        any = any || offset_pick(&s->offsets[i], which) >= 0;
    if (!any) {
        mr_write_text(out, "null");
        return;
    }
    if (!is_kafka && s->offset_count == 1) {
        mr_write_text(out, "%" PRId64, offset_pick(&s->offsets[0], which));
        return;
    }
    if (is_kafka) {
        mr_write_u8(out, '{');
        mr_write_json_string(out, mr_str_of(option_of(table, "topic")));
        mr_write_u8(out, ':');
    }
    mr_write_u8(out, '{');
    any = false;
    for (uint32_t i = 0; i < s->offset_count; i++) {
        if (offset_pick(&s->offsets[i], which) < 0)
            continue;
        mr_write_text(out, "%s\"%d\":%" PRId64, any ? "," : "", s->offsets[i].split,
                      offset_pick(&s->offsets[i], which));
        any = true;
    }
    mr_write_text(out, is_kafka ? "}}" : "}");
}

/* How long ago the entry before began, and how long the work took; Spark's two rates are over these. */
static void rates_json(struct mr_writer *out, int64_t rows, const struct entry *e)
{
    int64_t worked_us = e->add_us + e->commit_us;

    mr_write_text(out, ",\"inputRowsPerSecond\":%.1f,\"processedRowsPerSecond\":%.1f",
                  e->waited_us > 0 ? (double)rows * 1e6 / (double)e->waited_us : 0.0,
                  worked_us > 0 ? (double)rows * 1e6 / (double)worked_us : 0.0);
}

static void timestamp_json(struct mr_writer *out, int64_t us)
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    mr_write_text(out, "\"%s.%03dZ\"", text, (int)(us / 1000 % 1000));
}

static void sources_json(struct mr_writer *out, const struct sql_query *bound, const struct entry *e)
{
    mr_write_text(out, ",\"sources\":[");
    for (uint32_t i = 0; i < bound->source_count; i++) {
        const struct sql_table *table = bound->sources[i].table;
        const struct source_entry *s = &e->sources[i];
        mr_write_text(out, "%s{\"description\":", i > 0 ? "," : "");
        description_json(out, table, false);
        mr_write_text(out, ",\"startOffset\":");
        offsets_json(out, table, s, WHICH_START);
        mr_write_text(out, ",\"endOffset\":");
        offsets_json(out, table, s, WHICH_END);
        mr_write_text(out, ",\"latestOffset\":");
        offsets_json(out, table, s, WHICH_LATEST);
        mr_write_text(out, ",\"numInputRows\":%" PRId64, s->rows);
        rates_json(out, s->rows, e);
        mr_write_u8(out, '}');
    }
    mr_write_u8(out, ']');
}

/* Spark's queries have one sink; a statement set's are named together. */
static void sink_json(struct mr_writer *out, const struct sql_query *bound, const struct entry *e)
{
    struct mr_writer text = { 0 };

    for (uint32_t i = 0; i < bound->output_count; i++) {
        mr_write_text(&text, "%s", i > 0 ? ", " : "");
        if (bound->outputs[i].sink != NULL)
            description_write(&text, bound->outputs[i].sink, true);
    }
    mr_write_text(out, ",\"sink\":{\"description\":");
    mr_write_json_string(out, mr_str_of_bytes(mr_writer_bytes(&text)));
    mr_write_text(out, ",\"numOutputRows\":%" PRId64 "}", e->rows_out);
    mr_writer_deinit(&text);
}

/* Reading goes on while rows are made and written, so getBatch and latestOffset have no time of their own. */
static void entry_json(struct mr_writer *out, const struct sql_run *run, const struct entry *e)
{
    const struct sql_query_status *s = &run->status;
    int64_t add_ms = (e->add_us + 500) / 1000, commit_ms = (e->commit_us + 500) / 1000;

    mr_write_text(out, "{\"id\":\"%s\",\"runId\":\"%s\",\"name\":", s->id, e->run_id);
    mr_write_json_string(out, mr_str_of(s->name));
    mr_write_text(out, ",\"timestamp\":");
    timestamp_json(out, e->began_us);
    mr_write_text(out, ",\"batchId\":%" PRId64 ",\"batchDuration\":%" PRId64 ",\"numInputRows\":%" PRId64, e->batch_id,
                  add_ms + commit_ms, e->rows_in);
    rates_json(out, e->rows_in, e);
    mr_write_text(out,
                  ",\"durationMs\":{\"addBatch\":%" PRId64 ",\"commitOffsets\":%" PRId64
                  ",\"getBatch\":0,\"latestOffset\":0,\"queryPlanning\":0,\"triggerExecution\":%" PRId64
                  ",\"walCommit\":0},\"eventTime\":{},\"stateOperators\":[]",
                  add_ms, commit_ms, add_ms + commit_ms);
    sources_json(out, run->bound, e);
    sink_json(out, run->bound, e);
    mr_write_u8(out, '}');
}

enum mr_status sql_engine_query_progress(struct sql_engine *engine, const char *name, uint32_t count,
                                         struct mr_writer *out, struct mr_err *err)
{
    struct sql_run *run = sql_engine_run(engine, name);
    const struct sql_progress *p;

    if (run == NULL) {
        sql_engine_no_query(engine, name, err);
        return MR_NOT_FOUND;
    }
    mr_write_u8(out, '[');
    pthread_mutex_lock(&run->lock);
    p = run->progress;
    if (count > p->count)
        count = p->count;
    for (uint32_t i = count; i > 0; i--) {
        if (i < count)
            mr_write_u8(out, ',');
        entry_json(out, run, &p->entries[(p->next + SQL_PROGRESS_ENTRIES - i) % SQL_PROGRESS_ENTRIES]);
    }
    pthread_mutex_unlock(&run->lock);
    mr_write_u8(out, ']');
    return MR_OK;
}

/* A URL's scheme, host and path: users, passwords and keys are in the rest.  Other texts as they are. */
static struct mr_str without_secrets(struct mr_str text)
{
    const char *host = text.size > 0 ? memmem(text.data, text.size, "://", 3) : NULL;
    const char *end, *at;

    if (host == NULL)
        return text;
    end = memchr(text.data, '?', text.size);
    if (end != NULL)
        text.size = (size_t)(end - text.data);
    at = memrchr(text.data, '@', text.size);
    if (at != NULL)
        return (struct mr_str){ at + 1, (size_t)(text.data + text.size - at - 1) };
    return text;
}

/* What the table stands for, under the name that others know it by: a topic, "keyspace.table", a path, a URL. */
static void object_json(struct mr_writer *out, const struct sql_table *table)
{
    static const char *const names[] = { "topic", "keyspace", "path", "url" };
    struct mr_writer text = { 0 };

    for (size_t i = 0; table != NULL && i < MR_COUNT(names) && text.size == 0; i++)
        mr_write_text(&text, "%s", option_of(table, names[i]));
    if (table != NULL && strcmp(connector_of(table), "cassandra") == 0)
        mr_write_text(&text, ".%s", option_of(table, "table"));
    if (text.size == 0 && table != NULL)
        mr_write_text(&text, "%s", table->name);
    mr_write_json_string(out, without_secrets(mr_str_of_bytes(mr_writer_bytes(&text))));
    mr_writer_deinit(&text);
}

static void table_json(struct mr_writer *out, const struct sql_table *table, bool is_sink)
{
    mr_write_text(out, "{\"table\":");
    if (table != NULL)
        mr_write_json_string(out, mr_str_of(table->name));
    else
        mr_write_text(out, "null");
    mr_write_text(out, ",\"connector\":");
    mr_write_json_string(out, mr_str_of(table != NULL ? connector_of(table) : "values"));
    mr_write_text(out, ",\"object\":");
    object_json(out, table);
    mr_write_text(out, ",\"description\":");
    description_json(out, table, is_sink);
    mr_write_u8(out, '}');
}

/* "sources":[…],"sinks":[…] */
static void ends_json(struct mr_writer *out, const struct sql_query *bound)
{
    mr_write_text(out, "\"sources\":[");
    for (uint32_t n = 0; n < bound->source_count; n++) {
        mr_write_text(out, "%s", n > 0 ? "," : "");
        table_json(out, bound->sources[n].table, false);
    }
    mr_write_text(out, "],\"sinks\":[");
    for (uint32_t n = 0; n < bound->output_count; n++) {
        mr_write_text(out, "%s", n > 0 ? "," : "");
        table_json(out, bound->outputs[n].sink, true);
    }
    mr_write_u8(out, ']');
}

void sql_task_ends_write(const struct sql_task *task, struct mr_writer *out)
{
    ends_json(out, sql_task_bound(task));
}

bool sql_engine_query_json(struct sql_engine *engine, size_t i, struct mr_writer *out)
{
    struct sql_query_status s;
    const struct sql_query *bound;

    if (!sql_engine_query(engine, i, &s))
        return false;
    pthread_mutex_lock(&engine->lock);
    bound = engine->runs[i]->bound;
    pthread_mutex_unlock(&engine->lock);
    mr_write_text(out, "{\"name\":");
    mr_write_json_string(out, mr_str_of(s.name));
    mr_write_text(out, ",\"id\":\"%s\",\"run_id\":\"%s\",\"state\":\"%s\"", s.id, s.run_id,
                  sql_query_state_name(s.state));
    mr_write_text(out,
                  ",\"epoch\":%" PRId64 ",\"rows_in\":%" PRId64 ",\"rows_out\":%" PRId64 ",\"dead_letters\":%" PRId64
                  ",\"skipped\":%" PRId64 ",\"lag\":%" PRId64 ",\"batch_us\":%" PRId64 ",\"started_ms\":%" PRId64
                  ",\"error\":",
                  s.epoch, s.rows_in, s.rows_out, s.dead_letters, s.skipped, s.lag, s.batch_us, s.started_ms);
    mr_write_json_string(out, mr_str_of(s.error));
    mr_write_u8(out, ',');
    ends_json(out, bound);
    mr_write_u8(out, '}');
    return true;
}
