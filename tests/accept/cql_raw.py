"""Just enough of the CQL protocol, version 4, to ask many things at once on one connection, without threads."""
import socket
import struct

ERROR, STARTUP, AUTHENTICATE, QUERY, RESULT, PREPARE, EXECUTE, AUTH_RESPONSE = 0, 1, 3, 7, 8, 9, 10, 15
ROWS = 2
WARNINGS = 8
STREAMS = 32768


def without_warnings(body):
    at = 2
    for _ in range(struct.unpack_from(">H", body)[0]):
        at += 2 + struct.unpack_from(">H", body, at)[0]
    return body[at:]


class CqlError(Exception):
    pass


class Cql:
    def __init__(self, address, user="cassandra", password="cassandra"):
        self.sock = socket.create_connection(address, timeout=30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""
        self.asked = {}
        opcode, _ = self.ask(STARTUP, b"\0\1\0\x0bCQL_VERSION\0\x053.0.0")
        if opcode == AUTHENTICATE:
            token = f"\0{user}\0{password}".encode()
            self.ask(AUTH_RESPONSE, struct.pack(">i", len(token)) + token)

    def close(self):
        self.sock.close()

    def send(self, stream, opcode, body):
        self.sock.sendall(struct.pack(">BBhBi", 4, 0, stream, opcode, len(body)) + body)

    def frames(self):
        """Waits for data; the (stream, opcode, body) that are complete."""
        data = self.sock.recv(1 << 16)
        if not data:
            raise CqlError("the server closed the connection")
        data, at, found = self.rest + data, 0, []
        while len(data) - at >= 9:
            flags, stream, opcode, size = struct.unpack_from(">BhBi", data, at + 1)
            if len(data) - at - 9 < size:
                break
            body = data[at + 9:at + 9 + size]
            found.append((stream, opcode, without_warnings(body) if flags & WARNINGS else body))
            at += 9 + size
        self.rest = data[at:]
        return found

    def ask(self, opcode, body):
        self.send(0, opcode, body)
        found = []
        while not found:
            found = self.frames()
        _, opcode, body = found[0]
        if opcode == ERROR:
            raise CqlError(body[6:].decode(errors="replace"))
        return opcode, body

    def query(self, text):
        """Runs TEXT at consistency ONE; the body of the answer."""
        return self.ask(QUERY, struct.pack(">i", len(text.encode())) + text.encode() + b"\0\1\0")[1]

    def has_row(self, text):
        """Is there a row?  A table that is not there yet has none."""
        try:
            body = self.query(text)
        except CqlError:
            return False
        return struct.unpack_from(">i", body)[0] == ROWS and struct.unpack_from(">i", body, len(body) - 4)[0] != 0

    def prepare(self, text):
        _, body = self.ask(PREPARE, struct.pack(">i", len(text)) + text.encode())
        size = struct.unpack_from(">H", body, 4)[0]
        self.head = body[4:6 + size] + struct.pack(">HBH", 1, 1, 1)     # consistency ONE, values follow: one

    def execute(self, number, key):
        self.asked[number % STREAMS] = (number, key)
        self.send(number % STREAMS, EXECUTE, self.head + struct.pack(">i", len(key)) + key)

    def replies(self):
        """Waits; (number, was there a row?) of the answered ones.  The row's only column is the key, at the end."""
        for stream, opcode, body in self.frames():
            if opcode == ERROR:
                raise CqlError(body[6:].decode(errors="replace"))
            number, key = self.asked.pop(stream)
            yield number, body.endswith(key)
