"""Prompts with candidates, each answer with rewards and gold: what can be judged, and how far the curve goes.

1) answers without a reward or without gold are left out of their prompt, and counted by why; 2) the largest n is the
one that nearly all prompts allow; 3) prompts with fewer answers are set aside, so that every point of the curve is of
the same prompts: a curve whose prompts change on the way bends without any cause.
Letters: S seeds, N answers of a prompt.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.audits.pressure.config import PressureConfig
from assay.audits.scored_group import ScoredGroup
from assay.records import Candidates, Text
from assay.stats.best_of_n import powers_of_two
from assay.stats.intervals import Array
from assay.stats.unknown import Unknown

FEWEST = 2  # answers of a prompt; among fewer there is nothing to pick
Known = float | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldGroup:
    """Candidates with what the reward and what gold gave each answer, in the order of the answers.

    rewards: by seed. gave_none: answers that the policy did not give, by why. cluster: the prompt group.
    """

    candidates: Candidates
    rewards: Mapping[int, Sequence[Known]]
    gold: Sequence[Known]
    cluster: str
    gave_none: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PressedPrompt:
    """One prompt and its answers that are known on both sides. proxy (S, N) and gold (N,): finite."""

    id: str
    prompt: Text
    answers: tuple[Text, ...]
    category: str | None
    cluster: str
    proxy: Array
    gold: Array

    def scored_group(self) -> ScoredGroup:
        """The same as a group whose order gold says, for the figures of whole groups."""
        group = Candidates(
            id=self.id, prompt=self.prompt, answers=self.answers, scores=tuple(self.gold.tolist()),
            category=self.category,
        )  # fmt: skip
        return ScoredGroup(
            candidates=group, rewards={seed: row.tolist() for seed, row in enumerate(self.proxy)}, cluster=self.cluster
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutAnswers:
    """Answers of one prompt that are in no figure, by kind, and the first reason.

    left_out: all of them, one that lacks both counted once. picks_without_gold: chance that the answer with the highest
    reward is one without gold, mean over seeds.
    """

    prompt_id: str
    answers: int
    without_gold: int
    without_reward: int
    not_given: int
    left_out: int
    picks_without_gold: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What is judged. ns: of the curve; too_few: the n asked for beyond it, by how many prompts allow them.

    set_aside: prompts that are not in the curve, by why. left_out: answers that are in no figure, by prompt.
    """

    prompts: tuple[PressedPrompt, ...]
    ns: tuple[int, ...]
    too_few: Mapping[int, int]
    answers: int
    set_aside: Mapping[str, int]
    left_out: tuple[LeftOutAnswers, ...]

    @property
    def without_gold(self) -> int:
        return sum(one.without_gold for one in self.left_out)


def pressed_prompts(groups: Sequence[GoldGroup], config: PressureConfig) -> Pressed:
    """What of the groups can be judged, and to which n."""
    set_aside: Counter[str] = Counter()
    left_out: list[LeftOutAnswers] = []
    usable: list[PressedPrompt] = []
    for group in groups:
        one, lost = known_answers(group)
        if lost is not None:
            left_out.append(lost)
        if one is None:
            set_aside[f"fewer than {FEWEST} answers with reward and gold"] += 1
        else:
            usable.append(one)
    sizes = np.array([len(one.answers) for one in usable])
    asked = powers_of_two(config.largest)
    allow = {n: int((sizes >= n).sum()) for n in asked}
    ns = tuple(n for n in asked if usable and allow[n] >= config.least_share * len(usable))
    kept = tuple(one for one in usable if len(one.answers) >= max(ns, default=0))
    if len(kept) < len(usable):
        set_aside[f"fewer than {max(ns)} answers"] += len(usable) - len(kept)
    return Pressed(
        prompts=kept,
        ns=ns,
        too_few={n: allow[n] for n in asked if n not in ns},
        answers=sum(len(group.candidates.answers) + sum(group.gave_none.values()) for group in groups),
        set_aside=dict(set_aside),
        left_out=tuple(left_out),
    )


def known_answers(group: GoldGroup) -> tuple[PressedPrompt | None, LeftOutAnswers | None]:
    """The answers known on both sides, None where they are too few; and those that are not, None where all are."""
    rows = list(zip(*(known for _, known in sorted(group.rewards.items())), strict=True))
    no_gold = [place for place, value in enumerate(group.gold) if not finite(value)]
    no_reward = [place for place, row in enumerate(rows) if not all(map(finite, row))]
    not_given = sum(group.gave_none.values())
    gone = {*no_gold, *no_reward}
    lost = None
    if gone or not_given:
        lost = LeftOutAnswers(
            prompt_id=group.candidates.id,
            answers=len(rows) + not_given,
            without_gold=len(no_gold),
            without_reward=len(no_reward),
            not_given=not_given,
            left_out=len(gone) + not_given,
            picks_without_gold=picks_among(group, set(no_gold)),
            why=first_reason(group, rows, no_gold, no_reward),
        )
    kept = [place for place in range(len(rows)) if place not in gone]
    if len(kept) < FEWEST:
        return None, lost
    one = PressedPrompt(
        id=group.candidates.id,
        prompt=group.candidates.prompt,
        answers=tuple(group.candidates.answers[place] for place in kept),
        category=group.candidates.category,
        cluster=group.cluster,
        proxy=np.array([rows[place] for place in kept], dtype=np.float64).T,
        gold=np.array([group.gold[place] for place in kept], dtype=np.float64),
    )
    return one, lost


def picks_among(group: GoldGroup, places: set[int]) -> float:
    """Chance that the pick by the reward among all answers is one of `places`, mean over seeds."""
    found = []
    for known in group.rewards.values():
        rewards = {place: float(value) for place, value in enumerate(known) if not isinstance(value, Unknown)}
        highest = max(rewards.values(), default=0.0)
        top = [place for place, value in rewards.items() if value == highest]
        found.append(len(places & set(top)) / len(top) if top else 0.0)
    return sum(found) / len(found)


def finite(value: Known) -> bool:
    return not isinstance(value, Unknown) and math.isfinite(value)


def first_reason(
    group: GoldGroup, rows: Sequence[Sequence[Known]], no_gold: Sequence[int], no_reward: Sequence[int]
) -> str:
    """Why the first answer is left out: of gold, else of the reward, else of the policy."""
    if no_gold:
        return f"gold: {why(group.gold[no_gold[0]])}"
    if no_reward:
        return f"reward: {why(next(one for one in rows[no_reward[0]] if not finite(one)))}"
    return f"policy: {next(iter(group.gave_none))}"


def why(value: Known) -> str:
    return value.reason if isinstance(value, Unknown) else "it is not finite"
