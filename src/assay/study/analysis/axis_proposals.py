"""Which comparisons to ask about next so that each axis gets what it lacks: a random part, then what is open. Pure.

1. The random part is drawn first, by the seed alone, one a prompt: nobody's votes or rewards decide what is in it, so
   that estimates from it hold for the pool. 2. The rest is shared over the axes that are undecided. 3. Within an axis
   half goes to categories that are undecided on it, the rest to where its models disagree, or where votes are few or
   split. What is chosen because it is hard says nothing of how often a reward is right: the parts are told apart in
   every row. Knows questions and standings; knows no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from assay.stats.draws import stream
from assay.study.analysis.axis_standing import AxisStanding, Tally, silent_parts, undecided_parts
from assay.study.analysis.proposals import Doubt, Question, margin_doubts, pick

Part = Literal["random", "chosen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisQuestion:
    """A comparison that may be asked about. systems: who wrote answer a and answer b.

    margins: by axis, one a model; an axis without models is not in it. tallies: by axis, the votes it has already.
    """

    question: Question
    systems: tuple[str, str]
    margins: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    tallies: Mapping[str, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisProposal:
    """A comparison to ask about. axis: the one it is asked for; None in the random part, which is for all of them."""

    asked: AxisQuestion
    part: Part
    axis: str | None
    disagreement: float
    reason: str


def propose_by_axis(
    pool: Sequence[AxisQuestion],
    standings: Mapping[str, Sequence[AxisStanding]],
    *,
    count: int,
    random: int,
    seed: int,
) -> list[AxisProposal]:
    """At most `count` comparisons, one a prompt group, `random` of them drawn from the pool at random.

    standings: by axis, overall first, as `standings` gives them. Undecided axes share evenly what is not random; where
    none is, all do on which people see a difference. What one cannot fill goes to those after it. The same pool
    in any order gives the same comparisons; they come back in the order of the pool.
    """
    chosen = {
        number: AxisProposal(
            asked=pool[number], part="random", axis=None, disagreement=0.0, reason="drawn at random from the pool"
        )
        for number in _drawn(pool, random, seed=seed)
    }
    wanted = _wanted(standings)
    for place, axis in enumerate(wanted):
        left = count - len(chosen)
        share = -(-left // (len(wanted) - place))
        chosen |= _for_axis(pool, standings[axis], axis, share, used=chosen, seed=seed)
    return [chosen[number] for number in sorted(chosen)]


def _wanted(standings: Mapping[str, Sequence[AxisStanding]]) -> list[str]:
    """The axes that get a share; those with fewer comparisons that have a majority first, as they may fill less."""
    named = {axis: found[0] for axis, found in standings.items()}
    open_ones = [axis for axis, one in named.items() if one.outcome == "undecided"]
    speaking = [axis for axis, one in named.items() if one.outcome != "silent"]
    return sorted(open_ones or speaking or list(named), key=lambda axis: named[axis].decided)


def _drawn(pool: Sequence[AxisQuestion], count: int, *, seed: int) -> list[int]:
    """`count` prompt groups at random and a random comparison of each: every prompt is as likely as any other."""
    groups: dict[str, list[int]] = {}
    # Sorted, so that the draw hangs on the pool and the seed, and not on how a file was ordered.
    for number in sorted(range(len(pool)), key=lambda n: (pool[n].question.group, pool[n].question.id)):
        groups.setdefault(pool[number].question.group, []).append(number)
    rng = stream(seed, "study next/random part")
    names = sorted(groups)
    order = rng.permutation(len(names))[:count]
    return [groups[names[k]][int(rng.integers(len(groups[names[k]])))] for k in order]


def _for_axis(
    pool: Sequence[AxisQuestion],
    found: Sequence[AxisStanding],
    axis: str,
    share: int,
    *,
    used: Mapping[int, AxisProposal],
    seed: int,
) -> dict[int, AxisProposal]:
    """One axis's share, most of it where a majority is likely: what people tie on teaches the axis nothing.

    Categories in which they see no difference along it come last.
    """
    questions = [replace(one.question, margins=one.margins.get(axis, ())) for one in pool]
    chances = {one.category: one.chance for one in found}
    doubts = _doubts(
        pool, questions, axis, [chances.get(one.category, found[0].chance) for one in questions], seed=seed
    )
    silent = silent_parts(found)
    undecided = undecided_parts(found)
    weights = {category: chances[category] for category in undecided}
    ranked = sorted(doubts, key=lambda n: (questions[n].category in silent, *doubts[n].order))
    groups = {pool[number].question.group for number in used}
    why = f"for {axis}, {found[0].outcome}: {found[0].reasons[0]}; "
    taken = pick(questions, ranked, count=share, undecided=undecided, used=groups, weights=weights)
    return {
        number: AxisProposal(
            asked=pool[number], part="chosen", axis=axis, disagreement=doubts[number].nats,
            reason=why + said + doubts[number].text,
        )
        for number, said in taken.items()
    }  # fmt: skip


def _doubts(
    pool: Sequence[AxisQuestion], questions: Sequence[Question], axis: str, chances: Sequence[float], *, seed: int
) -> dict[int, Doubt]:
    """How open each comparison is on this axis: by its models where they are given, else by the votes it has.

    chances: that people will have a majority on each, by which a model's doubt counts. Without models and votes the
    order is drawn by the seed, by these chances as well.
    """
    if questions and all(question.margins for question in questions):
        return {
            n: replace(doubt, order=(doubt.order[0] * chances[n], doubt.order[1] * chances[n], doubt.order[2]))
            for n, doubt in margin_doubts(questions).items()
        }
    rng = stream(seed, f"study next/{axis}")
    places = sorted(range(len(pool)), key=lambda n: questions[n].id)
    drawn = dict(zip(places, rng.random(len(pool)).tolist(), strict=True))
    # u^(1/w), the largest first, is a draw without replacement in which w counts (Efraimidis & Spirakis 2006).
    return {
        n: _voted(one.tallies.get(axis), -(drawn[n] ** (1 / chances[n])), questions[n].id) for n, one in enumerate(pool)
    }


def _voted(tally: Tally | None, luck: float, name: str) -> Doubt:
    if tally is None:
        return Doubt(order=(-1 / 12, luck, name), nats=0.0, text="no vote on it yet")
    told = f"{tally.for_a} votes for answer a, {tally.for_b} for answer b, {tally.ties} for neither"
    return Doubt(order=(-tally.openness, luck, name), nats=0.0, text=told)
