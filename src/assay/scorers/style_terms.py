"""Length and style of one answer as numbers whose differences are those of the audit: the terms of a joint correction.

The audit compares two answers by (a - b) / (a + b + 1), which no single answer has. It is tanh of half the difference
of log(a + 1/2), and (a - b) / (a + b) that of log(a), so these logarithms are the terms. Knows texts; knows no reward.
Shapes: A answers, F terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from assay.errors import InputError
from assay.scorers.answer_style import CHARACTERS, COLUMNS, COUNTED, STATED, WORDS, first_word, style_columns
from assay.stats.intervals import Array

PER = 100.0  # words that a density is of
RELATIVE = "relative length"
LENGTH = (RELATIVE, CHARACTERS)
OPENING = "opens with “{}”"
# What a user may name, and the terms it stands for; `openings` are the frequent first words of the answers at hand.
NAMED: Mapping[str, tuple[str, ...]] = {
    "length": LENGTH,
    "characters": LENGTH,
    "headers": ("headers",),
    "lists": ("list items",),
    "bold": ("bold",),
    "code": ("code",),
    "emoji": ("emoji",),
    "exclamation": ("exclamation marks",),
    "questions": ("question marks",),
    "paragraphs": ("paragraphs",),
    "refusals": ("refuses",),
    "assent": ("opens with assent",),
    "reading": ("reading level",),
    "openings": (),
    "markdown": ("headers", "list items", "bold", "code"),
    "style": (*COUNTED, *STATED),
}
WITH_OPENINGS = frozenset({"openings", "style"})


def terms_of(named: Sequence[str], openings: Iterable[str]) -> list[str]:
    """The terms that names such as `length` and `style` stand for, each once. openings: frequent first words.

    Raises InputError for a name there is not.
    """
    for name in named:
        if name not in NAMED:
            raise InputError(f"{name} cannot be taken out with others: there are {', '.join(NAMED)}.")
    if not named:
        raise InputError(f"Nothing is named to take out: there are {', '.join(NAMED)}.")
    found = [term for name in named for term in NAMED[name]]
    if WITH_OPENINGS & set(named):
        found += [OPENING.format(word) for word in openings]
    return list(dict.fromkeys(found))


def family(term: str) -> str:
    """What a term is one side of: the two terms of length are taken out to one share."""
    return "length" if term in LENGTH else term


def term_values(texts: Sequence[str], terms: Sequence[str]) -> Array:
    """One row an answer, one column a term; (A, F)."""
    counted = style_columns(texts)
    first = [first_word(text) for text in texts]
    return np.column_stack([_column(term, counted, first) for term in terms])


def _column(term: str, counted: Array, first: Sequence[str]) -> Array:
    if term == RELATIVE:
        return np.log(np.maximum(counted[:, COLUMNS.index(CHARACTERS)], 1.0))
    if term in COUNTED:
        marks, words = counted[:, COLUMNS.index(term)], counted[:, COLUMNS.index(WORDS)]
        return np.asarray(np.log(PER * marks / words + 0.5))
    if term in COLUMNS:
        return np.asarray(counted[:, COLUMNS.index(term)])
    return np.array([OPENING.format(word) == term for word in first], dtype=np.float64)
