"""Generation files, one a system -> study items: every pair of systems under every prompt they all answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from assay.errors import InputError
from assay.policies.answer_files import RecordedAnswer, read_answers
from assay.policies.protocol import EMPTY
from assay.policies.row_fields import quoted
from assay.records import Text, Where, plain_text
from assay.stats.unknown import Unknown
from assay.study.config import StudyConfig
from assay.study.plan.usable_items import usable
from assay.study.study_records import Item, SetAside

EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One row of a generation file."""

    prompt_id: str | None
    prompt: Text
    answer: str
    category: str | None
    where: Where


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemAnswers:
    """One system's answers, by their key (id where every row has one, prompt text otherwise)."""

    system: str
    answers: tuple[Answer, ...]
    has_ids: bool

    def by_key(self, *, by_id: bool) -> dict[str, Answer]:
        found: dict[str, Answer] = {}
        for row in self.answers:
            key = (row.prompt_id or "") if by_id else plain_text(row.prompt)
            if key in found:
                raise InputError(
                    f"{row.where}: the prompt {quoted(key)} was answered already in line {found[key].where.line}. "
                    "Keep one answer a prompt in each file."
                )
            found[key] = row
        return found


def read_generations(path: Path, *, system: str | None = None) -> SystemAnswers:
    """One generation file. The system's name: as given, else the rows' `system`, else the file's name.

    Raises InputError with file, line and field.
    """
    file = read_answers(path, system=system)
    return SystemAnswers(system=file.system, answers=tuple(map(_answer, file.answers)), has_ids=file.has_ids)


def items_from_generations(files: Sequence[SystemAnswers], *, config: StudyConfig) -> tuple[list[Item], list[SetAside]]:
    """Every pair of systems under every prompt. Raises InputError where the files do not fit together."""
    if len(files) < 2:
        raise InputError("A study compares at least two generation files; one was given.")
    names = [file.system for file in files]
    if len(set(names)) < len(names):
        raise InputError(f"Two files have the same system name ({', '.join(names)}). Name them with --name.")
    by_id = all(file.has_ids for file in files)
    tables = [file.by_key(by_id=by_id) for file in files]
    aside = _unmatched(tables, names, by_id=by_id, config=config)
    skipped = {entry.prompt_id for entry in aside}
    items: list[Item] = []
    for number, key in enumerate(key for key in tables[0] if key not in skipped):
        rows = [table[key] for table in tables]
        _same_prompt(rows)
        prompt_id = key if by_id else f"prompt-{number + 1}"
        for a, b in combinations(range(len(files)), 2):
            items.append(
                Item(
                    id=f"item-{len(items) + 1}",
                    prompt_id=prompt_id,
                    prompt=rows[0].prompt,
                    answer_a=rows[a].answer,
                    answer_b=rows[b].answer,
                    system_a=names[a],
                    system_b=names[b],
                    category=rows[0].category,
                )
            )
    return usable(items, aside, config=config)


def _unmatched(
    tables: Sequence[Mapping[str, Answer]], names: Sequence[str], *, by_id: bool, config: StudyConfig
) -> list[SetAside]:
    every = list(dict.fromkeys(key for table in tables for key in table))
    aside = []
    for key in every:
        missing = [name for name, table in zip(names, tables, strict=True) if key not in table]
        if missing:
            detail = f"no answer by {', '.join(missing)}"
            aside.append(SetAside(prompt_id=key, reason="unmatched", detail=detail))
    if len(aside) == len(every):
        way = "ids" if by_id else "prompt texts"
        raise InputError(
            f"The files share no prompt at all (compared by {way}): "
            + "; ".join(f"{name} starts with {quoted(next(iter(t)))}" for name, t in zip(names, tables, strict=True))
            + ". Generate from the same prompt file."
        )
    if aside and config.unmatched == "refuse":
        shown = "; ".join(f"{quoted(entry.prompt_id)} ({entry.detail})" for entry in aside[:EXAMPLES])
        raise InputError(
            f"{len(aside)} of {len(every)} prompts are not in every file: {shown}"
            + ("; ..." if len(aside) > EXAMPLES else "")
            + ". Generate the missing answers, or leave these out with --set unmatched=set_aside."
        )
    return aside


def _same_prompt(rows: Sequence[Answer]) -> None:
    first = rows[0]
    for row in rows[1:]:
        if plain_text(row.prompt).strip() != plain_text(first.prompt).strip():
            raise InputError(
                f"{row.where}: prompt {quoted(row.prompt_id or '')} reads {quoted(plain_text(row.prompt))}, but in "
                f"{first.where} it reads {quoted(plain_text(first.prompt))}. The same id must be the same prompt."
            )


def _answer(row: RecordedAnswer) -> Answer:
    text = row.text
    if text == EMPTY:
        text = ""  # what the policy said, and not a failure: `usable` refuses it or sets it aside, as asked for
    if isinstance(text, Unknown):
        raise InputError(f"{row.where}: no answer ({text.reason}). Generate it again, or remove the row.")
    return Answer(prompt_id=row.prompt_id, prompt=row.prompt, answer=text, category=row.category, where=row.where)
