"""Each remedy on one's own data: one run a remedy and one without, on the same split, and a table of what each buys.

1) name the remedies, so that a typing error costs no training; 2) a run in a folder of its own for each, none first;
3) remedies that are scorers, made of the seeds of the run without; 4) every figure paired with that run's, pair by
pair. The table is written after every remedy. Killed anywhere, the same call goes on: finished seeds are not trained
again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from assay import data
from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.remedies_body import RemediesBody, RemedyFigure, RemedyRow
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_evidence import RUN
from assay.audits.compare.accuracy_difference import difference
from assay.audits.compare.config import CompareConfig
from assay.audits.compare.two_sides import TwoSides
from assay.audits.config import AuditConfig
from assay.audits.pairs.length import matched
from assay.audits.probes.probe_meanings import MEANING_OF
from assay.audits.scores_table import Aligned, Mask, align
from assay.config import merge_setting
from assay.errors import AssayError, ConfigError
from assay.flows.reward import RewardRun, run_reward
from assay.records import Pair, PairScore
from assay.report.remedies_table import write_table
from assay.scorers.averaged import averaged
from assay.scorers.ensemble import EnsembleScorer, Rule
from assay.scorers.open import open_scorers
from assay.scorers.protocol import Scorer
from assay.scorers.recorded import read_scored_pairs
from assay.scorers.scored_pairs import score_pairs
from assay.stats.intervals import Interval, cluster_wilson
from assay.train.reward_config import RewardConfig
from assay.version import __version__

NONE, TABLE = "none", "remedies.json"
# What each sets over the run without. Strengths are those of the papers, or small ones where they name none.
TRAINED: Mapping[str, Sequence[str]] = {
    NONE: (),
    "verbosity": ("augment.verbosity=0.2",),
    "rrm": ("augment.rrm=0.5",),
    "text": ("regularise.text=0.01",),
    "consistency": ("regularise.consistency=0.1",),
    "odin": ("regularise.odin=on",),
    "margins": ("loss.margin=subtract",),
    "smoothing": ("loss.label_smoothing=0.1",),
    "flips": ("loss.flip_share=0.1",),
    "dropout": ("model.dropout=0.1",),
    "early_stopping": ("stopping.patience=2",),
    "vote_shares": ("loss.targets=votes",),
    "vote_weights": ("select.weight=votes",),
    "unanimous": ("select.min_agreement=1",),
}
RULES: Mapping[str, Rule] = {
    "ensemble_mean": "mean",
    "ensemble_worst": "worst",
    "ensemble_uncertainty": "uncertainty",
}
SCORERS = ("averaged", *RULES)
NAMES = (*TRAINED, *SCORERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedies:
    """The table, and the folder that holds it with a run for each remedy."""

    folder: Path
    body: RemediesBody


def remedy_names(asked: str) -> tuple[str, ...]:
    """The remedies that "all", or names with commas between, mean; without any first. Raises ConfigError.

    >>> remedy_names("odin, averaged")
    ('none', 'odin', 'averaged')
    """
    names = list(NAMES) if asked.strip() == "all" else [name.strip() for name in asked.split(",") if name.strip()]
    odd = next((name for name in names if name not in NAMES), None)
    if odd is not None:
        raise ConfigError(f"--remedies {asked}: there is no remedy {odd!r}. Give all, or some of {', '.join(NAMES)}.")
    return tuple(dict.fromkeys([NONE, *names]))


def run_remedies(
    source: str | Path,
    out: Path,
    *,
    config: RewardConfig,
    asked: str = "all",
    command: str = "",
    notify: Callable[[str], None] = lambda _line: None,
) -> Remedies:
    """Try remedies on `source`, each in out/NAME, and write remedies.json and remedies.md.

    config: of the run without; a remedy's settings stand over it. A remedy that these data or this base do not allow is
    a row that says why. Raises ConfigError for a name there is not, and whatever the run without raises.
    """
    names = remedy_names(asked)
    plain = run_reward(source, out / NONE, config=config, command=command, notify=_under(NONE, notify))
    table = Table(pairs=held_out_pairs(source, plain, config), plain=plain, audit=config.audit)
    rows: list[RemedyRow] = []
    for row in _rows(names, table, source, out, config=config, notify=notify):
        rows.append(row)
        body = RemediesBody(
            command=command,
            data=str(source),
            base=config.model.base,
            seeds=config.train.seeds,
            held_out=table.without.n,
            level=config.audit.level,
            rows=tuple(rows),
            assay_version=__version__,
        )
        body.write(out / TABLE)
        write_table(body, out / "remedies.md")
    return Remedies(folder=out, body=body)


def _rows(
    names: Sequence[str],
    table: Table,
    source: str | Path,
    out: Path,
    *,
    config: RewardConfig,
    notify: Callable[[str], None],
) -> Iterator[RemedyRow]:
    for name in names:
        if name == NONE:
            yield table.of_run(name, {}, table.plain)
        elif name in SCORERS:
            yield table.of_scorer(name)
        else:
            settings = dict(one.split("=") for one in TRAINED[name])
            try:
                changed = with_settings(config, TRAINED[name])
                run = run_reward(source, out / name, config=changed, notify=_under(name, notify))
            except AssayError as error:  # not for these data or this base: the others can still be measured
                notify(f"{name}: not made: {error}")
                yield RemedyRow(name=name, kind="training", settings=settings, why_not=str(error))
                continue
            yield table.of_run(name, settings, run)


def with_settings(config: RewardConfig, settings: Sequence[str]) -> RewardConfig:
    """The options with `key.sub=value` settings over them. Raises ConfigError as they are read."""
    values: dict[str, object] = {**config.model_dump(mode="json")}
    for one in settings:
        merge_setting(values, one)
    return RewardConfig.build(values)


def held_out_pairs(source: object, run: RewardRun, config: RewardConfig) -> list[tuple[Pair, str]]:
    """The held-out pairs of a run with their prompt groups, in the order of its scores."""
    found = data.read_pairs(source, config=config.data)
    known = {pair.id: (pair, group) for pair, group in zip(found.pairs, found.groups, strict=True)}
    return [known[one.pair_id] for one in read_scored_pairs(run.seeds[0].scores_path)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Held-out pairs and the run without a remedy, against which every other is held."""

    pairs: Sequence[tuple[Pair, str]]
    plain: RewardRun
    audit: AuditConfig

    @property
    def without(self) -> Aligned:
        return self._aligned(scores_of(self.plain))

    def _aligned(self, scores: Mapping[int, Sequence[PairScore]]) -> Aligned:
        return align(scores, [pair for pair, _ in self.pairs], [group for _, group in self.pairs])

    def of_run(self, name: str, settings: Mapping[str, JsonValue], run: RewardRun) -> RemedyRow:
        """The row of a remedy that was trained with."""
        body = RunBody.read(run.folder / RUN)
        counts = body.training_pairs
        probes = {probe: run.audit.find(meaning.name) for probe, meaning in MEANING_OF.items()}
        return RemedyRow(
            name=name,
            kind="training",
            settings=dict(settings),
            figures=self.figures(scores_of(run), plain=name == NONE),
            probes={probe: one.known for probe, one in probes.items() if one is not None and one.known is not None},
            seconds=round(sum(stage.seconds for stage in body.stages if stage.name.startswith("train seed")), 1),
            passes=1,
            pairs=counts.trained if counts is not None else None,
        )

    def of_scorer(self, name: str) -> RemedyRow:
        """The row of a remedy that is a scorer over the seeds of the run without."""
        folder = str(self.plain.folder)
        try:
            scorer: Scorer
            if name == "averaged":
                scorer = averaged(folder)
            else:
                members = {f"seed {seed}": one for seed, one in open_scorers(folder).items()}
                scorer = EnsembleScorer(members, rule=RULES[name])
            scores = [one.numbers for one in score_pairs(scorer, [pair for pair, _ in self.pairs])]
        except AssayError as error:
            return RemedyRow(name=name, kind="scorer", settings={}, why_not=str(error))
        passes = 1 if name == "averaged" else len(self.plain.seeds)
        return RemedyRow(
            name=name, kind="scorer", settings={}, figures=self.figures({0: scores}), seconds=0.0, passes=passes
        )

    def figures(self, scores: Mapping[int, Sequence[PairScore]], *, plain: bool = False) -> dict[str, RemedyFigure]:
        """Accuracy over all pairs and over the parts that a shortcut by length would show in."""
        sides = TwoSides(a=self._aligned(scores), b=self.without)
        found: dict[str, RemedyFigure] = {}
        for name, mask in parts(sides.a, tolerance=self.audit.length_tolerance).items():
            if not mask.any():
                continue
            right, groups = sides.right_a[mask], sides.a.groups[mask]
            more = None if plain else difference(sides, mask, CompareConfig(level=self.audit.level))
            found[name] = RemedyFigure(
                value=float(right.mean()),
                n=int(mask.sum()),
                interval=_body(cluster_wilson(right, groups, level=self.audit.level)),
                more=None if more is None else more.mean,
                more_interval=None if more is None else _body(more.interval),
            )
        return found


def parts(aligned: Aligned, *, tolerance: float) -> dict[str, Mask]:
    """All pairs; those of nearly the same length; those whose preferred answer is the shorter one."""
    return {
        "accuracy": np.ones(aligned.n, dtype=bool),
        "length_matched_accuracy": matched(aligned.length, tolerance),
        "accuracy_shorter_preferred": aligned.length_difference < 0,
    }


def scores_of(run: RewardRun) -> dict[int, list[PairScore]]:
    return {one.seed: [scored.numbers for scored in read_scored_pairs(one.scores_path)] for one in run.seeds}


def _body(found: object) -> IntervalBody | None:
    return IntervalBody.model_validate(found.to_dict()) if isinstance(found, Interval) else None


def _under(name: str, notify: Callable[[str], None]) -> Callable[[str], None]:
    return lambda line: notify(f"{name}: {line}")
