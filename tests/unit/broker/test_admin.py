"""What the broker answers to odd and wrong admin requests, beside what clients can ask: the rows are what Apache Kafka
4.3.1 answered to the same requests, unless marked "ours".  Usage: test_admin.py BROKER_SERVER [unittest options]"""
import struct
import sys
import unittest

import test_behaviours
from test_behaviours import Case, batch, string

DELETE_TOPICS, DELETE_RECORDS, OFFSET_FOR_LEADER_EPOCH, DESCRIBE_CONFIGS = 20, 21, 23, 32
DESCRIBE_LOG_DIRS, CREATE_PARTITIONS, INCREMENTAL_ALTER_CONFIGS, DESCRIBE_CLUSTER = 35, 37, 44, 60
DESCRIBE_TOPIC_PARTITIONS = 75
TOPIC, BROKER = 2, 4
NO_ID = bytes(16)
NOT_HOSTED = "This server does not host this topic-partition."


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def text(value):
    """A compact string; None: null."""
    return b"\0" if value is None else bytes([len(value) + 1]) + value.encode()


def items(parts):
    return bytes([len(parts) + 1]) + b"".join(parts)


def read_text(reader):
    size = reader.take("B") - 1
    reader.at += max(size, 0)
    return None if size < 0 else reader.data[reader.at - size:reader.at].decode()


def read_id(reader):
    reader.at += 16
    return reader.data[reader.at - 16:reader.at]


def varint(reader):
    value = shift = 0
    while True:
        byte = reader.take("B")
        value |= (byte & 127) << shift
        if byte < 128:
            return value
        shift += 7


class Admin(Case):
    def flexible(self, key, version, body):
        reader = self.client.ask(key, version, body + b"\0", tags=True)
        reader.take("B")
        return reader

    def topic_id(self, name):
        return next(t["id"] for t in self.topics([name])[0])

    def topics(self, names, limit=2000, cursor=None):
        """DescribeTopicPartitions: topics, next cursor."""
        body = items([text(name) + b"\0" for name in names]) + struct.pack(">i", limit)
        body += b"\xff" if cursor is None else b"\1" + text(cursor[0]) + struct.pack(">i", cursor[1]) + b"\0"
        reader = self.flexible(DESCRIBE_TOPIC_PARTITIONS, 0, body)
        reader.take("i")
        found = []
        for _ in range(varint(reader) - 1):
            topic = {"error": reader.take("h"), "name": read_text(reader), "id": read_id(reader)}
            reader.take("b")
            topic["partitions"] = []
            for _ in range(varint(reader) - 1):
                error, index, leader, epoch = reader.take("hiii")
                lists = [[reader.take("i") for _ in range(varint(reader) - 1)] for _ in range(5)]
                reader.take("B")
                self.assertEqual((error, leader, epoch, lists), (0, 1, 0, [[1], [1], [], [], []]))
                topic["partitions"].append(index)
            topic["operations"], _ = reader.take("iB")
            found.append(topic)
        after = (read_text(reader), reader.take("i")) if reader.take("b") >= 0 else None
        return found, after

    def delete(self, *wanted):
        """DeleteTopics v6 by (name, id): (name, error, message)."""
        body = items([text(name) + id + b"\0" for name, id in wanted]) + struct.pack(">i", 1000)
        reader = self.flexible(DELETE_TOPICS, 6, body)
        reader.take("i")
        rows = []
        for _ in range(varint(reader) - 1):
            name, _ = read_text(reader), read_id(reader)
            rows.append((name, reader.take("h"), read_text(reader)))
            reader.take("B")
        return rows


class Topics(Admin):
    def test_delete(self):
        for name in ("a", "b", "c"):
            self.create(name)
        ids = {name: self.topic_id(name) for name in ("a", "b", "c")}
        unknown = bytes(15) + b"\x4d"
        for wanted, expect in (
                ([("nosuch", NO_ID)], [("nosuch", 3, NOT_HOSTED)]),
                ([("a b", NO_ID)], [("a b", 3, NOT_HOSTED)]),
                ([(None, unknown)], [(None, 100, "This server does not host this topic ID.")]),
                ([("a", ids["a"])], [("a", 42, "You may not specify both topic name and topic id.")]),
                ([(None, NO_ID)], [(None, 42, "Neither topic name nor id were specified.")]),
                ([("a", NO_ID), ("a", NO_ID)], [("a", 42, "Duplicate topic name.")]),
                ([("a", NO_ID), (None, ids["a"])],
                 [("a", 42, "The provided topic name maps to an ID that was already supplied.")]),
                ([], []),
                ([(None, ids["a"]), ("b", NO_ID)], [("a", 0, None), ("b", 0, None)]),
                ([("a", NO_ID)], [("a", 3, NOT_HOSTED)])):
            self.assertEqual(self.delete(*wanted), expect)
        names = [topic["name"] for topic in self.topics([])[0]]
        self.assertTrue("c" in names and "a" not in names and "b" not in names)

    def test_internal_topics_stay(self):  # ours: the coordinator's records are in them
        self.create("__consumer_offsets", 2)
        self.assertEqual(self.delete(("__consumer_offsets", NO_ID))[0][:2], ("__consumer_offsets", 29))
        self.assertEqual(self.grow(("__consumer_offsets", 9, None))[0][:2], ("__consumer_offsets", 29))
        self.assertEqual(len(self.topics(["__consumer_offsets"])[0][0]["partitions"]), 2)

    def test_pages(self):
        self.create("p1", 2)
        self.create("p2", 4)
        for names, limit, cursor, expect, after in (
                (["p2", "p1"], 2000, None, [("p1", [0, 1]), ("p2", [0, 1, 2, 3])], None),
                (["p2", "p1"], 1, None, [("p1", [0])], ("p1", 1)),
                (["p2", "p1"], 2, None, [("p1", [0, 1])], ("p2", 0)),
                (["p2", "p1"], 2, ("p2", 1), [("p2", [1, 2])], ("p2", 3)),
                (["p2"], 0, None, [("p2", [0])], ("p2", 1)),
                (["p2"], 2, ("p2", 99), [("p2", [])], None),
                (["p1", "p1"], 2000, None, [("p1", [0, 1])], None)):
            found, next_cursor = self.topics(names, limit, cursor)
            self.assertEqual(([(t["name"], t["partitions"]) for t in found], next_cursor), (expect, after))
        found, _ = self.topics(["p1", "nosuch", "a b"])
        self.assertEqual([(t["name"], t["error"], t["operations"]) for t in found],
                         [("a b", 17, 3576), ("nosuch", 3, 3576), ("p1", 0, 3576)])
        for cursor in (("p11", 0), ("p1", -1)):
            found, after = self.topics(["p1"], 2, cursor)
            self.assertEqual((found[0]["error"], after), (42, None))

    def grow(self, *wanted, version=1):
        """CreatePartitions: (name, error, message)."""
        def lists(assignments):
            if assignments is None:
                return struct.pack(">i", -1)
            return array([array([struct.pack(">i", node) for node in nodes]) for nodes in assignments])
        body = array([string(name) + struct.pack(">i", count) + lists(given) for name, count, given in wanted])
        reader = self.client.ask(CREATE_PARTITIONS, version, body + struct.pack(">ib", 1000, 0))
        reader.take("i")
        return [(reader.string(), reader.take("h"), reader.string()) for _ in range(reader.take("i"))]

    def test_create_partitions(self):
        self.create("g", 3)
        for wanted, error, message in (
                (("g", 3, None), 37, "Topic already has 3 partition(s)."),
                (("g", -1, None), 37, "The topic g currently has 3 partition(s); -1 would not be an increase."),
                (("nosuch", 3, None), 3, None),
                (("a b", 3, None), 3, None),
                (("g", 5, [[1]]), 39,
                 "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified."),
                (("g", 4, []), 39,
                 "Attempted to add 1 additional partition(s), but only 0 assignment(s) were specified."),
                (("g", 4, [[]]), 39, "The manual partition assignment includes an empty replica list."),
                (("g", 4, [[1, 1]]), 39, "The manual partition assignment includes the broker 1 more than once."),
                (("g", 4, [[1]]), 0, None),
                (("g", 5, [[2]]), 0, None)):  # ours: taken as here, since replication is clamped
            self.assertEqual(self.grow(wanted), [(wanted[0], error, message)])
        self.assertEqual(self.grow(("g", 6, None), ("g", 7, None)), [("g", 42, "Duplicate topic name.")])
        self.assertEqual(len(self.topics(["g"])[0][0]["partitions"]), 5)


class Records(Admin):
    def cut(self, name, offset, partition=0):
        """DeleteRecords v1: (low watermark, error)."""
        body = array([string(name) + array([struct.pack(">iq", partition, offset)])]) + struct.pack(">i", 1000)
        reader = self.client.ask(DELETE_RECORDS, 1, body)
        reader.take("ii")
        reader.string()
        _, _, low, error = reader.take("iiqh")
        return low, error

    def test_delete_records(self):
        self.create("t")
        self.create("compacted", configs=[("cleanup.policy", "compact")])
        self.create("both", configs=[("cleanup.policy", "compact,delete")])
        for value in (b"0", b"1", b"2", b"3", b"4"):
            self.produce("t", batch([value]))
        for name, offset, expect in (("t", 2, (2, 0)), ("t", 1, (2, 0)), ("t", 6, (-1, 1)), ("t", -2, (-1, 1)),
                                     ("nosuch", 0, (-1, 3)), ("compacted", 0, (-1, 44)), ("both", -1, (0, 0))):
            self.assertEqual(self.cut(name, offset), expect)
        self.assertEqual(self.cut("t", 0, 9), (-1, 3))
        self.assertEqual(self.list_offset("t", -2)[::2], (0, 2))
        self.assertEqual(self.list_offset("t", 0)[::2], (0, 2))
        self.assertEqual(self.fetch("t", 1)[1], 1)
        self.assertEqual(self.fetch("t", 2)[1:5], (0, 5, 5, 2))
        self.assertEqual(self.cut("t", -1), (5, 0))
        self.assertEqual(self.list_offset("t", -2)[::2], (0, 5))
        self.assertEqual(self.produce("t", batch([b"new"]))[:2], (0, 5))

    def test_start_inside_of_a_batch(self):
        self.create("big")
        for _ in range(3):
            self.produce("big", batch([b"x"] * 10))
        self.assertEqual(self.cut("big", 15), (15, 0))
        self.assertEqual(self.list_offset("big", 0)[::2], (0, 15))
        self.assertEqual(self.fetch("big", 14)[1], 1)
        self.assertEqual(self.fetch("big", 15)[1], 0)

    def test_leader_epochs(self):
        self.create("e")
        self.create("empty")
        self.produce("e", batch([b"x"] * 5))
        for name, partition, current, epoch, expect in (
                ("e", 0, -1, 0, (0, 0, 0, 5)), ("e", 0, 0, 0, (0, 0, 0, 5)), ("e", 0, 5, 0, (75, 0, -1, -1)),
                ("e", 0, -2, 0, (74, 0, -1, -1)), ("e", 0, -1, 5, (0, 0, -1, -1)), ("e", 0, -1, -1, (0, 0, -1, -1)),
                ("nosuch", 0, -1, 0, (3, 0, -1, -1)), ("e", 9, -1, 0, (3, 9, -1, -1)),
                ("empty", 0, -1, 0, (0, 0, 0, 0))):
            asked = array([struct.pack(">iii", partition, current, epoch)])
            body = struct.pack(">i", -1) + array([string(name) + asked])
            reader = self.client.ask(OFFSET_FOR_LEADER_EPOCH, 3, body)
            reader.take("ii")
            reader.string()
            reader.take("i")
            self.assertEqual(reader.take("hiiq"), expect)


class Configs(Admin):
    def describe(self, kind, name, keys=None):
        """DescribeConfigs v1: (error, message, {name: value})."""
        wanted = struct.pack(">i", -1) if keys is None else array([string(key) for key in keys])
        body = array([struct.pack(">b", kind) + string(name) + wanted]) + b"\0"
        reader = self.client.ask(DESCRIBE_CONFIGS, 1, body)
        reader.take("ii")
        error, message = reader.take("h"), reader.string()
        reader.take("b")
        reader.string()
        found = {}
        for _ in range(reader.take("i")):
            key, value = reader.string(), reader.string()
            found[key] = value
            reader.take("bbbi")
        return error, message, found

    def test_describe(self):
        self.create("d", configs=[("retention.ms", "5")])
        self.assertEqual(self.describe(TOPIC, "d", ["retention.ms", "retention.ms", "no.such"]),
                         (0, "", {"retention.ms": "5"}))
        self.assertEqual(len(self.describe(TOPIC, "d", [])[2]), 33)
        for kind, name, error, message in (
                (TOPIC, "nosuch", 3, ""),
                (TOPIC, "", 17, "Topic name is invalid: the empty string is not allowed"),
                (BROKER, "2", 42, "Unexpected broker id, expected 1 or empty string, but received 2"),
                (BROKER, "x", 42, "Broker id must be an integer, but it is: x"),
                (BROKER, "", 0, ""),
                (3, "x", 42, "Resource type 3 has no settings here.")):  # ours: the message
            self.assertEqual(self.describe(kind, name), (error, message, {}))

    def test_floods(self):  # ours: what is named again and again makes neither much work nor a large answer
        self.create("f")
        many = [struct.pack(">b", TOPIC) + string("f") + struct.pack(">i", -1)] * 200000
        reader = self.client.ask(DESCRIBE_CONFIGS, 1, array(many) + b"\0")
        self.assertLess(reader.left(), 200000 * 100)
        changes = [("retention.ms", 0, str(n)) for n in range(50000)]
        self.assertEqual(self.alter((TOPIC, "f", changes))[0][0], 42)
        rows = self.alter(*[(TOPIC, "f", [])] * 50000)
        self.assertEqual((len(rows), rows[0][0]), (50000, 42))

    def alter(self, *resources):
        """IncrementalAlterConfigs v0: (error, message) of each (kind, name, [(key, operation, value)])."""
        body = array([struct.pack(">b", kind) + string(name) + array([
            string(key) + struct.pack(">b", operation) + string(value) for key, operation, value in changes])
            for kind, name, changes in resources]) + b"\0"
        reader = self.client.ask(INCREMENTAL_ALTER_CONFIGS, 0, body)
        reader.take("i")
        rows = []
        for _ in range(reader.take("i")):
            rows.append((reader.take("h"), reader.string()))
            reader.take("b")
            reader.string()
        return rows

    def test_alter(self):
        self.create("a", configs=[("cleanup.policy", "compact")])
        for kind, name, changes, error, message in (
                (TOPIC, "a", [("retention.ms", 0, None)], 42, "Null value not supported for : retention.ms"),
                (TOPIC, "a", [("retention.ms", 0, "5"), ("retention.ms", 1, None)], 42,
                 "Error due to duplicate config keys"),
                (TOPIC, "a", [("retention.ms", 0, "")], 40,
                 "Invalid value  for configuration retention.ms: Not a number of type LONG"),
                (TOPIC, "a", [("no.such", 2, "5")], 40, "Can't APPEND to key no.such because its type is not LIST."),
                (TOPIC, "a", [("remote.storage.enable", 0, "true")], 40,
                 "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log "
                 "storage."),
                (TOPIC, "a b", [("retention.ms", 0, "5")], 17,
                 "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', "
                 "'_' and '-'"),
                (TOPIC, "", [("retention.ms", 0, "5")], 42, "Default topic resources are not allowed."),
                (TOPIC, "nosuch", [], 3, "The topic 'nosuch' does not exist."),
                (3, "a", [("retention.ms", 0, "5")], 42, "Unknown resource type 3"),
                (BROKER, "7", [("log.retention.ms", 0, "5")], 42, "Unexpected broker id, expected 1, but received 7"),
                (TOPIC, "a", [("no.such", 1, None)], 0, None),
                (TOPIC, "a", [("cleanup.policy", 2, "compact")], 0, None),
                (TOPIC, "a", [], 0, None)):
            self.assertEqual(self.alter((kind, name, changes)), [(error, message)])
        self.assertEqual(self.describe(TOPIC, "a", ["cleanup.policy"])[2], {"cleanup.policy": "compact"})
        once = "Each resource must appear at most once."
        self.create("b")
        self.assertEqual(self.alter((TOPIC, "a", [("segment.ms", 0, "5")]), (TOPIC, "a", [("retention.ms", 0, "5")]),
                                    (TOPIC, "b", [("segment.ms", 0, "5")])), [(42, once), (42, once), (0, None)])
        self.assertEqual(self.describe(TOPIC, "b", ["segment.ms"])[2], {"segment.ms": "5"})

    def test_a_list_by_and_by(self):
        self.create("l", configs=[("cleanup.policy", "compact")])
        for operation, value, expect in ((2, "delete", "compact,delete"), (2, "delete", "compact,delete"),
                                         (3, "compact", "delete"), (3, "compact", "delete"), (3, "delete", "")):
            self.assertEqual(self.alter((TOPIC, "l", [("cleanup.policy", operation, value)])), [(0, None)])
            self.assertEqual(self.describe(TOPIC, "l", ["cleanup.policy"])[2], {"cleanup.policy": expect})


class Cluster(Admin):
    def test_describe(self):
        for version, more, error, message in (
                (2, b"\1\0", 0, None), (1, b"\1", 0, None), (0, b"", 0, None),
                (2, b"\2\0", 114, "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of "
                                  "type CONTROLLER"),
                (1, b"\3", 115, "Unsupported endpoint type 3")):
            reader = self.flexible(DESCRIBE_CLUSTER, version, b"\1" + more)
            reader.take("i")
            self.assertEqual((reader.take("h"), read_text(reader)), (error, message))
            if version:
                self.assertEqual(reader.take("b"), 1)
            cluster, controller = read_text(reader), reader.take("i")
            nodes = varint(reader) - 1
            self.assertEqual((len(cluster) > 0, controller, nodes), (True, 1, 1) if error == 0 else (False, -1, 0))
            if nodes:
                self.assertEqual((reader.take("i"), read_text(reader), reader.take("i")), (1, "127.0.0.1", self.port))
                self.assertEqual(read_text(reader), None)
                reader.take("BB" if version == 2 else "B")
            self.assertEqual(reader.take("i"), 0x1fa0 if error == 0 else -1 << 31)

    def test_log_dirs(self):
        self.create("sized", 2)
        self.produce("sized", batch())
        size = len(batch())
        for wanted, expect in ((None, [("sized", [(0, size), (1, 0)])]),
                               ([("sized", [1, 9])], [("sized", [(1, 0)])]),
                               ([("nosuch", [0])], []), ([("sized", [])], []), ([], [])):
            body = struct.pack(">i", -1) if wanted is None else array(
                [string(name) + array([struct.pack(">i", p) for p in partitions]) for name, partitions in wanted])
            reader = self.client.ask(DESCRIBE_LOG_DIRS, 1, body)
            reader.take("i")
            self.assertEqual(reader.take("ih"), (1, 0))
            self.assertEqual(reader.string(), self.dir.name)
            found = []
            for _ in range(reader.take("i")):
                name = reader.string()
                rows = [reader.take("iqqb") for _ in range(reader.take("i"))]
                found.append((name, [(index, bytes_) for index, bytes_, _, _ in rows]))
            self.assertEqual(found, expect)


if __name__ == "__main__":
    test_behaviours.SERVER = sys.argv.pop(1)
    unittest.main()
