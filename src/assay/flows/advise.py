"""Two finished runs -> which of their rewards is better on pairs that neither has trained on: `assay advise`.

The explicit head's and the implicit reward's scores stand in the runs; no model is opened. Pairs are read again from
the data, for their texts and groups, and are those that both runs held out. Knows the order of the steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from assay.artifacts.files import read_jsonl
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_evidence import RUN
from assay.artifacts.run_folder import RunFolder
from assay.data import read_pairs
from assay.errors import ArtifactError, InputError
from assay.flows.compare import (
    CompareOptions,
    OpenedSide,
    ScorerCompareConfig,
    ScorerComparison,
    compare_opened,
    prints_of,
    refuse_others_folder,
)
from assay.scorers.recorded import RecordedScorer
from assay.train.dpo.config import DpoRunConfig
from assay.train.recorded_config import FlowConfig, recorded_config

SCORES = "scores.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A run as far as the comparison needs it. held_out: ids of the pairs every seed scored, none trained on."""

    folder: Path
    body: RunBody
    config: FlowConfig
    scorers: dict[int, RecordedScorer]
    held_out: frozenset[str]


def compare_runs(
    reward: Path, dpo: Path, out: Path, *, source: str | None = None, command: str = ""
) -> ScorerComparison:
    """Compare a reward run (A) and a DPO run (B) on the pairs that both held out; writes what `assay compare` writes.

    source: the data both were trained on, where they no longer lie where the runs say. Raises InputError where the runs
    are not of one kind each, of other data, or share no held-out pair, ArtifactError where a run is not finished.
    """
    refuse_others_folder(out)
    first, second = finished(reward, tuned=False), finished(dpo, tuned=True)
    data = data_of(first, second, source)
    shared = first.held_out & second.held_out
    if not shared:
        raise InputError(
            f"{reward} and {dpo} held out no pair in common, so each has trained on the other's test. Run both with "
            "the same --holdout and split seed."
        )
    found = read_pairs(data, config=first.config.data)
    places = [place for place, pair in enumerate(found.pairs) if pair.id in shared]
    if len(places) < len(shared):
        raise InputError(
            f"{data} has {len(places)} of the {len(shared)} pairs that both runs held out: it is not what they were "
            "trained on. Give the same data with --data."
        )
    kept = replace(
        found, pairs=[found.pairs[place] for place in places], groups=[found.groups[place] for place in places]
    )
    sides = (
        OpenedSide(name=str(reward), scorers=first.scorers),
        OpenedSide(name=str(dpo), scorers=second.scorers),
    )
    return compare_opened(
        sides, kept, out, source=data, config=ScorerCompareConfig(data=first.config.data),
        options=CompareOptions(command=command), prints=prints_of(sides),
    )  # fmt: skip


def finished(folder: Path, *, tuned: bool) -> FinishedRun:
    """A run whose seeds all have scores. tuned: whether it is to be one that tuned a policy."""
    if not (folder / RUN).is_file():
        raise ArtifactError(
            f"{folder} is not the folder of a run. Give the --out of assay {'dpo' if tuned else 'reward'}."
        )
    run = RunFolder(folder)
    body = RunBody.read(run.path(RUN))
    config = recorded_config(body.config)
    if isinstance(config, DpoRunConfig) != tuned:
        kind, option = ("trained a reward model", "--reward") if tuned else ("tuned a policy", "--dpo")
        raise InputError(f"{folder} {kind}. Give it as {option}.")
    paths = {seed: run.seed(seed) / SCORES for seed in body.seeds}
    if missing := [seed for seed, path in paths.items() if not path.is_file()]:
        raise ArtifactError(f"{folder}: seed {missing[0]} has no {SCORES}. Run its command again, it goes on.")
    if not paths:
        raise ArtifactError(f"{folder} has no seed that is finished. Run its command again, it goes on.")
    ids = [frozenset(str(row["pair_id"]) for row in read_jsonl(path)) for path in paths.values()]
    return FinishedRun(
        folder=folder,
        body=body,
        config=config,
        scorers={seed: RecordedScorer(path) for seed, path in paths.items()},
        held_out=frozenset.intersection(*ids),
    )


def data_of(first: FinishedRun, second: FinishedRun, source: str | None) -> str:
    """Where the pairs of both are to be read. Raises InputError where the runs are of other data."""
    one, other = first.body.data, second.body.data
    if one is None or other is None:
        unread = first if one is None else second
        raise ArtifactError(f"{unread.folder} stopped before its data were counted. Run its command again, it goes on.")
    if one.sha256 != other.sha256:
        raise InputError(
            f"{first.folder} and {second.folder} were trained on other data ({one.path}, {other.path}): pairs held out "
            "by one may be trained on by the other. Run both on the same file."
        )
    if source is not None:
        return source
    if not Path(one.path).exists():
        raise InputError(f"{one.path}, on which both runs were trained, is not there. Say where it is with --data.")
    return one.path
