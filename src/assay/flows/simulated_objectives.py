"""Candidates of the simulated desk -> pairs by objective whose label is the truth: `assay simulate objectives`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.files import write_jsonl
from assay.data.config import DataConfig
from assay.errors import InputError
from assay.records import Pair, plain_text, to_json
from assay.simulate.support.axes import AXES, axis_worths
from assay.stats.unknown import Unknown
from assay.study.analysis.unjudged import comparisons


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectivesWritten:
    """What was written. prompts: with a comparison that has a truth. unread: why a prompt has none, by id."""

    prompts: int
    pairs: Mapping[str, int]
    ties: Mapping[str, int]
    unread: Mapping[str, str]


def simulate_objectives(candidates: Path, out: Path, *, least_apart: float) -> ObjectivesWritten:
    """The first two different answers of each prompt as a pair by each axis, the one that is worth more chosen.

    least_apart: of utility along the axis; nearer answers are a tie. Raises InputError where no prompt has two
    different answers, or none is the desk's.
    """
    first: dict[str, Pair] = {}
    for pair in comparisons(str(candidates), DataConfig()):
        first.setdefault(plain_text(pair.prompt), pair)
    rows: list[dict[str, object]] = []
    pairs, ties, unread = Counter[str](), Counter[str](), dict[str, str]()
    for prompt, pair in first.items():
        one, other = (axis_worths(prompt, plain_text(text), pair.category) for text in (pair.chosen, pair.rejected))
        if isinstance(one, Unknown) or isinstance(other, Unknown):
            unread[pair.id] = next(found.reason for found in (one, other) if isinstance(found, Unknown))
            continue
        for axis in AXES:
            gap = one[axis] - other[axis]
            tie = abs(gap) < least_apart
            (ties if tie else pairs)[axis] += 1
            rows.append(_row(pair, axis, gap, tie=tie))
    if not rows:
        raise InputError(
            f"{candidates}: no prompt of the simulated desk with two different answers ({len(unread)} cannot be "
            "read). Make some: assay simulate candidates wordy=1,plain=1 --n 2."
        )
    write_jsonl(out, rows)
    return ObjectivesWritten(
        prompts=len(first) - len(unread), pairs={axis: pairs[axis] for axis in AXES},
        ties={axis: ties[axis] for axis in AXES}, unread=unread,
    )  # fmt: skip


def _row(pair: Pair, axis: str, gap: float, *, tie: bool) -> dict[str, object]:
    chosen, rejected = (pair.chosen, pair.rejected) if gap >= 0 else (pair.rejected, pair.chosen)
    row = {
        "id": f"{pair.id}/{axis}", "prompt": to_json(pair.prompt), "chosen": to_json(chosen),
        "rejected": to_json(rejected), "label": "tie" if tie else "chosen", "category": pair.category,
        "objective": axis, "group": pair.id.rpartition("/")[0],
        "source": {"generator": "assay simulate objectives", "apart": round(abs(gap), 4)},
    }  # fmt: skip
    return {name: value for name, value in row.items() if value is not None}
