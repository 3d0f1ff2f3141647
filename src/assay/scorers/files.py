"""Rows of scores, of pairs and of candidates: what a scorer gives, and why it gives none. Knows no model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from assay.records import Candidates, Pair, Text
from assay.scorers.protocol import RefusingScorer, as_candidates, scores_of

CHUNK = 1024


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
