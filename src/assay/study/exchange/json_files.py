"""JSON arrays and JSON lines that other tools wrote. Knows no tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from assay.errors import InputError


def json_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON array or of JSON lines. Raises InputError for anything else."""
    try:
        raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf").strip()
        if raw.startswith(b"["):
            rows = orjson.loads(raw)
        else:
            rows = [orjson.loads(line) for line in raw.split(b"\n") if line.strip()]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}: no JSON, or cut off ({error}). Export it again.") from None
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path}: expected a JSON array, or lines, of objects; found none. Export it again.")
    return list(rows)
