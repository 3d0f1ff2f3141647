"""The result page of a study: stands by itself, says what the artifacts say, hides nothing unknown, escapes names."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("sqlalchemy", reason="the study extra is not installed")

from assay.artifacts.analysis_body import AnalysisBody
from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError
from assay.findings.finding import Finding
from assay.flows.study import analyse_study
from assay.report.study.cautions import cautions
from assay.report.study.study_page import render_study
from assay.report.study.table_sentences import length_sentences
from assay.study.analysis.analyse import analyse
from assay.study.analysis.study_result import Analysis
from assay.study.config import AnalysisConfig
from assay.study.study_records import ClosedStudy, Editor
from tests.study.simulated import PEOPLE, Truth, closed_study, machine, with_votes

STUDIES = {
    "clear": lambda: closed_study(Truth(rate=0.7)),
    "even": lambda: closed_study(Truth(rate=0.5), seed=4),
    "lost": lambda: closed_study(Truth(rate=0.25, ties=0.1), seed=2),
    "programs too": lambda: closed_study(editors=(*PEOPLE, machine("gpt"), machine("rule", "simulated"))),
    "only programs": lambda: closed_study(editors=(machine("gpt"),)),
    "nobody": lambda: with_votes(closed_study(), ()),
    "one editor": lambda: closed_study(editors=PEOPLE[:1]),
    "one prompt": lambda: closed_study(prompts=1, attention=0, repeats=0),
    "careless": lambda: closed_study(Truth(careless=("Carmen",), left=0.5)),
}


def page_of(folder: Path, closed: ClosedStudy, criteria: str = "", **options: str) -> str:
    path = "study"
    if criteria:
        path = folder / "criteria.yaml"
        folder.mkdir(exist_ok=True)
        path.write_text(criteria, encoding="utf-8")
    config = AnalysisConfig.build({"resamples": 200, **options})
    return analyse_study(closed, folder, config=config, criteria=path).page.read_text(encoding="utf-8")


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_gives_a_whole_page(tmp_path: Path, name: str) -> None:
    page = page_of(tmp_path, STUDIES[name]())
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert "<script" not in page
    assert not re.search(r"\b(?:nan|None|inf)\b", plain(page))


def test_the_same_artifacts_give_the_same_bytes(tmp_path: Path) -> None:
    page = page_of(tmp_path, closed_study())
    assert render_study(RunFolder(tmp_path)).read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    ("name", "verdict", "said"),
    [
        ("clear", "pass", "People preferred tuned to base"),
        ("even", "undecided", "do not tell whether people prefer tuned or base"),
        ("lost", "fail", "People preferred base to tuned"),
        ("nobody", "fail", "no win rate of people: nobody voted"),
        ("only programs", "fail", "No person's vote is in this result"),
        ("one prompt", "fail", "How far chance may have moved it is unknown"),
    ],
)
def test_verdict_first_in_plain_words(tmp_path: Path, name: str, verdict: str, said: str) -> None:
    page = page_of(tmp_path, STUDIES[name]())
    assert f"tone-{verdict}" in page.split("Criteria</h2>")[0]
    top = plain(page).replace("&#39;", "'").split(" Criterion ")[0]
    assert said in top


def test_cautions_are_told_and_absent_from_a_fair_study(tmp_path: Path) -> None:
    told = " ".join(cautions(analyse(STUDIES["careless"]())))
    assert "Carmen failed attention items" in told
    assert "leaned to the left" in told
    closed = closed_study(Truth(icc=0.8), prompts=60, seed=1)
    assert cautions(analyse(closed)) == []
    half = with_votes(closed, closed.votes[:30])
    assert "30 of 204 planned" in " ".join(cautions(analyse(half)))


def test_a_lean_to_length_is_told_only_where_it_is_seen() -> None:
    assert "No lean to longer or shorter" in length_sentences(analyse(closed_study(prompts=60)))
    closed = closed_study(prompts=60)
    longer = [
        replace(v, choice="left" if (v.left_system == "base") == (len(item.answer_a) > len(item.answer_b)) else "right")
        for v in closed.votes
        if (item := closed.items[v.item]) and v.position % 4
    ]
    assert "leaned to the longer" in length_sentences(analyse(with_votes(closed, longer + list(closed.votes[::4]))))


def test_an_open_verdict_says_how_many_prompts_would_decide(tmp_path: Path) -> None:
    page = plain(page_of(tmp_path, STUDIES["clear"](), criteria="- win rate > 0.68"))
    assert "Undecided" in page
    assert re.search(r"About [\d,]+ more prompts, judged as these were, would decide", page)


def test_a_page_of_programs_shows_none_of_them_as_people(tmp_path: Path) -> None:
    page = page_of(tmp_path, STUDIES["programs too"]())
    editors = page.split('id="editors"')[1].split("</section>")[0]
    assert "Anna" in editors
    assert "gpt" not in editors
    assert "gpt" in page.split('id="programs"')[1].split("</section>")[0]


def test_many_editors_fold_and_none_is_lost(tmp_path: Path) -> None:
    editors = [Editor(name=f"worker-{n}") for n in range(45)]
    page = page_of(tmp_path, closed_study(editors=editors, prompts=5, attention=0, repeats=0))
    assert "The 5 editors with the fewest votes are in the table only" in page
    table = page.split("Show all 45 editors")[1].split("</details>")[0]
    assert all(f">{editor.name}<" in table for editor in editors)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    closed = closed_study(editors=(Editor(name="<script>alert(1)</script>"),))
    closed = replace(closed, study=replace(closed.study, title='"><img src=x onerror=alert(1)>\u202e'))
    page = page_of(tmp_path, closed)
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page


def test_a_page_without_its_artifacts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"analysis\.json is missing"):
        render_study(RunFolder(tmp_path))


def test_unknown_findings_keep_their_reason_through_the_artifact(tmp_path: Path) -> None:
    analyse(STUDIES["nobody"]()).to_body().write(tmp_path / "analysis.json")
    again = Analysis.from_body(AnalysisBody.read(tmp_path / "analysis.json"))
    unknown: list[Finding] = [finding for finding in again.findings if finding.known is None]
    assert unknown
    assert all(finding.reason for finding in unknown)
