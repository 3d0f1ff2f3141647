"""Which objective a pair is by (helpful, harmless, better, safer), and the pairs of one objective among others.

A pair's objective stands in its source, under `objective`: put there by a layout whose rows state several outcomes, or
by the data themselves. Data that keep their objectives as categories are read by those. Knows pairs; knows no layout.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from assay.data.config import DataConfig
from assay.data.groups.overlap import OBJECTIVE
from assay.errors import InputError
from assay.records import Pair

By = Literal["objective", "category"]


def objective_of(pair: Pair) -> str | None:
    """By what the pair was judged, as the data state it; None where they do not."""
    stated = pair.source.get(OBJECTIVE)
    return stated if isinstance(stated, str) and stated else None


def stated_by(pairs: Iterable[Pair]) -> By:
    """Where these data keep their objectives: as such, or, where no pair states one, as categories."""
    return "objective" if any(objective_of(pair) is not None for pair in pairs) else "category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """The pairs of a source by objective, in order of first appearance. without: pairs that state none."""

    by: By
    pairs: Mapping[str, Sequence[Pair]]
    without: int

    @property
    def shared(self) -> int:
        """Pairs of answers that more than one objective judges."""
        seen = Counter(
            one for pairs in self.pairs.values()
            for one in {(pair.prompt, frozenset((pair.chosen, pair.rejected))) for pair in pairs}
        )  # fmt: skip
        return sum(count > 1 for count in seen.values())

    @property
    def opposed(self) -> int:
        """Pairs of answers that one objective orders one way and another the other way."""
        orders: dict[object, set[object]] = {}
        for pairs in self.pairs.values():
            for pair in pairs:
                if pair.label == "chosen":
                    orders.setdefault((pair.prompt, frozenset((pair.chosen, pair.rejected))), set()).add(pair.chosen)
        return sum(len(chosen) > 1 for chosen in orders.values())


def by_objective(pairs: Sequence[Pair]) -> Objectives:
    """The pairs of each objective.

    >>> pair = Pair(id="1", prompt="Hi", chosen="Hello.", rejected="What?", category="helpful")
    >>> found = by_objective([pair])
    >>> found.by, list(found.pairs), found.without
    ('category', ['helpful'], 0)
    """
    by = stated_by(pairs)
    found: dict[str, list[Pair]] = {}
    without = 0
    for pair in pairs:
        name = objective_of(pair) if by == "objective" else pair.category
        if name is None:
            without += 1
        else:
            found.setdefault(name, []).append(pair)
    return Objectives(by=by, pairs=found, without=without)


def pairs_of(objective: str, pairs: Sequence[Pair], *, source: object) -> tuple[list[Pair], By]:
    """The pairs of one objective, and where the data keep it. Raises InputError where they have none of it."""
    found = by_objective(pairs)
    if objective not in found.pairs:
        told = ", ".join(f"{name} ({len(some):,})" for name, some in found.pairs.items()) or "none"
        raise InputError(
            f"{source}: no pair is of objective {objective!r}. Objectives there, by {found.by}: {told}. "
            "List them: assay objectives DATA."
        )
    return list(found.pairs[objective]), found.by


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveCounts:
    """What the contract makes of one objective by itself. majority_share: of votes, None where pairs have no two."""

    name: str
    kept: int
    rejected: int
    prompts: int
    votes: int
    majority_share: float | None

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def objective_counts(source: object, found: Objectives, *, config: DataConfig) -> list[ObjectiveCounts]:
    """The contract of each objective alone, as `check` with data.objective makes it: one more reading for each."""
    from assay.data.intake import check

    counts = []
    for name in found.pairs:
        report = check(source, config=config.model_copy(update={"objective": name})).report
        agreement = report.agreement
        counts.append(
            ObjectiveCounts(
                name=name,
                kept=report.kept,
                rejected=report.rejected,
                prompts=report.overlap.distinct_prompts,
                votes=0 if agreement is None else agreement.votes,
                majority_share=None if agreement is None else agreement.mean_majority_share,
            )
        )
    return counts


def heads_of(pairs: Sequence[Pair], heads: Sequence[str]) -> list[int]:
    """The place among `heads` of each pair's objective (or category, where it states none); 0 without heads.

    Raises InputError with counts where pairs are of an objective that has no head.
    """
    if not heads:
        return [0] * len(pairs)
    named = [objective_of(pair) or pair.category for pair in pairs]
    if other := Counter(one or "none stated" for one in named if one not in heads):
        told = ", ".join(f"{name} {count:,}" for name, count in other.most_common(10))
        raise InputError(
            f"model.heads={','.join(heads)}: {other.total():,} pairs are of other objectives ({told}). Give these a "
            "head as well, or leave their rows out of the data."
        )
    return [heads.index(one) for one in named if one is not None]
