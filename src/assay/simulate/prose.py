"""Clauses and words -> lists, sentences, and messages with the slips of a customer's fingers."""

from __future__ import annotations

import random
from collections.abc import Sequence


def listed(words: Sequence[str], joint: str) -> str:
    """`a, b and c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" {joint} {words[-1]}"


def sentence(text: str) -> str:
    """A clause as a sentence: first letter large, a full stop where no mark ends it."""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else text + "."


def typed(rng: random.Random, text: str, *, casual: float) -> str:
    """What a customer's fingers make of a message: small letters, lost apostrophes, an exchanged pair of letters."""
    if rng.random() >= casual:
        return text
    if rng.random() < 0.7:
        text = text.lower().replace("'", "") if rng.random() < 0.6 else text.replace("'", "")
    if rng.random() < 0.4:
        words = text.split(" ")
        places = [i for i, word in enumerate(words) if len(word) > 5 and word.isalpha() and word.islower()]
        if places:
            place = rng.choice(places)
            word = words[place]
            cut = rng.randint(1, len(word) - 3)
            words[place] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
            text = " ".join(words)
    return text
