/* tables_server DIR [HOST:PORT] -- a CQL server alone, for trying real clients: prints its address, ends on end of
 * input. */
#include "tables/tables.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *listen = argc > 2 ? argv[2] : "127.0.0.1:0";
    struct mr_err err = MR_ERR_INIT;
    struct net_loop *loop = NULL;
    struct store *store = NULL;
    struct tables *tables = NULL;
    struct access *access = access_new(&(struct access_options){ .open = false });
    struct store_options store_options = { .memory_bytes = 64 * 1024 * 1024 };
    struct tables_options options = { .listen = &listen, .listen_count = 1, .access = access };
    char byte;
    int code = 1;

    if (argc < 2 || net_loop_new(&loop, "tables", &err) != MR_OK)
        goto out;
    store_options.post = net_loop_poster(loop);
    if (argc > 3 && strcmp(argv[3], "relaxed") == 0)
        store_options.durability = STORE_RELAXED;
    net_loop_start(loop);
    if (store_open(&store, argv[1], &store_options, &err) != MR_OK)
        goto out;
    options.loop = loop;
    options.store = store;
    if (tables_open(&tables, &options, &err) != MR_OK)
        goto out;
    printf("%s\n", tables_address(tables, 0));
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    code = 0;
out:
    if (code != 0)
        fprintf(stderr, "%s\n", err.text);
    tables_close(tables);
    store_close(store);
    net_loop_free(loop);
    access_free(access);
    return code;
}
