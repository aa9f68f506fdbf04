/* config_int.h -- how the files of config share the rule that a flag wins over a variable, and that over the file. */
#ifndef MR_CONFIG_INT_H
#define MR_CONFIG_INT_H

#include "base/config.h"

enum config_rank { CONFIG_RANK_DEFAULT, CONFIG_RANK_FILE, CONFIG_RANK_ENVIRONMENT, CONFIG_RANK_FLAG };

/* Checks the value, and keeps it unless a source of higher rank set the option before. */
enum mr_status config_set_ranked(struct mr_config *config, const char *name, const char *value, const char *origin,
                                 enum config_rank rank, struct mr_err *err);

#endif
