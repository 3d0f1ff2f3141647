"""Finds the desk's phrases in what a customer typed: small letters, lost apostrophes and one slip change nothing.

Knows words; knows no phrase.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_WORD = re.compile(r"[a-z0-9$%-]+")
Keys = tuple[str, ...]


@lru_cache(maxsize=50_000)
def keys(text: str) -> Keys:
    """One key a word. A customer's slip exchanges two inner letters of a longer word, which its key does not show."""
    return tuple(map(_key, _WORD.findall(text.lower().replace("'", ""))))


def _key(word: str) -> str:
    # `typed` (assay.simulate.prose) exchanges two letters between the first and the last one, and nothing else.
    return word if len(word) <= 5 else word[0] + "".join(sorted(word[1:-1])) + word[-1]


def says(message: Keys, phrase: str) -> bool:
    """Whether the phrase stands in the message, word for word."""
    wanted = keys(phrase)
    if not wanted or wanted[0] not in message:
        return False
    size = len(wanted)
    return any(message[at : at + size] == wanted for at, key in enumerate(message) if key == wanted[0])


def said_of(message: Keys, phrases: Iterable[str]) -> str | None:
    """The longest of the phrases that the message has; None where it has none."""
    found = [phrase for phrase in phrases if says(message, phrase)]
    return max(found, key=len, default=None)


def which(message: Keys, named: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """The names of those whose phrases stand in the message."""
    return [name for name, phrases in named if said_of(message, phrases) is not None]
