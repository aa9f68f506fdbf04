/* parse.c -- a request's head and query, strictly: one CRLF a line, tokens as RFC 9110 has them, no folded lines,
 * nothing that two readers could read in two ways. */
#include "http/server_int.h"

#include <string.h>
#include <strings.h>

static bool is_token(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    if (*text == '\0')
        return false;
    for (; *text; text++) {
        bool is_alnum =
            (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        if (!is_alnum && strchr(others, *text) == NULL)
            return false;
    }
    return true;
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return true;
    }
    return false;
}

/* "GET /path?query HTTP/1.1" */
static enum mr_status parse_request_line(char *line, struct http_head *head)
{
    char *target = strchr(line, ' ');
    char *version = target ? strchr(target + 1, ' ') : NULL;

    if (version == NULL)
        return MR_INVALID;
    *target++ = '\0';
    *version++ = '\0';
    if (!is_token(line) || has_control(target) || strchr(target, '\t') || strncmp(version, "HTTP/", 5) != 0)
        return MR_INVALID;
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return MR_UNSUPPORTED;
    if (target[0] != '/' && strcmp(target, "*") != 0)
        return MR_INVALID;
    head->method = line;
    head->target = target;
    head->minor = version[7] - '0';
    return MR_OK;
}

static enum mr_status parse_field(char *line, struct http_head *head)
{
    char *colon = strchr(line, ':');
    char *value;
    size_t length;

    if (colon == NULL)
        return MR_INVALID;
    *colon = '\0';
    value = colon + 1 + strspn(colon + 1, " \t");
    length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        value[--length] = '\0';
    if (!is_token(line) || has_control(value))
        return MR_INVALID;
    if (head->header_count == HTTP_HEADERS_MAX)
        return MR_LIMIT;
    head->headers[head->header_count++] = (struct http_header){ line, value };
    return MR_OK;
}

enum mr_status http_head_parse(char *text, size_t size, struct http_head *head)
{
    char *line = text;
    bool is_first = true;

    assert(text[size] == '\0');
    *head = (struct http_head){ 0 };
    if (memchr(text, '\0', size) != NULL)
        return MR_INVALID;
    while (line < text + size) {
        char *end = strchr(line, '\r');
        enum mr_status status;

        if (end == NULL || end[1] != '\n')
            return MR_INVALID;
        *end = '\0';
        status = is_first ? parse_request_line(line, head) : parse_field(line, head);
        if (status != MR_OK)
            return status;
        is_first = false;
        line = end + 2;
    }
    return is_first ? MR_INVALID : MR_OK;
}

const char *http_head_field(const struct http_head *head, const char *name, size_t *count)
{
    const char *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < head->header_count; i++) {
        if (strcasecmp(head->headers[i].name, name) != 0)
            continue;
        if (n++ == 0)
            found = head->headers[i].value;
    }
    if (count != NULL)
        *count = n;
    return found;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool http_percent_decode(char *text, bool plus)
{
    char *to = text;

    for (char *from = text; *from; from++, to++) {
        if (*from == '%') {
            int high = hex_digit(from[1]);
            int low = high < 0 ? -1 : hex_digit(from[2]);
            if (low < 0 || high * 16 + low == 0)
                return false;
            *to = (char)(high * 16 + low);
            from += 2;
        } else {
            *to = plus && *from == '+' ? ' ' : *from;
        }
    }
    *to = '\0';
    return true;
}

enum mr_status http_query_parse(char *query, struct http_param *out, size_t *count)
{
    *count = 0;
    while (query != NULL && *query) {
        char *next = strchr(query, '&');
        char *value;

        if (next != NULL)
            *next++ = '\0';
        value = strchr(query, '=');
        if (value != NULL)
            *value++ = '\0';
        if (!http_percent_decode(query, true) || (value != NULL && !http_percent_decode(value, true)))
            return MR_INVALID;
        if (*query) {
            if (*count == HTTP_QUERY_MAX)
                return MR_LIMIT;
            out[(*count)++] = (struct http_param){ query, value ? value : "" };
        }
        query = next;
    }
    return MR_OK;
}
