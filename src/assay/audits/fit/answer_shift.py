"""How reward, length and style of a policy's samples differ from those of the answers the reward was trained on.

Standardised differences: samples less training, in the root of the mean of both variances of single answers, with an
interval over prompt groups that knows the spread was estimated too. Of many marks one always differs most, so they are
judged together. Knows texts and rewards; knows no scorer. Letters: N answers, F attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.fit_body import ShiftRow
from assay.audits.fit.config import FitConfig
from assay.audits.fit.fit_meanings import MEANINGS
from assay.audits.style.overuse import clustered_sum
from assay.audits.style.style_differences import PER, holding
from assay.findings.finding import Finding, measured, unknown
from assay.scorers.answer_style import (
    CHARACTERS,
    COLUMNS,
    COUNTED,
    WORDS,
    first_word,
    frequent_openings,
    style_columns,
)
from assay.stats.intervals import Array, Codes, Interval, cluster_codes
from assay.stats.multiplicity import holm
from assay.stats.unknown import Unknown

REWARD = "reward"
FEWEST = 5  # prompt groups that a difference must rest on to be a finding of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Answers of samples or pairs, one entry an answer. rewards: (N,), or why there are none."""

    texts: Sequence[str]
    clusters: Sequence[str]
    rewards: Array | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Difference of one attribute: both means, the difference in spreads, its error and degrees of freedom."""

    samples: float
    pairs: float
    value: float
    error: float
    freedom: float

    def p(self) -> float:
        """Of "no difference"; 1 where what there is comes from a handful of prompts."""
        if self.freedom + 1 < FEWEST or self.error <= 0:
            return 1.0
        return float(2 * special.stdtr(self.freedom, -abs(self.value) / self.error))

    def interval(self, level: float) -> Interval | Unknown:
        if self.error <= 0:
            return Unknown("nothing is known of other prompts")
        half = float(special.stdtrit(self.freedom, 0.5 + level / 2)) * self.error
        method = "t of a standardised difference, clustered by prompt group"
        return Interval(low=self.value - half, high=self.value + half, level=level, method=method)


def shift_rows(samples: Side, pairs: Side, held_out: Side, config: FitConfig) -> list[ShiftRow]:
    """Reward, lengths, marks, openings, level: those that differ most first.

    pairs: answers trained on, for what the reward has seen. held_out: others like them, for their rewards: those of
    what it was trained on are higher or lower than it would give to anything new.
    """
    names, here, there = attributes(samples, pairs)
    codes = cluster_codes(samples.clusters), cluster_codes(pairs.clusters)
    found = {
        name: shift
        for name, a, b in zip(names, here.T, there.T, strict=True)
        if (shift := difference(a, b, codes)) is not None
    }
    rewards = rewards_of(samples, held_out)
    codes = codes[0], cluster_codes(held_out.clusters)
    if rewards is not None and (shift := difference(*rewards, codes)) is not None:
        found = {REWARD: shift, **found}
    adjusted = holm([one.p() for one in found.values()]).tolist() if found else []
    rows = [row_of(name, one, p, config) for (name, one), p in zip(found.items(), adjusted, strict=True)]
    return sorted(rows, key=lambda row: (row.p_holm, -abs(row.shift), row.attribute))


def rewards_of(samples: Side, pairs: Side) -> tuple[Array, Array] | None:
    if isinstance(samples.rewards, Unknown) or isinstance(pairs.rewards, Unknown):
        return None
    return samples.rewards, pairs.rewards


def attributes(samples: Side, pairs: Side) -> tuple[tuple[str, ...], Array, Array]:
    """Marks per 100 words, statements, level, lengths, frequent first words: names, and both sides' (N, F)."""
    first = [[first_word(text) for text in side.texts] for side in (samples, pairs)]
    # An opening of the samples alone is what is looked for: each side's own frequent ones are asked about.
    openings = list(dict.fromkeys([*frequent_openings(first[0]), *frequent_openings(first[1])]))
    both = []
    for side, words in zip((samples, pairs), first, strict=True):
        columns = style_columns(side.texts)
        columns[:, : len(COUNTED)] *= PER / columns[:, [COLUMNS.index(WORDS)]]
        both.append(np.column_stack([columns, *(holding(word, words) for word in openings)]))
    return (*COLUMNS, *(f"opens with “{word}”" for word in openings)), both[0], both[1]


def difference(here_N: Array, there_M: Array, codes: tuple[Codes, Codes]) -> Shift | None:
    """The standardised difference of means, with the error of its first-order expansion; None where nothing varies.

    d = (m1 - m2) / s with s^2 = (s1^2 + s2^2) / 2: what each answer adds to d is its part in its mean, and d times its
    part in s, so that a large difference is known to rest on an estimated spread.
    """
    scale = float((here_N.var() + there_M.var()) / 2) ** 0.5
    if scale <= 1e-9 * max(abs(float(here_N.mean())), abs(float(there_M.mean())), 1e-300):
        return None
    value = float(here_N.mean() - there_M.mean()) / scale
    parts, freedoms = [], []
    for sign, values, groups in ((1, here_N, codes[0]), (-1, there_M, codes[1])):
        away = (values - values.mean()) / scale
        adds = sign * away - value / 4 * (np.square(away) - np.square(away).mean())
        _, error, rests_on = clustered_sum(adds[:, None], groups)
        parts.append((float(error[0]) / len(values)) ** 2)
        freedoms.append(float(rests_on[0]))
    whole = sum(parts)
    # Welch and Satterthwaite: a side that adds nothing to the error takes nothing from the freedom.
    spent = sum(part**2 / free for part, free in zip(parts, freedoms, strict=True))
    freedom = whole**2 / spent if spent > 0 else 1.0
    return Shift(
        samples=float(here_N.mean()), pairs=float(there_M.mean()), value=value, error=whole**0.5, freedom=freedom
    )


def row_of(name: str, one: Shift, p: float, config: FitConfig) -> ShiftRow:
    found = one.interval(config.level)
    return ShiftRow(
        attribute=name,
        samples=one.samples,
        pairs=one.pairs,
        shift=one.value,
        direction=direction(name, one.value, clear=p <= 1 - config.level),
        interval=IntervalBody(**found.to_dict()) if isinstance(found, Interval) else None,
        p_holm=p,
    )


def direction(name: str, value: float, *, clear: bool) -> str:
    """What samples are or do more or less than the answers of the pairs, in words."""
    if not clear:
        return "no difference shown"
    up, down = {
        REWARD: ("higher", "lower"),
        CHARACTERS: ("longer", "shorter"),
        WORDS: ("longer", "shorter"),
        "reading level": ("harder to read", "easier to read"),
    }.get(name, ("more often" if name.startswith("opens") or name == "refuses" else "more",
                 "less often" if name.startswith("opens") or name == "refuses" else "fewer"))  # fmt: skip
    return up if value > 0 else down


def shift_findings(rows: Sequence[ShiftRow], samples: Side, held_out: Side) -> Iterator[Finding]:
    """Reward, length, and the mark of style that differs most."""
    n = len(set(samples.clusters))
    by_name = {row.attribute: row for row in rows}
    if REWARD in by_name:
        yield finding("reward_shift", by_name[REWARD], n, rows)
    else:
        missing = next((one.rewards for one in (held_out, samples) if isinstance(one.rewards, Unknown)), None)
        yield unknown(MEANINGS["reward_shift"], missing.reason if missing else "all rewards are the same", n=n)
    if CHARACTERS in by_name:
        yield finding("length_shift", by_name[CHARACTERS], n, rows)
    else:
        yield unknown(MEANINGS["length_shift"], "all answers are equally long", n=n)
    marks = [row for row in rows if row.attribute not in (REWARD, CHARACTERS, WORDS)]
    if marks:
        yield finding("style_shift", marks[0], n, rows)
    else:
        yield unknown(MEANINGS["style_shift"], "samples and pairs have the same marks of style", n=n)


def finding(name: str, row: ShiftRow, n: int, rows: Sequence[ShiftRow]) -> Finding:
    bounds = Unknown("nothing is known of other prompts") if row.interval is None else Interval(
        **row.interval.model_dump()
    )  # fmt: skip
    detail = {
        "attribute": row.attribute, "direction": row.direction, "samples": row.samples, "pairs": row.pairs,
        "p_of_all": row.p_holm, "attributes": len(rows), "clusters": n,
    }  # fmt: skip
    return measured(MEANINGS[name], row.shift, n=n, interval=bounds, detail=detail)
