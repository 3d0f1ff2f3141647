"""A closed study to a verdict and a page: read, analyse, decide, render. Knows the order; computes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.files import sha256_json
from assay.artifacts.run_folder import RunFolder
from assay.gate import Evidence, Verdict, decide, load_criteria
from assay.gate.gate_run import ARTIFACT as GATE
from assay.gate.gate_run import SCHEMA as GATE_SCHEMA
from assay.report.study.study_page import PAGE, render_study
from assay.study.analysis.analyse import SCHEMA, Analysis, analyse
from assay.study.closed_source import read_study
from assay.study.config import AnalysisConfig
from assay.version import __version__, versions

ARTIFACT = "analysis.json"
DEFAULT_CRITERIA = "study"
PACKAGES = ("numpy", "scipy", "evalica")


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """What an analysis came to, and where its page is."""

    analysis: Analysis
    verdict: Verdict
    page: Path


def analyse_study(
    source: str,
    out: Path,
    *,
    config: AnalysisConfig | None = None,
    criteria: Path | str | None = None,
    command: str = "",
) -> Analysed:
    """Analyse a closed study and decide; writes analysis.json, gate.json and result.html under `out`.

    criteria: a YAML file of criteria; None: the built-in set "study" (win rate above one half, by bound).
    An earlier verdict and page in `out` are taken away first, so that no old one outlives a failed attempt.
    """
    conditions = load_criteria(criteria if criteria is not None else DEFAULT_CRITERIA)
    if Path(out).is_dir():
        for name in (GATE, PAGE):
            Path(out, name).unlink(missing_ok=True)
    closed = read_study(source)
    analysis = analyse(closed, config=config)
    folder = RunFolder(out)
    written = folder.write(
        ARTIFACT,
        SCHEMA,
        {**analysis.to_dict(), "assay_version": __version__, "versions": versions(PACKAGES), "command": command},
    )
    digest = sha256_json([[condition.text, condition.by] for condition in conditions])
    inputs = {"analysis.json": written, "criteria": digest}
    evidence = Evidence(audit=analysis, inputs=inputs, source="study", counted="vote")
    verdict = decide(evidence, conditions)
    folder.write(GATE, GATE_SCHEMA, verdict.to_dict())
    return Analysed(analysis=analysis, verdict=verdict, page=render_study(folder))
