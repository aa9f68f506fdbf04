/* record_text.c -- see record_text.h. */
#include "main/record_text.h"
#include "base/text.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Appends what the escape at AT (its backslash) stands for; returns its length. */
static size_t escape_write(struct mr_writer *out, const char *at)
{
    static const char letters[] = "nrt0\\", meanings[] = "\n\r\t\0\\";
    const char *found = at[1] != '\0' ? strchr(letters, at[1]) : NULL;

    if (found != NULL) {
        mr_write_u8(out, (uint8_t)meanings[found - letters]);
        return 2;
    }
    if (at[1] == 'x' && hex_digit(at[2]) >= 0 && hex_digit(at[3]) >= 0) {
        mr_write_u8(out, (uint8_t)(hex_digit(at[2]) * 16 + hex_digit(at[3])));
        return 4;
    }
    mr_write_u8(out, '\\');
    return 1;
}

void record_unescape(struct mr_writer *out, const char *text)
{
    while (*text != '\0') {
        if (*text == '\\')
            text += escape_write(out, text);
        else
            mr_write_u8(out, (uint8_t)*text++);
    }
}

enum mr_status record_format_check(const char *format, struct mr_err *err)
{
    for (const char *at = strchr(format, '%'); at != NULL; at = strchr(at + 2, '%')) {
        if (at[1] == '\0')
            return mr_err_set(err, MR_INVALID, "the format ends with a lone %%; %%%% prints one");
        if (strchr("sSkKtpoTh%", at[1]) == NULL)
            return mr_err_set(err, MR_INVALID,
                              "the format has %%%c; there are %%s %%S %%k %%K %%t %%p %%o %%T %%h and %%%%", at[1]);
    }
    return MR_OK;
}

static void write_nullable(struct mr_writer *out, struct mr_bytes bytes, const char *null_text)
{
    if (bytes.data != NULL)
        mr_write_bytes(out, bytes);
    else
        mr_write_text(out, "%s", null_text);
}

static void write_headers(struct mr_writer *out, const struct record *record, const char *null_text)
{
    for (uint32_t i = 0; i < record->header_count; i++) {
        if (i > 0)
            mr_write_u8(out, ',');
        mr_write_str(out, record->headers[i].name);
        mr_write_u8(out, '=');
        write_nullable(out, record->headers[i].value, null_text);
    }
}

static void write_size(struct mr_writer *out, struct mr_bytes bytes)
{
    mr_write_text(out, "%" PRId64, bytes.data != NULL ? (int64_t)bytes.size : -1);
}

static void write_part(struct mr_writer *out, char letter, const struct record *record, const char *null_text)
{
    switch (letter) {
    case 's':
        write_nullable(out, record->value, null_text);
        break;
    case 'S':
        write_size(out, record->value);
        break;
    case 'k':
        write_nullable(out, record->key, null_text);
        break;
    case 'K':
        write_size(out, record->key);
        break;
    case 't':
        mr_write_text(out, "%s", record->topic);
        break;
    case 'p':
        mr_write_text(out, "%" PRId32, record->partition);
        break;
    case 'o':
        mr_write_text(out, "%" PRId64, record->offset);
        break;
    case 'T':
        mr_write_text(out, "%" PRId64, record->timestamp_ms);
        break;
    case 'h':
        write_headers(out, record, null_text);
        break;
    default:
        mr_write_u8(out, (uint8_t)letter);
        break;
    }
}

void record_format(struct mr_writer *out, const char *format, const struct record *record, const char *null_text)
{
    while (*format != '\0') {
        if (*format == '%') {
            write_part(out, format[1], record, null_text);
            format += 2;
        } else if (*format == '\\') {
            format += escape_write(out, format);
        } else {
            mr_write_u8(out, (uint8_t)*format++);
        }
    }
}

/* ---- JSON ---- */

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void base64_write(struct mr_writer *out, struct mr_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16 | (left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0) |
                         (left > 2 ? bytes.data[i + 2] : 0);

        mr_write_u8(out, (uint8_t)base64_letters[group >> 18]);
        mr_write_u8(out, (uint8_t)base64_letters[group >> 12 & 63]);
        mr_write_u8(out, left > 1 ? (uint8_t)base64_letters[group >> 6 & 63] : '=');
        mr_write_u8(out, left > 2 ? (uint8_t)base64_letters[group & 63] : '=');
    }
}

static bool base64_read(struct mr_writer *out, struct mr_str text)
{
    uint32_t group = 0;
    int bits = 0;

    while (text.size > 0 && text.data[text.size - 1] == '=')
        text.size--;
    for (size_t i = 0; i < text.size; i++) {
        const char *found = memchr(base64_letters, text.data[i], sizeof(base64_letters) - 1);

        if (found == NULL)
            return false;
        group = group << 6 | (uint32_t)(found - base64_letters);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            mr_write_u8(out, (uint8_t)(group >> bits));
        }
    }
    return true;
}

static void set_bytes(json_t *object, const char *name, struct mr_bytes bytes)
{
    char base64_name[64];
    struct mr_writer text = { 0 };

    if (bytes.data == NULL) {
        json_object_set_new(object, name, json_null());
    } else if (mr_utf8_valid(bytes)) {
        json_object_set_new(object, name, json_stringn_nocheck((const char *)bytes.data, bytes.size));
    } else {
        base64_write(&text, bytes);
        snprintf(base64_name, sizeof(base64_name), "%s_base64", name);
        json_object_set_new(object, base64_name, json_stringn_nocheck((const char *)text.data, text.size));
        mr_writer_deinit(&text);
    }
}

json_t *record_json(const struct record *record)
{
    json_t *object = json_object();
    json_t *headers = json_array();

    json_object_set_new(object, "topic", json_string_nocheck(record->topic));
    json_object_set_new(object, "partition", json_integer(record->partition));
    json_object_set_new(object, "offset", json_integer(record->offset));
    json_object_set_new(object, "timestamp_ms",
                        record->timestamp_ms >= 0 ? json_integer(record->timestamp_ms) : json_null());
    set_bytes(object, "key", record->key);
    set_bytes(object, "value", record->value);
    for (uint32_t i = 0; i < record->header_count; i++) {
        json_t *header = json_object();

        set_bytes(header, "name", mr_bytes_of_str(record->headers[i].name));
        set_bytes(header, "value", record->headers[i].value);
        json_array_append_new(headers, header);
    }
    json_object_set_new(object, "headers", headers);
    return object;
}

static enum mr_status get_bytes(const json_t *object, const char *name, struct mr_arena *arena, struct mr_bytes *out,
                                struct mr_err *err)
{
    static const uint8_t empty[1] = "";
    char base64_name[64];
    const json_t *plain = json_object_get(object, name);
    const json_t *coded;
    struct mr_writer bytes = { 0 };

    snprintf(base64_name, sizeof(base64_name), "%s_base64", name);
    coded = json_object_get(object, base64_name);
    if (coded != NULL) {
        struct mr_str text = { json_string_value(coded), json_string_length(coded) };

        if (text.data == NULL || !base64_read(&bytes, text)) {
            mr_writer_deinit(&bytes);
            return mr_err_set(err, MR_INVALID, "\"%s\" is no Base64", base64_name);
        }
    } else if (json_is_string(plain)) {
        mr_write_bytes(&bytes,
                       (struct mr_bytes){ (const uint8_t *)json_string_value(plain), json_string_length(plain) });
    } else if (plain == NULL || json_is_null(plain)) {
        *out = MR_BYTES_NULL;
        return MR_OK;
    } else {
        char *text = json_dumps(plain, JSON_COMPACT | JSON_ENCODE_ANY);

        mr_write_text(&bytes, "%s", text);
        free(text);
    }
    *out = bytes.size > 0 ? mr_arena_bytes(arena, mr_writer_bytes(&bytes)) : (struct mr_bytes){ empty, 0 };
    mr_writer_deinit(&bytes);
    return MR_OK;
}

static enum mr_status read_headers(struct record *out, const json_t *headers, struct mr_arena *arena,
                                   struct mr_err *err)
{
    struct record_header *list;
    size_t count = json_array_size(headers);
    enum mr_status status = MR_OK;

    if (headers != NULL && !json_is_array(headers) && !json_is_null(headers))
        return mr_err_set(err, MR_INVALID, "\"headers\" is no array");
    if (count > RECORD_HEADERS_MAX)
        return mr_err_set(err, MR_LIMIT, "%zu headers; at most %d", count, RECORD_HEADERS_MAX);
    list = mr_arena_calloc(arena, count + 1, sizeof(*list));
    for (size_t i = 0; i < count && status == MR_OK; i++) {
        const json_t *header = json_array_get(headers, i);
        struct mr_bytes name;

        status = get_bytes(header, "name", arena, &name, err);
        if (status == MR_OK && name.data == NULL)
            status = mr_err_set(err, MR_INVALID, "a header has no name");
        if (status == MR_OK)
            list[i].name = mr_arena_str(arena, mr_str_of_bytes(name));
        if (status == MR_OK)
            status = get_bytes(header, "value", arena, &list[i].value, err);
    }
    out->headers = list;
    out->header_count = (uint32_t)count;
    return status;
}

enum mr_status record_read_json(struct record *out, struct mr_str line, struct mr_arena *arena, struct mr_err *err)
{
    json_error_t why;
    json_t *object = json_loadb(line.data, line.size, JSON_ALLOW_NUL, &why);
    struct record record = { .partition = -1, .offset = -1, .timestamp_ms = -1 };
    const json_t *time = json_object_get(object, "timestamp_ms");
    enum mr_status status = MR_OK;

    if (object == NULL)
        return mr_err_set(err, MR_INVALID, "no JSON: %s", why.text);
    if (json_object_get(object, "value") == NULL && json_object_get(object, "value_base64") == NULL)
        status = mr_err_set(err, MR_INVALID, "no object with \"value\" (or \"value_base64\")");
    if (status == MR_OK)
        status = get_bytes(object, "key", arena, &record.key, err);
    if (status == MR_OK)
        status = get_bytes(object, "value", arena, &record.value, err);
    if (status == MR_OK)
        status = read_headers(&record, json_object_get(object, "headers"), arena, err);
    if (json_is_integer(time))
        record.timestamp_ms = json_integer_value(time);
    json_decref(object);
    if (status == MR_OK)
        *out = record;
    return status;
}
