"""Two answers compared by style and by length: one signed difference a feature, turned round when the pair is.

As style control does it: marks per 100 words as (a - b) / (a + b + 1), length as (a - b) / (a + b). Every shape of
length that a reward may have learnt is a difference of its own, since a fit on one leaves the others in.
Knows counts; knows no reward. Shapes: N pairs, F features. Source of the differences: Arena-Hard's style control.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.scorers.answer_style import (
    CHARACTERS,
    COLUMNS,
    COUNTED,
    STATED,
    WORDS,
    first_word,
    frequent_openings,
    style_columns,
)
from assay.stats.intervals import Array
from assay.stats.partial_effects import columns_that_add

PER = 100.0  # words that a density is of


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """Named differences, chosen less rejected: values (N, F), and how often two answers differ in each, (F,)."""

    names: tuple[str, ...]
    values: Array

    def with_others(self, others: Attributes) -> Attributes:
        return Attributes(names=self.names + others.names, values=np.column_stack([self.values, others.values]))

    @property
    def differing(self) -> Array:
        """Pairs in which the two answers differ, (F,)."""
        return np.asarray((self.values != 0).sum(axis=0))


def style_differences(chosen: Sequence[str], rejected: Sequence[str]) -> Attributes:
    """Marks, statements and frequent first words; columns in which no pair differs are left out."""
    up, down = style_columns(chosen), style_columns(rejected)
    names = [*COUNTED, *STATED]
    columns = [density_difference(up, down, name) for name in COUNTED]
    columns += [up[:, COLUMNS.index(name)] - down[:, COLUMNS.index(name)] for name in STATED]
    first, second = [first_word(text) for text in chosen], [first_word(text) for text in rejected]
    for word in frequent_openings(first + second):
        names.append(f"opens with “{word}”")
        columns.append(holding(word, first) - holding(word, second))
    return _that_differ(names, columns)


def holding(word: str, words: Sequence[str]) -> Array:
    """1 where `words` holds the word, else 0; one number each."""
    return np.fromiter((one == word for one in words), dtype=np.float64, count=len(words))


def density_difference(up: Array, down: Array, name: str) -> Array:
    """(a - b) / (a + b + 1) of marks per 100 words; in (-1, 1)."""
    place, words = COLUMNS.index(name), COLUMNS.index(WORDS)
    a, b = PER * up[:, place] / up[:, words], PER * down[:, place] / down[:, words]
    return np.asarray((a - b) / (a + b + 1))


def length_differences(length: Array) -> Attributes:
    """Shapes of length from characters of (chosen, rejected), (N, 2): the ones a fit on length is made of.

    Relative and in characters; beyond each quartile of all answers (a reward with a threshold); and how near an answer
    is to the usual length (a reward that dislikes both short and long, an inverted U).
    """
    a, b = length[:, 0], length[:, 1]
    quartiles = np.quantile(length, [0.25, 0.5, 0.75])
    log = np.log1p(length)
    usual = -np.abs(log - np.median(log))
    names = ["relative length", CHARACTERS]
    columns = [(a - b) / np.maximum(a + b, 1.0), a - b]
    for edge in np.unique(quartiles):
        names.append(f"longer than {edge:.0f} characters")
        columns.append((a > edge).astype(float) - (b > edge))
    names.append("nearness to the usual length")
    columns.append(usual[:, 0] - usual[:, 1])
    return _that_differ(names, columns)


def length_terms(length: Array) -> Array:
    """The two differences that take length out of a fit: relative and in characters, scaled; (N, 2)."""
    a, b = length[:, 0], length[:, 1]
    return scaled(np.column_stack([(a - b) / np.maximum(a + b, 1.0), a - b]))


def that_add(attributes: Attributes) -> Attributes:
    """Without columns that earlier ones already tell, up to a thousandth: list items that are all bold, say."""
    kept = columns_that_add(attributes.values)
    return Attributes(names=tuple(attributes.names[place] for place in kept), values=attributes.values[:, kept])


def scaled(values_NF: Array) -> Array:
    """Each column over its root mean square, without centring: a difference within a pair has its own zero."""
    size = np.sqrt(np.square(values_NF).mean(axis=0))
    return np.asarray(values_NF / np.where(size > 0, size, 1.0))


def _that_differ(names: Sequence[str], columns: Sequence[Array]) -> Attributes:
    kept = [place for place, column in enumerate(columns) if (column != 0).any()]
    values = np.column_stack([columns[place] for place in kept]) if kept else np.zeros((len(columns[0]), 0))
    return Attributes(names=tuple(names[place] for place in kept), values=values)
