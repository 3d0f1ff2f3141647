"""The result page of a blind study, one HTML file. Knows analysis.json and gate.json; computes no figure of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from assay.artifacts.files import atomic_write, read_json, sha256_file
from assay.artifacts.gate_body import GateBody
from assay.artifacts.run_folder import RunFolder
from assay.findings.finding import Finding
from assay.findings.slice import OVERALL, Slice
from assay.report import words
from assay.report.finding_text import Cell, cell, label
from assay.report.plots.forest import Row, forest
from assay.report.plots.svg import Drawing
from assay.report.run.data_and_provenance import findings_rows_of, moment
from assay.report.run.page import environment
from assay.report.run.verdict import asked_of, criterion
from assay.report.study import sentences
from assay.study.analysis.analyse import SCHEMA, Analysis

SECTIONS = (
    ("verdict", "Verdict"),
    ("criteria", "Criteria"),
    ("votes", "Votes"),
    ("editors", "Editors"),
    ("parts", "Parts"),
    ("sides", "Sides"),
    ("agreement", "Agreement"),
    ("length", "Length"),
    ("time", "Time"),
    ("programs", "Programs"),
    ("power", "Power"),
    ("limits", "Not known"),
    ("method", "Method"),
    ("provenance", "Provenance"),
    ("findings", "All findings"),
)
PAGE = "result.html"
EVEN = "no preference"
MOST_ROWS = 40  # of a plot; the tables hold the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyEvidence:
    """What the page is made from. body: analysis.json as it stands. hashes: of the files it was made from."""

    analysis: Analysis
    gate: GateBody
    body: Mapping[str, Any]
    hashes: Mapping[str, str]

    def cell(self, name: str, where: Slice = OVERALL) -> Cell:
        found = self.analysis.find(name, where)
        return cell(found) if found is not None else Cell(text=words.UNKNOWN, why="not measured")

    def slices(self, part: str) -> list[Slice]:
        """Slices of a part that hold a win rate, in the analysis's order."""
        return [f.slice for f in self.analysis.findings if f.name == "win_rate" and f.slice.part == part]

    @property
    def threshold(self) -> float | None:
        """The win rate the gate asks for, where a criterion states one."""
        return asked_of(self.gate, "win_rate", OVERALL)


def render_study(folder: RunFolder) -> Path:
    """Write result.html from analysis.json and gate.json; the same artifacts give the same bytes.

    Raises ArtifactError if one is missing or of another version.
    """
    body = read_json(folder.path("analysis.json"), SCHEMA)
    evidence = StudyEvidence(
        analysis=Analysis.from_dict(body),
        gate=GateBody.read(folder.path("gate.json")),
        body=body,
        hashes={name: sha256_file(folder.path(name)) for name in ("analysis.json", "gate.json")},
    )
    path = folder.path(PAGE)
    with atomic_write(path) as stream:
        stream.write(study_page(evidence).encode())
    return path


def study_page(evidence: StudyEvidence) -> str:
    """The whole page as text."""
    css = "".join(
        resources.files("assay.report").joinpath(f"templates/{name}").read_text(encoding="utf-8")
        for name in ("report.css", "study.css")
    )
    return environment().get_template("study.html.j2").render(css=Markup(css), **context(evidence))


def context(evidence: StudyEvidence) -> dict[str, Any]:
    analysis, body = evidence.analysis, evidence.body
    study = analysis.study
    return {
        "version": body.get("assay_version") or "",
        "title": study["title"],
        "lede": sentences.lede(analysis, moment(study["closed_at"])),
        "banner": sentences.banner(analysis),
        "sections": SECTIONS,
        "verdict": verdict(evidence),
        "summary": sentences.summary(analysis),
        "cautions": sentences.cautions(analysis),
        "keys": keys(evidence),
        "headline": headline(evidence),
        "threshold": evidence.threshold is not None,
        "votes": votes(evidence),
        "editors": editors(evidence),
        "parts": parts(evidence),
        "sides": named(evidence, ("left_share", "side_difference", "self_consistency")),
        "sides_said": sentences.sides(analysis),
        "agreement": named(evidence, ("alpha", "agreement")),
        "agreement_said": sentences.agreement(analysis),
        "pairs": pairs(analysis),
        "length": named(evidence, ("win_rate", "length_controlled_win_rate")),
        "length_said": sentences.length(analysis),
        "time": named(evidence, ("seconds_per_item", "quick_votes")),
        "time_said": sentences.time(analysis),
        "programs": programs(evidence),
        "power": sentences.power(analysis, evidence.gate),
        "limits": sentences.limits(analysis),
        "method": sentences.method(analysis),
        "facts_": facts(evidence),
        "hashes": [*sorted(analysis.inputs.items()), *sorted(evidence.hashes.items())],
        "versions": sorted((body.get("versions") or {}).items()),
        "command": body.get("command") or "",
        "all_findings": findings_rows_of(analysis.findings),
    }


def verdict(evidence: StudyEvidence) -> dict[str, Any]:
    word = evidence.gate.verdict
    criteria = []
    for row in evidence.gate.criteria:
        more = row.more_prompts
        said = f"About {words.rounded(more)} more prompts, judged as these were, would decide." if more else ""
        criteria.append(criterion(row, more=said))
    return {
        "word": word,
        "decision": sentences.DECISION[word],
        "criteria": criteria,
        "thresholds": any(row["threshold"] for row in criteria),
    }


def keys(evidence: StudyEvidence) -> list[dict[str, Any]]:
    """The four figures under the summary."""
    shown = (
        ("win_rate", "Win rate, ties half"),
        ("win_rate_without_ties", "Win rate without ties"),
        ("length_controlled_win_rate", "Win rate at equal length"),
        ("alpha", "Agreement (alpha)"),
    )
    return [{"name": said, "cell": evidence.cell(name)} for name, said in shown]


def row(label_: str, found: Finding | None, threshold: float | None = None, *, strong: bool = False) -> Row:
    """One row of a forest plot."""
    interval = found.bounds if found is not None else None
    return Row(
        label=label_,
        value=found.known if found is not None else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        threshold=threshold,
        strong=strong,
    )


def plot(rows: Sequence[Row], *, label_: str) -> tuple[str, str] | None:
    """Wide and narrow forest, or None where no row has a value."""
    shown = [one for one in rows if one.value is not None][:MOST_ROWS]
    return forest(shown, label=label_, even=EVEN) if shown else None


def headline(evidence: StudyEvidence) -> tuple[str, str] | None:
    """The win rate in its four readings, against one half and what the gate asks for."""
    find = evidence.analysis.find
    shown = (
        ("Win rate, ties half", "win_rate", evidence.threshold),
        ("Without ties", "win_rate_without_ties", None),
        ("At equal length", "length_controlled_win_rate", None),
        ("Prompts won", "majority_share", None),
    )
    rows = [row(said, find(name), bar, strong=name == "win_rate") for said, name, bar in shown]
    return plot(rows, label_=f"How often {evidence.analysis.ours} was preferred, with intervals")


def votes(evidence: StudyEvidence) -> dict[str, Any]:
    counts = evidence.analysis.tables["counts"]
    parts_ = [
        (f"{evidence.analysis.ours} better", counts["won"], "won"),
        ("about the same", counts["tied"], "tied"),
        ("both bad", counts["both_bad"], "bad"),
        (f"{sentences.other(evidence.analysis)} better", counts["lost"], "lost"),
    ]
    total = sum(n for _, n, _ in parts_)
    return {
        "bars": [bar(parts_, total, width) for width in (760, 350)] if total else None,
        "parts": [(said, words.count(n), words.percent(n / total) if total else "", css) for said, n, css in parts_],
        "said": sentences.majority(evidence.analysis),
        "table": named(evidence, ("ties", "both_bad", "abstentions", "majority_share", "majority_p_value", "coverage")),
    }


def bar(parts_: Sequence[tuple[str, int, str]], total: int, width: int) -> Markup:
    """One bar of all votes, cut by what they said."""
    said = ", ".join(f"{name} {n}" for name, n, _ in parts_)
    drawing = Drawing(width, 34, label=f"{total} votes: {said}", css="narrow" if width < 400 else "wide")
    x = 0.0
    for name, n, css in parts_:
        size = width * n / total
        drawing.rect((x, 2, max(size - 1, 0), 30), f"cut {css}", f"{name}: {n}")
        text = words.percent(n / total, 0)
        if size > 8 * len(text) + 8:
            drawing.text(x + size / 2, 22, text, f"mid num on-{css}")
        x += size
    return drawing.markup()


def editors(evidence: StudyEvidence) -> dict[str, Any]:
    """People one by one: a forest plot and a table."""
    rows_ = [one for one in evidence.analysis.tables["editors"] if one["judge"] == "human"]
    find = evidence.analysis.find
    busiest = sorted(rows_, key=lambda one: -one["judged"])
    plotted = [row(one["editor"], find("win_rate", Slice("editor", one["editor"]))) for one in busiest]
    table = []
    for one in rows_:
        where = Slice("editor", one["editor"])
        table.append(
            {
                "name": one["editor"],
                "failed": one["failed_attention"],
                "judged": f"{words.count(one['judged'])} of {words.count(one['planned'])}",
                "win_rate": evidence.cell("win_rate", where),
                "left": evidence.cell("left_share", where),
                "same": evidence.cell("self_consistency", where),
                "attention": passed(find("attention_passed", where)),
                "seconds": words.duration(getattr(find("seconds_per_item", where), "value", None)),
                "abstained": words.count(one["abstained"]),
                "undone": words.count(one["undone"]),
            }
        )
    return {
        "figure": plot(plotted, label_="Win rate by editor"),
        "left_out": max(0, len(plotted) - MOST_ROWS),
        "table": table,
        "both_ways": [
            (name, cell(found))
            for name in ("all", "attention passed")
            if (found := find("win_rate", Slice("editors", name))) is not None
        ],
        "excluded": evidence.analysis.config.get("failed_attention") == "exclude",
    }


def passed(found: Finding | None) -> str:
    """3 of 3; none shown."""
    if found is None or found.known is None:
        return "none judged"
    return f"{found.detail.get('passed')} of {found.n}"


def parts(evidence: StudyEvidence) -> list[dict[str, Any]]:
    """Win rates by category, aspect and opponent, and the ranking of three or more systems."""
    titles = (
        ("category", "By category", "win_rate"),
        ("aspect", "By aspect editors rated", "win_rate"),
        ("against", "By opponent", "win_rate"),
        ("system", "All systems on one scale (Bradley-Terry: chance to beat the average system)", "strength"),
    )
    out = []
    for kind, title, name in titles:
        found = [f for f in evidence.analysis.findings if f.name == name and f.slice.part == kind]
        if not found:
            continue
        rows_ = [row(f.slice.label, f) for f in found]
        unknown = sorted({f.reason for f in found if f.known is None and f.reason})
        out.append(
            {
                "title": title,
                "figure": plot(rows_, label_=title),
                "table": [(f.slice.label, words.count(f.n), cell(f)) for f in found],
                "long": len(found) > MOST_ROWS,
                "unknown": unknown if all(f.known is None for f in found) else [],
            }
        )
    return out


def programs(evidence: StudyEvidence) -> list[dict[str, Any]]:
    """Programs that judged: their own figures, and their agreement with people."""
    out = []
    kinds = {one["editor"]: one["judge"] for one in evidence.analysis.tables["editors"]}
    for where in evidence.slices("judge"):
        name = where.label
        out.append(
            {
                "name": name,
                "kind": sentences.KINDS.get(kinds.get(name, ""), "program"),
                "win_rate": evidence.cell("win_rate", where),
                "left": evidence.cell("left_share", where),
                "same": evidence.cell("self_consistency", where),
                "people": evidence.cell("judge_agreement", where),
            }
        )
    if out:
        people = evidence.cell("judge_agreement", Slice("one person against the others"))
        none = Cell(text="", sub="")
        out.append(
            {
                "name": "one person against the others",
                "kind": "for comparison",
                "win_rate": none,
                "left": none,
                "same": none,
                "people": people,
            }
        )
    return out


def pairs(analysis: Analysis) -> list[dict[str, str]]:
    """Agreement of every two editors."""
    return [
        {
            "editors": " and ".join(one["editors"]),
            "n": words.count(one["n"]),
            "raw": words.percent(one["raw"]),
            "kappa": words.plain(one["kappa"]) if one["kappa"] is not None else f"{words.UNKNOWN} ({one['reason']})",
            "ac1": words.plain(one["ac1"]) if one["ac1"] is not None else words.UNKNOWN,
        }
        for one in analysis.tables["editor_pairs"]
    ]


def named(evidence: StudyEvidence, names: Sequence[str]) -> list[tuple[str, Cell, Finding]]:
    """Overall findings as the shared table of findings takes them."""
    found = ((name, evidence.analysis.find(name)) for name in names)
    return [(label(name), cell(one), one) for name, one in found if one is not None]


def facts(evidence: StudyEvidence) -> list[tuple[str, str]]:
    study = evidence.analysis.study
    aside = study["set_aside"]
    return [
        ("Study", str(study["id"])),
        ("Systems", words.listing(study["systems"])),
        ("Made", moment(study["created_at"]) or words.UNKNOWN),
        ("Closed", moment(study["closed_at"]) or words.UNKNOWN),
        ("Judges", ", ".join(f"{n} {sentences.KINDS.get(kind, kind)}" for kind, n in study["judges"].items())),
        ("Votes given through", sentences.came_from(study["votes_from"])),
        ("Prompts set aside", words.count(len(aside))),
        ("Giveaways noted", words.count(len(study["giveaways"]))),
        ("Question asked", str(study["question"] or words.UNKNOWN)),
    ]
