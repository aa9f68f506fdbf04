"""Kafka's own command-line tools (the Java client) against millrace."""
from peers import kafka_tool


def topics(server, *arguments):
    return kafka_tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", server.kafka, *arguments)


def test_topics(server):
    topics(server, "--create", "--topic", "random_names", "--partitions", "3", "--replication-factor", "3")
    assert "random_names" in topics(server, "--list").split()
    described = topics(server, "--describe", "--topic", "random_names")
    assert "PartitionCount: 3" in described and "ReplicationFactor: 1" in described    # the truth
    topics(server, "--alter", "--topic", "random_names", "--partitions", "4")
    assert "PartitionCount: 4" in topics(server, "--describe", "--topic", "random_names")
    topics(server, "--create", "--topic", "gone")
    topics(server, "--delete", "--topic", "gone")
    assert "gone" not in topics(server, "--list").split()


def test_configs(server):
    def configs(*arguments):
        return kafka_tool("kafka.admin.ConfigCommand", "--bootstrap-server", server.kafka, "--entity-type", "topics",
                          "--entity-name", "configured", *arguments)
    topics(server, "--create", "--topic", "configured", "--config", "retention.ms=1000000")
    assert "retention.ms=1000000" in configs("--describe")
    configs("--alter", "--add-config", "max.message.bytes=70000")
    assert "max.message.bytes=70000" in configs("--describe")


def test_produce_consume_group(server):
    lines = [f"line {n}" for n in range(200)]
    kafka_tool("org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", server.kafka, "--topic", "lines",
               input="\n".join(lines) + "\n")

    def consume(count):
        return kafka_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", server.kafka,
                          "--topic", "lines", "--group", "readers", "--from-beginning", "--max-messages", count,
                          "--timeout-ms", "60000").splitlines()
    first = consume(120)
    assert first == lines[:120]
    assert consume(80) == lines[120:]           # the group goes on where it was

    def groups(*arguments):
        return kafka_tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server",
                          server.kafka, *arguments)
    assert "readers" in groups("--list").split()
    row = next(line.split() for line in groups("--describe", "--group", "readers").splitlines() if " lines " in line)
    assert row[3:6] == ["200", "200", "0"]      # current offset, end, lag
    groups("--reset-offsets", "--group", "readers", "--topic", "lines", "--to-earliest", "--execute")
    assert len(consume(200)) == 200
    groups("--delete", "--group", "readers")
    assert "readers" not in groups("--list").split()


def test_offsets_and_records(server, folder):
    topics(server, "--create", "--topic", "cut")
    kafka_tool("org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", server.kafka, "--topic", "cut",
               input="a\nb\nc\n")
    file = folder / "cut.json"
    file.write_text('{"partitions": [{"topic": "cut", "partition": 0, "offset": 2}], "version": 1}')
    kafka_tool("org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", server.kafka,
               "--offset-json-file", file)

    def offset(time):
        return kafka_tool("org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server", server.kafka, "--topic", "cut",
                          "--time", time).strip()
    assert offset("earliest") == "cut:0:2" and offset("latest") == "cut:0:3"


def test_producer_performance(server):
    told = kafka_tool("org.apache.kafka.tools.ProducerPerformance", "--topic", "load", "--num-records", 100000,
                      "--record-size", 200, "--throughput", -1, "--producer-props",
                      f"bootstrap.servers={server.kafka}", "acks=all")
    assert "100000 records sent" in told
