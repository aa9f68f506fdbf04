"""gocql, unmodified, as Debian packages it: a Go program of a few lines, built here."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from millrace import DEADLINE_S

SOURCE = Path(__file__).parent / "gocql"
GOPATH = Path("/usr/share/gocode")

EXPECTED = """\
rows 2000 sum 1999000
pages 4
null true timestamp true double 1.5
absent true
error Undefined column name nope in table go.types
tables [t(k) types(id)]
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """script/setup --tests installs Go and gocql on Debian and Ubuntu; where there is no Debian there is no gocql."""
    go = shutil.which("go", path="/usr/bin:" + os.environ["PATH"])
    packaged = (GOPATH / "src/github.com/gocql/gocql").is_dir()
    if not (go and packaged) and not shutil.which("dpkg-query"):
        pytest.skip("gocql comes from Debian's packages")
    assert go and packaged, "golang-go or golang-github-gocql-gocql-dev is missing: script/setup --tests"
    folder = tmp_path_factory.mktemp("gocql")
    env = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(folder / "cache"),
           "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    subprocess.run([go, "build", "-o", str(folder / "client"), "."], cwd=SOURCE, env=env, check=True,
                   timeout=DEADLINE_S * 5)
    return folder / "client"


@pytest.mark.parametrize("version", ["3", "4"])
@pytest.mark.parametrize("compression", ["none", "snappy", "lz4"])
def test_gocql(server, program, version, compression):
    host, port = server.cql
    done = subprocess.run([str(program), f"{host}:{port}", version, compression], capture_output=True, text=True,
                          timeout=DEADLINE_S * 2)
    assert done.returncode == 0, done.stderr
    assert done.stdout == EXPECTED
