"""The simulated support desk: cases drawn, pairs picked, votes cast, defects planted, the truth written down.

Knows the whole truth of every row; nothing outside this package may read it to judge the row.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from assay.artifacts.files import write_json, write_jsonl
from assay.errors import ConfigError
from assay.simulate.draws import simulation_stream, weighted
from assay.simulate.support import defects as planting
from assay.simulate.support.asking import brevity, hallucination, tone
from assay.simulate.support.case import Case
from assay.simulate.support.defects import Labelled
from assay.simulate.support.helping import helpfulness
from assay.simulate.support.permitting import refusals
from assay.simulate.support.utility import ANNOTATORS, MANNERS, WEIGHTS, Annotator, Answer, Side, vote

CATEGORIES: Mapping[str, Callable[[random.Random, int], Case]] = {
    "helpfulness": helpfulness,
    "tone": tone,
    "refusals": refusals,
    "hallucination": hallucination,
    "brevity": brevity,
}
TRUTH_SCHEMA = "simulation/1"
# Pairs of candidates nearer in utility than this are not sent to the annotators: nobody could tell them apart.
LEAST_APART = 0.6
LETTERS = "abcdefgh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Rows in assay's own layout, and everything that is true of them."""

    rows: list[dict[str, Any]]
    truth: dict[str, Any]

    def write(self, path: Path) -> Path:
        """Write the rows to `path` and the truth beside it, to `path`.truth.json; returns the truth's path."""
        write_jsonl(path, self.rows)
        beside = path.with_name(path.name + ".truth.json")
        write_json(beside, TRUTH_SCHEMA, self.truth)
        return beside


def support(pairs: int, *, seed: int = 0, defects: Mapping[str, float] | None = None) -> Simulation:
    """Exactly `pairs` labelled preference pairs of a support desk in five equal categories.

    defects: share of rows, by a name from DEFECTS; for position_bias the share of one annotator's votes.
    The same arguments give the same rows. Raises ConfigError for an unknown defect or a share that cannot be had.
    """
    rates = planting.checked(defects or {})
    if pairs < 1:
        raise ConfigError(f"pairs: expected a number of at least 1, got {pairs}.")
    annotators = _annotators(rates.get("position_bias", 0.0))
    labelled: list[Labelled] = []
    for place, category in enumerate(CATEGORIES):
        wanted = pairs // len(CATEGORIES) + (place < pairs % len(CATEGORIES))
        labelled += _label_category(category, wanted, seed=seed, annotators=annotators)
    simulation_stream(seed, "order").shuffle(labelled)
    labelled = _numbered(labelled)
    planted, rows = planting.plant(labelled, rates, seed=seed)
    return Simulation(rows=rows, truth=_truth(planted, seed=seed, rates=rates, annotators=annotators))


def _annotators(favours_left: float) -> tuple[Annotator, ...]:
    return (*ANNOTATORS[:2], replace(ANNOTATORS[2], favours_left=favours_left))


def _label_category(category: str, wanted: int, *, seed: int, annotators: tuple[Annotator, ...]) -> list[Labelled]:
    """Cases of one category until there are enough pairs; several candidates a case, two to four pairs of them."""
    cases, votes = simulation_stream(seed, f"cases/{category}"), simulation_stream(seed, f"votes/{category}")
    out: list[Labelled] = []
    number = 0
    while len(out) < wanted:
        case = CATEGORIES[category](cases, cases.choice((3, 4, 4, 5)))
        couples = _couples(cases, case.answers, most=weighted(cases, {2: 0.3, 3: 0.4, 4: 0.3}))
        if len(couples) < 2:
            continue
        for couple in couples[: wanted - len(out)]:
            out.append(_labelled(votes, case, couple, group=f"{category}/{number}", annotators=annotators))
        number += 1
    return out


def _couples(rng: random.Random, answers: tuple[Answer, ...], *, most: int) -> list[tuple[int, int]]:
    """Up to `most` couples of candidates far enough apart to be told apart; of equal texts only the first counts."""
    first = {answer.text: place for place, answer in reversed(tuple(enumerate(answers)))}
    couples = [
        (i, j)
        for i, j in combinations(sorted(first.values()), 2)
        if abs(answers[i].utility - answers[j].utility) >= LEAST_APART
    ]
    rng.shuffle(couples)
    return couples[:most]


def _labelled(
    rng: random.Random, case: Case, couple: tuple[int, int], *, group: str, annotators: tuple[Annotator, ...]
) -> Labelled:
    """One couple put before every annotator, sides drawn anew for each; the majority names the chosen answer."""
    first, second = (case.answers[place] for place in couple)
    picks: list[tuple[str, int, Side]] = []  # annotator, which of the couple was picked, where the first one stood
    biased = False
    for annotator in annotators:
        first_on: Side = "left" if rng.random() < 0.5 else "right"
        left, right = (first, second) if first_on == "left" else (second, first)
        side, unread = vote(rng, annotator, left=left, right=right)
        biased = biased or unread
        picks.append((annotator.name, 0 if side == first_on else 1, first_on))
    winner = int(sum(pick for _, pick, _ in picks) * 2 > len(picks))
    other: dict[Side, Side] = {"left": "right", "right": "left"}
    votes = []
    for name, pick, first_on in picks:
        chosen_on = first_on if winner == 0 else other[first_on]
        shown = "chosen" if chosen_on == "left" else "rejected"
        votes.append({"choice": "chosen" if pick == winner else "rejected", "annotator": name, "shown_left": shown})
    order = couple if winner == 0 else couple[::-1]
    return Labelled(
        id=f"{LETTERS[order[0]]}{LETTERS[order[1]]}", prompt=case.prompt, category=case.category, group=group,
        chosen=case.answers[order[0]], rejected=case.answers[order[1]], votes=votes, voted_unread=biased,
    )  # fmt: skip


def _numbered(labelled: list[Labelled]) -> list[Labelled]:
    """Names that tell nothing: groups by first appearance, rows by group and the letters of the couple."""
    names: dict[str, int] = {}
    out = []
    for row in labelled:
        number = names.setdefault(row.group, len(names))
        letters = "".join(sorted(row.id))
        out.append(replace(row, id=f"p-{number}-{letters}", group=f"support-{number}"))
    return out


def _truth(
    planted: planting.Planted, *, seed: int, rates: Mapping[str, float], annotators: tuple[Annotator, ...]
) -> dict[str, Any]:
    """What is known of these rows: oracle, utility, annotators, defects, and both utilities of every row."""
    before = [(row.category, row.chosen.utility > row.rejected.utility) for row in planted.clean]
    after = [
        (row.category, row.chosen.utility > row.rejected.utility)
        for row in planted.rows
        if row.id not in planted.indefinite
    ]
    return {
        "pairs": len(planted.rows),
        "seed": seed,
        "rates": dict(rates),
        "oracle": _accuracy(after),
        "oracle_without_defects": _accuracy(before),
        "agreement": dict(Counter(str(sum(v["choice"] == "chosen" for v in row.votes)) for row in planted.clean)),
        "annotators": [
            {name: getattr(annotator, name) for name in Annotator.__dataclass_fields__} for annotator in annotators
        ],
        "utility": {"weights": dict(WEIGHTS), "manners": {mood: dict(table) for mood, table in MANNERS.items()}},
        "defects": planted.truth,
        "rows": {row.id: {"utility": [row.chosen.utility, row.rejected.utility]} for row in planted.rows},
    }


def _accuracy(right: list[tuple[str, bool]]) -> dict[str, Any]:
    """Share of labels the sign of the true utility difference predicts, over all and by category."""
    by_category: dict[str, Any] = {}
    for category in CATEGORIES:
        hits = [hit for name, hit in right if name == category]
        by_category[category] = {"accuracy": sum(hits) / len(hits) if hits else None, "n": len(hits)}
    total = [hit for _, hit in right]
    return {"accuracy": sum(total) / len(total) if total else None, "n": len(total), "by_category": by_category}
