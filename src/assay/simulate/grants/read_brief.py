"""Any prompt -> what its paragraph should say: facts by note, span of words, funder, priorities. Never fails.

A prompt of another kind gives a brief without notes: its numbers and names are still all that an answer may use.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from assay.simulate.grants.application import SECTIONS, TITLES
from assay.simulate.grants.plain_reading import FUNCTION_WORDS, Sentence, Token, lowered, read

_NOTE = re.compile(r"^(Need|People served|Method|Budget|Outcome): (.*)$", re.MULTILINE)
_PRIORITIES = re.compile(r"^The funder's priorities: (.*)$", re.MULTILINE)
_SPAN = re.compile(r"\b([0-9]{1,4}) to ([0-9]{1,4}) words\b")
_SECTION = re.compile(r"paragraph on (" + "|".join(TITLES.values()) + ")")
_FUNDER = re.compile(r" to the ([A-Z]\w+ [A-Z]\w+):")
_NAMES = {"Need": "need", "People served": "people", "Method": "method", "Budget": "budget", "Outcome": "outcome"}
ANY_SPAN = (1, 120)  # where the prompt does not say how long
REACH = 4  # words after a number in which what it counts is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One note. own: stems that no other note has; they tell which fact a sentence speaks of."""

    numbers: frozenset[str]
    own: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What may be said. wanted: names of the facts the paragraph is about; counted: what each number counts."""

    facts: dict[str, Fact]
    wanted: tuple[str, ...]
    span: tuple[int, int]
    funder: str
    priorities: tuple[tuple[str, ...], ...]
    total: str | None
    counted: dict[str, frozenset[str]]
    money: frozenset[str]
    ratios: frozenset[tuple[str, str]]
    percents: frozenset[str]
    known_words: frozenset[str]
    words: tuple[str, ...]
    stems: frozenset[str]


@lru_cache(maxsize=4096)
def read_brief(prompt: str) -> Brief:
    """The brief a prompt holds."""
    notes = {_NAMES[name]: text for name, text in _NOTE.findall(prompt)}
    whole = read(prompt)
    stated = [token for text in notes.values() for s in read(text).sentences for token in s.tokens]
    # The span of words is a rule for the answer and not a fact: "25 to 40" may not be told as ages.
    source = stated if notes else whole.tokens
    sentences = {name: list(read(text).sentences) for name, text in notes.items()}
    stems = {name: frozenset().union(*(s.stems for s in found)) for name, found in sentences.items()}
    span = _SPAN.search(prompt)
    section = _SECTION.search(prompt)
    funder = _FUNDER.search(prompt)
    wanted = SECTIONS[next(name for name, title in TITLES.items() if title == section.group(1))] if section else ()
    wishes = _PRIORITIES.search(prompt)
    budget = [t for s in sentences.get("budget", ()) for t in s.tokens if t.money and t.number]
    pairs = ratios(source)
    return Brief(
        facts={
            name: Fact(
                numbers=frozenset(t.number for s in found for t in s.tokens if t.number),
                own=stems[name] - frozenset().union(*(other for key, other in stems.items() if key != name)),
            )
            for name, found in sentences.items()
        },
        wanted=tuple(name for name in wanted if name in notes),
        span=(int(span.group(1)), int(span.group(2))) if span else ANY_SPAN,
        funder=funder.group(1) if funder else "",
        priorities=tuple(map(phrase, wishes.group(1).split(";"))) if wishes else (),
        total=budget[0].number if budget else None,
        counted=counted(source),
        money=frozenset(t.number for t in source if t.money and t.number),
        ratios=frozenset(pairs),
        percents=frozenset(filter(None, (_percent(a, b) for a, b in pairs))),
        known_words=frozenset(lowered(whole.tokens)),
        words=tuple(lowered(whole.tokens)),
        stems=frozenset().union(*(s.stems for s in whole.sentences)),
    )


def phrase(text: str) -> tuple[str, ...]:
    """The stems of a phrase, in order."""
    return tuple(t.stem for s in read(text).sentences for t in s.tokens)


def counted(tokens: Sequence[Token]) -> dict[str, frozenset[str]]:
    """number -> stems of the words after it, among which is what it counts."""
    found: dict[str, frozenset[str]] = {}
    for at, token in enumerate(tokens):
        if token.number and not token.money:
            found[token.number] = found.get(token.number, frozenset()) | units(tokens, at)
    return found


def units(tokens: Sequence[Token], at: int) -> frozenset[str]:
    """Stems of the words that follow the number at `at`."""
    after = tokens[at + 1 : at + 1 + REACH]
    return frozenset(t.stem for t in after if t.number is None and t.text.lower() not in FUNCTION_WORDS)


def ratios(tokens: Sequence[Token]) -> list[tuple[str, str]]:
    """(a, b) of every `a of b`, `a of the b`, `a to b`."""
    numbers = [(at, t.number) for at, t in enumerate(tokens) if t.number and not t.money]
    found = []
    for (i, a), (j, b) in pairwise(numbers):
        between = [t.text.lower() for t in tokens[i + 1 : j]]
        if between in (["of"], ["of", "the"], ["of", "these"], ["out", "of"], ["to"]):
            found.append((a, b))
    return found


def _percent(a: str, b: str) -> str | None:
    """`a` of `b` in whole percent: an answer may work it out."""
    try:
        return str(round(100 * float(a) / float(b)))
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def own_share(fact: Fact, sentence: Sentence) -> float:
    """How much of what only this fact says stands in the sentence; 1 where it has no words of its own."""
    return len(fact.own & sentence.stems) / len(fact.own) if fact.own else 1.0
