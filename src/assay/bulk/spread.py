"""The door to work by several workers: what the user named in, a scorer or policy that is spread over them out.

Refused before a worker is started: what is asked over a network, whose limits more workers would only break sooner, and
a folder that another command writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from assay.bulk.answer_parts import AnswerParts
from assay.bulk.dispatch import TRIES
from assay.bulk.folders import Folder, LocalFolder
from assay.bulk.hashed_files import HashedFiles
from assay.bulk.held_work import Opening, PolicyOpening, ScorerOpening
from assay.bulk.kept_scores import KeptScores
from assay.bulk.one_writer import one_writer
from assay.bulk.parts_folder import PartsFolder, PartsJob, PartSuffix
from assay.bulk.ray_crew import RayCrew, ray_crew, require_ray
from assay.bulk.score_parts import ScoreParts
from assay.bulk.spread_policy import SpreadPolicy
from assay.bulk.spread_scorer import SpreadScorer
from assay.errors import InputError
from assay.policies.one_by_one import OneByOne
from assay.policies.open import open_policy
from assay.policies.protocol import Policy
from assay.scorers.protocol import Scorer

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crewing:
    """How work is spread. workers: None takes one a GPU, without one a few cores. tries: workers that one block may
    end before it is set aside. timeout: seconds after which a worker that gives nothing is taken for lost; None: only
    one that died. said: gets a line when a worker is lost, or what was kept is damaged."""

    workers: int | None = None
    tries: int = TRIES
    timeout: float | None = None
    said: Callable[[str], None] = lambda _line: None


def crew_of(opening: Opening[Item, Result], crewing: Crewing) -> AbstractContextManager[RayCrew[Item, Result]]:
    return ray_crew(opening, workers=crewing.workers, said=crewing.said, timeout=crewing.timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Scorers by seed, held by so many workers; threads: of each, None on GPUs, where rewards do not hang on them."""

    scorers: Mapping[int, SpreadScorer]
    workers: int
    threads: int | None


@contextmanager
def spread_scorers(opening: ScorerOpening, crewing: Crewing, *, kept: Path) -> Iterator[Spread]:
    """The scorers that are named, by seed, spread over workers for as long as the context lasts.

    kept: a folder for what is done, which a killed command goes on with; it goes when all was done. Raises InputError
    for what is asked over a network and without the extra, ArtifactError where another command writes `kept`.
    """
    require_ray()
    alike = opening.scorers()
    for one in alike.values():
        refuse_asked_elsewhere(one)
    folder = LocalFolder(kept)
    with one_writer(folder):
        scores = KeptScores(HashedFiles(folder, "block", ".jsonl", said=crewing.said))
        with crew_of(opening, crewing) as crew:
            spread = {
                seed: SpreadScorer(
                    one, crew, lambda: crew.told, seed=seed, kept=scores, tries=crewing.tries, threads=crew.threads
                )
                for seed, one in alike.items()
            }
            yield Spread(scorers=spread, workers=crew.size, threads=crew.threads)
        if not any(one.aside for one in spread.values()):
            scores.clear()
            with suppress(OSError):  # somebody's own file stands there
                folder.path.rmdir()


@contextmanager
def parts_scorer(
    opening: ScorerOpening, crewing: Crewing, folder: Folder, *, suffix: PartSuffix, job: PartsJob
) -> Iterator[tuple[Spread, PartsFolder]]:
    """The scorer that is named, spread over workers, and the folder of parts that its rewards go to.

    job: what is asked for; the workers say the fingerprint and their threads. Raises as spread_scorers does, and
    ArtifactError where the folder holds something else.
    """
    require_ray()
    (alike,) = opening.scorers().values()
    refuse_asked_elsewhere(alike)
    with one_writer(folder) as held, crew_of(opening, crewing) as crew:
        told = job.model_copy(update={"fingerprint": crew.told.fingerprints[0], "threads": crew.threads})
        parts = PartsFolder(held, suffix, told, crewing.said)
        kept = ScoreParts(parts)
        scorer = SpreadScorer(alike, crew, lambda: crew.told, kept=kept, tries=crewing.tries, threads=crew.threads)
        yield Spread(scorers={0: scorer}, workers=crew.size, threads=crew.threads), parts


@contextmanager
def spread_policy(opening: PolicyOpening, crewing: Crewing) -> Iterator[SpreadPolicy]:
    """The policy that is named, spread over workers for as long as the context lasts.

    Raises InputError for one that is not run here, and without the extra.
    """
    alike = _written_here(opening)
    with crew_of(opening, crewing) as crew:
        yield SpreadPolicy(alike, crew, lambda: crew.told, tries=crewing.tries)


@contextmanager
def parts_policy(
    opening: PolicyOpening, crewing: Crewing, folder: Folder, *, job: PartsJob
) -> Iterator[tuple[SpreadPolicy, PartsFolder, AnswerParts]]:
    """The policy that is named, spread over workers, and the folder of parts that its answers go to.

    job: what is asked for; the workers say the fingerprint. Raises as spread_policy does, and ArtifactError where the
    folder holds something else.
    """
    alike = _written_here(opening)
    with one_writer(folder) as held, crew_of(opening, crewing) as crew:
        policy = SpreadPolicy(alike, crew, lambda: crew.told, tries=crewing.tries)
        told = job.model_copy(update={"fingerprint": policy.fingerprint})
        parts = PartsFolder(held, ".jsonl", told, crewing.said)
        yield policy, parts, AnswerParts(parts, policy.made(opening.sampling))


def _written_here(opening: PolicyOpening) -> Policy:
    """Raises InputError for a policy that is no model run here, and without the extra."""
    require_ray()
    alike = open_policy(opening.policy, writing=opening.writing, template=opening.template)
    if opening.policy.startswith("endpoint:") or not isinstance(alike, OneByOne):
        raise InputError(f"{opening.policy} is no model that is run here: workers would make it no faster. {LEAVE}")
    return alike


LEAVE = "Leave --engine out."


def refuse_asked_elsewhere(scorer: Scorer) -> None:
    """Raises InputError for servers, judges, what is made of others, and what else speaks of its own rewards: several
    would each know a part."""
    if hasattr(type(scorer), "noticed"):
        raise InputError(
            f"{scorer.name} is asked over a network or by calls, or made of scorers that may be; these have limits of "
            f"their own (remote.concurrency), which workers would only reach sooner. {LEAVE}"
        )
