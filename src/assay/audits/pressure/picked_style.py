"""What the picks at the largest n have in common against the rest of their own prompt: length, marks, openings, level.

The mean of an attribute under the chances to be picked, less its plain mean over the same answers: what best of n does
to length is estimated as what it does to gold is. Beside it the same for picks by gold, for not all drift is wrong.
Letters: G prompts, N answers of a prompt, F attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.pressure_body import DriftRow
from assay.audits.pressure.config import PressureConfig
from assay.audits.pressure.pressed_prompts import PressedPrompt
from assay.audits.pressure.pressure_curves import in_spreads, within
from assay.audits.pressure.pressure_meanings import MEANINGS
from assay.audits.style.answer_style import CHARACTERS, COLUMNS, COUNTED, WORDS, first_word, style_columns
from assay.audits.style.overuse import FEWEST, clustered_sum
from assay.audits.style.style_differences import PER, frequent_openings, holding
from assay.findings.finding import Finding, measured, unknown
from assay.records import plain_text
from assay.stats.best_of_n import pick_chances
from assay.stats.intervals import Array, Codes, Interval, cluster_t
from assay.stats.multiplicity import holm
from assay.stats.unknown import Unknown

LENGTHS = (CHARACTERS, WORDS)
NAMES = ("length_drift", "length_drift_beyond_gold", "style_drift_beyond_gold")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """Of each answer to be the pick at the largest n, by the reward (mean over seeds) and by gold; a row a prompt."""

    by_proxy: Sequence[Array]
    by_gold: Sequence[Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifts:
    """Attributes by name, each prompt's mean over random answers, picks and picks by gold, and variance; (G, F)."""

    names: tuple[str, ...]
    random: Array
    picked: Array
    by_gold: Array
    variance: Array


def chances(prompts: Sequence[PressedPrompt], n: int) -> Chances:
    return Chances(
        by_proxy=[pick_chances(one.proxy, n).mean(axis=0) for one in prompts],
        by_gold=[pick_chances(one.gold, n) for one in prompts],
    )


def attribute_drifts(prompts: Sequence[PressedPrompt], found: Chances) -> Drifts:
    """Every attribute in which answers to some prompt differ."""
    texts = [[plain_text(answer) for answer in one.answers] for one in prompts]
    openings = frequent_openings([first_word(text) for several in texts for text in several])
    names = (*COLUMNS, *(f"opens with “{word}”" for word in openings))
    rows: list[list[Array]] = [[], [], [], []]
    for several, by_proxy, by_gold in zip(texts, found.by_proxy, found.by_gold, strict=True):
        value_NF = attributes(several, openings)
        for row, one in zip(
            rows, (value_NF.mean(axis=0), by_proxy @ value_NF, by_gold @ value_NF, within(value_NF.T)), strict=True
        ):
            row.append(one)
    random, picked, gold, variance = (np.array(row) for row in rows)
    kept = [place for place in range(len(names)) if variance[:, place].any()]
    return Drifts(
        names=tuple(names[place] for place in kept),
        random=random[:, kept],
        picked=picked[:, kept],
        by_gold=gold[:, kept],
        variance=variance[:, kept],
    )


def attributes(texts: Sequence[str], openings: Sequence[str]) -> Array:
    """Marks per 100 words, statements, lengths and openings of one prompt's answers, (N, F)."""
    columns = style_columns(texts)
    marks = len(COUNTED)
    # Per 100 words, or a long answer would have more of everything.
    columns[:, :marks] *= PER / columns[:, [COLUMNS.index(WORDS)]]
    first = [first_word(text) for text in texts]
    return np.column_stack([columns, *(holding(word, first) for word in openings)])


def drift_rows(drifts: Drifts, codes: Codes, config: PressureConfig) -> list[DriftRow]:
    """One row an attribute, those that stand out most first."""
    if not drifts.names:
        return []
    beyond = drifts.picked - drifts.by_gold
    _, error, freedom = clustered_sum(beyond, codes)
    p = two_sided(beyond.sum(axis=0), error, freedom)
    adjusted = holm(p)
    rows = []
    for place, name in enumerate(drifts.names):
        spread = in_spreads(beyond[:, [place]], drifts.variance[:, place])[:, 0]
        drift = in_spreads((drifts.picked - drifts.random)[:, [place]], drifts.variance[:, place])[:, 0]
        interval = cluster_t(spread, codes, level=config.level)
        rows.append(
            DriftRow(
                attribute=name,
                random=float(drifts.random[:, place].mean()),
                picked=float(drifts.picked[:, place].mean()),
                picked_by_gold=float(drifts.by_gold[:, place].mean()),
                drift=float(drift.mean()),
                beyond_gold=float(spread.mean()),
                interval=IntervalBody(**interval.to_dict()) if isinstance(interval, Interval) else None,
                p_holm=float(adjusted[place]),
            )
        )
    return sorted(rows, key=lambda row: (row.p_holm, -abs(row.beyond_gold), row.attribute))


def two_sided(total: Array, error: Array, freedom: Array) -> Array:
    """p values of "no drift beyond gold"; 1 where what there is comes from a handful of prompts."""
    from scipy import special

    score = np.divide(np.abs(total), error, out=np.zeros_like(total), where=error > 0)
    return np.asarray(np.where((freedom + 1 < FEWEST) | (error <= 0), 1.0, 2 * special.stdtr(freedom, -score)))


def drift_findings(drifts: Drifts, rows: Sequence[DriftRow], codes: Codes, config: PressureConfig) -> Iterator[Finding]:
    """Length, length beyond gold, and the mark of style that stands out most."""
    n = len(codes)
    if CHARACTERS not in drifts.names:
        yield from (unknown(MEANINGS[name], "all answers of a prompt are equally long", n=n) for name in NAMES[:2])
    else:
        place = drifts.names.index(CHARACTERS)
        for name, against in zip(NAMES, (drifts.random, drifts.by_gold), strict=False):
            spread = in_spreads((drifts.picked - against)[:, [place]], drifts.variance[:, place])[:, 0]
            detail: dict[str, object] = {
                "characters": float((drifts.picked - against)[:, place].mean()), "clusters": len(np.unique(codes)),
            }  # fmt: skip
            interval = cluster_t(spread, codes, level=config.level)
            yield measured(MEANINGS[name], float(spread.mean()), n=n, interval=interval, detail=detail)
    marks = [row for row in rows if row.attribute not in LENGTHS]
    if not marks:
        yield unknown(MEANINGS[NAMES[2]], "answers to one prompt differ in no mark of style", n=n)
        return
    first = marks[0]
    detail = {"attribute": first.attribute, "p_of_all": first.p_holm, "attributes": len(rows)}
    alone = Unknown("all prompts are of one group, so nothing is known about others")
    bounds = alone if first.interval is None else Interval(**first.interval.model_dump())
    yield measured(MEANINGS[NAMES[2]], first.beyond_gold, n=n, interval=bounds, detail=detail)
