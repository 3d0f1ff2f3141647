"""Trials before a run: settings trained on a part of the training groups and held against the rest of them.

1) cut a validation slice out of the training groups, so that held-out pairs play no part; 2) sweep: every combination
of the values given; 3) remedies, each alone, on what the sweep chose; 4) write trials.json after every trial, so that a
killed run tries none twice. The accuracies of a choice among several are too good: what counts are the held-out pairs,
which no trial has seen.
"""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from assay.artifacts.files import sha256_json
from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.trials_body import TrialBody, TrialsBody
from assay.config import StageConfig
from assay.data import split
from assay.data.config import SplitConfig
from assay.data.grouped_split import Split
from assay.errors import SplitError
from assay.flows.dpo_evidence import without_highest_ches
from assay.flows.reward_stages import Gated
from assay.scorers.recorded import read_scored_pairs
from assay.stats.intervals import Interval, cluster_wilson
from assay.train import TrainResult
from assay.train.dpo.config import DpoRunConfig, Remedy
from assay.train.dpo.train_dpo import train_dpo
from assay.train.experiment import hash_pairs
from assay.train.precision_choice import PrecisionChoice

TRIALS = "trials.json"
AS_IT_IS = "as it is"
WHERE = {"beta": "dpo", "learning_rate": "train", "rpo_alpha": "dpo", "drop_ches": "dpo"}  # sections of options
BEST = "the highest accuracy on the validation slice; of equals, the setting whose chosen answers fell least"
CURED = "of the settings whose chosen answers did not fall, " + BEST
FELL_LEAST = "chosen answers fell under every setting: the one under which they fell least"
Settings = Mapping[str, float]
Notify = Callable[[str], None]


@dataclass(slots=True)
class Trials:
    """Trials under way: what they are trained on and held against, and what came of those that are over."""

    run: RunFolder
    parts: Split
    gated: Gated
    config: DpoRunConfig
    precision: PrecisionChoice
    notify: Notify
    key: str
    done: dict[str, TrialBody]

    def of(self, name: str, settings: Settings) -> TrialBody:
        """One trial, or what is known of it."""
        if name not in self.done:
            started = time.monotonic()
            self.done[name] = self._made(name, settings, started)
            self.write(choice=None, why="")
            trial = self.done[name]
            self.notify(
                f"trial      {name}: accuracy {trial.accuracy:.1%}, chosen {trial.chosen_change:+.2f}, rejected "
                f"{trial.rejected_change:+.2f} nats ({trial.seconds:.0f} s)"
            )
        return self.done[name]

    def _made(self, name: str, settings: Settings, started: float) -> TrialBody:
        config = with_settings(self.config, settings)
        folder = self.run.path("trials") / sha256_json([self.key, name])[7:19]
        pairs = without_highest_ches(
            self.run, self.parts.train, config.dpo.drop_ches, rendered=self.gated.rendered, model=config.model,
            notify=self.notify,
        )  # fmt: skip
        epochs = config.trials.epochs or config.train.epochs
        result = train_dpo(
            pairs,
            self.parts.held_out,
            seed=config.trials.seed,
            out=folder,
            rendered=self.gated.rendered,
            model=config.model,
            # The run's own store: what trials have asked of the reference, the run need not ask again.
            dpo=config.dpo.model_copy(
                update={"reference_store": config.dpo.reference_store or str(self.run.path("reference"))}
            ),
            watch=config.watch,
            config=config.train.model_copy(update={"epochs": epochs, "compile": "off", "report_to": ()}),
            precision=self.precision,
        )
        body = trial_body(name, settings, result, self.parts, level=config.audit.level, started=started)
        shutil.rmtree(folder)  # the figures are what was wanted, and a policy takes its base's size on disk
        return body

    def write(self, *, choice: str | None, why: str) -> None:
        TrialsBody(
            key=self.key,
            trained=len(self.parts.train),
            validation=len(self.parts.held_out),
            trials=tuple(self.done.values()),
            choice=choice,
            why=why,
        ).write(self.run.path(TRIALS))


def tried(
    run: RunFolder, parts: Split, gated: Gated, *, config: DpoRunConfig, precision: PrecisionChoice, notify: Notify
) -> tuple[DpoRunConfig, dict[str, JsonValue]]:
    """The options with what trials chose, and these choices by option. Raises SplitError for too few groups."""
    inner = validation_slice(parts, config)
    key = sha256_json(
        {
            **{name: group.model_dump(mode="json") for name, group in sections(config).items()},
            "train": hash_pairs(inner.train),
            "slice": hash_pairs(inner.held_out),
        }
    )
    notify(f"trials     {len(inner.train):,} pairs to train on, {len(inner.held_out):,} to validate on, none held out")
    trials = Trials(run, inner, gated, config, precision, notify, key, known(run, key))
    swept = [trials.of(name_of(settings), settings) for settings in combinations(config.trials.sweep)]
    best = best_of(swept) if swept else None
    settings = floats(best.settings) if best else {}
    why = BEST
    if config.trials.remedy:
        first = best or trials.of(AS_IT_IS, {})
        treated = [
            trials.of(f"{name}, {remedy}" if (name := name_of(settings)) != AS_IT_IS else remedy, changed)
            for remedy in config.trials.remedy
            for changed in [{**settings, **treatment(remedy, with_settings(config, settings))}]
        ]
        best, why = best_cure([first, *treated])
        settings = floats(best.settings)
    assert best is not None
    shutil.rmtree(run.path("trials"), ignore_errors=True)
    trials.write(choice=best.name, why=why)
    notify(f"trials     {best.name} is taken: {why}")
    chosen: dict[str, JsonValue] = {f"{WHERE[name]}.{name}": value for name, value in settings.items()}
    return with_settings(config, settings), chosen


def validation_slice(parts: Split, config: DpoRunConfig) -> Split:
    """The training pairs cut in two by whole groups."""
    options = SplitConfig(holdout=config.trials.validation, rounding="nearest", seed=config.trials.seed)
    inner = split(parts.train, config=options, groups=parts.train_groups)
    if not inner.train or not inner.held_out:
        raise SplitError(
            f"A validation slice of about {config.trials.validation} pairs leaves nothing of the "
            f"{len(parts.train)} training pairs. Lower trials.validation."
        )
    return inner


def sections(config: DpoRunConfig) -> dict[str, StageConfig]:
    """The options that a trial depends on."""
    return {name: getattr(config, name) for name in ("model", "dpo", "watch", "trials", "train")}


def known(run: RunFolder, key: str) -> dict[str, TrialBody]:
    """Trials of these options that are over already."""
    path = run.path(TRIALS)
    if not path.exists():
        return {}
    body = TrialsBody.read(path)
    return {trial.name: trial for trial in body.trials} if body.key == key else {}


def combinations(sweep: Mapping[str, Sequence[float]]) -> list[Settings]:
    """Every combination of the values, in the order given."""
    if not sweep:
        return []
    return [dict(zip(sweep, values, strict=True)) for values in itertools.product(*sweep.values())]


def treatment(remedy: Remedy, config: DpoRunConfig) -> Settings:
    """What one remedy sets."""
    match remedy:
        case "drop_ches":
            return {"drop_ches": config.trials.drop_ches}
        case "sft":
            return {"rpo_alpha": config.trials.rpo_alpha}
        case "lower_rate":
            return {"learning_rate": config.train.learning_rate * config.trials.lower_rate}


def with_settings(config: DpoRunConfig, settings: Settings) -> DpoRunConfig:
    """The options with some of them set."""
    for name, value in settings.items():
        section = getattr(config, WHERE[name])
        config = config.model_copy(update={WHERE[name]: section.model_copy(update={name: value})})
    return config


def name_of(settings: Settings) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.items()) or AS_IT_IS


def floats(settings: Mapping[str, JsonValue]) -> dict[str, float]:
    return {name: float(value) for name, value in settings.items() if isinstance(value, int | float)}


def best_of(trials: Sequence[TrialBody]) -> TrialBody:
    """The trial with the highest accuracy; of equals, the one whose chosen answers fell least."""
    return max(trials, key=lambda one: (one.accuracy, one.chosen_change))


def best_cure(trials: Sequence[TrialBody]) -> tuple[TrialBody, str]:
    """The best of those that do not make chosen answers less likely, and the rule by which it was found."""
    cured = [one for one in trials if one.chosen_change >= 0]
    if cured:
        return best_of(cured), CURED
    return max(trials, key=lambda one: one.chosen_change), FELL_LEAST


def trial_body(
    name: str, settings: Settings, result: TrainResult, parts: Split, *, level: float, started: float
) -> TrialBody:
    """What came of one trial."""
    right = [float(one.numbers.margin > 0) for one in read_scored_pairs(result.scores_path)]
    interval = cluster_wilson(right, parts.held_out_groups, level=level)
    figures = {key: float(value) for key, value in result.figures.items() if value is not None}
    return TrialBody(
        name=name,
        settings=dict(settings),
        accuracy=figures["accuracy"],
        interval=IntervalBody.model_validate(interval.to_dict()) if isinstance(interval, Interval) else None,
        margin=figures["margin"],
        chosen_change=figures["chosen_change"],
        rejected_change=figures["rejected_change"],
        kl=figures.get("kl"),
        pairs=len(right),
        seconds=round(time.monotonic() - started, 1),
    )
