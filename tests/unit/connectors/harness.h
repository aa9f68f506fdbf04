/* harness.h -- what the connectors' tests share: tables made of literals, a context, and servers on 127.0.0.1 that run
 * a test's own function for each connection. */
#ifndef TESTS_CONNECTORS_HARNESS_H
#define TESTS_CONNECTORS_HARNESS_H

#include "connectors/connectors.h"

#include <pthread.h>

/* ---- tables ---- */

struct harness_option {
    const char *name;
    const char *value;
};

/* A table whose options are OPTIONS (ends with a NULL name), over the option table of CONNECTOR for defaults. */
struct harness_table {
    struct connector_table table;
    const struct harness_option *options;
    const struct connector *connector;
};

/* Fills OUT.  ROW may be NULL. */
void harness_table_init(struct harness_table *out, const char *connector, const struct data_type *row,
                        const struct harness_option *options);
/* A ROW type in ARENA from "name KIND, name KIND" (KIND as data_kind_parse has it). */
const struct data_type *harness_row(struct mr_arena *arena, const char *columns);

/* A context with all servers unset, a stop flag that is false, project folder DIR (may be NULL). */
void harness_context_init(struct connector_context *out, const char *dir);
extern atomic_bool harness_stop;

/* Polls SOURCE until at least WANT records came, it ended, or DEADLINE_MS passed.  Each record's value is appended to
 * OUT as a line "split:position[!] value", with ! when the source says that it is no record; the last positions
 * are copied to POSITIONS (room for 16). */
enum mr_status harness_read(const struct connector_source_ops *ops, struct connector_source *source, uint32_t want,
                            int deadline_ms, struct mr_writer *out, struct connector_position *positions,
                            uint32_t *position_count, bool *ended, struct mr_err *err);

/* ---- servers ---- */

struct harness_server;
/* Handles connection number CONNECTION (from 0) on a thread of its own; FD is closed afterwards. */
typedef void harness_handler_fn(struct harness_server *server, int fd, int connection);

enum { HARNESS_CONNECTIONS_MAX = 256 };

struct harness_connection {
    struct harness_server *server;
    int fd, number;
    pthread_t thread;
};

struct harness_server {
    int listener;
    int port;
    char address[32]; /* 127.0.0.1:PORT */
    harness_handler_fn *handler;
    void *arg;
    pthread_t thread;
    struct harness_connection each[HARNESS_CONNECTIONS_MAX];
    atomic_int connections;
    atomic_bool closing;
};

void harness_server_start(struct harness_server *server, harness_handler_fn *handler, void *arg);
/* Ends the threads, also when a handler waits in harness_receive. */
void harness_server_stop(struct harness_server *server);
/* Reads exactly SIZE bytes; false when the peer or the server closes. */
bool harness_receive(struct harness_server *server, int fd, void *out, size_t size);
/* Writes all. */
void harness_send(int fd, const void *data, size_t size);
/* Waits (10 s at most) until *VALUE is at least WANT. */
bool harness_wait(const atomic_int *value, int want);

/* A fresh folder below the system's temporary one; harness_dir_remove removes it with its files. */
void harness_dir_make(char out[128]);
void harness_dir_remove(const char *dir);
/* Writes TEXT to DIR/NAME. */
void harness_file_write(const char *dir, const char *name, const char *text);

#endif
