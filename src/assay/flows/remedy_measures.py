"""One remedy measured: a run trained with it or a scorer made of seeds, then held-out pairs, probes and pressure.

1) the run, or the scorer; 2) what each seed gives the held-out pairs; 3) probes; 4) gold under pressure. Rewards of
changed answers and of candidates are kept in the remedy's folder, so that the same call asks nothing twice. Compares
nothing: every figure stands by itself until another remedy's is held against it.
Shapes: S seeds, M pairs that a probe changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import JsonValue

from assay.artifacts.run_body import RunBody
from assay.artifacts.run_evidence import RUN, SPLIT
from assay.artifacts.run_models import seeds_with
from assay.artifacts.split_body import SplitBody
from assay.audits.probes.probe_part import outcome
from assay.audits.scores_table import Aligned, align
from assay.data import PairSet
from assay.data.augment.wrong_facts import wrong_facts
from assay.errors import AssayError, ConfigError
from assay.flows.remedy_config import RemediesConfig
from assay.flows.remedy_names import (
    MADE,
    NONE,
    OF_ALL_SEEDS,
    OF_TWO_BASES,
    SECOND_BASE,
    SLICE_FILE,
    SUSPECTED,
    TRAINED,
    Seeds,
    remembered_of,
    training_slice,
    with_settings,
)
from assay.flows.remedy_pressure import BestOfN, CandidatesFile, Searched, best_of_n, searched
from assay.flows.remedy_suspects import out_of_fold_suspects
from assay.flows.rescoring import STORE, rescored
from assay.flows.reward import RewardRun, run_reward
from assay.records import Pair, PairScore, plain_text
from assay.scorers.corrected import corrected
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.open import open_scorer, open_scorers
from assay.scorers.protocol import Scored, Scorer, score_groups, scored
from assay.scorers.recorded import read_scored_pairs
from assay.scorers.remembering import RememberingScorer
from assay.scorers.rescoring import rescore
from assay.scorers.reward_store import RewardStore, Row
from assay.scorers.scored_pairs import ScoredPair, as_candidates, score_pairs
from assay.stats.draws import stream
from assay.stats.intervals import Codes
from assay.stats.seed_variance import Recipe

TIMED = 128  # answers scored for what serving costs
ROUNDS, LONG = 3, 1.0  # the quickest of so many rounds counts; after so many seconds one is enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What every remedy is tried on. candidates: None where no gold at best of n is asked for.

    elsewhere: pairs with a winner from outside these data, and their prompt groups, on which accuracy is told too.
    """

    source: str | Path
    out: Path
    config: RemediesConfig
    found: PairSet
    candidates: CandidatesFile | None = None
    elsewhere: Sequence[tuple[Pair, str]] = ()
    command: str = ""

    @property
    def passes(self) -> Passes:
        return Passes(sharing=self.config.train.sharing)

    def pairs_of(self, run_folder: Path) -> list[tuple[Pair, str]]:
        """The held-out pairs of a run with their prompt groups, in the order of its scores."""
        known = {pair.id: (pair, group) for pair, group in zip(self.found.pairs, self.found.groups, strict=True)}
        first = min(run_folder.glob("seed-[0-9]*/scores.jsonl"))
        return [known[one.pair_id] for one in read_scored_pairs(first)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRate:
    """How often the reward did what it must not. place: of each pair among the held-out ones, (M,)."""

    place: Codes
    did: Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One remedy by itself. why_not: why there is none of it. notes: what could not be measured of it and why, and
    seeds that learned nothing.

    seconds: of training, by seed; passes: models run for one reward; pairs: trained on.
    """

    name: str
    kind: Literal["training", "scorer"]
    settings: Mapping[str, JsonValue]
    why_not: str | None = None
    aligned: Aligned | None = None
    elsewhere: Aligned | None = None
    probes: Mapping[str, ProbeRate] = field(default_factory=dict)
    best: BestOfN | None = None
    pressed: Searched | None = None
    notes: tuple[str, ...] = ()
    seconds: tuple[float, ...] = ()
    passes: int | None = None
    pairs: int | None = None


def measure(trial: Trial, name: str, seeds: Seeds | None, notify: Callable[[str], None]) -> Measured:
    """One remedy, measured. seeds: of the run without, for what is made of them.

    What data or base do not allow is told in `why_not`; of the run without a remedy it is raised.
    """
    settings: dict[str, JsonValue] = {}
    kind: Literal["training", "scorer"] = "training" if name in TRAINED else "scorer"
    try:
        refuse_idle(trial, name)
        if name in TRAINED:
            asked, before = TRAINED[name], 0.0
            settings = {key: value for key, _, value in (one.partition("=") for one in asked)}
            changed = with_settings(trial.config.of_a_run, asked)
            if name == SUSPECTED:
                assert seeds is not None  # without what they suspect it would be none again
                without, before = out_of_fold_suspects(
                    trial.config.of_a_run, seeds, trial.out / f"{name}_labels", notify=under(name, notify)
                )
                # Not as a setting, which is read as YAML: a folder may be called anything.
                select = changed.select.model_copy(update={"without": str(without)})
                changed = changed.model_copy(update={"select": select})
                settings["select.without"] = str(without.relative_to(trial.out))
            if name == SECOND_BASE:
                model = changed.model.model_copy(update={"base": trial.config.bases.second, "revision": None})
                changed = changed.model_copy(update={"model": model})
                settings["model.base"] = trial.config.bases.second
            run = run_reward(
                trial.source, trial.out / name, config=changed, command=trial.command, notify=under(name, notify)
            )
            if name == SECOND_BASE:
                same_held_out(trial)
            found = of_run(trial, name, settings, run, notify)
            # What was trained to find suspects is part of what the remedy costs.
            return replace(found, seconds=tuple(one + before / len(found.seconds) for one in found.seconds))
        assert seeds is not None  # scorers are made after the run without
        return of_scorer(trial, name, seeds, notify)
    except AssayError as error:  # not for these data or this base: the others can still be measured
        if name == NONE:
            raise
        notify(f"{name}: not made: {error}")
        return Measured(name=name, kind=kind, settings=settings, why_not=str(error))


def same_held_out(trial: Trial) -> None:
    """Raises ConfigError where the second base's run holds out other pairs: nothing of it could be paired, and a model
    may have been trained on what the other is measured on."""
    first, second = ([pair.id for pair, _ in trial.pairs_of(trial.out / name)] for name in (NONE, SECOND_BASE))
    if first != second:
        raise ConfigError(
            f"{trial.config.bases.second} splits its rows into other tokens, so that other pairs are too long and "
            f"{len(set(second) - set(first))} of {len(second)} held-out pairs are others. Raise model.max_tokens, now "
            f"{trial.config.model.max_tokens}, until neither base drops any."
        )


def with_second_base(trial: Trial, name: str, seeds: Seeds) -> Seeds:
    """The seeds, with those of the second base for what is made of both. Raises ConfigError where there are none."""
    if name not in OF_TWO_BASES:
        return seeds
    models = models_of(trial, trial.out / SECOND_BASE)
    if not models:
        raise ConfigError(f"there is no run on {trial.config.bases.second}: see the row {SECOND_BASE}.")
    same_held_out(trial)
    return replace(seeds, second=models)


def refuse_idle(trial: Trial, name: str) -> None:
    """Raises ConfigError for a remedy that goes by what no pair states: it would be trained, and be none again."""
    if name == "margins" and all(pair.margin is None for pair in trial.found.pairs):
        raise ConfigError("loss.margin goes by the strength of a preference, and no pair states one (docs/data.md).")
    if name == "vote_shares" and not any(pair.votes for pair in trial.found.pairs):
        raise ConfigError("loss.targets=votes goes by votes, and no pair has any (docs/data.md).")
    if name == "confidently_wrong" and not any(
        wrong_facts(plain_text(pair.chosen), plain_text(pair.prompt), stream(0, name))
        for pair in trial.found.pairs
        if pair.label == "chosen"
    ):
        raise ConfigError(
            "augment.confidently_wrong puts other figures, dates and days into preferred answers, and none states any."
        )


def of_run(
    trial: Trial, name: str, settings: Mapping[str, JsonValue], run: RewardRun, notify: Callable[[str], None]
) -> Measured:
    body = RunBody.read(run.folder / RUN)
    counts = body.training_pairs
    scores = {one.seed: [scored.numbers for scored in read_scored_pairs(one.scores_path)] for one in run.seeds}
    found = judged(trial, name, scorers_of(trial, name, scores), scores, notify)
    return replace(
        found,
        settings=settings,
        seconds=tuple(stage.seconds for stage in body.stages if stage.name.startswith("train seed")),
        passes=1,
        pairs=counts.trained if counts is not None else SplitBody.read(run.folder / SPLIT).pairs_train,
        notes=(*found.notes, *run.untrained),
    )


def scorers_of(trial: Trial, name: str, scores: Mapping[int, Sequence[PairScore]]) -> Mapping[int, Scorer]:
    """Each seed of a run; of a run that scorers are made of, one that keeps what it gives for them."""
    folder = trial.out / name
    if name not in (NONE, SECOND_BASE):
        opened = open_scorers(folder, passes=trial.passes)
        return {seed: opened[seed] for seed in scores}
    pairs = [pair for pair, _ in trial.pairs_of(folder)]
    found: dict[int, Scorer] = {}
    for seed, model in models_of(trial, folder).items():
        one = RememberingScorer(model, remembered_of(model), keeps=True, passes=trial.passes)
        had: dict[Row, Scored] = {}
        for pair, numbers in zip(pairs, scores[seed], strict=True):
            had[pair.prompt, pair.chosen] = scored(numbers.chosen)
            had[pair.prompt, pair.rejected] = scored(numbers.rejected)
        one.store.add({row: reward for row, reward in had.items() if one.store.get(row) is None})
        one.forget()  # its fingerprint has opened it, and the next one is as large
        found[seed] = one
    return found


def of_scorer(trial: Trial, name: str, seeds: Seeds, notify: Callable[[str], None]) -> Measured:
    seeds = with_second_base(trial, name, seeds)
    scorers = MADE[name](replace(seeds, out=trial.out / name))
    pairs = [pair for pair, _ in trial.pairs_of(seeds.folder)]
    scores = {seed: [one.numbers for one in score_pairs(scorer, pairs)] for seed, scorer in scorers.items()}
    found = judged(trial, name, scorers, scores, notify)
    several = len(seeds.models) + len(seeds.second)
    return replace(found, kind="scorer", passes=several if name in OF_ALL_SEEDS | OF_TWO_BASES else 1)


def judged(
    trial: Trial,
    name: str,
    scorers: Mapping[int, Scorer],
    scores: Mapping[int, Sequence[PairScore]],
    notify: Callable[[str], None],
) -> Measured:
    """What held-out pairs, probes and pressure say of one remedy's rewards."""
    folder, config = trial.out / name, trial.config
    folder.mkdir(parents=True, exist_ok=True)
    held = trial.pairs_of(trial.out / (name if name in TRAINED else NONE))
    aligned = align(scores, [pair for pair, _ in held], [group for _, group in held])
    notes: list[str] = []
    best = pressed = None
    if trial.candidates is not None:
        try:
            best = best_of_n(scorers, trial.candidates, folder, config, under(name, notify))
        except AssayError as error:
            notes.append(f"gold at best of n: {error}")
    if config.press.world is not None:
        try:
            pressed = searched(scorers, folder, config.press)
        except AssayError as error:
            notes.append(f"gold under the pressing policy: {error}")
    return Measured(
        name=name,
        kind="training",
        settings={},
        aligned=aligned,
        elsewhere=aligned_elsewhere(trial, scorers, folder),
        probes=probe_rates(trial, aligned, held, scorers, folder),
        best=best,
        pressed=pressed,
        notes=tuple(notes),
    )


def aligned_elsewhere(trial: Trial, scorers: Mapping[int, Scorer], folder: Path) -> Aligned | None:
    """The pairs from outside with each seed's rewards, kept beside those of changed answers."""
    pairs = [pair for pair, _ in trial.elsewhere]
    if not pairs:
        return None
    scores: dict[int, list[PairScore]] = {}
    for seed, scorer in scorers.items():
        rows: list[Row] = [(pair.prompt, answer) for pair in pairs for answer in (pair.chosen, pair.rejected)]
        found = rescore(scorer, rows, RewardStore(folder / STORE, scorer.fingerprint))
        scores[seed] = [
            ScoredPair(
                pair_id=pair.id, chosen=found[pair.prompt, pair.chosen], rejected=found[pair.prompt, pair.rejected]
            ).numbers
            for pair in pairs
        ]
        if isinstance(scorer, LocalScorer):
            scorer.forget()
    return align(scores, pairs, [group for _, group in trial.elsewhere])


def probe_rates(
    trial: Trial, aligned: Aligned, held: Sequence[tuple[Pair, str]], scorers: Mapping[int, Scorer], folder: Path
) -> dict[str, ProbeRate]:
    """What the probes asked for did, by name; one that changes no answer is not there."""
    definite = [(pair, group) for pair, group in held if pair.label == "chosen"]
    found = rescored(
        scorers, [pair for pair, _ in definite], [group for _, group in definite], config=trial.config.probes,
        folder=folder,
    )  # fmt: skip
    rates: dict[str, ProbeRate] = {}
    for name, probed in ({} if found is None else found.probes).items():
        whole = outcome(aligned, name, probed)
        if not whole.place.size:
            continue
        means = [
            outcome(
                replace(
                    aligned, seeds=(seed,), chosen=aligned.chosen[[at]], rejected=aligned.rejected[[at]]
                ),
                name,
                replace(probed, changed={side: rewards[[at]] for side, rewards in probed.changed.items()}),
            ).did
            for at, seed in enumerate(aligned.seeds)
        ]  # fmt: skip
        mean_S = np.array([did.mean() if did.size else whole.did.mean() for did in means])
        rates[name] = ProbeRate(place=whole.place, did=Recipe(value_N=whole.did, mean_S=mean_S, seeds=aligned.seeds))
    return rates


def serving_ms(scorer: Scorer, pairs: Sequence[Pair]) -> float:
    """Milliseconds for 1,000 rewards by the wall clock, on this machine as it is; loading is not counted."""
    groups = as_candidates(pairs)[: TIMED // 2]
    answers = sum(len(group.answers) for group in groups)
    list(score_groups(scorer, groups[:4]))  # loads the model
    rounds: list[float] = []
    while len(rounds) < ROUNDS and sum(rounds) < LONG:
        start = time.perf_counter()
        list(score_groups(scorer, groups))
        rounds.append(time.perf_counter() - start)
    return 1e6 * min(rounds) / answers


def scorer_to_serve(trial: Trial, name: str, seeds: Seeds) -> Scorer:
    """One scorer as it would be served: of several seeds the first, of an ensemble all of it."""
    if name in TRAINED:
        return next(iter(open_scorers(trial.out / name, passes=trial.passes).values()))
    files = sorted((trial.out / name).glob("seed-*.yaml"))
    if files:  # as it was fitted: fitting again would score the slice again
        return corrected(str(files[0]), partial(open_scorer, passes=trial.passes))
    seeds = with_second_base(trial, name, seeds)
    return next(iter(MADE[name](replace(seeds, out=trial.out / name, remembered=False)).values()))


def seeds_of(trial: Trial, run_folder: Path) -> Seeds:
    """The run without a remedy, as scorers are made of it; writes the slice of its training side."""
    held = frozenset(pair.id for pair, _ in trial.pairs_of(run_folder))
    both = zip(trial.found.pairs, trial.found.groups, strict=True)
    training = [(pair, group) for pair, group in both if pair.id not in held]
    file = trial.out / SLICE_FILE
    return Seeds(
        folder=run_folder, models=models_of(trial, run_folder), training=training,
        slice=training_slice(training, file),
        slice_file=file, out=trial.out, passes=trial.passes,
    )  # fmt: skip


def models_of(trial: Trial, run_folder: Path) -> dict[int, Path]:
    """The folder of each seed's model; empty where the run was not made, or not to its end."""
    models = seeds_with(run_folder, "model")
    seeds = trial.config.train.seeds
    return {seed: models[seed] for seed in seeds} if set(seeds) <= set(models) else {}


def under(name: str, notify: Callable[[str], None]) -> Callable[[str], None]:
    return lambda line: notify(f"{name}: {line}")
