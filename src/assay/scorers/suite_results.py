"""Per-item results as suites publish them, as a Scorer: `published:FILE`. Told by id; nothing is scored anew.

JudgeBench's outputs (the games a judge played), RewardBench's per-item scores, RM-Bench's score lists. Right answers
come first, as everywhere in suites. Knows result files; knows no suite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

from assay.artifacts.files import sha256_file
from assay.data.sources.json_rows import json_objects
from assay.errors import InputError
from assay.records import Candidates, Where
from assay.scorers.protocol import Scored, scored

FLIPPED = {"A>B": "B>A", "B>A": "A>B"}
EXPECTED = (
    "A row of results has an id (pair_id, id) and judgments with decisions, scores_chosen and scores_rejected, "
    "score_chosen and score_rejected, or scores."
)


class PublishedScorer:
    """What a file of published results says of each answer of a suite's item."""

    unit: Literal["pair"] = "pair"

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).expanduser()
        if not self.path.is_file():
            raise InputError(f"{self.path}: no such file. Give the results of a suite, an item a row.")

    @property
    def name(self) -> str:
        return f"published:{self.path}"

    @cached_property
    def fingerprint(self) -> str:
        return sha256_file(self.path)

    @cached_property
    def rows(self) -> Mapping[str, tuple[Scored, ...]]:
        """Results by the item's id, and by `subset:id` where rows state a subset."""
        found: dict[str, tuple[Scored, ...]] = {}
        for row in json_objects(self.path, holds=EXPECTED):
            name = row.data.get("pair_id", row.data.get("id"))
            if name is None:
                raise InputError(f"{row.where}: no pair_id and no id. {EXPECTED}")
            names = [str(name)] if "subset" not in row.data else [str(name), f"{row.data['subset']}:{name}"]
            if names[-1] in found:
                raise InputError(f"{row.where}: {names[-1]!r} has results already. Keep one row for it.")
            found |= dict.fromkeys(names, tuple(map(scored, values_of_row(row.data, row.where))))
        return found

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        """Raises InputError for an item without results, or with results for another number of answers."""
        for group in groups:
            if group.id not in self.rows:
                raise InputError(
                    f"{self.path} has no results for {group.id!r} of {group.where}. Give the results of the same items."
                )
            if len(self.rows[group.id]) != len(group.answers):
                raise InputError(
                    f"{self.path} has {len(self.rows[group.id])} results for {group.id!r}, which has "
                    f"{len(group.answers)} answers."
                )
        return [self.rows[group.id] for group in groups]


def values_of_row(row: Mapping[str, object], where: Where) -> list[float]:
    """One number an answer, the right ones first. Raises InputError where the row holds none that is known."""
    if isinstance(row.get("judgments"), list):
        return first_scores(row) or games(row, where)
    for one, other in (("scores_chosen", "scores_rejected"), ("score_chosen", "score_rejected")):
        if one in row and other in row:
            return _numbers(row[one], where) + _numbers(row[other], where)
    if "scores" in row:
        return _numbers(row["scores"], where)
    raise InputError(f"{where}: no results. {EXPECTED}")


def first_scores(row: Mapping[str, object]) -> list[float] | None:
    """The rewards a reward model gave in the first game, right answer first.

    None where a judge gave none, or said another thing than they say.
    """
    judgments = row["judgments"]
    first = judgments[0] if isinstance(judgments, list) and judgments and isinstance(judgments[0], Mapping) else {}
    told = first.get("judgment")
    scores = told.get("scores") if isinstance(told, Mapping) else None
    if not isinstance(scores, list) or len(scores) != 2 or not all(isinstance(one, int | float) for one in scores):
        return None
    if first.get("decision") != ("A>B" if scores[0] > scores[1] else "B>A") or row.get("label") not in FLIPPED:
        return None
    return [float(one) for one in (scores if row["label"] == "A>B" else scores[::-1])]


def games(row: Mapping[str, object], where: Where) -> list[float]:
    """What the right and the wrong answer won of the games played: as JudgeBench adds them up.

    The second game shows the answers the other way round, so its decision is turned back. A game without a decision, or
    called a tie, adds nothing.
    """
    label, judgments = row.get("label"), row["judgments"]
    if label not in FLIPPED or not isinstance(judgments, list) or len(judgments) not in (1, 2):
        raise InputError(f"{where}: expected a label A>B or B>A, and one or two judgments.")
    won = 0.0
    for place, judgment in enumerate(judgments):
        decision = judgment.get("decision") if isinstance(judgment, Mapping) else None
        said = FLIPPED.get(str(decision), decision) if place else decision
        won += 1.0 if said == label else -1.0 if said == FLIPPED[str(label)] else 0.0
    return [won, -won]


def _numbers(value: object, where: Where) -> list[float]:
    """A number, a list of numbers, or a list of lists of one number."""
    found: list[float] = []
    for one in value if isinstance(value, list) else [value]:
        single = one[0] if isinstance(one, list) and len(one) == 1 else one
        if isinstance(single, bool) or not isinstance(single, int | float):
            raise InputError(f"{where}: {one!r} stands where a score should. {EXPECTED}")
        found.append(float(single))
    return found
