"""A closed study to a verdict and a page: read, analyse, decide, render. Knows the order; computes nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.artifacts.analysis_body import ANALYSIS
from assay.artifacts.run_folder import RunFolder
from assay.errors import GateError
from assay.gate import Criterion, Evidence, Verdict, decide, load_criteria
from assay.gate.criteria import Criteria, criteria_hash
from assay.gate.verdict import ARTIFACT as GATE
from assay.report.study.study_page import PAGE, render_study
from assay.study.analysis.analyse import analyse
from assay.study.analysis.study_result import Analysis
from assay.study.config import AnalysisConfig
from assay.study.read_study import read_judged
from assay.study.study_records import ClosedStudy
from assay.version import __version__, versions

DEFAULT_CRITERIA = "study"
PACKAGES = ("numpy", "scipy", "evalica")


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """What an analysis came to, and where its page is."""

    analysis: Analysis
    verdict: Verdict
    page: Path


def read_and_analyse(
    source: str,
    out: Path,
    *,
    config: AnalysisConfig | None = None,
    criteria: Path | str | None = None,
    command: str = "",
) -> Analysed:
    """Read a closed study, or a file of votes, from where it lies and analyse it: `read_judged`, then `analyse_study`.

    Criteria that cannot be read are told before a study that cannot; an earlier verdict and page do not outlive either.
    """
    settings = config or AnalysisConfig()
    conditions = load_criteria(criteria if criteria is not None else DEFAULT_CRITERIA)
    one_look(conditions)
    take_away_old_results(out)
    return analyse_study(
        read_judged(source, config=settings.data), out, config=settings, criteria=conditions, command=command
    )


def analyse_study(
    closed: ClosedStudy,
    out: Path,
    *,
    config: AnalysisConfig | None = None,
    criteria: Sequence[Criterion] | Path | str = DEFAULT_CRITERIA,
    command: str = "",
) -> Analysed:
    """Analyse a closed study and decide; writes analysis.json, gate.json and result.html under `out`.

    criteria: already read, or a YAML file, or a built-in set: "study" asks for a win rate above one half, by bound.
    An earlier verdict and page in `out` are taken away first, so that no old one outlives a failed attempt.
    """
    conditions = load_criteria(criteria) if isinstance(criteria, str | Path) else criteria
    one_look(conditions)
    take_away_old_results(out)
    analysis = analyse(closed, config=config)
    folder = RunFolder(out)
    body = analysis.to_body(assay_version=__version__, versions=versions(PACKAGES), command=command)
    inputs = {ANALYSIS: body.write(folder.path(ANALYSIS)), "criteria": criteria_hash(conditions)}
    verdict = decide(Evidence(figures=analysis, inputs=inputs, source="study", counted="vote"), conditions)
    verdict.to_body().write(folder.path(GATE))
    return Analysed(analysis=analysis, verdict=verdict, page=render_study(folder))


def one_look(criteria: Sequence[Criterion]) -> None:
    """Raises GateError for criteria that plan several looks: a study is closed once, and its votes are all there."""
    if isinstance(criteria, Criteria) and criteria.looks is not None:
        raise GateError("looks: a closed study is looked at once. Leave `looks` out of its criteria.")


def take_away_old_results(out: Path) -> None:
    """Remove the verdict and the page of an earlier analysis, where there is one."""
    if Path(out).is_dir():
        for name in (GATE, PAGE):
            Path(out, name).unlink(missing_ok=True)
