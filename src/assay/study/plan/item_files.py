"""Generation files and pair files become study items. Knows files and fields; knows no plan and no database."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson

from assay.errors import InputError
from assay.records import Message, Text, Where, plain_text
from assay.study.config import StudyConfig
from assay.study.study_records import Item, SetAside

ID_FIELDS = ("prompt_id", "id")
PROMPT_FIELDS = ("prompt", "instruction", "question")
ANSWER_FIELDS = ("answer", "completion", "response", "output", "generation")
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
class Generations:
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
                    f"{row.where}: the prompt {_short(key)} was answered already in line {found[key].where.line}. "
                    "Keep one answer a prompt in each file."
                )
            found[key] = row
        return found


def read_generations(path: Path, *, system: str | None = None) -> Generations:
    """One generation file. The system's name: as given, else the rows' `system`, else the file's name.

    Raises InputError with file, line and field.
    """
    rows = list(_json_lines(path))
    answers = tuple(_answer(row, where) for row, where in rows)
    if not answers:
        raise InputError(f"{path}: no rows. Expected one JSON object a line with a prompt and an answer.")
    named = {str(row["system"]) for row, _ in rows if row.get("system")}
    if system is None and len(named) > 1:
        raise InputError(f"{path}: rows of several systems ({', '.join(sorted(named))}). Give one file a system.")
    return Generations(
        system=system or (named.pop() if named else path.stem),
        answers=answers,
        has_ids=all(row.prompt_id is not None for row in answers),
    )


def items_from_generations(files: Sequence[Generations], *, config: StudyConfig) -> tuple[list[Item], list[SetAside]]:
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
    return _usable(_named_by_prompt(items), aside, config=config)


def items_from_pairs(path: Path, *, config: StudyConfig) -> tuple[list[Item], list[SetAside]]:
    """Any pairs: prompt with answer_a and answer_b (and system_a, system_b), or with chosen and rejected.

    Rows with the same prompt share the first one's prompt id.
    """
    items: list[Item] = []
    for row, where in _json_lines(path):
        if "chosen" in row and "rejected" in row:
            fields, systems = ("chosen", "rejected"), ("chosen", "rejected")
        else:
            fields = ("answer_a", "answer_b")
            systems = (str(row.get("system_a") or "a"), str(row.get("system_b") or "b"))
        prompt_id = _field(row, ID_FIELDS)
        items.append(
            Item(
                id=f"item-{len(items) + 1}",
                prompt_id=str(prompt_id) if prompt_id is not None else f"prompt-{len(items) + 1}",
                prompt=_prompt(row, where),
                answer_a=_text(row, fields[:1], where),
                answer_b=_text(row, fields[1:], where),
                system_a=systems[0],
                system_b=systems[1],
                category=_category(row),
            )
        )
    if not items:
        raise InputError(f"{path}: no rows. Expected one JSON object a line with a prompt and two answers.")
    return _usable(_named_by_prompt(items), [], config=config)


def _named_by_prompt(items: Sequence[Item]) -> list[Item]:
    """One id for one prompt text, the first it has: votes on one prompt are alike, whatever the rows are called."""
    names: dict[str, str] = {}
    return [
        replace(item, prompt_id=names.setdefault(plain_text(item.prompt).strip(), item.prompt_id)) for item in items
    ]


def read_attention(path: Path) -> list[Item]:
    """Attention items: prompt, good and bad."""
    items: list[Item] = []
    for row, where in _json_lines(path):
        number = len(items) + 1
        items.append(
            Item(
                id=f"attention-{number}",
                prompt_id=f"attention-{number}",
                prompt=_prompt(row, where),
                answer_a=_text(row, ("good",), where),
                answer_b=_text(row, ("bad",), where),
                system_a="good",
                system_b="bad",
                kind="attention",
                known="a",
            )
        )
    return items


def _usable(items: Iterable[Item], aside: list[SetAside], *, config: StudyConfig) -> tuple[list[Item], list[SetAside]]:
    kept: list[Item] = []
    refused: list[str] = []
    for item in items:
        found = _flaw(item, config)
        if found is None:
            kept.append(item)
        elif found[1] == "refuse":
            refused.append(f"prompt {_short(item.prompt_id)}: {found[0].detail}")
        else:
            aside.append(found[0])
    if refused:
        shown = "; ".join(refused[:EXAMPLES]) + ("; ..." if len(refused) > EXAMPLES else "")
        raise InputError(
            f"{len(refused)} of {len(refused) + len(kept)} pairs cannot be judged: {shown}. Mend the files, or leave "
            "these out, counted and named, with --set empty=set_aside (or identical=, for answers that are the same)."
        )
    if not kept:
        reasons = ", ".join(sorted({entry.reason for entry in aside}))
        raise InputError(f"Nothing left to judge: all {len(aside)} prompts were set aside ({reasons}).")
    return kept, aside


def _flaw(item: Item, config: StudyConfig) -> tuple[SetAside, str] | None:
    def aside(reason: Any, detail: str) -> SetAside:
        return SetAside(prompt_id=item.prompt_id, reason=reason, detail=detail)

    for system, answer in ((item.system_a, item.answer_a), (item.system_b, item.answer_b)):
        if not answer.strip():
            return aside("empty", f"the answer of {system} has no text"), config.empty
        if len(answer) > config.longest_answer:
            detail = f"the answer of {system} has {len(answer):,} characters (longest_answer={config.longest_answer:,})"
            return aside("too_long", detail), config.empty
    if item.answer_a.strip() == item.answer_b.strip():
        detail = f"{item.system_a} and {item.system_b} gave the same answer: a tie by construction"
        return aside("identical", detail), config.identical
    return None


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
            + "; ".join(f"{name} starts with {_short(next(iter(t)))}" for name, t in zip(names, tables, strict=True))
            + ". Generate from the same prompt file."
        )
    if aside and config.unmatched == "refuse":
        shown = "; ".join(f"{_short(entry.prompt_id)} ({entry.detail})" for entry in aside[:EXAMPLES])
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
                f"{row.where}: prompt {_short(row.prompt_id or '')} reads {_short(plain_text(row.prompt))}, but in "
                f"{first.where} it reads {_short(plain_text(first.prompt))}. The same id must be the same prompt."
            )


def _json_lines(path: Path) -> Iterator[tuple[dict[str, Any], Where]]:
    try:
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Give a JSONL file.") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = Where(str(path), number)
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{where}: not JSON ({error}). Expected one JSON object a line.") from None
        if not isinstance(row, dict):
            raise InputError(
                f"{where}: a JSON {type(row).__name__}, not an object with a prompt and an answer. Write one "
                "JSON object a line (JSON lines)."
            )
        yield row, where


def _answer(row: Mapping[str, Any], where: Where) -> Answer:
    prompt_id = _field(row, ID_FIELDS)
    return Answer(
        prompt_id=None if prompt_id is None else str(prompt_id),
        prompt=_prompt(row, where),
        answer=_text(row, ANSWER_FIELDS, where),
        category=_category(row),
        where=where,
    )


def _field(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _category(row: Mapping[str, Any]) -> str | None:
    value = row.get("category")
    return None if value is None else str(value)


def _prompt(row: Mapping[str, Any], where: Where) -> Text:
    value = _field(row, PROMPT_FIELDS)
    if value is None:
        raise InputError(f"{where}: no prompt. Looked for {', '.join(PROMPT_FIELDS)}; found {_names(row)}.")
    text = _as_text(value, where, "prompt")
    if not plain_text(text).strip():
        raise InputError(f"{where}: the prompt is empty. Remove the row in every file.")
    return text


def _text(row: Mapping[str, Any], names: Sequence[str], where: Where) -> str:
    value = _field(row, names)
    if value is None:
        raise InputError(f"{where}: no answer. Looked for {', '.join(names)}; found {_names(row)}.")
    return plain_text(_as_text(value, where, "answer"))


def _as_text(value: Any, where: Where, name: str) -> Text:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, list) and all(
        isinstance(turn, dict) and isinstance(turn.get("content"), str) for turn in value
    ):
        return tuple(
            Message(role=str(turn.get("role") or "user"), content=_storable(turn["content"])) for turn in value
        )
    raise InputError(f"{where}: the {name} is a {type(value).__name__}; expected text or a list of chat messages.")


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL; both databases shall hold the same text."""
    return text.replace("\x00", "\ufffd")


def _names(row: Mapping[str, Any]) -> str:
    return ", ".join(map(str, row)) or "no fields"


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return f'"{flat[:60]}..."' if len(flat) > 60 else f'"{flat}"'
