"""Answers in a file as a Policy: each prompt gets what is recorded under its id, or under its text in a file without.

The answers are what they are: sampling that is asked for changes nothing, and `Made` says how they were made where the
file does. Knows ids and texts; knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from assay.artifacts.files import sha256_file
from assay.errors import InputError
from assay.policies.answer_files import AnswerFile, RecordedAnswer, read_answers
from assay.policies.protocol import Generation, Generations, Made, Prompt, Sampling
from assay.policies.row_fields import quoted
from assay.records import plain_text
from assay.stats.unknown import Unknown


class RecordedPolicy:
    """Gives the first n answers recorded for each prompt; where there are fewer, the rest say so."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).expanduser()
        if not self.path.is_file():
            raise InputError(f"{self.path}: no such file. Give JSON lines, each a prompt and an answer.")

    @property
    def name(self) -> str:
        """The system's name as the file has it, or the file's own."""
        return self.file.system

    @cached_property
    def fingerprint(self) -> str:
        return sha256_file(self.path)

    @cached_property
    def file(self) -> AnswerFile:
        """All rows, read at first use."""
        return read_answers(self.path)

    def generate(self, prompts: Sequence[Prompt], n: int, sampling: Sampling) -> list[Generations]:
        """Raises InputError where an id stands for another prompt in the file than is asked."""
        return [self._answered(prompt, n) for prompt in prompts]

    @cached_property
    def _rows(self) -> Mapping[str, list[RecordedAnswer]]:
        found: dict[str, list[RecordedAnswer]] = {}
        for row in self.file.answers:
            rows = found.setdefault((row.prompt_id or "") if self.file.has_ids else plain_text(row.prompt), [])
            if rows and plain_text(row.prompt).strip() != plain_text(rows[0].prompt).strip():
                raise InputError(
                    f"{row.where}: prompt {quoted(row.prompt_id or '')} reads {quoted(plain_text(row.prompt))}, but in "
                    f"line {rows[0].where.line} it reads {quoted(plain_text(rows[0].prompt))}. The same id must be the "
                    "same prompt."
                )
            rows.append(row)
        return found

    def _answered(self, prompt: Prompt, n: int) -> Generations:
        rows = self._rows.get(prompt.id if self.file.has_ids else plain_text(prompt.text), [])
        if rows and plain_text(rows[0].prompt).strip() != plain_text(prompt.text).strip():
            raise InputError(
                f"{rows[0].where}: prompt {quoted(prompt.id)} reads {quoted(plain_text(rows[0].prompt))}, but asked is "
                f"{quoted(plain_text(prompt.text))}. Give the answers to the same prompts."
            )
        missing = Generation(text=Unknown(f"{self.path} has {len(rows) or 'no'} recorded answers to this prompt"))
        answers = [row.generation for row in rows[:n]]
        return Generations(
            prompt_id=prompt.id,
            prompt=prompt.text,
            answers=(*answers, *[missing] * (n - len(answers))),
            made=self._made(rows[:n]),
        )

    def _made(self, rows: Sequence[RecordedAnswer]) -> Made:
        stated = {row.made for row in rows}
        first = next(iter(stated), None)
        if first is not None and len(stated) == 1:
            return first
        why = Unknown(f"{self.path} {'tells several' if len(stated) > 1 else 'does not say'}")
        return Made(policy=self.name, fingerprint=self.fingerprint, template=why, sampling=why)
