"""The page of a capability test as one HTML file: the answer first, then every way of asking, then every subject.

Knows capability.json; computes no figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.artifacts.capability_body import CapabilityBody, WayBody
from assay.artifacts.files import atomic_write
from assay.artifacts.finding_body import FindingBody, IntervalBody
from assay.capability.outcome_words import WAYS, rounded_up
from assay.findings.slice import Slice
from assay.report import words
from assay.report.html import html_environment, inlined_styles
from assay.report.plots.forest import Row, forest

OUTCOMES = {
    "within": "within the margin",
    "worse": "worse",
    "underpowered": "not decided",
    "at_chance": "at chance",
    "alone": "above guessing",
}
NONE = "none"


def render_capability(body: CapabilityBody, path: Path) -> Path:
    """Write the page; the same artifact gives the same bytes."""
    template = html_environment().get_template("capability.html.j2")
    page = template.render(css=inlined_styles("report.css"), **context(body))
    with atomic_write(path) as stream:
        stream.write(page.encode())
    return path


def context(body: CapabilityBody) -> dict[str, object]:
    return {
        "version": body.assay_version,
        "body": body,
        "word": OUTCOMES[body.outcome],
        "two": body.against is not None,
        "questions": words.plural(body.questions, "question"),
        "shots": words.plural(body.shots, "solved one") if body.shots else "no solved one",
        "left_out": words.plural(len(body.left_out), "question"),
        "ways": [way_row(way) for way in body.ways],
        "figure": figure(body.ways),
        "subjects": subject_rows(body.findings),
        "margin": f"{100 * float(str(body.config['margin'])):g}",
        "one_sided": f"{100 * (1 + float(str(body.config['level']))) / 2:g}%",
        "hashes": sorted(body.inputs.items()),
        "versions": sorted(body.versions.items()),
    }


def figure(ways: Sequence[WayBody]) -> tuple[str, str] | None:
    """Right after as dots with whiskers, right before as a diamond, guessing as a bar."""
    rows = [
        Row(
            label=WAYS.get(way.asked, way.asked),
            value=way.after,
            low=way.after_interval.low if way.after_interval else None,
            high=way.after_interval.high if way.after_interval else None,
            baseline=way.before,
            baseline_named="before",
            threshold=way.guess,
            strong=way.rests,
        )
        for way in ways
        if way.after is not None
    ]
    return forest(rows, label="Share of questions right", even="one half") if rows else None


def way_row(way: WayBody) -> dict[str, object]:
    """One line of the table, in words."""
    needed = [
        f"{rounded_up(number)} {when}"
        for number, when in ((way.if_nothing_lost, "if nothing was lost"), (way.questions_needed, "at the drop seen"))
        if number is not None
    ]
    return {
        "name": WAYS.get(way.asked, way.asked),
        "rests": way.rests,
        "before": words.percent(way.before) if way.before is not None else "",
        "before_span": _span(way.before_interval),
        "after": words.percent(way.after),
        "after_span": _span(way.after_interval),
        "guess": "" if way.guess is None else words.percent(way.guess),
        "rule": way.guess_rule or "",
        "drop": "" if way.drop is None else words.points(way.drop),
        "bounds": "" if way.bounds is None else _points_span(way.bounds),
        "changed": "" if way.drop is None else f"{words.count(way.lost)} lost, {words.count(way.gained)} gained",
        "p": "" if way.mcnemar_p is None else chance_of(way.mcnemar_p),
        "outcome": OUTCOMES[way.outcome],
        "needed": "; ".join(needed),
        "n": words.plural(way.n, "question"),
    }


def subject_rows(findings: Sequence[FindingBody]) -> list[dict[str, object]]:
    """Each subject with its shares and drop, the largest drop first."""
    by_subject: dict[str, dict[str, FindingBody]] = {}
    for one in findings:
        where = Slice.read(one.slice)
        if where.part == "subject" and where.name is not None:
            by_subject.setdefault(where.name, {})[one.name] = one
    rows: list[tuple[float, str, dict[str, object]]] = []
    for name, figures in by_subject.items():
        before, drop = figures.get("capability_before"), figures.get("capability_drop")
        after = figures["capability_after"]
        value = drop.value if drop is not None and drop.value is not None else 0.0
        rows.append((-value, name, {
            "name": name.replace("_", " "),
            "n": words.count(after.n),
            "before": words.percent(before.value) if before else "",
            "after": words.percent(after.value),
            "drop": words.points(drop.value) if drop else "",
            "bounds": _points_span(drop.interval) if drop else "",
            "p": chance_of(float(str(drop.detail["p_of_subjects"]))) if drop else "",
        }))  # fmt: skip
    return [row for _, _, row in sorted(rows, key=lambda one: one[:2])]


def chance_of(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p {words.number(p, 3)}"


def _span(interval: IntervalBody | None) -> str:
    return f"{words.number(100 * interval.low, 1)} to {words.percent(interval.high)}" if interval else NONE


def _points_span(interval: IntervalBody | None) -> str:
    return f"{words.signed(100 * interval.low, 1)} to {words.signed(100 * interval.high, 1)}" if interval else NONE
