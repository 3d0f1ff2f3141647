"""`assay fresh` by its command: pairs, then the answer; one JSON object, exit codes, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

from assay.artifacts.files import read_jsonl, write_jsonl
from tests.support import fresh_world as world
from tests.support import saved_models
from tests.support.ready_commands import ready_assay

REWARD = "baseline:longest"


def test_pairs_then_labels_then_the_answer(tmp_path: Path) -> None:
    path = world.recorded(tmp_path, prompts=70)
    out = tmp_path / "out"
    asked = ("fresh", REWARD, "--policy", path, "--prompts", path, "--out", out, "--votes", 60, "--editors", 0)
    done = ready_assay(*asked)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("60 of 70 fresh pairs for the estimate, 10 where the reward is unsure")
    assert any("60 decided pairs: accuracy ±" in line and line.endswith("these") for line in lines)
    assert any("leakage unknown" in line for line in lines)
    assert lines[-1].startswith(f"Next: assay fresh {REWARD}")
    assert json.loads(ready_assay(*asked, "--json").stdout)["schema"] == "fresh_pairs/1"

    labels = world.judged(out, tmp_path / "judged.jsonl")
    judge = world.judge(out, tmp_path / "judge.jsonl")
    (tmp_path / "kpis.csv").write_text("version,reward,csat\nv1,1,4\nv2,2,3\n")
    told = ("fresh", REWARD, "--out", out, "--labelled", labels, "--judge", judge, "--kpis", tmp_path / "kpis.csv")
    said = ready_assay(*told)
    assert said.returncode == 3, said.stderr  # nobody knows a held-out figure
    assert said.stdout.startswith("Right on ")
    assert "csat went from 4 to 3 between v1 and v2" in said.stdout
    (tmp_path / "criteria.yaml").write_text("criteria:\n  - fresh accuracy > 0.99\n")
    gated = ready_assay(*told, "--criteria", tmp_path / "criteria.yaml", "--json")
    body = json.loads(gated.stdout)
    assert (gated.returncode, body["schema"], body["gate"]["verdict"]) == (1, "fresh/1", "fail")


def test_a_model_answers_in_the_precision_asked_for(tmp_path: Path) -> None:
    policy, path = saved_models.policy(tmp_path / "models"), tmp_path / "prompts.jsonl"
    write_jsonl(path, [{"id": f"q{n}", "prompt": f"refund {n} please"} for n in range(6)])
    out = tmp_path / "out"
    asked = ("fresh", REWARD, "--policy", policy, "--prompts", path, "--out", out, "--n", 2, "--max-tokens", 4)
    done = ready_assay(*asked, "--precision", "bf16", "--votes", 3, "--unsure", 0, "--editors", 0)
    assert done.returncode == 0, done.stderr
    made = [row["made"] for row in read_jsonl(out / "answers.jsonl")]
    assert len(made) == 12
    assert {one["precision"] for one in made} == {"bf16"}  # type: ignore[index,call-overload]


def test_what_belongs_to_the_other_call_is_refused(tmp_path: Path) -> None:
    for words, told in (
        (("--policy", "x"), "Give --policy POLICY and --prompts FILE"),
        (("--judge", "x"), "--judge: read with --conclude STUDY or --labelled FILE"),
        (("--conclude", "s.db", "--policy", "x", "--votes", "9"), "--policy, --votes: the pairs are chosen already"),
        (("--conclude", "s.db", "--labelled", "x"), "one of the two"),
        (("--conclude", "s.db", "--kpi-rewards", "x"), "--kpi-rewards: of a table of KPIs"),
        (("--conclude", "s.db"), "holds no fresh pairs"),
    ):
        done = ready_assay("fresh", REWARD, "--out", tmp_path / "out", *words)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
