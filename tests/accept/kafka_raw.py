"""Just enough of the Kafka protocol to know exactly which message was acknowledged, and to read a topic back."""
import socket
import struct
import time

PRODUCE, FETCH, METADATA = 0, 1, 3


def _table():
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
        yield n


TABLE = list(_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def varint(n):
    n = (n << 1) ^ (n >> 63)
    out = bytearray()
    while n > 0x7F:
        out.append((n & 0x7F) | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def read_varint(data, at):
    shift = value = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return (value >> 1) ^ -(value & 1), at


def batch_of(values, timestamp_ms=None):
    """A record batch v2 of VALUES without keys."""
    timestamp_ms = timestamp_ms or int(time.time() * 1000)
    records = b""
    for n, value in enumerate(values):
        body = b"\0" + varint(0) + varint(n) + varint(-1) + varint(len(value)) + value + varint(0)
        records += varint(len(body)) + body
    body = struct.pack(">hiqqqhii", 0, len(values) - 1, timestamp_ms, timestamp_ms, -1, -1, -1, len(values)) + records
    return struct.pack(">qiib", 0, len(body) + 9, -1, 2) + struct.pack(">I", crc32c(body)) + body


def text(s):
    return struct.pack(">h", len(s)) + s.encode()


class Kafka:
    def __init__(self, address, timeout_s=30):
        host, _, port = address.rpartition(":")
        self.sock = socket.create_connection((host, int(port)), timeout=timeout_s)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.sock.close()

    def read(self, size):
        data = b""
        while len(data) < size:
            part = self.sock.recv(size - len(data))
            if not part:
                raise ConnectionError("the broker closed the connection")
            data += part
        return data

    def ask(self, key, version, body):
        request = struct.pack(">hhih", key, version, 7, -1) + body
        self.sock.sendall(struct.pack(">i", len(request)) + request)
        size, = struct.unpack(">i", self.read(4))
        return self.read(size)[4:]

    def make_topic(self, topic):
        """Metadata makes it; true once it has a leader."""
        answer = self.ask(METADATA, 4, struct.pack(">i", 1) + text(topic) + b"\1")
        at = 4 + 4
        host, = struct.unpack_from(">h", answer, at + 4)
        at += 4 + 2 + host + 4 + 2
        cluster, = struct.unpack_from(">h", answer, at)
        at += 2 + max(cluster, 0) + 4 + 4
        return struct.unpack_from(">h", answer, at)[0] == 0

    def produce(self, topic, batch):
        """Sends one batch with acks=all; its base offset."""
        body = struct.pack(">hhii", -1, -1, 10000, 1) + text(topic) + struct.pack(">iii", 1, 0, len(batch)) + batch
        answer = self.ask(PRODUCE, 3, body)
        error, offset = struct.unpack_from(">hq", answer, 4 + 2 + len(topic) + 4 + 4)
        if error:
            raise ConnectionError(f"produce was answered with error {error}")
        return offset

    def values(self, topic):
        """Every value in partition 0, from its start; offsets must have no gap."""
        found, offset = [], 0
        while True:
            body = struct.pack(">iiiibi", -1, 100, 1, 64 << 20, 0, 1) + text(topic)
            body += struct.pack(">iiqi", 1, 0, offset, 16 << 20)
            answer = self.ask(FETCH, 4, body)
            at = 4 + 4 + 2 + len(topic) + 4
            _, error, high, _, aborted = struct.unpack_from(">ihqqi", answer, at)
            at += 4 + 2 + 8 + 8 + 4 + max(aborted, 0) * 16
            size, = struct.unpack_from(">i", answer, at)
            records = answer[at + 4:at + 4 + size]
            assert error == 0, f"fetch of {topic} at {offset} was answered with error {error}"
            if offset >= high:
                return found
            offset = self.read_batches(records, offset, found)

    @staticmethod
    def read_batches(data, offset, found):
        at = 0
        while len(data) - at >= 61:
            base, length = struct.unpack_from(">qi", data, at)
            if len(data) - at < 12 + length:
                break
            crc, = struct.unpack_from(">I", data, at + 17)
            assert crc == crc32c(data[at + 21:at + 12 + length]), f"the batch at {base} is damaged"
            count, = struct.unpack_from(">i", data, at + 57)
            where = at + 61
            for n in range(count):
                size, where = read_varint(data, where)
                end = where + size
                where += 1
                _, where = read_varint(data, where)
                delta, where = read_varint(data, where)
                key, where = read_varint(data, where)
                where += max(key, 0)
                length_of_value, where = read_varint(data, where)
                if base + delta >= offset:
                    assert base + delta == offset, f"offset {offset} is missing"
                    found.append(data[where:where + length_of_value])
                    offset += 1
                where = end
            at += 12 + length
        return offset
