/* metrics.h -- counters, gauges and histograms, shown in Prometheus' text format at /metrics and by `millrace status`.
 *
 * Names and units follow Prometheus: millrace_<room>_<what>_<unit>, counters end in _total. */
#ifndef MR_METRICS_H
#define MR_METRICS_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum mr_metric_kind { MR_METRIC_COUNTER, MR_METRIC_GAUGE };

struct mr_metric; /* one series; lives until the program ends */

/* The series NAME{LABELS}, made at the first call and the same at each later one.  LABELS is the text between the
 * braces, values escaped by mr_metric_label, or "" for none. [any] */
struct mr_metric *mr_metric(enum mr_metric_kind kind, const char *name, const char *labels, const char *help);
/* Adds to a counter or gauge; sets a gauge; reads either.  Atomic. [any] */
void mr_metric_add(struct mr_metric *metric, int64_t delta);
void mr_metric_set(struct mr_metric *metric, int64_t value);
int64_t mr_metric_value(const struct mr_metric *metric);
/* Appends NAME="VALUE" with VALUE escaped to OUT. [any] */
void mr_metric_label(struct mr_writer *out, const char *name, struct mr_str value);
/* Appends every series in Prometheus' text format 0.0.4. [any] */
void mr_metrics_render(struct mr_writer *out);

#ifdef __cplusplus
}
#endif
#endif
