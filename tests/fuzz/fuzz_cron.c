/* fuzz_cron.c -- a line as a schedule; what is behind it, as the file of its time zone. */
#include "fuzz.h"

#include "scheduler/time_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line_end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t length = line_end != NULL ? (size_t)(line_end - data) : size;
    struct mr_bytes file = { data + length + 1, line_end != NULL ? size - length - 1 : 0 };
    struct mr_arena *arena = mr_arena_new();
    const struct mr_zone *zone = NULL;
    struct cron cron;
    struct mr_err err = MR_ERR_INIT;
    static const int64_t from[] = { 0, 1774746000, 4102444800, 1792890000 };

    if (line_end != NULL && mr_zone_parse(&zone, arena, file, &err) != MR_OK)
        FUZZ_MUST(zone == NULL); /* which is UTC */
    for (size_t i = 0; i < MR_COUNT(from); i++) {
        int64_t instants[2], offset = mr_zone_offset(zone, from[i]);
        uint32_t count = mr_zone_instants(zone, from[i] + offset, instants);

        FUZZ_MUST(offset >= -26 * 3600 && offset <= 26 * 3600 + 3600 * 168);
        FUZZ_MUST(count == 1 || (count == 2 && instants[0] < instants[1]));
    }
    if (cron_parse(&cron, (struct mr_str){ (const char *)data, length }, &err) != MR_OK) {
        FUZZ_MUST(err.text[0] != '\0' && err.column >= 1 && (size_t)err.column <= length + 1);
    } else {
        int64_t next = cron_next(&cron, zone, from[1]);
        int64_t previous = cron_previous(&cron, zone, from[1]);

        FUZZ_MUST(next == SCHEDULER_NO_TIME || next > from[1]);
        FUZZ_MUST(previous == SCHEDULER_NO_TIME || previous < from[1]);
    }
    mr_arena_free(arena);
    return 0;
}
