"""The page of a bench as one HTML file: a scorer on a published suite, beside the rules it should beat.

Knows bench.json; computes no figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.artifacts.bench_body import BenchBody, StandingBody
from assay.artifacts.files import atomic_write
from assay.report import words
from assay.report.html import html_environment, inlined_styles
from assay.report.plots.forest import Row, forest

MOST_ROWS = 40  # of the plot; the table holds the rest
OTHERS = ("baseline:longest", "baseline:shortest", "chance")
NONE = "none"
VERDICTS = {"ahead": "ahead", "behind": "behind", "not_told_apart": "not told apart"}


def render_bench(body: BenchBody, path: Path) -> Path:
    """Write the page; the same artifact gives the same bytes."""
    template = html_environment().get_template("bench.html.j2")
    page = template.render(css=inlined_styles("report.css"), **context(body))
    with atomic_write(path) as stream:
        stream.write(page.encode())
    return path


def context(body: BenchBody) -> dict[str, object]:
    return {
        "version": body.assay_version,
        "title": body.title,
        "scorer": body.scorer,
        "body": body,
        "items": words.count(body.items),
        "figure": figure(body.standings),
        "rows": [row(one) for one in body.standings if one.kind != "described"],
        "described": [described(one) for one in body.standings if one.kind == "described"],
        "tested": sum(one.p_holm is not None for one in body.standings),
        "unscored": body.unscored,
        "hashes": sorted(body.inputs.items()),
        "versions": sorted(body.versions.items()),
    }


def figure(standings: Sequence[StandingBody]) -> tuple[str, str] | None:
    """Formulas and parts as dots with whiskers, the better of the two length rules as a diamond."""
    rows = []
    for one in standings:
        if one.value is None or one.kind == "described" or not 0 <= one.value <= 1:
            continue
        lengths = [one.others[name] for name in OTHERS[:2] if one.others.get(name) is not None]
        rows.append(
            Row(
                label=one.name,
                value=one.value,
                low=one.interval.low if one.interval else None,
                high=one.interval.high if one.interval else None,
                baseline=one.others.get(OTHERS[0]) if lengths else None,
                strong=one.kind == "formula",
            )
        )
    return forest(rows[:MOST_ROWS], label="Figures with their intervals", even="one half") if rows else None


def row(one: StandingBody) -> dict[str, object]:
    """One line of the table, in words."""
    interval = one.interval
    span = f"{words.percent(interval.low)} to {words.percent(interval.high)}" if interval else one.reason or NONE
    held = (
        "" if one.ahead is None or one.rule is None else f"{words.points(one.ahead)} against {one.rule.split(':')[-1]}"
    )
    bounds = ""
    if one.if_wrong is not None and one.if_right is not None:
        bounds = f"{words.percent(one.if_wrong)} if wrong, {words.percent(one.if_right)} if right"
    return {
        "name": one.name,
        "also": one.also,
        "strong": one.kind == "formula",
        "value": words.percent(one.value),
        "span": span,
        "n": words.count(one.n),
        "others": [NONE if one.others.get(name) is None else words.percent(one.others[name]) for name in OTHERS],
        "held": held,
        "verdict": VERDICTS[one.verdict] if one.verdict else "",
        "p": "" if one.p_holm is None else chance_of(one.p_holm),
        "unscored": words.count(one.unscored),
        "bounds": bounds,
    }


def chance_of(p: float) -> str:
    """A p value as people read it; below a thousandth its size says nothing more."""
    return "p < 0.001" if p < 0.001 else f"p {words.number(p, 3)}"


def described(one: StandingBody) -> dict[str, object]:
    value = words.UNKNOWN if one.value is None else words.plain_number(one.value)
    return {"name": one.name, "value": value, "n": words.count(one.n), "why": one.reason or NONE}
