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
from assay.train import Progress, train_reward, train_seeds
from assay.train.batches import Drawn, encode_pairs
from assay.train.config import LossConfig, TrainConfig
from assay.train.loop import RewardTrainer, Task
from assay.train.losses.targets import pair_losses
from assay.train.metrics import MetricsFile
from assay.train.optimiser import adamw, head_parameters, schedule_factor
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


def trainer(base: Path, folder: Path, pairs: list[Pair], **changes: Any) -> RewardTrainer:
    recipe = tiny.quick(base, **changes)
    torch.manual_seed(0)
    reward_model = RewardModel.from_base(recipe["model"])
    examples = encode_pairs(pairs, reward_model.renderer, model=recipe["model"], loss=LossConfig())
    task = Task(
        seed=0,
        pairs=examples,
        held_out=[],
        held_out_examples=[],
        loss=LossConfig(),
        config=recipe["config"],
        identity={},
    )
    args = trainer_arguments(recipe["config"], seed=0, folder=folder)
    return RewardTrainer(reward_model, task, args, metrics=MetricsFile(folder / "metrics.jsonl"))


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("micro_tokens", [40, 130, 100_000])
def test_the_gradient_is_that_of_the_whole_batch(base: Path, tmp_path: Path, micro_tokens: int) -> None:
    pairs = tiny.pairs(11)
    pairs.append(replace(pairs[0], id="again", rejected=pairs[1].rejected))  # equal rows run once
    ours = trainer(base, tmp_path, pairs, micro_tokens=micro_tokens)
    loss = ours.training_step(ours.model, [Drawn(i, 1 / 12) for i in range(12)])
    found = gradients(ours.model)

    plain = trainer(base, tmp_path, pairs)
    examples = plain.task.pairs
    rewards = plain.model.reward_model.rewards([e.chosen for e in examples] + [e.rejected for e in examples])
    whole = pair_losses(rewards[:12], rewards[12:], [e.target for e in examples], LossConfig()).mean()
    whole.backward()
    expected = gradients(plain.model)
    assert loss.item() == pytest.approx(whole.item(), abs=1e-6)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        assert torch.allclose(found[name], gradient, rtol=1e-4, atol=1e-6), name


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
    examples = encode_pairs(held_out, again.renderer, model=ModelConfig(max_tokens=64), loss=LossConfig())
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


def test_several_seeds(bert: Path, tmp_path: Path) -> None:
    recipe = tiny.quick(bert, seeds=(0, 3))
    found = train_seeds(tiny.pairs(16), tiny.pairs(9, seed=1), out=tmp_path, progress=silent, **recipe)
    values = [one.held_out_accuracy for one in found.results]
    assert [one.seed for one in found.results] == [0, 3]
    assert found.mean == pytest.approx(sum(v or 0 for v in values) / 2)
    assert found.spread == pytest.approx(abs((values[0] or 0) - (values[1] or 0)) / 2**0.5)
    assert (tmp_path / "seed-3" / "train.json").exists()
    drawn = [[row["tokens"] for row in read_jsonl(one.metrics_path)] for one in found.results]
    assert drawn[0] != drawn[1]  # another seed draws other batches
    one = train_seeds(tiny.pairs(16), [], out=tmp_path / "one", progress=silent, **tiny.quick(bert))
    assert (one.mean, one.spread) == (None, None)


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


def test_the_head_is_trained_and_a_frozen_one_is_refused(base: Path, tmp_path: Path) -> None:
    model = RewardModel.from_base(tiny.quick(base)["model"]).model
    names = head_parameters(model)
    assert names
    assert all("classifier" in name or "score" in name for name in names)
    for parameter in names.values():
        parameter.requires_grad_(False)
    with pytest.raises(TrainingError, match="would stay random"):
        head_parameters(model)


def test_lora_trains_the_head_and_few_others(base: Path, tmp_path: Path) -> None:
    model = ModelConfig(base=str(base), max_tokens=64, tuning="lora", lora_rank=4)
    recipe = {**tiny.quick(base, learning_rate=0.02, epochs=4), "model": model}
    result = train_reward(tiny.pairs(40), tiny.pairs(20, seed=1), seed=0, out=tmp_path / "a", progress=silent, **recipe)
    assert result.held_out_accuracy is not None
    assert result.held_out_accuracy > 0.8
    reward_model = RewardModel.load(result.model_folder)
    examples = encode_pairs(tiny.pairs(20, seed=1), reward_model.renderer, model=model, loss=LossConfig())
    rewards = reward_model.score([e.chosen for e in examples], micro_tokens=500, sharing="off")
    assert np.allclose(rewards, [row["chosen"] for row in read_jsonl(result.scores_path)], atol=1e-5)


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
    chosen_B, rejected_B = model(ours.task.pairs)
    both = torch.cat([chosen_B, rejected_B])
    assert both.dtype == torch.float32
    assert not torch.equal(both, both.bfloat16().float())  # not rounded to bfloat16 on the way


def test_head_learning_rate_and_weight_decay_make_groups(base: Path) -> None:
    model = RewardModel.from_base(tiny.quick(base)["model"]).model
    found = adamw(model, TrainConfig(learning_rate=1e-5, head_learning_rate=1e-3, weight_decay=0.1))
    groups = {(g["lr"], g["weight_decay"]): len(g["params"]) for g in found.param_groups}
    head = head_parameters(model)
    assert groups[(1e-3, 0.1)] == sum(p.ndim == 2 for p in head.values())
    assert sum(groups.values()) == sum(1 for _ in model.parameters())
    assert all(p.ndim >= 2 for g in found.param_groups if g["weight_decay"] for p in g["params"])


def test_schedules_by_hand() -> None:
    linear = schedule_factor(TrainConfig(warmup=0.2), 10)  # two steps of warm-up, eight down
    assert [round(linear(s), 4) for s in range(10)] == [
        0.3333,
        0.6667,
        1.0,
        0.875,
        0.75,
        0.625,
        0.5,
        0.375,
        0.25,
        0.125,
    ]
    constant = schedule_factor(TrainConfig(warmup=0.0, schedule="constant"), 10)
    assert [constant(s) for s in range(10)] == [1.0] * 10
    cosine = schedule_factor(TrainConfig(warmup=0.0, schedule="cosine"), 4)
    assert [round(cosine(s), 4) for s in range(4)] == [1.0, 0.8536, 0.5, 0.1464]
    assert schedule_factor(TrainConfig(warmup=0.06), 1)(0) == 1.0  # one step alone is a step


def test_refusals(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(EmptyBatchError, match="no training pairs"):
        train_reward([], tiny.pairs(3), seed=0, out=tmp_path / "a", **tiny.quick(bert))
    with pytest.raises(ConfigError, match="'nothing' is not a reporter"):
        train_reward(tiny.pairs(8), [], seed=0, out=tmp_path / "b", **tiny.quick(bert, report_to=("nothing",)))
