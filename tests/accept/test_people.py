"""Real people, in the API's own pages, end in both tables; only namesakes are lost, as the article's key says."""
import pytest

from millrace import Millrace
from people_api import PeopleApi, people_500, people_all
from pipeline import check_tables, wait_for_people, write_project


def run_people(people, results, folder, data_dir):
    pages = len(people) // results
    with PeopleApi(people) as api:
        write_project(folder, api.url, results, pages)
        with Millrace(project=folder, data_dir=data_dir) as server:
            found = wait_for_people(server.cql, len(people))
        check_tables(*found, people)
        assert sorted(api.requests) == list(range(1, pages + 1))    # each page was asked for once
    return found


def test_the_excerpt(folder, data_dir):
    run_people(people_500(), 50, folder, data_dir)


@pytest.mark.slow
def test_all_recorded_people(folder, data_dir):
    people = people_all()
    people_rows, names_rows = run_people(people, 500, folder, data_dir)
    if len(people) == 20000:
        assert (len(people_rows), len(names_rows)) == (20000, 19594)
        assert sum(1 for row in names_rows.values() if row[4] is None) > 1800   # alphanumeric postcodes


def test_a_finished_scan_stays_finished(folder, data_dir):
    people = people_500()
    with PeopleApi(people) as api:
        write_project(folder, api.url, 100, 5)
        for _ in range(2):
            with Millrace(project=folder, data_dir=data_dir) as server:
                check_tables(*wait_for_people(server.cql, len(people)), people)
        assert sorted(api.requests) == [1, 2, 3, 4, 5]
