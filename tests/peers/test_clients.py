"""Clients of other languages, with their defaults, against millrace."""
import json
import shutil
import subprocess

from peers import HERE, jars, once, run


def test_franz_go(server):
    def build(folder):
        shutil.copytree(HERE / "franzgo", folder, dirs_exist_ok=True)
        run("go", "mod", "tidy", cwd=folder)
        run("go", "build", "-o", "client", ".", cwd=folder)
    lines = run(once("franz-go", build) / "client", server.kafka).splitlines()
    assert lines == [f"franz {n}" for n in range(100)]


def test_kafkajs(server):
    def install(folder):
        shutil.copytree(HERE / "kafkajs", folder, dirs_exist_ok=True)
        run("npm", "install", "--silent", "--no-audit", "--no-fund", cwd=folder)
    done = subprocess.run(["node", "main.js", server.kafka], cwd=once("kafkajs", install), capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split("\n")[:-1]) == sorted(f"js {n}" for n in range(100))
    committed = json.loads(done.stderr.splitlines()[-1])[0]["partitions"]
    assert sum(int(p["offset"]) for p in committed) == 100


def test_java_driver(server):
    lib = jars("java-driver-4.17.0", "com.datastax.oss:java-driver-core:4.17.0", "org.slf4j:slf4j-nop:1.7.36")
    host, port = server.cql
    told = run("java", "-cp", f"{lib}/*", HERE / "java" / "Driver.java", host, port, "datacenter1").splitlines()
    assert told[:50] == [f"{c} value {c} [a, b{c}] {{x={c}}}" for c in range(49, -1, -1)]
    assert any("CLUSTERING ORDER BY" in line for line in told) and told[-1] == "V5"
