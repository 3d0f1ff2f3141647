"""A file of answers as candidates: all answers to one prompt together, for whoever scores them. Knows no scorer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from assay.data.sources.json_rows import json_objects
from assay.errors import InputError
from assay.policies.answer_files import ROW, RecordedAnswer, read_answers
from assay.records import Candidates

KINDS = frozenset({".jsonl", ".json", ".ndjson"})


def holds_answers(path: Path) -> bool:
    """Whether a file's first row is an answer as `assay generate` writes it."""
    if not path.is_file() or not KINDS & set(path.suffixes):
        return False
    try:
        first = list(islice(json_objects(path, holds=ROW), 1))
    except InputError:
        return False
    return any({"prompt", "answer", "made"} <= row.data.keys() for row in first)


def answer_candidates(path: Path) -> Iterator[Candidates]:
    """The answers of each prompt, in the order of the file; what has no answer is no candidate.

    Raises InputError with file and line for a row that cannot be read.
    """
    groups: dict[str, list[RecordedAnswer]] = {}
    for row in read_answers(path).answers:
        groups.setdefault(row.prompt_id or "", []).append(row)
    for prompt_id, rows in groups.items():
        texts = tuple(row.text for row in rows if isinstance(row.text, str) and row.text.strip())
        if texts:
            yield Candidates(
                id=prompt_id, prompt=rows[0].prompt, answers=texts, category=rows[0].category, where=rows[0].where
            )
