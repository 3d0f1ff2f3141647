"""A run to the hub: what goes, what stays, what it is called, over a local stand-in of the hub's HTTP interface."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from assay.cli.main import build
from assay.errors import ArtifactError, InputError
from assay.flows.push import PushPlan, push_plan
from tests.support.gated_run import FAILS, decide, gated_run
from tests.support.hub_stand_in import Hub, hub_stand_in
from tests.support.made_run import SENTENCES

REPO = "acme/support-reward"
TOKEN = "hf_" + "s3cret" * 6


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gated_run(tmp_path_factory.mktemp("gated"))


@pytest.fixture
def run(passed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(passed, tmp_path / "support"))


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_stand_in() as stand_in:
        yield stand_in


def body(one: Any) -> bytes:
    return one.source if isinstance(one.source, bytes) else one.source.read_bytes()


def card(plan: PushPlan) -> str:
    return next(body(one) for one in plan.files if one.path == "README.md").decode()


def test_the_model_stands_at_the_root_and_what_it_rests_on_beside_it(run: Path) -> None:
    plan = push_plan(run, REPO)
    names = [one.path for one in plan.files]
    assert len(set(names)) == len(names)
    assert {"README.md", "config.json", "model.safetensors", "tokenizer.json", "assay.json"} <= set(names)
    assert {name for name in names if name.startswith("evidence/")} == {
        "evidence/report.html", "evidence/findings.json", "evidence/run.json", "evidence/gate.json",
        "evidence/contract.json", "evidence/split.json", "evidence/seed-0/train.json", "evidence/seed-0/metrics.jsonl",
    }  # fmt: skip


def test_the_card_says_the_verdict_first_and_loads_from_the_hub(run: Path) -> None:
    plan = push_plan(run, REPO)
    text = card(plan)
    assert plan.first == "> **Its gate passed it.** the gate of support passed it."
    assert text.partition("\n---\n")[2].lstrip().startswith(plan.first)
    assert f'folder = "{REPO}"' in text
    assert str(run) not in text
    assert "gate-pass" in (ModelCard(text).data.tags or [])


def test_what_did_not_pass_is_refused_or_named_so(run: Path) -> None:
    decide(run, FAILS)
    with pytest.raises(InputError, match=r"is not pushed: .*failed it.*--whatever-the-verdict"):
        push_plan(run, REPO)
    plan = push_plan(run, REPO, whatever=True)
    assert plan.first.startswith("> **NOT PASSED: its gate failed it.**")
    assert FAILS.replace("<", "&lt;") in plan.first
    assert "gate-fail" in (ModelCard(card(plan)).data.tags or [])


def test_weights_that_were_changed_after_the_verdict_have_none(run: Path) -> None:
    weights = run / "seed-0" / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(InputError, match="is not the file that was audited"):
        push_plan(run, REPO)
    first = push_plan(run, REPO, whatever=True).first
    assert first.startswith("> **NOT PASSED: no gate stands behind these weights.**")


def test_no_row_of_the_data_goes_unless_asked_for(run: Path) -> None:
    quoted = {
        name for name in ("report.html", "audit.json") if SENTENCES[0] in (run / name).read_text(encoding="utf-8")
    }
    if "audit.json" not in quoted:
        pytest.fail("the run quotes nothing: this test would prove nothing")
    for one in push_plan(run, REPO).files:
        raw = body(one)
        assert not any(sentence.encode() in raw for sentence in SENTENCES), one.path
        assert b"p-12" not in raw or one.path == "tokenizer.json", one.path
    whole = {one.path: body(one) for one in push_plan(run, REPO, with_texts=True).files}
    assert whole["evidence/audit.json"] == (run / "audit.json").read_bytes()
    assert "evidence/seed-0/scores.jsonl" in whole


def test_figures_of_the_audit_go_with_its_hash(run: Path) -> None:
    plan = push_plan(run, REPO)
    told = orjson.loads(next(body(one) for one in plan.files if one.path == "evidence/findings.json"))
    gate = orjson.loads((run / "gate.json").read_bytes())
    assert told["of"] == {"audit.json": gate["inputs"]["audit.json"]}
    assert {one["name"] for one in told["findings"]} >= {"accuracy"}


def test_a_run_of_several_seeds_is_asked_for_one(tmp_path: Path) -> None:
    run = gated_run(tmp_path, seeds=2)
    with pytest.raises(InputError, match="name one"):
        push_plan(run, REPO)
    plan = push_plan(run, REPO, seed=1)
    assert plan.first.endswith("Seed 1 of 2.")
    assert "evidence/seed-0/train.json" in [one.path for one in plan.files]


@pytest.mark.parametrize("repo", ["reward", "acme/re ward", "a/b/c"])
def test_a_name_that_is_none(run: Path, repo: str) -> None:
    with pytest.raises(InputError, match="--repo ORG/NAME"):
        push_plan(run, repo)


def test_what_is_no_decided_run(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no trained model"):
        push_plan(tmp_path / "nothing", REPO)
    (run / "gate.json").unlink()
    with pytest.raises(ArtifactError, match="assay gate"):
        push_plan(run, REPO, whatever=True)


def pushed(run: Path, hub: Hub, *more: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the hub's library reads where the hub is when it is imported."""
    environment = {
        **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(run.parent / "hf"),
    }  # fmt: skip
    words = [sys.executable, "-m", "assay.cli.main", "push", str(run), "--repo", REPO, *more]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def test_it_goes_as_one_commit_and_no_token_is_printed(run: Path, hub: Hub) -> None:
    hub.files = {"evidence/old.json": b"{}", "notes.txt": b"its owner's"}
    done = pushed(run, hub)
    assert done.returncode == 0, done.stderr
    plan = push_plan(run, REPO)
    assert hub.files == {"notes.txt": b"its owner's", **{one.path: body(one) for one in plan.files}}
    assert [one["summary"] for one in hub.commits] == ["assay: seed 0, gate pass"]
    assert hub.repos[REPO]["private"] is True
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in done.stdout + done.stderr
    assert f"{hub.url}/commit/1" in done.stdout


def test_a_hub_that_refuses_is_told_without_the_token(run: Path, hub: Hub) -> None:
    hub.refuses = 403
    done = pushed(run, hub)
    assert done.returncode == 2
    assert "the hub did not take it" in done.stderr
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert hub.files == {}


def test_a_dry_run_lists_and_sends_nothing(run: Path) -> None:
    done = CliRunner().invoke(build(), ["push", str(run), "--repo", REPO, "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "evidence/report.html" in done.stdout
    assert "would go to acme/support-reward; nothing was sent" in done.stdout
    told = json.loads(CliRunner().invoke(build(), ["push", str(run), "--repo", REPO, "--dry-run", "--json"]).stdout)
    assert (told["gate"], told["commit"]) == ("pass", None)
    assert sum(one["bytes"] for one in told["files"]) == told["bytes"]
