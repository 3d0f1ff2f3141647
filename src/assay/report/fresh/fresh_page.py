"""The page of a reward on fresh pairs as one HTML file: the answer, held-out and fresh side by side, and what stands
beside them. Knows fresh.json; computes no figure.
"""

from __future__ import annotations

from pathlib import Path

from assay.artifacts.files import atomic_write
from assay.artifacts.finding_body import IntervalBody
from assay.artifacts.fresh_body import FreshBody, JudgeBody, KpiBody, VotesBody
from assay.audits.fresh.fresh_findings import VOTERS
from assay.audits.fresh.fresh_meanings import MEANINGS
from assay.audits.fresh.kpi_table import KpiFall, fall_sentence
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.report import words
from assay.report.finding_text import cell
from assay.report.html import html_environment, inlined_styles
from assay.report.plots.charts import Line, curves
from assay.report.plots.forest import Row, forest
from assay.report.plots.version_plot import version_plot

TONES = {"holds": "pass", "drops": "fail", "undecided": "undecided"}
WORDS = {"holds": "holds", "drops": "drops", "undecided": "undecided"}
MOST_PANELS = 8


def render_fresh(body: FreshBody, path: Path) -> Path:
    """Write the page; the same artifact gives the same bytes."""
    template = html_environment().get_template("fresh.html.j2")
    page = template.render(css=inlined_styles("report.css"), **context(body))
    with atomic_write(path) as stream:
        stream.write(page.encode())
    return path


def context(body: FreshBody) -> dict[str, object]:
    found = counted(body)
    return {
        "version": body.assay_version,
        "body": body,
        "tone": TONES[body.outcome],
        "word": WORDS[body.outcome],
        "facts": facts(body),
        "keys": [key(found[name]) for name in MEANINGS.shown_in("key figures") if name in found],
        "figure": figure(body, found),
        "figures": [row(found[name]) for name in MEANINGS if name in found],
        "votes": votes_lines(body.votes),
        "judge": [] if body.judge is None else judge_lines(body.judge, body.formed),
        "aside": [
            f"{words.plural(count, 'prompt')}: {why.replace('_', ' ')}" for why, count in sorted(body.aside.items())
        ],
        "leaks": leaks_line(body),
        "drift": drift(body),
        "kpis": None if body.kpis is None else kpis(body.kpis),
        "versions": sorted(body.versions.items()),
        "hashes": sorted(body.inputs.items()),
    }


def counted(body: FreshBody) -> dict[str, Finding]:
    """The figures by those whose votes count, by name."""
    where = OVERALL if body.votes.counted == "human" else Slice("judges", body.votes.counted)
    findings = [Finding.from_body(one) for one in body.findings]
    return {one.name: one for one in findings if one.slice == where or one.name == "kpi_falls"}


def facts(body: FreshBody) -> list[tuple[str, str]]:
    return [
        ("reward", body.reward.name),
        ("policy", body.policy.name),
        ("votes", f"{words.count(body.votes.votes)} by {VOTERS[body.votes.counted]}"),
    ]


def key(one: Finding) -> dict[str, str]:
    found = cell(one)
    return {"name": MEANINGS[one.name].label, "big": found.text, "sub": found.sub or found.why}


def row(one: Finding) -> dict[str, str]:
    found = cell(one)
    return {
        "title": MEANINGS[one.name].label,
        "value": found.text,
        "span": found.sub,
        "n": words.count(one.n),
        "why": one.why,
        "extra": words.sentence(found.why).removesuffix(".") if found.why else "",
    }


def figure(body: FreshBody, found: dict[str, Finding]) -> tuple[str, str] | None:
    """Held-out accuracy and that on fresh pairs, one under the other."""
    rows = []
    if body.static.value is not None:
        rows.append(share_row("Held-out pairs", body.static.value, body.static.interval))
    helped = body.judge is not None and not body.judge.left_out
    for name, label in (
        ("fresh_accuracy", "Fresh, with judge" if helped else "Fresh pairs"),
        ("fresh_accuracy_alone", "Fresh, without judge"),
    ):
        one = found.get(name)
        if one is not None and one.known is not None and (helped or name == "fresh_accuracy"):
            bounds = one.bounds
            rows.append(
                Row(
                    label=label, value=one.known, low=bounds.low if bounds else None,
                    high=bounds.high if bounds else None, strong=name == "fresh_accuracy",
                )
            )  # fmt: skip
    return forest(rows, label="Accuracy of the reward on held-out and on fresh pairs") if rows else None


def share_row(label: str, value: float, interval: IntervalBody | None) -> Row:
    return Row(
        label=label, value=value, low=interval.low if interval else None, high=interval.high if interval else None
    )


def votes_lines(votes: VotesBody) -> list[tuple[str, str]]:
    rows = [
        ("votes from", votes.source),
        ("pairs of the random sample", words.count(votes.asked)),
        ("of them with a vote", words.count(votes.labelled)),
        ("of them decided by a majority", words.count(votes.decided)),
        ("pairs chosen as unsure, with a vote", words.count(votes.unsure_labelled)),
    ]
    if votes.judges:
        rows.insert(1, ("judges", words.count(votes.judges)))
    return rows + [
        (f"votes of {VOTERS.get(kind, kind)}, in no figure", words.count(n)) for kind, n in votes.others.items()
    ]


def judge_lines(judge: JudgeBody, pairs: int) -> list[tuple[str, str]]:
    rows = [("judge", judge.name), ("its fingerprint", judge.fingerprint)]
    if judge.left_out:
        return [*rows, ("left out", judge.left_out)]
    rows.append(("pairs it labelled", f"{words.count(judge.labelled)} of {words.count(pairs)}"))
    rows.append(("of them called equal", words.count(judge.undecided)))
    return rows + [(f"no label: {why}", words.count(count)) for why, count in sorted(judge.missing.items())]


def leaks_line(body: FreshBody) -> str:
    leaks = body.leaks
    if leaks.looked is None:
        return f"Whether prompts stood in the reward's data is not known: {leaks.reason}."
    if not leaks.same + leaks.near:
        return f"No prompt stood in the reward's data ({leaks.looked}), as it is or nearly."
    return (
        f"{words.plural(leaks.same, 'prompt')} stood in the reward's data ({leaks.looked}) and {leaks.near} nearly; "
        "they were set aside."
    )


def drift(body: FreshBody) -> dict[str, object] | None:
    if body.drift is None:
        return None
    lines = [
        Line(name, tuple((float(one.step), one.kl) for one in points), place)
        for place, (name, points) in enumerate(sorted(body.drift.lines.items()))
    ]
    drawing = curves(lines, y_words="KL from the reference, nats an answer", floor=0.0)
    ends = [(line.label, words.number(line.points[-1][1], 2), round(line.points[-1][0])) for line in lines]
    return {
        "plot": drawing,
        "ends": ends,
        "source": body.drift.source,
        "styles": [(n, p % 4) for p, (n, _, _) in enumerate(ends)],
    }


def kpis(body: KpiBody) -> dict[str, object]:
    """The table by version, a small plot a figure, and what fell while the reward rose."""
    names = list(body.figures)
    head = ["Reward", *(["Human preference"] if body.preference else []), *names]
    rows = []
    for place, version in enumerate(body.versions):
        cells = [body.reward[place], *([body.preference[place]] if body.preference else [])]
        cells += [body.figures[name][place] for name in names]
        rows.append((version, ["unknown" if value is None else words.plain_number(value) for value in cells]))
    lower = set(body.lower_is_better)
    liked = body.preference or ()
    panels = [
        (name, version_plot(body.versions, body.reward, column, named=name, turned=name in lower, preference=liked))
        for name, column in list(body.figures.items())[:MOST_PANELS]
    ]
    return {
        "head": head,
        "rows": rows,
        "panels": panels,
        "falls": [fall_sentence(KpiFall(**one.model_dump())) for one in body.falls],
        "lower": sorted(lower),
        "correlations": [
            (name, "too few versions" if value is None else words.signed(value, 2))
            for name, value in body.correlations.items()
        ],
        "cut": max(0, len(names) - MOST_PANELS),
        "source": body.source,
    }
