"""The same pipeline with its log or its tables elsewhere (--kafka, --cassandra): the embedded parts stay out."""
import pytest

from cql_raw import Cql
from millrace import Millrace
from people_api import PeopleApi, people_500
from pipeline import check_tables, wait_for_people, write_project

KEYSPACE = "CREATE KEYSPACE spark_streaming WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
COLUMNS = ("gender text, location text, city text, country text, postcode %s, latitude float, longitude float,"
           " email text")
TABLES = (f"CREATE TABLE spark_streaming.random_names (full_name text PRIMARY KEY, {COLUMNS % 'int'})",
          f"CREATE TABLE spark_streaming.people (id text PRIMARY KEY, full_name text, {COLUMNS % 'text'})")


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
