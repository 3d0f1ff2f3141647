"""How many held-out pairs, or prompts and votes, a set of criteria needs before it is likely to be decided.

1) draw what an audit of n pairs would find, many times, from accuracies that are hoped for; 2) decide each draw by the
rules' own intervals; 3) look for the least n that passes every criterion in four draws of five. At a true figure on the
threshold a criterion by bound passes in one draw of forty, whatever n is, and at one close to it only with many pairs.
Simulated from the assumptions stated, and as good as they are. Knows criteria; knows no data.

Letters: D draws, C categories.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import stats as scipy_stats

from assay.errors import GateError
from assay.gate.criteria import Criterion
from assay.gate.looks import LookPlan
from assay.stats.alpha_spending import level_of, shares
from assay.stats.draws import stream
from assay.stats.intervals import Array
from assay.stats.power import LIKELY, least, prompt_variance
from assay.stats.unknown import Unknown

DRAWS = 4000
LEVEL = 0.95
MOST_PAIRS = 10**7  # beyond which nobody collects
_NO_NEED = (
    "not_degenerate",
    "no_overlap",
    "self_checks",
    "no_probe_problem",
)  # hold or do not, whatever the number of pairs

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hope:
    """What is hoped for, and what the data will be like.

    accuracy: true held-out accuracy overall. categories: true accuracy by category, equal in size; none: no categories.
    pairs_per_prompt, icc: how many held-out pairs share a prompt, and how alike right and wrong are among them.
    longest: what "the longest answer wins" reaches. win_rate, editors, ties, vote_icc: of a blind study, where asked.
    """

    accuracy: float | None = None
    categories: Mapping[str, float] = field(default_factory=dict)
    pairs_per_prompt: float = 1.0
    icc: float = 0.2
    longest: float = 0.5
    win_rate: float | None = None
    editors: int = 3
    ties: float = 0.2
    vote_icc: float = 0.3

    def __post_init__(self) -> None:
        """Raises GateError for a share outside 0 to 1, or less than one pair a prompt or editor."""
        shares = {
            "accuracy": self.accuracy, "longest": self.longest, "win rate": self.win_rate, "ties": self.ties,
            "icc": self.icc, "vote icc": self.vote_icc, **self.categories,
        }  # fmt: skip
        for name, value in shares.items():
            if value is not None and not 0 <= value <= 1:
                raise GateError(f"plan: {name} is {value}; it is a share from 0 to 1, such as 0.78.")
        if self.pairs_per_prompt < 1 or self.editors < 1:
            raise GateError("plan: at least one pair a prompt and one editor, please.")

    @property
    def design_effect(self) -> float:
        """What pairs that share prompts cost: 1 + (pairs a prompt - 1) icc."""
        return 1 + (self.pairs_per_prompt - 1) * self.icc


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One criterion: how many pairs (prompts of a study) pass it in 80% of draws, and how often `asked` of them do.

    needed: None where no number would, or where nothing has to be planned, for `why`. chance: None without `asked`.
    """

    text: str
    counted: str
    needed: int | None
    chance: float | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What each criterion needs, and what all criteria on pairs need together; together is None where none is one.

    looks: how many are planned; the numbers are for one of them, the last where most is kept for it. level: of the
    intervals that decide that look.
    """

    needs: tuple[Need, ...]
    together: Need | None
    looks: LookPlan | None = None
    level: float = LEVEL

    def to_dict(self) -> dict[str, object]:
        """As `assay plan --json` prints it."""
        rows = {"criteria": [_row(need) for need in self.needs]}
        plan = self.looks
        looks = None if plan is None else {"planned": plan.planned, "spending": plan.spending, "level": self.level}
        return {**rows, "together": None if self.together is None else _row(self.together), "looks": looks}


def plan(
    criteria: Sequence[Criterion],
    hope: Hope,
    *,
    pairs: int | None = None,
    prompts: int | None = None,
    looks: LookPlan | None = None,
) -> Plan:
    """What the criteria need if the truth is as hoped. pairs, prompts: sizes whose chance is told.

    looks: how many looks share the error rate; then one of them is planned for, the last where most is kept for it.
    Raises GateError where a criterion names what nothing is hoped of.
    """
    level = LEVEL if looks is None else level_of(LEVEL, shares(looks.planned, looks.spending)[-1])
    drawn = _Draws(hope, level)
    needs, planned = [], []
    for criterion in criteria:
        if criterion.finding == "win_rate":
            needs.append(_study_need(criterion, hope, prompts, level))
        elif criterion.kind in _NO_NEED:
            needs.append(_unplanned(criterion, "holds or does not, whatever the number of pairs"))
        elif criterion.kind == "every_seed":
            needs.append(
                _unplanned(criterion, "more than the same without `every seed`: how seeds differ is not known")
            )
        elif criterion.finding not in (None, "accuracy"):
            needs.append(_unplanned(criterion, "how much it varies is not known before there are pairs"))
        elif criterion.by == "point":
            needs.append(_unplanned(criterion, "by point a figure decides, whatever its interval"))
        else:
            planned.append(criterion)
            needs.append(_need(criterion.text, drawn, [criterion], pairs))
    together = _need("all of these together", drawn, planned, pairs) if len(planned) > 1 else None
    return Plan(needs=tuple(needs), together=together, looks=looks, level=level)


class _Draws:
    """What audits of any number of pairs would find: the same luck for every number, scaled to it."""

    def __init__(self, hope: Hope, level: float) -> None:
        random = stream(0, "gate plan")
        self.level = level
        self.hope, self.names = hope, list(hope.categories)
        self.luck_DC = random.standard_normal((DRAWS, max(len(self.names), 1)))
        self.length_luck_D = random.standard_normal(DRAWS)

    def passes(self, criterion: Criterion, pairs: int) -> Flags:
        """Whether each draw of an audit of `pairs` pairs passes, (D,)."""
        if criterion.kind == "beats_length":
            return self._beats_length(pairs)
        assert criterion.threshold is not None
        if criterion.kind == "overall":
            return self._clears(self._overall(pairs), criterion, pairs)
        found_DC, share = self._by_category(pairs, criterion), pairs / max(len(self.names), 1)
        each_DC = self._clears(found_DC, criterion, share)
        if criterion.kind == "every_category":
            return np.asarray(each_DC.all(axis=1))
        assert criterion.slice is not None
        if criterion.slice.name not in self.names:
            raise GateError(f"plan: {criterion.text!r}: nothing is hoped of that category. Give it a hoped accuracy.")
        return np.asarray(each_DC[:, self.names.index(criterion.slice.name)])

    def _by_category(self, pairs: int, criterion: Criterion) -> Array:
        if not self.names:
            raise GateError(f"plan: {criterion.text!r} needs categories. Say how many, or what is hoped of each.")
        truth_C = np.array([self.hope.categories[name] for name in self.names])
        return _around(truth_C, self.luck_DC, self._effective(pairs / len(self.names)))

    def _overall(self, pairs: int) -> Array:
        if self.names:  # the mean of the same categories: an overall figure is not luck of its own
            truth_C = np.array([self.hope.categories[name] for name in self.names])
            found: Array = _around(truth_C, self.luck_DC, self._effective(pairs / len(self.names))).mean(axis=1)
            return found if self.hope.accuracy is None else found + self.hope.accuracy - float(truth_C.mean())
        if self.hope.accuracy is None:
            raise GateError("plan: nothing is hoped of the overall accuracy. Give it, such as --accuracy 0.78.")
        return _around(np.array([self.hope.accuracy]), self.luck_DC, self._effective(pairs))[:, 0]

    def _beats_length(self, pairs: int) -> Flags:
        """Above the longer-wins and the shorter-wins rule; reward and rule taken to be right independently."""
        stronger = max(self.hope.longest, 1 - self.hope.longest)
        error = math.sqrt(stronger * (1 - stronger) / self._effective(pairs))
        own_D = self._overall(pairs)
        truth = float(own_D.mean())
        both = math.sqrt((truth * (1 - truth) + stronger * (1 - stronger)) / self._effective(pairs))
        quantile = self._quantile(pairs)
        return np.asarray(own_D - stronger - error * self.length_luck_D > quantile * both)

    def _clears(self, found: Array, criterion: Criterion, pairs: float) -> Flags:
        """Whether Wilson's interval around each figure of so many pairs lies wholly on the right side."""
        bar = criterion.threshold
        assert bar is not None
        reach = self._quantile(pairs) * math.sqrt(bar * (1 - bar) / self._effective(pairs))
        above = str(criterion.operator).startswith(">")
        return np.asarray(found - bar > reach if above else bar - found > reach)

    def _quantile(self, pairs: float) -> float:
        return float(scipy_stats.t.ppf(0.5 + self.level / 2, self._freedom(pairs)))

    def _effective(self, pairs: float) -> float:
        return max(pairs, 1.0) / self.hope.design_effect

    def _freedom(self, pairs: float) -> float:
        return max(pairs / self.hope.pairs_per_prompt - 1, 1.0)


def _around(truth_C: Array, luck_DC: Array, effective: float) -> Array:
    """Figures as they would come out, (D, C)."""
    return np.clip(truth_C + luck_DC * np.sqrt(truth_C * (1 - truth_C) / effective), 0.0, 1.0)


def _need(text: str, drawn: _Draws, criteria: Sequence[Criterion], asked: int | None) -> Need:
    def chance(pairs: int) -> float:
        return float(np.all([drawn.passes(one, pairs) for one in criteria], axis=0).mean())

    told = None if asked is None else chance(asked)
    if chance(MOST_PAIRS) < LIKELY:
        why = "the figure hoped for does not clear the threshold, so no number of pairs would pass it"
        return Need(text=text, counted="pairs", needed=None, chance=told, why=why)
    needed = least(lambda pairs: chance(pairs) >= LIKELY)
    assert not isinstance(needed, Unknown)
    return Need(text=text, counted="pairs", needed=needed, chance=told)


def _study_need(criterion: Criterion, hope: Hope, asked: int | None, level: float) -> Need:
    """Prompts at which a study's win rate clears the threshold, each judged by `editors` editors."""
    bar, rate = criterion.threshold, hope.win_rate
    assert bar is not None
    if rate is None:
        raise GateError(f"plan: {criterion.text!r}: no win rate is hoped for. Give it, such as --win-rate 0.65.")
    variance = prompt_variance(rate, votes=hope.editors, icc=hope.vote_icc, ties=hope.ties)
    ahead = rate - bar if str(criterion.operator).startswith(">") else bar - rate

    # The score interval's width is that at the threshold, so it is wider than the rate's own spread where the rate lies
    # further from one half (stats.winrate).
    wider = math.sqrt(bar * (1 - bar) / max(rate * (1 - rate), 1e-9))

    def chance(prompts: int) -> float:
        quantile = float(scipy_stats.t.ppf(0.5 + level / 2, max(prompts - 1, 1)))
        return float(scipy_stats.norm.cdf(ahead / math.sqrt(variance / prompts) - quantile * wider))

    told = None if asked is None else chance(asked) if ahead > 0 else 0.0
    if ahead <= 0:
        why = "the win rate hoped for does not clear the threshold, so no number of prompts would pass it"
        return Need(text=criterion.text, counted="prompts", needed=None, chance=told, why=why)
    needed = least(lambda prompts: prompts > 1 and chance(prompts) >= LIKELY)
    if isinstance(needed, Unknown):
        return Need(text=criterion.text, counted="prompts", needed=None, chance=told, why=needed.reason)
    return Need(text=criterion.text, counted="prompts", needed=needed, chance=told)


def _unplanned(criterion: Criterion, why: str) -> Need:
    return Need(text=criterion.text, counted="pairs", needed=None, chance=None, why=why)


def _row(need: Need) -> dict[str, object]:
    return {
        "criterion": need.text,
        "counted": need.counted,
        "needed_for_80_percent": need.needed,
        "chance": need.chance,
        "why": need.why or None,
    }
