"""What surrounds the commands: help, man page, settings, completion in real shells."""
import json
import os
import shutil
import subprocess

import pytest

from millrace import BINARY, Millrace, millrace

NOUNS = {
    "topic": ["list", "create", "delete", "describe"], "group": ["list", "describe"],
    "query": ["list", "progress", "stop", "start", "forget"], "dlq": ["list", "show"],
    "dag": ["list", "trigger", "pause", "unpause", "runs", "logs"],
}
COMMANDS = ["run", "sql", "status", "produce", "consume", "cql", "config", "simulate", "docs", "completion"]


@pytest.mark.parametrize("command", [[c] for c in COMMANDS] + [[n, v] for n in NOUNS for v in NOUNS[n]])
def test_help_has_an_example(command):
    for flag in ("--help", "-h"):
        code, out, err = millrace(*command, flag)
        assert code == 0 and err == ""
        assert out.startswith("Usage: millrace " + " ".join(command)) and "Example:\n  " in out
        assert "-h, --help" in out


@pytest.mark.parametrize("noun", NOUNS)
def test_nouns_list_their_verbs(noun):
    code, out, _ = millrace(noun, "--help")
    assert code == 0 and all(f"\n  {verb} " in out for verb in NOUNS[noun])
    code, out, err = millrace(noun)
    assert code == 2 and out == "" and f"Usage: millrace {noun} VERB" in err
    code, _, err = millrace(noun, "lsit")
    assert code == 2 and f'there is no command "{noun} lsit"' in err
    code, _, err = millrace(noun, "qqqqqqqq")
    assert code == 2 and f"millrace {noun} --help lists them" in err


@pytest.mark.parametrize("typo, meant", [("topci", "topic"), ("consum", "consume"), ("produse", "produce")])
def test_nearest(typo, meant):
    assert f'did you mean "{meant}"?' in millrace(typo)[2]
    assert 'did you mean "dag trigger"?' in millrace("dag", "triger")[2]
    assert "did you mean --partitions?" in millrace("topic", "create", "x", "--partition", "1")[2]


def test_docs_of_commands():
    code, out, _ = millrace("docs", "commands")
    assert code == 0 and all(f"| `millrace {n} {v}` |" in out for n in NOUNS for v in NOUNS[n])
    assert "### `millrace topic list" in millrace("docs", "commands", "topic")[1]
    assert millrace("docs", "commands", "nothing")[0] == 2


def test_man_page(folder):
    code, out, _ = millrace("docs", "man")
    assert code == 0 and out.startswith(".TH MILLRACE 1")
    (folder / "millrace.1").write_text(out)
    for noun, verbs in NOUNS.items():
        for verb in verbs:
            assert f'.SS "{noun} {verb}"' in out
    if shutil.which("man"):
        shown = subprocess.run(["man", "--warnings", "-l", folder / "millrace.1"], capture_output=True, text=True,
                               env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        assert shown.returncode == 0 and shown.stderr == "" and "EXIT STATUS" in shown.stdout


def test_config_says_where_from(folder):
    (folder / "millrace.yaml").write_text("kafka:\n  listen: 127.0.0.1:1\ndurability: relaxed\n")
    code, out, err = millrace("config", folder, "--cql-listen", "127.0.0.1:2", "-o", "json",
                              env={"MILLRACE_HTTP_LISTEN": "127.0.0.1:3", "MILLRACE_DATA_DIR": ""})
    assert code == 0, err
    found = {row["setting"]: (row["value"], row["from"]) for row in map(json.loads, out.splitlines())}
    assert found["kafka.listen"] == ("127.0.0.1:1", f"{folder}/millrace.yaml:2")
    assert found["durability"] == ("relaxed", f"{folder}/millrace.yaml:3")
    assert found["cql.listen"] == ("127.0.0.1:2", "--cql-listen")
    assert found["http.listen"] == ("127.0.0.1:3", "MILLRACE_HTTP_LISTEN")
    assert found["security"] == ("closed", "default")
    code, out, _ = millrace("config", folder)
    assert code == 0 and out.splitlines()[0].split() == ["setting", "value", "from"]
    code, _, err = millrace("config", folder / "none")
    assert code == 2 and "there is no folder" in err
    (folder / "millrace.yaml").write_text("kafka:\n  lisen: x\n")
    code, _, err = millrace("config", folder)
    assert code == 3 and 'millrace.yaml:2: unknown setting "kafka.lisen"' in err


def test_data_dir_from_the_environment_or_a_project(folder):
    with Millrace(project=folder, data_dir=folder / ".millrace"):
        assert millrace("status", "--data-dir", folder)[0] == 0
        assert millrace("status", env={"MILLRACE_DATA_DIR": str(folder)})[0] == 0
        assert millrace("topic", "list", cwd=folder)[0] == 0


# ---- completion ----

def candidates(*words, data_dir):
    code, out, _ = millrace("completion", "candidates", "--", *words, env={"MILLRACE_DATA_DIR": str(data_dir)})
    assert code == 0
    return [line.split("\t")[0] for line in out.splitlines()]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    data = tmp_path_factory.mktemp("completion") / "data"
    with Millrace(data_dir=data):
        assert millrace("topic", "create", "people", "places", "--data-dir", data)[0] == 0
        assert millrace("consume", "people", "-G", "readers", "-e", "--data-dir", data)[0] == 0
        yield data


@pytest.mark.parametrize("words, expect", [
    (["con"], ["consume", "config"]),
    (["topic", ""], NOUNS["topic"]),
    (["topic", "describe", ""], ["people", "places"]),
    (["topic", "describe", "--all", "pe"], ["people"]),
    (["topic", "describe", "_"], ["__consumer_offsets"]),
    (["topic", "delete", "people", "pl"], ["places"]),
    (["consume", "people", "--output", ""], ["text", "table", "json"]),
    (["consume", "people", "-o", "j"], ["json"]),
    (["consume", "people", "--output", "=", "t"], ["text", "table"]),
    (["consume", "people", "--fr"], ["--from"]),
    (["consume", "people", ""], []),
    (["produce", "people", ""], []),
    (["cql", "-f", ""], []),
    (["group", "describe", ""], ["readers"]),
    (["query", "stop", ""], []),
    (["dag", "trigger", ""], []),
    (["completion", ""], ["bash", "zsh", "fish"]),
    (["nothing", ""], []),
    (["--v"], ["--version"]),
])
def test_candidates(running, words, expect):
    assert candidates(*words, data_dir=running) == expect


def shell(name, script, data_dir):
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    bin_dir = data_dir.parent / "bin"
    if not bin_dir.exists():
        bin_dir.mkdir()
        (bin_dir / "millrace").symlink_to(BINARY)
    env = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}", "MILLRACE_DATA_DIR": str(data_dir)}
    options = ["-f"] if name == "zsh" else []
    run = subprocess.run([name, *options, "-c", script], capture_output=True, text=True, env=env)
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_bash(running):
    assert shell("bash", """
        source <(millrace completion bash)
        complete -p millrace > /dev/null
        ask() { COMP_WORDS=(millrace "$@"); COMP_CWORD=$#; _millrace; echo "${COMPREPLY[@]}"; }
        ask topic de; ask topic describe pe; ask consume people --output ''""", running) == [
            "delete", "describe", "people", "text", "table", "json"]


def test_zsh(running):
    # Outside of its line editor zsh can't complete, so what it would be told is printed.
    assert shell("zsh", """
        autoload -U compinit; compinit -u -D
        source <(millrace completion zsh)
        [[ $_comps[millrace] == _millrace ]] || exit 1
        _describe() { shift 2; print -rl -- ${${(@P)1}%%:*}; }
        _files() { print FILES; }
        ask() { words=(millrace "$@"); CURRENT=$#words; _millrace; }
        ask topic de; ask topic describe pe; ask cql -f ''""", running) == ["delete", "describe", "people", "FILES"]


def test_fish(running):
    found = shell("fish", """
        millrace completion fish | source
        complete -C 'millrace topic de' | string split -f1 \\t
        complete -C 'millrace topic describe pe' | string split -f1 \\t""", running)
    assert sorted(found) == ["delete", "describe", "people"]
