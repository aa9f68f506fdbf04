"""CQL files with the answers below their statements.

A statement is one or several lines that end with ';'.  The lines after it are its answer:
    -- a | b          the names of the columns
    -- 1 | 'x'        a row
    -- ! 2200: text   the error's code and message ("...": any text, also at the end)
No answer line: a statement that returns no rows.  Other comment lines begin with "--" and a word of lower case letters
and a colon ("-- test: what").  Each file runs in a keyspace of its own, which is in use.

    cql_golden.py HOST:PORT FILE...            compares
    cql_golden.py --write HOST:PORT FILE...    writes the answers: against the real server
"""
import logging
import re
import sys
from pathlib import Path

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.query import tuple_factory

COMMENT = re.compile(r"-- [a-z]+:")


def connect(address):
    host, port = address
    profile = ExecutionProfile(row_factory=tuple_factory, request_timeout=60)
    cluster = Cluster([host], port=int(port), auth_provider=PlainTextAuthProvider("cassandra", "cassandra"),
                      protocol_version=4, execution_profiles={EXEC_PROFILE_DEFAULT: profile},
                      schema_metadata_enabled=False, token_metadata_enabled=False)
    return cluster, cluster.connect()


def text(value):
    """A value in one form, whatever class the driver gives it."""
    if isinstance(value, dict) or type(value).__name__ == "OrderedMapSerializedKey":
        return "{" + ", ".join(f"{text(k)}: {text(v)}" for k, v in value.items()) + "}"
    if type(value).__name__ == "SortedSet":
        return "{" + ", ".join(map(text, value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(text, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(text, value)) + ")"
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return repr(value)
    return "null" if value is None else str(value)


def run(session, statement):
    """The answer lines of STATEMENT."""
    try:
        result = session.execute(statement)
        rows = list(result)
    except Exception as error:  # noqa: BLE001: whatever the server says is the answer
        found = re.search(r'code=([0-9a-f]+) \[[^\]]*\] message="(.*)"', str(error), re.S)
        if not found:
            found = re.search(r"(AlreadyExists)()", type(error).__name__) or re.search(r"(.*)()", repr(error), re.S)
        return [f"-- ! {found[1]}: {found[2]}"]
    if not result.column_names:
        return []
    return ["-- " + " | ".join(result.column_names)] + ["-- " + " | ".join(map(text, row)) for row in rows]


def pieces(path):
    """(comments before, statement, answer) of each statement in PATH."""
    before, statement, answer = [], [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        is_comment = not line or COMMENT.match(line)
        if statement and statement[-1].endswith(";") and (is_comment or not line.startswith("--")):
            yield before, "\n".join(statement), answer
            before, statement, answer = [], [], []
        if is_comment:
            before.append(line)
        elif line.startswith("--"):
            answer.append(line)
        else:
            statement.append(line)
    if statement:
        yield before, "\n".join(statement), answer


def same(got, want):
    if len(got) != len(want):
        return False
    for a, b in zip(got, want):
        parts = [re.escape(part) for part in b.split("...")]
        if not re.fullmatch(".*".join(parts), a, re.S):
            return False
    return True


def open_keyspace(session, path):
    name = "golden_" + path.stem
    session.execute(f"DROP KEYSPACE IF EXISTS {name}")
    session.execute(f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    session.set_keyspace(name)


def compare(session, path):
    """What differs, as text; empty when nothing does."""
    open_keyspace(session, path)
    wrong = []
    for _, statement, want in pieces(path):
        got = run(session, statement)
        if not same(got, want):
            wrong.append("\n".join([statement, "  expected:", *want, "  got:", *got]))
    return "\n\n".join(wrong)


def write(session, path):
    open_keyspace(session, path)
    out = []
    for before, statement, _ in pieces(path):
        out += [*before, statement, *run(session, statement)]
    path.write_text("\n".join(out) + "\n", encoding="utf-8")


def main():
    logging.disable(logging.CRITICAL)
    args = sys.argv[1:]
    writes = args[0] == "--write"
    address, *files = args[writes:]
    cluster, session = connect(address.rsplit(":", 1))
    failed = 0
    for name in files:
        if writes:
            write(session, Path(name))
            continue
        wrong = compare(session, Path(name))
        failed += bool(wrong)
        print(f"{name}: {'ok' if not wrong else wrong}")
    cluster.shutdown()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
