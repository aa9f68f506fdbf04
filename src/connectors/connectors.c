/* connectors.c -- the list of all connectors. */
#include "connectors/connectors_int.h"

#include "kafka/records.h"

#include <string.h>

static const struct connector *const connectors[] = {
    &connector_blackhole, &connector_cassandra, &connector_datagen, &connector_file,
    &connector_http,      &connector_kafka,     &connector_print,   NULL,
};

const struct connector *const *connectors_all(void)
{
    return connectors;
}

void connectors_header_next(struct mr_reader *reader, struct mr_str *name, struct mr_bytes *value)
{
    struct kafka_record_header header = kafka_headers_next(reader);

    *name = header.key;
    *value = header.value;
}

const struct connector *connectors_find(const char *name)
{
    for (const struct connector *const *c = connectors; *c != NULL; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}
