"""Two finished runs compared by their scores: known rewards, the pairs that both held out, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import assay
from assay.artifacts.compare_body import CompareBody
from assay.artifacts.files import read_jsonl, write_jsonl
from assay.artifacts.run_body import RunBody
from assay.artifacts.run_folder import RunFolder
from assay.errors import InputError
from assay.flows.advise import compare_runs
from assay.records import Pair, PairScore
from assay.train.dpo.config import DpoRunConfig
from tests.support.made_run import Scoring, make_run
from tests.support.ready_commands import ready_assay


def right_in(share: float) -> Scoring:
    """A reward that is right on this share of pairs, whichever they are."""

    def score(pairs: Sequence[Pair], rng: np.random.Generator) -> list[PairScore]:
        right = rng.permutation(len(pairs)) < share * len(pairs)
        return [
            PairScore(pair_id=pair.id, chosen=float(one), rejected=float(not one))
            for pair, one in zip(pairs, right, strict=True)
        ]

    return score


def as_tuned(run: RunFolder) -> RunFolder:
    """The run as one that tuned a policy, its score file with what such a run adds to it."""
    path = run.path("run.json")
    RunBody.read(path).with_more(config=DpoRunConfig().model_dump(mode="json")).write(path)
    for scores in run.root.glob("seed-*/scores.jsonl"):
        write_jsonl(scores, [{**row, "chosen_logprob": -3.0, "chosen_tokens": 4} for row in read_jsonl(scores)])
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A reward right in 85% and a policy's right in 60%, two seeds each, of the same data and split."""
    root = tmp_path_factory.mktemp("runs")
    reward = make_run(root / "reward", seeds=2, score=right_in(0.85))
    dpo = as_tuned(make_run(root / "dpo", seeds=2, score=right_in(0.60)))
    return reward.root, dpo.root, str(reward.path("pairs.jsonl"))


def test_the_better_score_is_found_on_the_pairs_both_held_out(runs: tuple[Path, Path, str], tmp_path: Path) -> None:
    reward, dpo, data = runs
    found = compare_runs(reward, dpo, tmp_path / "compared", source=data)
    assert found.body.verdict == "A"
    assert found.body.pairs == 300
    assert found.comparison.find("accuracy_difference").known == pytest.approx(0.25, abs=0.001)  # type: ignore[union-attr]
    body = CompareBody.read(tmp_path / "compared" / "compare.json")
    assert (body.a.name, body.b.name) == (str(reward), str(dpo))
    assert sorted(body.a.fingerprints) == [0, 1]


def test_a_pair_that_one_of_them_trained_on_takes_no_part(runs: tuple[Path, Path, str], tmp_path: Path) -> None:
    reward, _, data = runs
    dpo = as_tuned(make_run(tmp_path / "dpo", seeds=1, score=right_in(0.6)))
    scores = dpo.seed(0) / "scores.jsonl"
    write_jsonl(scores, list(read_jsonl(scores))[:200])
    assert compare_runs(reward, dpo.root, tmp_path / "compared", source=data).body.pairs == 200


def test_runs_that_cannot_be_compared_are_refused(runs: tuple[Path, Path, str], tmp_path: Path) -> None:
    reward, dpo, data = runs
    with pytest.raises(InputError, match="Give it as --dpo"):
        compare_runs(dpo, dpo, tmp_path / "a", source=data)
    with pytest.raises(InputError, match="Give it as --reward"):
        compare_runs(reward, reward, tmp_path / "b", source=data)
    with pytest.raises(InputError, match="Say where it is with --data"):
        compare_runs(reward, dpo, tmp_path / "c")
    other = as_tuned(make_run(tmp_path / "other", pairs=60, seeds=1))
    path = other.path("run.json")
    body = RunBody.read(path)
    assert body.data is not None
    body.with_more(data=body.data.model_copy(update={"sha256": "sha256:other"})).write(path)
    with pytest.raises(InputError, match="trained on other data"):
        compare_runs(reward, other.root, tmp_path / "d", source=data)
    scores = other.seed(0) / "scores.jsonl"
    body.write(path)
    write_jsonl(scores, [{**row, "pair_id": f"x-{row['pair_id']}"} for row in read_jsonl(scores)])
    with pytest.raises(InputError, match="no pair in common"):
        compare_runs(reward, other.root, tmp_path / "e", source=data)
    half = tmp_path / "half.jsonl"
    half.write_text("".join(Path(data).read_text().splitlines(keepends=True)[:300]))
    with pytest.raises(InputError, match="it is not what they were trained on"):
        compare_runs(reward, dpo, tmp_path / "f", source=str(half))


def test_the_command(runs: tuple[Path, Path, str], tmp_path: Path) -> None:
    reward, dpo, data = runs
    done = ready_assay("advise", "--reward", reward, "--dpo", dpo, "--data", data, "--out", tmp_path / "compared")
    assert done.returncode == 0, done.stderr
    assert "As a score, the explicit reward model is better." in done.stdout
    assert "Whether the tuned policy writes better is another question" in done.stdout
    again = assay.compare_runs(str(reward), str(dpo), tmp_path / "again", source=data)
    written = CompareBody.read(tmp_path / "compared" / "compare.json")
    assert again.body.model_copy(update={"command": written.command}) == written
    refused = ready_assay("advise", "--reward", reward, "--use", "tune")
    assert refused.returncode == 2
    assert "all three" in refused.stderr
