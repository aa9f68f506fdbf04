#!/usr/bin/env python3
"""Makes the Kafka codec from the schema files: gen_kafka.py OUT.h OUT.c SCHEMA.json...

A schema file describes one kind of request:
    { "api": KEY, "name": "InitProducerId", "versions": "0-5", "flexible": "2+",
      "response_header": 0,                 # ApiVersions only: the highest version of the response's header
      "request": [FIELD...], "response": [FIELD...] }
    FIELD    ["name", "type", "versions", {options}]
    type     bool int8 int16 int32 int64 uint16 float64 uuid string bytes records, or a struct's name; "[]type" is an
             array; "?" in front: may be null in every version (a single struct then has a bool has_NAME beside it)
    options  "fields": [FIELD...]   of a struct        "nullable": "1+"   versions in which it may be null
             "default": VALUE       when absent        "tag": N           a tagged field
    versions "0+" "3-7" "0"
For each message there come out: a struct for all versions, _init (defaults), _read, _write.
"""
import json
import re
import sys

VERSION_END = 32767

# name: (C type, bytes on the wire at least, default, read, write)
SCALARS = {
    "bool": ("bool", 1, "false", "mr_read_u8(in) != 0", "mr_write_u8(out, {v} ? 1 : 0)"),
    "int8": ("int8_t", 1, "0", "mr_read_i8(in)", "mr_write_i8(out, {v})"),
    "int16": ("int16_t", 2, "0", "mr_read_i16(in)", "mr_write_i16(out, {v})"),
    "uint16": ("uint16_t", 2, "0", "mr_read_u16(in)", "mr_write_u16(out, {v})"),
    "int32": ("int32_t", 4, "0", "mr_read_i32(in)", "mr_write_i32(out, {v})"),
    "int64": ("int64_t", 8, "0", "mr_read_i64(in)", "mr_write_i64(out, {v})"),
    "float64": ("double", 8, "0", "mr_read_f64(in)", "mr_write_f64(out, {v})"),
    "uuid": ("struct kafka_uuid", 16, None, "kafka_wire_read_uuid(in)", "kafka_wire_write_uuid(out, &{v})"),
    "string": ("struct mr_str", 1, None, "kafka_wire_read_string(in, {flex}, {null})",
               "kafka_wire_write_string(out, {v}, {flex}, {null})"),
    "bytes": ("struct mr_bytes", 1, None, "kafka_wire_read_bytes(in, {flex}, {null})",
              "kafka_wire_write_bytes(out, {v}, {flex}, {null})"),
    "records": ("struct kafka_record_bytes", 1, None, "kafka_wire_read_records(in, {flex}, {null})",
                "kafka_wire_write_records(out, {v}, {flex}, {null})"),
}
NULLABLE_SCALARS = ("string", "bytes", "records")
OPTIONS = {"fields", "nullable", "default", "tag"}
INT_LIMITS = {"int8": 7, "int16": 15, "int32": 31, "int64": 63}


class SchemaError(Exception):
    """A schema file is wrong; the text names file and field."""


def snake(name):
    """InitProducerId -> init_producer_id"""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Versions:
    """A range of versions, both ends included."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    @staticmethod
    def parse(text, where):
        match = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", text) if isinstance(text, str) else None
        if not match:
            raise SchemaError(f"{where}: '{text}' is not a range of versions")
        low = int(match[1])
        high = VERSION_END if match[2] else int(match[3]) if match[3] else low
        if high < low:
            raise SchemaError(f"{where}: '{text}' ends before it starts")
        return Versions(low, high)

    def overlaps(self, other):
        return self.low <= other.high and other.low <= self.high

    def condition(self, around):
        """The C condition for a version that is known to be inside of AROUND."""
        if not self.overlaps(around):
            return "false"
        parts = []
        if self.low > around.low:
            parts.append(f"version >= {self.low}")
        if self.high < around.high:
            parts.append(f"version <= {self.high}")
        return " && ".join(parts) if parts else "true"

    def cut(self, other):
        return Versions(max(self.low, other.low), min(self.high, other.high))


class Field:
    """One field of a message or of a struct inside it."""

    def __init__(self, message, raw, where):
        if not isinstance(raw, list) or len(raw) not in (3, 4) or not all(isinstance(x, str) for x in raw[:3]):
            raise SchemaError(f"{where}: a field is [name, type, versions, options]")
        self.name = raw[0]
        self.where = f"{where}.{self.name}"
        options = raw[3] if len(raw) == 4 else {}
        unknown = set(options) - OPTIONS
        if unknown:
            raise SchemaError(f"{self.where}: unknown option {', '.join(sorted(unknown))}")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            raise SchemaError(f"{self.where}: not a field name")
        kind = raw[1]
        self.versions = Versions.parse(raw[2], self.where)
        self.nullable = Versions.parse(options["nullable"], self.where) if "nullable" in options else None
        if kind.startswith("?"):
            kind, self.nullable = kind[1:], self.versions
        self.is_array = kind.startswith("[]")
        self.kind = kind[2:] if self.is_array else kind
        self.tag = options.get("tag")
        self.struct = None
        if self.kind not in SCALARS:
            if "fields" not in options:
                raise SchemaError(f"{self.where}: no type '{self.kind}', and no fields to make it a struct")
            self.struct = message.add_struct(self.kind, options["fields"], self.where)
        elif "fields" in options:
            raise SchemaError(f"{self.where}: '{self.kind}' has no fields")
        if self.nullable and not self.is_array and not self.struct and self.kind not in NULLABLE_SCALARS:
            raise SchemaError(f"{self.where}: '{self.kind}' can't be null")
        self.default = self.default_c(options)

    def default_c(self, options):
        """The default as a C expression, or None: all bytes zero."""
        if "default" not in options:
            if self.kind == "string" and not self.is_array and not self.nullable:
                return 'MR_STR("")'
            return None
        value = options["default"]
        if self.is_array or self.struct:
            raise SchemaError(f"{self.where}: no default for arrays and structs")
        if self.kind == "bool" and isinstance(value, bool):
            return "true" if value else None
        if self.kind in INT_LIMITS and isinstance(value, int) and not isinstance(value, bool):
            bits = INT_LIMITS[self.kind]
            if not -(1 << bits) <= value < 1 << bits:
                raise SchemaError(f"{self.where}: {value} does not fit {self.kind}")
            if value == -(1 << bits):
                return f"INT{bits + 1}_MIN"
            return str(value) if value else None
        if self.kind == "string" and isinstance(value, str) and re.fullmatch(r"[ -!#-\[\]-~]*", value):
            return f'MR_STR("{value}")'
        raise SchemaError(f"{self.where}: {value!r} is no default for {self.kind}")

    def c_type(self):
        return f"struct {self.struct.c_name}" if self.struct else SCALARS[self.kind][0]

    def may_be_null(self):
        """A single struct that may be null: has_NAME says whether it is there."""
        return self.struct is not None and not self.is_array and self.nullable is not None

    def wire_bytes_min(self, version, flexible):
        """The least that the field takes; an array's length and a string's are one byte or more in either form."""
        if self.tag is not None or not self.versions.low <= version <= self.versions.high:
            return 0
        if self.is_array:
            return 1 if flexible else 4
        if self.struct:
            return 1 if self.may_be_null() else self.struct.wire_bytes_min(version, flexible)
        if self.kind in NULLABLE_SCALARS and not flexible:
            return 2 if self.kind == "string" else 4
        return SCALARS[self.kind][1]


class Struct:
    """A message or a struct inside it."""

    def __init__(self, message, c_name, raw_fields, where):
        self.message = message
        self.c_name = c_name
        self.fields = []
        if not isinstance(raw_fields, list):
            raise SchemaError(f"{where}: fields are a list")
        for raw in raw_fields:
            field = Field(message, raw, where)
            if any(other.name == field.name for other in self.fields):
                raise SchemaError(f"{field.where}: there twice")
            if field.tag is not None and any(other.tag == field.tag for other in self.fields):
                raise SchemaError(f"{field.where}: tag {field.tag} is there twice")
            self.fields.append(field)
        if not self.fields:
            raise SchemaError(f"{where}: a struct without fields")

    def plain(self):
        return [f for f in self.fields if f.tag is None and f.versions.overlaps(self.message.versions)]

    def tagged(self):
        return [f for f in self.fields if f.tag is not None and f.versions.overlaps(self.message.versions)]

    def wire_bytes_min(self, version, flexible):
        return sum(f.wire_bytes_min(version, flexible) for f in self.fields) + (1 if flexible else 0)


class Message:
    """A request or a response: the structs in it, inner ones first."""

    def __init__(self, api, direction, raw_fields):
        self.versions, self.flexible = api.versions, api.flexible
        self.c_name = f"kafka_{snake(api.name)}_{direction}"
        self.structs = []
        self.root = Struct(self, self.c_name, raw_fields, f"{api.where}: {direction}")
        self.structs.append(self.root)

    def add_struct(self, name, raw_fields, where):
        c_name = f"{self.c_name}_{name}"
        if any(s.c_name == c_name for s in self.structs):
            raise SchemaError(f"{where}: there are two structs '{name}' in one message")
        struct = Struct(self, c_name, raw_fields, where)
        self.structs.append(struct)
        return struct

    def element_bytes_min(self, field):
        """The least an element of an array takes in any version that has the array; never 0."""
        versions = field.versions.cut(self.versions)
        least = []
        for version in range(versions.low, versions.high + 1):
            flexible = self.flexible.low <= version <= self.flexible.high
            if field.struct:
                least.append(field.struct.wire_bytes_min(version, flexible))
            elif field.kind in NULLABLE_SCALARS and not flexible:
                least.append(2 if field.kind == "string" else 4)
            else:
                least.append(SCALARS[field.kind][1])
        return max(1, min(least))


class Api:
    """One schema file."""

    def __init__(self, text, where):
        self.where = where
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as error:
            raise SchemaError(f"{where}: {error}") from error
        for key in ("api", "name", "versions", "flexible", "request", "response"):
            if key not in raw:
                raise SchemaError(f"{where}: no '{key}'")
        unknown = set(raw) - {"api", "name", "versions", "flexible", "request", "response", "response_header"}
        if unknown:
            raise SchemaError(f"{where}: unknown member {', '.join(sorted(unknown))}")
        self.key, self.name = raw["api"], raw["name"]
        self.versions = Versions.parse(raw["versions"], where)
        if self.versions.high == VERSION_END:
            raise SchemaError(f"{where}: versions need an end")
        self.flexible = Versions(VERSION_END, VERSION_END)
        if raw["flexible"] != "none":
            self.flexible = Versions.parse(raw["flexible"], where)
        self.response_header_max = raw.get("response_header", 1)
        self.messages = [Message(self, "request", raw["request"]), Message(self, "response", raw["response"])]


# ---- C ----

def struct_declaration(struct):
    lines = [f"struct {struct.c_name} {{"]
    for f in struct.fields:
        if f.is_array:
            null = "; -1: null" if f.nullable else ""
            lines.append(f"    {f.c_type()} *{f.name};")
            lines.append(f"    int32_t {f.name}_count; /* elements{null} */")
        else:
            if f.may_be_null():
                lines.append(f"    bool has_{f.name}; /* else null */")
            lines.append(f"    {f.c_type()} {f.name};")
    return lines + ["};", ""]


def init_function(struct):
    lines = [f"void {struct.c_name}_init(struct {struct.c_name} *m)", "{",
             f"    *m = (struct {struct.c_name}){{ 0 }};"]
    for f in struct.fields:
        if f.struct and not f.is_array:
            lines.append(f"    {f.struct.c_name}_init(&m->{f.name});")
        elif f.default is not None:
            lines.append(f"    m->{f.name} = {f.default};")
    return lines + ["}", ""]


def used(lines, name):
    return any(re.search(rf"\b{name}\b", line) for line in lines)


def signature(first, body, names):
    """The function's head, body, and casts for the parameters that the body does not use."""
    return first + ["{"] + [f"    (void){name};" for name in names if not used(body, name)] + body + ["}", ""]


class Emitter:
    """Makes the functions of one message."""

    def __init__(self, message):
        self.message = message

    def wrap(self, condition, lines, indent):
        """LINES under IF CONDITION; a block when they are several."""
        pad = " " * indent
        if condition == "true":
            return [pad + line for line in lines]
        if condition == "false":
            return []
        if len(lines) == 1:
            return [f"{pad}if ({condition})", f"{pad}    {lines[0]}"]
        return [f"{pad}if ({condition}) {{"] + [f"{pad}    {line}" for line in lines] + [pad + "}"]

    def null_condition(self, field):
        around = field.versions.cut(self.message.versions)
        return field.nullable.condition(around) if field.nullable else "false"

    def flexible_line(self, body):
        condition = self.message.flexible.condition(self.message.versions)
        return [f"    bool flexible = {condition};"] if used(body, "flexible") else []

    def read_lines(self, f, source):
        """Reads field F from the reader SOURCE."""
        null = self.null_condition(f)
        if f.is_array:
            least = self.message.element_bytes_min(f)
            element = f"m->{f.name}[i]"
            if f.struct:
                inner = f"{f.struct.c_name[6:]}_fields_read(&{element}, {source}, version, arena);"
            else:
                inner = f"{element} = {self.scalar_read(f.kind, 'false', source)};"
            return [f"m->{f.name} = kafka_wire_read_array({source}, flexible, {null}, {least}, sizeof(*m->{f.name}), "
                    f"arena, &m->{f.name}_count);",
                    f"for (int32_t i = 0; i < m->{f.name}_count && !{source}->failed; i++)",
                    f"    {inner}"]
        if f.may_be_null():
            always = "" if null == "true" else f"!({null}) || "
            return [f"m->has_{f.name} = {always}mr_read_i8({source}) >= 0;",
                    f"if (m->has_{f.name})",
                    f"    {f.struct.c_name[6:]}_fields_read(&m->{f.name}, {source}, version, arena);"]
        if f.struct:
            return [f"{f.struct.c_name[6:]}_fields_read(&m->{f.name}, {source}, version, arena);"]
        return [f"m->{f.name} = {self.scalar_read(f.kind, null, source)};"]

    @staticmethod
    def scalar_read(kind, null, source):
        text = SCALARS[kind][3].replace("(in", f"({source}")
        return text.format(flex="flexible", null=null)

    @staticmethod
    def scalar_write(kind, value, null, target):
        text = SCALARS[kind][4].replace("(out", f"({target}")
        return text.format(v=value, flex="flexible", null=null) + ";"

    def write_lines(self, f, target):
        """Writes field F to the writer TARGET."""
        null = self.null_condition(f)
        if f.is_array:
            element = f"m->{f.name}[i]"
            inner = (f"{f.struct.c_name[6:]}_fields_write(&{element}, {target}, version);" if f.struct
                     else self.scalar_write(f.kind, element, "false", target))
            return [f"kafka_wire_write_count({target}, m->{f.name}_count, flexible, {null});",
                    f"for (int32_t i = 0; i < m->{f.name}_count; i++)",
                    f"    {inner}"]
        if f.may_be_null():
            mark = f"mr_write_i8({target}, m->has_{f.name} ? 1 : -1);"
            return ([mark] if null == "true" else [f"if ({null})", f"    {mark}"]) + [
                f"if (m->has_{f.name} || !({null}))",
                f"    {f.struct.c_name[6:]}_fields_write(&m->{f.name}, {target}, version);"]
        if f.struct:
            return [f"{f.struct.c_name[6:]}_fields_write(&m->{f.name}, {target}, version);"]
        return [self.scalar_write(f.kind, f"m->{f.name}", null, target)]

    def is_set(self, f, of):
        """The C condition for "field F of OF is not its default"."""
        value = f"{of}{f.name}"
        if f.is_array:
            return f"{value}_count != 0"
        if f.may_be_null():
            return f"{of}has_{f.name}"
        if f.struct:
            return "(" + " || ".join(self.is_set(inner, f"{value}.") for inner in f.struct.fields) + ")"
        if f.kind == "uuid":
            return f"!kafka_uuid_is_zero(&{value})"
        if f.kind == "string":
            return f"!mr_str_equal({value}, {f.default})" if f.default else f"{value}.data != NULL"
        if f.kind == "bytes":
            return f"{value}.data != NULL"
        if f.kind == "records":
            return f"({value}.bytes.data != NULL || {value}.hole != NULL)"
        return f"{value} != {f.default or '0'}" if f.kind != "bool" else f"{value} != {f.default or 'false'}"

    def tagged_read(self, struct):
        """Reads all tagged fields, skipping the unknown."""
        if not struct.tagged():
            return ["    if (flexible)", "        kafka_wire_skip_tags(in);"]
        lines = ["    if (flexible) {", "        uint32_t count = kafka_wire_read_tag_count(in);", "",
                 "        for (uint32_t n = 0; n < count && !in->failed; n++) {",
                 "            uint32_t tag;",
                 "            struct mr_reader value = kafka_wire_read_tag(in, &tag);", "",
                 "            switch (in->failed ? UINT32_MAX : tag) {"]
        for f in struct.tagged():
            body = self.wrap(f.versions.condition(self.message.versions),
                             self.read_lines(f, "(&value)"), 16)
            lines += [f"            case {f.tag}:"] + body + ["                break;"]
        return lines + ["            default:", "                break;", "            }",
                        "            if (value.failed)", "                mr_reader_fail(in);", "        }", "    }"]

    def tagged_write(self, struct):
        """Writes the tagged fields that are not their default, by rising tag."""
        if not struct.tagged():
            return ["    if (flexible)", "        mr_write_uvarint(out, 0);"]
        fields = sorted(struct.tagged(), key=lambda f: f.tag)
        lines = ["    if (flexible) {"]
        for f in fields:
            present = self.wrap_condition(f.versions.condition(self.message.versions), self.is_set(f, "m->"))
            lines.append(f"        bool has_{f.name} = {present};")
        total = " + ".join(f"has_{f.name}" for f in fields)
        lines += ["        struct mr_writer value = { 0 };", "", f"        mr_write_uvarint(out, (uint64_t)({total}));"]
        for f in fields:
            lines += [f"        if (has_{f.name}) {{", "            value.size = 0;"]
            lines += ["            " + line for line in self.write_lines(f, "(&value)")]
            lines += [f"            kafka_wire_write_tag(out, {f.tag}, &value);", "        }"]
        return lines + ["        mr_writer_deinit(&value);", "    }"]

    @staticmethod
    def wrap_condition(condition, more):
        return more if condition == "true" else f"{condition} && {more}"

    def fields_read(self, struct):
        body = [f"    {struct.c_name}_init(m);"]
        for f in struct.plain():
            body += self.wrap(f.versions.condition(self.message.versions), self.read_lines(f, "in"), 4)
        body += self.tagged_read(struct)
        first = [f"static void {struct.c_name[6:]}_fields_read(struct {struct.c_name} *m, struct mr_reader *in, "
                 "int version,", "    struct mr_arena *arena)"]
        return signature(first, self.flexible_line(body) + [""] + body, ["version", "arena"])

    def fields_write(self, struct):
        body = []
        for f in struct.plain():
            body += self.wrap(f.versions.condition(self.message.versions), self.write_lines(f, "out"), 4)
        body += self.tagged_write(struct)
        first = [f"static void {struct.c_name[6:]}_fields_write(const struct {struct.c_name} *m, "
                 "struct mr_writer *out, int version)"]
        return signature(first, self.flexible_line(body) + [""] + body, ["m", "version"])

    def entry_points(self):
        name = self.message.c_name
        return [f"enum mr_status {name}_read(struct {name} *m, struct mr_reader *in, int version, "
                "struct mr_arena *arena)", "{", f"    {name[6:]}_fields_read(m, in, version, arena);",
                "    return in->failed ? MR_INVALID : MR_OK;", "}", "",
                f"void {name}_write(const struct {name} *m, struct mr_writer *out, int version)", "{",
                f"    {name[6:]}_fields_write(m, out, version);", "}", ""]

    def source(self):
        lines = []
        for struct in self.message.structs:
            lines += init_function(struct) + self.fields_read(struct) + self.fields_write(struct)
        return lines + self.entry_points()


def header_text(apis):
    lines = ["/* Generated by tools/gen_kafka.py from src/kafka/schema: one struct a message, for every version. */",
             "#ifndef MR_KAFKA_MESSAGES_H", "#define MR_KAFKA_MESSAGES_H", "", '#include "kafka/kafka.h"', "",
             "#ifdef __cplusplus", 'extern "C" {', "#endif", "", "enum kafka_api_key {"]
    lines += [f"    KAFKA_{snake(api.name).upper()} = {api.key}," for api in apis]
    lines += ["};", ""]
    for api in apis:
        for message in api.messages:
            for struct in message.structs:
                lines += struct_declaration(struct)
                lines += [f"void {struct.c_name}_init(struct {struct.c_name} *m);", ""]
            name = message.c_name
            lines += [f"/* Versions {message.versions.low} to {message.versions.high}.  MR_INVALID: not one. */",
                      f"MR_MUST_CHECK enum mr_status {name}_read(struct {name} *m, struct mr_reader *in, int version,",
                      "    struct mr_arena *arena);",
                      f"void {name}_write(const struct {name} *m, struct mr_writer *out, int version);", ""]
    return "\n".join(lines + ["#ifdef __cplusplus", "}", "#endif", "#endif", ""])


def source_text(apis):
    lines = ["/* Generated by tools/gen_kafka.py from src/kafka/schema. */", '#include "kafka/messages.h"', "",
             '#include "kafka/wire_int.h"', "", "static const struct kafka_api apis[] = {"]
    for api in apis:
        lines.append(f'    {{ {api.key}, {api.versions.low}, {api.versions.high}, {api.flexible.low}, '
                     f'{api.response_header_max}, "{api.name}" }},')
    lines += ["};", "", "const struct kafka_api *kafka_api_find(int16_t key)", "{",
              "    for (size_t i = 0; i < MR_COUNT(apis); i++)", "        if (apis[i].key == key)",
              "            return &apis[i];", "    return NULL;", "}", "",
              "const struct kafka_api *kafka_apis(size_t *count)", "{", "    *count = MR_COUNT(apis);",
              "    return apis;", "}", ""]
    for api in apis:
        for message in api.messages:
            lines += Emitter(message).source()
    return "\n".join(lines)


def load(paths):
    apis = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            apis.append(Api(file.read(), path))
    apis.sort(key=lambda api: api.key)
    for one, two in zip(apis, apis[1:]):
        if one.key == two.key:
            raise SchemaError(f"{two.where}: key {two.key} is there twice")
    return apis


def main(arguments):
    if len(arguments) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        apis = load(arguments[2:])
    except SchemaError as error:
        print(error, file=sys.stderr)
        return 1
    for path, text in ((arguments[0], header_text(apis)), (arguments[1], source_text(apis))):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
