"""Answers in a folder of parts: rows of `assay generate`, JSON lines. Knows prompts and answers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

from assay.artifacts.files import dumps
from assay.bulk.parts_folder import PartsFolder
from assay.errors import InputError
from assay.policies.answer_files import OneAnswer, answer_row, read_numbered
from assay.policies.one_by_one import Asked
from assay.policies.protocol import Generation, Made
from assay.records import to_json


class AnswerParts:
    """Blocks of answers that `made` made, by number: see PartsFolder for what is raised."""

    def __init__(self, parts: PartsFolder, made: Made) -> None:
        self._parts, self._made = parts, made

    def read(self, number: int, asked: Sequence[Asked]) -> dict[int, Generation] | None:
        """Each answer of a block, by place; None where there is no whole part of it."""
        body = self._parts.read(number, self._digest(asked))
        if body is None:
            return None
        with tempfile.TemporaryDirectory(prefix="assay-part-") as folder:
            path = Path(folder) / "part.jsonl"
            path.write_bytes(body)
            try:
                found = read_numbered(path) or []
            except InputError:
                return None  # written by another version: asking the policy again is always right
        if [one.key for one in found] != [(one.prompt.id, one.number) for one in asked]:
            return None
        return {place: one.generation for place, one in enumerate(found)}

    def write(self, number: int, asked: Sequence[Asked], answers: Mapping[int, Generation]) -> None:
        rows = (
            answer_row(
                OneAnswer(
                    prompt_id=one.prompt.id, prompt=one.prompt.text, number=one.number, generation=answers[place],
                    made=self._made,
                ),
                category=one.prompt.category,
            )
            for place, one in enumerate(asked)
        )  # fmt: skip
        self._parts.write(number, self._digest(asked), b"".join(dumps(row) + b"\n" for row in rows))

    def _digest(self, asked: Sequence[Asked]) -> str:
        said = [[one.prompt.id, to_json(one.prompt.text), one.prompt.category, one.number] for one in asked]
        return blake2b(dumps([self._made, said]), digest_size=16).hexdigest()
