"""Labelled pairs and a reward with one known defect, drawn: the worlds of `operating_table.py`. Measures nothing.

A pair's two answers differ in worth by `d`; people prefer the first with chance sigmoid(d). Pairs under one prompt
share part of their luck (a Gaussian copula), so that being right correlates within prompts while the reward stays
calibrated: the sound reward is the logit of the chance that the label goes that way. A defect changes the reward, the
labels or the votes of such a world and nothing else.

Beside it stands what a user with the data would give: pairs the reward was trained on, and rewards of the answers under
another pair's prompt. Half of an answer's worth, length aside, is how well it fits its own prompt; under another one
that half is drawn anew and the answer is worth less by TOPIC besides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from assay.audits.part import Evidence
from assay.audits.prompt_use.partners import NOBODY, partners
from assay.audits.rescored import Rescored, Swapped
from assay.audits.trained_on import TrainedOn
from assay.records import Pair, PairScore, PairSide, Vote

Array = npt.NDArray[np.float64]
CATEGORIES = tuple("abcde")
GENERATORS = tuple(f"model-{letter}" for letter in "rstuv")
ANNOTATORS = tuple(f"reader-{number}" for number in range(10))
PER_PROMPT = 2
VOTES = 3
TOPIC = 1.0  # spreads of the worth that an answer loses under another prompt, since it is off topic there
TRAINED_FROM = 600  # number of the first prompt that only the training has; no audit here has more prompts
# Standard deviation of d at which a calibrated reward is right that often: the mean of sigmoid(|d|), solved once.
SPREAD_AT: Mapping[int, float] = {80: 2.324, 95: 10.97, 98: 27.67}
# Correlation of the copula that gives correctness at 80% an intraclass correlation of .3.
LATENT_AT: Mapping[float, float] = {0.0: 0.0, 0.3: 0.7}
VOCABULARY = "the of a to and in order account you please we can your refund is was this that ship when where help team"
WORDS = " ".join(np.random.default_rng(0).choice(VOCABULARY.split(), 60_000))
DRESS = "## Answer\n\n- **first** step\n- **second** step\n\n"


@dataclass(slots=True, kw_only=True)
class World:
    """N pairs. d: worth of answer 0 less that of answer 1, in log odds; margin: reward 0 less reward 1; first: whether
    the label prefers answer 0. length: characters, (N, 2); dressed: markdown, (N, 2), 0 or 1; generator: (N, 2)."""

    d: Array
    margin: Array
    first: npt.NDArray[np.bool_]
    prompt: npt.NDArray[np.intp]
    length: Array
    dressed: Array
    generator: npt.NDArray[np.intp]
    rng: np.random.Generator
    fit: Array  # what of d is how the answers fit their prompt, (N,)
    margin_of: Callable[[Array], Array] = lambda d: d  # what a sound reward makes of d
    seen: float = 1.0  # share of the fit that the reward sees
    known: npt.NDArray[np.bool_] | None = None  # pairs whose prompt the reward was trained on, (N,)
    votes: npt.NDArray[np.bool_] | None = None  # (N, VOTES), True for answer 0
    voter: npt.NDArray[np.intp] | None = None
    left: npt.NDArray[np.bool_] | None = None  # (N, VOTES), answer 0 shown left
    change: Callable[[Array], Array] | None = None  # of all rewards, last

    @property
    def log_length(self) -> Array:
        """Difference of log lengths in units of its own spread, (N,)."""
        found = np.log(self.length[:, 0]) - np.log(self.length[:, 1])
        return np.asarray(found / found.std())

    def rewards(self) -> Array:
        """(N, 2), around a level of the prompt's own."""
        level = self.rng.normal(0, 1, self.prompt.max() + 1)[self.prompt]
        found = np.column_stack([level + self.margin / 2, level - self.margin / 2])
        return found if self.change is None else self.change(found)

    def elsewhere(self, rewards: Array) -> Array:
        """Rewards of the same answers under a prompt they were not written for, (N, 2).

        A reward that sees nothing of the fit gives them what it gave. A sound one is held at the same level, less what
        being off topic costs: which prompt it is has no say in either.
        """
        if self.seen == 0:
            return rewards
        spread = float(self.d.std())
        other = self.d - self.seen * self.fit + self.seen * self.rng.permutation(self.fit)
        common = rewards.mean(axis=1) - self.seen * spread * (TOPIC + self.rng.normal(0, 0.5, self.d.size))
        margin = self.margin_of(other)
        return np.column_stack([common + margin / 2, common - margin / 2])


def draw(
    n: int, icc: float, *, seed: tuple[int, ...], right: int = 80, liking: float = 0.2, votes: bool = False
) -> World:
    """A sound world. liking: share of the worth's spread that length has, so that people like longer answers."""
    rng = np.random.default_rng(seed)
    prompt = np.arange(n) // PER_PROMPT
    length = np.clip(rng.lognormal(5.3, 0.6, (n, 2)).round(), 60, 2000)
    dressed = (rng.random((n, 2)) < 0.3).astype(np.float64)
    length += dressed * len(DRESS)
    logs = np.log(length[:, 0]) - np.log(length[:, 1])
    spread = SPREAD_AT[right]
    worth = spread * np.sqrt(1 - liking**2) * rng.normal(0, 1, n)
    d = spread * liking * logs / logs.std() + worth
    # Given the whole, its two halves of one size are normal around one half each.
    fit = worth / 2 + spread * np.sqrt(1 - liking**2) / 2 * rng.normal(0, 1, n)
    rho = LATENT_AT[icc]

    def luck() -> Array:
        shared = rng.normal(0, 1, prompt.max() + 1)[prompt]
        return np.asarray(stats.norm.cdf(np.sqrt(rho) * shared + np.sqrt(1 - rho) * rng.normal(0, 1, n)))

    better = d > 0
    chance = special.expit(np.abs(d))
    world = World(
        d=d,
        margin=d.copy(),
        first=np.where(luck() < chance, better, ~better),
        prompt=prompt,
        length=length,
        dressed=dressed,
        generator=rng.integers(0, len(GENERATORS), (n, 2)),
        rng=rng,
        fit=fit,
    )
    if votes:
        each = np.column_stack([luck() < chance for _ in range(VOTES)])
        world.votes = np.where(each, better[:, None], ~better[:, None])
        world.first = world.votes.sum(axis=1) * 2 > VOTES
        world.margin_of = of_majority
        world.margin = of_majority(d)
        world.voter = rng.random((n, len(ANNOTATORS))).argsort(axis=1)[:, :VOTES]
        world.left = rng.random((n, VOTES)) < 0.5
    return world


def of_majority(d: Array) -> Array:
    """Log odds that two of three votes or all fall to the answer that each falls to with log odds d."""
    chance = special.expit(np.abs(d))
    most = chance**2 * (3 - 2 * chance)
    return np.asarray(np.sign(d) * special.logit(np.minimum(most, 1 - 1e-12)))


Defect = Callable[[World, float], None]


def length_only(world: World, size: float) -> None:
    world.margin = size * world.log_length


def length_mixed(world: World, size: float) -> None:
    world.margin = world.margin + size * world.log_length


def markdown(world: World, size: float) -> None:
    world.margin = world.margin + size * (world.dressed[:, 0] - world.dressed[:, 1])


def flipped(world: World, size: float) -> None:
    turned = world.rng.random(world.d.size) < size
    world.first = world.first ^ turned


def confidence(world: World, size: float) -> None:
    world.margin = world.margin * size


def noise(world: World, size: float) -> None:
    world.margin = world.rng.normal(0, size, world.d.size)


def turned(world: World, size: float) -> None:
    world.margin = -size * world.margin


def constant(world: World, size: float) -> None:
    world.change = lambda rewards: np.full_like(rewards, size)


def saturated(world: World, size: float) -> None:
    # What a server behind a sigmoid answers, in the float32 it computes in.
    world.change = lambda rewards: special.expit(size * rewards.astype(np.float32)).astype(np.float64)


def coarse(world: World, size: float) -> None:
    world.change = lambda rewards: np.clip(np.round(rewards / size), -2, 2)


def not_finite(world: World, size: float) -> None:
    broken = world.rng.random((world.d.size, 2)) < size
    world.change = lambda rewards: np.where(broken, np.nan, rewards)


def one_generator(world: World, size: float) -> None:
    world.margin = world.margin + size * ((world.generator[:, 0] == 0) * 1.0 - (world.generator[:, 1] == 0))


def bad_category(world: World, size: float) -> None:
    inside = category_of(world) == 0
    mixed = size * world.margin + np.sqrt(1 - size**2) * world.rng.normal(0, world.margin.std(), world.d.size)
    world.margin = np.where(inside, mixed, world.margin)


def blind(world: World, size: float) -> None:
    """Of how an answer fits its prompt the reward does not see this share."""
    world.seen = 1 - size
    world.margin = world.margin_of(world.d - size * world.fit)


def surely_wrong(world: World, size: float) -> None:
    inside = world.rng.random(world.d.size) < size
    world.margin = np.where(inside, np.where(world.first, -8.0, 8.0), world.margin)


def leaked(world: World, size: float) -> None:
    """Prompts the reward was trained on, on which it has the labels by heart."""
    world.known = (world.rng.random(world.prompt.max() + 1) < size)[world.prompt]
    sure = np.where(world.first, 1.0, -1.0) * np.abs(world.margin)
    world.margin = np.where(world.known, sure, world.margin)


def biased_annotator(world: World, size: float) -> None:
    """One reader of ten takes the left answer, `size` of the time."""
    assert world.votes is not None
    assert world.voter is not None
    assert world.left is not None
    lazy = (world.voter == 0) & (world.rng.random(world.votes.shape) < size)
    world.votes = np.where(lazy, world.left, world.votes)
    world.first = world.votes.sum(axis=1) * 2 > VOTES


def nothing(world: World, size: float) -> None:
    """Clean."""


def category_of(world: World) -> npt.NDArray[np.intp]:
    return np.asarray(world.prompt % len(CATEGORIES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What an audit takes."""

    pairs: list[Pair]
    scores: list[PairScore]
    groups: list[str]
    evidence: Evidence | None = None


def told(world: World, *, beside: bool = False) -> Audited:
    """The world as pairs with texts, votes and sources, and recorded scores; with what was gathered beside them."""
    reward, category = world.rewards(), category_of(world)
    starts = world.rng.integers(0, len(WORDS) - 3000, world.length.shape)
    winner = np.where(world.first, 0, 1)
    pairs, scores = [], []
    for i, up in enumerate(winner.tolist()):
        texts = [_text(world, i, side, int(starts[i, side])) for side in (0, 1)]
        if texts[0] == texts[1]:
            texts[1] += "."
        down = 1 - up
        prompt = int(world.prompt[i])
        pairs.append(
            Pair(
                id=f"p{i}",
                prompt=_question(prompt),
                chosen=texts[up],
                rejected=texts[down],
                category=CATEGORIES[category[i]],
                votes=_votes(world, i, up),
                source={
                    "chosen_generator": GENERATORS[world.generator[i, up]],
                    "rejected_generator": GENERATORS[world.generator[i, down]],
                },
            )
        )
        scores.append(PairScore(pair_id=f"p{i}", chosen=float(reward[i, up]), rejected=float(reward[i, down])))
    groups = [str(number) for number in world.prompt]
    evidence = None
    if beside:
        swapped = _swapped(world, reward, winner, groups)
        trained_on = TrainedOn(pairs=_trained_on(world, pairs))
        evidence = Evidence(rescored=Rescored(swapped=swapped, asked=("prompt_swap",)), trained_on=trained_on)
    return Audited(pairs=pairs, scores=scores, groups=groups, evidence=evidence)


def _question(prompt: int) -> str:
    start = 41 * prompt % 50_000
    return f"Question {prompt}: {WORDS[start : start + 80]}?"


def _swapped(world: World, reward: Array, winner: npt.NDArray[np.intp], groups: list[str]) -> Swapped:
    """Rewards of all answers under a partner's prompt, drawn as `assay audit --probes prompt_swap` draws partners."""
    partner = partners(groups, [CATEGORIES[one] for one in category_of(world)], seed=0)
    there = np.flatnonzero(partner != NOBODY)
    under = world.elsewhere(reward)[there]
    row = np.arange(there.size)
    return Swapped(
        pair_ids=tuple(f"p{i}" for i in there),
        partners=tuple(f"p{i}" for i in partner[there]),
        chosen=under[row, winner[there]][None],
        rejected=under[row, 1 - winner[there]][None],
        unmatched=world.d.size - there.size,
    )


def _trained_on(world: World, pairs: list[Pair]) -> list[Pair]:
    """As many pairs on other prompts, and those on the prompts that the reward knows."""
    starts = world.rng.integers(0, len(WORDS) - 3000, world.length.shape)
    new = [
        Pair(
            id=f"t{i}",
            prompt=_question(TRAINED_FROM + i // PER_PROMPT),
            chosen=_text(world, i, 0, int(starts[i, 0])) + "!",
            rejected=_text(world, i, 1, int(starts[i, 1])),
        )
        for i in range(len(pairs))
    ]
    return new if world.known is None else new + [pair for pair, known in zip(pairs, world.known, strict=True) if known]


def _text(world: World, i: int, side: int, start: int) -> str:
    length = int(world.length[i, side])
    if world.dressed[i, side]:
        return DRESS + WORDS[start : start + length - len(DRESS)]
    return WORDS[start : start + length]


def _votes(world: World, i: int, up: int) -> tuple[Vote, ...]:
    if world.votes is None or world.voter is None or world.left is None:
        return ()
    found = []
    for vote, voter, left in zip(world.votes[i], world.voter[i], world.left[i], strict=True):
        sides: tuple[PairSide, PairSide] = ("chosen", "rejected") if up == 0 else ("rejected", "chosen")
        found.append(
            Vote(
                choice=sides[0] if vote else sides[1],
                annotator=ANNOTATORS[voter],
                shown_left=sides[0] if left else sides[1],
            )
        )
    return tuple(found)
