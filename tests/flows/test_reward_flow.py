"""The whole flow by the installed command, on a tiny random base: artifacts, exit codes, resume after SIGKILL."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from transformers import BertConfig, BertForSequenceClassification

from assay.artifacts.files import sha256_file
from assay.data import read_pairs
from assay.data.config import DataConfig
from assay.gate.gate_standing import gate_standing
from assay.simulate.support import support
from tests.support import tiny_bases as tiny
from tests.support.ready_commands import ready_assay

ASSAY = Path(sys.executable).with_name("assay")
QUICK = ["--set", "train.epochs=1", "--set", "train.save_every=2", "--holdout", "40", "--max-tokens", "64"]
QUICK += ["--precision", "float32"]  # the same bits on any machine


def command(data: Path, base: Path, out: Path, *more: str) -> list[str]:
    return [str(ASSAY), "reward", str(data), "--base", str(base), "--out", str(out), *QUICK, *more]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return ready_assay(*words[1:])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base") / "tiny-bert")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 learnable pairs in three categories, one row that is broken and one tie."""
    path = tmp_path_factory.mktemp("data") / "pairs.jsonl"
    rows: list[dict[str, Any]] = [
        {
            "id": pair.id,
            "prompt": f"w{number % 40} w{number // 40} w{number % 7} w{number % 11}",
            "chosen": pair.chosen,
            "rejected": pair.rejected,
            "category": ("tone", "brevity", "refusals")[number % 3],
        }
        for number, pair in enumerate(tiny.pairs(200))
    ]
    rows.append({"id": "t", "prompt": "w1 w2", "chosen": "w3", "rejected": "w4", "votes": ["tie", "tie", "tie"]})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(data: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    out = tmp_path_factory.mktemp("runs") / "whole"
    return out, run(*command(data, base, out, "--seeds", "2", "--json"))


def test_writes_every_artifact_and_says_the_verdict(finished: tuple[Path, Any]) -> None:
    out, done = finished
    body = json.loads(done.stdout)
    assert {"pass": 0, "fail": 1, "undecided": 3}[body["verdict"]] == done.returncode, done.stderr
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    wanted = {"run.json", "contract.json", "rejects.jsonl", "review.jsonl", "split.json", "audit.json", "gate.json"}
    wanted |= {"report.html", "MODEL_CARD.md"}
    for seed in ("seed-0", "seed-1"):
        wanted |= {f"{seed}/{name}" for name in ("metrics.jsonl", "scores.jsonl", "train.json", "model/config.json")}
    assert wanted <= names
    assert [gate_standing(out, seed).word for seed in (0, 1)] == [body["verdict"]] * 2  # of these very weights


def test_every_row_is_accounted_for(finished: tuple[Path, Any]) -> None:
    out, _ = finished
    contract = json.loads((out / "contract.json").read_text())
    rejects = [json.loads(line) for line in (out / "rejects.jsonl").read_text().splitlines()]
    assert contract["rows"] == 202
    assert contract["kept"] + len(rejects) == 202
    assert sum(contract["rejects"].values()) == len(rejects)
    assert contract["rejects"]["bad_json"] == 1
    assert contract["rejects"]["tie"] == 1
    assert [json.loads(line)["review"]["reason"] for line in (out / "review.jsonl").read_text().splitlines()] == ["tie"]


def test_run_json_names_its_inputs_and_stages(finished: tuple[Path, Any], data: Path) -> None:
    out, _ = finished
    body = json.loads((out / "run.json").read_text())
    assert body["status"] == "done"
    assert body["inputs"][str(data)] == sha256_file(data)
    assert [stage["name"] for stage in body["stages"]] == [
        "contract", "length gate", "split", "train seed 0", "train seed 1", "audit", "gate",
    ]  # fmt: skip
    assert all(stage["tokens"] for stage in body["stages"] if stage["name"].startswith("train"))
    assert body["data"] == {**body["data"], "simulated": False, "oracle": None}


def test_same_command_again_trains_nothing_and_gives_the_same_verdict(
    finished: tuple[Path, Any], data: Path, base: Path
) -> None:
    out, first = finished
    model = out / "seed-0" / "model" / "model.safetensors"
    before = model.stat().st_mtime_ns
    again = run(*command(data, base, out, "--seeds", "2", "--json"))
    assert json.loads(again.stdout)["criteria"] == json.loads(first.stdout)["criteria"]
    assert again.returncode == first.returncode
    assert model.stat().st_mtime_ns == before


def test_a_folder_of_another_run_is_refused(finished: tuple[Path, Any], data: Path, base: Path) -> None:
    out, _ = finished
    done = run(*command(data, base, out, "--seeds", "1"))
    assert done.returncode == 2
    assert "another configuration" in done.stderr
    assert "train.seeds leaves out 1, which was trained here" in done.stderr
    assert "--out" in done.stderr
    other = run(*command(data, base, out, "--seeds", "2", "--set", "train.learning_rate=0.5"))
    assert "train.learning_rate" in other.stderr
    assert other.returncode == 2


def test_seeds_are_added_to_a_finished_run(finished: tuple[Path, Any], data: Path, base: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(finished[0], tmp_path / "copy"))
    before = [(out / f"seed-{seed}" / "train.json").stat().st_mtime_ns for seed in (0, 1)]
    done = run(*command(data, base, out, "--seeds", "3", "--json"))
    assert done.returncode in (0, 1, 3), done.stderr
    assert [(out / f"seed-{seed}" / "train.json").stat().st_mtime_ns for seed in (0, 1)] == before
    assert json.loads((out / "audit.json").read_text())["seeds"] == [0, 1, 2]
    assert json.loads((out / "run.json").read_text())["seeds"] == [0, 1, 2]
    assert "3 seeds" in (out / "report.html").read_text()


def test_other_criteria_judge_a_finished_run_again_without_training(
    finished: tuple[Path, Any], data: Path, base: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(finished[0], tmp_path / "copy"))
    criteria = tmp_path / "criteria.yaml"
    criteria.write_text("[no prompt overlap]")
    before = (out / "seed-0" / "train.json").stat().st_mtime_ns
    done = run(*command(data, base, out, "--seeds", "2", "--criteria", str(criteria), "--json"))
    assert [line["text"] for line in json.loads(done.stdout)["criteria"]] == ["no prompt overlap"]
    assert done.returncode == 0
    assert (out / "seed-0" / "train.json").stat().st_mtime_ns == before


def test_rows_for_review_are_read_again_as_they_stand(finished: tuple[Path, Any]) -> None:
    out, _ = finished
    found = read_pairs(out / "review.jsonl", config=DataConfig(ties="keep"))
    assert [pair.label for pair in found.pairs] == ["tie"]


def test_a_mistake_before_training_costs_nothing_and_can_be_mended_in_place(
    data: Path, base: Path, tmp_path: Path
) -> None:
    out, criteria = tmp_path / "run", tmp_path / "criteria.yaml"
    criteria.write_text("[overall acuracy > 0.7]")
    typing_error = run(*command(data, base, out, "--criteria", str(criteria)))
    too_many = run(*command(data, base, out, "--holdout", "5000"))
    assert (typing_error.returncode, too_many.returncode) == (2, 2)
    assert "acuracy" in typing_error.stderr
    assert not list(out.glob("seed-*"))
    criteria.write_text("[overall accuracy > 0.7]")
    mended = run(*command(data, base, out, "--criteria", str(criteria)))
    assert mended.returncode in (0, 1, 3), mended.stderr


@pytest.mark.parametrize("seeds", ["0", "-1"])
def test_no_seed_is_no_run(seeds: str, data: Path, base: Path, tmp_path: Path) -> None:
    done = run(*command(data, base, tmp_path / "run", "--seeds", seeds))
    assert done.returncode == 2
    assert "seeds" in done.stderr
    assert not (tmp_path / "run").exists()


def test_unreadable_data_leaves_the_folder_of_another_run_alone(
    finished: tuple[Path, Any], base: Path, tmp_path: Path
) -> None:
    out, _ = finished
    before = sha256_file(out / "contract.json")
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{\n")
    assert run(*command(broken, base, out)).returncode == 2
    assert sha256_file(out / "contract.json") == before


def test_killed_and_started_again_ends_with_the_same_weights(
    finished: tuple[Path, Any], data: Path, base: Path, tmp_path: Path
) -> None:
    whole, _ = finished
    out = tmp_path / "killed"
    words = command(data, base, out, "--seeds", "2")
    env = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    metrics = out / "seed-0" / "metrics.jsonl"
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env) as process:
        deadline = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < deadline:
            if metrics.exists() and metrics.stat().st_size > 300:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.005)
    assert not (out / "gate.json").exists()
    # Not of a helper, as the run that is whole was: one that hashes otherwise comes to the same bits.
    again = subprocess.run(words, capture_output=True, text=True, check=False, env=env)
    assert again.returncode in (0, 1, 3), again.stderr
    for seed in ("seed-0", "seed-1"):
        file = Path(seed) / "model" / "model.safetensors"
        assert sha256_file(out / file) == sha256_file(whole / file)
    verdicts = [json.loads((folder / "gate.json").read_text())["criteria"] for folder in (out, whole)]
    assert verdicts[0] == verdicts[1]


def test_bad_input_exits_2_and_says_the_way_out(base: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    missing = run(*command(tmp_path / "none.jsonl", base, tmp_path / "a"))
    nothing = run(*command(empty, base, tmp_path / "b"))
    assert (missing.returncode, nothing.returncode) == (2, 2)
    assert "none.jsonl" in missing.stderr
    assert "empty.jsonl" in nothing.stderr
    assert "Traceback" not in missing.stderr + nothing.stderr


def test_more_held_out_than_there_is_says_what_is_possible(data: Path, base: Path, tmp_path: Path) -> None:
    done = run(*command(data, base, tmp_path / "c", "--holdout", "5000"))
    assert done.returncode == 2
    assert "5,000" in done.stderr or "5000" in done.stderr


def test_unknown_option_is_an_error(data: Path, base: Path, tmp_path: Path) -> None:
    done = run(*command(data, base, tmp_path / "d", "--set", "train.epoch=1"))
    assert done.returncode == 2
    assert "train.epoch is no option" in done.stderr
    assert "did you mean epochs?" in done.stderr


def test_simulated_data_is_called_simulated_with_its_oracle(base: Path, tmp_path: Path) -> None:
    path = tmp_path / "desk.jsonl"
    support(120, seed=3).write(path)
    long = BertForSequenceClassification(BertConfig.from_pretrained(base, max_position_embeddings=256, num_labels=1))
    long.save_pretrained(tmp_path / "base")
    tiny.tokenizer("bert").save_pretrained(tmp_path / "base")
    done = run(*command(path, tmp_path / "base", tmp_path / "run", "--max-tokens", "256"))
    assert done.returncode in (0, 1, 3), done.stderr
    body = json.loads((tmp_path / "run" / "run.json").read_text())
    assert body["data"]["simulated"] is True
    assert 0.8 <= body["data"]["oracle"]["overall"] <= 1.0
    assert "simulated" in (tmp_path / "run" / "report.html").read_text().lower()
