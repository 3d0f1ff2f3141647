"""A step whose prompts are kept between passes is the step that it was: losses, figures, every gradient."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from assay.engine import rows_apart
from assay.models.config import ModelConfig
from assay.models.resolve import resolve
from assay.records import Pair
from assay.rewards.reward_model import RewardModel
from assay.train import loop
from assay.train.batches import Drawn
from assay.train.config import LossConfig, RegulariseConfig, TrainConfig
from assay.train.loop import ObjectiveTrainer, Training
from assay.train.metrics import MetricsFile
from assay.train.objective import AnyObjective
from assay.train.pair_examples import pair_examples
from assay.train.passes import Pass, in_as_many, keeping, passes
from assay.train.regularised import regulariser_of
from assay.train.reward import RewardObjective
from assay.train.trainer_options import trainer_arguments
from tests.support import tiny_bases as tiny
from tests.support import toy_dpo, two_kept_prompts
from tests.support.threads import one_thread
from tests.support.torchrun import run_in_two_processes

pytestmark = pytest.mark.usefixtures("one_thread")
PROMPT = " ".join(f"w{n}" for n in range(2, 26))
LOSS = LossConfig()
SMALL = 50  # tokens of a pass: the prompt and a pair; not eight answers without the prompt


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("llama") / "base", "llama")


def answers(count: int) -> list[str]:
    return [
        f"w{n} {'good' if n % 2 else 'bad'} " + " ".join(f"w{n + m}" for m in range(3 + n % 5)) for n in range(count)
    ]


def disjoint() -> list[Pair]:
    """Four pairs of eight answers to one prompt, and two of other prompts."""
    eight = answers(8)
    long = [
        Pair(id=f"a{n}", prompt=PROMPT, chosen=eight[n], rejected=eight[n + 1], weight=1 + n / 4) for n in (0, 2, 4, 6)
    ]
    return [*long, *tiny.pairs(2)]


def every_one() -> list[Pair]:
    """All pairs of eight answers, and one of another prompt."""
    some = itertools.combinations(answers(8), 2)
    return [*(Pair(id=f"b{n}", prompt=PROMPT, chosen=a, rejected=b) for n, (a, b) in enumerate(some)), *tiny.pairs(1)]


def config(**changes: Any) -> TrainConfig:
    return TrainConfig.build({"precision": "float32", "batch_pairs": 64, "micro_tokens": SMALL, **changes})


def reward(base: Path, pairs: Sequence[Pair], train: TrainConfig, **regularise: Any) -> RewardObjective:
    model = RewardModel.from_base(ModelConfig.build({"base": str(base), "max_tokens": 64}), seed=0)
    asked = RegulariseConfig.build(regularise)
    return RewardObjective(
        model,
        pair_examples(pairs, model.renderer, loss=LOSS, max_tokens=64),
        [],
        held_out_pairs=[],
        loss=LOSS,
        config=train,
        regulariser=regulariser_of(model, resolve(str(base), None), asked, train, seed=0),
    )


def dpo(base: Path, pairs: Sequence[Pair], train: TrainConfig) -> toy_dpo.DpoObjective:
    model, renderer = toy_dpo.LlamaForCausalLM.from_pretrained(base), toy_dpo.Renderer.from_pretrained(base)
    examples = pair_examples(pairs, renderer, loss=LOSS, max_tokens=64)
    reference = {row: -float(len(row.ids)) for one in examples for row in one.rows}
    return toy_dpo.DpoObjective(model, renderer, examples, [], [], reference, train)


class Stepped:
    """One training step: its loss, what it saw of every example, and its gradients."""

    def __init__(self, objective: AnyObjective, train: TrainConfig, folder: Path) -> None:
        if train.gradient_checkpointing == "on":
            objective.model.activation_checkpointing_enable()
        args = trainer_arguments(train, seed=0, folder=folder)
        training = Training(seed=0, objective=objective, config=train)
        trainer = ObjectiveTrainer(training, args, metrics=MetricsFile(folder / "metrics.jsonl"))
        weights = [one.weight for one in objective.examples]
        drawn = [Drawn(n, weight / sum(weights)) for n, weight in enumerate(weights)]
        self.loss = trainer.training_step(trainer.model, drawn)
        self.seen = {one.name: one for one in trainer.seen}
        self.gradients: dict[str, Tensor] = {
            name: p.grad for name, p in trainer.model.named_parameters() if p.grad is not None
        }

    def assert_same(self, other: Stepped) -> None:
        assert self.loss.item() == pytest.approx(other.loss.item(), rel=1e-5)
        assert self.seen.keys() == other.seen.keys()
        for name, one in self.seen.items():
            assert one.loss == pytest.approx(other.seen[name].loss, rel=1e-4, abs=1e-6)
            assert one.figures == pytest.approx(other.seen[name].figures, rel=1e-4, abs=1e-5)
        assert self.gradients.keys() == other.gradients.keys()
        for name, gradient in other.gradients.items():
            worst = (self.gradients[name] - gradient).abs().max() / gradient.abs().max().clamp(min=1e-9)
            assert worst <= 2e-5, name


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Pass]:
    """Prompts of 8 tokens are long enough here; the passes that were planned."""
    found: list[Pass] = []

    def noted(*args: Any, **options: Any) -> list[Pass]:
        found[:] = passes(*args, **options, shortest=8)
        return found

    monkeypatch.setattr(loop, "passes", noted)
    return found


def apart_of(planned: Sequence[Pass]) -> int:
    return sum(one.apart is not None for one in planned)


@pytest.mark.parametrize("pairs", [disjoint, every_one])
@pytest.mark.parametrize("checkpointing", ["off", "on"])
def test_a_reward_step(base: Path, tmp_path: Path, planned: list[Pass], pairs: Any, checkpointing: str) -> None:
    whole = config(micro_tokens=100_000, sharing="off")
    expected = Stepped(reward(base, pairs(), whole), whole, tmp_path)
    assert not any(one.kept for one in planned)
    train = config(gradient_checkpointing=checkpointing)
    ours = Stepped(reward(base, pairs(), train), train, tmp_path)
    assert [one.closing for one in planned if one.kept and not one.apart].count(True) == (pairs is disjoint)
    assert apart_of(planned) == (pairs is every_one)
    assert sum(one.kept is not None for one in planned) >= 1 + (pairs is disjoint), "one pass has nothing to gather"
    ours.assert_same(expected)
    again = config(keep_prompts="off")
    Stepped(reward(base, pairs(), again), again, tmp_path).assert_same(expected)
    assert not any(one.kept for one in planned)


@pytest.mark.parametrize("pairs", [disjoint, every_one])
def test_a_step_of_dpo(tmp_path: Path, planned: list[Pass], pairs: Any) -> None:
    policy = toy_dpo.policy(tmp_path / "policy")
    off, on = config(keep_prompts="off"), config()
    expected = Stepped(dpo(policy, pairs(), off), off, tmp_path)
    ours = Stepped(dpo(policy, pairs(), on), on, tmp_path)
    assert any(one.kept for one in planned)
    ours.assert_same(expected)


def test_a_step_whose_pairs_need_each_other_through_other_terms(
    base: Path, tmp_path: Path, planned: list[Pass]
) -> None:
    """ODIN's correlations are of the whole batch, of which a family that keeps a prompt is a part."""
    odin = {"odin": "on", "odin_length": 0.5}
    for pairs in (disjoint(), every_one()):
        off, on = config(keep_prompts="off"), config()
        expected = Stepped(reward(base, pairs, off, **odin), off, tmp_path)
        ours = Stepped(reward(base, pairs, on, **odin), on, tmp_path)
        assert any(one.kept for one in planned)
        ours.assert_same(expected)


def test_slopes_that_are_left_out_are_seen(
    base: Path, tmp_path: Path, planned: list[Pass], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above can fail: without what rows apart go back through, the trunk learns nothing of them."""
    off, on = config(keep_prompts="off"), config()
    expected = Stepped(reward(base, every_one(), off), off, tmp_path)
    monkeypatch.setattr(rows_apart.RowsApart, "backward", lambda _self: None)
    ours = Stepped(reward(base, every_one(), on), on, tmp_path)
    with pytest.raises(AssertionError):
        ours.assert_same(expected)


def test_fewer_tokens_are_run(base: Path, tmp_path: Path, planned: list[Pass]) -> None:
    ran = {}
    for switch in ("on", "off"):
        train = config(keep_prompts=switch)
        objective = reward(base, every_one(), train)
        Stepped(objective, train, tmp_path)  # probes are behind us
        tokens: list[int] = []
        objective.model.base_model.layers[0].mlp.register_forward_hook(
            lambda _m, args, _o, tokens=tokens: tokens.append(args[0].shape[1])
        )
        Stepped(objective, train, tmp_path)
        ran[switch] = sum(tokens)
        assert max(tokens) <= SMALL
    assert 3 * ran["on"] < ran["off"]


def test_what_may_be_kept(base: Path) -> None:
    model = reward(base, disjoint(), config()).model
    assert keeping(model, processes=1, asked=True) == "rows apart"
    assert keeping(model, processes=2, asked=True) == "examples whole"
    assert keeping(model, processes=1, asked=False) == "no"
    model.config.attention_dropout = 0.1
    assert keeping(model, processes=1, asked=True) == "examples whole"


@pytest.mark.slow
def test_two_processes_that_keep_a_prompt_each_are_one(base: Path, tmp_path: Path) -> None:
    """The last pass of all goes back through the prompt, and what processes exchange is whole by then."""
    with one_thread():
        two_kept_prompts.train(tmp_path / "one", base)
    run_in_two_processes("tests.support.two_kept_prompts", tmp_path / "two", base)
    one, two = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, value in one.items():
        assert torch.allclose(value, two[name], rtol=1e-3, atol=2e-5), name


def test_every_example_is_in_one_pass(base: Path) -> None:
    train = config()
    examples = reward(base, [*every_one(), *disjoint()], train).examples
    cut_ = functools.partial(passes, [replace(one) for one in examples], layout="shared", shortest=8)
    for keep in ("rows apart", "examples whole", "no"):
        found = cut_(micro_tokens=SMALL, keep=keep)
        assert sorted(place for one in found for place in one.places) == list(range(len(examples)))
        closed = [one.kept for one in found if one.closing]
        kept = {id(one.kept) for one in found if one.kept and not one.apart}
        assert len(closed) == len(kept), "each kept prompt is closed once"
    assert not any(one.kept for one in passes(examples, micro_tokens=SMALL, layout="padded", keep="rows apart"))
    assert torch.is_grad_enabled()


def test_passes_are_made_as_many_as_another_process_needs() -> None:
    """Each example counts once, and one that is run again counts nothing."""
    three = [Pass(places=[0, 1, 2, 3, 4]), Pass(places=[5])]
    assert in_as_many(three, 2) == three
    found = in_as_many(three, 9)
    assert len(found) == 9
    assert sorted(place for one in found if one.counts for place in one.places) == [0, 1, 2, 3, 4, 5]
    assert [one.counts for one in found] == [True] * 6 + [False] * 3
    assert [list(one.places) for one in in_as_many(three, 3)] == [[0, 1, 2], [3, 4], [5]]
