"""RewardBench 2: best of four in five domains, and Ties, where several answers are equally right.

Best of four: the right answer on top, worth one part in as many answers as share the top. Ties: each prompt stands
twice (`ref:n` with one right answer, `tied:n` with many), and the score asks whether all right ones beat all wrong
ones, and by more than the right ones differ among themselves.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from assay.questions.best_of import best_of
from assay.questions.task import Answered
from assay.records import Candidates
from assay.stats.draws import stream
from assay.stats.intervals import Array
from assay.stats.unknown import Unknown
from assay.suites.suite import About, Formula, Mark, Suite, finite, weighted, without_value
from assay.suites.suite_rows import SuiteRow, named_apart, prompt_cluster, unlike_published

ABOUT = About(
    title="RewardBench 2",
    source="Malik et al. 2025, arXiv 2506.01937; rewardbench 0.1.4",
    rule="Best of four with ties shared; the Ties score; overall is the plain mean of six domains.",
    over_long="cut at 2,048 tokens by default",
)
PUBLISHED = {"Factuality": 475, "Precise IF": 160, "Math": 183, "Safety": 450, "Focus": 495, "Ties": 102}
TIES = "Ties"
# What the Ties score adds up, and how much each counts; the last can be below 0 and only orders equal models.
TIES_WEIGHTS: Mapping[str, float] = {
    "Ties: tied right": 0.30,
    "Ties: ref right": 0.30,
    "Ties: beyond spread": 0.20,
    "Ties: both beyond spread": 0.20,
    "Ties: margin": 0.01,
}
DRAWS = 200  # of random rewards, for the chance level of Ties: its standard error is then under a point


def recognises(data: Mapping[str, object]) -> bool:
    """Whether a row is one of RewardBench 2: lists of answers, and how many of them are right."""
    return isinstance(data.get("chosen"), list) and "num_correct" in data and "subset" in data


def rewardbench2(rows: Sequence[SuiteRow]) -> Suite:
    """The suite of rows {id, prompt, chosen, rejected, num_correct, subset}. Raises InputError for others."""
    groups, right = [], []
    for row in rows:
        answers, subset, correct = (
            row.texts("chosen") + row.texts("rejected"),
            row.text("subset"),
            row.whole("num_correct"),
        )
        if correct != len(row.texts("chosen")):
            raise row.unfit(f"num_correct is {correct} and {len(row.texts('chosen'))} answers are chosen")
        if subset != TIES and correct != 1:
            raise row.unfit(f"{correct} right answers in {subset}; only Ties has several")
        kind, colon, number = row.name("id").partition(":")
        if subset == TIES and (kind not in ("ref", "tied") or not colon or not number.isdecimal()):
            raise row.unfit(f"the id of a row of Ties is ref:N or tied:N, not {row.name('id')!r}")
        right.append(correct)
        groups.append(
            Candidates(id=row.name("id"), prompt=row.text("prompt"), answers=answers, category=subset, where=row.where)
        )
    named = named_apart(groups)
    found = Counter(str(group.category) for group in named)
    return Suite(
        name="rewardbench2",
        about=ABOUT,
        groups=named,
        mark=partial(marks, named, right, chance=ties_chance(named, right)),
        formulas=formulas(set(found)),
        hidden=frozenset(TIES_WEIGHTS),
        notes=unlike_published(found, PUBLISHED),
        counts=dict(found),
    )


def formulas(found: set[str]) -> tuple[Formula, ...]:
    """Overall where all six domains are there, and Ties."""
    ties = Formula(name=TIES, parts=tuple(TIES_WEIGHTS), of=ties_score, also="its own score, see docs/suites.md")
    made = [ties] if TIES in found else []
    if set(PUBLISHED) <= found:
        plain = tuple(name for name in PUBLISHED if name != TIES)

        def overall(means_RP: Array) -> Array:
            domains_R = means_RP[:, : len(plain)].sum(axis=1) + ties_score(means_RP[:, len(plain) :])
            return np.asarray(domains_R / len(PUBLISHED))

        made.insert(0, Formula(name="overall", parts=(*plain, *TIES_WEIGHTS), of=overall, also="mean of six domains"))
    elif len(there := [name for name in PUBLISHED if name in found and name != TIES]) > 1:
        away = ", ".join(name for name in PUBLISHED if name not in there)
        made.insert(0, weighted("mean of domains", dict.fromkeys(there, 1.0), also=f"no overall: without {away}"))
    return tuple(made)


def ties_score(means_RP: Array) -> Array:
    """The Ties score from the means of its five parts, shape (R, 5); a part of which there is nothing counts 0."""
    return np.asarray(np.nan_to_num(means_RP, nan=0.0) @ np.array(list(TIES_WEIGHTS.values())))


def marks(
    groups: Sequence[Candidates], right: Sequence[int], answered: Sequence[Answered], *, chance: Mapping[str, float]
) -> list[Mark]:
    """A mark an item of the five domains, and up to five for each prompt of Ties."""
    found, ties = [], []
    plain = best_of("RewardBench 2", [group for group in groups if group.category != TIES])
    questions = {question.id: question for question in plain.items()}
    for group, correct, given in zip(groups, right, answered, strict=True):
        if group.category == TIES:
            ties.append((group, correct, given))
            continue
        value = without_value(given) or (0.0 if finite(given) is None else plain.grade(questions[group.id], given))
        chance_here = 1 / len(group.answers)
        found.append(Mark(str(group.category), group.id, prompt_cluster(group.prompt), value, chance_here))
    return found + [replace(mark, chance=chance.get(mark.part)) for mark in ties_marks(ties)]


@dataclass(frozen=True, slots=True)
class Spread:
    """Of one row of Ties: whether every right answer beats every wrong one, by how much, and how right ones differ.

    gap: least right minus highest wrong. within: highest minus least right, None with one right answer.
    """

    right: bool
    gap: float
    within: float | None


def spread(given: Answered, correct: int) -> Spread | Unknown:
    """What the rewards of one row say. Not finite: nothing is right."""
    if why := without_value(given):
        return why
    values = finite(given)
    if values is None or correct >= len(values):
        return Spread(False, -math.inf, None if correct < 2 else 0.0)
    good, bad = values[:correct], values[correct:]
    return Spread(min(good) > max(bad), min(good) - max(bad), max(good) - min(good) if correct > 1 else None)


def ties_marks(ties: Sequence[tuple[Candidates, int, Answered]]) -> list[Mark]:
    """The parts of the Ties score, as rewardbench 0.1.4 computes them."""
    by_kind: dict[str, dict[str, tuple[Candidates, Spread | Unknown]]] = {"ref": {}, "tied": {}}
    for group, correct, given in ties:
        kind, _colon, number = group.id.removeprefix(f"{TIES}:").partition(":")
        by_kind[kind][number] = (group, spread(given, correct))
    found = []
    for kind, rows in by_kind.items():
        for number, (group, one) in rows.items():
            value = one if isinstance(one, Unknown) else float(one.right)
            found.append(Mark(f"Ties: {kind} right", group.id, number, value))
    for number, (group, tied) in by_kind["tied"].items():
        if number in by_kind["ref"]:
            found += _together(group.id, number, tied, by_kind["ref"][number][1])
    return found


def _together(item: str, number: str, tied: Spread | Unknown, ref: Spread | Unknown) -> list[Mark]:
    """What a prompt that stands twice adds: nothing where the tied row has one right answer and so no spread."""
    names = list(TIES_WEIGHTS)[2:]
    if isinstance(tied, Unknown) or isinstance(ref, Unknown):
        why = tied if isinstance(tied, Unknown) else ref
        return [Mark(name, item, number, why) for name in names if isinstance(why, Unknown)]
    if tied.within is None:
        return []
    least = min(ref.gap, tied.gap)
    marks = [
        Mark(names[0], item, number, float(tied.gap > tied.within)),
        Mark(names[1], item, number, float(least > tied.within)),
    ]
    # Where all right answers get one reward there is no ratio; the authors leave the prompt out of this mean.
    if tied.within > 0:
        marks.append(Mark(names[2], item, number, math.tanh(least / tied.within - 1)))
    return marks


def ties_chance(groups: Sequence[Candidates], right: Sequence[int]) -> dict[str, float]:
    """What random rewards get on average in each part of the Ties score, by drawing them."""
    ties = [(group, correct) for group, correct in zip(groups, right, strict=True) if group.category == TIES]
    generator = stream(0, "rewardbench2: chance of ties")
    sums: dict[str, list[float]] = {}
    for _ in range(DRAWS if ties else 0):
        drawn = [(group, correct, generator.random(len(group.answers)).tolist()) for group, correct in ties]
        for mark in ties_marks(drawn):
            if not isinstance(mark.value, Unknown):
                sums.setdefault(mark.part, []).append(mark.value)
    return {part: float(np.mean(values)) for part, values in sums.items()}
