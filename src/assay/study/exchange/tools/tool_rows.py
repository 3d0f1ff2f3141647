"""The rows of a file that a tool wrote, JSON array or JSON lines; a file without any is an error."""

from __future__ import annotations

from pathlib import Path

from assay.data.sources.json_rows import json_objects
from assay.data.sources.row import Row
from assay.errors import InputError

OBJECTS = "Expected a JSON array, or lines, of objects. Export it again."


def tool_rows(path: Path) -> list[Row]:
    """Raises InputError for a file that is no such file, or holds nothing."""
    rows = list(json_objects(path, holds=OBJECTS))
    if not rows:
        raise InputError(f"{path}: holds no row. {OBJECTS}")
    return rows
