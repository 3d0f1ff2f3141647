"""The report of a run as one HTML file: reads the folder, asks every section for its part, fills the template.

Knows the sections and their order; computes no figure of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from assay.artifacts.files import atomic_write
from assay.artifacts.run_folder import RunFolder
from assay.audits.audit_figures import AUDIT_FIGURES
from assay.audits.label_quality.ceiling_words import ceiling_bounds
from assay.audits.pairs.length_rule import rule_to_beat
from assay.report import words
from assay.report.finding_text import Cell, cell
from assay.report.findings_table import findings_table
from assay.report.html import html_environment, inlined_styles
from assay.report.run.accuracy_section import accuracy
from assay.report.run.calibration_section import calibration
from assay.report.run.data_section import data
from assay.report.run.first_lines import first_lines
from assay.report.run.labels_section import labels
from assay.report.run.length_section import length
from assay.report.run.limits_section import limits
from assay.report.run.method_section import intervals, method
from assay.report.run.mistakes_section import mistakes
from assay.report.run.policy_section import policy
from assay.report.run.probes_section import probes
from assay.report.run.provenance_section import provenance
from assay.report.run.reported_run import ReportedRun, read_reported_run
from assay.report.run.scores_section import distribution
from assay.report.run.seeds_section import seeds
from assay.report.run.slices_section import slices
from assay.report.run.style_section import style
from assay.report.run.summary import three_sentences
from assay.report.run.training_section import training
from assay.report.run.verdict import verdict

SECTIONS = (
    ("verdict", "Verdict"),
    ("criteria", "Criteria"),
    ("accuracy", "Accuracy"),
    ("seeds", "Seeds"),
    ("scores", "Scores"),
    ("length", "Length"),
    ("style", "Style"),
    ("slices", "Slices"),
    ("calibration", "Calibration"),
    ("labels", "Labels"),
    ("probes", "Prompt and probes"),
    ("policy", "Policy"),
    ("training", "Training"),
    ("mistakes", "Mistakes"),
    ("data", "Data contract"),
    ("method", "Method"),
    ("provenance", "Provenance"),
    ("limits", "Limits"),
    ("findings", "All findings"),
)

UNNUMBERED = 2  # verdict and criteria stand above the numbered sections


def render(run: RunFolder) -> Path:
    """Write report.html from the artifacts of `run`; the same artifacts give the same bytes.

    Raises ArtifactError if run.json, audit.json or gate.json is missing, or any artifact is of another version.
    """
    path = run.path("report.html")
    with atomic_write(path) as stream:
        stream.write(page(read_reported_run(run)).encode())
    return path


def page(evidence: ReportedRun) -> str:
    """The whole page as text."""
    template = html_environment().get_template("report.html.j2")
    return template.render(css=inlined_styles("report.css"), **context(evidence))


def context(evidence: ReportedRun) -> dict[str, object]:
    """What the template shows, by the name it has there."""
    run = evidence.run
    sections = [one for one in SECTIONS if one[0] != "policy" or evidence.policy is not None]
    return {
        "run": {"name": run.name, "assay_version": run.assay_version},
        "base": short(evidence.base) or "base model unknown",
        "source": short(evidence.source) or "data unknown",
        "seed_count": words.plural(len(evidence.seeds), "seed"),
        "created": words.moment(run.created) or "date unknown",
        "simulated": evidence.simulated,
        "oracle": words.percent(evidence.oracle()) if evidence.oracle() is not None else "",
        "sections": sections,
        "numbers": {name: place for place, (name, _) in enumerate(sections[UNNUMBERED:], start=1)},
        "first_lines": first_lines(evidence),
        "verdict": verdict(evidence),
        "summary": three_sentences(evidence),
        "keys": keys(evidence),
        "accuracy": accuracy(evidence),
        "seeds": seeds(evidence),
        "distribution": distribution(evidence),
        "length": length(evidence),
        "style": style(evidence),
        "slices": slices(evidence),
        "calibration": calibration(evidence),
        "labels": labels(evidence),
        "probes": probes(evidence),
        "policy": policy(evidence),
        "subject": "Reward model" if evidence.policy is None else "Tuned policy",
        "training": training(evidence),
        "mistakes": mistakes(evidence),
        "data": data(evidence),
        "method": method(evidence),
        "intervals": intervals(evidence),
        "provenance": provenance(evidence),
        "limits": limits(evidence),
        "all_findings": findings_table(evidence.findings),
    }


def short(name: str | None) -> str:
    """The last part of a path; a Hugging Face id stays whole."""
    text = str(name or "")
    return Path(text).name if text.startswith(("/", ".", "~")) or text.count("/") > 1 else text


def keys(evidence: ReportedRun) -> list[Mapping[str, object]]:
    """The large figures under the summary, as the vocabulary names them; of the length rules, the one to beat."""
    shown = AUDIT_FIGURES.shown_in("key figures")
    rule = rule_to_beat(evidence.head("length_baseline"))
    if rule is not None and rule.name == "shortest":
        swapped = {"accuracy_beyond_length": (rule.beyond, f"Beyond {rule.words}")}
        shown = dict(swapped.get(name, (name, title)) for name, title in shown.items())
    special = {"seed_spread": spread_cell, "accuracy": accuracy_cell}
    return [
        {"name": title, "cell": special[name](evidence) if name in special else cell(evidence.head(name))}
        for name, title in shown.items()
    ]


def accuracy_cell(evidence: ReportedRun) -> Cell:
    """Accuracy with its interval, and what the labels leave possible beneath where votes tell it."""
    found, bounds = evidence.head("accuracy"), ceiling_bounds(evidence.find("noise_ceiling"))
    said = cell(found)
    if bounds is None or found.known is None:
        return said
    reach = f"best reader {words.percent(bounds.low)} to {words.percent(bounds.high)}"
    return replace(said, sub=f"{said.sub}; {reach}" if said.sub else reach)


def spread_cell(evidence: ReportedRun) -> Cell:
    """The spread between seeds, with the lowest and the highest beneath."""
    spread = evidence.head("seed_spread")
    low, high = (words.percent(spread.detail.get(end)) for end in ("min", "max"))
    if spread.known is None or low == words.UNKNOWN:
        return cell(spread)
    return Cell(text=cell(spread).text.lstrip("+"), sub=f"{low} to {high} over {len(evidence.seeds)} seeds")
