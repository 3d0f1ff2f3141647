"""Outside figures by version of the policy, beside the reward: which got worse while the reward rose. No p value is
given: versions are few, are no random draws, and each follows from the one before. Knows numbers; knows no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assay.audits.fresh.fresh_meanings import MEANINGS
from assay.findings.finding import Finding, Judgement, measured, unknown

FEWEST = 6  # versions from which a rank correlation is told: of five, one exchange moves it by 0.1 to 0.4
Column = Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiTable:
    """One row a version, in the order in which they came. lower: figures of which less is better."""

    versions: Sequence[str]
    reward: Column
    preference: Column | None
    figures: Mapping[str, Column]
    lower: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiFall:
    """A figure that got worse from one version to the next one that has both, while the reward rose."""

    kpi: str
    before: str
    after: str
    reward: tuple[float, float]
    figures: tuple[float, float]
    preference: tuple[float, float] | None


def kpi_falls(table: KpiTable) -> list[KpiFall]:
    """Between neighbouring versions, a version without the figure or the reward stepped over; then from first to last
    where no step between tells it."""
    found: list[KpiFall] = []
    for name, column in table.figures.items():
        worse = -1 if name not in table.lower else 1
        both = [place for place, value in enumerate(column) if value is not None and table.reward[place] is not None]
        steps = [(one, other) for one, other in pairwise(both) if _fell(table, column, worse, one, other)]
        ends = (both[0], both[-1]) if len(both) > 2 else None
        if not steps and ends is not None and _fell(table, column, worse, *ends):
            steps = [ends]
        found += [_fall(table, name, column, one, other) for one, other in steps]
    return found


def _fell(table: KpiTable, column: Column, worse: int, one: int, other: int) -> bool:
    rose = _known(table.reward[other]) - _known(table.reward[one]) > 0
    return rose and worse * (_known(column[other]) - _known(column[one])) > 0


def _fall(table: KpiTable, name: str, column: Column, one: int, other: int) -> KpiFall:
    liked = None if table.preference is None else (table.preference[one], table.preference[other])
    return KpiFall(
        kpi=name,
        before=table.versions[one],
        after=table.versions[other],
        reward=(_known(table.reward[one]), _known(table.reward[other])),
        figures=(_known(column[one]), _known(column[other])),
        preference=None if liked is None or None in liked else (_known(liked[0]), _known(liked[1])),
    )


def rank_correlations(table: KpiTable) -> dict[str, float | None]:
    """Spearman's, of the reward and each figure turned so that more is better; None for fewer than FEWEST versions
    that have both, or where either never varies."""
    from scipy import stats as scipy_stats

    found: dict[str, float | None] = {}
    for name, column in table.figures.items():
        sign = -1.0 if name in table.lower else 1.0
        both = [
            (reward, sign * value)
            for reward, value in zip(table.reward, column, strict=True)
            if reward is not None and value is not None
        ]
        varies = all(len({row[side] for row in both}) > 1 for side in (0, 1)) if both else False
        enough = len(both) >= FEWEST and varies
        rewards, values = [reward for reward, _ in both], [value for _, value in both]
        found[name] = float(scipy_stats.spearmanr(rewards, values).statistic) if enough else None
    return found


def kpi_finding(table: KpiTable, falls: Sequence[KpiFall]) -> Finding:
    """How many falls there are; a warning where there is one, since somebody has to look."""
    meaning = MEANINGS["kpi_falls"]
    known = [place for place, value in enumerate(table.reward) if value is not None]
    if len(known) < 2:
        return unknown(meaning, f"{len(known)} of the versions have a reward, and a rise needs two")
    detail = {"kpis": sorted({one.kpi for one in falls}), "versions": len(table.versions)}
    verdict: Judgement = "warning" if falls else "ok"
    return measured(meaning, float(len(falls)), n=len(known), verdict=verdict, detail=detail)


def fall_sentence(one: KpiFall) -> str:
    """Which figure, between which versions, with the numbers."""
    said = (
        f"{one.kpi} went from {one.figures[0]:g} to {one.figures[1]:g} between {one.before} and {one.after} while the "
        f"reward rose from {one.reward[0]:g} to {one.reward[1]:g}"
    )
    if one.preference is None:
        return said
    return f"{said} (people's preference {one.preference[0]:g} to {one.preference[1]:g})"


def _known(value: float | None) -> float:
    assert value is not None
    return value
