/* connectors.c -- the list of all connectors. */
#include "connectors/connectors_int.h"

#include <string.h>

static const struct connector *const connectors[] = {
    &connector_blackhole,
    &connector_cassandra,
    &connector_datagen,
    &connector_file,
    &connector_http,
    &connector_kafka,
    &connector_print,
    NULL,
};

const struct connector *const *connectors_all(void)
{
    return connectors;
}

const struct connector *connectors_find(const char *name)
{
    for (const struct connector *const *c = connectors; *c != NULL; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}
