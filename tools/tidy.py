#!/usr/bin/env python3
"""Holds the tree to its rules: arrows between rooms, lengths, documented headers, no dead files.

    tools/tidy.py [ROOT]      prints one line for each breach; exit status 1 when there is one
"""
import re
import subprocess
import sys
from pathlib import Path

# The rooms from the ground up.  A room may include itself and those that its row names.
BELOW = {
    "base": [],
    "net": ["base"],
    "data": ["base"],
    "http": ["base", "net"],
    "access": ["base"],
    "kafka": ["base"],
    "cql": ["base"],
    "log": ["base", "kafka"],
    "store": ["base", "cql"],
    "broker": ["base", "net", "access", "kafka", "log"],
    "tables": ["base", "net", "data", "access", "cql", "store"],
    "connectors": ["base", "net", "data", "http", "kafka", "cql"],
    "state": ["base"],
    "sql": ["base", "data", "connectors", "state"],
    "scheduler": ["base"],
    "simulate": ["base", "net", "http"],
    "console": ["base", "http"],
    "main": None,  # sees all
}
LINE_COLUMNS = 120
FUNCTION_LINES = 70
FILE_LINES = 1200
# Long tables are exempt from the length of files and functions, each for its reason.
TABLES = re.compile(r"src/simulate/names_\w+\.c$|\.(y|l)$")
INCLUDE = re.compile(r'^\s*#include\s+"([^"]+)"')
MARKER = "TO" + "DO"


def tracked(root):
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    out = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return [root / line for line in out.stdout.splitlines() if (root / line).is_file()]


def room_of(path, root):
    parts = path.relative_to(root).parts
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


def check_arrows(path, root, lines):
    """A room includes only rooms below it, and of other rooms only public headers."""
    room = room_of(path, root)
    if room is None:
        return
    if room not in BELOW:
        yield f"{path}:1: room {room} is not in tools/tidy.py's drawing"
        return
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found or "/" not in found[1]:
            continue
        other = found[1].split("/")[0]
        if other == room or other not in BELOW:
            continue
        if BELOW[room] is not None and other not in BELOW[room]:
            yield f"{path}:{number}: {room} may not include {found[1]}: the arrow points up"
        if found[1].endswith("_int.h"):
            yield f"{path}:{number}: {found[1]} is private to {other}"


def check_functions(path, lines):
    """No function longer than FUNCTION_LINES: from its opening brace in column one to its closing one."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start + 1 > FUNCTION_LINES:
                yield f"{path}:{start}: function of {number - start + 1} lines (at most {FUNCTION_LINES})"
            start = None


def check_lengths(path, lines):
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS:
            yield f"{path}:{number}: {len(line)} columns (at most {LINE_COLUMNS})"
        if MARKER in line:
            yield f"{path}:{number}: {MARKER}: make it an issue"
    if len(lines) > FILE_LINES:
        yield f"{path}:1: {len(lines)} lines (at most {FILE_LINES})"


PROTOTYPE = re.compile(r"^[A-Za-z_][\w\s\*]*\b(\w+)\([^;{]*(\)[^;{]*;|,|[^;{]*)$")


def check_prototypes(path, lines):
    """Every prototype of a public header has a comment: above its group, above it, or behind it."""
    previous = ""
    documented = False
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.endswith("*/") or text.startswith(("/*", "*")):
            documented = True
        elif not text:
            documented = False
        elif PROTOTYPE.match(line) and not line.startswith((" ", "#", "typedef", "static", "return")):
            inside = previous.endswith((",", "\\", "("))
            if not inside and not documented and "/*" not in line and "(*" not in line:
                yield f"{path}:{number}: prototype without a comment"
        previous = text


def check_built(root, files):
    """Every C file is named by some meson.build."""
    named = "\n".join(p.read_text() for p in files if p.name == "meson.build")
    stems = set(re.findall(r"[\w.\-/]+", named))
    for path in files:
        if path.suffix not in (".c", ".cc", ".y", ".l"):
            continue
        names = {path.name, path.stem, path.stem.removeprefix("test_"), path.stem.removeprefix("fuzz_")}
        if not names & stems:
            if not any(s.endswith("/" + path.name) for s in stems):
                yield f"{path}:1: nothing builds this file"


def check_readmes(root):
    for room in BELOW:
        folder = root / "src" / room
        if folder.is_dir() and not (folder / "README.md").is_file():
            yield f"{folder}:1: the room has no README.md"


def findings(root):
    files = tracked(root)
    for path in files:
        relative = path.relative_to(root).as_posix()
        if path.suffix not in (".c", ".h", ".cc", ".y", ".l", ".py") or relative.startswith("tests/data/"):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        if not TABLES.search(relative):
            yield from check_lengths(path, lines)
            if path.suffix in (".c", ".cc"):
                yield from check_functions(path, lines)
        yield from check_arrows(path, root, lines)
        if path.suffix == ".h" and relative.startswith("src/") and not path.name.endswith("_int.h"):
            yield from check_prototypes(path, lines)
    yield from check_built(root, files)
    yield from check_readmes(root)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = [f.replace(str(root) + "/", "") for f in findings(root)]
    for line in found:
        print(line)
    print(f"tidy: {len(found)} findings", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
