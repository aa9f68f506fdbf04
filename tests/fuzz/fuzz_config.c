/* fuzz_config.c -- any bytes as the YAML file of settings. */
#include "fuzz.h"

#include "base/config.h"

static const struct mr_option options[] = {
    { "data.dir", "data-dir", 'd', MR_OPTION_TEXT, "DIR", ".millrace", NULL, "Where." },
    { "log.level", NULL, 0, MR_OPTION_CHOICE, "LEVEL", "info", "debug|info|warn", "How much." },
    { "kafka.listen", "kafka-listen", 0, MR_OPTION_TEXT, "HOST:PORT", NULL, NULL, "Address." },
    { "kafka.partitions", NULL, 0, MR_OPTION_INTEGER, "N", "1", NULL, "How many." },
    { "kafka.retention", NULL, 0, MR_OPTION_DURATION, "TIME", "7 d", NULL, "How long." },
    { "kafka.segment", NULL, 0, MR_OPTION_SIZE, "SIZE", "64 MiB", NULL, "How large." },
    { "relaxed", "relaxed", 0, MR_OPTION_FLAG, NULL, "false", NULL, "Whether." },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_config *config = mr_config_new(options, MR_COUNT(options));
    struct mr_err err = MR_ERR_INIT;

    if (mr_config_read_yaml(config, (struct mr_str){ (const char *)data, size }, "millrace.yaml", &err) != MR_OK)
        FUZZ_MUST(err.text[0] != '\0');
    for (size_t i = 0; i < MR_COUNT(options); i++) {
        FUZZ_MUST(mr_config_origin(config, options[i].name) != NULL);
        if (options[i].kind == MR_OPTION_INTEGER || options[i].kind == MR_OPTION_DURATION ||
            options[i].kind == MR_OPTION_SIZE)
            MR_UNUSED(mr_config_integer(config, options[i].name));
    }
    MR_UNUSED(mr_config_flag(config, "relaxed"));
    mr_config_free(config);
    return 0;
}
