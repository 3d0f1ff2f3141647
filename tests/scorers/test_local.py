"""A saved model as a Scorer, and `assay score`: nothing cut, nothing lost."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from assay.cli import score as command
from assay.errors import AssayError, InputError
from assay.models.config import ModelConfig
from assay.models.resolve import folder_fingerprint
from assay.records import Candidates, Message, Pair
from assay.rewards.reward_model import RewardModel
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Scorer, score_pairs
from tests.support import bases

LONG = "refund " * 200


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scorer")
    refusing = "{% if messages[0]['role'] == 'tool' %}{{ raise_exception('no tools') }}{% endif %}"
    template = refusing + bases.CHATML
    base = bases.save(root / "base", "llama", tokenizer=bases.bpe(template=template))
    model = RewardModel.from_base(ModelConfig(base=str(base), max_tokens=64), seed=0)
    model.save(root / "model")
    return root / "model"


def groups() -> list[Candidates]:
    return [
        Candidates(id="a", prompt="How do I get a refund?", answers=("No.", "Press refund.", "No.")),
        Candidates(id="b", prompt=(Message(role="user", content="May I?"),), answers=("Yes.",)),
    ]


def test_rewards_are_the_model_s_own(saved: Path) -> None:
    scorer = LocalScorer(saved)
    assert isinstance(scorer, Scorer)
    found = scorer.score(groups())
    model = RewardModel.load(saved)
    expected = model.score([model.encode(group.prompt, answer) for group in groups() for answer in group.answers])
    np.testing.assert_allclose([value for values in found for value in values], expected, atol=1e-6)
    assert [len(values) for values in found] == [3, 1]
    assert found[0][0] == found[0][2]
    assert scorer.fingerprint == folder_fingerprint(saved)
    assert scorer.score([]) == []


def test_pairs_under_one_prompt(saved: Path) -> None:
    scorer = LocalScorer(saved)
    pairs = [Pair(id=str(n), prompt="p", chosen=a, rejected=b) for n, (a, b) in enumerate((("x", "y"), ("y", "z")))]
    first, second = score_pairs(scorer, pairs)
    assert first.rejected == second.chosen


def test_what_cannot_be_read_whole_is_refused_by_name(saved: Path) -> None:
    scorer = LocalScorer(saved)
    long = Candidates(id="long", prompt="p", answers=("x", LONG))
    tool = Candidates(id="tool", prompt=(Message(role="tool", content="p"),), answers=("x",))
    with pytest.raises(InputError, match=r"long: \d+ tokens with its prompt; the model reads 128"):
        scorer.score([long])
    with pytest.raises(InputError, match=r"tool: .*no tools"):
        scorer.score([tool])
    refused = scorer.refusals([long, groups()[0], tool])
    assert set(refused) == {(0, 1), (2, 0)}


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
        "chosen": pytest.approx(pair.chosen, abs=1e-5),
        "rejected": pytest.approx(pair.rejected, abs=1e-5),
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
    code, body = run(str(saved), str(data), "--out", str(tmp_path / "scores.jsonl"), "--no-sharing")
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
