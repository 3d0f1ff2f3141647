"""One rule a kind of criterion: evidence in, pass, fail or undecided out, with reasons. Pure: knows no file.

By bound: pass if the whole interval lies on the right side, fail if all of it lies on the wrong side, else undecided.
What is missing fails: a gate never passes on evidence it does not have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from assay.artifacts.gate_body import Word, worst
from assay.audits.fit.fit_meanings import MEANINGS as FIT_MEANINGS
from assay.audits.lost_rows import pairs_measured, why_unmeasured
from assay.audits.pressure.pressure_meanings import MEANINGS as PRESSURE_MEANINGS
from assay.errors import GateError
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.gate.criteria import Criterion, Kind, for_several_seeds
from assay.gate.every_figure import EVERY_FIGURE
from assay.gate.evidence import Evidence, Figures
from assay.gate.more_needed import more_pairs, more_prompts
from assay.gate.probe_rule import decide_probes
from assay.gate.reasons import MANY, comparison_text, figure_text
from assay.gate.verdict import Result, Toward, Verdict
from assay.records import NO_CATEGORY
from assay.stats.intervals import Interval
from assay.stats.unknown import Unknown
from assay.study.analysis.vote_meanings import MEANINGS as VOTE_MEANINGS


def decide(evidence: Evidence, criteria: Sequence[Criterion]) -> Verdict:
    """Decide each criterion on the evidence.

    Raises GateError if there is none, since an empty gate would pass anything, and if one asks for every seed of
    evidence that has only one.
    """
    if not criteria:
        raise GateError("no criteria: a gate without criteria would pass anything. Give at least one.")
    results = tuple(RULES[criterion.kind](evidence, criterion) for criterion in criteria)
    return Verdict(
        verdict=worst([result.verdict for result in results]),
        criteria=results,
        inputs=evidence.inputs,
        rests_on=evidence.rests_on,
        looks=None if evidence.look is None else evidence.look.to_body(),
    )


def decide_one_slice(evidence: Evidence, criterion: Criterion, *, seed: int | None = None) -> Result:
    assert criterion.slice is not None
    return compare(evidence, criterion, criterion.slice, seed=seed)


def decide_every_slice(evidence: Evidence, criterion: Criterion, *, seed: int | None = None) -> Result:
    """Each category (or aspect, or editor) must hold; those that do not are the reasons. seed: of one seed alone."""
    part = str(criterion.part)
    # Which parts there are is read off the figure that its room has of every one of them.
    pressed = criterion.finding in PRESSURE_MEANINGS
    measure = "win_rate" if criterion.finding in VOTE_MEANINGS else "gold_gain" if pressed else "accuracy"
    measure = "outside_share" if criterion.finding in FIT_MEANINGS else measure
    slices = {f.slice: None for f in evidence.figures.findings if f.name == measure and f.slice.part == part}
    # Asked of the data and not of the figures: what was lost on the way has no figure that could fail.
    unmeasured = not_measured(evidence) if part == "category" else []
    if unmeasured:
        return _failed(criterion, *unmeasured)
    if not slices:
        return _failed(criterion, f"the {evidence.source} has no {MANY[part]}, so none of them is shown to hold")
    parts = tuple(compare(evidence, criterion, where, seed=seed) for where in slices)
    word = worst([result.verdict for result in parts])
    short = [result for result in parts if result.verdict == word]
    nearest = min(short, key=_nearness(criterion))
    whole = replace(nearest, slice=None, more_pairs=None, more_prompts=None, parts=parts)
    if word == "pass":
        unsure = not_told(evidence) if part == "category" else []
        return replace(whole, reasons=(f"all {len(parts)} hold", f"nearest is {_named(nearest)}", *unsure))
    # Added up, since a pair of one category decides nothing about another; unknown as soon as one of them is.
    needed = [result.more_pairs for result in short]
    more = sum(n for n in needed if n is not None) if word == "undecided" and None not in needed else None
    toward: Toward | None = None
    if more is not None:
        toward = "fail" if any(result.toward == "fail" for result in short) else "pass"
    return replace(whole, reasons=tuple(map(_named, short)), more_pairs=more, toward=toward)


def decide_every_seed(evidence: Evidence, criterion: Criterion) -> Result:
    """Each seed's own figure must hold, of one slice or of every category; those that do not are the reasons.

    Held-out pairs are the same for all seeds, so what the neediest seed lacks is what all lack.
    """
    seeds = evidence.figures.seeds
    for_several_seeds([criterion], seeds)
    rule = decide_every_slice if criterion.part is not None else decide_one_slice
    of_seeds = [replace(rule(evidence, criterion, seed=seed), seed=seed) for seed in seeds]
    word = worst([result.verdict for result in of_seeds])
    short = [result for result in of_seeds if result.verdict == word]
    nearest = min(short, key=_nearness(criterion))
    parts = tuple(part for result in of_seeds for part in (result.parts or (result,)))
    whole = replace(nearest, criterion=criterion, seed=None, more_pairs=None, more_prompts=None, parts=parts)
    if word == "pass":
        return replace(whole, reasons=(f"all {len(seeds)} seeds hold", f"nearest is {_of_seed(nearest)}"))
    needed = [result.more_pairs for result in short]
    more = max(n for n in needed if n is not None) if word == "undecided" and None not in needed else None
    toward: Toward | None = None
    if more is not None:
        toward = "fail" if any(result.toward == "fail" for result in short) else "pass"
    return replace(whole, reasons=tuple(map(_of_seed, short)), more_pairs=more, toward=toward)


def _of_seed(result: Result) -> str:
    part = "" if result.slice in (None, OVERALL) else f", {result.slice.label}" if result.slice else ""
    return f"seed {result.seed}{part}: {result.reason}"


def not_measured(evidence: Evidence) -> list[str]:
    """A clause for each category that the data or the split know and the audit has no figure for: it is not good."""
    told = {one.name: why_unmeasured(one) for one in evidence.rests_on.unmeasured} if evidence.rests_on else {}
    if evidence.split is not None:
        measured = pairs_measured(evidence.figures.findings)
        for name in sorted(set(evidence.split.categories) - set(measured) - set(told) - {NO_CATEGORY}):
            told[name] = f"no held-out pair measures {name}: hold out more pairs, or more of it"
    return [told[name] for name in sorted(told)]


def not_told(evidence: Evidence) -> list[str]:
    """That categories may have been lost before the split, where no contract.json could show it."""
    if evidence.rests_on is not None or evidence.source != "audit":
        return []
    return ["whether the data held other categories is not known: there is no contract.json"]


def decide_beats_length(evidence: Evidence, criterion: Criterion) -> Result:
    """Above "longest wins", and above "shortest wins", which is the stronger rule where people prefer brevity."""
    results = [
        compare(evidence, replace(criterion, finding=name, operator=">", threshold=0.0), OVERALL)
        for name in ("accuracy_beyond_length", "accuracy_beyond_shortest")
    ]
    unknown = next((result for result in results if result.value is None), None)
    if unknown is not None:
        return unknown
    weaker = min(results, key=lambda result: math.inf if result.value is None else result.value)
    word = worst([result.verdict for result in results])
    deciding = weaker if weaker.verdict == word else next(r for r in results if r.verdict == word)
    rule = "longest wins" if deciding.criterion.finding == "accuracy_beyond_length" else "shortest wins"
    told = f"held against “{rule}”, the stronger rule here" if deciding is weaker else f"held against “{rule}”"
    more = deciding.more_pairs
    if deciding.toward == "pass":  # then both rules have to be cleared
        needed = [result.more_pairs for result in results if result.verdict == "undecided"]
        more = max(n for n in needed if n is not None) if None not in needed else None
    return replace(deciding, reasons=(f"{told}: {deciding.reason}",), more_pairs=more, more_prompts=None)


def decide_not_degenerate(evidence: Evidence, criterion: Criterion) -> Result:
    noun = "problem"
    found = evidence.figures.find("degenerate")
    if found is None or found.known is None:
        why = "the audit has no such finding" if found is None else str(found.reason)
        return _failed(criterion, f"whether the rewards are degenerate is unknown: {why}", noun=noun)
    if found.verdict != "ok" or found.known != 0:
        problems = found.detail.get("problems") or {}
        said = [f"{name.replace('_', ' ')}: {text}" for name, text in problems.items()]
        return _failed(criterion, *(said or ["the audit judged the rewards degenerate"]), value=found.known, noun=noun)
    return Result(
        criterion=criterion,
        verdict="pass",
        reasons=(f"the rewards of {found.n:,} pairs show none of the named problems",),
        value=found.known,
        value_noun=noun,
        n=found.n,
    )


def decide_no_overlap(evidence: Evidence, criterion: Criterion) -> Result:
    """The split's proof must say that no prompt group and no prompt is on both sides."""
    proof, noun = evidence.split, "shared group"
    if proof is None:
        why = "there is no split.json, so nothing shows that training and held-out prompts differ"
        return _failed(criterion, why, *trained_elsewhere(evidence, criterion), noun=noun)
    for what, count in (("groups", proof.shared_groups), ("prompts", proof.shared_prompts)):
        if count:
            why = f"{count:,} of the {what} are on both sides of the split"
            return _failed(criterion, why, value=float(count), noun=noun)
    why = "no prompt group is on both sides of the split, near-duplicate prompts counted as one"
    return Result(criterion=criterion, verdict="pass", reasons=(why,), value=0.0, value_noun=noun)


def trained_elsewhere(evidence: Evidence, criterion: Criterion) -> list[str]:
    """What to leave out of the criteria where the scorer was not trained here, so that no run can prove it."""
    if evidence.split is not None or evidence.self_checks:
        return []
    return [f"of a scorer trained elsewhere nothing here can show it: give --criteria without “{criterion.text}”"]


def decide_self_checks(evidence: Evidence, criterion: Criterion) -> Result:
    problems, passed, noun = [], 0, "check"
    for seed in evidence.figures.seeds:
        checks = evidence.self_checks.get(seed)
        if not checks:
            problems.append(f"seed {seed} has no self-checks on record")
            continue
        failed = [name for name, check in checks.items() if not check.passed]
        passed += len(checks) - len(failed)
        problems += [f"seed {seed}: {name.replace('_', ' ')} did not pass" for name in failed]
    if problems or not passed:
        told = [*(problems or ["no self-checks are on record"]), *trained_elsewhere(evidence, criterion)]
        return _failed(criterion, *told, noun=noun)
    seeds = len(evidence.figures.seeds)
    why = f"all {passed} self-checks of {seeds} {'seed' if seeds == 1 else 'seeds'} passed"
    return Result(criterion=criterion, verdict="pass", reasons=(why,), value=float(passed), value_noun=noun)


def compare(evidence: Evidence, criterion: Criterion, where: Slice, *, seed: int | None = None) -> Result:
    """One finding against the threshold, by point or by bound as the look has it. seed: of one seed, not of all."""
    result = _compare(evidence, criterion, where, seed)
    return result if seed is None else replace(result, seed=seed)


def _compare(evidence: Evidence, criterion: Criterion, where: Slice, seed: int | None) -> Result:
    meaning, bar = EVERY_FIGURE[str(criterion.finding)], criterion.threshold
    assert bar is not None
    found = find(evidence.figures, meaning.name, where, seed)
    if found is None:
        lost = evidence.rests_on.unmeasured if evidence.rests_on is not None and where.part == "category" else ()
        vanished = [why_unmeasured(one) for one in lost if one.name == where.name]
        none = f"the {evidence.source} has no {meaning.words} for {where.label}"
        return _failed(criterion, none, *vanished, where=where)
    if found.known is None or found.n <= 0:
        why = found.reason or f"it was measured on no {evidence.counted}s"
        return _failed(criterion, f"{meaning.words} is unknown: {why}", where=where)
    look = evidence.look
    interval = (found if look is None else look.seen(found)).interval
    if criterion.by == "point":
        low = high = found.known
    elif isinstance(interval, Unknown) or not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        why = interval.reason if isinstance(interval, Unknown) else f"the {evidence.source}'s is not finite"
        said = f"{figure_text(found.known, meaning.name)} has no interval ({why}), so nothing bounds it"
        return _failed(criterion, said, where=where, value=found.known)
    else:
        low, high = interval.low, interval.high
        if look is not None and look.spent:
            return _none_left(evidence, criterion, found)
    return _compared(evidence, criterion, found, side(low, high, criterion), bar)


def find(figures: Figures, name: str, where: Slice, seed: int | None) -> Finding | None:
    """The figure over all seeds, or one seed's own."""
    if seed is None:
        return figures.find(name, where)
    return next((one for one in figures.findings if (one.name, one.slice, one.seed) == (name, where, seed)), None)


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


def _none_left(evidence: Evidence, criterion: Criterion, found: Finding) -> Result:
    """A look beyond those planned decides nothing by bound: the error rate has been spent."""
    said = (
        f"{figure_text(found.known, found.name)} ({found.n:,} {evidence.counted}s): no look is left that could decide"
    )
    return Result(
        criterion=criterion,
        verdict="undecided",
        reasons=(said,),
        slice=found.slice,
        value=found.known,
        n=found.n,
        counted=evidence.counted,
    )


def _compared(evidence: Evidence, criterion: Criterion, found: Finding, word: Word, bar: float) -> Result:
    look = evidence.look
    seen = found if look is None else look.seen(found)
    interval = seen.interval if isinstance(seen.interval, Interval) else None
    said = comparison_text(
        criterion, found, word, interval if criterion.by == "bound" else None, counted=evidence.counted
    )
    # More pairs are looked at by the next look, at its level.
    more: int | Unknown | None = None
    if word == "undecided":
        after = found if look is None else look.seen_next(found)
        more = Unknown("this was the last look planned") if after is None else more_pairs(after, bar)
    if isinstance(more, Unknown):
        said, more = f"{said} ({more.reason})", None
    toward: Toward | None = None
    if more is not None:
        assert found.known is not None
        # The side the figure itself is on is where its interval ends up as it narrows.
        toward = "pass" if side(found.known, found.known, criterion) == "pass" else "fail"
    return Result(
        criterion=criterion,
        verdict=word,
        reasons=(said,),
        slice=found.slice,
        value=found.known,
        interval=interval,
        n=found.n,
        counted=evidence.counted,
        more_pairs=more,
        more_prompts=more_prompts(found, more) if evidence.counted == "vote" else None,
        toward=toward,
    )


def _nearness(criterion: Criterion) -> Callable[[Result], float]:
    """Nearest to failing first; unknown values first of all."""
    sign = 1.0 if str(criterion.operator).startswith(">") else -1.0
    return lambda result: -math.inf if result.value is None else sign * result.value


def _named(result: Result) -> str:
    assert result.slice is not None
    return f"{result.slice.label}: {result.reason}"


def _failed(
    criterion: Criterion,
    *reasons: str,
    where: Slice | None = None,
    value: float | None = None,
    noun: str | None = None,
) -> Result:
    return Result(criterion=criterion, verdict="fail", reasons=reasons, slice=where, value=value, value_noun=noun)


Rule = Callable[[Evidence, Criterion], Result]
RULES: Mapping[Kind, Rule] = {
    "overall": decide_one_slice,
    "category": decide_one_slice,
    "every_category": decide_every_slice,
    "every_seed": decide_every_seed,
    "beats_length": decide_beats_length,
    "not_degenerate": decide_not_degenerate,
    "no_overlap": decide_no_overlap,
    "self_checks": decide_self_checks,
    "no_probe_problem": decide_probes,
}
