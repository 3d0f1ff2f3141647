"""A head an objective over one trunk: each learns its own pairs, plain transformers agrees, one pass serves all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from assay.data.objectives import heads_of
from assay.errors import ConfigError, InputError
from assay.models.config import ModelConfig, Tuning
from assay.records import Candidates, Pair
from assay.rewards.reward_model import RewardModel
from assay.scorers.combined.combination_file import Combination
from assay.scorers.combined.combined_scorer import CombinedScorer
from assay.scorers.local import LocalScorer
from assay.scorers.open import open_scorer, open_scorers
from assay.scorers.protocol import Reward
from assay.train.config import LossConfig
from assay.train.pair_examples import pair_examples
from assay.train.reward import RewardObjective, train_reward
from tests.support import tiny_bases as tiny

HEADS = ("helpful", "harmless")


def of(objective: str, pairs: Sequence[Pair], *, turned: bool = False) -> list[Pair]:
    return [
        replace(
            pair,
            id=f"{pair.id}-{objective}",
            chosen=pair.rejected if turned else pair.chosen,
            rejected=pair.chosen if turned else pair.rejected,
            source={"objective": objective},
        )
        for pair in pairs
    ]


def opposed(count: int, seed: int = 0) -> list[Pair]:
    """The same answers, by two objectives that order them in opposite ways: no single head could learn both."""
    pairs = tiny.pairs(count, seed=seed)
    return of("helpful", pairs) + of("harmless", pairs, turned=True)


SLOW_TOO = pytest.param("llama lora", marks=pytest.mark.slow)


@pytest.fixture(scope="module", params=[pytest.param("bert", marks=pytest.mark.slow), "llama", "bert lora", SLOW_TOO])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    kind, _, lora = request.param.partition(" ")
    root = tmp_path_factory.mktemp(kind)
    base = tiny.base(root / "base", kind)
    recipe = tiny.quick(base, epochs=6)
    recipe["model"] = ModelConfig(
        base=str(base), max_tokens=64, heads=HEADS, tuning="lora" if lora else "full", lora_rank=4, lora_alpha=8
    )
    found = train_reward(opposed(80), opposed(30, seed=1), out=root / "run" / "seed-0", **recipe)
    assert found.held_out_accuracy is not None
    assert found.held_out_accuracy > 0.9  # both at once, on the same answers
    return root / "run"


def test_plain_transformers_gives_the_same_rewards_by_label(run: Path) -> None:
    folder = run / "seed-0" / "model"
    plain = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    assert plain.config.id2label == dict(enumerate(HEADS))
    ours = RewardModel.load(folder)
    assert ours.heads == HEADS
    rows = [ours.encode(pair.prompt, pair.chosen) for pair in tiny.pairs(5, seed=3)]
    found = ours.score(rows)
    assert found.shape == (5, 2)
    for row, expected in zip(rows, found, strict=True):
        types = {} if row.type_ids is None else {"token_type_ids": torch.tensor([row.type_ids])}
        with torch.no_grad():
            logits = plain(input_ids=torch.tensor([row.ids]), **types).logits[0].numpy()
        np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_a_head_is_a_scorer_of_its_own_and_the_others_stand_beside(run: Path) -> None:
    pair = tiny.pairs(1, seed=4)[0]
    group = Candidates(id="a", prompt=pair.prompt, answers=(pair.chosen, pair.rejected))
    given = {}
    for head in HEADS:
        (scorer,) = open_scorers(f"{run}@{head}").values()
        good, bad = scorer.score([group])[0]
        assert isinstance(good, Reward)
        assert isinstance(bad, Reward)
        given[head] = good.value - bad.value
        assert set(good.heads) == set(HEADS)
        assert good.heads[head] == good.value
    assert given["helpful"] > 0 > given["harmless"]
    prints = {open_scorer(f"{run}@{head}").fingerprint for head in HEADS}
    assert len(prints) == 2


def test_heads_of_one_model_are_combined_from_one_pass(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same reward as from both scorers apart, and the model is run once."""
    scorers = {head: open_scorer(f"{run}@{head}") for head in HEADS}
    parts = [
        {"name": head, "scorer": f"{run}@{head}", "weight": weight} for head, weight in zip(HEADS, (1, 2), strict=True)
    ]
    one = CombinedScorer(scorers, Combination.build({"rule": "weights", "objectives": parts}))
    pair = tiny.pairs(1, seed=5)[0]
    group = Candidates(id="a", prompt=pair.prompt, answers=(pair.chosen, pair.rejected))
    apart = [[result.value for result in scorer.score([group])[0]] for scorer in scorers.values()]  # type: ignore[union-attr]
    calls: list[int] = []
    real = RewardModel.score
    monkeypatch.setattr(RewardModel, "score", lambda self, rows, **how: calls.append(1) or real(self, rows, **how))
    together = [result.value for result in one.score([group])[0]]  # type: ignore[union-attr]
    assert together == pytest.approx(np.array(apart[0]) + 2 * np.array(apart[1]), abs=1e-6)
    assert len(calls) == 1


def test_a_model_of_heads_is_opened_by_a_head_there_is(run: Path) -> None:
    folder = run / "seed-0" / "model"
    with pytest.raises(InputError, match=r"Name one: .*@helpful or .*@harmless"):
        _ = LocalScorer(folder).fingerprint
    with pytest.raises(InputError, match=r"the heads of .* are helpful, harmless"):
        _ = LocalScorer(f"{folder}@honest").fingerprint


@pytest.mark.parametrize("tuning", ["full", "lora"])
@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_a_pair_moves_the_head_of_its_own_objective_alone(kind: str, tuning: Tuning, tmp_path: Path) -> None:
    config = ModelConfig(base=str(tiny.base(tmp_path, kind)), max_tokens=64, heads=HEADS, tuning=tuning)
    model = RewardModel.from_base(config, seed=0)
    examples = pair_examples(
        of("harmless", tiny.pairs(4)), model.renderer, loss=LossConfig(), max_tokens=64, heads=HEADS
    )
    recipe = tiny.quick(tmp_path)
    objective = RewardObjective(model, examples, [], held_out_pairs=[], loss=LossConfig(), config=recipe["config"])
    objective.losses(examples).loss_B.sum().backward()
    weight = next(one for name, one in objective.head().items() if name.endswith("weight") and one.shape[0] == 2)
    assert weight.grad is not None
    assert weight.grad[0].abs().max() == 0
    assert weight.grad[1].abs().max() > 0


def test_pairs_of_an_objective_without_a_head_are_counted() -> None:
    pairs = [*of("other", tiny.pairs(3)), *of("helpful", tiny.pairs(1))]
    with pytest.raises(InputError, match=r"3 pairs are of other objectives \(other 3\)"):
        heads_of(pairs, HEADS)
    by_category = [replace(pair, category="harmless") for pair in tiny.pairs(2)]
    assert heads_of(by_category, HEADS) == [1, 1]


def test_one_head_alone_or_twice_is_refused() -> None:
    for heads in (["helpful"], ["helpful", "helpful"]):
        with pytest.raises(ConfigError, match="two objectives or more"):
            ModelConfig.build({"heads": heads})
