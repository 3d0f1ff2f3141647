"""Pairs and candidates as they stand in assay's own JSON lines, and the two sides of a split as files.

What is written here reads back as itself. Knows assay's own layouts; knows no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from assay.artifacts.files import write_jsonl
from assay.artifacts.split_body import SplitBody
from assay.records import Candidates, Pair, to_json

if TYPE_CHECKING:
    from assay.data.grouped_split import Split


def as_native(pair: Pair) -> dict[str, object]:
    """The row that reads back as this pair; fields that say nothing are left out."""
    row: dict[str, object] = {
        "id": pair.id,
        "prompt": to_json(pair.prompt),
        "chosen": to_json(pair.chosen),
        "rejected": to_json(pair.rejected),
    }
    if pair.label != "chosen":
        row["label"] = pair.label
    if pair.votes:
        row["votes"] = [
            {"choice": vote.choice} | said(annotator=vote.annotator, shown_left=vote.shown_left) for vote in pair.votes
        ]
    row |= said(category=pair.category, group=pair.group, margin=pair.margin)
    if pair.weight != 1.0:
        row["weight"] = pair.weight
    if pair.source:
        row["source"] = dict(pair.source)
    return row


def as_candidate_row(group: Candidates) -> dict[str, object]:
    """The row that reads back as these candidates; fields that say nothing are left out."""
    row: dict[str, object] = {
        "id": group.id,
        "prompt": to_json(group.prompt),
        "answers": [to_json(answer) for answer in group.answers],
    }
    row |= said(
        ranks=None if group.ranks is None else list(group.ranks),
        scores=None if group.scores is None else list(group.scores),
    )
    if group.votes:
        row["votes"] = [
            {"first": vote.first, "second": vote.second, "choice": vote.choice}
            | said(annotator=vote.annotator, shown_left=vote.shown_left)
            for vote in group.votes
        ]
    row |= said(category=group.category, group=group.group)
    if group.source:
        row["source"] = dict(group.source)
    return row


def said(**fields: object) -> dict[str, object]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value is not None}


def write_split(folder: Path, sides: Split, *, inputs: Mapping[str, str]) -> SplitBody:
    """Write train.jsonl, held_out.jsonl and, last, split.json with the proof; returns the body of split.json."""
    write_pairs(folder / "train.jsonl", sides.train, sides.train_groups)
    write_pairs(folder / "held_out.jsonl", sides.held_out, sides.held_out_groups)
    body = sides.proof.model_copy(update={"inputs": dict(inputs)})
    body.write(folder / "split.json")
    return body


def write_pairs(path: Path, pairs: Iterable[Pair], groups: Iterable[str]) -> int:
    """Write pairs with their prompt groups as native JSON lines, atomically; returns how many."""
    return write_jsonl(path, (as_native(pair) | {"group": group} for pair, group in zip(pairs, groups, strict=True)))
