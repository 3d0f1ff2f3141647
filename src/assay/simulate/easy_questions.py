"""Multiple-choice questions that a small language model can answer, for a demonstration: which of these is a fruit?

Words of a kind and words of other kinds; the truth is the table below. They show how a capability test is read and
measure no more than that. Knows words; knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from assay.artifacts.files import write_jsonl
from assay.errors import ConfigError
from assay.simulate.random_values import simulation_stream

KINDS: Mapping[str, tuple[str, ...]] = {
    "a fruit": ("apple", "banana", "cherry", "grape", "lemon", "mango", "orange", "peach", "pear", "plum"),
    "an animal": ("cow", "dog", "goat", "horse", "lion", "mouse", "pig", "rabbit", "sheep", "wolf"),
    "a bird": ("crow", "duck", "eagle", "goose", "hawk", "owl", "parrot", "pigeon", "robin", "swan"),
    "a color": ("blue", "brown", "gray", "green", "pink", "purple", "red", "violet", "white", "yellow"),
    "a country": ("Brazil", "Canada", "Egypt", "France", "Germany", "India", "Italy", "Japan", "Kenya", "Spain"),
    "a tool": ("axe", "chisel", "drill", "hammer", "pliers", "saw", "screwdriver", "shovel", "spade", "wrench"),
    "a month": ("January", "February", "March", "April", "May", "June", "July", "August", "October", "November"),
    "a musical instrument": (
        "cello", "clarinet", "drum", "flute", "guitar", "harp", "piano", "trombone", "trumpet", "violin",
    ),
    "a metal": ("aluminum", "copper", "gold", "iron", "lead", "nickel", "silver", "steel", "tin", "zinc"),
    "a part of the body": ("arm", "ear", "elbow", "finger", "foot", "hand", "knee", "leg", "nose", "shoulder"),
}  # fmt: skip
CHOICES = 4


class EasyQuestion(TypedDict):
    """answer: the place of the right choice, from 0. subject: the kind that is asked for."""

    question: str
    choices: list[str]
    answer: int
    subject: str


def easy_questions(count: int, *, seed: int = 0) -> list[EasyQuestion]:
    """`count` questions, kinds in turn. The same arguments give the same questions. Raises ConfigError under 1."""
    if count < 1:
        raise ConfigError(f"count: expected a number of at least 1, got {count}.")
    rng = simulation_stream(seed, "easy questions")
    found: list[EasyQuestion] = []
    for number in range(count):
        kind = tuple(KINDS)[number % len(KINDS)]
        others = rng.sample([name for name in KINDS if name != kind], CHOICES - 1)
        choices = [rng.choice(KINDS[name]) for name in others]
        place = rng.randrange(CHOICES)
        choices.insert(place, rng.choice(KINDS[kind]))
        found.append({"question": f"Which of these is {kind}?", "choices": choices, "answer": place, "subject": kind})
    return found


def write_easy_questions(path: Path, count: int, *, seed: int = 0) -> None:
    """The questions as JSON lines, as `assay capability --data` reads them."""
    write_jsonl(path, easy_questions(count, seed=seed))
