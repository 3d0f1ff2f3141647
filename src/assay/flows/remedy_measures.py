"""One remedy measured: a run trained with it or a scorer made of seeds, then held-out pairs, probes and pressure.

1) the run, or the scorer; 2) what each seed gives the held-out pairs; 3) probes; 4) gold under pressure. Rewards of
changed answers and of candidates are kept in the remedy's folder, so that the same call asks nothing twice. Compares
nothing: every figure stands by itself until another remedy's is held against it.
Shapes: S seeds, M pairs that a probe changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import JsonValue

from assay.artifacts.run_body import RunBody
from assay.artifacts.run_evidence import RUN, SPLIT
from assay.artifacts.split_body import SplitBody
from assay.audits.probes.probe_part import outcome
from assay.audits.scores_table import Aligned, align
from assay.data.augment.wrong_facts import wrong_facts
from assay.errors import AssayError, ConfigError
from assay.flows.remedy_names import (
    MADE,
    NONE,
    OF_ALL_SEEDS,
    OF_TWO_BASES,
    SECOND_BASE,
    SUSPECTED,
    TRAINED,
    Seeds,
    remembered_of,
    with_settings,
)
from assay.flows.remedy_pressure import best_of_n, searched
from assay.flows.remedy_suspects import out_of_fold_suspects
from assay.flows.remedy_trial import Measured, ProbeRate, Trial, models_of, same_held_out, with_second_base
from assay.flows.rescoring import STORE, rescored
from assay.flows.reward import RewardRun, run_reward
from assay.records import Pair, PairScore, plain_text
from assay.scorers.local import LocalScorer
from assay.scorers.open import open_scorers
from assay.scorers.protocol import Scored, Scorer, scored
from assay.scorers.recorded import read_scored_pairs
from assay.scorers.remembering import RememberingScorer
from assay.scorers.rescoring import rescore
from assay.scorers.reward_store import RewardStore, Row
from assay.scorers.scored_pairs import ScoredPair, score_pairs
from assay.stats.draws import stream
from assay.stats.seed_variance import Recipe


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


def under(name: str, notify: Callable[[str], None]) -> Callable[[str], None]:
    return lambda line: notify(f"{name}: {line}")
