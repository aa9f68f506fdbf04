/* cassandra.c -- the cassandra connector: its options, for reading (src_cassandra.c) and writing (snk_cassandra.c). */
#include "connectors/cassandra_int.h"

enum mr_status cassandra_options_read(struct cassandra_options *out, const struct connector_table *table,
                                      const struct connector_context *ctx, bool reading, struct mr_err *err)
{
    /* in the order of enum cql_consistency */
    static const char *const levels[] = { "ANY",          "ONE",         "TWO",    "THREE",        "QUORUM",    "ALL",
                                          "LOCAL_QUORUM", "EACH_QUORUM", "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE", NULL };
    struct cassandra_options o = { .client.option_name = "option 'contact-points'" };
    bool embedded, serial;
    enum mr_status status;

    o.client.contact_points = connector_option_text(table, "contact-points");
    embedded = o.client.contact_points == NULL;
    if (embedded)
        o.client.contact_points = ctx->cassandra_embedded;
    if (o.client.contact_points == NULL)
        return mr_err_set(err, MR_INVALID, "option 'contact-points' is missing, and no tables are embedded");
    o.client.user = connector_option_text(table, "username");
    o.client.password = connector_option_text(table, "password");
    if (o.client.user == NULL && embedded) {
        o.client.user = "cassandra";
        o.client.password = "cassandra";
    }
    o.ours = o.create = embedded && ctx->cassandra_is_ours;
    o.consistency = embedded ? CQL_ONE : CQL_LOCAL_QUORUM;
    status = connector_option_bool(table, "auto.create", &o.create, err);
    if (status == MR_OK)
        status = connector_option_choice(table, "consistency", levels, &o.consistency, err);
    if (status != MR_OK)
        return status;
    serial = o.consistency == CQL_SERIAL || o.consistency == CQL_LOCAL_SERIAL;
    if (reading ? o.consistency == CQL_ANY : serial)
        return mr_err_set(err, MR_INVALID, "'consistency' = '%s' is not one for %s", levels[o.consistency],
                          reading ? "reading" : "writing");
    *out = o;
    return MR_OK;
}

static const struct connector_option cassandra_option_table[] = {
    { "keyspace", NULL, true, "The keyspace." },
    { "table", NULL, true, "The table in it." },
    { "contact-points", NULL, false, "HOST[:PORT],... of a Cassandra; without it: the embedded tables." },
    { "username", NULL, false, "User to log in as." },
    { "password", NULL, false, "The user's password." },
    { "auto.create", NULL, false,
      "Writing makes keyspace and table when absent, from the columns and PRIMARY KEY here; 'true' for the embedded "
      "tables, else 'false'." },
    { "consistency", NULL, false, "Consistency of reads and writes: ONE for the embedded tables, else LOCAL_QUORUM." },
    { NULL, NULL, false, NULL },
};

const struct connector connector_cassandra = {
    .name = "cassandra",
    .help = "Writes rows to a table over CQL, where a row with the same key replaces the one before; reads the table's "
            "rows once, to its end.",
    .options = cassandra_option_table,
    .source = &cassandra_source_ops,
    .sink = &cassandra_sink_ops,
    .raw = true,
};
