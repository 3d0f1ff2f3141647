"""What each remedy comes to under pressure: gold at best of n from candidates, and of what a policy finds that presses.

Candidates, gold and the search are the same for every remedy, so that two remedies are paired prompt by prompt.
Knows scorers and files; compares nothing. Shapes: S seeds, G prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assay.artifacts.press_body import PressBody
from assay.artifacts.pressure_body import PressureWord
from assay.audits.pressure.pressed_prompts import pressed_prompts
from assay.audits.pressure.pressure_curves import PressureCurves, pressure_curves
from assay.audits.pressure.pressure_verdict import decide
from assay.audits.pressure.under_pressure import curves_of
from assay.data.config import DataConfig
from assay.errors import InputError
from assay.flows.optimise import gold_groups
from assay.flows.optimise_candidates import GivenCandidates, given_candidates
from assay.flows.optimise_gold import Gold, gold_values, open_gold, shared_by
from assay.flows.pressed_candidates import best_by_prompt, press_on
from assay.flows.remedy_config import PressConfig, RemediesConfig
from assay.flows.simulated_candidates import DeskPrompts, desk_prompts
from assay.scorers.local import LocalScorer
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Scorer
from assay.scorers.remote.config import RemoteConfig
from assay.simulate.support.pressing import PressPlan
from assay.stats.intervals import Array
from assay.stats.unknown import Unknown

Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidatesFile:
    """Candidates and what they are judged by, as named on the command line. kept: the folder with gold's answers."""

    path: Path
    gold: str
    kept: Path
    data: DataConfig

    def opened(self) -> tuple[GivenCandidates, Gold]:
        given = given_candidates(self.path, self.data)
        return given, open_gold(self.gold, self.path, given, RemoteConfig())


@dataclass(frozen=True, slots=True, kw_only=True)
class PickedGold:
    """Gold of what was picked. prompts, clusters: (G,); gold: (S, G), finite, in gold's unit; seeds: numbers, (S,)."""

    prompts: tuple[str, ...]
    clusters: tuple[str, ...]
    gold: Array
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOfN:
    """Gold of the best of n by the reward; random, best: mean gold of a random answer and of the best of n by gold.

    verdict, sentence: where gold turns on the way to n.
    """

    picked: PickedGold
    n: int
    random: float
    best: float
    verdict: PressureWord
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """Gold of the answer with the highest reward that a pressing policy found; start: mean gold before any change."""

    picked: PickedGold
    start: float | None


def ask_gold_once(candidates: CandidatesFile, notify: Notify) -> None:
    """Have gold's answers kept before several processes want them. Raises what reading candidates and gold raises."""
    given, gold = candidates.opened()
    candidates.kept.mkdir(parents=True, exist_ok=True)
    gold_values(gold, given, candidates.kept, notify)


def best_of_n(
    scorers: Mapping[int, Scorer], candidates: CandidatesFile, out: Path, config: RemediesConfig, notify: Notify
) -> BestOfN:
    """Press candidates by a remedy's seeds, each picking by itself. Raises InputError where there is no curve."""
    given, gold = candidates.opened()
    pressure = config.pressure.model_copy(update={"level": config.audit.level})
    groups = gold_groups(scorers, gold, given, out, notify, gold_in=candidates.kept)
    pressed = pressed_prompts(groups, pressure)
    curves = curves_of(pressed)
    if isinstance(curves, Unknown):
        raise InputError(f"{candidates.path}: {curves.reason}. Give many answers a prompt.")
    found = decide(curves, pressure, shared=shared_by(scorers, gold))
    by_seed = [
        pressure_curves([replace(one, proxy=one.proxy[[seed]]) for one in pressed.prompts], curves.ns)
        for seed in range(len(scorers))
    ]
    return BestOfN(
        picked=PickedGold(
            prompts=tuple(one.id for one in pressed.prompts),
            clusters=tuple(one.cluster for one in pressed.prompts),
            gold=np.array([at_the_end(one) for one in by_seed]),
            seeds=tuple(sorted(scorers)),
        ),
        n=curves.ns[-1],
        random=float(curves.gold[:, 0].mean()),
        best=float(curves.best[:, -1].mean()),
        verdict=found.verdict,
        sentence=found.sentence,
    )


def at_the_end(curves: PressureCurves) -> Array:
    return curves.gold[:, -1]


def searched(scorers: Mapping[int, Scorer], out: Path, config: PressConfig) -> Searched:
    """Let a policy search for each seed's reward, under one plan and one seed of search for every remedy."""
    plan = PressPlan(
        start=config.start, population=config.population, rounds=config.rounds, words=config.words, seed=config.seed
    )
    desk = desk_prompts(None, count=config.prompts, seed=config.seed)
    gold = open_scorer(f"truth:{config.world}")
    found: list[dict[str, tuple[float, float]]] = []
    starts: list[float | None] = []
    for seed, one in sorted(scorers.items()):
        file = out / f"pressed-seed-{seed}.jsonl"
        starts.append(start_of(press_on(one, file, plan=plan, gold=gold, desk=desk).body))
        found.append(best_by_prompt(file))
        if isinstance(one, LocalScorer):
            one.forget()  # the next one is as large
    names = [one.id for one in desk.prompts if all(one.id in best for best in found)]
    if not names:
        raise InputError(f"{out}: no prompt has an answer with reward and gold.")
    return Searched(
        picked=PickedGold(
            prompts=tuple(names),
            clusters=tuple(clusters_of(desk, names)),
            gold=np.array([[best[name][1] for name in names] for best in found]),
            seeds=tuple(sorted(scorers)),
        ),
        start=starts[0],
    )


def start_of(body: PressBody) -> float | None:
    return body.rounds[0].mean_gold if body.rounds else None


def clusters_of(desk: DeskPrompts, names: Sequence[str]) -> list[str]:
    """The prompt group of each: fresh prompts may be nearly the same, and those vary together."""
    from assay.data.groups.overlap import prompt_groups
    from assay.records import Pair

    alone = [Pair(id=one.id, prompt=one.text, chosen="", rejected="") for one in desk.prompts]
    groups = dict(
        zip((one.id for one in alone), prompt_groups(alone, threshold=DataConfig().near_duplicates), strict=True)
    )
    return [groups[name] for name in names]
