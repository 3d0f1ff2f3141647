"""Prompts that stand in a file of their own: JSON lines with a prompt each, or a text with one a line."""

from __future__ import annotations

from pathlib import Path

from assay.data.sources.json_rows import json_objects
from assay.errors import InputError
from assay.policies.row_fields import prompt_of
from assay.records import Text


def read_prompts(path: Path) -> list[Text]:
    """Distinct prompts in order. Raises InputError for a file that cannot be read or holds none."""
    if not path.is_file():
        raise InputError(f"{path}: no such file. Give a file of prompts, one a line, as text or as JSON.")
    if path.suffix == ".txt":
        found: list[Text] = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    else:
        rows = json_objects(path, holds='Prompts stand one a line, as {"prompt": ...}.')
        found = [prompt_of(row.data, row.where) for row in rows]
    if not found:
        raise InputError(f"{path} holds no prompt. Put one on each line.")
    return list(dict.fromkeys(found))
