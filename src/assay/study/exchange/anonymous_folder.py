"""Writes a closed study as a folder others may have, editors by pseudonym, and reads such a folder back.

What is left out: names, links, the seed, clock times and comments unless asked for. The hashes find slips and damaged
copies; they are no signature. Knows files; knows no database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from assay.artifacts.body import Body
from assay.artifacts.files import dumps, sha256_file, sha256_json, write_jsonl
from assay.data.sources.json_rows import json_objects
from assay.errors import InputError, StudyError
from assay.records import to_json
from assay.study.exchange.new_folder import new_folder
from assay.study.exchange.pseudonyms import anonymised
from assay.study.exchange.spreadsheet import from_cell, from_csv, to_csv
from assay.study.study_records import ClosedStudy, Item, Study, StudyVote

COLUMNS = tuple(StudyVote.__dataclass_fields__)
NUMBERS = ("position", "ms", "undone")
FILES = ("votes.jsonl", "votes.csv", "items.jsonl")
MANIFEST = "study.json"
MEND = "Take the folder from where it was made again, or export the study once more."
T = TypeVar("T")


class ExportCounts(BaseModel):
    """How much an export holds, so that a missing part is seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    votes: int
    items: int
    comments_left_out: int


class ExportBody(Body):
    """study.json: what the study is, and the hashes of the files beside it. hash: of all the rest of this body."""

    SCHEMA: ClassVar[str] = "study_export/1"
    study: Study
    planned: dict[str, int]
    counts: ExportCounts
    left_out: tuple[str, ...]
    files: dict[str, str]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export came to."""

    folder: Path
    votes: int
    items: int
    editors: int
    left_out: tuple[str, ...]
    hash: str


def write_export(closed: ClosedStudy, out: Path, *, times: bool = False, comments: bool = False) -> Exported:
    """Write the anonymous folder, all or nothing. Raises StudyError if `out` is there already."""
    anonymous = anonymised(closed, times=times, comments=comments)
    left_out = ("names", "links", "seed", *(() if times else ("times",)), *(() if comments else ("comments",)))
    with new_folder(out) as draft:
        votes = [asdict(vote) for vote in anonymous.votes]
        write_jsonl(draft / "votes.jsonl", votes)
        # A cell is a text; `_csv_votes` reads this one as JSON again.
        cells = [{**vote, "ratings": dumps(vote["ratings"]).decode()} for vote in votes]
        (draft / "votes.csv").write_bytes(to_csv(COLUMNS, cells).encode())
        write_jsonl(draft / "items.jsonl", (_item_row(item) for item in anonymous.items.values()))
        body = ExportBody(
            study=anonymous.study,
            planned=dict(anonymous.planned),
            counts=ExportCounts(
                votes=len(anonymous.votes),
                items=len(anonymous.items),
                comments_left_out=0 if comments else sum(bool(vote.comment) for vote in closed.votes),
            ),
            left_out=left_out,
            files={name: sha256_file(draft / name) for name in FILES},
            hash="",
        )
        body = body.model_copy(update={"hash": _hash(body.model_dump(mode="json"))})
        body.write(draft / MANIFEST)
    return Exported(
        folder=out,
        votes=len(anonymous.votes),
        items=len(anonymous.items),
        editors=len(anonymous.study.editors),
        left_out=left_out,
        hash=body.hash,
    )


def is_export(path: Path | str) -> bool:
    """Whether this names an export (folder, or a votes file in one) rather than a study's database."""
    place = Path(path)
    return place.is_dir() or place.name in (*FILES, MANIFEST)


def read_export(path: Path | str) -> ClosedStudy:
    """The study of an export: its folder, or its votes.jsonl or votes.csv with the other files beside it.

    Raises StudyError where a file is missing, changed or cut off, or of a version this assay does not read.
    """
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    if not place.exists():
        raise StudyError(f"{place}: no such export. Make one with assay study export STUDY --out {place}.")
    body = _manifest(folder / MANIFEST)
    for name in FILES:
        if not (folder / name).is_file():
            raise StudyError(f"{folder / name}: missing, the export is not whole. {MEND}")
        if sha256_file(folder / name) != body.files.get(name):
            raise StudyError(f"{folder / name}: changed or cut off since the export (its hash differs). {MEND}")
    try:
        source = folder / ("votes.csv" if place.name == "votes.csv" else "votes.jsonl")
        rows = _csv_votes(source) if source.suffix == ".csv" else _json_rows(source)
        votes = tuple(_parse(VOTE, row, source) for row in rows)
        items = {item.id: item for item in (_parse(ITEM, row, folder) for row in _json_rows(folder / "items.jsonl"))}
    except InputError as error:
        raise StudyError(f"{error} {MEND}") from None
    closed = ClosedStudy(study=body.study, items=items, votes=votes, planned=body.planned)
    _check(closed, body, folder)
    return closed


VOTE, ITEM, BODY = TypeAdapter(StudyVote), TypeAdapter(Item), TypeAdapter(ExportBody)


def _hash(body: Mapping[str, object]) -> str:
    return sha256_json({key: value for key, value in body.items() if key not in ("hash", "schema")})


def _manifest(path: Path) -> ExportBody:
    """study.json, if nothing in it was changed. The hash is looked at first: it covers what a type cannot tell."""
    try:
        body = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise StudyError(f"{path}: missing, so this is no whole export of a study. {MEND}") from None
    except orjson.JSONDecodeError as error:
        raise StudyError(f"{path}: cut off or no JSON ({error}). {MEND}") from None
    found = body.get("schema") if isinstance(body, dict) else None
    if found != ExportBody.SCHEMA:
        raise StudyError(
            f'{path}: has schema {found!r}; this assay reads "{ExportBody.SCHEMA}". Use the version of assay that '
            "wrote it, or a newer one."
        )
    if body.get("hash") != _hash(body):
        raise StudyError(f"{path}: changed since the export (its own hash differs). {MEND}")
    return _parse(BODY, {name: value for name, value in body.items() if name != "schema"}, path)


def _check(closed: ClosedStudy, body: ExportBody, folder: Path) -> None:
    """What hashes cannot tell: that the parts speak of one another."""
    problems = []
    if len(closed.votes) != body.counts.votes or len(closed.items) != body.counts.items:
        stated = f"{body.counts.votes} and {body.counts.items} stated"
        problems.append(f"{len(closed.votes)} votes and {len(closed.items)} items, {stated}")
    editors = {editor.name for editor in closed.study.editors}
    if set(closed.planned) != editors:
        problems.append("the planned counts are not those of its editors")
    for vote in closed.votes:
        item = closed.items.get(vote.item)
        if item is None or {item.system_a, item.system_b} != {vote.left_system, vote.right_system}:
            problems.append(f"a vote on {vote.item!r} of other systems than the items")
        if vote.editor not in editors:
            problems.append(f"a vote of {vote.editor!r}, who is no editor of it")
    if len({(vote.editor, vote.position) for vote in closed.votes}) < len(closed.votes):
        problems.append("two votes on one showing")
    if problems:
        raise StudyError(f"{folder}: the export contradicts itself: {problems[0]}. {MEND}")


def _item_row(item: Item) -> dict[str, object]:
    return {**asdict(item), "prompt": to_json(item.prompt)}


def _json_rows(path: Path) -> list[Mapping[str, object]]:
    return [row.data for row in json_objects(path, holds="It was cut off or changed.")]


def _csv_votes(path: Path) -> list[dict[str, object]]:
    """The rows of votes.csv, each cell as what its column holds."""
    optional = {name for name, field in StudyVote.__dataclass_fields__.items() if "None" in str(field.type)}
    readers: dict[str, Callable[[str], object]] = {**dict.fromkeys(NUMBERS, int), "ratings": orjson.loads}

    def value(name: str, cell: str) -> object:
        found = from_cell(cell)
        if found is None:
            return None if name in optional else ""
        return readers.get(name, str)(found)

    try:
        return [
            {name: value(name, cell) for name, cell in row.items()}
            for _, row in from_csv(path.read_bytes().decode(), name=str(path))
        ]
    except ValueError as error:
        raise InputError(f"{path}: a cell cannot be read ({error}).") from None


def _parse(adapter: TypeAdapter[T], row: Mapping[str, object], path: Path) -> T:
    try:
        return adapter.validate_python(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise StudyError(f"{path}: {where}: {first['msg']}, found {first['input']!r:.80}. {MEND}") from None
