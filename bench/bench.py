"""Measures millrace; see script/bench.  Prints medians over the runs; machines are noisy, so compare ratios."""
import argparse
import heapq
import http.client
import json
import os
import queue
import random
import select
import statistics
import subprocess
import threading
import time

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from cql_raw import Cql
from millrace import BINARY, ROOT, Millrace, fresh_dir, remove, wait_until

TABLE = "spark_streaming.random_names"
COLUMNS = """full_name STRING, gender STRING, location STRING, city STRING, country STRING, postcode STRING,
    latitude FLOAT, longitude FLOAT, email STRING"""
TOPIC_SQL = f"""CREATE TABLE names (%s) WITH ('connector' = 'kafka', 'topic' = 'random_names', 'format' = 'json',
    'scan.startup.mode' = 'earliest-offset'%s);
""".replace("%s", COLUMNS, 1)
SINK_SQL = f"""CREATE TABLE stored ({COLUMNS}, PRIMARY KEY (full_name) NOT ENFORCED)
    WITH ('connector' = 'cassandra', 'keyspace' = 'spark_streaming', 'table' = 'random_names');
"""
WATCHED_EVERY, ASK_S = 10, 0.0005     # latency: records whose row is read; how often it is asked for
FIELDS = "full_name, gender, location, city, country, postcode, latitude, longitude, email"


def record(rng, name):
    """The article's shape, 259 bytes of JSON or so."""
    return {"full_name": name, "gender": rng.choice(("female", "male")),
            "location": f"{rng.randrange(1, 9999)}, {rng.choice(('Rue de la Gare', 'Elm Street', 'Hauptstrasse'))}",
            "city": rng.choice(("Vancouver", "Port Macquarie", "Neustadt an der Aisch")),
            "country": rng.choice(("Canada", "Australia", "Germany", "United States")),
            "postcode": rng.randrange(10000, 99999),
            "latitude": round(rng.uniform(-90, 90), 4), "longitude": round(rng.uniform(-180, 180), 4),
            "email": f"{name.replace(' ', '.').lower()}@example.com"}


def quantiles(values):
    ordered = sorted(values)

    def at(q):
        return ordered[min(len(ordered) - 1, int(len(ordered) * q))]
    return {"p50": at(0.5), "p99": at(0.99), "max": ordered[-1]}


def ready_url(process, descriptor):
    with os.fdopen(descriptor) as ready:
        return json.loads(ready.readline())["url"]


class Simulator:
    def __enter__(self):
        read_end, write_end = os.pipe()
        self.process = subprocess.Popen([BINARY, "simulate", "randomuser", "--listen", "127.0.0.1:0", "--ready-fd",
                                         str(write_end)], pass_fds=[write_end], stdout=subprocess.DEVNULL)
        os.close(write_end)
        self.url = ready_url(self.process, read_end)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def bench_startup(_):
    """Times from the start of the process."""
    dirs = fresh_dir("millrace-bench-")
    with Simulator() as simulator:
        server = Millrace("--trigger", "random_people_names", "--set",
                          f"random_user.url={simulator.url}?results=1,random_user.scan.interval=10 ms",
                          project=ROOT / "examples" / "random_names", data_dir=dirs / "data")
        start = time.perf_counter()
        server.start()
        ready = time.perf_counter() - start
        cql = Cql(server.cql)
        query = f"SELECT full_name FROM {TABLE} LIMIT 1"
        wait_until(lambda: cql.has_row(query), "the first row", pause_s=0.001)
        first_row = time.perf_counter() - start
        memory = server.memory_kib()
        server.stop()
    with Millrace() as alone:
        alone_memory = alone.memory_kib()
    remove(dirs)
    return {"listeners ready (ms)": ready * 1e3, "first row over CQL (ms)": first_row * 1e3,
            "memory with the example (MiB)": memory / 1024, "memory of the servers alone (MiB)": alone_memory / 1024}


def write_project(folder, text):
    (folder / "pipelines").mkdir(parents=True)
    (folder / "pipelines" / "bench.sql").write_text(text)
    return folder


class Stage(threading.Thread):
    """Group commit at its barest: whatever waits is appended to a file, synced once and handed on."""
    def __init__(self, path, hand_on):
        super().__init__(daemon=True)
        self.file, self.waiting, self.hand_on = open(path, "wb", buffering=0), queue.SimpleQueue(), hand_on
        self.start()

    def run(self):
        while (taken := [self.waiting.get()])[0] is not None:
            while not self.waiting.empty() and (more := self.waiting.get()) is not None:
                taken.append(more)
            self.file.write(b"x" * 300 * len(taken))
            os.fdatasync(self.file)
            for record in taken:
                self.hand_on(record)
        self.file.close()


def measure_floor(folder, rate, count=3000):
    """What this disk alone makes of it: each record is synced in one file, then in another, as in log and table."""
    latencies, now = [], time.perf_counter
    table = Stage(folder / "table", lambda sent: latencies.append(now() - sent))
    log = Stage(folder / "log", table.waiting.put)
    start = now()
    for n in range(count):
        time.sleep(max(0, start + n / rate - now()))
        log.waiting.put(now())
    wait_until(lambda: len(latencies) == count, "the floor's last record")
    for stage in (log, table):
        stage.waiting.put(None)
        stage.join()
    return quantiles(latencies)


def bench_latency(arguments):
    rate, count = 1000, arguments.records or 10000
    dirs = fresh_dir("millrace-bench-")
    write_project(dirs, TOPIC_SQL.replace("%s", "") + SINK_SQL + f"INSERT INTO stored SELECT {FIELDS} FROM names;")
    rng = random.Random(1)
    with Millrace(project=dirs, data_dir=dirs / "data") as server:
        producer = Producer({"bootstrap.servers": server.kafka, "linger.ms": 0, "acks": "all"})
        producer.produce("random_names", json.dumps(record(rng, "first")).encode())
        producer.flush(30)
        cql = Cql(server.cql)
        wait_until(lambda: cql.has_row(f"SELECT full_name FROM {TABLE} LIMIT 1"), "the first row")
        cql.prepare(f"SELECT full_name FROM {TABLE} WHERE full_name = ?")
        latencies = measure_latency(cql, producer, rng, rate, count)
    floor = measure_floor(dirs, rate)
    remove(dirs)
    report = {f"{q} (ms) at {rate}/s": v * 1e3 for q, v in quantiles(latencies).items()}
    return report | {f"two syncs alone at {rate}/s: {q} (ms)": v * 1e3 for q, v in floor.items()}


def measure_latency(cql, producer, rng, rate, count):
    """Sends COUNT records at RATE.  Every tenth key is read, ASK_S after it was sent and then every ASK_S, until its
    row is there: to read all of them would measure this client."""
    now = time.perf_counter
    values = [json.dumps(record(rng, f"name {n}")).encode() for n in range(count)]
    gaps = [rng.uniform(0.5, 1.5) / rate for _ in range(count)]
    sent_at, done, asking, sent = {}, {}, [], 0       # asking: (when, number) of the next question, earliest first
    due = now()
    deadline = due + count / rate + 60
    while len(done) < count // WATCHED_EVERY:
        t = now()
        assert t < deadline, f"{len(sent_at) - len(done)} rows did not come"
        if sent < count and t >= due:
            producer.produce("random_names", values[sent])
            if sent % WATCHED_EVERY == 0:
                sent_at[sent] = t
                heapq.heappush(asking, (t + ASK_S, sent))
                producer.poll(0)
            due += gaps[sent]
            sent += 1
        while asking and asking[0][0] <= t:
            n = heapq.heappop(asking)[1]
            cql.execute(n, f"name {n}".encode())
        wake = min([due if sent < count else t + 0.01] + [when for when, _ in asking[:1]])
        if not select.select([cql.sock], [], [], max(0, wake - now()))[0]:
            continue
        for n, found in cql.replies():
            if found:
                done[n] = now() - sent_at[n]
            else:
                heapq.heappush(asking, (now() + ASK_S, n))
    producer.flush(10)
    return [done[n] for n in sorted(done)[len(done) // 10:]]


def prefill(bootstrap, count):
    rng = random.Random(2)
    values = [json.dumps(record(rng, f"Ms. Ada {n}")) for n in range(10000)]
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "batch.num.messages": 10000,
                         "queue.buffering.max.messages": 2000000, "queue.buffering.max.kbytes": 2000000})
    for n in range(count):
        value = values[n % 10000].replace("Ms. Ada", f"Ms. {n // 10000}", 1)
        producer.produce("random_names", value.encode(), partition=n % 2)
        if n % 10000 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0


def run_sql(data_dir, text):
    start = time.perf_counter()
    done = subprocess.run([BINARY, "sql", "--data-dir", str(data_dir), "-e", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - start


def bench_throughput(arguments):
    count = arguments.records or 1000000
    dirs = fresh_dir("millrace-bench-")
    source = TOPIC_SQL.replace("%s", ", 'scan.bounded.mode' = 'latest-offset'")
    blackhole = f"CREATE TABLE nothing ({COLUMNS}) WITH ('connector' = 'blackhole');\n"
    results = {}
    with Millrace(data_dir=dirs / "data") as server:
        admin = AdminClient({"bootstrap.servers": server.kafka})
        admin.create_topics([NewTopic("random_names", 2, 1)])["random_names"].result(30)
        prefill(server.kafka, count)
        for name, text in (("nothing", source + blackhole + f"INSERT INTO nothing SELECT {FIELDS} FROM names;"),
                           ("table", source + SINK_SQL + f"INSERT INTO stored SELECT {FIELDS} FROM names;")):
            seconds = [run_sql(dirs / "data", text) for _ in range(arguments.repeat)]
            results[f"log → query → {name} (rows/s)"] = count / statistics.median(seconds)
        results["memory after it (MiB)"] = server.memory_kib() / 1024
    remove(dirs)
    return results


class Dags:
    """The scheduler's HTTP, over one connection."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address)

    def call(self, method, path, body=None):
        self.connection.request(method, "/api/dags" + path, body, {"Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        assert "error" not in answer, answer
        return answer

    def ended(self, dag, run):
        return self.call("GET", f"/{dag}/runs/{run}")["state"] == "success"


def bench_trigger(arguments):
    """POST of a trigger → the task's code runs, one run after the other: it writes into a pipe that is read here."""
    count = arguments.records or 200
    dirs = fresh_dir("millrace-bench-")
    os.mkfifo(dirs / "fifo")
    (dirs / "dags").mkdir()
    (dirs / "dags" / "stamp.yaml").write_text(f"tasks: [{{id: stamp, command: 'echo >{dirs}/fifo'}}]\n")
    times, ends = [], []
    with Millrace(project=dirs, data_dir=dirs / "data") as server:
        fifo = os.open(dirs / "fifo", os.O_RDWR)
        dags = Dags(server.ready["http"])
        for _ in range(count):
            start = time.perf_counter()
            run = dags.call("POST", "/stamp/trigger", "{}")["run"]
            os.read(fifo, 16)
            times.append(time.perf_counter() - start)
            wait_until(lambda run=run: dags.ended("stamp", run), "the run's end", pause_s=0.001)
            ends.append(time.perf_counter() - start)
        os.close(fifo)
    remove(dirs)
    report = {f"trigger → task's code runs: {q} (ms)": v * 1e3 for q, v in quantiles(times).items()}
    return report | {"trigger → run ended: p50 (ms)": quantiles(ends)["p50"] * 1e3}


BENCHES = {"startup": bench_startup, "latency": bench_latency, "throughput": bench_throughput,
           "trigger": bench_trigger}


def main():
    parser = argparse.ArgumentParser(prog="script/bench")
    parser.add_argument("what", choices=[*BENCHES, "all"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3, help="throughput: times that each query reads the topic")
    parser.add_argument("--records", type=int, help="fewer or more records than usual")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = {}
    for what in BENCHES if arguments.what == "all" else [arguments.what]:
        runs = [BENCHES[what](arguments) for _ in range(1 if what == "throughput" else arguments.runs)]
        report[what] = {key: round(statistics.median(run[key] for run in runs), 2) for key in runs[0]}
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
        return
    for what, figures in report.items():
        print(what)
        for key, value in figures.items():
            print(f"  {key:40} {value:>14,.2f}")


if __name__ == "__main__":
    main()
