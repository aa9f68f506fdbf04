"""What the broker answers to requests of consumer groups, odd and wrong ones too: the rows are what Apache Kafka 4.3.1
answers.  Usage: test_group_requests.py BROKER_SERVER|PORT [unittest options]
With a PORT it asks the Kafka that runs there on 127.0.0.1."""
import struct
import sys
import time
import unittest
import uuid

import test_behaviours
from test_behaviours import METADATA, Case, Client, batch, string

OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR, JOIN, HEARTBEAT, LEAVE, SYNC, DESCRIBE, LIST = range(8, 17)
DELETE_GROUPS, OFFSET_DELETE = 42, 47
SUBSCRIPTION = struct.pack(">hi", 0, 1) + string("gt") + struct.pack(">i", -1)  # to the topic gt


def octets(data):
    return struct.pack(">i", len(data)) + data


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def read_octets(reader):
    size = reader.take("i")
    reader.at += size
    return reader.data[reader.at - size:reader.at]


class Groups(Case):
    def setUp(self):
        super().setUp()
        self.create("gt", 2)
        self.find(0, "g")

    def wait(self, ask, transient=(14, 15, 16)):
        """Kafka makes its topic and loads it first; here there is nothing to wait for."""
        end = time.monotonic() + 20
        while True:
            answer = ask()
            if (answer[0] if isinstance(answer, tuple) else answer) not in transient or time.monotonic() > end:
                return answer
            time.sleep(0.1 if EXTERNAL else 0)

    # ---- requests ----

    def find(self, kind, key, version=2):
        def ask():
            reader = self.client.ask(FIND_COORDINATOR, version, string(key) + struct.pack(">b", kind))
            reader.take("i")
            error, _ = reader.take("h"), reader.string()
            return error, reader.take("i")
        return self.wait(ask)

    def join(self, group, member="", instance=None, session=30000, rebalance=60000, kind="consumer",
             protocols=("range",), version=5, client=None, wait=True):
        body = string(group) + struct.pack(">i", session)
        body += struct.pack(">i", rebalance) if version >= 1 else b""
        body += string(member) + (string(instance) if version >= 5 else b"") + string(kind)
        body += array([string(name) + octets(SUBSCRIPTION) for name in protocols])
        client = client or self.client
        client.send(JOIN, version, body)
        return self.joined(client, version) if wait else None

    @staticmethod
    def joined(client, version=5):
        """(error, generation, protocol, leader, member id, members told)"""
        reader = client.answer()
        if version >= 2:
            reader.take("i")
        answer = (*reader.take("hi"), reader.string(), reader.string(), reader.string())
        members = []
        for _ in range(reader.take("i")):
            members.append(reader.string())
            if version >= 5:
                reader.string()
            read_octets(reader)
        return (*answer, members)

    def sync(self, group, generation, member, given=(), instance=None, version=3, client=None):
        body = string(group) + struct.pack(">i", generation) + string(member)
        body += string(instance) if version >= 3 else b""
        reader = (client or self.client).ask(SYNC, version, body + array([string(m) + octets(a) for m, a in given]))
        if version >= 1:
            reader.take("i")
        return reader.take("h"), read_octets(reader)

    def heartbeat(self, group, generation, member, instance=None, version=3):
        body = string(group) + struct.pack(">i", generation) + string(member)
        reader = self.client.ask(HEARTBEAT, version, body + (string(instance) if version >= 3 else b""))
        if version >= 1:
            reader.take("i")
        return reader.take("h")

    def leave(self, group, *members, version=3):
        """v3: (error, errors of the members), else the error"""
        if version < 3:
            reader = self.client.ask(LEAVE, version, string(group) + string(members[0][0]))
            if version >= 1:
                reader.take("i")
            return reader.take("h")
        reader = self.client.ask(LEAVE, version, string(group) + array([string(m) + string(i) for m, i in members]))
        _, error = reader.take("ih")
        errors = []
        for _ in range(reader.take("i")):
            reader.string()
            reader.string()
            errors.append(reader.take("h"))
        return error, errors

    def commit(self, group, offset=5, generation=-1, member="", topic="gt", partition=0, metadata="", instance=None,
               version=7, retention=-1):
        body = string(group) + struct.pack(">i", generation) + string(member)
        body += string(instance) if version >= 7 else b""
        body += struct.pack(">q", retention) if version <= 4 else b""
        entry = struct.pack(">iq", partition, offset)
        entry += (struct.pack(">i", 3) if version >= 6 else b"") + string(metadata)

        def ask():
            reader = self.client.ask(OFFSET_COMMIT, version, body + array([string(topic) + array([entry])]))
            if version >= 3:
                reader.take("i")
            reader.take("i")
            reader.string()
            return reader.take("iih")[2]
        return self.wait(ask)

    def committed(self, group, topic="gt", partition=0, version=5, everything=False):
        """[(topic, partition, offset, epoch, metadata, error)], error"""
        asked = struct.pack(">i", -1) if everything else array([string(topic) + struct.pack(">ii", 1, partition)])
        reader = self.client.ask(OFFSET_FETCH, version, string(group) + asked)
        if version >= 3:
            reader.take("i")
        found = []
        for _ in range(reader.take("i")):
            name = reader.string()
            for _ in range(reader.take("i")):
                index, offset = reader.take("iq")
                epoch = reader.take("i") if version >= 5 else None
                found.append((name, index, offset, epoch, reader.string(), reader.take("h")))
        return found, reader.take("h") if version >= 2 else None

    def delete(self, group, version=1):
        reader = self.client.ask(DELETE_GROUPS, version, array([string(group)]))
        reader.take("ii")
        reader.string()
        return reader.take("h")

    def offset_delete(self, group, topic="gt", partition=0):
        """error, errors of the partitions"""
        body = string(group) + array([string(topic) + array([struct.pack(">i", partition)])])
        reader = self.client.ask(OFFSET_DELETE, 0, body)
        error, _, topics = reader.take("hii")
        errors = []
        for _ in range(topics):
            reader.string()
            errors += [reader.take("ih")[1] for _ in range(reader.take("i"))]
        return error, errors

    def describe(self, group, version=4):
        """(error, state, protocol type, protocol, member ids)"""
        reader = self.client.ask(DESCRIBE, version, array([string(group)]) + (b"\0" if version >= 3 else b""))
        if version >= 1:
            reader.take("i")
        _, error = reader.take("ih")
        reader.string()
        answer = (error, reader.string(), reader.string(), reader.string())
        members = []
        for _ in range(reader.take("i")):
            members.append(reader.string())
            for _ in range(3 if version >= 4 else 2):
                reader.string()
            read_octets(reader)
            read_octets(reader)
        return (*answer, members)

    def listed(self, version=2):
        reader = self.client.ask(LIST, version, b"")
        if version >= 1:
            reader.take("i")
        self.assertEqual(reader.take("h"), 0)
        return {reader.string(): reader.string() for _ in range(reader.take("i"))}

    def fresh(self):
        group = f"g-{uuid.uuid4()}"
        self.wait(lambda: self.heartbeat(group, 1, "m"))
        return group

    def stable(self, group, instance=None):
        """A group with one member: its id."""
        member = self.join(group, instance=instance)[4]
        error, generation, _, leader, member, _ = self.join(group, member=member) if instance is None else self.join(
            group, member=member, instance=instance)
        self.assertEqual((error, leader), (0, member))
        self.assertEqual(self.sync(group, generation, member, [(member, b"mine")], instance), (0, b"mine"))
        return member, generation

    # ---- rows ----

    def test_find_coordinator(self):
        self.assertEqual(self.find(0, "anything")[0], 0)
        self.assertEqual(self.find(0, "")[0], 0)
        self.assertEqual(self.find(9, "g"), (42, -1))
        if not EXTERNAL:
            self.assertEqual(self.find(1, "transaction"), (53, -1))

    def test_unknown_group(self):
        group = self.fresh()
        self.assertEqual(self.heartbeat(group, 1, "m"), 25)
        self.assertEqual(self.sync(group, 1, "m")[0], 25)
        self.assertEqual(self.leave(group, ("m", None), version=1), 25)
        self.assertEqual(self.leave(group, ("m", None), ("n", "i")), (0, [25, 25]))
        self.assertEqual(self.describe(group), (0, "Dead", "", "", []))
        self.assertEqual(self.delete(group), 69)
        self.assertEqual(self.offset_delete(group), (69, []))
        self.assertEqual(self.committed(group), ([("gt", 0, -1, -1, "", 0)], 0))
        self.assertEqual(self.committed(group, everything=True), ([], 0))
        self.assertNotIn(group, self.listed())

    def test_empty_group_id(self):
        self.assertEqual(self.join("")[0], 24)
        self.assertEqual(self.heartbeat("", 1, "m"), 24)
        self.assertEqual(self.sync("", 1, "m")[0], 24)
        self.assertEqual(self.leave("", ("m", None)), (24, []))
        self.assertEqual(self.commit("", 9), 0)
        self.assertEqual(self.committed("")[0][0][2], 9)

    def test_join_refusals(self):
        group = self.fresh()
        self.assertEqual(self.join(group, session=1)[0], 26)
        self.assertEqual(self.join(group, session=10 ** 8)[0], 26)
        self.assertEqual(self.join(group, member="ghost"), (25, -1, "", "", "ghost", []))
        self.assertEqual(self.join(group, protocols=())[0], 23)
        self.assertEqual(self.join(group, kind="")[0], 23)
        error, generation, protocol, leader, member, members = self.join(group)
        self.assertEqual((error, generation, protocol, leader, members), (79, -1, "", "", []))
        self.assertRegex(member, r"^probe-[0-9a-f-]{36}$")
        self.assertEqual(self.join(group, member=member)[0], 0)
        self.assertEqual(self.join(group, kind="connect")[0], 23)
        self.assertEqual(self.join(group, protocols=("sticky",))[0], 23)
        self.assertEqual(self.join(group, member=member, instance="i")[0], 25)

    def test_simple_consumer(self):
        group = self.fresh()
        self.assertEqual(self.commit(group, 5, generation=5), 22)
        self.assertEqual(self.commit(group, 5, topic="nosuch"), 3)
        self.assertEqual(self.commit(group, 5, partition=99), 3)
        self.assertEqual(self.commit(group, 5, metadata="x" * 4097), 12)
        self.assertEqual(self.commit(group, 5, metadata="x" * 4096), 0)
        self.assertEqual(self.commit(group, 6, metadata=None), 0)
        self.assertEqual(self.commit(group, 7, partition=1, version=2, retention=10 ** 9), 0)
        self.assertEqual(self.committed(group), ([("gt", 0, 6, 3, "", 0)], 0))
        self.assertEqual(self.committed(group, everything=True)[0],
                         [("gt", 0, 6, 3, "", 0), ("gt", 1, 7, -1, "", 0)])
        self.assertEqual(self.committed(group, partition=1, version=1), ([("gt", 1, 7, None, "", 0)], None))
        self.assertEqual(self.describe(group)[:2], (0, "Empty"))
        self.assertEqual(self.listed()[group], "")
        self.assertEqual(self.offset_delete(group, partition=1), (0, [0]))
        self.assertEqual(self.offset_delete(group, partition=99), (0, [3]))
        self.assertEqual(self.offset_delete(group, topic="nosuch"), (0, [3]))
        self.assertEqual(self.committed(group, everything=True)[0], [("gt", 0, 6, 3, "", 0)])
        self.assertEqual(self.delete(group), 0)
        self.assertEqual(self.delete(group), 69)
        self.assertEqual(self.committed(group)[0][0][2], -1)

    def test_a_member(self):
        group = self.fresh()
        member, generation = self.stable(group)
        self.assertEqual(self.heartbeat(group, generation, member), 0)
        self.assertEqual(self.heartbeat(group, generation + 1, member), 22)
        self.assertEqual(self.heartbeat(group, generation, "ghost"), 25)
        self.assertEqual(self.heartbeat(group, generation, member, instance="i"), 25)
        self.assertEqual(self.sync(group, generation, member), (0, b"mine"))
        self.assertEqual(self.sync(group, generation + 1, member)[0], 22)
        self.assertEqual(self.commit(group, 5, generation, member), 0)
        self.assertEqual(self.commit(group, 5, generation + 1, member), 22)
        self.assertEqual(self.commit(group, 5, generation, "ghost"), 25)
        self.assertEqual(self.commit(group, 5), 25)  # from outside, while somebody is in
        self.assertEqual(self.describe(group), (0, "Stable", "consumer", "range", [member]))
        self.assertEqual(self.delete(group), 68)
        self.assertEqual(self.offset_delete(group), (0, [86]))
        self.assertEqual(self.listed()[group], "consumer")
        self.assertEqual(self.leave(group, ("ghost", None), (member, "i"), (member, None)), (0, [25, 25, 0]))
        self.assertEqual(self.describe(group), (0, "Empty", "consumer", "", []))
        self.assertEqual(self.commit(group, 6), 0)
        self.assertEqual(self.delete(group), 0)
        self.assertEqual(self.describe(group)[1], "Dead")

    def test_oldest_versions(self):
        group = self.fresh()
        error, generation, protocol, leader, member, members = self.join(group, version=0)
        self.assertEqual((error, protocol, leader, members), (0, "range", member, [member]))
        self.assertEqual(self.sync(group, generation, member, [(member, b"a")], version=0), (0, b"a"))
        self.assertEqual(self.heartbeat(group, generation, member, version=0), 0)
        self.assertEqual(self.commit(group, 5, generation, member, version=2), 0)
        self.assertEqual(self.describe(group, version=0)[:2], (0, "Stable"))
        self.assertEqual(self.leave(group, (member, None), version=0), 0)

    def test_two_members(self):
        group = self.fresh()
        one, generation = self.stable(group)
        other = Client(self.port)
        self.addCleanup(other.close)
        two = self.join(group, client=other)[4]
        self.join(group, member=two, client=other, wait=False)
        self.wait(lambda: self.heartbeat(group, generation, one), transient=(0,))
        self.assertEqual(self.heartbeat(group, generation, one), 27)
        self.assertEqual(self.sync(group, generation, one)[0], 27)
        self.assertEqual(self.commit(group, 5, generation, one), 0)
        self.assertEqual(self.describe(group)[1], "PreparingRebalance")
        error, again, _, leader, _, members = self.join(group, member=one)
        self.assertEqual((error, again, leader, sorted(members)), (0, generation + 1, one, sorted([one, two])))
        self.assertEqual(self.joined(other), (0, again, "range", one, two, []))
        self.assertEqual(self.describe(group)[1], "CompletingRebalance")
        self.assertEqual(self.commit(group, 5, again, one), 27)
        self.assertEqual(self.heartbeat(group, again, one), 0)
        self.assertEqual(self.sync(group, again, one, [(one, b"1"), (two, b"2")]), (0, b"1"))
        self.assertEqual(self.sync(group, again, two, client=other), (0, b"2"))
        self.assertEqual(self.join(group, member=two, client=other)[:2], (0, again))  # a follower, nothing new

    def test_static_member(self):
        group = self.fresh()
        member = self.join(group, instance="i")[4]
        error, generation = self.join(group, member=member, instance="i")[:2]
        self.assertEqual(self.sync(group, generation, member, [(member, b"mine")], "i"), (0, b"mine"))
        error, again, _, leader, new, members = self.join(group, instance="i")
        self.assertEqual((error, again, leader, members), (0, generation, member, []))  # no rebalance
        self.assertNotEqual(new, member)
        self.assertEqual(self.sync(group, generation, new, (), "i"), (0, b"mine"))
        self.assertEqual(self.heartbeat(group, generation, member, "i"), 82)
        self.assertEqual(self.commit(group, 5, generation, member, instance="i"), 82)
        self.assertEqual(self.leave(group, (member, "i")), (0, [82]))
        self.assertEqual(self.leave(group, ("", "nobody"), ("", "i")), (0, [25, 0]))
        self.assertEqual(self.describe(group)[1], "Empty")

    def test_offsets_topic(self):
        self.commit("g", 5)
        self.assertEqual(self.produce("__consumer_offsets", batch())[0], 17)
        reader = self.client.ask(METADATA, 4, struct.pack(">i", 1) + string("__consumer_offsets") + b"\0")
        reader.take("i")
        for _ in range(reader.take("i")):
            reader.take("i")
            reader.string()
            reader.take("i")
            reader.string()
        reader.string()
        _, _, error = reader.take("iih")
        self.assertEqual((error, reader.string(), reader.take("b")), (0, "__consumer_offsets", 1))


if __name__ == "__main__":
    server = sys.argv.pop(1)
    EXTERNAL = server.isdigit()
    if EXTERNAL:
        Case.start = classmethod(lambda cls: setattr(cls, "port", int(server)))
        Case.stop = classmethod(lambda cls: 0)
    test_behaviours.SERVER = server
    unittest.main()
