"""kill -9 at random moments while people flow: the same rows at the end, and every acknowledged message still there."""
import random
import threading

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from millrace import DEADLINE_S, SANITIZED, Millrace
from people_api import PeopleApi, people_500, people_all
from pipeline import check_tables, wait_for_people, write_project

KILLS = 8 if SANITIZED else 50


def read_all(bootstrap, topic):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False,
                         "enable.partition.eof": True, "auto.offset.reset": "earliest"})
    values = []
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while True:
            message = consumer.poll(DEADLINE_S)
            assert message is not None, "the topic could not be read to its end"
            if message.error():
                if message.error().code() == KafkaError._PARTITION_EOF:
                    return values
                continue
            values.append(message.value())
    finally:
        consumer.close()


class Writer:
    """Produces numbered messages until stopped and notes those that were acknowledged."""

    def __init__(self, bootstrap, run):
        self.run, self.acknowledged, self.stopping = run, [], threading.Event()
        self.producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 1,
                                  "log_level": 0, "message.timeout.ms": 2000})
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def note(self, error, message):
        if error is None:
            self.acknowledged.append(message.value())

    def write(self):
        number = 0
        while not self.stopping.is_set():
            self.producer.produce("kept", f"{self.run}-{number}".encode(), on_delivery=self.note)
            number += 1
            self.producer.poll(0.002)

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.producer.poll(0)


@pytest.mark.slow
def test_kill_at_random_moments(folder, data_dir):
    people = people_500() if SANITIZED else people_all()
    results = 10 if SANITIZED else 100
    rng = random.Random(4711)
    acknowledged = []
    with PeopleApi(people) as api:
        write_project(folder, api.url, results, len(people) // results, interval="20 ms")
        for run in range(KILLS):
            server = Millrace(project=folder, data_dir=data_dir).start()
            writer = Writer(server.kafka, run)
            # The moment is random in what is going on, not in time: so many acknowledgements, requests, or neither.
            target = len(api.requests) + rng.randrange(0, 6)
            seen = rng.randrange(0, 400)
            deadline = threading.Event()
            for _ in range(400):
                if len(api.requests) >= target and len(writer.acknowledged) >= seen:
                    break
                deadline.wait(0.005)
            server.kill()
            writer.stop()
            acknowledged += writer.acknowledged
        with Millrace(project=folder, data_dir=data_dir) as server:
            rows = wait_for_people(server.cql, len(people))
            there = read_all(server.kafka, "kept")
    check_tables(*rows, people)
    missing = set(acknowledged) - set(there)
    assert len(acknowledged) > 100
    assert not missing, f"{len(missing)} acknowledged messages are gone, such as {sorted(missing)[:3]}"
    assert len(there) == len(set(there)), "an idempotent producer's message stands twice"
