"""A Pair as it stands in assay's own JSON lines. Knows the native layout; knows no other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.artifacts.files import write_json, write_jsonl
from assay.records import Pair, to_json

if TYPE_CHECKING:
    from assay.data.grouped_split import Split


def as_native(pair: Pair) -> dict[str, Any]:
    """The row that reads back as this pair; fields that say nothing are left out."""
    row: dict[str, Any] = {
        "id": pair.id,
        "prompt": to_json(pair.prompt),
        "chosen": to_json(pair.chosen),
        "rejected": to_json(pair.rejected),
    }
    if pair.label != "chosen":
        row["label"] = pair.label
    if pair.votes:
        row["votes"] = [
            {"choice": vote.choice}
            | ({} if vote.annotator is None else {"annotator": vote.annotator})
            | ({} if vote.shown_left is None else {"shown_left": vote.shown_left})
            for vote in pair.votes
        ]
    more = {"category": pair.category, "group": pair.group, "margin": pair.margin}
    row |= {name: value for name, value in more.items() if value is not None}
    if pair.source:
        row["source"] = dict(pair.source)
    return row


def write_split(folder: Path, sides: Split, *, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Write train.jsonl, held_out.jsonl and, last, split.json with the proof; returns the body of split.json."""
    write_pairs(folder / "train.jsonl", sides.train, sides.train_groups)
    write_pairs(folder / "held_out.jsonl", sides.held_out, sides.held_out_groups)
    body = {**sides.proof, "inputs": dict(inputs)}
    write_json(folder / "split.json", "split/1", body)
    return body


def write_pairs(path: Path, pairs: Iterable[Pair], groups: Iterable[str]) -> int:
    """Write pairs with their prompt groups as native JSON lines, atomically; returns how many."""
    return write_jsonl(path, (as_native(pair) | {"group": group} for pair, group in zip(pairs, groups, strict=True)))
