"""The training loop: gradients that do not depend on cutting, exact figures, errors that name their pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from assay.artifacts.files import read_json, read_jsonl
from assay.errors import ConfigError, EmptyBatchError, TrainingError
from assay.models.config import ModelConfig
from assay.records import Pair
from assay.rewards.reward_model import RewardModel
from assay.train import Progress, train_reward
from assay.train.batches import Drawn
from assay.train.config import LossConfig
from assay.train.loop import ObjectiveTrainer, Training
from assay.train.losses.targets import pair_losses
from assay.train.metrics import MetricsFile
from assay.train.pair_examples import PairExample, pair_examples
from assay.train.reward import RewardObjective
from assay.train.trainer_options import trainer_arguments
from tests.support import tiny_bases as tiny

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module", params=["bert", "llama"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp(request.param) / "base", request.param, dropout=0.0)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("bert") / "base")


def silent(_: object) -> None:
    pass


def trainer(base: Path, folder: Path, pairs: list[Pair], **changes: Any) -> ObjectiveTrainer:
    recipe = tiny.quick(base, **changes)
    torch.manual_seed(0)
    reward_model = RewardModel.from_base(recipe["model"])
    objective = RewardObjective(
        reward_model, encoded(pairs, reward_model), [], held_out_pairs=[], loss=LossConfig(), config=recipe["config"]
    )
    args = trainer_arguments(recipe["config"], seed=0, folder=folder)
    training = Training(seed=0, objective=objective, config=recipe["config"])
    return ObjectiveTrainer(training, args, metrics=MetricsFile(folder / "metrics.jsonl"))


def encoded(pairs: list[Pair], reward_model: RewardModel) -> list[PairExample]:
    return pair_examples(pairs, reward_model.renderer, loss=LossConfig(), max_tokens=64)


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("micro_tokens", [40, 130, 100_000])
@pytest.mark.parametrize("weights", [(1.0,), (0.5, 2.0, 1.0)])
def test_the_gradient_is_that_of_the_whole_batch(
    base: Path, tmp_path: Path, weights: tuple[float, ...], micro_tokens: int
) -> None:
    pairs = tiny.pairs(11)
    pairs.append(replace(pairs[0], id="again", rejected=pairs[1].rejected))  # equal rows run once
    pairs = [replace(pair, weight=weights[n % len(weights)]) for n, pair in enumerate(pairs)]
    total = sum(pair.weight for pair in pairs)
    ours = trainer(base, tmp_path, pairs, micro_tokens=micro_tokens)
    loss = ours.training_step(ours.model, [Drawn(n, pair.weight / total) for n, pair in enumerate(pairs)])
    found = gradients(ours.model)

    plain = trainer(base, tmp_path, pairs)
    examples = plain.objective.examples
    rewards = plain.objective.reward_model.rewards([e.chosen for e in examples] + [e.rejected for e in examples])
    loss_B = pair_losses(rewards[:12], rewards[12:], [e.target for e in examples], LossConfig())
    whole = (loss_B * loss_B.new_tensor([pair.weight for pair in pairs])).sum() / total
    whole.backward()
    expected = gradients(plain.model)
    assert loss.item() == pytest.approx(whole.item(), abs=1e-6)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        assert torch.allclose(found[name], gradient, rtol=1e-4, atol=1e-6), name


def test_a_weight_of_2_trains_as_the_pair_twice(bert: Path, tmp_path: Path) -> None:
    a, b = tiny.pairs(2)
    recipe = tiny.quick(bert, epochs=1.0)
    recipe["model"] = recipe["model"].model_copy(update={"dropout": 0.0})
    weights = {}
    for name, pairs in {"twice": [a, replace(a, id="a2"), b], "weighed": [replace(a, weight=2.0), b]}.items():
        train_reward(pairs, [], out=tmp_path / name, progress=silent, **recipe)
        weights[name] = load_file(tmp_path / name / "model" / "model.safetensors")
    assert weights["twice"].keys() == weights["weighed"].keys()
    for key, value in weights["twice"].items():
        assert torch.allclose(value, weights["weighed"][key], rtol=1e-3, atol=2e-5), key


def test_training_learns_and_writes_its_artifacts(base: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    pairs, held_out = tiny.pairs(60), tiny.pairs(30, seed=1)
    result = train_reward(
        pairs,
        held_out,
        seed=0,
        out=tmp_path / "seed-0",
        progress=seen.append,
        **tiny.quick(base, epochs=4, learning_rate=0.02),
    )
    assert result.held_out_accuracy is not None
    assert result.held_out_accuracy > 0.9
    scores = list(read_jsonl(result.scores_path))
    assert [row["pair_id"] for row in scores] == [pair.id for pair in held_out]
    assert result.held_out_accuracy == sum(row["chosen"] > row["rejected"] for row in scores) / 30
    rows = list(read_jsonl(result.metrics_path))
    assert [row["step"] for row in rows] == list(range(1, 33))
    assert [row["step"] for row in rows if "held_out_accuracy" in row] == [8, 16, 24, 32]
    assert rows[-1]["held_out_accuracy"] == result.held_out_accuracy
    assert sum(row["tokens"] for row in rows) == result.tokens
    assert [row["tokens"] for row in rows[:8]] != [row["tokens"] for row in rows[8:16]]  # each epoch draws anew
    assert sum(row["pairs"] for row in rows) == 4 * 60
    assert {"loss", "margin", "grad_norm", "learning_rate", "reward_std", "pairs_per_second"} <= rows[0].keys()
    body = read_json(tmp_path / "seed-0" / "train.json", "train/1")
    assert body["held_out"]["n"] == 30
    assert set(body["stages"]) == {"prepare", "train", "score", "save", "check"}
    early = [p.step for p in seen if p.stage == "train" and p.loss is not None and p.held_out_accuracy is None]
    assert early[:7] == [*range(1, 8)]
    assert seen[-1].stage == "done"
    # the saved folder scores as the file says
    again = RewardModel.load(result.model_folder)
    examples = encoded(held_out, again)
    rewards = again.score([e.chosen for e in examples], micro_tokens=500, sharing="off")
    assert np.allclose(rewards, [row["chosen"] for row in scores], atol=1e-5)


def test_the_same_seed_gives_the_same_weights_and_another_one_others(bert: Path, tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> bytes:
        out = tmp_path / name
        torch.rand(len(name))  # whatever the caller drew before does not matter
        train_reward(tiny.pairs(16), [], seed=seed, out=out, progress=silent, **tiny.quick(bert))
        return (out / "model" / "model.safetensors").read_bytes()

    state = torch.random.get_rng_state()
    first = weights("a", 0)
    torch.random.set_rng_state(state)
    torch.rand(1)
    expected = torch.rand(3)
    torch.random.set_rng_state(state)
    train_reward(tiny.pairs(16), [], seed=5, out=tmp_path / "c", progress=silent, **tiny.quick(bert))
    torch.rand(1)
    assert torch.equal(torch.rand(3), expected)  # and training leaves the caller's random numbers alone
    assert weights("bb", 0) == first
    assert weights("ccc", 1) != first


def test_a_loss_that_is_not_finite_names_step_and_pairs(bert: Path, tmp_path: Path) -> None:
    pairs = tiny.pairs(16)
    broken = [replace(p, margin=float("nan")) if i in {3, 9} else p for i, p in enumerate(pairs)]
    out = tmp_path / "seed-0"
    stages: list[str] = []
    with pytest.raises(TrainingError, match=r"Step [12]: .* p0-(3|9)\b") as caught:
        train_reward(
            broken,
            [],
            seed=0,
            out=out,
            progress=lambda now: stages.append(now.stage),
            **tiny.quick(bert),
            loss=LossConfig(margin="subtract"),
        )
    assert "p0-4" not in str(caught.value)
    assert stages[-1] == "stopped"
    assert not (out / "train.json").exists()


def test_a_gradient_that_is_not_finite_is_an_error(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not finite"):
        train_reward(
            tiny.pairs(16),
            [],
            seed=0,
            out=tmp_path / "seed-0",
            progress=silent,
            **tiny.quick(bert, learning_rate=1e30, epochs=4),
        )


def test_lora_trains_the_head_and_few_others(base: Path, tmp_path: Path) -> None:
    model = ModelConfig(base=str(base), max_tokens=64, tuning="lora", lora_rank=4)
    recipe = {**tiny.quick(base, learning_rate=0.02, epochs=4), "model": model}
    result = train_reward(tiny.pairs(40), tiny.pairs(20, seed=1), seed=0, out=tmp_path / "a", progress=silent, **recipe)
    assert result.held_out_accuracy is not None
    assert result.held_out_accuracy > 0.8
    reward_model = RewardModel.load(result.model_folder)
    examples = encoded(tiny.pairs(20, seed=1), reward_model)
    rewards = reward_model.score([e.chosen for e in examples], micro_tokens=500, sharing="off")
    assert np.allclose(rewards, [row["chosen"] for row in read_jsonl(result.scores_path)], atol=1e-5)


@pytest.mark.slow
def test_lora_resumes_bit_for_bit(bert: Path, tmp_path: Path) -> None:
    model = ModelConfig(base=str(bert), max_tokens=64, tuning="lora", lora_rank=4, lora_dropout=0.1)
    recipe = {**tiny.quick(bert), "model": model}

    class Stop(Exception):
        pass

    def stop(now: Progress) -> None:
        if now.step == 5:
            raise Stop

    train_reward(tiny.pairs(24), [], seed=0, out=tmp_path / "whole", progress=silent, **recipe)
    with pytest.raises(Stop):
        train_reward(tiny.pairs(24), [], seed=0, out=tmp_path / "cut", progress=stop, **recipe)
    kept = load_file(tmp_path / "cut" / "checkpoint-3" / "model.safetensors")
    assert all("lora" in name or "classifier" in name for name in kept)  # not the frozen trunk
    train_reward(tiny.pairs(24), [], seed=0, out=tmp_path / "cut", progress=silent, **recipe)
    whole, again = (
        {p.name: p.read_bytes() for p in (tmp_path / name / "model").glob("*.safetensors")} for name in ("whole", "cut")
    )
    assert whole == again


def test_bf16_rewards_are_float32(base: Path, tmp_path: Path) -> None:
    ours = trainer(base, tmp_path, tiny.pairs(16), precision="bf16")
    model = ours.accelerator.prepare(ours.model)
    examples = ours.objective.examples
    _, figures = model(examples, examples, examples)
    both = torch.cat([figures["chosen"], figures["rejected"]])
    assert both.dtype == torch.float32
    assert not torch.equal(both, both.bfloat16().float())  # not rounded to bfloat16 on the way


def test_refusals(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(EmptyBatchError, match="no training pairs"):
        train_reward([], tiny.pairs(3), seed=0, out=tmp_path / "a", **tiny.quick(bert))
    with pytest.raises(ConfigError, match="'nothing' is not a reporter"):
        train_reward(tiny.pairs(8), [], seed=0, out=tmp_path / "b", **tiny.quick(bert, report_to=("nothing",)))
