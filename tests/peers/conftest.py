import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "accept")]

from millrace import Millrace, fresh_dir, remove  # noqa: E402


@pytest.fixture(scope="module")
def server():
    with Millrace() as running:
        yield running


@pytest.fixture
def folder():
    path = fresh_dir("millrace-peers-")
    yield path
    remove(path)
