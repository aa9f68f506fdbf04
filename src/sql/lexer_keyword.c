/* lexer_keyword.c -- which words are keywords, and which Flink SQL reserves.  Sorted, for binary search. */
#include "sql/ast_int.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "grammar.h"

enum { WORD_BYTES_MAX = 40 };

/* reserved: can't be a name without backticks, as in Flink (its list, Calcite's and Flink's own together). */
static const struct keyword {
    const char *word;
    int token;
    bool reserved;
} keywords[] = {
#include "keywords.inc"
};

static int keyword_compare(const void *word, const void *entry)
{
    return strcasecmp(word, ((const struct keyword *)entry)->word);
}

static const struct keyword *keyword_find(struct mr_str word)
{
    char text[WORD_BYTES_MAX];

    if (word.size == 0 || word.size >= sizeof(text))
        return NULL;
    memcpy(text, word.data, word.size);
    text[word.size] = '\0';
    return bsearch(text, keywords, MR_COUNT(keywords), sizeof(keywords[0]), keyword_compare);
}

int sql_keyword_token(struct mr_str word)
{
    const struct keyword *keyword = keyword_find(word);

    return keyword == NULL ? IDENT : keyword->token;
}

bool sql_keyword_reserved(struct mr_str word)
{
    const struct keyword *keyword = keyword_find(word);

    return keyword != NULL && keyword->reserved;
}
