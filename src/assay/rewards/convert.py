"""Write a reward model whose head has a name of its own (v_head, value_head) as plain sequence classification.

1) open the folder as the class that everyone's servers read; 2) find the head that this left out; 3) put it in the
class's place; 4) settle which token is padding, so that the reward is read at the row's last token as the value head's
is; 5) save. Knows folders and heads; knows no data.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from assay.errors import InputError, ModelError
from assay.models.head import head_layers
from assay.models.local_model import kind_of
from assay.models.opening import open_config, open_weights, told_as
from assay.models.quiet import quiet
from assay.models.resolve import locate
from assay.models.transformers_types import config_of
from assay.render.encoder import Renderer, settle_padding
from assay.rewards.leftovers import ValueHead, leftover, value_head
from assay.rewards.new_model import fit_padding


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What was made: the head by its old name, the class, and a bias of the head that the class has no place for."""

    head: str
    kind: str
    left_out: float


def convert_model(name: str, out: Path, *, template: str | None = None) -> Converted:
    """Make the plain folder `out` of the reward model called `name`.

    template: as Renderer.from_pretrained takes it. Raises ModelError where there is no head of one linear layer under
    another name, InputError for a folder that is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there already and not empty. Give --out another name.")
    folder = locate(name).folder
    model, missing, unused = _opened(folder)
    head = _head(folder, model, missing=missing, unused=unused)
    renderer = Renderer.from_pretrained(folder, adapt="published", template=template)
    assert renderer.rules is not None  # a decoder's
    settle_padding(renderer.tokenizer, renderer.rules)
    fit_padding(model, renderer)
    (layer,) = head_layers(model).values()
    bias: nn.Parameter | None = layer.bias
    with torch.no_grad():
        layer.weight.copy_(head.weight_1H)
        if bias is not None:
            bias.fill_(head.bias or 0.0)
    config_of(model).problem_type = "regression"
    out.mkdir(parents=True, exist_ok=True)
    with quiet():
        model.save_pretrained(out)  # type: ignore[operator]
        renderer.save(out)
    left_out = (head.bias or 0.0) if bias is None else 0.0
    return Converted(head=head.name, kind=type(model).__name__, left_out=left_out)


def _opened(folder: Path) -> tuple[nn.Module, set[str], set[str]]:
    """The folder as sequence classification of one output, the weights that are missing, those it does not use."""
    from transformers import AutoModelForSequenceClassification

    def not_openable(why: str) -> str:
        return f"{folder}: transformers cannot open it as a sequence-classification model ({why})."

    with quiet(), told_as(not_openable):
        config = open_config(folder, num_labels=1)
        if kind_of(config) == "encoder":
            raise ModelError(f"{folder} is an encoder, whose classification head is no single layer. Take a decoder.")
        model, info = open_weights(
            AutoModelForSequenceClassification,
            folder,
            config=config,
            dtype=torch.float32,
            output_loading_info=True,
        )
    return model, set(info["missing_keys"]), set(info["unexpected_keys"])


def _head(folder: Path, model: nn.Module, *, missing: Collection[str], unused: Collection[str]) -> ValueHead:
    layers = head_layers(model)
    places = {f"{name}.{part}" for name in layers for part in ("weight", "bias")}
    if not missing:
        raise ModelError(f"{folder}: its head is where sequence classification reads it. Score it as it is.")
    lost = sorted(set(missing) - places)
    if lost or len(layers) != 1:
        raise ModelError(f"{folder}: more than the head is not in its files ({', '.join(lost[:3])}). Fetch it again.")
    found = value_head(folder, leftover(unused))
    width = next(iter(layers.values())).in_features
    if found is None or found.weight_1H.shape[1] != width:
        left = ", ".join(leftover(unused)[:3]) or "none"
        raise ModelError(
            f"{folder}: no head of one linear layer with one output and {width} inputs (weights beside the trunk's: "
            f"{left}). There is nothing that could be converted."
        )
    return found
