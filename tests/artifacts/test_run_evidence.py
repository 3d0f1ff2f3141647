"""One reader of run folders: what is there with its hash, None where nothing is, stale and foreign files refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from assay.artifacts.files import sha256_file, write_json
from assay.artifacts.gate_body import CriterionBody, GateBody
from assay.artifacts.model_body import ModelBody, Rendering
from assay.artifacts.run_evidence import AUDIT, GATE, MODEL, RUN, SPLIT, TRAIN, RunEvidence
from assay.artifacts.run_folder import RunFolder
from assay.audits import audit
from assay.errors import ArtifactError
from assay.records import Pair, PairScore
from assay.train.reward_config import RewardConfig
from tests.support.made_run import begun_body, make_run, train_body


def model() -> ModelBody:
    rendering = Rendering(hash="sha256:1", parts={}, notes=())
    return ModelBody(kind="encoder", render=rendering, trained_on={}, versions={})


def criterion() -> CriterionBody:
    """One that passed."""
    return CriterionBody(
        text="ties < 0.1", kind="one_slice", by="point", finding="ties", part=None, comparison="<", unit="share",
        threshold=0.1, parts=(), slice="overall", verdict="pass", reason="", reasons=(), value=0.0, value_noun=None,
        interval=None, n=1, counted="pair", more_pairs=None, more_prompts=None,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run of two seeds, of which the second trained nothing."""
    run = RunFolder(tmp_path / "run")
    train_body(0).write(run.seed(0) / TRAIN)
    model().write(run.seed(0) / MODEL)
    (run.seed(0) / "scores.jsonl").write_bytes(b"{}\n")
    begun_body("run", RewardConfig()).with_more(seeds=(0, 1)).write(run.path(RUN))
    scored = {"seed-0/scores.jsonl": sha256_file(run.path("seed-0/scores.jsonl")), "elsewhere.jsonl": "sha256:0"}
    pairs = [Pair(id="p", prompt="q", chosen="a", rejected="b")]
    found = audit({0: [PairScore(pair_id="p", chosen=1.0, rejected=0.0)]}, pairs, groups=["g"])
    written = replace(found, inputs=scored).write(run)
    gate = GateBody(verdict="pass", criteria=(criterion(),), inputs={AUDIT: written, "criteria": "sha256:1"})
    gate.write(run.path(GATE))
    return run


def test_what_is_there_is_read_once_with_its_hash(folder: RunFolder) -> None:
    found = RunEvidence.read(folder)
    assert found.run is not None
    assert found.run.seeds == (0, 1)
    assert found.split is None
    assert found.contract is None
    assert (found.seeds[0].train, found.seeds[0].model) == (train_body(0), model())
    assert (found.seeds[1].train, found.seeds[1].model) == (None, None)
    names = [RUN, AUDIT, GATE, f"seed-0/{TRAIN}", f"seed-0/{MODEL}"]
    assert found.hashes == {name: sha256_file(folder.path(name)) for name in names}


def test_only_what_is_asked_for_is_read(folder: RunFolder) -> None:
    folder.path(RUN).write_text("torn", encoding="utf-8")
    found = RunEvidence.read(folder, names=(AUDIT, TRAIN), needed=(AUDIT,))
    assert found.run is None
    assert list(found.hashes) == [AUDIT, f"seed-0/{TRAIN}"]
    with pytest.raises(ArtifactError, match=r"run\.json is not JSON"):
        RunEvidence.read(folder)


def test_what_is_needed_must_be_there(folder: RunFolder) -> None:
    with pytest.raises(ArtifactError, match=r"split\.json is missing"):
        RunEvidence.read(folder, needed=(SPLIT,))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("seed-0/scores.jsonl", r"scores\.jsonl is not the file that audit\.json was made from\. Run the audit again"),
        (AUDIT, r"audit\.json is not the file that gate\.json was decided on\. Run the gate again"),
    ],
)
def test_stale_artifacts_are_refused(folder: RunFolder, changed: str, said: str) -> None:
    path = folder.path(changed)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ArtifactError, match=said):
        RunEvidence.read(folder)


def test_another_version_is_refused(folder: RunFolder) -> None:
    write_json(folder.seed(0) / TRAIN, "train/9", {})
    with pytest.raises(
        ArtifactError, match=r"train/9.*Delete .*seed-0, then run the same `assay reward` or `assay dpo` command again"
    ):
        RunEvidence.read(folder)


def test_a_gate_of_an_older_assay_is_refused_with_the_way_out(folder: RunFolder) -> None:
    write_json(folder.path(GATE), "gate/1", {"verdict": "pass"})
    with pytest.raises(ArtifactError) as caught:
        RunEvidence.read(folder)
    assert str(caught.value).endswith(f"Decide again with `assay gate {folder.root}`.")


@pytest.mark.parametrize(
    ("name", "place", "odd"),
    [
        (SPLIT, ["shared_groups"], None),
        (SPLIT, ["shared_groups"], False),
        (SPLIT, ["shared_prompts"], True),
        (f"seed-0/{TRAIN}", ["self_checks", "reload_equal", "passed"], "yes"),
        (f"seed-0/{TRAIN}", ["self_checks", "reload_equal", "passed"], 1),
        (f"seed-0/{TRAIN}", ["self_checks", "reload_equal"], True),
    ],
)
def test_what_only_looks_like_a_proof_is_refused(tmp_path: Path, name: str, place: list[str], odd: object) -> None:
    """Zero shared groups and a passed check open the gate: `false` and "yes" are neither."""
    run = make_run(tmp_path / "run", pairs=20, seeds=1)
    body = inside = orjson.loads(run.path(name).read_bytes())
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = odd
    run.path(name).write_bytes(orjson.dumps(body))
    with pytest.raises(ArtifactError, match=re.escape(".".join(place))):
        RunEvidence.read(run, names=(SPLIT, AUDIT, TRAIN))


@pytest.mark.parametrize("change", [{"verdict": "fail"}, {"verdict": "undecided"}, {"criteria": []}])
def test_a_verdict_that_does_not_follow_from_its_criteria_is_none(folder: RunFolder, change: dict[str, object]) -> None:
    """As in a gate.json that somebody changed by hand."""
    gate = json.loads(folder.path(GATE).read_text(encoding="utf-8"))
    folder.path(GATE).write_text(json.dumps({**gate, **change}), encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"gate\.json says it is gate/2.*changed by hand.*assay gate"):
        RunEvidence.read(folder)
