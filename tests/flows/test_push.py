"""A run to the hub: what goes, what stays, what it is called, over a local stand-in of the hub's HTTP interface."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from huggingface_hub import ModelCard, constants
from typer.testing import CliRunner

from assay.artifacts.files import sha256_file
from assay.artifacts.run_body import RunBase, RunBody, RunData
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.tracking_body import TrackedBody
from assay.artifacts.train_body import TrainBody, TrainedBase
from assay.cli.main import build
from assay.errors import ArtifactError, InputError
from assay.flows import push as flow
from assay.flows.push import PushPlan, push_plan
from assay.report.run.page import page
from assay.report.run.reported_run import read_reported_run
from tests.support.gated_run import FAILS, PASSES, decide, gated_run
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
    whole_report = page(read_reported_run(RunFolder(run)))
    for text in (whole_report, (run / "audit.json").read_text(encoding="utf-8")):
        assert any(sentence in text for sentence in SENTENCES), "nothing is quoted: this test would prove nothing"
    for one in push_plan(run, REPO).files:
        raw = body(one)
        assert not any(sentence.encode() in raw for sentence in SENTENCES), one.path
        assert b"p-12" not in raw or one.path == "tokenizer.json", one.path
    shared = next(body(one) for one in push_plan(run, REPO).files if one.path == "evidence/report.html")
    assert b"Left out of this copy" in shared
    whole = {one.path: body(one) for one in push_plan(run, REPO, with_texts=True).files}
    assert whole["evidence/audit.json"] == (run / "audit.json").read_bytes()
    assert "evidence/seed-0/scores.jsonl" in whole


def test_where_things_lay_on_this_machine_does_not_go(run: Path) -> None:
    place = "/home/ann.example/secret-project"
    body_ = RunBody.read(run / "run.json")
    data = RunData(path=f"{place}/calls.jsonl", sha256="sha256:1", rows=3, simulated=False, oracle=None)
    base = RunBase(name=f"{place}/smollm2", fingerprint="sha256:2", kind="decoder")
    tracked = (TrackedBody(tracker="tensorboard", place=f"{place}/tb (look with `tensorboard --logdir {place}/tb`)"),)
    command = f"assay reward {place}/calls.jsonl --base {place}/smollm2 --set model.chat_template='{place}/a.jinja'"
    told = {"command": command, "data": data, "base": base, "tracked": tracked, "inputs": {f"{place}/calls.jsonl": "1"}}
    body_.with_more(**told).write(run / "run.json")
    train = TrainBody.read(run / "seed-0/train.json")
    based = TrainedBase(name=f"{place}/smollm2", fingerprint="sha256:2")
    train.model_copy(update={"base": based}).write(run / "seed-0/train.json")
    decide(run, PASSES)
    assert str(run) in (run / "gate.json").read_text(encoding="utf-8"), "the ledger of looks is named by its path"
    for one in push_plan(run, REPO).files:
        raw = body(one)
        assert b"ann.example" not in raw, one.path
        assert b"secret-project" not in raw, one.path
        assert str(run.parent).encode() not in raw, one.path
    shared = next(body(one) for one in push_plan(run, REPO).files if one.path == "evidence/run.json")
    assert b"assay reward calls.jsonl --base smollm2 --set model.chat_template='a.jinja'" in shared
    # What names no path goes byte by byte, so that hashes of it hold; of the others these hashes go too.
    sources = {one.path: one.source for one in push_plan(run, REPO).files}
    assert sources["evidence/split.json"] == run / "split.json"
    findings, gate = sources["evidence/findings.json"], sources["evidence/gate.json"]
    assert isinstance(findings, bytes)
    assert isinstance(gate, bytes)
    for name in ("run.json", "gate.json", "contract.json"):
        assert orjson.loads(findings)["of"][name] == sha256_file(run / name)
    assert orjson.loads(gate)["inputs"]["seed-0/train.json"] == sha256_file(run / "seed-0/train.json")
    whole = {one.path: one.source for one in push_plan(run, REPO, with_texts=True).files}
    assert whole["evidence/run.json"] == run / "run.json"


def test_figures_of_the_audit_go_with_its_hash(run: Path) -> None:
    plan = push_plan(run, REPO)
    told = orjson.loads(next(body(one) for one in plan.files if one.path == "evidence/findings.json"))
    gate = orjson.loads((run / "gate.json").read_bytes())
    assert told["of"]["audit.json"] == gate["inputs"]["audit.json"]
    assert told["of"]["gate.json"] == sha256_file(run / "gate.json")
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


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """Where the hub's library looks, as HF_ENDPOINT and HF_TOKEN would have it look from the start."""
    with hub_stand_in() as stand_in:
        monkeypatch.setattr(constants, "ENDPOINT", stand_in.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # git-LFS: no stand-in speaks Xet
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield stand_in


def pushed(run: Path, *more: str) -> Any:
    return CliRunner().invoke(build(), ["push", str(run), "--repo", REPO, *more])


# The hub's library hands its file to httpx by a name that httpx deprecates.
@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_it_goes_as_one_commit_and_no_token_is_printed(run: Path, hub: Hub) -> None:
    hub.files = {"evidence/old.json": b"{}", "notes.txt": b"its owner's"}
    done = pushed(run)
    assert done.exit_code == 0, done.output
    plan = push_plan(run, REPO)
    assert hub.files == {"notes.txt": b"its owner's", **{one.path: body(one) for one in plan.files}}
    assert [one["summary"] for one in hub.commits] == ["assay: seed 0, gate pass"]
    assert hub.repos[REPO]["visibility"] == "private"
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in done.output
    assert f"{hub.url}/{REPO}/commit/" in done.stdout


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
@pytest.mark.parametrize("name", ["seed-0/model/model.safetensors", "seed-0/model/config.json", "split.json"])
@pytest.mark.parametrize("in_hand", [0, 2**20])
def test_a_file_that_changed_since_the_plan_is_not_sent(
    name: str, in_hand: int, run: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its card would speak of another: of one that is read before it goes, and of one that is hashed on its way."""
    monkeypatch.setattr(flow, "IN_HAND", in_hand)
    plan = push_plan(run, REPO)
    before = (run / name).read_bytes()
    (run / name).write_bytes(before[:-1] + b" ")
    with pytest.raises(ArtifactError, match=rf"{name} changed since the push was planned"):
        flow.push(plan)
    assert (hub.commits, hub.files) == ([], {})
    (run / name).write_bytes(before)
    flow.push(plan)
    assert hub.files == {one.path: body(one) for one in plan.files}


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_a_model_that_lay_there_before_is_not_opened_under_the_new_card(run: Path, hub: Hub) -> None:
    old = ["pytorch_model.bin", "model-00001-of-00002.safetensors", "model.safetensors.index.json",
           "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja", "vocab.txt"]  # fmt: skip
    owners = {"notes.txt": b"1", "model/old.safetensors": b"2", "figures.json": b"3", "model-notes.txt": b"4"}
    hub.files = {**dict.fromkeys(old, b"old"), **owners}
    flow.push(plan := push_plan(run, REPO))
    assert hub.files == {**owners, **{one.path: body(one) for one in plan.files}}


def test_a_hub_that_is_not_reached_is_no_mistake_of_ours(run: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")  # nobody listens there
        with pytest.raises(InputError, match="the hub did not take it"):
            flow.push(push_plan(run, REPO))


def test_a_hub_that_refuses_is_told_without_the_token(run: Path, hub: Hub) -> None:
    hub.refuses = 403
    done = pushed(run)
    assert isinstance(done.exception, InputError)
    assert "the hub did not take it" in str(done.exception)
    assert TOKEN not in done.output + str(done.exception)
    assert hub.files == {}


def test_a_dry_run_lists_and_sends_nothing(run: Path) -> None:
    done = CliRunner().invoke(build(), ["push", str(run), "--repo", REPO, "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "evidence/report.html" in done.stdout
    assert "would go to acme/support-reward; nothing was sent" in done.stdout
    told = json.loads(CliRunner().invoke(build(), ["push", str(run), "--repo", REPO, "--dry-run", "--json"]).stdout)
    assert (told["gate"], told["commit"]) == ("pass", None)
    assert sum(one["bytes"] for one in told["files"]) == told["bytes"]
