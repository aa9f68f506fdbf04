"""The real systems: fetched once by name from the languages' registries, started on free ports, stopped."""
import fcntl
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "accept"))

from millrace import DEADLINE_S, wait_until  # noqa: E402
from pipeline import connect  # noqa: E402

HERE = Path(__file__).resolve().parent
WORK = Path(os.environ.get("MILLRACE_PEERS") or Path.home() / ".cache" / "millrace-peers") / "test-peers"
KAFKA, CASSANDRA, SPARK, SPARK_CASSANDRA = "4.3.1", "5.0.9", "3.5.7", "3.5.1"
START_S = 240
POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>millrace.peers</groupId><artifactId>{name}</artifactId><version>1</version>
<dependencies>{dependencies}</dependencies></project>
"""
DEPENDENCY = """<dependency><groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version>
<exclusions><exclusion><groupId>org.apache.hadoop</groupId><artifactId>*</artifactId></exclusion></exclusions>
</dependency>
"""
LOGGING = """<Configuration status="ERROR"><Appenders><Console name="c" target="SYSTEM_{1}"><PatternLayout
pattern="%p %c: %m%n"/></Console></Appenders><Loggers><Root level="{0}"><AppenderRef ref="c"/></Root></Loggers>
</Configuration>
"""


def run(*command, **options):
    """Runs a command to its end and returns what it printed; on failure both streams are in the message."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=900, **options)
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def once(name, make):
    """The folder NAME of the cache; MAKE(folder) fills it the first time."""
    folder = WORK / name
    WORK.mkdir(parents=True, exist_ok=True)
    with open(WORK / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / ".complete").touch()
    return folder


def jars(name, *coordinates):
    """A class path with COORDINATES ("group:artifact:version") and what they need."""
    def make(folder):
        dependencies = "".join(DEPENDENCY.format(*c.split(":")) for c in coordinates)
        (folder / "pom.xml").write_text(POM.format(name=name, dependencies=dependencies), encoding="utf-8")
        run("mvn", "-B", "-q", "-f", folder / "pom.xml", "dependency:copy-dependencies", "-DincludeScope=runtime",
            f"-DoutputDirectory={folder}")
    return once(name, make)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def kafka_jars():
    return jars(f"kafka-{KAFKA}", f"org.apache.kafka:kafka_2.13:{KAFKA}", f"org.apache.kafka:kafka-tools:{KAFKA}",
                "org.apache.logging.log4j:log4j-core:2.25.2", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.2")


def kafka_java(level="ERROR", stream="ERR"):
    folder = kafka_jars()
    logging = folder / f"log-{level}.xml"
    logging.write_text(LOGGING.format(level, stream), encoding="utf-8")
    return ["java", "-Xmx512m", "-cp", f"{folder}/*", f"-Dlog4j2.configurationFile={logging}"]


def kafka_tool(name, *arguments, **options):
    """One of Kafka's own command-line tools, by the name of its class."""
    return run(*kafka_java(), name, *arguments, **options)


class Server:
    """A process that is ready when PROBE is true."""
    def launch(self, command, log, probe):
        with open(log, "w", encoding="utf-8") as out:
            process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=out, stdin=subprocess.DEVNULL)

        def ready():
            assert process.poll() is None, f"it ended:\n{Path(log).read_text(errors='replace')[-4000:]}"
            return probe()
        try:
            wait_until(ready, f"{command[-1]} is ready", START_S, 0.2)
        except BaseException:
            process.kill()
            raise
        return process

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Kafka(Server):
    """COUNT brokers that are controllers too."""
    def __init__(self, folder, count=1):
        self.folder, self.count, self.processes = Path(folder) / "kafka", count, []

    def start(self):
        ports = free_ports(2 * self.count)
        self.bootstrap = ",".join(f"127.0.0.1:{p}" for p in ports[:self.count])
        voters = ",".join(f"{n + 1}@127.0.0.1:{p}" for n, p in enumerate(ports[self.count:]))
        starting = []
        for n in range(self.count):
            folder = self.folder / str(n + 1)
            folder.mkdir(parents=True)
            properties = {
                "process.roles": "broker,controller", "node.id": n + 1, "controller.quorum.voters": voters,
                "listeners": f"PLAINTEXT://127.0.0.1:{ports[n]},CONTROLLER://127.0.0.1:{ports[self.count + n]}",
                "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports[n]}",
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "PLAINTEXT",
                "log.dirs": folder / "data", "default.replication.factor": self.count,
                "offsets.topic.replication.factor": self.count, "group.initial.rebalance.delay.ms": 0,
                "transaction.state.log.replication.factor": self.count, "transaction.state.log.min.isr": 1}
            file = folder / "server.properties"
            file.write_text("".join(f"{k}={v}\n" for k, v in properties.items()), encoding="utf-8")
            kafka_tool("kafka.tools.StorageTool", "format", "--cluster-id", "bWlsbHJhY2UtcGVlcnMta2", "--config", file)
            starting.append((file, folder / "out.log"))
        for file, log in starting[:-1]:     # they wait for each other: only the last is waited for
            self.processes.append(self.launch([*kafka_java("INFO", "OUT"), "kafka.Kafka", file], log, lambda: True))
        for file, log in starting:
            def started(log=log):
                return "Kafka Server started" in log.read_text(errors="replace")
            if log.exists():
                wait_until(started, "a broker has started", START_S, 0.2)
            else:
                self.processes.append(self.launch([*kafka_java("INFO", "OUT"), "kafka.Kafka", file], log, started))
        return self

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()


CASSANDRA_YAML = """cluster_name: millrace
num_tokens: 16
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
role_manager: CassandraRoleManager
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters: [ {{ seeds: "127.0.0.1:{gossip}" }} ]
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
storage_port: {gossip}
start_native_transport: true
native_transport_port: {cql}
data_file_directories: [ {folder}/data ]
commitlog_directory: {folder}/commitlog
saved_caches_directory: {folder}/caches
hints_directory: {folder}/hints
cdc_raw_directory: {folder}/cdc
commitlog_sync: periodic
commitlog_sync_period: 10000ms
commitlog_segment_size: 32MiB
memtable_allocation_type: heap_buffers
auto_snapshot: false
"""
EXPORTS = ("java.base/jdk.internal.misc", "java.base/jdk.internal.ref", "java.base/sun.nio.ch",
           "java.management.rmi/com.sun.jmx.remote.internal.rmi", "java.rmi/sun.rmi.registry",
           "java.rmi/sun.rmi.server", "java.rmi/sun.rmi.transport.tcp", "java.sql/java.sql")
OPENS = ("java.lang", "java.lang.module", "java.lang.reflect", "java.net", "java.io", "java.nio", "java.util",
         "java.util.concurrent", "java.util.concurrent.atomic", "java.math", "jdk.internal.loader", "jdk.internal.ref",
         "jdk.internal.reflect", "jdk.internal.math", "jdk.internal.module", "jdk.internal.util.jar", "sun.nio.ch")


class Cassandra(Server):
    """One node with the user cassandra."""
    def __init__(self, folder):
        self.folder, self.process = Path(folder) / "cassandra", None

    def start(self):
        lib = jars(f"cassandra-{CASSANDRA}", f"org.apache.cassandra:cassandra-all:{CASSANDRA}")
        cql, gossip, management = free_ports(3)
        self.folder.mkdir(parents=True)
        self.address = ("127.0.0.1", cql)
        file = self.folder / "cassandra.yaml"
        file.write_text(CASSANDRA_YAML.format(gossip=gossip, cql=cql, folder=self.folder), encoding="utf-8")
        command = ["java", "-Xms512M", "-Xmx512M", f"-Dcassandra.config=file://{file}",
                   f"-Dcassandra.logdir={self.folder}", f"-Dcassandra.storagedir={self.folder}",
                   f"-Dcassandra.jmx.local.port={management}", "-Dcassandra.superuser_setup_delay_ms=0",
                   "-Dcassandra.ring_delay_ms=100", "-Dcassandra.skip_wait_for_gossip_to_settle=0",
                   *(f"--add-exports={p}=ALL-UNNAMED" for p in EXPORTS),
                   *(f"--add-opens=java.base/{p}=ALL-UNNAMED" for p in OPENS),
                   "--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED",
                   "--add-opens=java.rmi/sun.rmi.transport.tcp=ALL-UNNAMED",
                   "-cp", f"{lib}/*", "org.apache.cassandra.service.CassandraDaemon"]

        def answers():
            try:
                cluster = connect(self.address)
                try:
                    return cluster.connect().execute("SELECT release_version FROM system.local").one()
                finally:
                    cluster.shutdown()
            except Exception:       # not yet, in whatever way a driver can say it
                return False
        self.process = self.launch(command, self.folder / "out.log", answers)
        return self

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait(DEADLINE_S)
