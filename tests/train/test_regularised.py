"""Regularised training of rewards: values and gradients by hand, the same however a batch is cut, plainly saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from assay.artifacts.files import read_jsonl
from assay.data.made_mark import mark
from assay.errors import ConfigError
from assay.models.config import ModelConfig
from assay.models.resolve import resolve
from assay.models.wrappers import trunk_of
from assay.records import Pair
from assay.rewards.length_head import LengthHead, length_head
from assay.rewards.padded_forward import rewards_padded
from assay.rewards.reward_model import RewardModel
from assay.train import train_reward
from assay.train.config import LossConfig, RegulariseConfig, TrainConfig
from assay.train.losses.targets import pair_losses
from assay.train.pair_examples import PairExample, pair_examples
from assay.train.regularised import Regulariser, regulariser_of
from assay.train.reworded import reworded_rows
from tests.support import tiny_bases as tiny
from tests.support import tiny_policy

pytestmark = pytest.mark.usefixtures("one_thread")
LOSS = LossConfig()


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("bases")
    return {
        "bert": tiny.base(root / "bert", dropout=0.0),
        "llama": tiny.base(root / "llama", "llama"),
        "policy": tiny_policy.policy(root / "policy"),
        "tied": tied(tiny_policy.policy(root / "tied", seed=3)),
    }


def tied(folder: Path) -> Path:
    """The language model in a folder with one matrix for input and output."""
    model = AutoModelForCausalLM.from_pretrained(folder, tie_word_embeddings=True)
    model.tie_weights()
    model.save_pretrained(folder)
    return folder


def made(base: Path, pairs: list[Pair], tuning: str = "full", **options: Any) -> tuple[Regulariser, list[PairExample]]:
    """A regulariser over a new reward model, whose head is made larger so that rewards differ."""
    model = ModelConfig.build({"base": str(base), "max_tokens": 64, "tuning": tuning})
    reward_model = RewardModel.from_base(model, seed=0)
    config = RegulariseConfig.build(options)
    train = TrainConfig.build({"precision": "float32", "micro_tokens": 80})
    found = regulariser_of(reward_model, resolve(str(base), None), config, train, seed=0)
    assert found is not None
    head = length_head(reward_model.model)
    with torch.no_grad():
        for layer in [*([] if head is None else [head.weight]), *_heads(reward_model.model)]:
            layer.mul_(20)
    examples = pair_examples(pairs, reward_model.renderer, loss=LOSS, max_tokens=64)
    return found, examples


def _heads(model: nn.Module) -> list[Tensor]:
    trunk = {id(one) for one in trunk_of(model).parameters()}
    return [
        p
        for n, p in model.named_parameters()
        if id(p) not in trunk and p.requires_grad and "assay_length_head" not in n
    ]


def gradient(model: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def weighted(pairs: list[Pair]) -> list[Pair]:
    return [replace(pair, weight=1 + number % 3) for number, pair in enumerate(pairs)]


def in_parts(regulariser: Regulariser, examples: list[PairExample], size: int) -> Tensor:
    """The batch's loss as the loop adds it up: each pair's share of it, part by part."""
    total = sum(one.weight for one in examples)
    parts = [examples[start : start + size] for start in range(0, len(examples), size)]
    found = [
        (regulariser.losses(part, examples, LOSS).loss_B * torch.tensor([one.weight / total for one in part])).sum()
        for part in parts
    ]
    return torch.stack(found).sum()


def close(ours: dict[str, Tensor], theirs: dict[str, Tensor], names: set[str] | None = None) -> None:
    assert names is None or names <= ours.keys()
    # Float32 in another order, through a pooler and correlations: measured 3e-5 of the largest gradient. A share or a
    # slope that is left out is off by a tenth of it and more.
    atol = 1e-4 * max(1.0, *(float(one.abs().max()) for one in theirs.values()))
    for name in names or ours.keys() | theirs.keys():
        torch.testing.assert_close(ours[name], theirs[name], atol=atol, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}")


def odin_by_hand(regulariser: Regulariser, examples: list[PairExample]) -> Tensor:
    """ODIN's loss from plain transformers: hidden states of a hook on the head, correlations by their definition."""
    model, head = regulariser.reward_model.model, length_head(regulariser.reward_model.model)
    assert head is not None
    rows = [one.chosen for one in examples] + [one.rejected for one in examples]
    quality, length, vectors = [], [], []
    layer = model.score if hasattr(model, "score") else model.classifier
    for row in rows:  # one by one: nothing padded, nothing shared
        seen: list[Tensor] = []
        hook = layer.register_forward_pre_hook(lambda _m, given, seen=seen: seen.append(given[0]))
        quality.append(rewards_padded(model, [row])[0])
        hook.remove()
        vector = seen[0].reshape(-1, seen[0].shape[-1])[-1]
        vectors.append(vector)
        length.append(vector @ head.weight)
    q, r = torch.stack(quality), torch.stack(length)
    tokens = torch.tensor([float(len(row.ids) - row.prompt_tokens) for row in rows])

    def corr(x: Tensor) -> Tensor:
        return torch.corrcoef(torch.stack([x, tokens]))[0, 1]

    n = len(examples)
    share = torch.tensor([one.weight for one in examples])
    margin = (q + r)[:n] - (q + r)[n:]
    centring = LOSS.centring * ((q + r)[:n] + (q + r)[n:]).square()
    pairs = ((nn.functional.softplus(-margin) + centring) * share / share.sum()).sum()
    weight = layer.weight[0]
    cosine = nn.functional.cosine_similarity(weight, head.weight, dim=0)
    config = regulariser.config

    def eased(figure: Tensor, x: Tensor) -> Tensor:
        share = min(1.0, float(x.detach().std(unbiased=False)) / config.odin_spread) if config.odin_spread else 1.0
        return share * figure + (1 - share) * figure.detach()

    apart = eased(corr(q).abs(), q) + 1 - eased(corr(r), r)
    return pairs + config.odin_length * apart + config.odin_orthogonality * cosine.abs()


@pytest.mark.parametrize("kind", ["bert", "llama"])
@pytest.mark.parametrize(("size", "spread"), [(12, 0.0), (12, 9.0), (5, 9.0), (1, 0.0), (1, 1.0)])
def test_odin_is_the_loss_of_the_whole_batch_however_it_is_cut(
    kind: str, size: int, spread: float, bases: dict[str, Path]
) -> None:
    regulariser, examples = made(
        bases[kind], weighted(tiny.pairs(12)), odin="on", odin_length=0.7, odin_orthogonality=0.3, odin_spread=spread
    )
    model = regulariser.reward_model.model
    theirs_loss = odin_by_hand(regulariser, examples)
    theirs = gradient(model, theirs_loss)
    ours_loss = in_parts(regulariser, examples, size)
    # Of heads made 20 times larger a row alone and rows together differ by 2e-5 on a processor that has AVX2 alone.
    assert ours_loss.item() == pytest.approx(theirs_loss.item(), abs=1e-4)
    ours = gradient(model, ours_loss)
    assert float(ours["assay_length_head.weight"].abs().max()) > 0
    close(ours, theirs)


def test_odins_heads_part_and_the_saved_model_is_plain_and_gives_the_same(
    bases: dict[str, Path], tmp_path: Path
) -> None:
    """Of pairs whose chosen answer is always longer, the length head takes the length."""
    longer = [
        Pair(id=f"p{i}", prompt="w1 w2", chosen=" ".join(["w3"] * (4 + i % 5)), rejected="w3 " * (1 + i % 2) + "w4")
        for i in range(40)
    ]
    # Slopes as published: a few dozen steps of a tiny model do not spread rewards to where all of them count.
    regularise = RegulariseConfig(odin="on", odin_spread=0.0)
    recipe = {**tiny.quick(bases["llama"], epochs=4, micro_tokens=60), "regularise": regularise}
    done = train_reward(longer, longer[:12], seed=0, out=tmp_path / "seed-0", progress=lambda _: None, **recipe)
    rows = list(read_jsonl(done.metrics_path))
    assert float(rows[-1]["length_head_correlation"]) > 0.8  # type: ignore[arg-type]
    assert abs(float(rows[-1]["length_correlation"])) < 0.5  # type: ignore[arg-type]
    assert done.self_checks["reload_equal"].passed
    plain, info = AutoModelForSequenceClassification.from_pretrained(done.model_folder, output_loading_info=True)
    assert not info["unexpected_keys"]
    assert not info["missing_keys"]
    scores = list(read_jsonl(done.scores_path))
    renderer = RewardModel.load(done.model_folder).renderer
    with torch.no_grad():
        rewards = rewards_padded(plain.eval(), [renderer.encode(pair.prompt, pair.chosen) for pair in longer[:12]])
    assert rewards.tolist() == pytest.approx([float(row["chosen"]) for row in scores], abs=1e-5)  # type: ignore[arg-type]


def test_with_adapters_the_second_head_is_trained_and_left_behind_too(bases: dict[str, Path], tmp_path: Path) -> None:
    recipe = {**tiny.quick(bases["llama"], epochs=1), "regularise": RegulariseConfig(odin="on")}
    recipe["model"] = ModelConfig.build({"base": str(bases["llama"]), "max_tokens": 64, "tuning": "lora"})
    done = train_reward(tiny.pairs(16), tiny.pairs(4, seed=1), out=tmp_path / "s", progress=lambda _: None, **recipe)
    for file in (done.model_folder / "model.safetensors", done.model_folder / "adapter/adapter_model.safetensors"):
        assert not [name for name in load_file(file) if "length_head" in name]
    first, *_, last = list(read_jsonl(done.metrics_path))
    assert first["length_head_correlation"] != last["length_head_correlation"]


def text_by_hand(base: Path, examples: list[PairExample], beta: float) -> tuple[Tensor, nn.Module]:
    """GRM's term from transformers' own language model, row by row."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).train()
    losses = []
    for one in examples:
        row = one.chosen
        logits = model(input_ids=torch.tensor([row.ids])).logits[0].log_softmax(-1)
        ids = torch.tensor(row.ids)
        said = logits[row.prompt_tokens - 1 : -1].gather(1, ids[row.prompt_tokens :, None]).sum()
        losses.append(-nn.functional.logsigmoid(beta * said))
    return torch.stack(losses), model


@pytest.mark.parametrize(("base", "sharing"), [("policy", "on"), ("policy", "off"), ("tied", "on")])
def test_the_text_loss_is_the_bases_own_and_reaches_the_trunk(base: str, sharing: str, bases: dict[str, Path]) -> None:
    """Of a base whose embeddings read and write, both uses move them."""
    regulariser, examples = made(bases[base], tiny.pairs(6), text=0.25, text_beta=0.05)
    regulariser.sharing = sharing  # type: ignore[assignment]
    model = regulariser.reward_model.model
    found = regulariser.losses(examples, examples, LOSS)
    text_B, language = text_by_hand(bases[base], examples, 0.05)
    assert found.figures["text_loss"].tolist() == pytest.approx(text_B.tolist(), abs=1e-4)
    rows = [one.chosen for one in examples] + [one.rejected for one in examples]
    chosen_B, rejected_B = rewards_padded(model, rows).chunk(2)
    preference_B = pair_losses(chosen_B, rejected_B, [one.target for one in examples], LOSS)
    assert found.loss_B.tolist() == pytest.approx((0.75 * preference_B + 0.25 * text_B).tolist(), abs=1e-4)
    ours = gradient(model, found.loss_B.mean())
    pairs = gradient(model, 0.75 * preference_B.mean())
    words = gradient(language, 0.25 * text_B.mean())
    trunk = {f"model.{name}" for name, _ in trunk_of(model).named_parameters()}
    theirs = {name: pairs[name] + words[name] for name in trunk}
    close(ours, theirs, trunk)
    assert float(words["model.layers.0.mlp.up_proj.weight"].abs().max()) > 0
    close(ours, pairs, {"score.weight"})  # the text is nothing to the reward's head


def test_what_nobody_chose_is_not_taught(bases: dict[str, Path]) -> None:
    pairs = tiny.pairs(4)
    tie = replace(pairs[1], label="tie")
    beaten = replace(pairs[2], source=mark("rrm rejected_chosen", pairs[0]))
    regulariser, examples = made(bases["policy"], [pairs[0], tie, beaten, pairs[3]], text=0.25, text_beta=0.05)
    found = regulariser.losses(examples, examples, LOSS)
    text_B, _ = text_by_hand(bases["policy"], examples, 0.05)
    assert found.figures["text_loss"].tolist() == pytest.approx([text_B[0].item(), 0, 0, text_B[3].item()], abs=1e-4)
    nobody = regulariser.losses(examples[1:3], examples, LOSS)
    assert nobody.figures["text_loss"].tolist() == [0, 0]


def test_the_language_head_stays_and_is_not_saved(bases: dict[str, Path], tmp_path: Path) -> None:
    recipe = {**tiny.quick(bases["policy"]), "regularise": RegulariseConfig(text=0.1)}
    recipe["model"] = ModelConfig.build({"base": str(bases["policy"]), "max_tokens": 64, "tuning": "lora"})
    done = train_reward(tiny.pairs(16), tiny.pairs(4, seed=1), out=tmp_path / "s", progress=lambda _: None, **recipe)
    _, info = AutoModelForSequenceClassification.from_pretrained(done.model_folder, output_loading_info=True)
    assert not info["unexpected_keys"]
    assert {"text_loss", "preference_loss"} <= set(next(read_jsonl(done.metrics_path)))


def lists(n: int) -> list[Pair]:
    return [
        Pair(
            id=f"p{i}",
            prompt="w1",
            chosen=f"- w{i}\n- w2\n- good",
            rejected=f"- w{i}\n- w9\n- bad" if i % 2 else "bad w5",
        )
        for i in range(n)
    ]


@pytest.mark.parametrize("size", [6, 2])
def test_consistency_is_the_squared_change_under_a_rule(size: int, bases: dict[str, Path]) -> None:
    regulariser, examples = made(bases["llama"], lists(6), consistency=0.5, consistency_rules=("list_order",))
    model = regulariser.reward_model
    again = reworded_rows(lists(6), model.renderer, rules=("list_order",), max_tokens=64, seed=0)
    assert [one.rejected is None for one in again] == [True, False] * 3  # what is no list has no other order
    examples = [replace(one, reworded=other) for one, other in zip(examples, again, strict=True)]

    def reward(prompt: str, answer: str) -> Tensor:
        return rewards_padded(model.model, [model.renderer.encode(prompt, answer)])[0]

    by_hand = []
    for number, pair in enumerate(lists(6)):
        chosen, rejected = reward("w1", str(pair.chosen)), reward("w1", str(pair.rejected))
        turned = reward("w1", f"- good\n- w2\n- w{number}")
        moved = (chosen - turned).square()
        if number % 2:
            moved = moved + (rejected - reward("w1", f"- bad\n- w9\n- w{number}")).square()
        loss = nn.functional.softplus(rejected - chosen) + LOSS.centring * (chosen + rejected).square()
        by_hand.append(loss + 0.5 * moved / 2)
    theirs = gradient(model.model, torch.stack(by_hand).mean())
    ours_loss = in_parts(regulariser, examples, size)
    assert ours_loss.item() == pytest.approx(torch.stack(by_hand).mean().item(), abs=1e-5)
    close(gradient(model.model, ours_loss), theirs)


class StopHere(Exception):
    """As an interrupt would be."""


def stop_at(step: int) -> Callable[[Any], None]:
    def progress(now: Any) -> None:
        if now.stage == "train" and now.step == step:
            raise StopHere

    return progress


@pytest.mark.slow
def test_stopped_and_started_again_odin_ends_with_the_same_bits(bases: dict[str, Path], tmp_path: Path) -> None:
    recipe = {**tiny.quick(bases["bert"]), "regularise": RegulariseConfig(odin="on")}
    data, held = tiny.pairs(24), tiny.pairs(6, seed=1)
    whole = train_reward(data, held, out=tmp_path / "whole", progress=lambda _: None, **recipe)
    with pytest.raises(StopHere):
        train_reward(data, held, out=tmp_path / "again", progress=stop_at(5), **recipe)
    again = train_reward(data, held, out=tmp_path / "again", progress=lambda _: None, **recipe)
    names = ("model/model.safetensors", "scores.jsonl")
    for name in names:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert whole.figures == again.figures


@pytest.mark.parametrize(
    ("kind", "model", "options", "said"),
    [
        ("bert", {}, {"text": 0.1}, "is an encoder, which speaks no answer"),
        ("bert", {"dropout": 0.1}, {"odin": "on"}, "with dropout they would be other rewards"),
        ("bert", {"dropout": None}, {"odin": "on"}, "with dropout they would be other rewards"),
        ("bert", {}, {"consistency": 0.1, "consistency_rules": ("filler",)}, "filler is no rule that keeps what"),
        ("bert", {}, {"consistency": 0.1, "consistency_rules": ("list_order",)}, "list_order change no answer"),
        ("llama", {}, {"text": 0.1}, "does not open as a language model"),
    ],
)
def test_what_cannot_be_is_refused(
    kind: str, model: dict[str, Any], options: dict[str, Any], said: str, bases: dict[str, Path], tmp_path: Path
) -> None:
    recipe = tiny.quick(bases[kind])
    recipe["model"] = ModelConfig.build({"base": str(bases[kind]), "max_tokens": 64, **model})
    with pytest.raises((ConfigError, Exception), match=said):
        train_reward(
            tiny.pairs(8), [], out=tmp_path / "s", progress=lambda _: None, regularise=RegulariseConfig.build(options),
            **recipe,
        )  # fmt: skip
    assert not (tmp_path / "s" / "train.json").exists()


def test_the_second_head_is_no_head_of_the_reward(bases: dict[str, Path]) -> None:
    regulariser, examples = made(bases["bert"], tiny.pairs(4), odin="on")
    model = regulariser.reward_model
    before = model.score([one.chosen for one in examples])
    head = length_head(model.model)
    assert isinstance(head, LengthHead)
    with torch.no_grad():
        head.weight.mul_(-3)
    np.testing.assert_array_equal(before, model.score([one.chosen for one in examples]))
