import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from millrace import Millrace, fresh_dir, remove  # noqa: E402


@pytest.fixture(scope="module")
def server():
    """A server of its own for the tests of one file: nothing but the servers, a temporary data directory."""
    with Millrace() as running:
        yield running


@pytest.fixture
def data_dir():
    path = fresh_dir()
    yield path / "data"
    remove(path)


@pytest.fixture
def folder():
    path = fresh_dir()
    yield path
    remove(path)
