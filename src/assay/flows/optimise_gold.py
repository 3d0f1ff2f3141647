"""What the reward and gold give every candidate: scored once and kept, read from labels, or from a simulated truth.

An answer without gold is Unknown with its reason, and never 0. Knows scorers and files; knows no curve.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from assay.artifacts.files import sha256_file, sha256_json
from assay.audits.candidates.group_scores import gold_of
from assay.audits.pressure.pressed_prompts import Known
from assay.errors import InputError
from assay.flows.optimise_candidates import GivenCandidates
from assay.records import Candidates
from assay.scorers.local import LocalScorer
from assay.scorers.open import AnyScorer, as_scorer, open_scorers
from assay.scorers.protocol import Scorer, unit_of
from assay.scorers.recorded import RecordedScorer
from assay.scorers.remote.config import RemoteConfig
from assay.scorers.scores_file import PromptRow
from assay.scorers.shared_weights import shared_weights
from assay.scorers.unfinished_rows import unfinished_rows
from assay.simulate.known_truth import read_categories, read_utilities, truth_path
from assay.stats.unknown import Unknown

SCORED = "scored.jsonl"  # every reward by scorer and batch of answers: what was killed, or is asked again, goes on
LABELS, TRUTH = "labels", "truth"
SECONDS = 10  # between two words on how far it is
Notify = Callable[[str], None]
Values = list[list[Known]]  # a list a group, a value an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """Opened gold. scorers: by seed, of the kind scorer. truth: the file that a truth stands beside, of the kind truth;
    categories: by prompt id, as that truth has them."""

    name: str
    kind: Literal["scorer", "labels", "truth"]
    fingerprints: Mapping[str, str]
    scorers: Mapping[int, Scorer]
    truth: Path | None = None
    categories: Mapping[str, str] = field(default_factory=dict)


def open_gold(gold: AnyScorer, source: object, given: GivenCandidates, remote: RemoteConfig) -> Gold:
    """Gold as the command line names it: `labels`, `truth`, or a scorer. A run of several seeds is their mean.

    Raises InputError for `truth` of candidates that are in no file, `labels` where no answer has one, and what opening
    a scorer raises.
    """
    if gold == LABELS:
        stated = {group.id: gold_of(group)[1] for group in given.groups}
        if all(value is None for values in stated.values() for value in values):
            raise InputError(
                "--gold labels: no answer of these candidates has a score, a rank or a vote. Give a scorer, or truth."
            )
        return Gold(name=LABELS, kind="labels", fingerprints={LABELS: sha256_json(stated)}, scorers={})
    if gold == TRUTH:
        if not isinstance(source, str | Path):
            raise InputError("--gold truth: the candidates are in no file beside which a truth could stand.")
        file = Path(source)
        path = truth_path(file)
        if not path.is_file():
            raise InputError(
                f"--gold truth: there is no {path}. Candidates of a simulated world have one; of others give labels "
                "or a scorer."
            )
        return Gold(
            name=str(path), kind="truth", fingerprints={TRUTH: sha256_file(path)}, scorers={}, truth=file,
            categories=read_categories(file),
        )  # fmt: skip
    scorers = opened(gold, remote=remote)
    prints = {str(seed): one.fingerprint for seed, one in scorers.items()}
    return Gold(name=named(gold, scorers), kind="scorer", fingerprints=prints, scorers=scorers)


def opened(
    scorer: AnyScorer, *, template: str | None = None, remote: RemoteConfig | None = None
) -> Mapping[int, Scorer]:
    """By seed; whatever stands for a scorer is one. Raises InputError for one whose rewards hold in one pair only."""
    if isinstance(scorer, str | Path):
        found: Mapping[int, Scorer] = open_scorers(scorer, template=template, remote=remote)
    else:
        found = {0: as_scorer(scorer)}
    for one in found.values():
        # Recorded scores may be of pairs or of prompts; which, their rows say when they are asked.
        if unit_of(one) == "pair" and not isinstance(one, RecordedScorer):
            raise InputError(
                f"{one.name} compares two answers at a time, and its rewards order no group. Give a scorer that gives "
                "each answer a number."
            )
    return found


def named(scorer: AnyScorer, scorers: Mapping[int, Scorer]) -> str:
    return str(scorer) if isinstance(scorer, str | Path) else next(iter(scorers.values())).name


def shared_by(proxies: Mapping[int, Scorer], gold: Gold) -> list[str]:
    """What any seed of the reward and gold are both made of."""
    return sorted(
        {name for one in proxies.values() for other in gold.scorers.values() for name in shared_weights(one, other)}
    )


def gold_values(gold: Gold, given: GivenCandidates, out: Path, notify: Notify) -> Values:
    """Gold of every answer, in the order of groups and answers."""
    if gold.kind == "labels":
        return [
            [Unknown("nothing is known of the answer") if value is None else value for value in gold_of(group)[1]]
            for group in given.groups
        ]
    if gold.truth is not None:
        return truth_values(gold.truth, given)
    by_seed = [scored_values(one, given.groups, out, notify) for one in gold.scorers.values()]
    if len(by_seed) == 1:
        return by_seed[0]
    return [[mean_of(values) for values in zip(*several, strict=True)] for several in zip(*by_seed, strict=True)]


def truth_values(path: Path, given: GivenCandidates) -> Values:
    """The utilities of a truth file. Raises InputError where a row has fewer than the answers need."""
    utilities = read_utilities(path)
    found: Values = []
    for group in given.groups:
        values = utilities.get(group.id)
        if values is None:
            found.append([Unknown("the truth file does not name its row")] * len(group.answers))
            continue
        places = given.places_of(group)
        if places and max(places) >= len(values):
            raise InputError(
                f"{truth_path(path)}: {group.id!r} has {len(values)} utilities, and the candidates have an answer of "
                f"number {max(places)}, from 0. Give the truth of these candidates."
            )
        several = [values[place] for place in places]
        found.append([Unknown("the truth file states none") if one is None else one for one in several])
    return found


def scored_values(scorer: Scorer, groups: Sequence[Candidates], out: Path, notify: Notify) -> Values:
    """What a scorer gives every answer, kept in `out` batch by batch."""
    found: Values = []
    whole = sum(len(group.answers) for group in groups)
    done, told = 0, time.monotonic()
    for row in unfinished_rows(scorer, groups, out / SCORED):
        found.append(known_row(row))
        done += len(row["scores"])
        if time.monotonic() - told > SECONDS:
            told = time.monotonic()
            notify(f"{scorer.name}: {done:,} of {whole:,} answers scored")
    if isinstance(scorer, LocalScorer):
        scorer.forget()  # the next one is as large
    return found


def known_row(row: PromptRow) -> list[Known]:
    reasons = row.get("reasons") or [None] * len(row["scores"])
    return [
        Unknown(reason or "the reward is not finite") if score is None else score
        for score, reason in zip(row["scores"], reasons, strict=True)
    ]


def mean_of(values: Sequence[Known]) -> Known:
    """Over seeds; unknown where one of them is."""
    missing = next((value for value in values if isinstance(value, Unknown)), None)
    return missing or sum(float(value) for value in values if not isinstance(value, Unknown)) / len(values)
