"""Named random streams and the small draws everything is built from. Knows no support desk."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
Draw = Callable[[random.Random], str]
Alter = Callable[[random.Random, str], str]

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
WINDOWS = ("8-10", "9-11", "10-12", "12-2", "1-3", "2-4", "3-5", "4-6")


def simulation_stream(seed: int, name: str) -> random.Random:
    """A generator of its own for each use of randomness, so that one part's draws never move another's."""
    return random.Random(hashlib.sha256(f"assay.simulate/{seed}/{name}".encode()).digest())


def weighted(rng: random.Random, table: Mapping[T, float]) -> T:
    """One key of `table`, drawn by its weight."""
    return rng.choices(tuple(table), weights=tuple(table.values()))[0]


def other(rng: random.Random, pool: Sequence[str], value: str) -> str:
    """A member of `pool` that is not `value`."""
    return rng.choice([member for member in pool if member != value])


def listed(words: Sequence[str], joint: str) -> str:
    """`a, b and c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" {joint} {words[-1]}"


def sentence(text: str) -> str:
    """A clause as a sentence: first letter large, a full stop where no mark ends it."""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else text + "."


def date(rng: random.Random) -> str:
    return f"{rng.randint(1, 28)} {rng.choice(MONTHS)}"


def near_date(rng: random.Random, value: str) -> str:
    """Another day of the month, or the same day of another month."""
    day, month = value.split()
    if rng.random() < 0.4:
        return f"{day} {other(rng, MONTHS, month)}"
    shift = rng.choice((-10, -3, -2, -1, 1, 2, 3, 10))
    return f"{(int(day) + shift - 1) % 28 + 1} {month}"


def amount(low: int, high: int) -> Draw:
    return lambda rng: f"${rng.randint(low, high)}"


def near_amount(rng: random.Random, value: str) -> str:
    """One digit changed, or two digits exchanged."""
    return "$" + near_digits(rng, value[1:])


def near_digits(rng: random.Random, value: str) -> str:
    """A number of the same length with one digit changed, or its last two exchanged."""
    if len(value) > 1 and value[-1] != value[-2] and value[-2:] != "0" and value[-1] != "0" and rng.random() < 0.3:
        return value[:-2] + value[-1] + value[-2]
    place = rng.randrange(len(value))
    digits = "123456789" if place == 0 else "0123456789"
    return value[:place] + other(rng, digits, value[place]) + value[place + 1 :]


def digits(length: int) -> Draw:
    return lambda rng: str(rng.randint(10 ** (length - 1), 10**length - 1))


def pool(*values: str) -> tuple[Draw, Alter]:
    """A draw from fixed values, and the near miss that is another of them."""
    return (lambda rng: rng.choice(values)), (lambda rng, value: other(rng, values, value))


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
