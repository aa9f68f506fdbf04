"""The same pipeline with its log or its tables elsewhere (--kafka, --cassandra): the embedded parts stay out."""
import json
import urllib.request

import pytest

from cql_raw import Cql
from millrace import Millrace, wait_until
from people_api import PeopleApi, people_500
from pipeline import check_tables, wait_for_people, write_project

KEYSPACE = "CREATE KEYSPACE spark_streaming WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
COLUMNS = ("gender text, location text, city text, country text, postcode %s, latitude float, longitude float,"
           " email text")
TABLES = (f"CREATE TABLE spark_streaming.random_names (full_name text PRIMARY KEY, {COLUMNS % 'int'})",
          f"CREATE TABLE spark_streaming.people (id text PRIMARY KEY, full_name text, {COLUMNS % 'text'})")


def queries(server):
    with urllib.request.urlopen(server.http + "/api/queries", timeout=30) as answer:
        return json.load(answer)["queries"]


def test_table_is_missing(folder, data_dir):
    """A table that nobody made there: the query says with which statements to make it, and goes on after a start."""
    people = people_500()
    with Millrace() as elsewhere, PeopleApi(people) as api:
        cql = Cql(elsewhere.cql)
        write_project(folder, api.url, 50, 10)
        with Millrace("--cassandra", elsewhere.ready["cql"], project=folder, data_dir=data_dir) as server:

            def failed():
                (query,) = [q for q in queries(server) if q["name"] == "store_people"]
                return query if query["state"] == "failed" else None

            error = wait_until(failed, "the query fails")["error"]
            statements = [line.rstrip(";") for line in error.split("\n")[1:]]
            assert [s.split()[1] for s in statements] == ["KEYSPACE", "TABLE"], error
            for statement in (*statements, TABLES[0].replace("TABLE ", "TABLE IF NOT EXISTS "),
                              TABLES[1].replace("TABLE ", "TABLE IF NOT EXISTS ")):
                cql.query(statement)
            request = urllib.request.Request(f"{server.http}/api/queries/store_people/start", data=b"{}",
                                             headers={"Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=30).close()
            check_tables(*wait_for_people(elsewhere.cql, len(people)), people)


@pytest.mark.parametrize("external", [("kafka",), ("cassandra",), ("kafka", "cassandra")], ids="+".join)
def test_external(external, folder, data_dir):
    people = people_500()
    with Millrace() as elsewhere, PeopleApi(people) as api:
        cql = Cql(elsewhere.cql)
        for statement in (KEYSPACE, *TABLES):       # an external Cassandra's tables are its owner's to make
            cql.query(statement)
        write_project(folder, api.url, 50, 10)
        arguments = {"kafka": elsewhere.ready["kafka"], "cassandra": elsewhere.ready["cql"]}
        flags = [f"--{part}={arguments[part]}" for part in external]
        with Millrace(*flags, project=folder, data_dir=data_dir) as server:
            assert ("kafka" in external) == (server.ready["kafka"] == elsewhere.ready["kafka"])
            assert ("cassandra" in external) == (server.ready["cql"] == elsewhere.ready["cql"])
            target = elsewhere if "cassandra" in external else server
            check_tables(*wait_for_people(target.cql, len(people)), people)
