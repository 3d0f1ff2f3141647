"""Which remedies there are, and what each is: settings of a run, or a scorer made of the seeds of the run without any,
alone or with those of a run on a second base.

Knows options and scorers; trains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.config import merge_setting
from assay.data.native_rows import write_pairs
from assay.errors import ConfigError
from assay.records import Pair
from assay.scorers.averaged import averaged
from assay.scorers.corrected import CorrectedScorer, fit_correction, write_correction
from assay.scorers.ensemble import EnsembleScorer, Rule
from assay.scorers.joint_correction import JointlyCorrectedScorer, fit_joint_correction
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.protocol import Scorer
from assay.scorers.remembering import RememberingScorer
from assay.scorers.scored_pairs import as_candidates
from assay.stats.draws import stream
from assay.train.reward_config import RewardConfig

NONE, SUSPECTED, SECOND_BASE = "none", "suspected", "second_base"
# What each sets over the run without. Strengths are those of the papers, or small ones where they name none.
TRAINED: Mapping[str, Sequence[str]] = {
    NONE: (),
    "verbosity": ("augment.verbosity=0.2",),
    "rrm": ("augment.rrm=0.5",),
    "confidently_wrong": ("augment.confidently_wrong=0.2",),
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
    SUSPECTED: (),  # select.without, with what was found on the training side of the run without
    SECOND_BASE: (),  # model.base, with what bases.second names
}
SLICE = 500  # training pairs that corrections and scales are measured on: more move a curve less than a seed does
SLICE_FILE = "training_side.jsonl"
REMEMBERED = "remembered.jsonl"  # beside a run: what its seeds gave, for the scorers that are made of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """The run without a remedy, of which scorers are made.

    models: folder of each seed's model; second: of the run on the second base, where there is one. training: pairs
    that are not held out, and their groups; slice: some of them, also as a file. out: where a scorer that is a file is
    written, so that it can be named on a command line. Labels of the slice are not read, but its pairs were trained on:
    rewards are more extreme there than on new ones. remembered: whether what the runs gave is taken from their files;
    not where a model's time is what is asked for.
    """

    folder: Path
    models: Mapping[int, Path]
    second: Mapping[int, Path] = field(default_factory=dict)
    training: Sequence[tuple[Pair, str]]
    slice: Sequence[Pair]
    slice_file: Path
    out: Path
    passes: Passes
    remembered: bool = True

    def scorer(self, seed: int) -> LocalScorer:
        return self._of(self.models[seed])

    def second_scorer(self, seed: int) -> LocalScorer:
        return self._of(self.second[seed])

    def _of(self, model: Path) -> LocalScorer:
        if not self.remembered:
            return LocalScorer(model, passes=self.passes)
        return RememberingScorer(model, remembered_of(model), keeps=False, passes=self.passes)


def remembered_of(model: Path) -> Path:
    """The file of a run in which the rewards that its seeds' models have given stand; model: RUN/seed-N/model."""
    return model.parents[1] / REMEMBERED


def averaged_seeds(seeds: Seeds) -> dict[int, Scorer]:
    return {0: averaged(str(seeds.folder), passes=seeds.passes)}


def ensemble_of(rule: Rule) -> Callable[[Seeds], dict[int, Scorer]]:
    """The seeds by one rule; what needs a scale measures it on the slice."""

    def made(seeds: Seeds) -> dict[int, Scorer]:
        members = {f"seed {seed}": seeds.scorer(seed) for seed in sorted(seeds.models)}
        return {0: EnsembleScorer(members, rule=rule, scale_on=seeds.slice_file if rule == "good_with_all" else None)}

    return made


def two_bases(rule: Rule) -> Callable[[Seeds], dict[int, Scorer]]:
    """The seeds of both bases by one rule, each on the scale it has on the slice: bases have scales of their own."""

    def made(seeds: Seeds) -> dict[int, Scorer]:
        members = {f"seed {seed}": seeds.scorer(seed) for seed in sorted(seeds.models)}
        for seed in sorted(seeds.second):
            members[f"second base seed {seed}"] = seeds.second_scorer(seed)
        return {0: EnsembleScorer(members, rule=rule, scale_on=seeds.slice_file)}

    return made


def without_length(seeds: Seeds) -> dict[int, Scorer]:
    """Each seed's reward less what length explains of it within prompts: `corrected:out/seed-N.yaml`."""
    found: dict[int, Scorer] = {}
    for seed in sorted(seeds.models):
        one = seeds.scorer(seed)
        curve = fit_correction(
            one, as_candidates(seeds.slice), named=one.model, attribute="characters", fitted_on=str(seeds.slice_file)
        )
        seeds.out.mkdir(parents=True, exist_ok=True)
        write_correction(curve, seeds.out / f"seed-{seed}.yaml")
        found[seed] = CorrectedScorer(one, curve)
    return found


def without_style(seeds: Seeds) -> dict[int, Scorer]:
    """Each seed's reward less all that length and style explain of its margins, taken together.

    All, and not what labels do not bear out: labels with a shortcut in them bear the shortcut out.
    """
    found: dict[int, Scorer] = {}
    for seed in sorted(seeds.models):
        one = seeds.scorer(seed)
        joint = fit_joint_correction(
            one, seeds.slice, named=one.model, attributes=("length", "style"), take="all",
            fitted_on=str(seeds.slice_file),
        )  # fmt: skip
        seeds.out.mkdir(parents=True, exist_ok=True)
        write_correction(joint, seeds.out / f"seed-{seed}.yaml")
        found[seed] = JointlyCorrectedScorer(one, joint)
    return found


MADE: Mapping[str, Callable[[Seeds], dict[int, Scorer]]] = {
    "corrected_length": without_length,
    "corrected_style": without_style,
    "averaged": averaged_seeds,
    "ensemble_mean": ensemble_of("mean"),
    "ensemble_worst": ensemble_of("worst"),
    "ensemble_uncertainty": ensemble_of("uncertainty"),
    "ensemble_good_with_all": ensemble_of("good_with_all"),
    "bases_mean": two_bases("mean"),
    "bases_worst": two_bases("worst"),
    "bases_uncertainty": two_bases("uncertainty"),
    "bases_good_with_all": two_bases("good_with_all"),
}
OF_ALL_SEEDS = frozenset(name for name in MADE if name.startswith("ensemble_"))  # each reward runs every model
OF_TWO_BASES = frozenset(name for name in MADE if name.startswith("bases_"))  # and these run those of both bases
NAMES = (*TRAINED, *MADE)


def remedy_names(asked: str, *, second_base: str | None = None) -> tuple[str, ...]:
    """The remedies that "all", or names with commas between, mean; without any first. Raises ConfigError.

    What is made of two bases comes after the run on the second one, and is among all where that base is named.

    >>> remedy_names("odin, averaged")
    ('none', 'odin', 'averaged')
    >>> remedy_names("bases_mean", second_base="smollm2")
    ('none', 'second_base', 'bases_mean')
    """
    every = asked.strip() == "all"
    names = list(NAMES) if every else [name.strip() for name in asked.split(",") if name.strip()]
    odd = next((name for name in names if name not in NAMES), None)
    if odd is not None:
        raise ConfigError(f"--remedies {asked}: there is no remedy {odd!r}. Give all, or some of {', '.join(NAMES)}.")
    paired = [name for name in names if name == SECOND_BASE or name in OF_TWO_BASES]
    if paired and second_base is None:
        if not every:
            raise ConfigError(
                f"--remedies {asked}: {paired[0]} needs a second base. Name it with --set bases.second=NAME, as --base "
                "would."
            )
        names = [name for name in names if name not in paired]
        paired = []
    return tuple(dict.fromkeys([NONE, *([SECOND_BASE] if paired and not every else []), *names]))


def with_settings(config: RewardConfig, settings: Sequence[str]) -> RewardConfig:
    """The options with `key.sub=value` settings over them. Raises ConfigError as they are read."""
    values: dict[str, object] = {**config.model_dump(mode="json")}
    for one in settings:
        merge_setting(values, one)
    return RewardConfig.build(values)


def training_slice(training: Sequence[tuple[Pair, str]], path: Path) -> list[Pair]:
    """At most SLICE training pairs with a winner, the same for every remedy, also written to `path`."""
    known = [(pair, group) for pair, group in training if pair.label == "chosen"]
    order = stream(0, "remedies: slice of the training side").permutation(len(known))[:SLICE]
    picked = [known[place] for place in sorted(order.tolist())]
    write_pairs(path, [pair for pair, _ in picked], [group for _, group in picked])
    return [pair for pair, _ in picked]
