"""Candidates from a file, scores into a file. Knows JSON lines and the Scorer; knows no model."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from assay.errors import InputError
from assay.records import Candidates, Message, Pair, Text
from assay.scorers.protocol import RefusingScorer, as_candidates, scores_of

CHUNK = 1024
ANSWERS = ("answers", "candidates")


def holds_candidates(path: Path) -> bool:
    """Whether a file's first row has a list of answers under one prompt rather than a pair."""
    if not path.is_file() or not {".jsonl", ".json", ".ndjson"} & set(path.suffixes):
        return False
    try:
        first = next(_lines(path), (0, b""))[1]
        row = orjson.loads(first)
    except (OSError, EOFError, orjson.JSONDecodeError):
        return False
    return isinstance(row, dict) and any(isinstance(row.get(name), list) for name in ANSWERS)


def read_candidates(path: Path) -> Iterator[Candidates]:
    """Rows {"prompt", "answers" or "candidates", "id"?} of a JSON-lines file, `.gz` included.

    Raises InputError with file and line for a row that is not that.
    """
    for line, text in _lines(path):
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path}:{line}: not JSON ({error}). One object a line: prompt, answers.") from None
        try:
            yield _candidates(row, name=str(line))
        except ValueError as error:
            raise InputError(
                f"{path}:{line}: {error}. A row holds prompt (text or messages) and answers (a list of them)."
            ) from None


def score_candidates(scorer: RefusingScorer, groups: Iterable[Candidates]) -> Iterator[dict[str, Any]]:
    """One row a group: {"id", "scores"}; an answer that cannot be scored has null there and its reason beside."""
    for chunk in _chunks(groups):
        for group, (values, reasons) in zip(chunk, _scored(scorer, chunk), strict=True):
            row: dict[str, Any] = {"id": group.id, "scores": values}
            yield row | ({"reasons": reasons} if any(reasons) else {})


def score_rows(scorer: RefusingScorer, pairs: Sequence[Pair]) -> Iterator[dict[str, Any]]:
    """One row a pair, in order: {"pair_id", "chosen", "rejected"}, null with "reason" where one cannot be scored."""
    groups = as_candidates(pairs)
    found: dict[tuple[Text, Text], tuple[float | None, str | None]] = {}
    for chunk in _chunks(groups):
        for group, (values, reasons) in zip(chunk, _scored(scorer, chunk), strict=True):
            told = zip(values, reasons, strict=True)
            found |= {(group.prompt, answer): one for answer, one in zip(group.answers, told, strict=True)}
    for pair in pairs:
        (chosen, why), (rejected, why_not) = found[pair.prompt, pair.chosen], found[pair.prompt, pair.rejected]
        row = {"pair_id": pair.id, "chosen": chosen, "rejected": rejected}
        yield row | ({"reason": why or why_not} if why or why_not else {})


def _scored(scorer: RefusingScorer, groups: Sequence[Candidates]) -> list[tuple[list[float | None], list[str | None]]]:
    """Values and reasons of each group's answers: where there is no value there is a reason."""
    refused = scorer.refusals(groups)
    kept = [
        Candidates(
            id=group.id,
            prompt=group.prompt,
            answers=tuple(answer for m, answer in enumerate(group.answers) if (n, m) not in refused),
        )
        for n, group in enumerate(groups)
    ]
    found = []
    for n, (group, values) in enumerate(zip(groups, scores_of(scorer, kept), strict=True)):
        rest = iter(values)
        reasons = [refused.get((n, m)) for m in range(len(group.answers))]
        found.append(([next(rest) if reason is None else None for reason in reasons], reasons))
    return found


def _chunks(groups: Iterable[Candidates]) -> Iterator[list[Candidates]]:
    rest = iter(groups)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield number, line


def _candidates(row: Any, *, name: str) -> Candidates:
    if not isinstance(row, dict):
        raise ValueError(f"found a {type(row).__name__}")  # noqa: TRY004 - a value of the file, not of the program
    answers = next((row[key] for key in ANSWERS if isinstance(row.get(key), list)), None)
    if not answers:
        raise ValueError('"answers" is missing or empty')
    if "prompt" not in row:
        raise ValueError('"prompt" is missing')
    return Candidates(
        id=str(row.get("id", name)),
        prompt=_text(row["prompt"], "prompt"),
        answers=tuple(_text(answer, f"answers[{n}]") for n, answer in enumerate(answers)),
    )


def _text(value: Any, what: str) -> Text:
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, list) and value:
        return tuple(_message(turn, what) for turn in value)
    raise ValueError(f'"{what}" is neither text nor messages')


def _message(turn: Any, what: str) -> Message:
    if not isinstance(turn, Mapping) or not all(isinstance(turn.get(key), str) for key in ("role", "content")):
        raise ValueError(f'"{what}" holds a message without role and content')
    return Message(role=turn["role"], content=turn["content"])
