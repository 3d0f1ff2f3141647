"""Each loss that trl.DPOTrainer offers: trained beside it, the same losses, gradients and weights, LoRA as well."""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args

import pytest
import torch
from datasets import Dataset
from torch import Tensor, nn
from transformers import TrainerCallback

from assay.engine.logprobs import completion_logprobs
from assay.errors import ConfigError
from assay.render.encoder import Encoded
from assay.train.config import TrainConfig
from assay.train.dpo.config import DpoConfig, LossType, PolicyModelConfig
from assay.train.dpo.dpo_losses import LOSSES
from assay.train.dpo.dpo_objective import DpoObjective
from assay.train.dpo.reference import Cut, Reference
from assay.train.losses.targets import Target
from assay.train.pair_examples import PairExample
from tests.engine.test_drop_in_trl import preferences, tokenizer
from tests.support.tiny_models import language_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.usefixtures("one_thread"),
]
PAIRS, STEPS = 6, 4
CASES: list[dict[str, Any]] = [
    *({"loss_type": [name]} for name in get_args(LossType) if name != "exo_pair"),
    {"loss_type": ["exo_pair"], "label_smoothing": 0.1},
    {"loss_type": ["robust"], "label_smoothing": 0.2, "beta": 0.5},
    {"loss_type": ["aot"], "label_smoothing": 0.1},
    {"loss_type": ["sigmoid", "sft", "bco_pair"], "loss_weights": [1.0, 0.3, 0.5]},
    {"loss_type": ["sigmoid"], "f_divergence_type": "forward_kl"},
    {"loss_type": ["hinge"], "f_divergence_type": "js_divergence"},
    {
        "loss_type": ["sigmoid_norm"],
        "f_divergence_type": "alpha_divergence",
        "f_alpha_divergence_coef": 0.3,
        "beta": 5.0,
    },
    {"loss_type": ["sigmoid"], "ld_alpha": 0.25},
]


def rate(case: dict[str, Any]) -> float:
    """A step that moves the weights, and not so far that rounding grows: sppo_hard's gradients are in the hundreds."""
    return 1e-4 if case["loss_type"] == ["sppo_hard"] else 0.05


class Watching(TrainerCallback):  # type: ignore[misc]
    """The first step's gradients, and every step's loss."""

    def __init__(self) -> None:
        self.gradients: list[Tensor] = []
        self.losses: list[float] = []

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: nn.Module, **_: Any) -> None:
        if not self.gradients:
            self.gradients = gradients(model)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        if "loss" in logs:
            self.losses.append(logs["loss"])


def gradients(model: nn.Module) -> list[Tensor]:
    return [p.grad.clone() for p in model.parameters() if p.requires_grad and p.grad is not None]


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters() if p.requires_grad])


def policy(tuning: str) -> nn.Module:
    model = language_model("llama")
    if tuning == "full":
        return model
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(3)
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=16, target_modules="all-linear")
    return cast("nn.Module", get_peft_model(model, lora))


def theirs(model: nn.Module, case: dict[str, Any], folder: Path) -> tuple[Watching, Dataset]:
    """TRL's trainer over all pairs at once, plain gradient descent."""
    from trl import DPOConfig, DPOTrainer

    watching = Watching()
    common: dict[str, Any] = {
        "per_device_train_batch_size": PAIRS, "max_steps": STEPS, "optim": "sgd", "lr_scheduler_type": "constant",
        "bf16": False, "gradient_checkpointing": False, "report_to": [], "save_strategy": "no", "logging_steps": 1,
        "disable_tqdm": True, "dataloader_pin_memory": False, "use_cpu": True, "max_grad_norm": 1e9,
    }  # fmt: skip
    config = DPOConfig(output_dir=str(folder), learning_rate=rate(case), **common, **case)
    full = not hasattr(model, "peft_config")
    trainer = DPOTrainer(
        model=model, ref_model=copy.deepcopy(model) if full else None, args=config, train_dataset=preferences(PAIRS),
        processing_class=tokenizer(), callbacks=[watching],
    )  # fmt: skip
    trainer.train()
    return watching, trainer.train_dataset


def objective(model: nn.Module, data: Dataset, case: dict[str, Any]) -> DpoObjective:
    dpo = DpoConfig.build(case)
    examples = [
        PairExample(
            name=str(number),
            chosen=Encoded(ids=(*row["prompt_ids"], *row["chosen_ids"]), prompt_tokens=len(row["prompt_ids"])),
            rejected=Encoded(ids=(*row["prompt_ids"], *row["rejected_ids"]), prompt_tokens=len(row["prompt_ids"])),
            target=Target(win=1, tie=0, loss=0),
        )
        for number, row in enumerate(data)
    ]
    cuts: list[Cut] = [(row, start) for one in examples for row in one.rows for start in range(1, len(row.ids))]
    with torch.no_grad():
        values = completion_logprobs(model, [row.ids for row, _ in cuts], [start for _, start in cuts]).tolist()
    unused: Any = None
    return DpoObjective(
        model=model,
        renderer=unused,
        origin=unused,
        base=PolicyModelConfig(),
        examples=examples,
        held_out=[],
        held_out_pairs=[],
        reference=Reference({"float32": dict(zip(cuts, values, strict=True))}),
        fresh=unused,
        dpo=dpo,
        config=TrainConfig(),
    )


def ours(made: DpoObjective, parts: Sequence[Sequence[int]], step: float) -> tuple[list[float], list[Tensor]]:
    """The same steps by our losses, a batch cut into `parts`; losses, and the first step's gradients."""
    found: list[float] = []
    first: list[Tensor] = []
    for _ in range(STEPS):
        total = 0.0
        for places in parts:
            loss_B = made.losses([made.examples[place] for place in places], made.examples).loss_B
            (loss_B.sum() / PAIRS).backward()
            total += loss_B.sum().item() / PAIRS
        first = first or gradients(made.model)
        with torch.no_grad():
            for parameter in made.model.parameters():
                if parameter.grad is not None:
                    parameter.sub_(step * parameter.grad)
                    parameter.grad = None
        found.append(total)
    return found, first


@pytest.mark.parametrize("tuning", ["full", pytest.param("lora", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(str(value) for value in case.values()))
def test_a_loss_is_trls(case: dict[str, Any], tuning: str, tmp_path: Path) -> None:
    trained = policy(tuning)
    start = weights(trained).clone()
    watching, data = theirs(trained, case, tmp_path)
    made = objective(policy(tuning), data, case)
    whole = any(name.startswith("aot") for name in case["loss_type"])
    parts = [range(PAIRS)] if whole else [range(1), range(1, 4), range(4, PAIRS)]
    losses, first = ours(made, parts, rate(case))
    torch.testing.assert_close(losses, watching.losses, rtol=1e-5, atol=1e-5)
    assert len(first) == len(watching.gradients)
    for mine, its in zip(first, watching.gradients, strict=True):
        assert (mine - its).abs().max() <= 1e-5 * max(1.0, float(its.abs().max()))
    assert (weights(trained) - start).abs().max() > 1e-4  # something was learned, or nothing is compared
    torch.testing.assert_close(weights(made.model), weights(trained), rtol=1e-5, atol=1e-5)


def test_every_loss_of_trl_is_there() -> None:
    """A version of TRL with a further loss is noticed here."""
    from trl import DPOTrainer

    offered = set(re.findall(r'loss_type == "(\w+)"', inspect.getsource(DPOTrainer._compute_loss)))
    assert offered == set(LOSSES) == set(get_args(LossType))


def test_a_loss_that_sorts_a_batch_refuses_a_part(tmp_path: Path) -> None:
    case = {"loss_type": ["aot"]}
    _, data = theirs(policy("full"), case, tmp_path)
    made = objective(policy("full"), data, case)
    with pytest.raises(ConfigError, match=r"aot compares all pairs of a batch.*train\.micro_tokens"):
        made.losses(made.examples[:2], made.examples)
