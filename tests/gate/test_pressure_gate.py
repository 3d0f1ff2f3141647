"""The gate and the report on a folder of `assay optimise`: decided by figures of pressure, counted as looks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import assay
from assay.artifacts.files import read_json, read_jsonl, sha256_file, write_json
from assay.cli.main import build
from assay.errors import ArtifactError, GateError
from assay.flows.optimise import optimise
from assay.gate import LookPlan, decide_run
from assay.simulate.known_truth import read_utilities
from tests.support.desk_candidates import desk_candidates, record_scores


@pytest.fixture(scope="module")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of `assay optimise` of a reward that pays for length and of one that does not, simulated candidates."""
    folder = tmp_path_factory.mktemp("pressed")
    path = desk_candidates(folder / "candidates.jsonl", prompts=60, answers=16)
    rows, truth = list(read_jsonl(path)), read_utilities(path)
    for name, length in (("hacked", 6.0), ("sound", 0.0)):
        record_scores(folder / f"{name}.jsonl", rows, truth, length=length, noise=0.5)
        optimise(str(folder / f"{name}.jsonl"), path, folder / name, gold="truth")
    return {name: folder / name for name in ("hacked", "sound")}


@pytest.fixture
def folders(pressed: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """The same, in copies of their own."""
    return {name: Path(shutil.copytree(place, tmp_path / name)) for name, place in pressed.items()}


def command(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(build(), [*map(str, words)], catch_exceptions=False)
    return done.exit_code, done.output


def test_without_criteria_the_built_in_set_tells_the_two_rewards_apart(folders: dict[str, Path]) -> None:
    code, said = command("gate", folders["hacked"], "--json")
    assert (code, json.loads(said)["verdict"]) == (1, "fail")
    gate = read_json(folders["hacked"] / "gate.json", "gate/2")
    assert [(row["text"], row["verdict"]) for row in gate["criteria"]] == [
        ("turning point >= 16 by point", "fail"), ("gold fall < 0.1", "undecided"),
    ]  # fmt: skip
    assert gate["inputs"]["pressure.json"] == sha256_file(folders["hacked"] / "pressure.json")
    assert gate["inputs"]["fit.json"] == sha256_file(folders["hacked"] / "fit.json")
    assert {row["counted"] for row in gate["criteria"]} == {"prompt"}
    assert command("gate", folders["sound"])[0] == 0
    assert assay.decide(folders["sound"]).verdict == "pass"


def test_looks_are_counted_and_the_same_look_is_one(folders: dict[str, Path], tmp_path: Path) -> None:
    criteria = tmp_path / "criteria.yaml"
    criteria.write_text("looks: 2\ncriteria: [gold gain > 0.2, recovery > 0.2]")
    assert command("gate", folders["sound"], "--criteria", criteria)[0] == 0
    first = decide_run(folders["sound"], criteria)
    assert (first.looks.number, first.looks.planned) == (1, 2)  # type: ignore[union-attr]
    # The other reward on the same candidates is another look of the plan, and each may spend half of the level.
    other = decide_run(folders["hacked"], criteria)
    assert (other.verdict, other.looks.number) == ("fail", 2)  # type: ignore[union-attr]
    gain = first.criteria[0]
    assert gain.interval is not None
    assert gain.interval.level == pytest.approx(0.975)
    assert len(list(read_jsonl(tmp_path / "criteria.looks.jsonl"))) == 2
    again = decide_run(folders["sound"], criteria, looks=LookPlan(planned=1))
    assert (folders["sound"] / "looks.jsonl").is_file()
    assert again.verdict == "pass"


def test_what_only_a_run_could_show_is_refused_with_the_way(folders: dict[str, Path], tmp_path: Path) -> None:
    place = folders["sound"]
    decide_run(place)
    criteria = tmp_path / "criteria.yaml"
    criteria.write_text("criteria: [gold fall < 0.1, overall accuracy > 0.72]")
    with pytest.raises(GateError, match=r"“overall accuracy > 0.72”, which is asked of a run.*--beside .*sound"):
        decide_run(place, criteria)
    assert not (place / "gate.json").exists()  # no old verdict outlives the attempt
    with pytest.raises(GateError, match="“no prompt overlap”"):
        decide_run(place, "ppo-ready")
    with pytest.raises(GateError, match=r"a second pressure.json"):
        decide_run(place, beside=[folders["hacked"]])
    # Told before anything is scored: there are no such candidates.
    with pytest.raises(GateError, match=r"“overall accuracy > 0\.72”"):
        CliRunner().invoke(
            build(),
            ["optimise", "baseline:longest", "none.jsonl", "--gold", "truth", "--out", str(tmp_path / "new"),
             "--criteria", str(criteria)],
            catch_exceptions=False,
        )  # fmt: skip
    criteria.write_text("criteria: [fresh accuracy > 0.8]")
    verdict = decide_run(place, criteria)
    assert verdict.verdict == "fail"
    assert "nobody judged fresh pairs; `assay fresh" in verdict.criteria[0].reason


def test_new_figures_take_the_old_verdict_away(folders: dict[str, Path], tmp_path: Path) -> None:
    path = desk_candidates(tmp_path / "candidates.jsonl", prompts=20, answers=8)
    optimise("baseline:shortest", path, tmp_path / "out", gold="truth")
    decide_run(tmp_path / "out")
    optimise("baseline:longest", path, tmp_path / "out", gold="truth")
    assert not (tmp_path / "out" / "gate.json").exists()


def test_the_report_is_the_same_page_to_the_byte(folders: dict[str, Path]) -> None:
    place = folders["hacked"]
    page = place / "pressure.html"
    before = page.read_bytes()
    page.unlink()
    code, said = command("report", place, "--json")
    assert (code, json.loads(said)) == (0, {"report": str(page)})
    assert page.read_bytes() == before
    assert assay.write_report(place) == page
    (place / "fit.json").unlink()  # written before there was a fit
    assert b"Fit to the policy" not in assay.write_report(place).read_bytes()
    assert b"Fit to the policy" in before


def test_torn_and_missing_artifacts_are_refused(folders: dict[str, Path], tmp_path: Path) -> None:
    place = folders["hacked"]
    (place / "worst_picks.jsonl").unlink()
    with pytest.raises(ArtifactError, match=r"worst_picks.jsonl is missing"):
        assay.write_report(place)
    write_json(place / "pressure.json", "pressure/9", {})
    with pytest.raises(ArtifactError, match=r"Run the same `assay optimise` command again"):
        assay.write_report(place)
    with pytest.raises(ArtifactError, match=r"Run the same `assay optimise` command again"):
        decide_run(place)
    for what in (assay.write_report, decide_run):
        with pytest.raises(ArtifactError, match=r"audit.json|run.json"):
            what(tmp_path)
    with pytest.raises(ArtifactError, match=r"pressure.json of `assay optimise`"):
        decide_run(tmp_path / "nowhere")
