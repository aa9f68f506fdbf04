"""Tests of tools/gen_kafka.py: what a schema becomes, and that wrong schemas are refused with the place."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.environ.get("MILLRACE_TOOLS", os.path.join(os.path.dirname(__file__), "..", "..", "..", "tools")))
import gen_kafka


def schema(request=None, **changes):
    raw = {"api": 12, "name": "HeartBeat", "versions": "0-4", "flexible": "4+",
           "request": request or [["group_id", "string", "0+"]], "response": [["error_code", "int16", "0+"]]}
    raw.update(changes)
    return json.dumps(raw)


def generate(request):
    apis = [gen_kafka.Api(schema(request), "x.json")]
    return gen_kafka.header_text(apis), gen_kafka.source_text(apis)


class Names(unittest.TestCase):
    def test_snake(self):
        for name, expect in (("InitProducerId", "init_producer_id"), ("Fetch", "fetch"),
                             ("ApiVersions", "api_versions")):
            self.assertEqual(gen_kafka.snake(name), expect)


class VersionRanges(unittest.TestCase):
    def test_conditions(self):
        api = gen_kafka.Versions(0, 9)
        for text, expect in (("0+", "true"), ("3+", "version >= 3"), ("0-4", "version <= 4"), ("0-9", "true"),
                             ("2-5", "version >= 2 && version <= 5"), ("0", "version <= 0"), ("10+", "false")):
            self.assertEqual(gen_kafka.Versions.parse(text, "x").condition(api), expect, text)

    def test_wrong(self):
        for text in ("", "+", "1-", "-1", "5-3", "1..2"):
            with self.assertRaises(gen_kafka.SchemaError, msg=text):
                gen_kafka.Versions.parse(text, "x")


class Generated(unittest.TestCase):
    def test_struct_and_names(self):
        header, _ = generate([["group_id", "string", "0+"], ["generation_id", "int32", "0+"],
                              ["ids", "[]int32", "0+"], ["topic_id", "uuid", "1+"]])
        for line in ("struct kafka_heart_beat_request {", "    struct mr_str group_id;", "    int32_t generation_id;",
                     "    int32_t *ids;", "    int32_t ids_count; /* elements */", "    struct kafka_uuid topic_id;",
                     "    KAFKA_HEART_BEAT = 12,"):
            self.assertIn(line + "\n", header)

    def test_versions_become_conditions(self):
        _, source = generate([["member_id", "?string", "3+"]])
        self.assertIn("if (version >= 3)\n        m->member_id = kafka_wire_read_string(in, flexible, true);", source)

    def test_nullable_in_some_versions(self):
        _, source = generate([["member_id", "string", "0+", {"nullable": "2+"}]])
        self.assertIn("kafka_wire_read_string(in, flexible, version >= 2)", source)

    def test_nullable_struct(self):
        header, source = generate([["cursor", "?at", "0+", {"fields": [["n", "int32", "0+"]]}]])
        self.assertIn("    bool has_cursor; /* else null */\n    struct kafka_heart_beat_request_at cursor;\n", header)
        self.assertIn("m->has_cursor = mr_read_i8(in) >= 0;\n    if (m->has_cursor)", source)
        self.assertIn("mr_write_i8(out, m->has_cursor ? 1 : -1);", source)

    def test_defaults(self):
        _, source = generate([["a", "int64", "1+", {"default": -1}], ["b", "bool", "1+", {"default": True}],
                              ["c", "int32", "1+", {"default": -2147483648}], ["d", "string", "1+"],
                              ["e", "?string", "1+"]])
        for line in ("m->a = -1;", "m->b = true;", "m->c = INT32_MIN;", 'm->d = MR_STR("");'):
            self.assertIn(line, source)
        self.assertNotIn("m->e = ", source.split("_fields_read")[0])

    def test_array_elements_are_bounded_by_their_least_size(self):
        fields = [["name", "string", "0+"], ["n", "int32", "2+"]]
        _, source = generate([["topics", "[]topic", "0+", {"fields": fields}]])
        # version 0 has the name alone: two bytes of length
        self.assertIn("kafka_wire_read_array(in, flexible, false, 2, sizeof(*m->topics)", source)

    def test_tagged_field_is_written_when_set(self):
        _, source = generate([["epoch", "int64", "4+", {"tag": 1, "default": -1}]])
        self.assertIn("bool has_epoch = version >= 4 && m->epoch != -1;", source)
        self.assertIn("case 1:", source)

    def test_apis_rise_by_key(self):
        apis = [gen_kafka.Api(schema(), "b.json"), gen_kafka.Api(schema(api=3, name="Meta"), "a.json")]
        header = gen_kafka.header_text(sorted(apis, key=lambda api: api.key))
        self.assertLess(header.index("KAFKA_META"), header.index("KAFKA_HEART_BEAT"))


class Refused(unittest.TestCase):
    def test_wrong_schemas(self):
        cases = (
            ([["a", "int31", "0+"]], "request.a: no type 'int31'"),
            ([["a", "int32", "zero"]], "request.a: 'zero' is not a range of versions"),
            ([["a", "int32", "0+", {"ignorable": True}]], "request.a: unknown option ignorable"),
            ([["a", "int32", "0+"], ["a", "int32", "0+"]], "request.a: there twice"),
            ([["a", "?int32", "0+"]], "request.a: 'int32' can't be null"),
            ([["a", "int8", "0+", {"default": 128}]], "request.a: 128 does not fit int8"),
            ([["a", "int32", "0+", {"default": "x"}]], "request.a: 'x' is no default for int32"),
            ([["A", "int32", "0+"]], "request.A: not a field name"),
            ([["a", "int32", "0+", {"tag": 0}], ["b", "int32", "0+", {"tag": 0}]], "request.b: tag 0 is there twice"),
            ([["a", "[]t", "0+", {"fields": [["x", "bool", "0+"]]}],
              ["b", "[]t", "0+", {"fields": [["x", "bool", "0+"]]}]], "there are two structs 't' in one message"),
        )
        for request, expect in cases:
            with self.assertRaises(gen_kafka.SchemaError) as caught:
                gen_kafka.Api(schema(request), "x.json")
            self.assertIn(expect, str(caught.exception))

    def test_wrong_files(self):
        for text, expect in (("{", "x.json"), (schema(versions="0+"), "versions need an end"),
                             (schema(extra=1), "unknown member extra"), ("{}", "no 'api'")):
            with self.assertRaises(gen_kafka.SchemaError) as caught:
                gen_kafka.Api(text, "x.json")
            self.assertIn(expect, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
