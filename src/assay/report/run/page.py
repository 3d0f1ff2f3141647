"""The report as one HTML file. Knows the sections and the template; computes no figure of its own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from assay.artifacts.files import atomic_write
from assay.artifacts.run_folder import RunFolder
from assay.report import words
from assay.report.finding_text import Cell, cell
from assay.report.run import data_and_provenance, method, results, scores
from assay.report.run.evidence import Evidence, read_evidence
from assay.report.run.summary import three_sentences
from assay.report.run.verdict import verdict

SECTIONS = (
    ("verdict", "Verdict"),
    ("criteria", "Criteria"),
    ("accuracy", "Accuracy"),
    ("seeds", "Seeds"),
    ("scores", "Scores"),
    ("length", "Length"),
    ("calibration", "Calibration"),
    ("training", "Training"),
    ("mistakes", "Mistakes"),
    ("data", "Data contract"),
    ("method", "Method"),
    ("provenance", "Provenance"),
    ("limits", "Limits"),
    ("findings", "All findings"),
)


def render(run: RunFolder) -> Path:
    """Write report.html from the artifacts of `run`; the same artifacts give the same bytes.

    Raises ArtifactError if run.json, audit.json or gate.json is missing, or any artifact is of another version.
    """
    path = run.path("report.html")
    with atomic_write(path) as stream:
        stream.write(page(read_evidence(run)).encode())
    return path


def page(evidence: Evidence) -> str:
    """The whole page as text."""
    css = resources.files("assay.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    template = environment().get_template("report.html.j2")
    return template.render(css=Markup(css), **context(evidence))


def environment() -> Environment:
    """Templates with everything escaped, hidden characters made visible, and undefined names an error."""
    return Environment(
        loader=PackageLoader("assay.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=safe,
        trim_blocks=False,
        keep_trailing_newline=True,
    )


def safe(value: Any) -> Any:
    """What an expression in the template puts on the page; None would be a bug and shows as unknown."""
    if isinstance(value, Markup):
        return value
    return words.UNKNOWN if value is None else words.visible(str(value))


def context(evidence: Evidence) -> dict[str, Any]:
    run = {key: evidence.run.get(key) for key in ("name", "created", "assay_version")}
    base, source = ((evidence.run.get(key) or {}) for key in ("base", "data"))
    return {
        "run": run,
        "base": short(base.get("name")) or "base model unknown",
        "source": short(source.get("path")) or "data unknown",
        "seed_count": words.plural(len(evidence.seeds), "seed"),
        "created": data_and_provenance.moment(run["created"]) or "date unknown",
        "simulated": evidence.simulated,
        "oracle": words.percent(evidence.oracle()) if evidence.oracle() is not None else "",
        "sections": SECTIONS,
        "verdict": verdict(evidence),
        "summary": three_sentences(evidence),
        "keys": keys(evidence),
        "accuracy": results.accuracy(evidence),
        "seeds": results.seeds(evidence),
        "distribution": scores.distribution(evidence),
        "length": scores.length(evidence),
        "calibration": scores.calibration(evidence),
        "training": scores.training(evidence),
        "mistakes": data_and_provenance.mistakes(evidence),
        "data": data_and_provenance.data(evidence),
        "method": method.method(evidence),
        "intervals": method.intervals(evidence),
        "provenance": data_and_provenance.provenance(evidence),
        "limits": method.limits(evidence),
        "all_findings": data_and_provenance.findings_rows(evidence),
    }


def short(name: Any) -> str:
    """The last part of a path; a Hugging Face id stays whole."""
    text = str(name or "")
    return Path(text).name if text.startswith(("/", ".", "~")) or text.count("/") > 1 else text


def keys(evidence: Evidence) -> list[Mapping[str, Any]]:
    """The four figures under the summary."""
    names = (
        ("accuracy", "Held-out accuracy"),
        ("accuracy_beyond_length", "Beyond “longest wins”"),
        ("length_matched_accuracy", "Accuracy at equal length"),
    )
    shown = [{"name": label, "cell": cell(evidence.head(name))} for name, label in names]
    spread = evidence.head("seed_spread")
    low, high = (words.percent(spread.detail.get(end)) for end in ("min", "max"))
    last = cell(spread)
    if spread.known is not None and low != words.UNKNOWN:
        last = Cell(text=last.text.lstrip("+"), sub=f"{low} to {high} over {len(evidence.seeds)} seeds")
    return [*shown, {"name": "Spread between seeds", "cell": last}]
