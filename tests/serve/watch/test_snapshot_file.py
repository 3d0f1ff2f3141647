"""Served scores as a file: audited as the model itself would be, opened as recorded scores; texts only if asked."""

from __future__ import annotations

import json
import random
import resource
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay.artifacts.audit_body import AuditBody
from assay.artifacts.files import read_jsonl, write_jsonl
from assay.artifacts.snapshot_body import SnapshotBody
from assay.cli.main import build
from assay.errors import InputError
from assay.records import Candidates
from assay.scorers.local import LocalScorer
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Unscored
from assay.scorers.recorded import RecordedScorer
from assay.serve.config import ServeConfig
from assay.serve.request_limits import Access
from assay.serve.watch import snapshot_file
from assay.serve.watch.snapshot_file import SnapshotFile, SnapshotPlan
from tests.serve.sites import group, of_function, serving
from tests.serve.watch.watched_runs import sentence, watch_of
from tests.support import saved_models
from tests.support.saved_models import LONG

SECRET = "the words of a customer"


def labelled(path: Path) -> list[dict[str, object]]:
    """Prompts with ranked answers, and a few more pairs of ids than a client will ask for."""
    rng = random.Random(3)
    rows: list[dict[str, object]] = [
        {"id": f"c{n}", "prompt": f"{sentence(rng)} {n}", "answers": [f"{sentence(rng)} {k}" for k in range(4)],
         "ranks": [1, 2, 3, 4], "category": ("tone", "price")[n % 2]}
        for n in range(40)
    ]  # fmt: skip
    write_jsonl(path, rows)
    return rows


def audited(scorer: str, data: Path, out: Path) -> AuditBody:
    found = CliRunner().invoke(build(), ["audit", scorer, str(data), "--out", str(out)])
    assert found.exception is None, found.output
    return AuditBody.read(out / "audit.json")


def test_a_snapshot_is_audited_as_the_model_that_was_served(tmp_path: Path) -> None:
    """End to end: clients ask for labelled candidates by name, and the audit of what they were given is the model's."""
    model = saved_models.reward_model(tmp_path)
    rows = labelled(tmp_path / "labelled.jsonl")
    plan = SnapshotPlan(path=tmp_path / "served.jsonl")
    plan.check()
    with serving(str(model), snapshot=plan) as site:
        for start in range(0, 40, 8):
            asked = [{name: row[name] for name in ("id", "prompt", "answers")} for row in rows[start : start + 8]]
            assert site.post("/v1/score", {"groups": asked}).status == 200
        site.post("/v1/score", {"groups": asked})  # a client that tries again
        told = watch_of(site)["now"]["snapshot"]
        assert (told["groups"], told["answers"], told["repeats"], told["ended"]) == (40, 160, 8, None)
    about = SnapshotBody.read(tmp_path / "served.about.json")
    assert (about.groups, about.texts, about.left_out, about.model) == (40, "none", 0, str(model))
    assert about.fingerprint == LocalScorer(model).fingerprint
    assert about.ended is not None
    text = plan.path.read_text()
    assert not any(str(row["prompt"]) in text or any(str(one) in text for one in row["answers"]) for row in rows)  # type: ignore[attr-defined]
    assert isinstance(open_scorer(plan.path), RecordedScorer)
    served = audited(str(plan.path), tmp_path / "labelled.jsonl", tmp_path / "of-snapshot")
    direct = audited(str(model), tmp_path / "labelled.jsonl", tmp_path / "of-model")
    assert served.pairs == direct.pairs == 240
    by_name = {one.name: one for one in direct.findings if one.slice == direct.findings[0].slice}
    for name in ("accuracy", "separation", "length_baseline"):
        (found,) = [one for one in served.findings if one.name == name and one.slice == by_name[name].slice]
        assert found.value == pytest.approx(by_name[name].value, abs=1e-5)
    assert served.tables["groups"]["sizes"][0]["groups"] == 40  # type: ignore[typeddict-item]


@pytest.mark.slow
def test_pairs_asked_for_by_their_id_are_audited_too(tmp_path: Path) -> None:
    rng = random.Random(5)
    pairs = [
        {"id": f"p{n}", "prompt": f"{sentence(rng)} {n}", "chosen": f"{sentence(rng)} {'and ' * (n % 3)}a",
         "rejected": f"{sentence(rng)} b"}
        for n in range(60)
    ]  # fmt: skip
    write_jsonl(tmp_path / "pairs.jsonl", pairs)
    plan = SnapshotPlan(path=tmp_path / "served.jsonl")
    plan.check()
    with serving("baseline:longest", snapshot=plan) as site:
        asked = [
            {"id": one["id"], "prompt": one["prompt"], "answers": [one["chosen"], one["rejected"]]} for one in pairs
        ]
        site.post("/v1/score", {"groups": asked})
    found = audited(f"recorded:{plan.path}", tmp_path / "pairs.jsonl", tmp_path / "a")
    direct = audited("baseline:longest", tmp_path / "pairs.jsonl", tmp_path / "b")
    accuracy = [one.value for body in (found, direct) for one in body.findings if one.name == "accuracy"]
    assert accuracy[0] == accuracy[1]
    assert found.pairs == 60


def test_texts_stand_in_it_only_where_they_were_asked_for(tmp_path: Path) -> None:
    model = saved_models.reward_model(tmp_path)
    for texts in (False, True):
        plan = SnapshotPlan(path=tmp_path / f"served-{texts}.jsonl", texts=texts)
        plan.check()
        assert plan.path.stat().st_mode & 0o077 == 0
        with serving(str(model), snapshot=plan) as site:
            site.post("/v1/score", group(SECRET, "yes", LONG))
            site.post("/rerank", {"query": SECRET, "documents": ["a", "b"]})
            site.post("/classify", {"input": [[5, 6, 7]]})
        rows = list(read_jsonl(plan.path))
        assert [one["id"] for one in rows] == ["served-1", "served-2", "served-3"]
        assert [len(one["scores"]) for one in rows] == [2, 2, 1]
        assert rows[0]["scores"][1] is None
        assert "tokens with its prompt" in rows[0]["reasons"][1]
        assert (SECRET in plan.path.read_text()) == texts
        assert SnapshotBody.read(tmp_path / f"served-{texts}.about.json").texts == (
            "prompts and answers" if texts else "none"
        )
        (group_of,) = RecordedScorer(plan.path).score([Candidates(id="served-1", prompt=SECRET, answers=("yes", LONG))])
        assert isinstance(group_of[0], Reward)
        assert isinstance(group_of[1], Unscored)
    assert rows[0]["prompt"] == SECRET
    assert rows[1]["answers"] == ["a", "b"]
    assert rows[2]["ids"] == [[5, 6, 7]]


def test_another_model_gets_another_file(tmp_path: Path) -> None:
    plan = SnapshotPlan(path=tmp_path / "served.jsonl")
    plan.check()
    (tmp_path / "served-2.jsonl").write_text("somebody's own")
    access = Access(owner_token="o" * 20)
    with serving("baseline:longest", access=access, snapshot=plan) as site:
        site.post("/v1/score", group("p", "a"))
        owner = {"authorization": "Bearer " + "o" * 20}
        assert site.ask("POST", "/v1/swap", b'{"model": "baseline:shortest"}', owner).status == 200
        site.post("/v1/score", group("p", "b", "c"))
    first, second = (SnapshotBody.read(tmp_path / f"served{name}.about.json") for name in ("", "-3"))
    assert (first.model, first.answers) == ("baseline:longest", 1)
    assert (second.model, second.answers) == ("baseline:shortest", 2)
    assert first.ended is not None
    assert (tmp_path / "served-2.jsonl").read_text() == "somebody's own"


def test_what_no_snapshot_can_be_is_refused_at_the_start(tmp_path: Path) -> None:
    there = tmp_path / "there.jsonl"
    there.write_text("")
    for path, told in (
        (there, "is there already"),
        (tmp_path / "none" / "x.jsonl", "no snapshot can be written there: No such file"),
        (tmp_path / "x.csv", "a snapshot is a file of JSON lines. Call it x.jsonl"),
    ):
        with pytest.raises(InputError, match=told):
            SnapshotPlan(path=path).check()
    found = CliRunner().invoke(build(), ["serve", "baseline:longest", "--ungated", "--snapshot-texts"]).exception
    assert isinstance(found, InputError)
    assert "name its file with --snapshot" in str(found)
    # A start that fails later leaves the name free.
    words = ["serve", "baseline:longest", "--port", "0", "--snapshot", str(tmp_path / "later.jsonl")]
    assert CliRunner().invoke(build(), words).exception is not None
    assert not (tmp_path / "later.jsonl").exists()


def test_a_full_file_or_disk_ends_the_snapshot_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = SnapshotPlan(path=tmp_path / "served.jsonl")
    plan.check()
    config = ServeConfig.build({"watch": {"snapshot_groups": 2}})
    with serving(of_function(lambda _prompt, answers: [1.0 for _ in answers]), config=config, snapshot=plan) as site:
        for n in range(4):
            assert site.post("/v1/score", group(f"p{n}", "a")).status == 200
        told = watch_of(site)["now"]["snapshot"]
    assert (told["groups"], told["left_out"], told["why"]) == (2, 2, "serve.watch.snapshot_groups is 2")
    assert len(list(read_jsonl(plan.path))) == 2
    file = SnapshotFile(plan.path, model="m", fingerprint="f", texts=False, most=10)
    file.write([("a", {"scores": [1.0]})])
    monkeypatch.setattr(
        SnapshotFile, "_append", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    file.write([("b", {"scores": [1.0]}), ("c", {"scores": [2.0]})])
    monkeypatch.undo()
    file.write([("d", {"scores": [1.0]})])
    assert (file.body.groups, file.body.left_out) == (1, 3)
    assert file.body.why == "it could not be written: No space left on device"
    assert [json.loads(line)["id"] for line in plan.path.read_text().splitlines()][2:] == ["a"]


def test_a_name_that_a_client_gave_costs_no_group_without_one(tmp_path: Path) -> None:
    """Whoever asks again for the groups of an earlier snapshot sends its names."""
    (tmp_path / "a.jsonl").write_text("")
    file = SnapshotFile(tmp_path / "a.jsonl", model="m", fingerprint="f", texts=False, most=10)
    file.write([("served-2", {"scores": [1.0]}), *[(None, {"scores": [float(n)]}) for n in range(3)]])
    file.write([(None, {"scores": [3.0]})])
    assert (file.body.groups, file.body.repeats) == (5, 0)
    assert len({one["id"] for one in read_jsonl(tmp_path / "a.jsonl")}) == 5


def test_what_a_full_disk_took_in_part_is_taken_away_again(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("")
    file = SnapshotFile(tmp_path / "a.jsonl", model="m", fingerprint="f", texts=False, most=10)
    file.write([("a", {"scores": [1.0]})])
    before = (tmp_path / "a.jsonl").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, hard))
    try:
        file.write([("b", {"scores": [2.0] * 9})])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "a.jsonl").read_bytes() == before
    assert (file.body.groups, file.body.left_out) == (1, 1)


def test_a_file_ended_when_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each later swap, and the end of the server, tell it once more, since late answers still came to it."""
    file = SnapshotFile(tmp_path / "a.jsonl", model="m", fingerprint="f", texts=False, most=10)
    for time in ("on Monday", "on Friday"):
        monkeypatch.setattr(snapshot_file, "now", lambda said=time: said)
        file.tell(ended=True)
    assert SnapshotBody.read(tmp_path / "a.about.json").ended == "on Monday"
