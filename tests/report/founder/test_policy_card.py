"""The model card of a tuned policy: three sources apart, no verdict before it is reached, nothing simulated unsaid."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from assay.artifacts.analysis_body import AnalysisBody
from assay.artifacts.files import read_json
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_folder import RunFolder
from assay.errors import ArtifactError
from assay.report import policy_card
from tests.report.founder.made_policy_run import (
    as_policy_run,
    decided_on,
    with_capability,
    with_study,
    with_votes,
)
from tests.study.simulated import machine
from tests.support.made_run import make_run
from tests.support.ready_commands import ready_assay


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return as_policy_run(make_run(tmp_path_factory.mktemp("runs") / "grants"))


@pytest.fixture
def copy(tuned: RunFolder, tmp_path: Path) -> RunFolder:
    shutil.copytree(tuned.root, tmp_path / "grants")
    return RunFolder(tmp_path / "grants")


def test_before_the_study_there_is_no_verdict(copy: RunFolder) -> None:
    text = policy_card(copy).read_text(encoding="utf-8")
    assert "Verdict: **not concluded yet**. No blind study of what it writes is closed and joined" in text
    assert "## Verdict: not concluded yet" in text
    assert "The verdict on this policy is not concluded yet." in text
    assert "Unknown: it was not tested whether tuning cost anything." in text
    assert "loss sigmoid (TRL's, beta 0.1)" in text
    run = RunBody.read(copy.path("run.json"))
    assert run.base is not None
    assert run.data is not None
    for said in (run.base.fingerprint, run.data.sha256, "AutoModelForCausalLM"):
        assert said in text
    assert "Simulated." not in text
    # The verdict on held-out pairs is there, under the name of what it is.
    passed = read_json(copy.path("gate.json"), "gate/2")["verdict"] == "pass"
    assert f"On held-out pairs alone: {'Every' if passed else 'Do not'}" in text


def test_a_concluded_policy_tells_each_source_with_its_interval(copy: RunFolder) -> None:
    run = decided_on(with_capability(with_votes(with_study(copy), 0.75)))
    text = policy_card(run).read_text(encoding="utf-8")
    gate = read_json(run.path("conclusion/gate.json"), "gate/2")
    assert f"## Verdict: {gate['verdict']}" in text
    for criterion in gate["criteria"]:
        assert criterion["text"].replace("<", "&lt;") in text
    analysis = AnalysisBody.read(run.path("conclusion/study/analysis.json"))
    rates = {one.slice: one.model_dump() for one in analysis.findings if one.name == "win_rate" and one.value}
    for where, said in (("overall", "overall"), ("category=refunds", "refunds")):
        found = rates[where]
        span = f"{100 * found['interval']['low']:.1f} to {100 * found['interval']['high']:.1f}%"
        assert f"Win rate, {said}: {100 * found['value']:.1f}% (95% interval {span}), {found['n']} votes." in text
    assert "By letter: right before" in text
    assert "; drop " in text
    results = ModelCard(text).data.eval_results
    assert results is not None
    told = {one.metric_type: one for one in results if one.dataset_type == "blind-study" and "refunds" not in str(one)}
    assert told["win_rate"].metric_value == pytest.approx(rates["category=delivery"]["value"], abs=5e-5)
    run.path("audit.json").write_bytes(run.path("audit.json").read_bytes() + b"\n")
    with pytest.raises(ArtifactError, match=r"is not the file that gate\.json was decided on"):
        policy_card(run)
    assert not run.path("MODEL_CARD.md").exists()


def test_what_is_simulated_is_said(copy: RunFolder) -> None:
    path = copy.path("run.json")
    body = RunBody.read(path)
    assert body.data is not None
    body.with_more(data=body.data.model_copy(update={"simulated": True})).write(path)
    programs = (machine("A", "simulated"), machine("B", "simulated"))
    run = decided_on(with_votes(with_study(copy, judge="simulated"), 0.75, editors=programs))
    text = policy_card(run).read_text(encoding="utf-8")
    assert "> **Simulated.** This policy was tuned on simulated preferences." in text
    assert "> **Simulated.** Programs judged in its study" in text
    assert "No person voted. Of programs, labelled as such:" in text
    assert "Win rate, simulated: " in text


def test_the_command_writes_the_card_of_a_policy(copy: RunFolder) -> None:
    done = ready_assay("report", copy.root)
    assert done.returncode == 0, done.stderr
    assert "MODEL_CARD.md" in done.stdout.replace("\n", "")
    assert "text-generation" in copy.path("MODEL_CARD.md").read_text(encoding="utf-8")
