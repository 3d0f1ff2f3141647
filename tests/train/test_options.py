"""Every option is read: changing one changes the weights, an artifact, the work done, or is an error."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from assay.errors import AssayError
from assay.models.config import ModelConfig
from assay.records import Pair, Text, Vote
from assay.train import Progress, train_reward
from assay.train.config import LossConfig, RegulariseConfig, TrainConfig
from tests.support import tiny_bases as tiny
from tests.support import tiny_policy
from tests.support.threads import one_thread

# Where an option needs another one to matter, the baseline holds it.
HEADS = ("easy", "hard")
NO_DROPOUT = {"model.dropout": 0.0}
LORA = {"model.tuning": "lora", "model.lora_targets": ("query",)}
CHANGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "model.base": ("OTHER", {}),
    "model.revision": ("main", {}),
    "model.max_tokens": (9, {}),
    "model.tuning": ("lora", {}),
    "model.lora_rank": (3, LORA),
    "model.lora_alpha": (5, LORA),
    "model.lora_dropout": (0.5, LORA),
    "model.lora_targets": (("value",), LORA),
    "model.dropout": (0.4, {}),
    "model.heads": (HEADS, {}),
    "loss.kind": ("rao_kupper", {}),
    "loss.tie_threshold": (1.5, {"loss.kind": "rao_kupper"}),
    "loss.margin": ("subtract", {}),
    "loss.targets": ("votes", {}),
    "loss.label_smoothing": (0.2, {}),
    "loss.flip_share": (0.2, {}),
    "loss.centring": (0.5, {}),
    "regularise.text": (0.2, {"base": "policy"}),
    "regularise.text_beta": (1.0, {"base": "policy", "regularise.text": 0.5}),
    "regularise.consistency": (0.5, {"regularise.consistency_rules": ("case", "list_order")}),
    "regularise.consistency_rules": (("list_order",), {"regularise.consistency": 0.5}),
    "regularise.odin": ("on", NO_DROPOUT),
    "regularise.odin_length": (3.0, {**NO_DROPOUT, "regularise.odin": "on"}),
    "regularise.odin_orthogonality": (3.0, {**NO_DROPOUT, "regularise.odin": "on"}),
    "regularise.odin_spread": (0.0, {**NO_DROPOUT, "regularise.odin": "on"}),
    "train.epochs": (1.5, {}),
    "train.learning_rate": (1e-4, {}),
    "train.head_learning_rate": (1e-2, {}),
    "train.schedule": ("cosine", {}),
    "train.warmup": (0.5, {}),
    "train.weight_decay": (0.5, {}),
    "train.max_grad_norm": (1e-3, {}),
    "train.batch_pairs": (3, {}),
    "train.draw": ("prompts", {}),
    "train.micro_tokens": (64, {}),
    "train.precision": ("bf16", {}),
    "train.gradient_checkpointing": ("on", {}),
    "train.compile": ("on", {"base": "llama", "train.compile": "off"}),  # under auto another file is left
    "train.sharing": ("off", {"base": "llama"}),
    "train.keep_prompts": ("off", {"base": "llama"}),
    "train.save_every": (2, {}),
    "train.eval_every": (1, {}),
    "train.report_to": (("tensorboard",), {}),
}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("bases")
    return {
        "bert": tiny.base(root / "bert"),
        "OTHER": tiny.base(root / "other", seed=1),
        "llama": tiny.base(root / "llama", "llama"),
        "policy": tiny_policy.policy(root / "policy"),
    }


def test_every_option_has_its_change() -> None:
    kinds = {"model": ModelConfig, "loss": LossConfig, "regularise": RegulariseConfig, "train": TrainConfig}
    options = {f"{name}.{field}" for name, kind in kinds.items() for field in kind.model_fields}
    assert set(CHANGES) == options - {"train.seeds"}  # which is the flow's to read: tests/flows/test_reward_options.py


def listed(answer: Text) -> str:
    """With a list of three at its end, that a rule can turn round."""
    return f"{answer}\n- w1\n- w2\n- w3 good"


def data() -> list[Pair]:
    votes = tuple(Vote(choice=choice) for choice in ("chosen", "tie", "chosen"))
    return [
        replace(p, chosen=listed(p.chosen), margin=1.0, votes=votes, category=HEADS[number % 2])
        for number, p in enumerate(tiny.pairs(20))
    ]


OUTCOMES: dict[str, Any] = {}
# torch.compile warns of its own imports, once a process, and takes half a minute
WARNS = {"train.compile": [pytest.mark.filterwarnings("default"), pytest.mark.slow]}


@pytest.mark.parametrize("option", [pytest.param(option, marks=WARNS.get(option, [])) for option in CHANGES])
def test_changing_it_changes_something(option: str, bases: dict[str, Path], tmp_path: Path) -> None:
    value, needed = CHANGES[option]
    settings = {k: v for k, v in needed.items() if k != "base"}
    base = str(bases[needed.get("base", "bert")])
    value = str(bases[value]) if option == "model.base" else value
    plain = json.dumps({"model.base": base, **settings}, sort_keys=True)
    if plain not in OUTCOMES:  # many options are changed in the same run
        OUTCOMES[plain] = outcome(tmp_path / "before", bases, {"model.base": base, **settings})
    before = OUTCOMES[plain]
    after = outcome(tmp_path / "after", bases, {"model.base": base, **settings, option: value})
    assert before != after


def outcome(out: Path, bases: dict[str, Path], settings: dict[str, Any]) -> Any:
    """Weights, forwards done, checkpoints seen and files left; or the error."""
    groups: dict[str, dict[str, Any]] = {
        "model": {"max_tokens": 64},
        "loss": {},
        "regularise": {},
        "train": {"epochs": 1, "batch_pairs": 5, "precision": "float32", "learning_rate": 1e-3, "save_every": 3},
    }
    for key, value in settings.items():
        group, name = key.split(".")
        groups[group][name] = value
    checkpoints: set[str] = set()

    def look(now: Progress) -> None:
        checkpoints.update(path.name for path in out.glob("checkpoint-*"))

    try:
        with one_thread(), Counting() as counting:
            train_reward(
                data(),
                tiny.pairs(3, seed=1),
                out=out,
                progress=look,
                model=ModelConfig.build(groups["model"]),
                loss=LossConfig.build(groups["loss"]),
                regularise=RegulariseConfig.build(groups["regularise"]),
                config=TrainConfig.build(groups["train"]),
            )
    except AssayError as error:
        return type(error), str(error).replace(str(out), "OUT")
    left = {path.relative_to(out).parts[:2] for path in out.rglob("*") if path.is_file()}
    weights = {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in out.rglob("*.safetensors")
    }
    return weights, counting.linear, checkpoints, left


class Counting:
    """Counts how often a linear layer ran: recomputation and evaluation show in it."""

    def __enter__(self) -> Counting:
        self.linear = 0
        self._hook = torch.nn.modules.module.register_module_forward_hook(self._count)
        return self

    def _count(self, module: torch.nn.Module, inputs: Any, output: Any) -> None:
        self.linear += isinstance(module, torch.nn.Linear)

    def __exit__(self, *_: object) -> None:
        self._hook.remove()
