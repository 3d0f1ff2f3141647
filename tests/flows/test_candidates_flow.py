"""Rows of many ranked answers through the installed commands: split, trained on, audited and scored as pairs are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.audits import audit
from assay.data import read_pairs
from assay.records import PairScore
from tests.support import tiny_bases as tiny
from tests.support.ready_commands import ready_assay as run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 prompts with four ranked answers, the first two rows with a tie."""
    path = tmp_path_factory.mktemp("data") / "ranked.jsonl"
    pairs = tiny.pairs(80)
    rows = [
        {
            "id": f"c{n}",
            "prompt": f"w{n % 40} w{n // 7} w{n % 11} w{n % 13}",
            "answers": [pairs[2 * n].chosen, pairs[2 * n].rejected, pairs[2 * n + 1].chosen, f"w{n % 40} w1 w{n % 17}"],
            "ranks": [1, 3, 2, 3 if n < 2 else 4],
            "category": "ab"[n % 2],
        }
        for n in range(40)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def command(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    base = tiny.base(tmp_path_factory.mktemp("base") / "tiny-bert")
    out = tmp_path_factory.mktemp("runs") / "ranked"
    flags = ["--set", "split.rounding=nearest", "--set", "train.epochs=1", "--holdout", "60", "--max-tokens", "64"]
    return ["reward", str(data), "--base", str(base), "--out", str(out), "--seeds", "1", *flags]


@pytest.fixture(scope="module")
def finished(command: list[str]) -> Path:
    done = run(*command)
    assert done.returncode in (0, 1, 3), done.stderr
    return Path(command[command.index("--out") + 1])


def test_no_prompt_is_on_both_sides_and_every_comparison_is_accounted_for(finished: Path, data: Path) -> None:
    contract = json.loads((finished / "contract.json").read_text())
    assert contract["candidates"] == {"rows": 40, "answers": 160, "comparisons": 240}
    assert contract["kept"] + contract["rejected"] == contract["rows"] == 240
    assert contract["rejects"]["tie"] == 2
    proof = json.loads((finished / "split.json").read_text())
    assert (proof["shared_prompts"], proof["shared_groups"]) == (0, 0)
    assert proof["pairs_held_out"] + proof["pairs_train"] == contract["kept"]
    held = {json.loads(line)["pair_id"] for line in (finished / "seed-0" / "scores.jsonl").read_text().splitlines()}
    assert {pair.id for pair in read_pairs(data).pairs} >= held
    assert len(held) == proof["pairs_held_out"]


def test_intervals_resample_prompts_not_pairs(finished: Path, data: Path) -> None:
    recorded = json.loads((finished / "audit.json").read_text())
    (stated,) = [f for f in recorded["findings"] if (f["name"], f["slice"], f["seed"]) == ("accuracy", "overall", None)]
    rows = [json.loads(line) for line in (finished / "seed-0" / "scores.jsonl").read_text().splitlines()]
    scores = [PairScore(pair_id=row["pair_id"], chosen=row["chosen"], rejected=row["rejected"]) for row in rows]
    pairs = {pair.id: pair for pair in read_pairs(data).pairs}
    held = [pairs[score.pair_id] for score in scores]
    by_prompt, alone = (
        audit(scores, held, groups=groups).find("accuracy")
        for groups in ([str(pair.prompt) for pair in held], [pair.id for pair in held])
    )
    assert by_prompt is not None
    assert by_prompt.interval is not None
    assert (stated["interval"]["low"], stated["interval"]["high"]) == (by_prompt.interval.low, by_prompt.interval.high)
    assert alone is not None
    assert alone.interval != by_prompt.interval


def test_the_same_rows_are_audited_and_scored(finished: Path, data: Path, tmp_path: Path) -> None:
    audited = run("audit", str(finished / "seed-0" / "model"), str(data), "--out", str(tmp_path / "a"), "--json")
    assert audited.returncode == 0, audited.stderr
    assert json.loads(audited.stdout)["rows"] == 240
    scored = run("score", str(finished / "seed-0" / "model"), str(data), "--out", str(tmp_path / "s.jsonl"), "--json")
    assert scored.returncode == 0, scored.stderr
    rows = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [f"c{n}" for n in range(40)]
    assert {len(row["scores"]) for row in rows} == {4}


def test_the_run_s_own_audit_has_the_figures_of_held_out_groups(finished: Path, data: Path, tmp_path: Path) -> None:
    """They are those of `assay audit` on the rows held out, and nothing else of the run is counted."""
    held = {json.loads(line)["pair_id"].split("/")[0] for line in
            (finished / "seed-0" / "scores.jsonl").read_text().splitlines()}  # fmt: skip
    rows = [line for line in data.read_text().splitlines() if json.loads(line)["id"] in held]
    (tmp_path / "held.jsonl").write_text("\n".join(rows))
    done = run("audit", str(finished / "seed-0" / "model"), str(tmp_path / "held.jsonl"), "--out", str(tmp_path / "a"))
    assert done.returncode in (0, 1, 3), done.stderr
    own, alone = (json.loads((folder / "audit.json").read_text()) for folder in (finished, tmp_path / "a"))
    names = ("top1", "top1_beyond_chance", "recovery", "rank_correlation", "group_ties")
    values = [{f["name"]: f["value"] for f in body["findings"] if f["name"] in names} for body in (own, alone)]
    assert set(values[0]) == set(names)
    assert values[0] == pytest.approx(values[1], abs=1e-6)
    assert own["tables"]["groups"] == alone["tables"]["groups"]
    assert sum(row["groups"] for row in own["tables"]["groups"]["sizes"]) == len(held)


def test_a_run_made_before_these_options_existed_is_gone_on_with(finished: Path, command: list[str]) -> None:
    record = json.loads((finished / "run.json").read_text())
    for option in ("derive", "weight"):
        del record["config"]["data"][option]
    (finished / "run.json").write_text(json.dumps(record))
    done = run(*command)
    assert done.returncode in (0, 1, 3), done.stderr
    other = run(*command, "--set", "data.derive=best")
    assert other.returncode == 2
    assert "data.derive was" in other.stderr
