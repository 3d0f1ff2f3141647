"""The notebook's way: pairs in memory to a verdict, without a file of the user's."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

import assay
from assay.data.config import SplitConfig
from assay.errors import InputError
from assay.models.config import ModelConfig
from assay.records import Candidates, Pair, PairScore
from assay.scorers import Reward
from assay.train.config import TrainConfig
from tests.support import tiny_bases as tiny

ROOT = Path(__file__).parent.parent


def test_pairs_in_memory_to_a_verdict(tmp_path: Path) -> None:
    rows = [
        {"id": p.id, "prompt": f"w{n % 40} w{n // 40} w{n % 7}", "chosen": p.chosen, "rejected": p.rejected}
        for n, p in enumerate(tiny.pairs(160))
    ]
    found = assay.read_pairs(rows)
    assert len(found.pairs) + len(found.rejects) == found.rows == 160
    parts = assay.split(found.pairs, config=SplitConfig(holdout=30))
    assert (len(parts.train), len(parts.held_out)) == (130, 30)
    result = assay.train_reward(
        parts.train,
        parts.held_out,
        out=tmp_path / "seed-0",
        model=ModelConfig(base=str(tiny.base(tmp_path / "base")), max_tokens=64),
        config=TrainConfig(epochs=1, report_to=()),
    )
    scores = assay.score(result.model_folder, parts.held_out)
    right = sum(score.margin > 0 for score in scores) / len(scores)
    assert result.held_out_accuracy == pytest.approx(right)
    audit = assay.audit(scores, parts.held_out)
    assert assay.audit(result.model_folder, parts.held_out).findings == audit.findings
    accuracy = audit.find("accuracy")
    assert accuracy is not None
    assert accuracy.value == pytest.approx(right)
    # Without the split's proof the built-in gate fails closed, whatever the accuracy.
    assert assay.decide(audit).verdict == "fail"
    reasons = {one.text: one.verdict for one in assay.decide(audit, split=parts).criteria}
    assert reasons["no prompt overlap"] == "pass"


def test_candidates_are_scored_in_the_order_given(tmp_path: Path) -> None:
    base = tiny.base(tmp_path / "base", "llama")
    pairs = tiny.pairs(12)
    model = ModelConfig(base=str(base), max_tokens=64)
    result = assay.train_reward(pairs[:8], pairs[8:], out=tmp_path / "s", model=model, config=TrainConfig(epochs=1))
    answers = tuple(pair.chosen for pair in pairs[:4])
    group = Candidates(id="a", prompt="w1 w2", answers=answers)
    turned = Candidates(id="b", prompt="w1 w2", answers=answers[::-1])
    one, other = assay.score(result.model_folder, [group, turned])
    assert [reward.value for reward in one] == pytest.approx([reward.value for reward in other[::-1]], abs=1e-6)
    assert len(set(one)) > 1


def test_pairs_and_candidates_are_scored_in_the_order_given() -> None:
    """By any scorer: a name, a function, an object."""
    one, two = Pair(id="1", prompt="p", chosen="aa", rejected="b"), Pair(id="2", prompt="q", chosen="a", rejected="bbb")
    group = Candidates(id="g", prompt="p", answers=("a", "bb"))

    def longest(_: object, answers: Sequence[str]) -> list[int]:
        return [len(answer) for answer in answers]

    for scorer in ("baseline:longest", longest, assay.open_scorer("baseline:longest")):
        first, between, last = assay.score(scorer, [one, group, two])
        assert (first.pair_id, first.chosen, first.rejected, first.margin) == ("1", Reward(2.0), Reward(1.0), 1.0)
        assert between == (Reward(1.0), Reward(2.0))
        assert (last.pair_id, last.margin) == ("2", -2.0)
    with pytest.raises(InputError, match=r"items\[0\] is a str"):
        assay.score("baseline:longest", ["p"])


def test_any_scorer_is_audited() -> None:
    pairs = tiny.pairs(30)

    def good(_: object, answers: Sequence[str]) -> list[float]:
        return [float("good" in answer) for answer in answers]

    for scorer in (good, {0: good, 1: good}, assay.score(good, pairs)):
        accuracy = assay.audit(scorer, pairs).find("accuracy")
        assert accuracy is not None
        assert accuracy.value == 1.0
    random = assay.audit("baseline:random", pairs).find("accuracy")
    assert random is not None
    assert 0 < random.value < 1


def test_scores_of_other_pairs_are_refused() -> None:
    pairs = tiny.pairs(4)
    scores = [PairScore(pair_id="someone else's", chosen=1.0, rejected=0.0)] * 4
    with pytest.raises(InputError):
        assay.audit(scores, pairs)


def test_the_version_is_the_package_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert assay.__version__ == project["project"]["version"]


def test_importing_training_says_nothing_on_the_terminal() -> None:
    """PEFT imports bitsandbytes, which advises on kernels where the processor could use them."""
    code = "import assay.train.reward, peft, sys; print('bitsandbytes' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True\n", "")
