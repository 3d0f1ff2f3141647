"""The gate on a run folder: gate.json, stale and missing files, and the command with its exit codes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from assay.artifacts.files import sha256_file
from assay.artifacts.gate_body import GateBody
from assay.artifacts.run_folder import RunFolder
from assay.cli import audit as audit_command
from assay.cli import gate as gate_command
from assay.errors import ArtifactError, GateError
from assay.gate import decide_run, load_criteria
from tests.audits.planted import audited, healthy, make_pairs
from tests.gate.proofs import proof
from tests.support.made_run import train_body

PAIRS = make_pairs(900)


@pytest.fixture
def run(tmp_path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    digest = proof().write(folder.path("split.json"))
    audited(healthy(PAIRS, signal=1.6), PAIRS, inputs={"split.json": digest, "data": "pairs.jsonl"}).write(folder)
    train_body(0).write(folder.seed(0) / "train.json")
    return folder


def criteria(tmp_path, *lines: str):
    path = tmp_path / "criteria.yaml"
    path.write_text("".join(f"- {line}\n" for line in lines))
    return path


def test_gate_json_says_what_was_decided_on_what(run, tmp_path):
    verdict = decide_run(run, criteria(tmp_path, "overall accuracy > 0.72", "self-checks pass", "no prompt overlap"))
    assert verdict.verdict == "pass"
    written = run.read("gate.json", "gate/2")
    assert [row["verdict"] for row in written["criteria"]] == ["pass", "pass", "pass"]
    assert written["criteria"][0]["threshold"] == 0.72
    assert written["inputs"]["audit.json"] == sha256_file(run.path("audit.json"))
    assert set(written["inputs"]) == {"audit.json", "split.json", "seed-0/train.json", "criteria"}


def test_gate_json_says_in_fields_what_its_sentences_say(run, tmp_path):
    lines = ("every category > 86%", "category tone >= 0.5 by point", "beats the length baseline", "no prompt overlap")
    decide_run(run, criteria(tmp_path, *lines))
    every, one, beats, overlap = GateBody.read(run.path("gate.json")).criteria
    assert (every.finding, every.part, every.slice, every.comparison) == ("accuracy", "category", None, ">")
    assert (every.unit, every.threshold, every.by, every.counted) == ("share", 0.86, "bound", "pair")
    assert [part.slice for part in every.parts] == ["category=brevity", "category=refusals", "category=tone"]
    assert {part.n for part in every.parts} == {300}
    for part in every.parts:
        low, high = part.interval.low, part.interval.high
        assert part.verdict == ("pass" if low > 0.86 else "fail" if high <= 0.86 else "undecided")
        assert f"{100 * part.value:.1f}%" in part.reason
    assert every.reason == "; ".join(every.reasons)
    assert every.more_pairs == sum(part.more_pairs or 0 for part in every.parts)
    assert (one.slice, one.comparison, one.by, one.parts) == ("category=tone", ">=", "point", ())
    assert (beats.finding, beats.slice, beats.threshold, beats.unit) == (
        "accuracy_beyond_length", "overall", 0.0, "share difference",
    )  # fmt: skip
    assert (overlap.finding, overlap.threshold, overlap.value, overlap.value_noun) == (None, None, 0.0, "shared group")


def test_criteria_that_were_read_are_what_is_decided_by(run, tmp_path):
    path = criteria(tmp_path, "overall accuracy > 0.72")
    asked = load_criteria(path)
    from_file = decide_run(run, path)
    path.unlink()
    assert decide_run(run, asked) == from_file


def test_a_minus_in_a_reason_is_a_minus_sign(run, tmp_path):
    reason = decide_run(run, criteria(tmp_path, "reward length correlation < -0.9")).criteria[0].reason
    assert "all of it above \u22120.9" in reason
    assert "-" not in reason


def test_the_same_run_gives_the_same_bytes(run):
    decide_run(run)
    first = run.path("gate.json").read_bytes()
    decide_run(run.root)
    assert run.path("gate.json").read_bytes() == first


def test_an_audit_of_another_split_is_refused_and_no_old_verdict_stays(run):
    decide_run(run)
    proof(seed=1).write(run.path("split.json"))
    with pytest.raises(ArtifactError, match="not the file"):
        decide_run(run)
    assert not run.path("gate.json").exists()


def test_missing_and_unreadable(run, tmp_path):
    with pytest.raises(ArtifactError, match="not a run folder"):
        decide_run(tmp_path / "nowhere")
    with pytest.raises(ArtifactError, match=r"audit\.json is missing"):
        decide_run(RunFolder(tmp_path / "empty"))
    with pytest.raises(GateError, match="no criteria"):
        decide_run(run, criteria(tmp_path))
    run.path("audit.json").write_text('{"schema": "audit/1", "findings": [{}]}')
    with pytest.raises(ArtifactError, match=r"audit\.json says it is audit/1, but inputs"):
        decide_run(run)


def command() -> typer.Typer:
    app = typer.Typer()
    gate_command.register(app)
    audit_command.register(app)
    return app


@pytest.mark.parametrize(
    ("line", "code"), [("accuracy > 0.72", 0), ("accuracy > 0.99", 1), ("every category > 86% ", 3)]
)
def test_exit_codes(run, tmp_path, line, code):
    result = CliRunner().invoke(command(), ["gate", str(run.root), "--criteria", str(criteria(tmp_path, line))])
    assert result.exit_code == code, result.output
    assert result.output.startswith({0: "pass", 1: "fail", 3: "undecided"}[code])
    assert ("more held-out pairs would decide" in result.output) == (code == 3)


@pytest.mark.parametrize("stated", [True, False])
def test_the_built_in_set_follows_the_data(stated, run):
    """Pairs without categories are not failed for having none; asked for by name, the criterion still fails closed."""
    pairs = PAIRS if stated else [replace(pair, category=None) for pair in PAIRS]
    audited(healthy(pairs, signal=1.6), pairs).write(run)
    assert ("every category > 0.65" in [line.text for line in decide_run(run).criteria]) is stated
    if not stated:
        strict = {line.text: line.verdict for line in decide_run(run, "support").criteria}
        assert strict["every category > 0.65"] == "fail"
