"""Rules that any scorer should beat: the longest answer, the shortest, chance, no opinion at all, a list of words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assay.artifacts.files import dumps
from assay.errors import InputError
from assay.records import Candidates, Text, plain_text, to_json
from assay.scorers.protocol import Reward, Scored

Rule = Callable[[Text, Text], float]


@dataclass(frozen=True, slots=True)
class BaselineScorer:
    """`rule(prompt, answer)` as the reward. argument: how the baseline was asked for, such as "random:7"."""

    argument: str
    rule: Rule

    @property
    def name(self) -> str:
        return f"baseline:{self.argument}"

    @property
    def fingerprint(self) -> str:
        return self.name

    def score(self, groups: Sequence[Candidates]) -> list[tuple[Scored, ...]]:
        return [tuple(Reward(self.rule(group.prompt, answer)) for answer in group.answers) for group in groups]


def baseline(argument: str) -> BaselineScorer:
    """The baseline called `argument`; "random:SEED" draws otherwise than "random". Raises InputError for others.

    "keywords:please,thank you" counts how often the answer holds one of these words, in any case.
    """
    name, colon, seed = argument.partition(":")
    if name == "keywords":
        return BaselineScorer(argument, keywords(seed))
    if name not in RULES or (colon and (name != "random" or not seed.isdecimal())):
        raise InputError(
            f"baseline:{argument}: no such baseline. There are {', '.join(RULES)}, random:SEED and keywords:WORD,WORD."
        )
    return BaselineScorer(argument, drawn(int(seed)) if seed else RULES[name])


def longest(_: Text, answer: Text) -> float:
    """Characters: the length by which the audit's "longest wins" goes."""
    return float(len(plain_text(answer)))


def shortest(_: Text, answer: Text) -> float:
    """Characters, fewer are better."""
    return -float(len(plain_text(answer)))


def constant(_: Text, __: Text) -> float:
    return 0.0


def keywords(listed: str) -> Rule:
    """How often an answer holds one of the words, whole and in any case. Raises InputError where none is named."""
    wanted = [re.escape(word.strip()) for word in listed.split(",") if word.strip()]
    if not wanted:
        raise InputError("baseline:keywords: no word is named. Write baseline:keywords:please,thank you.")
    found = re.compile(rf"(?<!\w)(?:{'|'.join(wanted)})(?!\w)", re.IGNORECASE)
    return lambda _, answer: float(len(found.findall(plain_text(answer))))


def drawn(seed: int) -> Rule:
    """Uniform in [0, 1), by the content of prompt and answer, so that order and batch change nothing."""

    def rule(prompt: Text, answer: Text) -> float:
        text = dumps([seed, to_json(prompt), to_json(answer)])
        # 48 bits are exact in a float, and below 1.
        return int.from_bytes(hashlib.sha256(text).digest()[:6]) / 2**48

    return rule


RULES: Mapping[str, Rule] = {
    "longest": longest,
    "length": longest,
    "shortest": shortest,
    "random": drawn(0),
    "constant": constant,
}
