"""What a statement may be held against: the facts of a prompt and of passages, each a sentence or a clause.

A question or a request states nothing: what a customer asks for is no fact, and neither is a figure in their question.
What the assistant said before in a conversation is no fact either. Knows texts; knows no verdict.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from assay.data.stated_values import Value, values_of
from assay.records import Text
from assay.scorers.factuality.statements import sentences
from assay.scorers.factuality.word_stems import stems

_CLAUSE = re.compile(r";\s+|,\s+(?:and|but|while|whereas)\s+")
_REQUEST = re.compile(
    r"(?:(?:now|then|please)[,\s]+)*(?:write|explain|describe|list|give|tell|show|summari[sz]e|translate|name|compare|suggest|"
    r"answer|help|find|create|make|generate|provide|define|discuss|rewrite|classify|calculate|solve)\b",
    re.IGNORECASE,
)
NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|without|cannot|stopped|excluded|except)\b|n['’]t\b", re.IGNORECASE
)
NAME = re.compile(r"(?<=[^\s.!?:;\"“*#>|•-] )[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*")
_NO_NAMES = frozenset({"I", "I'm", "I’m", "I'll", "I’ll", "I've", "I’ve", "I'd", "I’d"})


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is told. source: where it stands, for a reason: "the prompt", or a passage's name."""

    text: str
    source: str
    values: tuple[Value, ...]
    stems: frozenset[str]
    denies: bool


@dataclass(frozen=True)
class Evidence:
    """Facts, and what the question beside them is about (for answers such as "It is 30 days.")."""

    facts: tuple[Fact, ...]
    asked: frozenset[str] = frozenset()

    @cached_property
    def weight(self) -> dict[str, float]:
        """What a stem counts: the fewer facts have it, the more."""
        counts = Counter(stem for fact in self.facts for stem in fact.stems)
        return {stem: math.log((len(self.facts) + 1) / count) for stem, count in counts.items()}

    @property
    def states_something(self) -> bool:
        """Whether any fact has a value or a name, by which a rule can check."""
        return any(fact.values or names_in(fact.text) for fact in self.facts)

    @cached_property
    def flat(self) -> str:
        """All that is told in small letters, for names and quotations."""
        return " ".join(" ".join(fact.text.casefold().split()) for fact in self.facts)

    def about(self, topic: Iterable[str], fact: Fact) -> float:
        """How much a fact is about a topic: the weights of what they share, in nats."""
        return math.fsum(sorted(self.weight[stem] for stem in fact.stems & frozenset(topic)))

    def unknown(self) -> float:
        """The weight of a stem that no fact has."""
        return math.log(len(self.facts) + 1)


def evidence(prompt: Text, passages: Sequence[tuple[str, str]] = ()) -> Evidence:
    """The facts of a prompt and of passages (name, text)."""
    return _evidence(prompt, tuple(passages))


@lru_cache(maxsize=2_000)  # all statements of all answers to a prompt ask for the same
def _evidence(prompt: Text, passages: tuple[tuple[str, str], ...]) -> Evidence:
    told, asked = _told(prompt)
    facts = [fact for text in told for fact in _facts(text, "the prompt")]
    for name, text in passages:
        facts += _passage_facts(name, text)
    return Evidence(tuple(facts), frozenset(stem for text in asked for stem in stems(text)))


def question_of(prompt: Text) -> str:
    """What is asked: the prompt's questions and requests, or all of it where it has none."""
    told, asked = _told(prompt)
    return " ".join(asked or told)


def names_in(text: str) -> list[str]:
    """Words with a capital inside a sentence.

    >>> names_in("Yesterday Ada Lovelace told me.")
    ['Ada Lovelace']
    """
    return [name for name in NAME.findall(text) if name not in _NO_NAMES]


@lru_cache(maxsize=4_000)
def _told(prompt: Text) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sentences that tell something, and those that ask."""
    texts = [prompt] if isinstance(prompt, str) else [one.content for one in prompt if one.role != "assistant"]
    found: tuple[list[str], list[str]] = ([], [])
    for text in texts:
        for sentence in sentences(text):
            asks = sentence.rstrip("\"'”’) ").endswith("?") or _REQUEST.match(sentence) is not None
            found[asks].append(sentence)
    return tuple(found[0]), tuple(found[1])


@lru_cache(maxsize=20_000)
def _passage_facts(name: str, text: str) -> tuple[Fact, ...]:
    return tuple(fact for sentence in sentences(text) for fact in _facts(sentence, name))


def _facts(sentence: str, source: str) -> Iterator[Fact]:
    for clause in _CLAUSE.split(sentence):
        if any(char.isalnum() for char in clause):
            denies = len(NEGATION.findall(clause)) % 2 == 1
            yield Fact(clause.strip(), source, tuple(values_of(clause)), stems(clause), denies)
