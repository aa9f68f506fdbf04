"""The program under test as an object: started, waited for by its own ready line, stopped, killed."""
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("MILLRACE_BIN", ROOT / "build" / "millrace")).resolve()
SANITIZED = bool(os.environ.get("MILLRACE_SANITIZED"))
# Everything waits for a fact; this is when a fact counts as not coming (the machine may be slow, a sanitizer slower).
DEADLINE_S = 60 * (4 if SANITIZED else 1)


def wait_until(fact, what, deadline_s=DEADLINE_S, pause_s=0.02):
    """Returns fact()'s first true value."""
    end = time.monotonic() + deadline_s
    while True:
        value = fact()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"in {deadline_s} s it did not come true: {what}")
        select.select([], [], [], pause_s)


class Millrace:
    """One running server.  Arguments are added to `millrace run`."""

    def __init__(self, *args, data_dir=None, env=None, project=None, ports=True):
        self.args = [str(a) for a in args]
        self.data_dir = Path(data_dir) if data_dir else None
        self.env = {**os.environ, **(env or {})}
        self.project = [str(project)] if project else []
        self.ports = ports
        self.process = None
        self.ready = None
        self.log = None

    def command(self, ready_fd):
        where = ["--data-dir", str(self.data_dir)] if self.data_dir else ["--ephemeral"]
        listen = []
        if self.ports and self.data_dir:
            listen = [f"--{part}-listen=127.0.0.1:0" for part in ("kafka", "cql", "http")]
        return [str(BINARY), "run", *self.project, *where, *listen, "--ready-fd", str(ready_fd), *self.args]

    def start(self, wait=True):
        read_end, write_end = os.pipe()
        self.log = tempfile.NamedTemporaryFile("w+", prefix="millrace-", suffix=".log")
        self.process = subprocess.Popen(self.command(write_end), env=self.env, pass_fds=[write_end],
                                        stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        os.close(write_end)
        with os.fdopen(read_end) as ready:
            if wait:
                found, _, _ = select.select([ready], [], [], DEADLINE_S)
                line = ready.readline() if found else ""
                if not line:
                    self.process.kill() if not found else None
                    self.process.wait()
                    raise AssertionError(f"not ready; exit {self.process.returncode}; it printed:\n{self.output()}")
                self.ready = json.loads(line)
        return self

    @property
    def kafka(self):
        return self.ready["kafka"]

    @property
    def cql(self):
        host, _, port = self.ready["cql"].rpartition(":")
        return host, int(port)

    @property
    def http(self):
        return "http://" + self.ready["http"]

    def output(self):
        self.log.flush()
        return Path(self.log.name).read_text(errors="replace")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """SIGTERM; it must end by itself, cleanly."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(DEADLINE_S)
        assert self.process.returncode == 0, f"exit {self.process.returncode}; it printed:\n{self.output()}"

    def kill(self):
        if self.alive():
            self.process.kill()
        if self.process:
            self.process.wait()

    def memory_kib(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            print(self.output()[-8000:])
            self.kill()


def millrace(*args, timeout=DEADLINE_S, env=None, text_input=None, cwd=None):
    """Runs one command to its end: (exit code, standard output, standard error)."""
    done = subprocess.run([str(BINARY), *map(str, args)], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})}, input=text_input, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


def fresh_dir(prefix="millrace-test-"):
    return Path(tempfile.mkdtemp(prefix=prefix))


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
