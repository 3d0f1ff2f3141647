"""Pairs with words in them, and rewards that are functions of prompt and answer, with known defects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

import numpy as np

from assay.audits import Audit, audit
from assay.audits.config import AuditConfig, ProbeConfig
from assay.audits.part import Evidence
from assay.audits.trained_on import TrainedOn
from assay.flows.audit import scores_by_seed, without_unscored
from assay.flows.rescoring import rescored
from assay.records import Pair, Text
from assay.scorers.function import FunctionScorer

SUBJECTS = [
    "harbour", "bicycle", "candle", "violin", "glacier", "pepper", "lantern", "orchard", "compass", "tunnel", "marble",
    "saddle", "kettle", "meadow", "anchor", "pigeon", "blanket", "copper", "ladder", "basket", "timber", "cactus",
    "velvet", "falcon",
]  # fmt: skip
OPENINGS = ("Look after it well.", "There is a way.", "Begin with the small parts.", "Keep it dry and clean.")
QUICK = AuditConfig(resamples=200)
CATEGORIES = ("care", "repair")


def written_pairs(count: int, *, per_prompt: int = 1, label_noise: float = 0.1, seed: int = 0) -> list[Pair]:
    """Pairs of which the preferred answer speaks of what was asked and the other of something else.

    label_noise: share of the pairs whose answers are exchanged, so that no right reward is always right.
    """
    rng = np.random.default_rng(seed)
    found = []
    for index in range(count):
        prompt = index // per_prompt
        asked = np.random.default_rng([seed, prompt]).choice(SUBJECTS, 3, replace=False).tolist()
        other = rng.choice([word for word in SUBJECTS if word not in asked], 3, replace=False).tolist()
        answers = [_answer(words, rng) for words in (asked, other)]
        if rng.random() < label_noise:
            answers.reverse()
        found.append(
            Pair(
                id=f"p{index}",
                prompt=f"Question {prompt}: how do I care for a {asked[0]}, a {asked[1]} and a {asked[2]}?",
                chosen=answers[0],
                rejected=answers[1],
                category=CATEGORIES[prompt % len(CATEGORIES)],
            )
        )
    return found


def _answer(words: Sequence[str], rng: np.random.Generator) -> str:
    first, second = rng.permutation(len(OPENINGS))[:2]
    said = " ".join(f"For the {word}, use a soft cloth." for word in words)
    return f"{OPENINGS[first]} {said} {OPENINGS[second]}"


def noise(prompt: Text, answer: Text, seed: int = 0) -> float:
    """A standard normal number of its own for each prompt and answer."""
    body = blake2b(f"{seed}|{prompt}|{answer}".encode(), digest_size=8).digest()
    return float(np.random.default_rng(int.from_bytes(body, "little")).normal())


def fits(prompt: Text, answer: Text) -> int:
    """Words of the answer that the prompt names, in sentences about care: what a right reward reads."""
    if "cloth" not in str(answer).lower():
        return -1
    asked = set(str(prompt).lower().replace("?", "").replace(",", "").split()) & set(SUBJECTS)
    return len(asked & set(str(answer).lower().replace(",", " ").split()))


Reward = Callable[[Text, Text], float]


def right(prompt: Text, answer: Text) -> float:
    """Reads the prompt, with noise: about 90% of what can be right."""
    return fits(prompt, answer) + noise(prompt, answer)


def scorer(reward: Reward, name: str = "reward/1") -> FunctionScorer:
    def of_group(prompt: Text, answers: Sequence[Text]) -> list[float]:
        return [reward(prompt, answer) for answer in answers]

    return FunctionScorer(of_group, name=name, fingerprint=name)


def probed(
    reward: Reward | FunctionScorer,
    pairs: Sequence[Pair],
    names: str,
    *,
    trained_on: Sequence[Pair] | None = None,
    **options: int,
) -> Audit:
    """The audit of a reward with the probes named."""
    one = reward if isinstance(reward, FunctionScorer) else scorer(reward)
    kept = without_unscored(scores_by_seed(one, pairs), pairs, [str(pair.prompt) for pair in pairs])
    assert kept.groups is not None
    beside = rescored({0: one}, kept.pairs, kept.groups, config=ProbeConfig.build({"names": names, **options}))
    training = None if trained_on is None else TrainedOn(pairs=trained_on, threshold=None)
    return audit(
        kept.scores,
        kept.pairs,
        groups=kept.groups,
        config=QUICK,
        evidence=Evidence(rescored=beside, trained_on=training),
    )
