"""What a worker holds and does with what it is given: a scorer that scores groups, or a policy that answers.

An opening says what to open, in words that any process understands; nothing is loaded before the worker is. Knows
scorers and policies; knows no Ray.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from assay.policies.local_policy import Writing
from assay.policies.one_by_one import Asked, OneByOne
from assay.policies.open import open_policy
from assay.policies.protocol import Generation, Made, Sampling
from assay.records import Candidates
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.open import open_scorers
from assay.scorers.protocol import Answered, Scorer, score_groups

Item_contra = TypeVar("Item_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a worker says of what it opened: alike in all of them, or they do not hold the same.

    fingerprints: of each seed's scorer, or of a policy under 0. renderings: with what texts become tokens, of those
    that are models. made: what will have made a policy's answers.
    """

    fingerprints: Mapping[int, str]
    renderings: Mapping[int, str]
    made: Made | None = None


class Held(Protocol[Item_contra, Result_co]):
    """What is opened once in a worker."""

    def told(self) -> Told: ...

    def results(self, items: Sequence[Item_contra]) -> Iterator[Sequence[tuple[int, Result_co]]]:
        """Results by place among `items`, some at a time, each place once."""
        ...


class Opening(Protocol[Item_contra, Result_co]):
    """How what is held is opened; travels to the worker."""

    def open(self) -> Held[Item_contra, Result_co]: ...


class Put(NamedTuple):
    """A group of candidates, and the seed whose scorer is asked about it."""

    seed: int
    group: Candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerOpening:
    """The scorers that a user names, by seed; passes and template as `open_scorers` takes them."""

    scorer: str
    passes: Passes | None = None
    template: str | None = None

    def scorers(self) -> dict[int, Scorer]:
        return open_scorers(self.scorer, passes=self.passes, template=self.template)

    def open(self) -> HeldScorers:
        return HeldScorers(self.scorers())


class HeldScorers:
    """Scores whole groups. A block is one call of one scorer, as it is in a single process, and so has its bits."""

    def __init__(self, scorers: Mapping[int, Scorer]) -> None:
        self._scorers = scorers

    def told(self) -> Told:
        models = {seed: one for seed, one in self._scorers.items() if isinstance(one, LocalScorer)}
        return Told(
            fingerprints={seed: one.fingerprint for seed, one in self._scorers.items()},
            renderings={seed: one.rendering for seed, one in models.items()},
        )

    def results(self, items: Sequence[Put]) -> Iterator[Sequence[tuple[int, Answered]]]:
        # All of one call come at once: what else is scored in it may move a reward's last bits.
        scorer = self._scorers[items[0].seed]
        found = score_groups(scorer, (one.group for one in items), chunk=len(items))
        yield [(place, results) for place, (_, results) in enumerate(found)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOpening:
    """A policy by what the user names it, and how its answers are drawn."""

    policy: str
    sampling: Sampling
    writing: Writing | None = None
    template: str | None = None

    def open(self) -> HeldPolicy:
        policy = open_policy(self.policy, writing=self.writing, template=self.template)
        assert isinstance(policy, OneByOne)  # refused before any worker is started
        return HeldPolicy(policy, self.sampling)


class HeldPolicy:
    """Writes single answers, whose bits do not depend on what is written beside them."""

    def __init__(self, policy: OneByOne, sampling: Sampling) -> None:
        self._policy, self._sampling = policy, sampling

    def told(self) -> Told:
        made = self._policy.made(self._sampling)
        return Told(fingerprints={0: made.fingerprint}, renderings={}, made=made)

    def results(self, items: Sequence[Asked]) -> Iterator[Sequence[tuple[int, Generation]]]:
        for one in self._policy.answers(items, self._sampling):
            yield [one]
