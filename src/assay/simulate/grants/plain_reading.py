"""Any text -> its sentences, words and numbers, by plain rules, and whether it reads as prose. Never fails.

English only; of very long texts the beginning is read closely and the rest counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

CLOSELY = 12_000  # characters read closely: fifty times the longest paragraph asked for
_TOKEN = re.compile(r"\$?[0-9][0-9,]*(?:\.[0-9]+)?%?|[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_BREAK = re.compile(r"(?<=[.!?])\s+|\n+")
_LABEL = re.compile(r"^\W*\w+(?: [\w']+){0,3}:")
_ENDINGS = ("ing", "ed", "es", "s", "e")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=2
    )
}
FUNCTION_WORDS = frozenset(
    (
        "a", "about", "after", "all", "also", "an", "and", "are", "as", "at", "be", "because", "been", "before",
        "below", "between", "both", "but", "by", "can", "cannot", "could", "do", "does", "each", "every", "for",
        "from", "had", "has", "have", "he", "her", "his", "how", "if", "in", "into", "is", "it", "its", "may",
        "more", "most", "no", "not", "now", "of", "off", "on", "once", "one", "only", "or", "other", "our",
        "out", "over", "own", "she", "should", "so", "some", "such", "than", "that", "the", "their", "them",
        "there", "these", "they", "this", "those", "through", "to", "under", "until", "up", "us", "was", "we",
        "were", "what", "when", "where", "which", "while", "who", "will", "with", "within", "without", "would",
        "you", "your",
    )
)  # fmt: skip
# Two of these in a row stand in no English sentence: a cheap sign of shuffled or random words.
_ARTICLES = frozenset(("a", "an", "the", "our", "their", "its", "your", "every"))
_NEVER_AFTER_ARTICLE = frozenset(
    ("a", "an", "the", "our", "their", "its", "your", "of", "and", "or", "in", "for", "to", "with", "is", "are", "will")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A word or a number. number: its digits without separators, None for words; stem: what it shares with kin."""

    text: str
    stem: str
    number: str | None
    money: bool
    percent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence or line. prose: whether it reads as a sentence and not as a list, a label or a heap of numbers."""

    tokens: tuple[Token, ...]
    stems: frozenset[str]  # of its words, without function words and numbers
    prose: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text as read. words: of the whole text, however long."""

    sentences: tuple[Sentence, ...]
    words: int

    @property
    def tokens(self) -> list[Token]:
        return [token for sentence in self.sentences for token in sentence.tokens]


def read(text: str) -> Reading:
    """Sentences and tokens of any text."""
    parts = [part for part in _BREAK.split(text[:CLOSELY]) if part.strip()]
    sentences = [_sentence(part) for part in parts]
    return Reading(sentences=tuple(s for s in sentences if s.tokens), words=len(text.split()))


def stem(word: str) -> str:
    """A word without its commonest endings: `lessons` and `lesson` are one."""
    word = word.lower().replace("\u2019", "'").removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)].removesuffix("e")
    return word


def _sentence(part: str) -> Sentence:
    tokens = tuple(map(_token, _TOKEN.findall(part)))
    words = [t.text.lower() for t in tokens if t.number is None]
    numbers = len(tokens) - len(words)
    flowing = sum(word in FUNCTION_WORDS for word in words)
    prose = (
        len(tokens) >= 4
        and numbers <= 0.4 * len(tokens)
        and flowing >= 0.15 * len(words)
        and stumbles(words) == 0
        and not _LABEL.match(part)
    )
    said = frozenset(t.stem for t in tokens if t.number is None and t.text.lower() not in FUNCTION_WORDS)
    return Sentence(tokens=tokens, stems=said, prose=prose)


def stumbles(words: Sequence[str]) -> int:
    """How often two words follow each other that never do in English: `the of`, `and and`."""
    return sum(one == other or (one in _ARTICLES and other in _NEVER_AFTER_ARTICLE) for one, other in pairwise(words))


@lru_cache(maxsize=20_000)
def _token(found: str) -> Token:
    number = None
    if any(c in "0123456789" for c in found):
        number = found.strip("$%,").replace(",", "")
        number = number.removesuffix(".00").removesuffix(".0")
    elif found.lower() in _NUMBER_WORDS:
        number = _NUMBER_WORDS[found.lower()]
    return Token(text=found, stem=stem(found), number=number, money=found[0] == "$", percent=found[-1] == "%")


def grams(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]


def copied_share(words: Sequence[str], source: Sequence[str], *, size: int) -> float:
    """Share of `words` that stand in a run of `size` words which `source` has too; 0 where there are fewer words."""
    known = set(grams(source, size))
    covered = set[int]()
    for at, gram in enumerate(grams(words, size)):
        if gram in known:
            covered.update(range(at, at + size))
    return len(covered) / len(words) if words else 0.0


def repeated_share(words: Sequence[str], *, size: int) -> float:
    """Share of runs of `size` words that stood in the text before."""
    runs = Counter(grams(words, size))
    total = sum(runs.values())
    return (total - len(runs)) / total if total else 0.0


def contains(stems: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether the phrase stands in the text word for word, endings aside."""
    if not phrase or phrase[0] not in stems:
        return False
    return any(tuple(stems[at : at + len(phrase)]) == tuple(phrase) for at, s in enumerate(stems) if s == phrase[0])


def lowered(tokens: Iterable[Token]) -> list[str]:
    return [t.text.lower().rstrip(",") for t in tokens]
