"""Two answers of each prompt make a pair, and some pairs are chosen for people. Knows texts and margins; no scorer.

1) Of a prompt's answers the first in a random order and the first that differs from it are the pair: as two draws from
the policy that happened not to be equal. 2) People see a random sample of all pairs, from which alone anything is
estimated. 3) Apart from it they see pairs of which the reward is least sure: members disagree, then margins are small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

import numpy as np

from assay.records import Pair, Text, plain_text, to_json
from assay.stats.draws import stream
from assay.stats.intervals import Array

Purpose = Literal["estimate", "unsure", "unasked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshPair:
    """Two answers of the policy to one prompt, in random order. id: the prompt's, which makes one pair."""

    id: str
    prompt: Text
    answer_a: str
    answer_b: str
    group: str = ""

    @property
    def pair(self) -> Pair:
        """As scorers take it; which of the two is called chosen says nothing."""
        return Pair(id=self.id, prompt=self.prompt, chosen=self.answer_a, rejected=self.answer_b)

    @property
    def key(self) -> tuple[str, frozenset[str]]:
        """By what it is known again wherever it comes back from."""
        return key_of(self.prompt, self.answer_a, self.answer_b)


class FreshRow(TypedDict):
    """A line of fresh_pairs.jsonl. margins: reward of answer_a minus reward of answer_b, by seed; null: not finite."""

    id: str
    prompt: object
    answer_a: str
    answer_b: str
    group: str
    purpose: Purpose
    margins: dict[str, float | None]


class AsideRow(TypedDict):
    """A prompt that made no pair, and why: a word, and what is more to say."""

    prompt_id: str
    reason: str
    detail: str


def key_of(prompt: Text, one: str, other: str) -> tuple[str, frozenset[str]]:
    """Texts without the blanks around them, which tools and spreadsheets drop; the two answers in no order."""
    return plain_text(prompt).strip(), frozenset((one.strip(), other.strip()))


def two_of(prompt_id: str, answers: Sequence[str], *, seed: int) -> tuple[str, str] | str:
    """Two answers that differ, in random order; or why there are none: "one_answer", "equal_answers".

    answers: those with a text. The draw hangs on the prompt and the seed, and not on what else is asked.
    """
    if len(answers) < 2:
        return "one_answer"
    order = stream(seed, f"fresh pair {prompt_id}").permutation(len(answers))
    first = answers[order[0]]
    other = next((answers[place] for place in order[1:] if answers[place].strip() != first.strip()), None)
    return "equal_answers" if other is None else (first, other)


def purposes(
    pairs: Sequence[FreshPair], margins: Mapping[str, Sequence[float | None]], *, votes: int, unsure: int, seed: int
) -> list[Purpose]:
    """What each pair is for. votes: pairs of the random sample, all of them where there are fewer.

    margins: by member of the reward (seeds, or members of an ensemble); None where one gave none.
    """
    drawn = stream(seed, "fresh pairs for the estimate").permutation(len(pairs))[:votes]
    found: list[Purpose] = ["unasked"] * len(pairs)
    for place in drawn:
        found[place] = "estimate"
    left = [place for place in range(len(pairs)) if found[place] == "unasked"]
    for place in sorted(left, key=least_sure(margins).__getitem__)[:unsure]:
        found[place] = "unsure"
    return found


def least_sure(margins: Mapping[str, Sequence[float | None]]) -> list[tuple[float, float]]:
    """A pair of numbers for each pair of answers, the less the less sure: how far members agree, then how far apart
    the answers are, each member's margins in their own spread."""
    member_MN = np.array([[np.nan if m is None else m for m in several] for several in margins.values()], dtype=float)
    if not member_MN.size:
        return []
    spread_M = np.array([_spread(row) for row in member_MN])
    scaled_MN = member_MN / spread_M[:, None]
    with np.errstate(invalid="ignore"):
        # -1, 0 or 1 each: their mean is 1 or -1 where all members prefer the same answer, and 0 where they are split.
        agreed_N = np.abs(np.nan_to_num(np.sign(scaled_MN)).mean(axis=0))
        apart_N = np.abs(np.nan_to_num(scaled_MN).mean(axis=0))
    return list(zip(agreed_N.tolist(), apart_N.tolist(), strict=True))


def _spread(margin_N: Array) -> float:
    known = margin_N[np.isfinite(margin_N)]
    return float(np.sqrt(np.square(known).mean())) or 1.0 if known.size else 1.0


def fresh_row(pair: FreshPair, purpose: Purpose, margins: Mapping[str, float | None]) -> FreshRow:
    return FreshRow(
        id=pair.id,
        prompt=to_json(pair.prompt),
        answer_a=pair.answer_a,
        answer_b=pair.answer_b,
        group=pair.group,
        purpose=purpose,
        margins=dict(margins),
    )


def people_row(pair: FreshPair) -> dict[str, object]:
    """As people and their tools get it: no purpose and no margin, which would tell what the reward thinks."""
    return {
        "id": pair.id, "prompt": to_json(pair.prompt), "answer_a": pair.answer_a, "answer_b": pair.answer_b,
    }  # fmt: skip
