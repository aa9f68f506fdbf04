#!/usr/bin/env python3
"""Writes files as a C table of bytes, to be served over HTTP.

    tools/embed.py OUT.h FILE...      index.html is served at /, the others at /NAME
"""
import sys
from pathlib import Path

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
         ".js": "text/javascript; charset=utf-8"}


def main(out, *files):
    rows, parts = [], ["/* Made by tools/embed.py. */\n#include <stddef.h>\n#include <stdint.h>\n"]
    for number, path in enumerate(map(Path, files)):
        data = path.read_bytes()
        lines = [", ".join(map(str, data[i:i + 24])) for i in range(0, len(data), 24)]
        parts.append(f"static const uint8_t asset_{number}[] = {{\n" + ",\n".join(lines) + "\n};\n")
        url = "/" if path.name == "index.html" else f"/{path.name}"
        rows.append(f'    {{ "{url}", "{TYPES[path.suffix]}", asset_{number}, sizeof(asset_{number}) }},\n')
    parts.append("static const struct asset {\n    const char *path;\n    const char *content_type;\n"
                 "    const uint8_t *data;\n    size_t size;\n} assets[] = {\n" + "".join(rows) + "};\n")
    Path(out).write_text("".join(parts))


if __name__ == "__main__":
    main(*sys.argv[1:])
