"""`assay study analyse` end to end: a study voted on over HTTP, its verdict, its page, its export."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from assay.artifacts.files import read_json
from assay.flows.study import read_and_analyse
from assay.study import read_closed, write_export
from assay.study.program_client import JudgeClient
from assay.study.store.closing import close_study
from assay.study.study_records import Editor
from tests.study.commands import assay
from tests.study.harness import Browser, in_thread, make_study

EDITORS = [Editor(name="Anna"), Editor(name="Bilal"), Editor(name="rule", judge="simulated")]


def judged(folder: Path, place: str, *, prompts: int = 12) -> str:
    """A closed study: two people's links judge in turns of a fixed pattern, a program always takes the left."""
    made = make_study(folder, place, prompts=prompts, editors=EDITORS, aspects=("helpful",))
    with in_thread(place) as site:
        for number, name in enumerate(("Anna", "Bilal")):
            browser = Browser(site.port)
            browser.enter(made.tokens[name])
            for turn in range(10 * prompts):
                page = browser.get("/judge")
                if 'action="/vote"' not in page.body:
                    break
                choice = ("left", "right", "tie", "left", "abstain")[(turn + number) % 5]
                assert browser.vote(page, choice, ms="9000").status in (200, 303)
        judge = JudgeClient(f"{site.base}/s/{made.tokens['rule']}")
        for question in judge:
            judge.vote(question, "left")
        judge.close()
    close_study(place)
    return place


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    judged(folder, str(folder / "study.db"))
    return folder


def test_both_databases_give_verdict_and_page(tmp_path: Path, place: str) -> None:
    found = read_and_analyse(judged(tmp_path, place), tmp_path / "result")
    body = read_json(tmp_path / "result" / "analysis.json", "analysis/1")
    gate = read_json(tmp_path / "result" / "gate.json", "gate/2")
    assert gate["verdict"] == found.verdict.verdict
    assert body["inputs"]["seal"] == body["study"]["seal"] == read_closed(place).study.seal
    assert {"loud-owl-7b.jsonl", "silent-fox-7b.jsonl"} <= set(body["inputs"])
    assert found.page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.slow
def test_the_command_decides_prints_and_exits_by_the_verdict(study: Path) -> None:
    said = assay("analyse", "study.db", "--out", "result", cwd=study, code=3)
    assert said == ""  # the result goes to standard output, and nothing to standard error
    told = json.loads(run(study, "analyse", "study.db", "--out", "result", "--json", code=3))
    assert told["verdict"] == "undecided"
    # 19 votes have an opinion, the study's seed being fixed: 8 points for ours, so more prompts would decide.
    assert told["criteria"][0]["value"] == pytest.approx(8 / 19)
    assert told["criteria"][0]["more_prompts"] > 0
    assert told["ours"] == "loud-owl-7b"
    for text, code in (("win rate > 0.01", 0), ("win rate > 0.99", 1), ("aspect helpful win rate > 0.1", 1)):
        (study / "criteria.yaml").write_text(f"- {text}\n", encoding="utf-8")
        out = run(study, "analyse", "study.db", "--out", "result", "--criteria", "criteria.yaml", code=code)
        assert text in out


def run(folder: Path, *words: str, code: int) -> str:
    """Standard output of the command."""
    import subprocess
    import sys

    from tests.study.commands import RUN

    done = subprocess.run(
        [sys.executable, "-c", RUN, "study", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def test_the_other_system_can_be_ours(study: Path, tmp_path: Path) -> None:
    ours, theirs = (
        read_and_analyse(str(study / "study.db"), tmp_path / name, config=config(system=name)).analysis.find("win_rate")
        for name in ("loud-owl-7b", "silent-fox-7b")
    )
    assert ours is not None
    assert theirs is not None
    assert ours.value == pytest.approx(1 - (theirs.known or 0))


def config(**options: Any) -> Any:
    from assay.study.config import AnalysisConfig

    return AnalysisConfig(**options)


def test_an_export_gives_the_same_figures_under_other_names(study: Path, tmp_path: Path) -> None:
    closed = read_closed(str(study / "study.db"))
    write_export(closed, tmp_path / "export", times=True)
    whole = read_and_analyse(str(study / "study.db"), tmp_path / "a").analysis
    shared = read_and_analyse(str(tmp_path / "export"), tmp_path / "b").analysis
    table = read_and_analyse(str(tmp_path / "export" / "votes.csv"), tmp_path / "c").analysis
    assert table.findings == shared.findings
    for one in whole.findings:
        if one.slice.part in ("overall", "category", "aspect"):
            other = shared.find(one.name, one.slice)
            assert other is not None
            assert (one.known, one.n) == (pytest.approx(other.known), other.n), one.name
    text = (tmp_path / "b" / "analysis.json").read_text(encoding="utf-8")
    assert not re.search("Anna|Bilal", text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("analyse", "silent-fox-7b.jsonl", "--out", "r"), "silent-fox-7b.jsonl"),
        (("analyse", "nothing.db", "--out", "r"), "there is nothing"),
        (("analyse", "study.db", "--out", "r", "--system", "nobody"), "It has: silent-fox-7b, loud-owl-7b"),
        (("analyse", "study.db", "--out", "r", "--criteria", "none.yaml"), "criteria cannot be read"),
        (("analyse", "study.db", "--out", "r", "--set", "nothing=1"), "Known keys here"),
    ],
)
def test_bad_input_is_told(study: Path, words: tuple[str, ...], said: str) -> None:
    assert said in assay(*words, cwd=study, code=2)


def test_an_open_study_is_not_read_and_leaves_no_old_verdict(study: Path, tmp_path: Path) -> None:
    read_and_analyse(str(study / "study.db"), tmp_path / "result")
    make_study(tmp_path, str(tmp_path / "open.db"))
    assert "the study is open" in assay("analyse", "open.db", "--out", "result", cwd=tmp_path, code=2)
    assert not (tmp_path / "result" / "gate.json").exists()
    assert not (tmp_path / "result" / "result.html").exists()
