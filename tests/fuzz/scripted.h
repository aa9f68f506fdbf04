/* scripted.h -- a server that says what the input says: each connection that a client opens gets the next part of it.
 *
 * The input is parts, each with its size before it (u16); a client's connect (connector_connect, wrapped by the linker)
 * gets a socket in which the next part already lies, and then the end.  After the last part the client is told to stop.
 * Time is the test's own: it moves by a millisecond when it is looked at, and at once when a client waits. */
#ifndef FUZZ_SCRIPTED_H
#define FUZZ_SCRIPTED_H

#include "fuzz.h"

#include "connectors/connectors.h"

/* What the clients under test get; valid between scripted_begin and scripted_end. */
struct connector_context *scripted_begin(const uint8_t *data, size_t size);
void scripted_end(void);

#endif
