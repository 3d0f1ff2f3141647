"""Words of a text as stems, without the words that every text has: by what two texts are about the same thing.

A small English stemmer of our own: the well-known ones come under licences or in sizes that a dozen rules do not need.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+(?:[.,]\d+)*")
_NOT = ("n't", "n’t")
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ed", "ies", "es", "als", "al", "ly", "s", "y", "e")
_IDLE = """
    a about above after again all also am an and any are as at be because been before being below between both
    but by can could did do does doing done down during each few for from further get gets got had has have
    having he her here hers him his how i if in into is it its itself just let me more most my no nor not now of
    off on once one only or other our ours out over own please same see she should so some such than that the
    their them then there these they thing this those through to too under until up us very was we were what
    when where which while who whom why will with within would you your yours yes ok okay hi hello thanks thank
    sorry way know like say said tell
"""

IDLE = frozenset(_IDLE.split())
# Words that other languages in Latin script do not have, or hardly.
_SMALL = """
    the of and to is are you your we it for that with not have this be can our my from they there has i will by
    or at on as but it's don't i'm was were their its if
"""
_ENGLISH = frozenset(_SMALL.split())
FEW = 6  # words up to which no language can be told
SMALL_WORDS = 0.1  # of the words of an English text, at least; usually three times as many


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without its ending; equal for most forms of one word.

    >>> [stem(word) for word in ("renewal", "renews", "delivery", "delivered", "wrapping")]
    ['renew', 'renew', 'deliver', 'deliver', 'wrap']
    """
    word = re.sub(r"['’](?:s|re|ve|ll|d|m|t)$", "", word.lower())
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiouls" else word


def word_stems(text: str) -> list[str]:
    """Stems of the words that say what a text is about, and its numbers as they stand, in its order."""
    words = _WORD.findall(text)
    kept = [word for word in words if word.lower().replace("’", "'") not in IDLE and not word.lower().endswith(_NOT)]
    return [word if word[0].isdigit() else stem(word) for word in kept]


def stems(text: str) -> frozenset[str]:
    """Stems of the words that say what a text is about, without its numbers."""
    return frozenset(word for word in word_stems(text) if not word[0].isdigit())


def reads_english(text: str) -> bool:
    """Whether a text has the small words that no English text of some length is without; short ones always do.

    >>> reads_english("It is due on 3 May, and you can pay."), reads_english("Die Rückgabe ist bis zum 3. Mai gut.")
    (True, False)
    """
    words = [word.lower() for word in _WORD.findall(text) if not word[0].isdigit()]
    return len(words) < FEW or sum(word in _ENGLISH for word in words) >= SMALL_WORDS * len(words)
