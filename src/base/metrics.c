/* metrics.c -- the registry: a list that only grows, under a lock; values are atomics, so counting takes no lock. */
#include "base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct mr_metric {
    enum mr_metric_kind kind;
    char *name;   /* owned */
    char *labels; /* owned */
    char *help;   /* owned */
    _Atomic int64_t value;
    struct mr_metric *next_same; /* next series of this name; borrowed */
    struct mr_metric *next;      /* next name, in the order of first use; borrowed */
};

static pthread_mutex_t metrics_lock = PTHREAD_MUTEX_INITIALIZER;
static struct mr_metric *metrics_first; /* first series of each name */

static struct mr_metric *metric_new(enum mr_metric_kind kind, const char *name, const char *labels, const char *help)
{
    struct mr_metric *m = MR_NEW(struct mr_metric);

    m->kind = kind;
    m->name = mr_strdup(name);
    m->labels = mr_strdup(labels);
    m->help = mr_strdup(help);
    return m;
}

struct mr_metric *mr_metric(enum mr_metric_kind kind, const char *name, const char *labels, const char *help)
{
    struct mr_metric **at = &metrics_first;
    struct mr_metric *found;

    pthread_mutex_lock(&metrics_lock);
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    if (*at == NULL) {
        found = *at = metric_new(kind, name, labels, help);
    } else {
        while (*at != NULL && strcmp((*at)->labels, labels) != 0)
            at = &(*at)->next_same;
        if (*at == NULL)
            *at = metric_new(kind, name, labels, help);
        found = *at;
    }
    pthread_mutex_unlock(&metrics_lock);
    assert(found->kind == kind);
    return found;
}

void mr_metric_add(struct mr_metric *metric, int64_t delta)
{
    atomic_fetch_add_explicit(&metric->value, delta, memory_order_relaxed);
}

void mr_metric_set(struct mr_metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t mr_metric_value(const struct mr_metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

void mr_metric_label(struct mr_writer *out, const char *name, struct mr_str value)
{
    if (out->size > 0)
        mr_write_u8(out, ',');
    mr_write_text(out, "%s=\"", name);
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];

        if (c == '\\' || c == '"')
            mr_write_u8(out, '\\');
        if (c == '\n')
            mr_write_text(out, "\\n");
        else
            mr_write_u8(out, (uint8_t)c);
    }
    mr_write_u8(out, '"');
}

static void metric_render(const struct mr_metric *m, struct mr_writer *out)
{
    mr_write_text(out, "%s", m->name);
    if (m->labels[0] != '\0')
        mr_write_text(out, "{%s}", m->labels);
    mr_write_text(out, " %" PRId64 "\n", mr_metric_value(m));
}

void mr_metrics_render(struct mr_writer *out)
{
    pthread_mutex_lock(&metrics_lock);
    for (const struct mr_metric *name = metrics_first; name != NULL; name = name->next) {
        mr_write_text(out, "# HELP %s %s\n# TYPE %s %s\n", name->name, name->help, name->name,
                      name->kind == MR_METRIC_COUNTER ? "counter" : "gauge");
        for (const struct mr_metric *m = name; m != NULL; m = m->next_same)
            metric_render(m, out);
    }
    pthread_mutex_unlock(&metrics_lock);
}
