"""Criteria and evidence to a verdict with reasons. Pure: knows no file.

By bound: pass if the whole interval lies on the right side, fail if all of it lies on the wrong side, else undecided.
What is missing fails: a gate never passes on evidence it does not have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Literal

from assay.audits.scores_table import UNCATEGORISED
from assay.errors import GateError
from assay.findings.finding import Finding
from assay.findings.vocabulary import ALL_MEANINGS, STUDY_MEANINGS
from assay.gate.criteria import Criterion
from assay.gate.evidence import Evidence
from assay.stats.intervals import Interval
from assay.stats.power import NeverDecides, pairs_needed, pairs_needed_for_mean

Word = Literal["pass", "fail", "undecided"]
PLURALS = {"category": "categories", "aspect": "aspects", "editor": "editors"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one criterion came to. more_pairs: pairs (of a study: votes) that would decide it, where it is undecided.

    more_prompts: the same in prompts, for figures that are counted in votes on prompts.
    """

    text: str
    kind: str
    verdict: Word
    reason: str
    value: float | None = None
    threshold: float | None = None
    interval: Interval | None = None
    more_pairs: int | None = None
    more_prompts: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "kind": self.kind,
            "verdict": self.verdict,
            "reason": self.reason,
            "value": self.value,
            "threshold": self.threshold,
            "interval": self.interval.to_dict() if self.interval else None,
            "more_pairs": self.more_pairs,
            "more_prompts": self.more_prompts,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict and the criteria behind it; fail if any fails, else undecided if any is, else pass."""

    verdict: Word
    criteria: tuple[Result, ...]
    inputs: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "criteria": [result.to_dict() for result in self.criteria],
            "inputs": dict(self.inputs),
        }


def decide(evidence: Evidence, criteria: Sequence[Criterion]) -> Verdict:
    """Decide each criterion on the evidence. Raises GateError if there is none: an empty gate would pass anything."""
    if not criteria:
        raise GateError("no criteria: a gate without criteria would pass anything. Give at least one.")
    results = tuple(RULES[criterion.kind](evidence, criterion) for criterion in criteria)
    return Verdict(verdict=worst([result.verdict for result in results]), criteria=results, inputs=evidence.inputs)


def worst(words: Sequence[Word]) -> Word:
    return "fail" if "fail" in words else "undecided" if "undecided" in words else "pass"


def decide_overall(evidence: Evidence, criterion: Criterion) -> Result:
    return compare(evidence, criterion, "overall")


def decide_category(evidence: Evidence, criterion: Criterion) -> Result:
    return compare(evidence, criterion, f"{criterion.part}={criterion.category}")


def decide_every_category(evidence: Evidence, criterion: Criterion) -> Result:
    measure = "win_rate" if criterion.finding in STUDY_MEANINGS else "accuracy"
    start, many = f"{criterion.part}=", PLURALS[criterion.part]
    slices = [f.slice for f in evidence.figures.findings if f.name == measure and f.slice.startswith(start)]
    names = list(dict.fromkeys(slices))
    if not names:
        return _failed(criterion, f"the {evidence.source} has no {many}, so none of them is shown to hold")
    unmeasured = never_held_out(evidence, {name.removeprefix(start) for name in names}) if start == "category=" else []
    if unmeasured:
        return _failed(
            criterion, f"no held-out pair measures {', '.join(unmeasured)}: hold out more pairs, or more of it"
        )
    results = {name.removeprefix(start): compare(evidence, criterion, name) for name in names}
    word = worst([result.verdict for result in results.values()])
    if word == "pass":
        lowest = min(results.items(), key=_rank(criterion))
        return _shown(criterion, "pass", f"all {len(results)} hold; nearest is {_named(*lowest)}", lowest[1])
    short = {name: result for name, result in results.items() if result.verdict == word}
    lowest = min(short.items(), key=_rank(criterion))
    reason = "; ".join(_named(name, result) for name, result in short.items())
    needed = [result.more_pairs for result in short.values()]
    more = sum(n for n in needed if n is not None) if word == "undecided" and None not in needed else None
    return _shown(criterion, word, reason, lowest[1], more_pairs=more)


def never_held_out(evidence: Evidence, measured: Set[str]) -> list[str]:
    """Categories that the split knows and the audit has no figure for: unmeasured is not good."""
    known = (evidence.split or {}).get("categories")
    return sorted(set(known) - measured - {UNCATEGORISED}) if isinstance(known, Mapping) else []


def decide_beats_length(evidence: Evidence, criterion: Criterion) -> Result:
    """Above "longest wins", and above "shortest wins", which is the stronger rule where people prefer brevity."""
    results = [
        compare(evidence, _over_zero(criterion, name), "overall")
        for name in ("accuracy_beyond_length", "accuracy_beyond_shortest")
    ]
    weaker = min(results, key=lambda result: math.inf if result.value is None else result.value)
    unknown = next((result for result in results if result.value is None), None)
    if unknown is not None:
        return unknown
    word = worst([result.verdict for result in results])
    deciding = weaker if weaker.verdict == word else next(r for r in results if r.verdict == word)
    return _shown(criterion, word, deciding.reason, deciding, more_pairs=deciding.more_pairs)


def decide_not_degenerate(evidence: Evidence, criterion: Criterion) -> Result:
    found = evidence.figures.find("degenerate")
    if found is None or found.value is None:
        why = "the audit has no such finding" if found is None else str(found.reason)
        return _failed(criterion, f"whether the rewards are degenerate is unknown: {why}")
    if found.verdict != "ok" or found.value != 0:
        problems = found.detail.get("problems") or {}
        said = "; ".join(f"{name.replace('_', ' ')}: {text}" for name, text in problems.items())
        return _failed(criterion, said or "the audit judged the rewards degenerate", found.value)
    return Result(
        text=criterion.text,
        kind=criterion.kind,
        verdict="pass",
        reason=f"the rewards of {found.n:,} pairs show none of the named problems",
        value=found.value,
    )


def decide_no_overlap(evidence: Evidence, criterion: Criterion) -> Result:
    """The split's proof must say that no prompt group and no prompt is on both sides."""
    proof = evidence.split
    if proof is None:
        return _failed(criterion, "there is no split.json, so nothing shows that training and held-out prompts differ")
    for what in ("groups", "prompts"):
        count = proof.get(f"shared_{what}")
        if isinstance(count, bool) or not isinstance(count, int):
            return _failed(criterion, f"split.json does not state the number of shared prompt {what} (shared_{what})")
        if count:
            return _failed(criterion, f"{count:,} of the {what} are on both sides of the split", float(count))
    return Result(
        text=criterion.text,
        kind=criterion.kind,
        verdict="pass",
        reason="no prompt group is on both sides of the split, near-duplicate prompts counted as one",
        value=0.0,
    )


def decide_self_checks(evidence: Evidence, criterion: Criterion) -> Result:
    problems, passed = [], 0
    for seed in evidence.figures.seeds:
        checks = evidence.training.get(seed, {}).get("self_checks")
        if not isinstance(checks, Mapping) or not checks:
            problems.append(f"seed {seed} has no self-checks on record")
            continue
        failed = [name for name, check in checks.items() if not _passed(check)]
        passed += len(checks) - len(failed)
        problems += [f"seed {seed}: {name.replace('_', ' ')} did not pass" for name in failed]
    if problems or not passed:
        return _failed(criterion, "; ".join(problems) or "no self-checks are on record")
    seeds = len(evidence.figures.seeds)
    return Result(
        text=criterion.text,
        kind=criterion.kind,
        verdict="pass",
        reason=f"all {passed} self-checks of {seeds} {'seed' if seeds == 1 else 'seeds'} passed",
        value=float(passed),
    )


def compare(evidence: Evidence, criterion: Criterion, where: str) -> Result:
    """One finding against the threshold, by point or by bound."""
    name, place = str(criterion.finding), where.partition("=")[2] or where
    found = evidence.figures.find(name, where)
    if found is None:
        return _failed(criterion, f"the {evidence.source} has no {spaced(name)} for {place}")
    if found.value is None or not math.isfinite(found.value) or found.n <= 0:
        return _failed(
            criterion, f"{spaced(name)} is unknown: {found.reason or f'it was measured on no {evidence.counted}s'}"
        )
    if criterion.by == "point":
        low = high = found.value
    elif found.interval is None or not (math.isfinite(found.interval.low) and math.isfinite(found.interval.high)):
        why = (found.reason or f"the {evidence.source} gives no reason").removeprefix("no interval: ")
        return _failed(
            criterion, f"{figure(found.value, name)} has no interval ({why}), so nothing bounds it", found.value
        )
    else:
        low, high = found.interval.low, found.interval.high
    word = side(low, high, criterion)
    return _compared(evidence, criterion, found, word)


def side(low: float, high: float, criterion: Criterion) -> Word:
    """Where the interval [low, high] stands to the threshold; a point is an interval of no width."""
    bar = criterion.threshold
    assert bar is not None
    holds: dict[str, tuple[bool, bool]] = {  # (surely holds, surely does not)
        ">": (low > bar, high <= bar),
        ">=": (low >= bar, high < bar),
        "<": (high < bar, low >= bar),
        "<=": (high <= bar, low > bar),
    }
    surely, surely_not = holds[str(criterion.operator)]
    return "pass" if surely else "fail" if surely_not else "undecided"


def _compared(evidence: Evidence, criterion: Criterion, found: Finding, word: Word) -> Result:
    bar = criterion.threshold
    assert bar is not None
    interval = found.interval if criterion.by == "bound" else None
    more, remark = how_many_more(found, bar) if word == "undecided" else (None, "")
    return Result(
        text=criterion.text,
        kind=criterion.kind,
        verdict=word,
        reason=in_words(criterion, found, word, interval, counted=evidence.counted) + remark,
        value=found.value,
        threshold=bar,
        interval=found.interval,
        more_pairs=more,
        more_prompts=more_prompts(found, more) if evidence.counted == "vote" else None,
    )


def more_prompts(found: Finding, more: int | None) -> int | None:
    """Votes as prompts, at as many votes a prompt as there are now."""
    prompts = found.detail.get("clusters")
    return math.ceil(more * prompts / found.n) if more is not None and prompts else None


def in_words(
    criterion: Criterion, found: Finding, word: Word, interval: Interval | None, *, counted: str = "pair"
) -> str:
    """75.4% (95% interval 72.6% to 78.0%, 1,000 pairs): all of it above 72.0%."""
    name, bar = found.name, figure(criterion.threshold, found.name)
    said, pairs = figure(found.value, name), f"{found.n:,} {counted}{'' if found.n == 1 else 's'}"
    if interval is None:
        ending = "holds" if word == "pass" else "does not hold"
        return f"{said} ({pairs}, by point): {criterion.operator} {bar} {ending}"
    said += f" ({interval.level:.0%} interval {figure(interval.low, name)} to {figure(interval.high, name)}, {pairs})"
    if word == "undecided":
        return f"{said}: the interval holds {bar}"
    above = (word == "pass") == str(criterion.operator).startswith(">")
    return f"{said}: all of it {'above' if above else 'below'} {bar}"


def how_many_more(found: Finding, bar: float) -> tuple[int | None, str]:
    """Held-out pairs beyond those at hand at which the interval would clear `bar`; or None, and why no number would."""
    assert found.value is not None
    assert found.interval is not None
    effect, clusters = found.detail.get("design_effect"), found.detail.get("clusters")
    needed: int | NeverDecides
    if ALL_MEANINGS[found.name].unit == "share" and effect is not None and clusters is not None and 0 < bar < 1:
        needed = pairs_needed(
            found.value,
            bar,
            design_effect=effect,
            level=found.interval.level,
            clusters_per_pair=int(clusters) / found.n,
        )
    else:
        interval = found.interval
        needed = pairs_needed_for_mean(
            found.value, bar, n=found.n, low=interval.low, high=interval.high, level=interval.level, clusters=clusters
        )
    if isinstance(needed, NeverDecides):
        return None, f" ({needed.reason})"
    return max(needed - found.n, 1), ""


def figure(value: float | None, name: str) -> str:
    """A figure in the words of its unit: shares in percent, differences of shares in points."""
    if value is None:
        return "unknown"
    unit = ALL_MEANINGS[name].unit
    if unit == "share":
        return f"{100 * value:.1f}%"
    if unit == "share difference":
        return f"{100 * value:+.1f} points"
    return f"{value:.4g}"


def spaced(name: str) -> str:
    return name.replace("_", " ")


def _over_zero(criterion: Criterion, name: str) -> Criterion:
    return Criterion(
        text=criterion.text, kind=criterion.kind, by=criterion.by, finding=name, operator=">", threshold=0.0
    )


def _rank(criterion: Criterion) -> Callable[[tuple[str, Result]], float]:
    """Nearest to failing first; unknown values first of all."""
    sign = 1.0 if str(criterion.operator).startswith(">") else -1.0

    def key(item: tuple[str, Result]) -> float:
        return -math.inf if item[1].value is None else sign * item[1].value

    return key


def _named(name: str, result: Result) -> str:
    return f"{name}: {result.reason}"


def _passed(check: Any) -> bool:
    return check is True or (isinstance(check, Mapping) and check.get("passed") is True)


def _failed(criterion: Criterion, reason: str, value: float | None = None) -> Result:
    return Result(
        text=criterion.text,
        kind=criterion.kind,
        verdict="fail",
        reason=reason,
        value=value,
        threshold=criterion.threshold,
    )


def _shown(criterion: Criterion, word: Word, reason: str, figures: Result, *, more_pairs: int | None = None) -> Result:
    return Result(
        text=criterion.text,
        kind=criterion.kind,
        verdict=word,
        reason=reason,
        value=figures.value,
        threshold=figures.threshold,
        interval=figures.interval,
        more_pairs=more_pairs,
    )


Rule = Callable[[Evidence, Criterion], Result]
RULES: Mapping[str, Rule] = {
    "overall": decide_overall,
    "category": decide_category,
    "every_category": decide_every_category,
    "beats_length": decide_beats_length,
    "not_degenerate": decide_not_degenerate,
    "no_overlap": decide_no_overlap,
    "self_checks": decide_self_checks,
}
