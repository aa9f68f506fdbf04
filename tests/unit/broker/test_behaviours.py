"""What the broker answers to odd and wrong requests, asked over a raw socket: the rows of Apache Kafka 4.3.1's
behaviour that concern the requests served.  Usage: test_behaviours.py BROKER_SERVER [unittest options]"""
import glob
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

SERVER = None
PRODUCE, FETCH, LIST_OFFSETS, METADATA, API_VERSIONS, CREATE_TOPICS, INIT_PRODUCER_ID = 0, 1, 2, 3, 18, 19, 22
CRC_TABLE = []


def crc32c(data):
    if not CRC_TABLE:
        for n in range(256):
            for _ in range(8):
                n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
            CRC_TABLE.append(n)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def varint(n):
    n = n << 1 ^ n >> 63
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def batch(values=(b"v",), attributes=0, producer=(-1, -1, -1), time_ms=None, count=None, delta=None, magic=2, crc=None,
          records=None):
    """A record batch; the keyword arguments make it wrong."""
    time_ms = int(time.time() * 1000) if time_ms is None else time_ms
    if records is None:
        records = b""
        for i, value in enumerate(values):
            body = b"\0" + varint(0) + varint(i) + varint(-1) + varint(len(value)) + value + varint(0)
            records += varint(len(body)) + body
    tail = struct.pack(">hiqqqhii", attributes, len(values) - 1 if delta is None else delta, time_ms, time_ms,
                       *producer, len(values) if count is None else count) + records
    crc = crc32c(tail) if crc is None else crc
    head = struct.pack(">ibI", -1, magic, crc)
    return struct.pack(">qi", 0, len(head) + len(tail)) + head + tail


def string(text):
    return struct.pack(">h", -1) if text is None else struct.pack(">h", len(text)) + text.encode()


def compact(text):
    return bytes([len(text) + 1]) + text.encode()


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values if len(values) > 1 else values[0]

    def string(self):
        size = self.take("h")
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def left(self):
        return len(self.data) - self.at


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.correlation = 0

    def frame(self, key, version, body, client="probe", tags=False):
        self.correlation += 1
        data = struct.pack(">hhi", key, version, self.correlation) + string(client) + (b"\0" if tags else b"") + body
        return struct.pack(">i", len(data)) + data

    def send(self, *arguments, **keywords):
        self.socket.sendall(self.frame(*arguments, **keywords))

    def read(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def answer(self):
        reader = Reader(self.read(struct.unpack(">i", self.read(4))[0]))
        reader.correlation = reader.take("i")
        return reader

    def ask(self, *arguments, **keywords):
        self.send(*arguments, **keywords)
        reader = self.answer()
        assert reader.correlation == self.correlation
        return reader

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def close(self):
        self.socket.close()


class Case(unittest.TestCase):
    arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.start()

    @classmethod
    def start(cls):
        cls.server = subprocess.Popen([SERVER, cls.dir.name, "127.0.0.1:0", *cls.arguments], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL if not os.environ.get("VERBOSE") else None)
        cls.port = int(cls.server.stdout.readline().rsplit(":", 1)[1])

    @classmethod
    def stop(cls):
        cls.server.stdin.close()
        cls.metrics = dict(re.findall(r"^(\w+)(?:{[^}]*})? (\d+)$", cls.server.stdout.read(), re.M))
        code = cls.server.wait(20)
        cls.server.stdout.close()
        return code

    @classmethod
    def tearDownClass(cls):
        code = cls.stop()
        cls.dir.cleanup()
        assert code == 0, f"the server ended with {code}"

    def setUp(self):
        self.client = Client(self.port)
        self.addCleanup(self.client.close)

    def create(self, name, partitions=1, replicas=1, configs=(), assignments=b"\0\0\0\0", validate=False, version=4):
        body = struct.pack(">i", 1) + string(name) + struct.pack(">ih", partitions, replicas) + assignments
        body += struct.pack(">i", len(configs)) + b"".join(string(k) + string(v) for k, v in configs)
        reader = self.client.ask(CREATE_TOPICS, version, body + struct.pack(">ib", 10000, validate))
        reader.take("ii")
        reader.string()
        return reader.take("h"), reader.string()

    def produce_body(self, topic, records, partition=0, acks=1, transactional=None):
        size = struct.pack(">i", -1 if records is None else len(records))
        return (string(transactional) + struct.pack(">hii", acks, 5000, 1) + string(topic) +
                struct.pack(">ii", 1, partition) + size + (records or b""))

    def produce(self, topic, records, version=8, **options):
        """(error, base offset, record errors, message)"""
        reader = self.client.ask(PRODUCE, version, self.produce_body(topic, records, **options))
        reader.take("i")
        reader.string()
        _, _, error, offset, _, _ = reader.take("iihqqq")
        errors, message = [], None
        if version >= 8:
            errors = [(reader.take("i"), reader.string()) for _ in range(reader.take("i"))]
            message = reader.string()
        return error, offset, errors, message

    def fetch_body(self, topic, offset, partition=0, epoch=-1, max_wait=0, min_bytes=1, max_bytes=1 << 20,
                   partition_bytes=1 << 20, session=(0, -1)):
        return (struct.pack(">iiiibiii", -1, max_wait, min_bytes, max_bytes, 0, *session, 1) + string(topic) +
                struct.pack(">iiiqqi", 1, partition, epoch, offset, -1, partition_bytes) + struct.pack(">i", 0) +
                string(""))

    def fetch_read(self, reader):
        """(top error, error, high watermark, last stable offset, log start, records)"""
        _, top, _, topics = reader.take("ihii")
        if topics == 0:
            return top, None, None, None, None, b""
        reader.string()
        _, _, error, hw, lso, start = reader.take("iihqqq")
        aborted = reader.take("i")
        self.assertIn(aborted, (-1, 0))
        _, size = reader.take("ii")
        self.assertEqual(size, reader.left())
        return top, error, hw, lso, start, reader.data[reader.at:]

    def fetch(self, *arguments, **options):
        return self.fetch_read(self.client.ask(FETCH, 11, self.fetch_body(*arguments, **options)))

    def list_offset(self, topic, timestamp, version=5, partition=0):
        reader = self.client.ask(LIST_OFFSETS, version, struct.pack(">ibi", -1, 0, 1) + string(topic) +
                                 struct.pack(">iiiq", 1, partition, -1, timestamp))
        reader.take("ii")
        reader.string()
        _, _, error, at, offset, epoch = reader.take("iihqqi")
        return error, at, offset, epoch

    def metadata(self, name, create=True, version=4):
        """Topics as (error, name, partitions)."""
        names = struct.pack(">i", -1) if name is None else struct.pack(">i", 1) + string(name)
        reader = self.client.ask(METADATA, version, names + struct.pack(">b", create))
        reader.take("i")
        for _ in range(reader.take("i")):
            self.broker = reader.take("i"), reader.string(), reader.take("i"), reader.string()
        reader.string()
        self.assertEqual(reader.take("i"), 1)
        topics = []
        for _ in range(reader.take("i")):
            error, topic, _ = reader.take("h"), reader.string(), reader.take("b")
            partitions = reader.take("i")
            for _ in range(partitions):
                reader.take("hii")
                for _ in range(2):
                    self.assertEqual(reader.take("ii"), (1, 1))
            topics.append((error, topic, partitions))
        return topics


class ApiVersions(Case):
    def keys(self, reader):
        return {reader.take("h"): reader.take("hh") for _ in range(reader.take("i"))}

    def test_v0(self):
        reader = self.client.ask(API_VERSIONS, 0, b"")
        self.assertEqual(reader.take("h"), 0)
        keys = self.keys(reader)
        self.assertEqual(reader.left(), 0)
        self.assertEqual(keys[PRODUCE][0], 0)
        self.assertEqual(keys[FETCH], (4, 18))
        self.assertEqual(keys[API_VERSIONS], (0, 4))

    def test_newer_than_known(self):
        """kafka-clients and franz-go begin with version 5, and go on with 4 on the same connection."""
        for version in (5, 99):
            reader = self.client.ask(API_VERSIONS, version, compact("java") + compact("4.4") + b"\0", tags=True)
            self.assertEqual(reader.data[4:], struct.pack(">hihhh", 35, 1, 18, 0, 4))
        reader = self.client.ask(API_VERSIONS, 4, compact("java") + compact("4.4") + b"\0", tags=True)
        self.assertEqual(reader.take("h"), 0)

    def test_empty_client_name(self):
        reader = self.client.ask(API_VERSIONS, 3, compact("") + compact("1") + b"\0", tags=True)
        self.assertEqual(reader.take("h"), 42)


class Closes(Case):
    def test_requests_that_close(self):
        for name, key, version in (("Metadata 99", METADATA, 99), ("key 999", 999, 0), ("Fetch 3", FETCH, 3),
                                   ("Produce 0", PRODUCE, 0), ("Produce 2", PRODUCE, 2), ("Produce 12", PRODUCE, 12),
                                   ("ApiVersions -1", API_VERSIONS, -1), ("CreateTopics 1", CREATE_TOPICS, 1)):
            with self.subTest(name):
                client = Client(self.port)
                client.send(key, version, self.produce_body("t", b""))
                self.assertTrue(client.is_closed())
                client.close()

    def test_bytes_that_close(self):
        for name, data in (("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("200 MiB", struct.pack(">i", 200 << 20)),
                           ("length 0", struct.pack(">i", 0)), ("length -1", struct.pack(">i", -1)),
                           ("TLS hello", bytes.fromhex("1603010200010001fc0303")),
                           ("a frame of 3 bytes", struct.pack(">i", 3) + b"abc"),
                           ("a cut message", struct.pack(">ihhih", 14, 3, 4, 1, -1) + b"\0\0\0\1")):
            with self.subTest(name):
                client = Client(self.port)
                client.socket.sendall(data)
                self.assertTrue(client.is_closed())
                client.close()

    def test_others_live_on(self):
        self.assertEqual(self.metadata(None), [])


class Metadata(Case):
    def test_names(self):
        self.assertEqual(self.metadata("nosuch", create=False), [(3, "nosuch", 0)])
        for name in ("a b", "", ".", "..", "x" * 250):
            self.assertEqual(self.metadata(name), [(17, name, 0)])

    def test_auto_create_can_be_written_at_once(self):
        self.assertEqual(self.metadata("autot"), [(0, "autot", 1)])
        self.assertEqual(self.produce("autot", batch())[:2], (0, 0))

    def test_address_is_the_one_connected_to(self):
        self.metadata(None)
        self.assertEqual(self.broker, (1, "127.0.0.1", self.port, None))

    def test_length_below_minus_one_is_null_and_bytes_behind_are_ignored(self):
        reader = self.client.ask(METADATA, 4, struct.pack(">ib", -5, 0) + b"behind")
        self.assertGreater(reader.left(), 10)


class CreateTopics(Case):
    def test_table(self):
        nine = ("Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' "
                "and '-'")
        two_replicas = struct.pack(">iiii", 1, 0, 1, 1)
        for name, arguments, expect in (
                ("new", ("t", 2), (0, None)),
                ("again", ("t", 2), (36, "Topic 't' already exists.")),
                ("space", ("a b",), (17, nine)),
                ("dots", ("..",), (17, "Topic name is invalid: '..' is not allowed")),
                ("empty", ("",), (17, "Topic name is invalid: the empty string is not allowed")),
                ("no partitions", ("p", 0), (37, "Number of partitions was set to an invalid non-positive value.")),
                ("factor 0", ("p", 1, 0),
                 (38, "Replication factor must be larger than 0, or -1 to use the default value.")),
                ("factor 3 is taken as 1", ("rf3", 1, 3), (0, None)),
                ("defaults, validate only", ("p", -1, -1, (), b"\0\0\0\0", True), (0, None)),
                ("unknown config", ("p", 1, 1, (("no.such", "1"),)), (40, "Unknown topic config name: no.such")),
                ("bad config", ("p", 1, 1, (("retention.ms", "abc"),)),
                 (40, "Invalid value abc for configuration retention.ms: Not a number of type LONG")),
                ("small segment", ("p", 1, 1, (("segment.bytes", "1000"),)),
                 (40, "Invalid value 1000 for configuration segment.bytes: Value must be at least 1048576")),
                ("dot", ("a.b",), (0, None)),
                ("underscore", ("a_b",), (17, "Topic 'a_b' collides with existing topic: a.b")),
                ("partitions and assignment", ("p", 1, 1, (), two_replicas),
                 (42, "A manual partition assignment was specified, but replication factor was not set to -1.")),
                ("assignment", ("assigned", -1, -1, (), two_replicas), (0, None))):
            with self.subTest(name):
                self.assertEqual(self.create(*arguments), expect)
        for version in (2, 3, 4):       # the real broker takes -1 in every version, and kafkajs sends it in 3
            self.assertEqual(self.create("d", -1, -1, validate=True, version=version), (0, None))
        self.assertEqual(self.create("x" * 250)[0], 17)
        self.assertEqual([t[1:] for t in self.metadata(None)], [("a.b", 1), ("assigned", 1), ("rf3", 1), ("t", 2)])


class Produce(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls()
        maker.client = Client(cls.port)
        maker.create("t", 2)
        maker.client.close()

    def test_table(self):
        now = int(time.time() * 1000)
        whole = batch()
        lz4 = batch(attributes=3, records=b"not lz4 data")
        for name, topic, records, options, expect in (
                ("unknown topic", "nosuch", whole, {}, 3),
                ("partition 99", "t", whole, {"partition": 99}, 3),
                ("invalid name", "a b", whole, {}, 3),
                ("acks 2", "t", whole, {"acks": 2}, 21),
                ("too large", "t", batch([b"x" * (1 << 20)]), {}, 10),
                ("bad CRC", "t", batch(crc=1), {}, 2),
                ("magic 1", "t", batch(magic=1), {}, 87),
                ("magic 0", "t", batch(magic=0), {}, 87),
                ("count lies", "t", batch(count=5), {}, 87),
                ("delta lies", "t", batch(delta=5), {}, 87),
                ("empty", "t", b"", {}, 87),
                ("null", "t", None, {}, 87),
                ("truncated", "t", whole[:-3], {}, 87),
                ("two batches", "t", whole + whole, {}, 87),
                ("codec 7", "t", batch(attributes=7), {}, -1),
                ("not lz4", "t", lz4, {}, -1),
                ("control", "t", batch(attributes=0x20), {}, 87),
                ("transactional", "t", batch(attributes=0x10, producer=(7, 0, 0)), {}, 53),
                ("2 days ahead", "t", batch(time_ms=now + 2 * 86400000), {}, 32)):
            with self.subTest(name):
                error, offset, _, _ = self.produce(topic, records, **options)
                self.assertEqual((error, offset), (expect, -1))
        self.assertEqual(self.list_offset("t", -1)[2], 0)

    def test_timestamp_names_the_record(self):
        now = int(time.time() * 1000)
        error, _, errors, message = self.produce("t", batch(time_ms=now + 2 * 86400000))
        self.assertEqual((error, message),
                         (32, "One or more records have been rejected due to invalid timestamp"))
        self.assertEqual(errors[0][0], 0)
        self.assertRegex(errors[0][1], "^Timestamp [0-9]+ of message with offset 0 is out of range")

    def test_good(self):
        self.create("good")
        self.assertEqual(self.produce("good", batch(), version=7)[:2], (0, 0))
        self.assertEqual(self.produce("good", batch([b"a", b"b", b"c"]), acks=-1), (0, 1, [], None))
        self.assertEqual(self.produce("good", batch(), acks=1)[:2], (0, 4))

    def test_exactly_the_limit(self):
        self.create("limit", configs=(("max.message.bytes", "1000"),))
        overhead = len(batch([b"x" * 900])) - 900
        self.assertEqual(self.produce("limit", batch([b"x" * (1000 - overhead)]))[:2], (0, 0))
        self.assertEqual(self.produce("limit", batch([b"x" * (1001 - overhead)]))[:2], (10, -1))

    def test_acks_0(self):
        self.create("quiet")
        self.client.send(PRODUCE, 7, self.produce_body("quiet", batch(), acks=0))
        self.assertEqual(self.produce("quiet", batch())[:2], (0, 1))  # the next answer is the next request's
        self.client.send(PRODUCE, 7, self.produce_body("nosuch", batch(), acks=0))
        self.assertTrue(self.client.is_closed())

    def test_idempotent(self):
        self.create("idem")
        ids = []
        for _ in range(2):
            reader = self.client.ask(INIT_PRODUCER_ID, 1, string(None) + struct.pack(">i", 1000))
            _, error, pid, epoch = reader.take("ihqh")
            self.assertEqual((error, epoch), (0, 0))
            ids.append(pid)
        self.assertNotEqual(*ids)
        pid = ids[0]
        for name, producer, expect in (
                ("seq 0", (pid, 0, 0), (0, 0)), ("seq 0 again", (pid, 0, 0), (0, 0)),
                ("a gap", (pid, 0, 5), (45, -1)), ("seq 1", (pid, 0, 1), (0, 1)), ("seq 2", (pid, 0, 2), (0, 2)),
                ("seq 3", (pid, 0, 3), (0, 3)), ("seq 4", (pid, 0, 4), (0, 4)), ("seq 5", (pid, 0, 5), (0, 5)),
                ("seq 6", (pid, 0, 6), (0, 6)), ("seq 6 again", (pid, 0, 6), (0, 6)),
                ("seq 0, older than five", (pid, 0, 0), (45, -1)), ("epoch 5, seq 3", (pid, 5, 3), (45, -1)),
                ("epoch 5, seq 0", (pid, 5, 0), (0, 7)), ("epoch 0 after 5", (pid, 0, 7), (47, -1)),
                ("never seen, seq 7", (99999, 0, 7), (0, 8)), ("never seen, seq 0", (99998, 0, 0), (0, 9))):
            with self.subTest(name):
                self.assertEqual(self.produce("idem", batch(producer=producer))[:2], expect)

    def test_transactional_id(self):
        reader = self.client.ask(INIT_PRODUCER_ID, 1, string("tx") + struct.pack(">i", 1000))
        self.assertEqual(reader.take("ihqh")[1:], (53, -1, -1))

    def test_pipelined_answers_keep_their_order(self):
        self.create("pipe")
        frames, first = b"", self.client.correlation + 1
        for i in range(200):
            if i % 3 == 0:
                frames += self.client.frame(PRODUCE, 7, self.produce_body("pipe", batch([b"%d" % i])))
            elif i % 3 == 1:
                frames += self.client.frame(METADATA, 4, struct.pack(">ib", 0, 0))
            else:
                frames += self.client.frame(FETCH, 11, self.fetch_body("pipe", 0))
        self.client.socket.sendall(frames)
        for i in range(200):
            self.assertEqual(self.client.answer().correlation, first + i)
        self.assertEqual(self.list_offset("pipe", -1)[2], 67)

    def test_large_frame_in_small_pieces(self):
        self.create("pieces")
        value = bytes(range(256)) * 3000
        frame = self.client.frame(PRODUCE, 7, self.produce_body("pieces", batch([value])))
        for at in range(0, len(frame), 50000):
            self.client.socket.sendall(frame[at:at + 50000])
        self.assertEqual(self.client.answer().correlation, self.client.correlation)
        self.assertTrue(value in self.fetch("pieces", 0)[5])


class Fetch(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        maker = cls()
        maker.client = Client(cls.port)
        maker.create("t")
        for n in (1, 3, 2):
            maker.produce("t", batch([b"value"] * n, time_ms=1000 * n))
        maker.client.close()

    def test_table(self):
        for name, arguments, options, expect in (
                ("offset 0", ("t", 0), {}, (0, 0, 6, 6, 0)),
                ("at the end", ("t", 6), {}, (0, 0, 6, 6, 0)),
                ("beyond the end", ("t", 10**6), {}, (0, 1, -1, -1, -1)),
                ("offset -1", ("t", -1), {}, (0, 1, -1, -1, -1)),
                ("unknown topic", ("nosuch", 0), {}, (0, 3, -1, -1, -1)),
                ("partition 99", ("t", 0), {"partition": 99}, (0, 3, -1, -1, -1)),
                ("leader epoch 100", ("t", 0), {"epoch": 100}, (0, 75, -1, -1, -1)),
                ("a session that is not there", ("t", 0), {"session": (5, 3)}, (70, None, None, None, None))):
            with self.subTest(name):
                self.assertEqual(self.fetch(*arguments, **options)[:5], expect)

    def test_whole_batches_within_limits(self):
        whole = self.fetch("t", 0)[5]
        sizes = []
        while sum(sizes) < len(whole):
            sizes.append(12 + struct.unpack_from(">i", whole, sum(sizes) + 8)[0])
        self.assertEqual(len(sizes), 3)
        for name, options, count in (("one byte", {"max_bytes": 1}, 1), ("one byte a partition",
                                     {"partition_bytes": 1}, 1), ("two batches", {"max_bytes": sum(sizes[:2])}, 2),
                                     ("a byte less", {"max_bytes": sum(sizes[:2]) - 1}, 1)):
            with self.subTest(name):
                self.assertEqual(len(self.fetch("t", 0, **options)[5]), sum(sizes[:count]))
        self.assertEqual(self.fetch("t", 2)[5], whole[sizes[0]:])  # from inside of the second batch

    def test_waits_for_more(self):
        self.create("wait")
        other = Client(self.port)
        other.send(FETCH, 11, self.fetch_body("wait", 0, max_wait=20000))
        began = time.monotonic()
        self.assertEqual(self.produce("wait", batch([b"late"]))[:2], (0, 0))
        self.assertIn(b"late", self.fetch_read(other.answer())[5])
        self.assertLess(time.monotonic() - began, 10)
        other.close()

    def test_wait_ends(self):
        began = time.monotonic()
        self.assertEqual(self.fetch("t", 6, max_wait=200)[5], b"")
        self.assertGreaterEqual(time.monotonic() - began, 0.19)

    def test_min_bytes(self):
        self.create("least")
        other = Client(self.port)
        other.send(FETCH, 11, self.fetch_body("least", 0, max_wait=20000, min_bytes=1500))
        for _ in range(2):
            self.produce("least", batch([b"x" * 1000]))
        self.assertEqual(self.fetch_read(other.answer())[2], 2)
        other.close()

    def test_leaving_while_waiting(self):
        self.create("leave")
        for _ in range(5):
            other = Client(self.port)
            other.send(FETCH, 11, self.fetch_body("leave", 0, max_wait=20000))
            other.close()
        self.assertEqual(self.produce("leave", batch())[:2], (0, 0))

    def test_large_answers(self):
        """More than is copied: sent from the file, also several in a row."""
        self.create("large")
        value = os.urandom(200000)
        one = batch([value])
        for _ in range(10):
            self.produce("large", one)
        for _ in range(3):
            records = self.fetch("large", 0, max_bytes=1 << 22, partition_bytes=1 << 22)[5]
            self.assertEqual(records.count(value), 10)

    def test_list_offsets(self):
        for name, arguments, expect in (
                ("latest", ("t", -1), (0, -1, 6, 0)), ("earliest", ("t", -2), (0, -1, 0, 0)),
                ("max time in v5", ("t", -3), (35, -1, -1, -1)), ("time 0", ("t", 0), (0, 1000, 0, 0)),
                ("time 1500", ("t", 1500), (0, 3000, 1, 0)), ("the far future", ("t", 10**15), (0, -1, -1, -1)),
                ("unknown topic", ("nosuch", -1), (3, -1, -1, -1)),
                ("partition 9", ("t", -1, 5, 9), (3, -1, -1, -1))):
            with self.subTest(name):
                self.assertEqual(self.list_offset(*arguments), expect)


class NoRoom(Case):
    """A log that takes few bytes before a sync: producers wait, in order, and nothing is refused."""
    arguments = ("100000",)

    def test_pipelined_produces_wait(self):
        self.create("t", 2)
        others = [Client(self.port) for _ in range(3)]
        one = batch([b"x" * 30000])
        for client in others:
            client.socket.sendall(b"".join(
                client.frame(PRODUCE, 7, self.produce_body("t", one, partition=i % 2)) for i in range(60)))
        for client in others:
            last = [-1, -1]
            for i in range(60):
                reader = client.answer()
                self.assertEqual(reader.correlation, i + 1)
                reader.take("i")
                reader.string()
                _, partition, error, offset = reader.take("iihq")
                self.assertEqual(error, 0)
                self.assertGreater(offset, last[partition])
                last[partition] = offset
            client.close()
        self.assertEqual([self.list_offset("t", -1, partition=p)[2] for p in (0, 1)], [90, 90])

    def test_leaving_while_waiting_for_room(self):
        self.create("left")
        one = batch([b"x" * 60000])
        for _ in range(3):
            other = Client(self.port)
            other.socket.sendall(b"".join(other.frame(PRODUCE, 7, self.produce_body("left", one))
                                          for _ in range(20)))
            other.close()
        self.assertEqual(self.produce("left", batch(), acks=-1)[0], 0)


class Cold(Case):
    def test_records_that_are_not_in_memory(self):
        self.create("cold")
        value = os.urandom(300000)
        one = batch([value])
        for _ in range(12):
            self.produce("cold", one)
        for path in glob.glob(self.dir.name + "/**/*.log", recursive=True):
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        frames = b"".join(self.client.frame(FETCH, 11, self.fetch_body("cold", n, max_bytes=1 << 22,
                                                                       partition_bytes=1 << 22)) for n in range(12))
        self.client.socket.sendall(frames + self.client.frame(METADATA, 4, struct.pack(">ib", 0, 0)))
        for n in range(12):
            self.assertEqual(self.fetch_read(self.client.answer())[5].count(value), 12 - n)
        self.assertEqual(self.client.answer().correlation, self.client.correlation)


class Stop(Case):
    def test_stop_while_requests_wait(self):
        self.create("t")
        self.client.send(FETCH, 11, self.fetch_body("t", 0, max_wait=60000))
        self.client.send(METADATA, 4, struct.pack(">ib", 0, 0))
        other = Client(self.port)
        for i in range(50):
            other.send(PRODUCE, 7, self.produce_body("nosuch", batch()))
            other.send(CREATE_TOPICS, 4, struct.pack(">i", 1) + string("new%d" % i) + struct.pack(
                ">ihiiib", 1, 1, 0, 0, 1000, 0))
        self.assertEqual(self.stop(), 0)
        self.assertTrue(self.client.is_closed())
        other.close()
        self.start()


class Restart(Case):
    def test_all_is_there_again(self):
        self.create("kept", 2)
        self.produce("kept", batch([b"one"], producer=(4242, 0, 0)))
        self.client.close()
        self.assertEqual(self.stop(), 0)
        self.start()
        self.setUp()
        self.assertEqual(self.metadata(None), [(0, "kept", 2)])
        self.assertIn(b"one", self.fetch("kept", 0)[5])
        self.assertEqual(self.produce("kept", batch([b"one"], producer=(4242, 0, 0)))[:2], (0, 0))
        self.assertEqual(self.produce("kept", batch([b"two"], producer=(4242, 0, 1)))[:2], (0, 1))


if __name__ == "__main__":
    SERVER = sys.argv.pop(1)
    unittest.main()
