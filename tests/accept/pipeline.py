"""The example's pipeline, pointed at a test's API, and what its tables must hold."""
import re
import textwrap
import time
from pathlib import Path

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster
from cassandra.policies import RoundRobinPolicy

from millrace import DEADLINE_S, ROOT, wait_until
from people_api import full_name

EXAMPLE = ROOT / "examples" / "random_names"


def connect(address, user="cassandra", password="cassandra", **options):
    host, port = address
    return Cluster([host], port=port, auth_provider=PlainTextAuthProvider(user, password), protocol_version=4,
                   load_balancing_policy=RoundRobinPolicy(), connect_timeout=DEADLINE_S, **options)


def task_sql():
    """The statement of the example's DAG."""
    dag = (EXAMPLE / "dags" / "random_people_names.yaml").read_text(encoding="utf-8")
    return textwrap.dedent(re.search(r"\n    sql: \|\n(.*)", dag, re.S)[1])


def write_project(folder, url, results, pages, interval="0 ms"):
    """The example itself, with the API's address and paging of a test: RESULTS people a page, PAGES pages.  What its
    DAG does once a night is a query here, fetch_people, that ends with the last page."""
    text = (EXAMPLE / "pipelines" / "random_names.sql").read_text(encoding="utf-8")
    options = (f"'url' = '{url}?results={results}',\n    'page.parameter' = 'page',\n    'page.max' = '{pages}',\n"
               f"    'scan.interval' = '{interval}'")
    text, urls = re.subn(r"'url' = '[^']*'", lambda _: options, text)
    text, intervals = re.subn(r",\s*'scan\.interval' = '10 s',\s*'scan\.duration' = '2 min'", "", text)
    assert urls == 1 and intervals == 1
    target = Path(folder) / "pipelines"
    target.mkdir(parents=True, exist_ok=True)
    text += f"\nSET 'pipeline.name' = 'fetch_people';\n\n{task_sql()}"
    (target / "random_names.sql").write_text(text, encoding="utf-8")
    return folder


def expected_people(people):
    """id -> row of the table that loses nobody; full name -> the rows of the article's table that may be there."""
    by_id, by_name = {}, {}
    for p in people:
        place = p["location"]
        street = place["street"]
        postcode = str(place["postcode"])
        base = (p["gender"], f"{street['number']}, {street['name']}", place["city"], place["country"])
        coordinates = (float(place["coordinates"]["latitude"]), float(place["coordinates"]["longitude"]))
        by_id[p["login"]["uuid"]] = (full_name(p), *base, postcode, *coordinates, p["email"])
        number = int(postcode) if re.fullmatch(r"\d+", postcode) else None
        by_name[full_name(p)] = (*base, number, *coordinates, p["email"])    # the last one wins
    return by_id, by_name


def close(a, b):
    return abs(a - b) < 1e-3


def same_row(got, want):
    if len(got) != len(want):
        return False
    return all(close(g, w) if isinstance(w, float) and g is not None else g == w for g, w in zip(got, want))


FIELDS = "full_name, gender, location, city, country, postcode, latitude, longitude, email"
PEOPLE = f"SELECT id, {FIELDS} FROM spark_streaming.people"
NAMES = f"SELECT {FIELDS} FROM spark_streaming.random_names"


def read_table(session, query):
    session.default_fetch_size = 5000
    return {row[0]: tuple(row)[1:] for row in session.execute(query, timeout=DEADLINE_S)}


def wait_for_people(address, count, deadline_s=300):
    """Connects and waits until the table that loses nobody has COUNT rows; returns (people, names)."""
    cluster = connect(address)
    try:
        session = cluster.connect()
        end = time.monotonic() + deadline_s

        def there():
            try:
                counted = session.execute("SELECT COUNT(*) FROM spark_streaming.people", timeout=DEADLINE_S)
                return counted.one()[0] >= count
            except Exception as error:  # the table is made by the pipeline: it may not be there yet
                if "not exist" not in str(error):
                    raise
                return False

        wait_until(there, f"{count} people in the table", max(1, end - time.monotonic()), 0.2)
        return read_table(session, PEOPLE), read_table(session, NAMES)
    finally:
        cluster.shutdown()


def check_tables(people_rows, names_rows, people):
    by_id, by_name = expected_people(people)
    assert set(people_rows) == set(by_id)
    wrong = [(key, people_rows[key], want) for key, want in by_id.items() if not same_row(people_rows[key], want)]
    assert not wrong, f"{len(wrong)} rows of people differ, such as {wrong[0]}"
    assert set(names_rows) == set(by_name)
    wrong = [(key, names_rows[key], want) for key, want in by_name.items() if not same_row(names_rows[key], want)]
    assert not wrong, f"{len(wrong)} rows of random_names differ, such as {wrong[0]}"
