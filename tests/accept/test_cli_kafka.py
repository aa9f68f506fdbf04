"""topic, produce, consume, group and dlq: against our own log, with the output that people and scripts rely on."""
import json
import os
import pty
import select
import shutil
import signal
import subprocess

import pytest

from millrace import BINARY, DEADLINE_S, Millrace, millrace, wait_until


@pytest.fixture(scope="module")
def cli(server):
    def run(*args, **named):
        return millrace(*args, "--kafka", server.kafka, **named)
    return run


def done(result):
    code, out, err = result
    assert code == 0, err
    return out


def lines(result):
    return [json.loads(line) for line in done(result).splitlines()]


def columns(text):
    return [line.split() for line in text.splitlines()]


def test_topics(cli):
    assert done(cli("topic", "create", "t1", "--partitions", "3", "-c", "retention.ms=3600000")) == "t1 created\n"
    code, _, err = cli("topic", "create", "t1")
    assert code == 1 and "already exists" in err
    assert lines(cli("topic", "create", "t1", "--if-not-exists", "-o", "json")) == [{"topic": "t1", "created": False}]
    done(cli("produce", "t1", text_input="a\nb\n"))
    assert ["t1", "3", "1", "2"] in columns(done(cli("topic", "list")))
    assert {"topic": "t1", "partitions": 3, "replicas": 1, "records": 2} in lines(cli("topic", "list", "-o", "json"))
    shown = done(cli("topic", "describe", "t1"))
    assert shown.startswith("topic t1\n") and ["retention.ms", "3600000", "topic"] in columns(shown)
    (described,) = lines(cli("topic", "describe", "t1", "-o", "json"))
    assert sum(p["records"] for p in described["partitions"]) == 2 and len(described["partitions"]) == 3
    assert {"setting": "retention.ms", "value": "3600000", "source": "topic"} in described["settings"]
    everything = lines(cli("topic", "describe", "t1", "--all", "-o", "json"))[0]["settings"]
    assert len(everything) > 10 and {s["source"] for s in everything} >= {"topic", "default"}


def test_topics_are_removed(cli):
    done(cli("topic", "create", "gone1", "gone2"))
    assert done(cli("topic", "delete", "gone1", "gone2")) == "gone1 deleted\ngone2 deleted\n"
    code, _, err = cli("topic", "delete", "gone1")
    assert code == 1 and "there is none" in err
    assert cli("topic", "delete", "gone1", "--if-exists")[0] == 0
    assert "gone" not in done(cli("topic", "list"))


@pytest.mark.parametrize("arguments, code, message", [
    (["topic", "lst"], 2, 'there is no command "topic lst"; did you mean "topic list"?'),
    (["topic"], 2, "Usage: millrace topic VERB"),
    (["topic", "list", "extra"], 2, '"extra" is one word too many'),
    (["topic", "create"], 2, "something is missing"),
    (["topic", "create", "t", "-c", "nonsense"], 2, '"nonsense" is not NAME=VALUE'),
    (["topic", "create", "bad name"], 1, "Topic name is invalid"),
    (["topic", "describe", "peple"], 1, 'there is no topic "peple"'),
    (["consume", "peple"], 1, 'there is no topic "peple"'),
    (["consume", "x", "--from", "soon"], 2, '"soon" is not beginning, end'),
    (["consume", "x", "-f", "%q"], 2, "the format has %q"),
    (["consume", "x", "-G", "g", "--from", "5"], 2, "with --group only beginning and end"),
    (["consume", "x", "-n", "-1"], 2, "at least 1"),
    (["produce", "x", "/no/such/file"], 1, "/no/such/file can't be opened"),
    (["produce", "x", "--header", "=x"], 2, "is not NAME=VALUE"),
    (["group", "describe", "nobody"], 1, 'there is no group "nobody"'),
    (["dlq", "show", "nobody"], 1, "nobody has no dead letters"),
    (["topic", "list", "-X", "nonsense=1"], 1, "-X nonsense=1"),
])
def test_errors_say_what_to_do(cli, arguments, code, message):
    got, out, err = cli(*arguments) if len(arguments) > 1 and arguments != ["topic", "lst"] else millrace(*arguments)
    assert message in err, err
    assert got == code and out == ""


def test_nearest_topic(cli):
    done(cli("topic", "create", "people"))
    assert 'did you mean "people"?' in cli("consume", "peopel", "-e")[2]


def test_nobody_listens(folder):
    for command in (["topic", "list"], ["consume", "x"], ["produce", "x"], ["group", "list"], ["dlq", "list"]):
        code, _, err = millrace(*command, "--kafka", "127.0.0.1:1", text_input="a\n")
        assert code == 1 and "Kafka at 127.0.0.1:1 can't be reached" in err and "Connection refused" in err
        code, _, err = millrace(*command, "--data-dir", folder, text_input="a\n")
        assert code == 1 and f"no server runs on {folder}; start one with: millrace run" in err


def test_produce_and_consume(cli):
    assert done(cli("produce", "pc", "-K", ":", "-H", "origin=cli", "-H", "n=1",
                    text_input="ada:Lovelace\nplain\n:no key\nempty:\n")) == "4 records to pc\n"
    assert done(cli("consume", "pc", "-e")) == "Lovelace\nplain\nno key\n\n"
    assert done(cli("consume", "pc", "-e", "-K", "=")) == "ada=Lovelace\n=plain\n=no key\nempty=\n"
    shown = done(cli("consume", "pc", "-e", "-f", "%t %p %o %k %K %S [%h]\\n", "-Z", "NULL"))
    assert shown.splitlines() == ["pc 0 0 ada 3 8 [origin=cli,n=1]", "pc 0 1 NULL -1 5 [origin=cli,n=1]",
                                  "pc 0 2  0 6 [origin=cli,n=1]", "pc 0 3 empty 5 0 [origin=cli,n=1]"]
    records = lines(cli("consume", "pc", "-e", "-o", "json"))
    assert records[0] == {"topic": "pc", "partition": 0, "offset": 0, "timestamp_ms": records[0]["timestamp_ms"],
                          "key": "ada", "value": "Lovelace",
                          "headers": [{"name": "origin", "value": "cli"}, {"name": "n", "value": "1"}]}
    table = columns(done(cli("consume", "pc", "-e", "-o", "table")))
    assert table[0] == ["partition", "offset", "time", "key", "value"] and table[1][-2:] == ["ada", "Lovelace"]


def test_format_is_kcats(cli, server):
    if not shutil.which("kcat"):
        pytest.skip("kcat is not installed")
    done(cli("produce", "kcat", "-K", ":", "-H", "a=b", "-H", "c=d", text_input="k:v\nplain\n"))
    for text in ("%t %p %o [%k] [%s] %S %K %T {%h}\\n", "%s\\x21%%\\t\\r\\\\", "%k"):
        kcat = subprocess.run(["kcat", "-b", server.kafka, "-C", "-t", "kcat", "-e", "-q", "-f", text],
                              capture_output=True, timeout=DEADLINE_S, check=True)
        ours = subprocess.run([BINARY, "consume", "kcat", "-b", server.kafka, "-e", "-f", text], capture_output=True,
                              timeout=DEADLINE_S, check=True)
        assert ours.stdout == kcat.stdout


def test_produce_says_where(cli):
    done(cli("topic", "create", "where", "-p", "4"))
    (record,) = lines(cli("produce", "where", "-p", "2", "-k", "key", "-o", "json", text_input="x"))
    assert record == {"topic": "where", "partition": 2, "offset": 0}
    assert done(cli("consume", "where", "-p", "2", "-e", "-f", "%k=%s")) == "key=x"
    assert done(cli("consume", "where", "-p", "1", "-e")) == ""
    code, _, err = cli("consume", "where", "-p", "9", "-e")
    assert code == 1 and "no partition 9; it has 4" in err
    code, _, err = cli("produce", "where", "-p", "9", text_input="x")
    assert code == 1 and "where" in err


def test_keys_go_where_javas_go(cli, server):
    kafka = pytest.importorskip("kafka")
    done(cli("topic", "create", "murmur", "-p", "7"))
    keys = [f"key{i}" for i in range(40)]
    sent = lines(cli("produce", "murmur", "-K", " ", "-o", "json", text_input="".join(f"{k} {k}\n" for k in keys)))
    assert len(sent) == 40
    of_cli = {r["key"]: r["partition"] for r in lines(cli("consume", "murmur", "-e", "-o", "json"))}
    producer = kafka.KafkaProducer(bootstrap_servers=server.kafka)
    of_kafka_python = {k: producer.send("murmur", b"", key=k.encode()).get(DEADLINE_S).partition for k in keys}
    producer.close()
    assert of_cli == of_kafka_python and len(set(of_cli.values())) == 7


def test_delimiters_and_bytes(cli, server, folder):
    raw = bytes(range(256)) * 4
    (folder / "raw").write_bytes(raw)
    done(cli("produce", "raw", folder / "raw", "--input", "whole"))
    done(cli("produce", "raw", "-D", "\\0", "-K", "\\t\\t", text_input="k\t\tline one\nline two\0last"))
    shown = subprocess.run([BINARY, "consume", "raw", "-e", "-D", "", "-n", "1", "-b", server.kafka],
                           capture_output=True, check=True)
    assert shown.stdout == raw
    records = lines(cli("consume", "raw", "-e", "--from", "1", "-o", "json"))
    assert [(r["key"], r["value"]) for r in records] == [("k", "line one\nline two"), (None, "last")]


def test_json_there_and_back(cli, folder):
    (folder / "raw").write_bytes(b"\xff\x00\xfe")
    done(cli("produce", "back", folder / "raw", "--input", "whole", "-k", "k", "-H", "h=v"))
    done(cli("produce", "back", "-Z", "-K", ":", text_input="tombstone:\n"))
    exported = done(cli("consume", "back", "-e", "-o", "json"))
    assert done(cli("produce", "back2", "--input", "json", text_input=exported)) == "2 records to back2\n"
    again = done(cli("consume", "back2", "-e", "-o", "json"))
    assert again.replace("back2", "back") == exported
    code, _, err = cli("produce", "back2", "--input", "json", text_input='{"value": "x"}\nnonsense\n')
    assert code == 1 and "record 2: no JSON" in err


@pytest.mark.parametrize("start, expect", [
    ("beginning", "0123456789"), ("end", ""), ("7", "789"), ("-2", "89"), ("-100", "0123456789"), ("10", ""),
    ("@1700000000005", "56789"), ("@2023-11-14 22:13:20.008", "89"), ("@2030-01-01", ""),
])
def test_from(cli, start, expect):
    if "from" not in done(cli("topic", "list")).split():
        records = [json.dumps({"value": str(i), "timestamp_ms": 1700000000000 + i}) for i in range(10)]
        done(cli("produce", "from", "--input", "json", text_input="\n".join(records)))
    assert done(cli("consume", "from", "--from", start, "-e", "-f", "%s")) == expect


def test_from_an_offset_that_is_not_there(cli):
    done(cli("produce", "short", text_input="a\n"))
    code, _, err = cli("consume", "short", "--from", "5", "-e")
    assert code == 1 and "offset 5" in err and "it has 0 to 1" in err


def test_count_ends_it(cli):
    done(cli("produce", "count", text_input="1\n2\n3\n"))
    assert done(cli("consume", "count", "-n", "2")) == "1\n2\n"
    assert done(cli("consume", "count", "-n2", "--from", "1")) == "2\n3\n"
    assert done(cli("consume", "count", "-n", "0")) == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waits_and_is_interrupted(cli, server, number):
    done(cli("topic", "create", "live", "--if-not-exists"))
    with subprocess.Popen([BINARY, "consume", "live", "--from", "end", "-b", server.kafka], stdout=subprocess.PIPE,
                          text=True) as reader:
        # it begins at the end as it is when it starts, so write until it shows something
        def shown():
            done(cli("produce", "live", text_input="hello\n"))
            return select.select([reader.stdout], [], [], 0)[0]
        wait_until(shown, "a record is shown while it waits")
        assert reader.stdout.readline() == "hello\n"
        reader.send_signal(number)
        assert reader.wait(DEADLINE_S) == 0


def test_pipe_that_closes(cli, server):
    done(cli("produce", "pipe", text_input="".join(f"{i}\n" for i in range(20000))))
    done_with = subprocess.run(f"'{BINARY}' consume pipe -b {server.kafka} | head -1", shell=True, capture_output=True,
                               text=True, timeout=DEADLINE_S)
    assert done_with.stdout == "0\n" and done_with.stderr == ""


def test_many_records(cli, folder):
    text = "".join(f"{i:012d}\n" for i in range(200000))
    (folder / "in").write_text(text)
    assert done(cli("produce", "many", folder / "in", "-z", "lz4")) == "200000 records to many\n"
    assert done(cli("consume", "many", "-e")) == text


def test_too_large(cli):
    code, _, err = cli("produce", "large", "--input", "whole", text_input="x" * 3000000)
    assert code == 1 and "too large" in err.lower()


def test_progress_bar_only_on_a_terminal(cli, server, folder):
    (folder / "in").write_text("".join(f"{i:050d}\n" for i in range(1500000)))
    master, slave = pty.openpty()
    reader = subprocess.Popen([BINARY, "produce", "bar", folder / "in", "-b", server.kafka], stdout=subprocess.PIPE,
                              stderr=slave, text=True)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert reader.stdout.read() == "1500000 records to bar\n" and reader.wait() == 0
    os.close(master)
    assert b"% " in shown and b"[#" in shown and shown.endswith(b"\r\x1b[K")
    assert "[" not in cli("consume", "bar", "-e", "-n", "10")[2]


def test_groups(cli, server):
    done(cli("topic", "create", "grouped", "-p", "2"))
    for partition, digits in ((0, "01234"), (1, "56789")):
        done(cli("produce", "grouped", "-p", partition, text_input="\n".join(digits)))
    assert sorted(done(cli("consume", "grouped", "-G", "g1", "-e")).split()) == sorted(str(i) for i in range(10))
    assert done(cli("consume", "grouped", "-G", "g1", "-e")) == ""
    done(cli("produce", "grouped", "-p", "1", text_input="x\ny\n"))
    assert ["g1", "Empty"] in columns(done(cli("group", "list")))
    (group,) = lines(cli("group", "describe", "g1", "-o", "json"))
    assert group["lag"] == 2 and group["state"] == "Empty" and group["members"] == []
    assert {p["partition"]: p["lag"] for p in group["partitions"]} == {0: 0, 1: 2}
    shown = done(cli("group", "describe", "g1"))
    assert shown.startswith("group g1: Empty, 0 members, lag 2\n")
    assert done(cli("consume", "grouped", "-G", "g1", "-n", "2")) == "x\ny\n"
    assert lines(cli("group", "describe", "g1", "-o", "json"))[0]["lag"] == 0


def test_a_group_with_a_member(cli, server):
    done(cli("topic", "create", "watched", "--if-not-exists"))
    with subprocess.Popen([BINARY, "consume", "watched", "-G", "g2", "-b", server.kafka, "-X", "client.id=watcher"],
                          stdout=subprocess.PIPE) as member:
        def stable():
            code, out, _ = cli("group", "describe", "g2", "-o", "json")
            return code == 0 and json.loads(out)["state"] == "Stable" and json.loads(out)
        group = wait_until(stable, "the group is stable")
        assert [m["client"] for m in group["members"]] == ["watcher"]
        assert group["partitions"][0]["client"] == "watcher" and group["assignor"] == "range"
        member.send_signal(signal.SIGINT)
        assert member.wait(DEADLINE_S) == 0


PIPELINE = """
CREATE TABLE a (n INT) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json',
                             'scan.startup.mode' = 'earliest-offset');
CREATE TABLE b (n INT) WITH ('connector' = 'kafka', 'topic' = 'b', 'format' = 'json');
INSERT INTO b SELECT n FROM a;
"""


def test_dead_letters_and_queries(folder, data_dir):
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "copy.sql").write_text(PIPELINE)

    def cli(*args, **named):
        return millrace(*args, "--data-dir", data_dir, **named)

    with Millrace(project=folder, data_dir=data_dir) as server:
        assert cli("dlq", "list")[2] == "no dead letters\n"
        (folder / "bad").write_bytes(b"\xff\xfe")
        done(cli("produce", "a", "-k", "key", text_input='{"n": 1}\nno json\n{"n": "x"}\n'))
        done(cli("produce", "a", folder / "bad", "--input", "whole"))
        done(cli("produce", "a", text_input='{"n": 2}\n'))
        assert done(cli("consume", "b", "-n", "2")) == '{"n":1}\n{"n":2}\n'
        wait_until(lambda: lines(cli("query", "list", "-o", "json"))[0]["dead_letters"] == 3, "three dead letters")
        assert ["copy", "copy.dlq", "3"] in columns(done(cli("dlq", "list")))
        letters = lines(cli("dlq", "show", "copy", "-o", "json"))
        assert [letter["value"] for letter in letters[:2]] == ["no json", '{"n": "x"}']
        assert letters[2]["value_base64"] == "//4="
        first = letters[0]
        assert (first["key"], first["query"], first["stage"]) == ("key", "copy", "VALUE_CONVERTER")
        assert (first["origin_topic"], first["origin_partition"], first["origin_offset"]) == ("a", 0, 1)
        assert "not JSON" in first["reason"]
        shown = done(cli("dlq", "show", "copy"))
        assert "from    a, partition 0, offset 1\n  key     key\n  value   no json\n" in shown and " ff fe " in shown
        assert done(cli("dlq", "show", "copy", "--from", "-1")).count("reason") == 1
        assert len(lines(cli("dlq", "show", "copy.dlq", "-n", "2", "-o", "json"))) == 2

        assert columns(done(cli("query", "list")))[1][:4] == ["copy", "running", "5", "2"]
        progress = lines(cli("query", "progress", "copy", "-o", "json"))
        assert sum(p["numInputRows"] for p in progress) == 5 and progress[0]["name"] == "copy"
        assert columns(done(cli("query", "progress", "copy", "-n", "1")))[0][0] == "batch"
        assert done(cli("query", "stop", "copy")) == "copy stopped\n"
        assert lines(cli("query", "list", "-o", "json"))[0]["state"] == "stopped"
        done(cli("produce", "a", text_input='{"n": 3}\n'))
        (started,) = lines(cli("query", "start", "copy", "-o", "json"))
        assert started["name"] == "copy"
        assert done(cli("consume", "b", "--from", "2", "-n", "1")) == '{"n":3}\n'
        code, _, err = cli("query", "stop", "cpy")
        assert code == 1 and "cpy" in err and "copy" in err
        address = server.ready["http"]
        assert lines(millrace("query", "list", "--server", address, "-o", "json"))[0]["name"] == "copy"
    code, _, err = cli("query", "list")
    assert code == 1 and "no server runs on" in err and "--server HOST:PORT" in err
