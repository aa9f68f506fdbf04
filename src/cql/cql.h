/* cql.h -- the CQL native protocol, versions 3, 4 and 5: bytes to structs and back, for the server (tables) and the
 * client (connectors).  No I/O, no state.
 *
 * A frame is a header of CQL_HEADER_BYTES and a body:
 *   version u8 (0x80 set in answers) | flags u8 | stream i16 | opcode u8 | body length i32 | body
 * Version 5 puts the same frames, then called envelopes, into segments of at most 128 KiB after the first answer to
 * STARTUP:  length 17 bits, self-contained 1 bit, CRC24 | payload | CRC32.  Bodies differ by version: those functions
 * take VERSION.
 *
 * Writing: cql_frame_begin, the body's write function, cql_frame_end, into any struct mr_writer, one frame after
 * another. Reading: cql_header_read, then, once the body is whole, its read function.  Read functions borrow from the
 * body; arrays come from the caller's arena.  They return MR_INVALID for a body that ends too early or has a wrong
 * value, and leave *out in any state then.  Bytes after the message are ignored, as the protocol wants. Threads: every
 * function is pure. [any] */
#ifndef MR_CQL_H
#define MR_CQL_H

#include "base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum cql_limit {
    CQL_HEADER_BYTES = 9,
    CQL_REQUEST_BYTES_MAX = 16 * 1024 * 1024, /* body of a request; Cassandra's own default is 16 MiB too */
    CQL_ANSWER_BYTES_MAX = 256 * 1024 * 1024, /* body of an answer that a client accepts */
    CQL_TYPE_DEPTH_MAX = 8,                   /* list<list<...>> */
    CQL_COLUMNS_MAX = 65535,
    CQL_ID_BYTES = 16, /* a prepared statement's id: MD5 */
};

enum cql_version { CQL_V3 = 3, CQL_V4 = 4, CQL_V5 = 5, CQL_VERSION_MIN = CQL_V3, CQL_VERSION_MAX = CQL_V5 };

enum cql_opcode {
    CQL_OP_ERROR = 0x00,
    CQL_OP_STARTUP = 0x01,
    CQL_OP_READY = 0x02,
    CQL_OP_AUTHENTICATE = 0x03,
    CQL_OP_OPTIONS = 0x05,
    CQL_OP_SUPPORTED = 0x06,
    CQL_OP_QUERY = 0x07,
    CQL_OP_RESULT = 0x08,
    CQL_OP_PREPARE = 0x09,
    CQL_OP_EXECUTE = 0x0A,
    CQL_OP_REGISTER = 0x0B,
    CQL_OP_EVENT = 0x0C,
    CQL_OP_BATCH = 0x0D,
    CQL_OP_AUTH_CHALLENGE = 0x0E,
    CQL_OP_AUTH_RESPONSE = 0x0F,
    CQL_OP_AUTH_SUCCESS = 0x10,
    CQL_OP_N
};

/* Flags of the header. */
enum cql_frame_flag {
    CQL_FRAME_COMPRESSED = 0x01, /* v3, v4; without meaning in v5 */
    CQL_FRAME_TRACING = 0x02,
    CQL_FRAME_PAYLOAD = 0x04, /* v4: a [bytes map] of custom payload */
    CQL_FRAME_WARNING = 0x08, /* v4: a [string list] of warnings */
    CQL_FRAME_BETA = 0x10,    /* the client takes versions that are not final; there are none */
};

enum cql_error_code {
    CQL_ERR_SERVER = 0x0000,
    CQL_ERR_PROTOCOL = 0x000A,
    CQL_ERR_CREDENTIALS = 0x0100,
    CQL_ERR_UNAVAILABLE = 0x1000,
    CQL_ERR_OVERLOADED = 0x1001,
    CQL_ERR_BOOTSTRAPPING = 0x1002,
    CQL_ERR_TRUNCATE = 0x1003,
    CQL_ERR_WRITE_TIMEOUT = 0x1100,
    CQL_ERR_READ_TIMEOUT = 0x1200,
    CQL_ERR_READ_FAILURE = 0x1300,
    CQL_ERR_FUNCTION = 0x1400,
    CQL_ERR_WRITE_FAILURE = 0x1500,
    CQL_ERR_CAS_UNKNOWN = 0x1700, /* v5 */
    CQL_ERR_SYNTAX = 0x2000,
    CQL_ERR_UNAUTHORIZED = 0x2100,
    CQL_ERR_INVALID = 0x2200,
    CQL_ERR_CONFIG = 0x2300,
    CQL_ERR_EXISTS = 0x2400,
    CQL_ERR_UNPREPARED = 0x2500,
};

/* The name of an error code or an opcode, for messages and metrics; "unknown" for others. */
const char *cql_error_name(int32_t code);
const char *cql_opcode_name(uint8_t opcode);
/* May a client send the same request again after this error (overloaded, time-outs, bootstrapping)? */
bool cql_error_retriable(int32_t code);

enum cql_consistency {
    CQL_ANY = 0,
    CQL_ONE = 1,
    CQL_TWO = 2,
    CQL_THREE = 3,
    CQL_QUORUM = 4,
    CQL_ALL = 5,
    CQL_LOCAL_QUORUM = 6,
    CQL_EACH_QUORUM = 7,
    CQL_SERIAL = 8,
    CQL_LOCAL_SERIAL = 9,
    CQL_LOCAL_ONE = 10,
    CQL_CONSISTENCY_N
};

/* ---- types ---- */

enum cql_type_code {
    CQL_CUSTOM = 0x00,
    CQL_ASCII = 0x01,
    CQL_BIGINT = 0x02,
    CQL_BLOB = 0x03,
    CQL_BOOLEAN = 0x04,
    CQL_COUNTER = 0x05,
    CQL_DECIMAL = 0x06,
    CQL_DOUBLE = 0x07,
    CQL_FLOAT = 0x08,
    CQL_INT = 0x09,
    CQL_TIMESTAMP = 0x0B,
    CQL_UUID = 0x0C,
    CQL_VARCHAR = 0x0D, /* text */
    CQL_VARINT = 0x0E,
    CQL_TIMEUUID = 0x0F,
    CQL_INET = 0x10,
    CQL_DATE = 0x11,
    CQL_TIME = 0x12,
    CQL_SMALLINT = 0x13,
    CQL_TINYINT = 0x14,
    CQL_DURATION = 0x15,
    CQL_LIST = 0x20,
    CQL_MAP = 0x21,
    CQL_SET = 0x22,
    CQL_UDT = 0x30,
    CQL_TUPLE = 0x31,
};

struct cql_type {
    uint16_t code;                       /* enum cql_type_code, or one this version does not know */
    uint16_t item_count;                 /* list, set: 1; map: 2; tuple, UDT: its fields */
    const struct cql_type *const *items; /* borrowed */
    struct mr_str keyspace;              /* UDT */
    struct mr_str name;                  /* UDT: its name; custom: the class */
    const struct mr_str *field_names;    /* UDT */
    bool is_frozen;                      /* list, set, map, UDT: one value; not told on the wire.  Tuples always are */
};

/* The type of a native code that has no parameters; NULL for others.  Static. */
const struct cql_type *cql_type_native(uint16_t code);
/* Ready-made types of the system tables: set<text>, list<text>, list<boolean>, map<text,text>, map<text,blob>,
 * map<uuid,blob>. */
extern const struct cql_type cql_type_set_text, cql_type_list_text, cql_type_list_boolean, cql_type_map_text_text,
    cql_type_map_text_blob, cql_type_map_uuid_blob;
/* The native type of the CQL spelling NAME in either case ("text", "varchar", "bigint"); NULL when there is none. */
const struct cql_type *cql_type_named(struct mr_str name);
/* Is it kept as several cells: a collection or UDT that is not frozen? */
bool cql_type_is_multicell(const struct cql_type *type);
/* Appends NAME, in double quotes when it would not fold to itself or is a reserved word. */
void cql_name_write(struct mr_writer *w, struct mr_str name);
/* Appends the CQL spelling: text, map<text, int>, frozen<list<int>>, frozen<tuple<int, text>>. */
void cql_type_write_name(struct mr_writer *w, const struct cql_type *type);
/* Same type on the wire?  text and varchar are one, and whether it is frozen does not count. */
bool cql_type_equal(const struct cql_type *a, const struct cql_type *b);
/* The [option] of a type. */
void cql_type_write(struct mr_writer *w, const struct cql_type *type);
MR_MUST_CHECK enum mr_status cql_type_read(struct mr_reader *r, struct mr_arena *arena, const struct cql_type **out);

/* ---- values ---- */

#define CQL_NULL  ((int32_t)-1)
#define CQL_UNSET ((int32_t)-2) /* a bound variable left out: the column is not touched */

/* A [value]: borrowed bytes. */
struct cql_value {
    const uint8_t *data;
    int32_t size; /* >= 0, CQL_NULL or CQL_UNSET */
};

#define CQL_VALUE_NULL             ((struct cql_value){ NULL, CQL_NULL })
#define CQL_VALUE_UNSET            ((struct cql_value){ NULL, CQL_UNSET })
#define CQL_VALUE_OF(bytes, count) ((struct cql_value){ (bytes), (int32_t)(count) })

/* Encodings of fixed size, at an address of any alignment; int is mr_store_i32, bigint and timestamp mr_store_i64. */
void cql_store_f32(uint8_t out[4], float v);
void cql_store_f64(uint8_t out[8], double v);
float cql_load_f32(const uint8_t *at);
double cql_load_f64(const uint8_t *at);
/* Is V a correct encoding of TYPE (sizes, UTF-8, ASCII, whole collections)?  Null and unset are.  The message is
 * Cassandra's ("Expected 4 or 0 byte int (3)"). */
MR_MUST_CHECK enum mr_status cql_value_check(const struct cql_type *type, struct cql_value v, struct mr_err *err);
/* Appends V as people read it (as a CQL literal but text without quotes; null as "null").  V was checked before. */
void cql_value_format(struct mr_writer *w, const struct cql_type *type, struct cql_value v);

/* ---- numbers and times as text (number.c) ---- */

enum cql_number_limit { CQL_NUMBER_BYTES_MAX = 16 * 1024 /* of a varint, and of a decimal's digits */ };
#define CQL_DATE_EPOCH UINT32_C(0x80000000) /* 1970-01-01 as a date's value */

struct cql_duration {
    int32_t months, days;
    int64_t nanoseconds; /* all three of one sign */
};

/* Appends what a decimal integer, or a decimal number ("-1.5e3"), is as a varint, or a decimal.  MR_INVALID: it is
 * none.  MR_LIMIT: more than CQL_NUMBER_BYTES_MAX.  [any], as all here. */
MR_MUST_CHECK enum mr_status cql_varint_parse(struct mr_str text, struct mr_writer *out);
MR_MUST_CHECK enum mr_status cql_decimal_parse(struct mr_str text, struct mr_writer *out);
/* Appends the number as text; a decimal as Java's BigDecimal.toPlainString would where it is short. */
void cql_varint_format(struct mr_writer *w, struct mr_bytes varint);
void cql_decimal_format(struct mr_writer *w, struct mr_bytes decimal);
/* Appends the digits of a varint without sign, "0" for zero; true when it is negative. */
bool cql_varint_digits(struct mr_writer *w, struct mr_bytes varint);
/* Appends the shortest varint of V; the value of a varint, clamped to the range of a bigint. */
void cql_varint_write(struct mr_writer *w, int64_t v);
int64_t cql_varint_clamp(struct mr_bytes varint);
/* The nearest floating point number. */
double cql_number_f64(const struct cql_type *type, struct cql_value v);
/* "2026-01-31" as a date's value, "23:59:59.999999999" as nanoseconds since midnight, "1h30m" or ISO 8601's PT1H30M. */
MR_MUST_CHECK enum mr_status cql_date_parse(struct mr_str text, uint32_t *out);
MR_MUST_CHECK enum mr_status cql_time_parse(struct mr_str text, int64_t *out);
MR_MUST_CHECK enum mr_status cql_duration_parse(struct mr_str text, struct cql_duration *out);
void cql_date_format(struct mr_writer *w, uint32_t date);
void cql_time_format(struct mr_writer *w, int64_t nanoseconds);
void cql_duration_format(struct mr_writer *w, const struct cql_duration *duration);
/* A duration's value: three signed vints. */
void cql_duration_write(struct mr_writer *w, const struct cql_duration *duration);
MR_MUST_CHECK enum mr_status cql_duration_read(struct cql_value v, struct cql_duration *out);

/* Pieces of the notation; strings are cut at 65535 bytes when written. */
void cql_write_string(struct mr_writer *w, struct mr_str s);        /* [string] */
void cql_write_long_string(struct mr_writer *w, struct mr_str s);   /* [long string] */
void cql_write_bytes(struct mr_writer *w, struct mr_bytes b);       /* [bytes]; data == NULL: null */
void cql_write_short_bytes(struct mr_writer *w, struct mr_bytes b); /* [short bytes] */
void cql_write_value(struct mr_writer *w, struct cql_value v);      /* [value] */
struct mr_str cql_read_string(struct mr_reader *r);
struct mr_str cql_read_long_string(struct mr_reader *r);
struct mr_bytes cql_read_bytes(struct mr_reader *r); /* data == NULL: null */
struct mr_bytes cql_read_short_bytes(struct mr_reader *r);
struct cql_value cql_read_value(struct mr_reader *r);

/* ---- tokens ---- */

/* The Murmur3Partitioner's token of a serialised partition key: Cassandra's own variant of MurmurHash3_x64_128 (tail
 * bytes signed), INT64_MIN becoming INT64_MAX. */
int64_t cql_token(struct mr_bytes partition_key);
/* The serialised partition key of PARTS: one part is itself; several are u16 length, bytes, 0, each.  MR_LIMIT when a
 * part has more than 65535 bytes. */
MR_MUST_CHECK enum mr_status cql_partition_key_write(struct mr_writer *w, const struct cql_value *parts, size_t count);

/* ---- frames ---- */

struct cql_header {
    uint8_t version; /* without the 0x80 */
    bool is_answer;
    uint8_t flags;
    int16_t stream;
    uint8_t opcode;
    uint32_t body_bytes;
};

/* Reads the header at the start of IN.  MR_NEED_MORE: fewer than CQL_HEADER_BYTES.  MR_INVALID: a negative length; the
 * other fields are set then.  Checks neither version, opcode nor the size limit: their errors differ by side. */
MR_MUST_CHECK enum mr_status cql_header_read(struct cql_header *out, struct mr_bytes in);
/* Begins a frame; IS_ANSWER sets 0x80.  Returns the position for cql_frame_end, which fills the length in. */
size_t cql_frame_begin(struct mr_writer *w, uint8_t version, bool is_answer, uint8_t flags, int16_t stream,
                       enum cql_opcode opcode);
void cql_frame_end(struct mr_writer *w, size_t position);

/* What the header's flags put in front of the body. */
struct cql_prefix {
    struct mr_bytes tracing_id;    /* 16 bytes, or null */
    const struct mr_str *warnings; /* warning_count of them */
    uint32_t warning_count;
};
/* Reads (answer) or skips (request: only the custom payload) the prefix that FLAGS announce. */
MR_MUST_CHECK enum mr_status cql_prefix_read(struct cql_prefix *out, struct mr_reader *r, uint8_t flags, bool is_answer,
                                             struct mr_arena *arena);

/* ---- compression ---- */

enum cql_compression { CQL_PLAIN, CQL_LZ4, CQL_SNAPPY };

/* The compression that STARTUP calls NAME, in either case; false when there is none of that name. */
bool cql_compression_named(struct mr_str name, enum cql_compression *out);
/* Appends BODY (v3, v4) compressed: lz4 is the plain size as i32 and one block, snappy one block. */
void cql_body_compress(struct mr_writer *w, enum cql_compression compression, struct mr_bytes body);
/* Appends the plain body.  MR_INVALID: damaged, or it claims more bytes than its own could hold.  MR_LIMIT: it has more
 * than BYTES_MAX.  Nothing is allocated before the claim was checked. */
MR_MUST_CHECK enum mr_status cql_body_decompress(struct mr_writer *w, enum cql_compression compression,
                                                 struct mr_bytes body, size_t bytes_max, struct mr_err *err);

/* ---- segments (v5) ---- */

enum cql_segment_limit {
    CQL_SEGMENT_PAYLOAD_MAX = 128 * 1024 - 1,
    CQL_SEGMENT_HEADER_BYTES = 6,     /* length and flag in 3 bytes, CRC24 */
    CQL_SEGMENT_LZ4_HEADER_BYTES = 8, /* both lengths and the flag in 5 bytes, CRC24 */
    CQL_SEGMENT_TRAILER_BYTES = 4,    /* CRC32 of the payload as it is on the wire */
    CQL_SEGMENT_BYTES_MAX = CQL_SEGMENT_LZ4_HEADER_BYTES + CQL_SEGMENT_PAYLOAD_MAX + CQL_SEGMENT_TRAILER_BYTES,
};

struct cql_segment {
    uint32_t header_bytes;
    uint32_t payload_bytes; /* on the wire */
    uint32_t plain_bytes;   /* when lz4 made it smaller; 0: the payload is plain */
    bool is_self_contained; /* whole envelopes; else a part of one, which is alone in its segments */
};

/* Reads the header at the start of IN; LZ4: the connection agreed on it.  MR_NEED_MORE: fewer bytes than it has.
 * MR_CORRUPT: the CRC is wrong, and nothing after it can be found. */
MR_MUST_CHECK enum mr_status cql_segment_header_read(struct cql_segment *out, struct mr_bytes in, bool lz4,
                                                     struct mr_err *err);
/* Checks REST, the payload_bytes and the trailer after SEGMENT's header, and appends the plain payload to W.
 * MR_CORRUPT: the CRC is wrong.  MR_INVALID: lz4's bytes are, though the CRC holds. */
MR_MUST_CHECK enum mr_status cql_segment_payload_read(const struct cql_segment *segment, struct mr_bytes rest,
                                                      struct mr_writer *w, struct mr_err *err);
/* Appends ENVELOPES (whole ones) as one self-contained segment, or, when they are too long for that and so must be one
 * envelope, as several that are not. */
void cql_segments_write(struct mr_writer *w, struct mr_bytes envelopes, bool lz4);

/* ---- requests ---- */

/* Flags of query parameters and of BATCH. */
enum cql_param_flag {
    CQL_PARAM_VALUES = 0x01,
    CQL_PARAM_SKIP_METADATA = 0x02,
    CQL_PARAM_PAGE_SIZE = 0x04,
    CQL_PARAM_PAGING_STATE = 0x08,
    CQL_PARAM_SERIAL = 0x10,
    CQL_PARAM_TIMESTAMP = 0x20,
    CQL_PARAM_NAMES = 0x40,
    CQL_PARAM_KEYSPACE = 0x80, /* v5, as the next */
    CQL_PARAM_NOW = 0x100,
};

/* Fields count only when their flag is set, on reading and on writing. */
struct cql_params {
    uint16_t consistency;
    uint32_t flags; /* enum cql_param_flag */
    uint32_t value_count;
    const struct cql_value *values;
    const struct mr_str *names; /* with CQL_PARAM_NAMES */
    int32_t page_size;
    struct mr_bytes paging_state;
    uint16_t serial_consistency;
    int64_t timestamp_us;
    struct mr_str keyspace; /* instead of the one in use; null without its flag */
    int32_t now_s;          /* the time that TTLs are measured against */
};

struct cql_query {
    struct mr_str text;
    struct cql_params params;
};

struct cql_prepare {
    struct mr_str text;
    struct mr_str keyspace; /* v5; null: the one in use */
};

struct cql_execute {
    struct mr_bytes id;
    struct mr_bytes result_id; /* v5: of the result metadata that the client has */
    struct cql_params params;
};

enum cql_batch_type { CQL_BATCH_LOGGED = 0, CQL_BATCH_UNLOGGED = 1, CQL_BATCH_COUNTER = 2 };

struct cql_batch_entry {
    struct mr_bytes id; /* prepared; or null, and then: */
    struct mr_str text;
    uint32_t value_count;
    const struct cql_value *values;
};

struct cql_batch {
    uint8_t type; /* enum cql_batch_type */
    uint32_t entry_count;
    const struct cql_batch_entry *entries;
    uint16_t consistency;
    uint32_t flags; /* SERIAL and TIMESTAMP; v5: KEYSPACE and NOW */
    uint16_t serial_consistency;
    int64_t timestamp_us;
    struct mr_str keyspace;
    int32_t now_s;
};

struct cql_pair {
    struct mr_str key;
    struct mr_str value;
};

struct cql_startup {
    uint32_t option_count;
    const struct cql_pair *options;
};

struct cql_register {
    uint32_t event_count;
    const struct mr_str *events;
};

struct cql_auth {          /* AUTH_RESPONSE, AUTH_CHALLENGE, AUTH_SUCCESS */
    struct mr_bytes token; /* data == NULL: null */
};

/* Bodies.  OPTIONS has none. */
void cql_query_write(struct mr_writer *w, uint8_t version, const struct cql_query *m);
void cql_prepare_write(struct mr_writer *w, uint8_t version, const struct cql_prepare *m);
void cql_execute_write(struct mr_writer *w, uint8_t version, const struct cql_execute *m);
void cql_batch_write(struct mr_writer *w, uint8_t version, const struct cql_batch *m);
void cql_startup_write(struct mr_writer *w, const struct cql_startup *m);
void cql_register_write(struct mr_writer *w, const struct cql_register *m);
void cql_auth_write(struct mr_writer *w, const struct cql_auth *m);
/* The token of SASL PLAIN: 0 user 0 password. */
void cql_auth_write_plain(struct mr_writer *w, struct mr_str user, struct mr_str password);
MR_MUST_CHECK enum mr_status cql_query_read(struct cql_query *out, struct mr_reader *r, uint8_t version,
                                            struct mr_arena *arena);
MR_MUST_CHECK enum mr_status cql_prepare_read(struct cql_prepare *out, struct mr_reader *r, uint8_t version);
MR_MUST_CHECK enum mr_status cql_execute_read(struct cql_execute *out, struct mr_reader *r, uint8_t version,
                                              struct mr_arena *arena);
MR_MUST_CHECK enum mr_status cql_batch_read(struct cql_batch *out, struct mr_reader *r, uint8_t version,
                                            struct mr_arena *arena);
MR_MUST_CHECK enum mr_status cql_startup_read(struct cql_startup *out, struct mr_reader *r, struct mr_arena *arena);
MR_MUST_CHECK enum mr_status cql_register_read(struct cql_register *out, struct mr_reader *r, struct mr_arena *arena);
MR_MUST_CHECK enum mr_status cql_auth_read(struct cql_auth *out, struct mr_reader *r);
/* Splits a PLAIN token "[authzid] 0 user 0 password"; MR_INVALID when it is none. */
MR_MUST_CHECK enum mr_status cql_auth_split_plain(struct mr_bytes token, struct mr_str *user, struct mr_str *password);

/* ---- answers ---- */

enum cql_metadata_flag {
    CQL_META_GLOBAL = 0x01,
    CQL_META_MORE_PAGES = 0x02,
    CQL_META_NONE = 0x04,
    CQL_META_CHANGED = 0x08, /* v5: not what EXECUTE's result_id stood for */
};

struct cql_column {
    struct mr_str keyspace; /* on reading always set, also when global */
    struct mr_str table;
    struct mr_str name;
    const struct cql_type *type;
};

struct cql_metadata {
    uint32_t flags; /* enum cql_metadata_flag; on writing GLOBAL takes keyspace and table of the first column */
    uint32_t column_count;
    const struct cql_column *columns; /* NULL with CQL_META_NONE */
    struct mr_bytes paging_state;     /* with CQL_META_MORE_PAGES */
    struct mr_bytes id;               /* v5: with CQL_META_CHANGED, and of the rows of PREPARED */
    uint32_t pk_count;                /* of the bind markers of PREPARED, v4 */
    const uint16_t *pk_indexes;
};

enum cql_result_kind {
    CQL_RESULT_VOID = 1,
    CQL_RESULT_ROWS = 2,
    CQL_RESULT_SET_KEYSPACE = 3,
    CQL_RESULT_PREPARED = 4,
    CQL_RESULT_SCHEMA_CHANGE = 5,
};

struct cql_schema_change {
    struct mr_str change; /* CREATED UPDATED DROPPED */
    struct mr_str target; /* KEYSPACE TABLE TYPE FUNCTION AGGREGATE */
    struct mr_str keyspace;
    struct mr_str name; /* not for KEYSPACE */
};

struct cql_result {
    enum cql_result_kind kind;
    struct cql_metadata metadata;        /* ROWS: of the rows; PREPARED: of the bind markers */
    struct cql_metadata result_metadata; /* PREPARED */
    uint32_t row_count;                  /* ROWS */
    struct mr_reader rows;               /* ROWS: cql_row_read from it, row_count times */
    struct mr_str keyspace;              /* SET_KEYSPACE */
    struct mr_bytes id;                  /* PREPARED */
    struct cql_schema_change schema;     /* SCHEMA_CHANGE */
};

/* RESULT of any kind; rows are read from out->rows. */
MR_MUST_CHECK enum mr_status cql_result_read(struct cql_result *out, struct mr_reader *r, uint8_t version,
                                             struct mr_arena *arena);
/* The next row's COUNT cells. */
MR_MUST_CHECK enum mr_status cql_row_read(struct mr_reader *rows, struct cql_value *cells, uint32_t count);
void cql_result_write_void(struct mr_writer *w);
/* Begins ROWS; returns the position of the row count for mr_write_i32_at.  Then cql_write_value for each cell. */
size_t cql_result_begin_rows(struct mr_writer *w, const struct cql_metadata *metadata);
void cql_result_write_keyspace(struct mr_writer *w, struct mr_str keyspace);
void cql_result_write_prepared(struct mr_writer *w, uint8_t version, struct mr_bytes id,
                               const struct cql_metadata *binds, const struct cql_metadata *rows);
void cql_result_write_schema_change(struct mr_writer *w, const struct cql_schema_change *change);

struct cql_error {
    int32_t code; /* enum cql_error_code, or one this version does not know */
    struct mr_str message;
    struct mr_str keyspace;   /* EXISTS */
    struct mr_str table;      /* EXISTS; "" for a keyspace */
    struct mr_bytes id;       /* UNPREPARED */
    uint16_t consistency;     /* UNAVAILABLE, time-outs, failures */
    int32_t received;         /* UNAVAILABLE: required */
    int32_t required;         /* UNAVAILABLE: alive */
    int32_t failures;         /* failures; how many times v5 tells of the next two */
    struct mr_bytes failed;   /* v5: the address of the replica that failed, 4 or 16 bytes */
    uint16_t failure_reason;  /* v5: 0 is unknown */
    uint16_t contentions;     /* v5: WRITE_TIMEOUT with write type CAS */
    bool data_present;        /* READ_* */
    struct mr_str write_type; /* WRITE_* */
};

/* ERROR with what its code wants after the message. */
void cql_error_write(struct mr_writer *w, uint8_t version, const struct cql_error *m);
/* An unknown code is read too: the message alone. */
MR_MUST_CHECK enum mr_status cql_error_read(struct cql_error *out, struct mr_reader *r, uint8_t version);

/* SUPPORTED: each key with its list of values, told as (key, value) pairs, those of one key together.  A
 * null value stands for an empty list, when it is the key's only pair; reading leaves such keys out. */
void cql_supported_write(struct mr_writer *w, const struct cql_pair *pairs, uint32_t count);
MR_MUST_CHECK enum mr_status cql_supported_read(struct cql_startup *out, struct mr_reader *r, struct mr_arena *arena);

/* EVENT.  Only SCHEMA_CHANGE is decoded further; the others leave SCHEMA empty. */
struct cql_event {
    struct mr_str type;
    struct cql_schema_change schema;
};
void cql_event_write_schema(struct mr_writer *w, const struct cql_schema_change *change);
MR_MUST_CHECK enum mr_status cql_event_read(struct cql_event *out, struct mr_reader *r);

#ifdef __cplusplus
}
#endif
#endif
