"""Candidates with what people said of them and what scorers gave, as numbers: one order a group, one reward an answer.

Letters: S seeds, G groups of one size, K answers of a group.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.audits.scored_group import ScoredGroup
from assay.records import Candidates, plain_text
from assay.stats.intervals import Array, Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class SameSize:
    """Groups of one size: reward (S, G, K), -inf for one that is not finite; gold, higher is better, and length in
    characters, (G, K); cluster (G,).
    """

    reward: Array
    gold: Array
    length: Array
    cluster: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScores:
    """All groups that can be judged, by size; the others by why not."""

    by_size: Mapping[int, SameSize]
    known_by: Mapping[str, int]
    set_aside: Mapping[str, int]

    @property
    def groups(self) -> int:
        return sum(len(one.cluster) for one in self.by_size.values())


def gold_of(group: Candidates) -> tuple[str, list[float | None]]:
    """What is known of each answer, higher is better, and from what: scores, ranks, or the share of votes won.

    Scores come before ranks since they say by how much. A tie in a vote counts half; nobody's abstention counts.
    """
    if group.scores is not None:
        return "scores", list(group.scores)
    if group.ranks is not None:
        return "ranks", [None if rank is None else -rank for rank in group.ranks]
    won, counted = [0.0] * len(group.answers), [0] * len(group.answers)
    for vote in group.votes:
        if vote.choice == "abstain":
            continue
        share = {"first": 1.0, "second": 0.0, "tie": 0.5}[vote.choice]
        for place, gain in ((vote.first, share), (vote.second, 1 - share)):
            won[place] += gain
            counted[place] += 1
    return "votes", [w / n if n else None for w, n in zip(won, counted, strict=True)]


def group_scores(groups: Iterable[ScoredGroup]) -> GroupScores:
    """Answers of which nothing is known are left out of their group; a group without two known answers, or with one
    that no scorer took, is set aside."""
    rows: dict[int, list[tuple[list[list[float]], list[float], list[float], str]]] = defaultdict(list)
    known_by: Counter[str] = Counter()
    set_aside: Counter[str] = Counter()
    for group in groups:
        by, gold = gold_of(group.candidates)
        places = [place for place, value in enumerate(gold) if value is not None]
        known = [float(value) for value in gold if value is not None]
        rewards = [[several[place] for place in places] for _, several in sorted(group.rewards.items())]
        taken = [[value for value in seed if value is not None] for seed in rewards]
        if len(places) < 2:
            set_aside["fewer than two answers are known"] += 1
        elif max(known) == min(known):
            set_aside["all answers are equally good"] += 1
        elif any(len(seed) < len(places) for seed in taken):
            set_aside["the scorer could not take an answer"] += 1
        else:
            known_by[by] += 1
            length = [float(len(plain_text(group.candidates.answers[place]))) for place in places]
            rows[len(places)].append((taken, known, length, group.cluster))
    codes = {name: n for n, name in enumerate(dict.fromkeys(row[3] for size in rows.values() for row in size))}
    by_size = {size: _same_size(rows[size], codes) for size in sorted(rows)}
    return GroupScores(by_size=by_size, known_by=dict(known_by), set_aside=dict(set_aside))


def _same_size(
    rows: Sequence[tuple[list[list[float]], list[float], list[float], str]], codes: Mapping[str, int]
) -> SameSize:
    reward = np.array([row[0] for row in rows], dtype=np.float64).transpose(1, 0, 2)
    return SameSize(
        reward=np.where(np.isfinite(reward), reward, -math.inf),
        gold=np.array([row[1] for row in rows]),
        length=np.array([row[2] for row in rows]),
        cluster=np.array([codes[row[3]] for row in rows], dtype=np.intp),
    )
