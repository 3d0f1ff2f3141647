"""The transformers model inside torch.compile, DDP and PEFT wrappers, its trunk, and what PEFT put around it.

Knows how others wrap modules; knows not what the model is for.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from torch import nn

from assay.errors import ModelError


def unwrap(model: nn.Module) -> nn.Module:
    """The transformers model inside torch.compile, DDP and PEFT wrappers."""
    while True:
        outer, model = model, _unwrap_once(model)
        if hasattr(model, "get_base_model"):
            model = cast("nn.Module", model.get_base_model())  # type: ignore[operator]
        if model is outer:
            return model


def _unwrap_once(model: nn.Module) -> nn.Module:
    """The module inside torch.compile's or DDP's wrapper, PEFT left on."""
    if isinstance(model, nn.parallel.DistributedDataParallel):
        return cast("nn.Module", model.module)
    return cast("nn.Module", getattr(model, "_orig_mod", model))


def adapters_of(model: nn.Module) -> Collection[object]:
    """The configurations of PEFT's adapters around the model; none where PEFT is not used."""
    # torch.compile's wrapper and DDP's may stand outside PEFT's, in either order.
    configs = getattr(_unwrap_once(_unwrap_once(model)), "peft_config", None)
    return list(configs.values()) if isinstance(configs, dict) else []


def is_sharded(model: nn.Module) -> bool:
    """Whether FSDP holds the weights in parts: every pass is then one of all processes, and none can probe alone."""
    return any("FSDP" in base.__name__ for base in type(model).__mro__)


def trunk_of(model: nn.Module) -> nn.Module:
    """The part that turns token ids into hidden states. Raises ModelError if there is none by transformers' rules."""
    inner = unwrap(model)
    prefix = getattr(inner, "base_model_prefix", None)
    if isinstance(inner, nn.DataParallel):
        raise ModelError(
            "torch.nn.DataParallel runs copies of the model in threads, which share no prefixes. Give the model inside "
            "it (model.module), or start one process a device (torchrun or accelerate launch)."
        )
    if prefix is None:
        raise ModelError(
            f"{type(inner).__name__} is not a transformers model: the engine finds its trunk by base_model_prefix."
        )
    trunk = getattr(inner, prefix, None) if prefix else inner
    if trunk is None:  # it is a trunk itself, or named as its multimodal family names it (Llama 4)
        heads = inner.get_output_embeddings() is not None  # type: ignore[operator]
        trunk = getattr(inner, "model", inner) if heads else inner
    assert isinstance(trunk, nn.Module)
    return trunk
