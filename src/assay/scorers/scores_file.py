"""Rows of a score file: {"pair_id", "chosen", "rejected"} a pair, or {"id", "scores"} a prompt, its answers in order.

An answer without a reward has null and the reason beside it. Rewards made of several have their heads beside them; what
else a scorer says (`Reward.detail`) is not kept here. `recorded` reads them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NotRequired

from typing_extensions import TypedDict  # pydantic reads rows back, and wants it below Python 3.12

from assay.records import Candidates, Pair
from assay.scorers.protocol import CHUNK, Reward, Scored, Scorer, Unscored, score_groups
from assay.scorers.scored_pairs import ScoredPair, score_pairs

Heads = Mapping[str, float]


class PairRow(TypedDict):
    """reason: why a side is null; heads: by side."""

    pair_id: str
    chosen: float | None
    rejected: float | None
    reason: NotRequired[str]
    heads: NotRequired[dict[str, Heads]]


class PromptRow(TypedDict):
    """reasons and heads: one an answer, null where there is none."""

    id: str
    scores: list[float | None]
    reasons: NotRequired[list[str | None]]
    heads: NotRequired[list[Heads | None]]


def pair_rows(scorer: Scorer, pairs: Sequence[Pair], *, chunk: int = CHUNK) -> Iterator[PairRow]:
    """One row a pair, in order. chunk: prompts put to the scorer at once."""
    yield from map(pair_row, score_pairs(scorer, pairs, chunk=chunk))


def pair_row(pair: ScoredPair) -> PairRow:
    row = PairRow(pair_id=pair.pair_id, chosen=_value(pair.chosen), rejected=_value(pair.rejected))
    if pair.missing is not None:
        row["reason"] = pair.missing.reason
    sides = {"chosen": _heads(pair.chosen), "rejected": _heads(pair.rejected)}
    if heads := {side: found for side, found in sides.items() if found}:
        row["heads"] = heads
    return row


def prompt_rows(scorer: Scorer, groups: Iterable[Candidates], *, chunk: int = CHUNK) -> Iterator[PromptRow]:
    """One row a group, in order. chunk: groups put to the scorer at once."""
    for group, results in score_groups(scorer, groups, chunk=chunk):
        yield prompt_row(group, results)


def prompt_row(group: Candidates, results: Sequence[Scored]) -> PromptRow:
    return named_row(group.id, results)


def named_row(name: str, results: Sequence[Scored]) -> PromptRow:
    row = PromptRow(id=name, scores=[_value(result) for result in results])
    reasons = [result.reason if isinstance(result, Unscored) else None for result in results]
    if any(reasons):
        row["reasons"] = reasons
    heads = [_heads(result) for result in results]
    if any(heads):
        row["heads"] = heads
    return row


def _value(result: Scored) -> float | None:
    return result.value if isinstance(result, Reward) else None


def _heads(result: Scored) -> Heads | None:
    return (result.heads or None) if isinstance(result, Reward) else None
