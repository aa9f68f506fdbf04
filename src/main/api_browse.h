/* api_browse.h -- the page at /, and what it asks for: topics, messages, tables, rows, a stream of what happens. */
#ifndef MAIN_API_BROWSE_H
#define MAIN_API_BROWSE_H

struct api_browse;
struct server;

/* Adds the page and the routes to SERVER's HTTP listener.  Caller owns.  HTTP's loop. */
struct api_browse *api_browse_new(struct server *server);
/* Questions are refused from now on, those under way end soon, streams end.  HTTP's loop. */
void api_browse_stop(struct api_browse *browse);
/* Waits for those under way.  After api_browse_stop, while HTTP's loop runs.  Main thread. */
void api_browse_join(struct api_browse *browse);
/* Frees, when HTTP is closed.  NULL is legal.  Main thread. */
void api_browse_free(struct api_browse *browse);

#endif
