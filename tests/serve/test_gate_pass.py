"""Only what a gate passed is served: by its files, by its fingerprint, and only as long as the gate says so."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from assay.artifacts.files import sha256_file, write_jsonl
from assay.artifacts.run_evidence import RunEvidence
from assay.artifacts.run_folder import RunFolder
from assay.artifacts.train_body import TrainBody
from assay.errors import ArtifactError, AssayError, GateError, ModelError
from assay.flows.audit import ScorerAuditConfig, audit_scorer
from assay.gate import decide_run
from assay.records import Text
from assay.rewards.reward_model import RewardModel
from assay.scorers.open import open_scorer
from assay.serve import reward_service
from assay.serve.config import ServeConfig
from assay.serve.gate_pass import GateWatch, gate_folder, read_pass
from assay.serve.reward_listener import _swapped
from assay.serve.served_reward import Opening, ServedReward, open_served
from tests.serve.sites import group, of_function, serving, until
from tests.support.gated_run import gated_run
from tests.support.made_run import make_run

PASSES, FAILS = "accuracy > 0.01", "accuracy < 0.5"


def criteria(path: Path, text: str) -> Path:
    path.write_text(f"criteria:\n  - {text}\n")
    return path


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The audit of `baseline:longest`, whose gate passed."""
    root = tmp_path_factory.mktemp("audited")
    rows = [
        {"prompt": f"p{n}", "chosen": f"{'long ' * (n % 3 + 2)}answer {n}", "rejected": f"no {n}"} for n in range(40)
    ]
    write_jsonl(root / "pairs.jsonl", rows)
    audit_scorer("baseline:longest", str(root / "pairs.jsonl"), root / "audit", config=ScorerAuditConfig())
    decide_run(root / "audit", criteria(root / "passes.yaml", PASSES))
    return root


@pytest.fixture
def folder(audited: Path, tmp_path: Path) -> Path:
    shutil.copytree(audited / "audit", tmp_path / "audit")
    return tmp_path / "audit"


def named_by_hash(run: RunFolder) -> None:
    """Have train.json and audit.json of a made run name the files that stand there now, as a trained run's do; decide.

    The audit of a made run names no files.
    """
    kept = (*(run.seed(0) / "model").iterdir(), run.seed(0) / "scores.jsonl")
    files = {str(one.relative_to(run.seed(0))): sha256_file(one) for one in kept}
    train = TrainBody.read(run.seed(0) / "train.json")
    train.model_copy(update={"files": files}).write(run.seed(0) / "train.json")
    audit = json.loads(run.path("audit.json").read_text())
    audit["inputs"] = {"seed-0/scores.jsonl": files["scores.jsonl"], "split.json": sha256_file(run.path("split.json"))}
    run.path("audit.json").write_text(json.dumps(audit))
    decide_run(run, criteria(run.root.parent / "passes.yaml", PASSES))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one seed with a model's files, which train.json names; its gate passed."""
    run = make_run(tmp_path_factory.mktemp("made") / "run", pairs=60, seeds=1)
    model = run.seed(0) / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(b"weights")
    (model / "config.json").write_text("{}")
    named_by_hash(run)
    return run.root


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "run")
    return tmp_path / "run"


def test_an_audited_scorer_is_served_by_its_fingerprint(folder: Path) -> None:
    scorer = open_scorer("baseline:longest")
    found = read_pass("baseline:longest", scorer, gate=folder)
    assert found.sha256 == sha256_file(folder / "gate.json")
    assert found.header == f"pass {found.sha256}"
    with pytest.raises(GateError, match=r"passed other weights"):
        read_pass("baseline:shortest", open_scorer("baseline:shortest"), gate=folder)
    with pytest.raises(GateError, match=r"no gate passed it.*--gate"):
        read_pass("baseline:longest", scorer)


def test_a_gate_that_did_not_pass_serves_nothing_unless_told(folder: Path, tmp_path: Path) -> None:
    decide_run(folder, criteria(tmp_path / "fails.yaml", FAILS))
    with pytest.raises(GateError, match=r"did not pass its gate: fail.*accuracy < 0\.5.*--ungated"):
        open_served("baseline:longest", Opening(gate=folder))
    assert open_served("baseline:longest", Opening(gate=folder, ungated=True)).watch.passed.header == "ungated"
    (folder / "gate.json").unlink()
    with pytest.raises(GateError, match=r"no gate\.json: decide with"):
        open_served("baseline:longest", Opening(gate=folder))


def test_evidence_that_is_stale_or_torn_is_no_pass(folder: Path) -> None:
    scorer = open_scorer("baseline:longest")
    audit = (folder / "audit.json").read_text()
    (folder / "audit.json").write_text(audit + "\n")
    with pytest.raises(ArtifactError, match="decided on"):
        read_pass("baseline:longest", scorer, gate=folder)
    (folder / "audit.json").write_text(audit)
    (folder / "gate.json").write_bytes((folder / "gate.json").read_bytes()[:100])
    with pytest.raises(ArtifactError, match="not JSON"):
        read_pass("baseline:longest", scorer, gate=folder)


@pytest.mark.parametrize("name", ["", "seed-0/model"])
def test_a_run_is_served_by_the_files_of_its_seed(name: str, run: Path) -> None:
    spec = str(run / name)
    assert gate_folder(spec) == run.resolve()
    assert read_pass(spec, open_scorer(spec)).path == run.resolve() / "gate.json"


@pytest.mark.parametrize(
    "change",
    [
        lambda run: (run / "seed-0/model/model.safetensors").write_bytes(b"others"),
        lambda run: (run / "seed-0/model/config.json").unlink(),
        lambda run: (run / "seed-0/model/adapter_config.json").write_bytes(b"{}"),
        lambda run: (run / "seed-0/scores.jsonl").write_bytes(b""),
        lambda run: (run / "gate.json").unlink(),
    ],
)
def test_other_weights_than_those_that_were_audited_are_not_served(change, run: Path) -> None:
    change(run)
    with pytest.raises(AssayError):
        read_pass(str(run), open_scorer(str(run)))


def test_a_model_beside_the_run_is_not_of_its_gate(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "seed-0/model", run / "other/model")
    other = str(run / "other/model")
    with pytest.raises(GateError, match=r"no gate passed it"):
        read_pass(other, open_scorer(other))
    with pytest.raises(GateError, match=r"passed other weights"):
        read_pass(other, open_scorer(other), gate=run)
    # A run that was never decided is told as such, and no gate further up is believed.
    inner = run / "inner"
    shutil.copytree(run / "seed-0", inner / "seed-0")
    with pytest.raises(GateError, match=r"has no gate\.json"):
        read_pass(str(inner), open_scorer(str(inner)))


def test_a_gate_that_changes_is_noticed(folder: Path, tmp_path: Path) -> None:
    scorer = open_scorer("baseline:longest")
    watch = GateWatch("baseline:longest", scorer, read_pass("baseline:longest", scorer, gate=folder))
    assert (watch.look(), watch.closed) == (False, None)
    before = watch.passed
    decide_run(folder, criteria(tmp_path / "fails.yaml", FAILS))
    assert watch.look()
    assert "did not pass" in str(watch.closed)
    assert not watch.look()
    decide_run(folder, criteria(tmp_path / "passes.yaml", f"{PASSES}1"))
    assert watch.look()
    assert watch.closed is None
    assert watch.passed != before
    (folder / "gate.json").unlink()
    assert watch.look()
    assert "no gate.json" in str(watch.closed)


def test_a_gate_that_passes_other_weights_is_not_that_of_the_ones_served(run: Path) -> None:
    """The run is trained anew in its folder while it is served, and its gate passes again: of what nobody loaded."""
    scorer = open_scorer(str(run))
    watch = GateWatch(str(run), scorer, read_pass(str(run), scorer))
    weights = run / "seed-0/model/model.safetensors"
    weights.write_bytes(b"others")
    named_by_hash(RunFolder(run))
    assert read_pass(str(run), scorer).weights != watch.passed.weights
    assert watch.look()
    assert "passes other weights now than those that were loaded" in str(watch.closed)
    weights.write_bytes(b"weights")
    named_by_hash(RunFolder(run))
    assert watch.look()
    assert watch.closed is None


def test_a_link_that_points_to_another_run_takes_no_gate_along(run: Path, tmp_path: Path) -> None:
    other, link = tmp_path / "other", tmp_path / "current"
    shutil.copytree(run, other)
    (other / "seed-0/model/model.safetensors").write_bytes(b"others")
    named_by_hash(RunFolder(other))
    link.symlink_to(run)
    scorer = open_scorer(str(link))
    watch = GateWatch(str(link), scorer, read_pass(str(link), scorer))
    link.unlink()
    link.symlink_to(other)
    shutil.rmtree(run)
    assert watch.look()
    assert "no gate.json" in str(watch.closed)
    assert watch.header == "closed"


def test_what_is_written_while_a_gate_is_read_is_seen(folder: Path, tmp_path: Path) -> None:
    scorer = open_scorer("baseline:longest")
    passed = read_pass("baseline:longest", scorer, gate=folder)
    decide_run(folder, criteria(tmp_path / "fails.yaml", FAILS))  # as hashing a large model leaves time for
    watch = GateWatch("baseline:longest", scorer, passed)
    assert watch.look()
    assert "did not pass" in str(watch.closed)


def test_whatever_a_look_meets_closes_the_gate_and_a_late_store_is_asked_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = open_scorer("baseline:longest")
    watch = GateWatch("baseline:longest", scorer, read_pass("baseline:longest", scorer, gate=folder))
    for error in (ValueError("of no kind that was foreseen"), OSError("late")):
        (folder / "gate.json").touch()
        with monkeypatch.context() as patched:
            patched.setattr(RunEvidence, "read", Mock(side_effect=error))
            assert watch.look()
        assert watch.closed in ("ValueError", "late")
    assert watch.look(), "nothing changed but the store"
    assert watch.closed is None


def test_a_gate_that_closes_under_a_server_ends_the_rewards_until_it_passes(folder: Path, tmp_path: Path) -> None:
    config = ServeConfig(gate_seconds=0.02)
    with serving("baseline:longest", config=config, opening=Opening(gate=folder)) as site:
        said = site.post("/v1/score", group("p", "a"))
        assert (said.status, said.headers["x-assay-gate"]) == (200, f"pass {sha256_file(folder / 'gate.json')}")
        decide_run(folder, criteria(tmp_path / "fails.yaml", FAILS))
        until(lambda: site.get("/ready").status == 503)
        said = site.post("/v1/score", group("p", "a"))
        assert (said.status, said.headers["x-assay-gate"]) == (503, "closed")
        assert site.get("/health").status == 200
        assert "assay_gate_open 0" in site.get("/metrics").raw.decode()
        decide_run(folder, criteria(tmp_path / "passes.yaml", PASSES))
        until(lambda: site.get("/ready").status == 200)
        assert site.post("/v1/score", group("p", "a")).status == 200


def test_the_gate_named_at_the_start_is_of_the_reward_of_the_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later swap to what stands there now asks no gate of another reward, and the way back asks the first one."""
    asked: list[tuple[str, Path | None, str | None]] = []

    def opened(spec: str, opening: Opening) -> ServedReward:
        asked.append((spec, opening.gate, opening.template))
        return of_function(lambda _prompt, answers: [0.0 for _ in answers], name=spec)

    monkeypatch.setattr(reward_service, "open_served", opened)
    with serving("baseline:longest", opening=Opening(gate=folder)) as site:
        site.service.opening = Opening(gate=folder, template="plain")
        for spec in ("runs/b", None, "baseline:longest"):
            site.do(site.service.swap(spec))
    assert asked == [("runs/b", None, None), ("runs/b", None, None), ("baseline:longest", folder, "plain")]


def test_a_model_that_changes_while_it_is_opened_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its gate was asked of files that are not those that were loaded."""
    run = gated_run(tmp_path)
    assert open_served(str(run), Opening()).watch.header.startswith("pass ")
    load = RewardModel.load

    def changed(folder: Path | str, **options: Any) -> RewardModel:
        config = Path(folder) / "config.json"
        config.write_bytes(config.read_bytes())
        return load(folder, **options)

    monkeypatch.setattr(RewardModel, "load", changed)
    with pytest.raises(ModelError, match="changed while it was opened"):
        open_served(str(run), Opening())


def test_a_signal_to_load_anew_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it fails of, such as a GPU that is full: it is counted, and asyncio has nothing to add to the log."""
    monkeypatch.setattr(reward_service, "open_served", Mock(side_effect=RuntimeError("out of memory")))
    with serving("baseline:longest") as site:
        site.do(_swapped(site.service))
        assert site.post("/v1/score", group("p", "a")).body["model"] == "baseline:longest"
        assert 'assay_swaps_total{outcome="refused"} 1' in site.get("/metrics").raw.decode()


def test_an_answer_tells_the_gate_of_the_model_that_gave_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    let, asked = threading.Event(), threading.Event()

    def held(_prompt: Text, answers: Sequence[Text]) -> list[float]:
        asked.set()
        assert let.wait(60)
        return [0.0 for _ in answers]

    monkeypatch.setattr(reward_service, "open_served", lambda _spec, _opening: of_function(held, name="b"))
    monkeypatch.setattr(reward_service, "probe", lambda _engine: None)
    with serving("baseline:longest", opening=Opening(gate=folder)) as site, ThreadPoolExecutor(1) as pool:
        site.do(site.service.swap("b"))
        under_way = pool.submit(site.post, "/v1/score", group("p", "a"))
        assert asked.wait(60)
        monkeypatch.undo()
        # A swap waits for the pass that runs, so what it ends in is put in place as it does.
        first = open_served("baseline:longest", Opening(gate=folder))
        site.service.served, site.service.batcher.engine = first, first.engine
        let.set()
        assert under_way.result(60).headers["x-assay-gate"] == "ungated"
        assert site.get("/health").headers["x-assay-gate"].startswith("pass ")
