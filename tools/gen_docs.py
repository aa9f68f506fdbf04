#!/usr/bin/env python3
"""Holds the tables in docs/ to what the program says of itself.

    tools/gen_docs.py PROGRAM [ROOT]            prints where they differ; exit status 1 when one does
    tools/gen_docs.py --write PROGRAM [ROOT]    writes them

A table stands between two lines: <!-- generated: millrace docs WORDS --> and <!-- end -->.
"""
import re
import subprocess
import sys
from pathlib import Path

PART = re.compile(r"(<!-- generated: millrace (docs [a-z ]+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def printed(program, words):
    return subprocess.run([program, *words.split()], check=True, capture_output=True, text=True).stdout


def generated(program, text):
    """TEXT with every generated part as PROGRAM prints it, and the words of those that differed."""
    stale = []

    def replace(match):
        now = printed(program, match[2])
        if match[3] != now:
            stale.append(match[2])
        return match[1] + now + match[4]

    return PART.sub(replace, text), stale


def main():
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    write = "--write" in sys.argv
    if not arguments:
        sys.exit(__doc__)
    root = Path(arguments[1] if len(arguments) > 1 else ".")
    parts = 0
    failed = False
    for path in sorted((root / "docs").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        parts += len(PART.findall(text))
        if text.count("<!-- generated:") != len(PART.findall(text)):
            print(f"{path.name}: a generated part has no <!-- end --> or asks for no table of millrace docs")
            failed = True
        fresh, stale = generated(arguments[0], text)
        for words in stale:
            print(f"docs/{path.name}: millrace {words} prints something else: tools/gen_docs.py --write PROGRAM")
        if stale and write:
            path.write_text(fresh, encoding="utf-8")
        failed = failed or (bool(stale) and not write)
    if parts == 0:
        print("no generated parts found in docs/")
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
