"""The result sections: verdict, accuracy, seeds, scores, length, calibration, training. Knows evidence; knows no HTML.

Each function takes the Evidence and returns what its part of the template shows; figures arrive as finished SVG.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.audit.findings import MEANINGS, Finding
from assay.errors import GateError
from assay.gate.criteria import parse
from assay.report import panels, rows, words
from assay.report.evidence import Evidence, SeedFiles, absent
from assay.stats.intervals import Interval

DECISION = {
    "pass": "Every criterion is met. A policy may be optimised against this reward, within the limits below.",
    "fail": "Do not optimise a policy against this reward yet: at least one criterion is not met.",
    "undecided": "Do not optimise a policy against this reward yet: the evidence does not decide.",
}
SCATTER_DOTS = 600
CURVE_POINTS = 160
LENGTH_FINDINGS = (
    "length_baseline",
    "length_baseline_tokens",
    "accuracy_beyond_length",
    "length_matched_accuracy",
    "accuracy_shorter_preferred",
    "accuracy_longer_preferred",
    "reward_length_correlation",
    "accuracy_without_length",
    "gain_over_length",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure in words, or `unknown` with why; `sub` stands smaller beneath it."""

    text: str
    sub: str = ""
    why: str = ""


KINDS: Mapping[str, words.Kind] = {
    "share": "share",
    "share difference": "points",
    "values": "count",
    "named problems": "count",
}
PHRASES: Mapping[str, words.Kind] = {"beats_length": "points"}  # kinds of criteria whose text names no finding


def kind(finding: Finding) -> words.Kind:
    """How the finding's figures are read."""
    return KINDS.get(finding.unit, "plain")


def inline(finding: Finding) -> str:
    """A finding inside a sentence: +26.0 points (95% interval +19.6 to +32.4); unknown (why)."""
    if finding.value is None:
        return f"{words.UNKNOWN} ({finding.reason})"
    span = words.span(finding.interval, kind(finding))
    said = words.figure(finding.value, kind(finding))
    return f"{said} ({words.level(finding.interval)} interval {span})" if span else said


def cell(finding: Finding) -> Cell:
    """A finding as a cell: value, interval beneath (or why there is none); or unknown and the reason."""
    if finding.value is None:
        return Cell(text=words.UNKNOWN, why=finding.reason or "the audit gives no reason")
    as_kind = kind(finding)
    return Cell(
        text=words.figure(finding.value, as_kind),
        sub=words.span(finding.interval, as_kind),
        why=(finding.reason or "") if finding.interval is None else "",
    )


def verdict(evidence: Evidence) -> dict[str, Any]:
    word = evidence.gate.get("verdict")
    word = word if word in DECISION else "undecided"
    criteria = [criterion(row) for row in evidence.gate.get("criteria") or []]
    return {
        "word": word,
        "decision": DECISION[word],
        "criteria": criteria,
        "thresholds": any(row["threshold"] for row in criteria),
    }


def criterion(row: Mapping[str, Any]) -> dict[str, Any]:
    """One criterion as the table shows it."""
    word = row.get("verdict") if row.get("verdict") in DECISION else "undecided"
    as_kind = kind_of_criterion(row)
    interval = Interval(**row["interval"]) if row.get("interval") else None
    reason, more = row.get("reason") or "the gate gives no reason", row.get("more_pairs")
    there = words.known(row.get("value"))
    said = f"About {words.plural(more, 'more held-out pair')} would decide." if words.known(more) else ""
    return {
        "text": row.get("text") or words.spaced(str(row.get("kind", "criterion"))),
        "word": word,
        "value": Cell(
            text=words.figure(row.get("value"), as_kind),
            sub=words.span(interval, as_kind),
            why="" if there else "see the reason",
        ),
        "threshold": words.figure(row.get("threshold"), as_kind) if words.known(row.get("threshold")) else "",
        "reason": words.sentence(reason),
        "more": "" if said and said.lower().split(" would")[0] in reason.lower() else said,
    }


def kind_of_criterion(row: Mapping[str, Any]) -> words.Kind:
    """How a criterion's figures are read: by the unit of the finding its text names."""
    finding = named_finding(row)
    if finding is not None:
        return KINDS.get(MEANINGS[finding].unit, "plain")
    return PHRASES.get(str(row.get("kind")), "plain")


def named_finding(row: Mapping[str, Any]) -> str | None:
    """The finding a criterion's text names; None for phrases and for text of another gate."""
    try:
        return parse(str(row.get("text", ""))).finding
    except GateError:
        return None


def threshold(evidence: Evidence, category: str | None) -> float | None:
    """The accuracy the gate asks for, overall or of a category; None where no criterion states one."""
    bars = []
    for row in evidence.gate.get("criteria") or []:
        if named_finding(row) != "accuracy" or not words.known(row.get("threshold")):
            continue
        stated = parse(str(row["text"]))
        if (stated.kind == "overall") == (category is None) and stated.category in (None, category):
            bars.append(float(row["threshold"]))
    return max(bars, default=None)


def slices(evidence: Evidence) -> list[tuple[str, str, str | None]]:
    """(slice, label, category) of the whole and of every category."""
    return [("overall", "Overall", None), *((f"category={name}", name, name) for name in evidence.categories())]


def accuracy(evidence: Evidence) -> dict[str, Any]:
    """Accuracy overall and by category, beside the longest-wins baseline."""
    head = evidence.head("accuracy")
    forest = accuracy_rows(evidence)
    return {
        "figure": rows.forest(forest, label=spoken(forest)),
        "table": accuracy_table(evidence),
        "gap": gap_sentence(evidence.head("category_gap")),
        "oracle": any(row.oracle is not None for row in forest),
        "threshold": any(row.threshold is not None for row in forest),
        "why": head.why,
        "level": words.level(head.interval),
    }


def gap_sentence(found: Finding) -> str:
    said = f"Gap between best and worst category: {inline(found)}"
    best, worst = found.detail.get("best"), found.detail.get("worst")
    return f"{said}, {best} against {worst}. {found.why}" if best and worst else f"{said}. {found.why}"


def accuracy_rows(evidence: Evidence) -> list[rows.Row]:
    out = []
    for where, label, category in slices(evidence):
        model = evidence.head("accuracy", where)
        out.append(
            rows.Row(
                label=label,
                value=model.value,
                low=model.interval.low if model.interval else None,
                high=model.interval.high if model.interval else None,
                baseline=evidence.head("length_baseline", where).value,
                oracle=evidence.oracle(category),
                threshold=threshold(evidence, category),
                strong=category is None,
            )
        )
    return out


def accuracy_table(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "total": category is None,
            "n": words.count(evidence.head("accuracy", where).n),
            "model": cell(evidence.head("accuracy", where)),
            "baseline": cell(evidence.head("length_baseline", where)),
            "beyond": cell(evidence.head("accuracy_beyond_length", where)),
            "oracle": words.percent(evidence.oracle(category)),
        }
        for where, label, category in slices(evidence)
    ]


def spoken(shown: Sequence[rows.Row]) -> str:
    """The plot in words, for who cannot see it."""
    parts = [
        f"{row.label} {rows.in_words(row)}"
        + (f", longest wins {words.percent(row.baseline)}" if row.baseline is not None else "")
        for row in shown
    ]
    return "Held-out accuracy with interval: " + "; ".join(parts)


def seeds(evidence: Evidence) -> dict[str, Any]:
    """Accuracy of each seed, overall and by category, with mean and spread."""
    strip = []
    for where, label, _ in slices(evidence):
        found = evidence.per_seed("accuracy", where) or [evidence.head("accuracy", where)]
        dots = tuple(f.value for f in found if f.value is not None)
        if dots:
            mean = sum(dots) / len(dots)
            strip.append(rows.Row(label=label, value=mean, dots=dots, strong=where == "overall"))
    spread = evidence.head("seed_spread")
    heard = "; ".join(f"{row.label} {words.listing([words.percent(dot) for dot in row.dots])}" for row in strip)
    return {
        "figure": rows.strip(strip, label=f"Held-out accuracy of each seed: {heard}") if strip else None,
        "table": [seed_row(evidence, files) for files in evidence.seeds],
        "spread": spread_sentence(spread),
    }


def spread_sentence(found: Finding) -> str:
    if found.value is None:
        return words.sentence(f"spread between seeds: unknown, because {found.reason}")
    detail = found.detail
    said = f"Spread between seeds, highest minus lowest: {inline(found)}"
    if words.known(detail.get("sd")):
        said += (
            f" (mean {words.percent(detail.get('mean'))}, standard deviation {words.points(detail['sd']).lstrip('+')})"
        )
    return f"{said}. {found.why}"


def seed_row(evidence: Evidence, files: SeedFiles) -> dict[str, Any]:
    train = files.train or {}
    missing = absent("accuracy", "overall", "the audit holds no accuracy of this seed")
    found = evidence.find("accuracy", seed=files.seed) or (
        evidence.head("accuracy") if len(evidence.seeds) == 1 else missing
    )
    checks = train.get("self_checks") or {}
    return {
        "seed": files.seed,
        "accuracy": cell(found),
        "seconds": words.duration(train.get("seconds")),
        "tokens": words.count(train.get("tokens")),
        "checks": checks_in_short([check_row(name, value) for name, value in checks.items()]),
        "missing": files.train is None,
    }


def checks_in_short(checks: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Checks grouped by outcome, failures first: word, how many, and their names with details."""
    groups: dict[str, list[str]] = {}
    for check in sorted(checks, key=lambda one: one["word"] == "passed"):
        groups.setdefault(check["word"], []).append(f"{check['name']} {check['detail']}".strip())
    return [{"word": word, "names": ", ".join(names)} for word, names in groups.items()]


def check_row(name: str, value: Any) -> dict[str, str]:
    """A self-check of training: its name, `passed`, `failed` or what was recorded."""
    if isinstance(value, Mapping):
        passed = value.get("passed", value.get("ok"))
        detail = value.get("detail") or value.get("worst") or value.get("difference")
        said = f" ({detail:.1e})" if words.known(detail) else f" ({detail})" if isinstance(detail, str) else ""
    else:
        passed, said = (value, "") if isinstance(value, bool) else (None, "")
    word = {True: "passed", False: "failed"}.get(
        passed, f"recorded {words.number(value, 6)}" if words.known(value) else "recorded"
    )
    return {"name": words.spaced(name), "word": word, "detail": said.strip()}


def distribution(evidence: Evidence) -> dict[str, Any]:
    """Histograms of rewards and margins of the first seed that has scores, and the verdict on degenerate scores."""
    files = next((one for one in evidence.seeds if one.scores), None)
    degenerate = evidence.head("degenerate")
    names = ("reward_mean", "reward_sd", "distinct_values", "tied_pairs", "saturation", "overlap", "separation")
    return {
        "panels": score_panels(files) if files else [],
        "seed": files.seed if files else None,
        "degenerate": degenerate,
        "sentence": degenerate_sentence(degenerate),
        "findings": [(words.spaced(name), cell(f), f) for name in names for f in [evidence.head(name)]],
    }


def degenerate_sentence(found: Finding) -> str:
    """The verdict on degenerate scores in words."""
    if found.value is None:
        return f"Whether the scores are degenerate is unknown: {found.reason}."
    problems = found.detail.get("problems") or {}
    if not problems:
        return f"No constant, tied, broken or two-valued scores were found. {found.why}"
    named = "; ".join(f"{words.spaced(name)}: {text}" for name, text in problems.items())
    return f"{words.sentence(named)} {found.why}"


def score_panels(files: SeedFiles) -> list[dict[str, Any]]:
    chosen, rejected = ([pair[side] for pair in files.scores] for side in (0, 1))
    low, high = min(chosen + rejected), max(chosen + rejected)
    if high == low:
        low, high = low - 0.5, high + 0.5
    up, down = (panels.histogram(side, low=low, high=high, bins=30) for side in (chosen, rejected))
    means = (sum(chosen) / len(chosen), sum(rejected) / len(rejected))
    gaps = [good - bad for good, bad in files.scores]
    right, wrong = (sum(test) / len(gaps) for test in ([g > 0 for g in gaps], [g < 0 for g in gaps]))
    return [
        {
            "title": "Rewards",
            "svg": panels.mirrored(up, down, names=("chosen", "rejected"), means=means),
            "caption": f"Chosen answers above the axis, rejected below; long ticks are the means "
            f"({words.number(means[0])} and {words.number(means[1])}).",
        },
        {
            "title": "Margins",
            "svg": panels.margins(zero_bins(gaps), wrong=wrong, right=right),
            "caption": "Pairs left of the line are ranked wrong. A pair with margin exactly zero counts as wrong."
            if right + wrong < 1
            else "Pairs left of the line are ranked wrong.",
        },
    ]


def zero_bins(gaps: Sequence[float], count: int = 30) -> list[panels.Bin]:
    """Bins of margins with an edge at exactly zero."""
    step = (max(gaps) - min(gaps)) / count or 1.0
    below, above = math.ceil(max(-min(gaps), 0) / step), math.ceil(max(max(gaps), 0) / step)
    return panels.histogram(gaps, low=-below * step, high=above * step, bins=max(below + above, 1))


def length(evidence: Evidence) -> dict[str, Any]:
    """What length alone explains: bins of length difference, length-matched pairs, correlation, scatter."""
    table = evidence.table("length") or {}
    unit = table.get("unit") or "tokens"
    bins = [bin_row(row, unit) for row in table.get("bins") or [] if row.get("n")]
    points = [(row.get("length_difference"), row.get("margin")) for row in table.get("points") or []]
    dots = thin([(across, up) for across, up in points if words.known(across) and words.known(up)])
    found = [evidence.head(name) for name in LENGTH_FINDINGS]
    words_x = f"length of chosen − length of rejected, {unit}"
    return {
        "figure": rows.forest(bins, label=spoken(bins)) if bins else None,
        "scatter": panels.scatter(dots, x_words=words_x, label=f"{words_x} against margin, {len(dots)} pairs")
        if dots
        else None,
        "shown": words.count(len(dots)),
        "of": words.plural(evidence.head("accuracy").n, "pair"),
        "seed": table.get("seed"),
        "findings": [(words.spaced(f.name), cell(f), f) for f in found],
        "unit": unit,
        "reading": length_reading(evidence),
    }


def length_reading(evidence: Evidence) -> list[str]:
    """What the length findings say, in sentences."""
    shorter, longer = evidence.head("accuracy_shorter_preferred"), evidence.head("accuracy_longer_preferred")
    matched, tied = evidence.head("length_matched_accuracy"), evidence.head("reward_length_correlation")
    return [
        f"Where people preferred the shorter answer, the model is right on {inline(shorter)}; where they preferred the "
        f"longer one, on {inline(longer)}.",
        f"On pairs of about equal length, where length cannot help: {inline(matched)}.",
        f"Within a pair, reward difference and length difference correlate with r = {inline(tied)}.",
    ]


def bin_row(row: Mapping[str, Any], unit: str) -> rows.Row:
    """One bin of length difference as a row of the forest plot."""
    low, high = row.get("low"), row.get("high")
    if low is not None and high is not None:
        label = f"{words.signed(low, 0)} to {words.signed(high, 0)}"
    else:
        label = str(row.get("label", ""))
    interval = row.get("interval") or {}
    return rows.Row(
        label=f"{label} ({words.count(row.get('n'))})",
        value=row.get("accuracy"),
        low=interval.get("low"),
        high=interval.get("high"),
        baseline=row.get("baseline"),
    )


def thin(dots: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most SCATTER_DOTS of them, evenly taken, the same every time."""
    if len(dots) <= SCATTER_DOTS:
        return list(dots)
    step = len(dots) / SCATTER_DOTS
    return [dots[int(index * step)] for index in range(SCATTER_DOTS)]


def calibration(evidence: Evidence) -> dict[str, Any] | None:
    """The reliability diagram, if this audit measured calibration."""
    table = evidence.table("calibration")
    found = [f for f in evidence.findings if f.name == "calibration_error" and f.slice == "overall"]
    if not table and not found:
        return None
    bins = [(b["stated"], b["observed"], b["n"]) for b in (table or {}).get("bins") or [] if b.get("n")]
    heard = "; ".join(f"stated {words.percent(s)}, right {words.percent(o)}" for s, o, _ in bins)
    return {
        "svg": panels.reliability(bins, label=f"Reliability: {heard}") if bins else None,
        "reading": [calibration_reading(f) for f in found],
        "findings": [(words.spaced(f.name), cell(f), f) for f in found],
    }


def calibration_reading(found: Finding) -> str:
    """Whether the model states more than it keeps."""
    stated, right = found.detail.get("mean_stated"), found.detail.get("share_right")
    if not (words.known(stated) and words.known(right)):
        return words.sentence(f"calibration error: {inline(found)}")
    side = "more" if stated > right else "less"
    return (
        f"On average the model states {words.percent(stated)} for the answer it prefers and is right on "
        f"{words.percent(right)}: it claims {abs(100 * (stated - right)):.1f} points {side} than it keeps."
    )


def training(evidence: Evidence) -> dict[str, Any]:
    """Loss, held-out accuracy and gradient norm over steps, one curve a seed."""
    wanted = (
        ("Loss", ("loss",), False, 0.0, "training loss, nats"),
        ("Held-out accuracy", ("eval_accuracy", "held_out_accuracy"), True, None, "accuracy on held-out pairs"),
        ("Training accuracy", ("accuracy",), True, None, "accuracy on training batches"),
        ("Gradient norm", ("grad_norm", "gradient_norm"), False, 0.0, "gradient norm before clipping"),
    )
    drawn = []
    for title, keys, share, floor, label in wanted:
        lines = [
            panels.Line(f"seed {one.seed}", panels.smooth(found, CURVE_POINTS), index)
            for index, one in enumerate(evidence.seeds)
            for found in [series(one.metrics, keys)]
            if found
        ]
        if lines:
            drawn.append({"title": title, "svg": panels.curves(lines, y_words=label, percent=share, floor=floor)})
    return {
        "panels": drawn,
        "seeds": [(one.seed, index % 4) for index, one in enumerate(evidence.seeds) if one.metrics],
    }


def series(metrics: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> list[tuple[float, float]]:
    """(step, value) of the first key each row has; rows without a finite value are left out."""
    found = []
    for row in metrics:
        value = next((row[key] for key in keys if words.known(row.get(key))), None)
        if value is not None and words.known(row.get("step")):
            found.append((float(row["step"]), float(value)))
    return found
