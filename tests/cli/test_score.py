"""`assay score`: nothing cut, nothing lost, by any scorer."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from assay.cli import score as command
from assay.errors import AssayError
from assay.records import Pair
from assay.scorers.local import LocalScorer
from assay.scorers.scored_pairs import score_pairs
from tests.support import saved_models
from tests.support.saved_models import LONG


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_models.reward_model(tmp_path_factory.mktemp("scorer"))


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    app = typer.Typer()
    command.register(app)
    app.callback()(lambda: None)
    done = CliRunner().invoke(app, ["score", *arguments, "--json"], catch_exceptions=False)
    return done.exit_code, json.loads(done.stdout)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_scoring_pairs(saved: Path, tmp_path: Path) -> None:
    rows = [
        {"id": "1", "prompt": "May I?", "chosen": "Yes.", "rejected": "No."},
        {"id": "2", "prompt": "May I?", "chosen": "No.", "rejected": LONG},
        {"id": "3", "prompt": "May I?", "chosen": "Same.", "rejected": "Same."},
    ]
    data = tmp_path / "pairs.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, body = run(str(saved), str(data), "--out", str(tmp_path / "scores.jsonl"))
    assert (code, body["pairs"], body["unscored"], body["rejected_rows"]) == (0, 2, 1, 1)
    one, two = lines(tmp_path / "scores.jsonl")
    pair = score_pairs(LocalScorer(saved), [Pair(id="1", prompt="May I?", chosen="Yes.", rejected="No.")])[0]
    assert one == {
        "pair_id": "1",
        "chosen": pytest.approx(pair.chosen.value, abs=1e-5),
        "rejected": pytest.approx(pair.rejected.value, abs=1e-5),
    }
    assert two["chosen"] == one["rejected"]
    assert two["rejected"] is None
    assert "the model reads 128" in two["reason"]


@pytest.mark.parametrize("packed", [False, True])
def test_scoring_candidates(saved: Path, tmp_path: Path, packed: bool) -> None:
    rows = [
        {"id": "a", "prompt": "May I?", "answers": ["Yes.", LONG, "No."]},
        {"prompt": [{"role": "user", "content": "May I?"}], "candidates": [[{"role": "assistant", "content": "Yes."}]]},
    ]
    text = "".join(json.dumps(row) + "\n\n" for row in rows).encode()
    data = tmp_path / ("c.jsonl.gz" if packed else "c.jsonl")
    data.write_bytes(gzip.compress(text) if packed else text)
    code, body = run(str(saved), str(data), "--out", str(tmp_path / "scores.jsonl"), "--sharing", "off")
    assert (code, body["prompts"], body["unscored"]) == (0, 2, 1)
    first, second = lines(tmp_path / "scores.jsonl")
    assert (first["id"], second["id"]) == ("a", "3")
    assert first["scores"][1] is None
    assert first["reasons"][0] is None
    assert "tokens" in first["reasons"][1]
    assert second["scores"] == [pytest.approx(first["scores"][0], abs=1e-5)]
    assert first["scores"][2] != first["scores"][0]


def test_nothing_to_score_and_no_model(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"prompt": "p", "chosen": "a", "rejected": "a"}\n')
    with pytest.raises(AssayError, match="no pair to score among 1 rows"):
        run(str(saved), str(tmp_path / "pairs.jsonl"), "--out", str(tmp_path / "s"))
    (tmp_path / "c.jsonl").write_text('{"prompt": "p", "answers": ["a"]}\n')
    with pytest.raises(AssayError, match="no such folder"):
        run("./none", str(tmp_path / "c.jsonl"), "--out", str(tmp_path / "s"))
    assert not (tmp_path / "s").exists()


def test_the_installed_command(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"prompt": "p", "answers": ["a", "b"]}\n')
    run_it = "import sys; from assay.cli.main import main; sys.argv = ['assay', *sys.argv[1:]]; main()"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            run_it,
            "score",
            str(saved),
            str(tmp_path / "c.jsonl"),
            "--out",
            str(tmp_path / "s.jsonl"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "1 prompts scored" in done.stdout
    assert len(lines(tmp_path / "s.jsonl")[0]["scores"]) == 2


def test_any_scorer_scores(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"id": "1", "prompt": "p", "chosen": "abc", "rejected": "d"}\n')
    (tmp_path / "c.jsonl").write_text('{"id": "a", "prompt": "p", "answers": ["a", "bb"]}\n')
    out, again = tmp_path / "s.jsonl", tmp_path / "again.jsonl"
    code, body = run("baseline:longest", str(tmp_path / "pairs.jsonl"), "--out", str(out))
    assert (code, body["model"], body["fingerprint"], body["unscored"]) == (0, *("baseline:longest",) * 2, 0)
    assert lines(out) == [{"pair_id": "1", "chosen": 3.0, "rejected": 1.0}]
    run(str(out), str(tmp_path / "pairs.jsonl"), "--out", str(again))  # recorded scores score the same pairs
    assert again.read_bytes() == out.read_bytes()
    run("baseline:shortest", str(tmp_path / "c.jsonl"), "--out", str(out))
    assert lines(out) == [{"id": "a", "scores": [-1.0, -2.0]}]
    run(f"recorded:{out}", str(tmp_path / "c.jsonl"), "--out", str(again))
    assert again.read_bytes() == out.read_bytes()
    run(f"local:{saved}", str(tmp_path / "c.jsonl"), "--out", str(out))
    run(str(saved), str(tmp_path / "c.jsonl"), "--out", str(again))
    assert again.read_bytes() == out.read_bytes()


def test_options_of_a_model_are_refused_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text('{"prompt": "p", "answers": ["a"]}\n')
    for option in (["--sharing", "off"], ["--micro-tokens", "64"]):
        with pytest.raises(AssayError, match="baseline:longest is no model"):
            run("baseline:longest", str(tmp_path / "c.jsonl"), "--out", str(tmp_path / "s"), *option)
