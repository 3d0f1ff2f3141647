"""The result page of a blind study as one HTML file: reads the folder, asks every section, fills the template.

Knows the sections and their order; computes no figure of its own.
"""

from __future__ import annotations

from pathlib import Path

from assay.artifacts.files import atomic_write
from assay.artifacts.run_folder import RunFolder
from assay.report import words
from assay.report.findings_table import findings_table
from assay.report.html import html_environment, inlined_styles
from assay.report.study.cautions import cautions
from assay.report.study.editors_section import editor_pairs, editors
from assay.report.study.headline import banner, headline_plot, keys, lede, summary, verdict
from assay.report.study.method_and_provenance import method, study_facts
from assay.report.study.parts_section import parts
from assay.report.study.power_and_limits import limits, power
from assay.report.study.programs_section import programs
from assay.report.study.reported_study import ReportedStudy, read_reported_study
from assay.report.study.table_sentences import (
    agreement_sentences,
    length_sentences,
    sides_sentences,
    time_sentences,
)
from assay.report.study.votes_section import votes

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


def render_study(folder: RunFolder) -> Path:
    """Write result.html from analysis.json and gate.json; the same artifacts give the same bytes.

    Raises ArtifactError if one is missing or of another version.
    """
    path = folder.path(PAGE)
    evidence = read_reported_study(folder)
    with atomic_write(path) as stream:
        stream.write(study_page(evidence).encode())
    return path


def study_page(evidence: ReportedStudy) -> str:
    """The whole page as text."""
    template = html_environment().get_template("study.html.j2")
    return template.render(css=inlined_styles("report.css", "study.css"), **context(evidence))


def context(evidence: ReportedStudy) -> dict[str, object]:
    analysis, body = evidence.analysis, evidence.body
    return {
        "version": body.assay_version,
        "title": analysis.study.title,
        "lede": lede(analysis, words.moment(analysis.study.closed_at)),
        "banner": banner(analysis),
        "sections": SECTIONS,
        "verdict": verdict(evidence),
        "summary": summary(analysis),
        "cautions": cautions(analysis),
        "keys": keys(evidence),
        "headline": headline_plot(evidence),
        "threshold": evidence.threshold is not None,
        "votes": votes(evidence),
        "editors": editors(evidence),
        "parts": parts(evidence),
        "sides": evidence.named("left_share", "side_difference", "self_consistency"),
        "sides_said": sides_sentences(analysis),
        "agreement": evidence.named("alpha", "agreement"),
        "agreement_said": agreement_sentences(analysis),
        "pairs": editor_pairs(analysis),
        "length": evidence.named("win_rate", "length_controlled_win_rate"),
        "length_said": length_sentences(analysis),
        "time": evidence.named("seconds_per_item", "quick_votes"),
        "time_said": time_sentences(analysis),
        "programs": programs(evidence),
        "power": power(analysis, evidence.gate),
        "limits": limits(analysis),
        "method": method(analysis),
        "facts_": study_facts(analysis),
        "hashes": [*sorted(analysis.inputs.items()), *sorted(evidence.hashes.items())],
        "versions": sorted(body.versions.items()),
        "command": body.command,
        "all_findings": findings_table(analysis.findings),
    }
