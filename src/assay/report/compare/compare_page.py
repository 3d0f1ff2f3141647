"""The page of a comparison as one HTML file: which of two scorers is better, where, and on which pairs they part.

Knows compare.json and the rows of differences.jsonl; computes no figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from assay.artifacts.compare_body import CompareBody, SideBody
from assay.artifacts.files import atomic_write
from assay.artifacts.finding_body import FindingBody
from assay.audits.compare.compare_meanings import MEANINGS
from assay.audits.compare.judge_cost import unequal_calls
from assay.audits.compare.parting import DifferenceRow as ParsedDifference
from assay.records import Message, plain_text
from assay.report import words
from assay.report.compare.cost_words import cost_words
from assay.report.html import html_environment, inlined_styles
from assay.report.lost_sentences import lost_sentences
from assay.report.passages import passages
from assay.report.plots.differences import DifferenceRow, difference_plot

MOST_PARTS = 30  # of the plot; the table holds the rest
MOST_PAIRS = 12
TONES = {"A": "pass", "B": "pass", "undecided": "undecided"}
DIFFERENCE = "accuracy_difference"


def render_compare(body: CompareBody, differences: Sequence[ParsedDifference], path: Path) -> Path:
    """Write the page; the same artifacts give the same bytes. differences: the pairs, those furthest apart first."""
    template = html_environment().get_template("compare.html.j2")
    page = template.render(css=inlined_styles("report.css"), **context(body, differences))
    with atomic_write(path) as stream:
        stream.write(page.encode())
    return path


def left_to_luck(body: CompareBody) -> float:
    """One less the level of the comparison: 0.05 where it is 95%."""
    options = body.config.get("compare")
    level = options.get("level") if isinstance(options, Mapping) else None
    return 1 - level if isinstance(level, float) else 0.05


def context(body: CompareBody, differences: Sequence[ParsedDifference]) -> dict[str, object]:
    clear = left_to_luck(body)
    parts = [one for one in body.findings if one.name == DIFFERENCE and one.slice != "overall"]
    parts.sort(key=lambda one: (_p(one), one.slice))
    sides = (("A", body.a), ("B", body.b))
    overall = [one for one in body.findings if one.slice == "overall"]
    return {
        "version": body.assay_version,
        "body": body,
        "tone": TONES[body.verdict],
        "sides": [side(letter, one) for letter, one in sides],
        "costs": [f"{letter}: {cost_words(one.cost)}." for letter, one in sides if one.cost is not None],
        "unequal": unequal_calls(body.a.cost, body.b.cost),
        "pairs": words.count(body.pairs),
        "more": None if body.more_pairs is None else words.rounded(body.more_pairs),
        "seen": None if body.smallest_seen is None else words.number(100 * body.smallest_seen, 1),
        "figures": [figure(one) for one in overall],
        "plot": plot(overall, parts),
        "parts": [part(one, clear) for one in parts],
        "clear": sum(_p(one) <= clear for one in parts),
        "cut": max(0, len(parts) - MOST_PARTS),
        "differ": [pair(row) for row in differences[:MOST_PAIRS]],
        "differences": words.count(len(differences)),
        "rests": lost_sentences(body.rests_on),
        "versions": sorted(body.versions.items()),
        "prints": [
            (f"{name}, seed {seed}" if len(one.fingerprints) > 1 else name, print_)
            for name, one in sides
            for seed, print_ in sorted(one.fingerprints.items())
        ],
    }


def side(name: str, one: SideBody) -> dict[str, str]:
    notes = []
    if len(one.fingerprints) > 1:
        notes.append(f"{len(one.fingerprints)} seeds")
    if one.template is not None:
        notes.append(f"template {one.template}")
    return {"letter": name, "name": one.name, "notes": ", ".join(notes)}


def figure(one: FindingBody) -> dict[str, object]:
    """One overall figure in words."""
    kind: words.Kind = {"share": "share", "share difference": "points"}.get(one.unit, "plain")  # type: ignore[assignment]
    extra = ""
    if one.name == DIFFERENCE:
        extra = f"Only A right on {one.detail['a_only']}, only B on {one.detail['b_only']} pairs; " + " and ".join(
            (f"{chance_of(one.detail['p'])} over prompt groups", f"McNemar {chance_of(one.detail['mcnemar_p'])}")
        )
    return {
        "title": MEANINGS[one.name].title,
        "value": words.figure(one.value, kind),
        "span": span(one, kind),
        "n": words.count(one.n),
        "why": one.why,
        "extra": extra or words.sentence(one.reason or "").removesuffix("."),
    }


def span(one: FindingBody, kind: words.Kind) -> str:
    interval = one.interval
    if interval is None:
        return ""
    if kind == "share":
        return f"{words.number(100 * interval.low, 1)} to {words.percent(interval.high)}"
    if kind == "points":
        return f"{words.signed(100 * interval.low, 1)} to {words.signed(100 * interval.high, 1)}"
    return f"{words.plain_number(interval.low)} to {words.plain_number(interval.high)}"


def plot(overall: Sequence[FindingBody], parts: Sequence[FindingBody]) -> tuple[str, str] | None:
    """The difference over all pairs and of each part, those furthest from luck first."""
    rows = [
        DifferenceRow(
            label="all pairs" if one.slice == "overall" else part_name(one.slice),
            value=one.value,
            low=one.interval.low if one.interval else None,
            high=one.interval.high if one.interval else None,
            strong=one.slice == "overall",
        )
        for one in (*(f for f in overall if f.name == DIFFERENCE), *parts[:MOST_PARTS])
        if one.value is not None
    ]
    label = "Accuracy of A minus accuracy of B, with intervals"
    return difference_plot(rows, label=label, left="B more often right", right="A more often right") if rows else None


def part_name(slice_: str) -> str:
    """category=tone -> category: tone; preferred=the longer answer -> the longer preferred."""
    name, equals, value = slice_.partition("=")
    if name == "preferred":
        return f"{value.removesuffix(' answer')} preferred"
    return f"{name}: {value}" if equals else slice_


def part(one: FindingBody, clear: float) -> dict[str, object]:
    return {
        "name": part_name(one.slice),
        "n": words.count(one.n),
        "value": words.points(one.value),
        "span": span(one, "points") or (one.reason or ""),
        "only": f"{one.detail['a_only']} / {one.detail['b_only']}",
        "p": chance_of(_p(one)),
        "word": "not told apart" if _p(one) > clear else "A better" if (one.value or 0) > 0 else "B better",
    }


def pair(row: ParsedDifference) -> dict[str, object]:
    """One pair on which the two part. label: what people preferred, where they did."""
    label = "no label" if row["label"] == "tie" else "people preferred the first"
    margins = [words.signed(row[side], 2) for side in ("margin_a", "margin_b")]
    return {
        "id": row["pair_id"],
        "category": row["category"] or "no category",
        "notes": [label, "prefer different answers" if row["prefer_other"] else "prefer the same answer"],
        "prompt": passages(text(row["prompt"])),
        "chosen": passages(text(row["chosen"])),
        "rejected": passages(text(row["rejected"])),
        "a": margins[0],
        "b": margins[1],
    }


def text(value: object) -> str:
    """A prompt or answer of differences.jsonl, a conversation as plain text."""
    if not isinstance(value, list):
        return str(value)
    return plain_text(tuple(Message(role=turn["role"], content=turn["content"]) for turn in value))


def chance_of(p: object) -> str:
    """A p value as people read it; below a thousandth its size says nothing more."""
    if not isinstance(p, int | float):
        return "p unknown"
    return "p < 0.001" if p < 0.001 else f"p {words.number(p, 3)}"


def _p(one: FindingBody) -> float:
    value = one.detail.get("p_of_slices")
    return float(value) if isinstance(value, int | float) else 1.0
