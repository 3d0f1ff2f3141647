"""LoRA and QLoRA by PEFT, with the reward head always trained in full. Knows PEFT; knows no data."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from assay.config import ModelConfig
from assay.errors import ModelError

HEADS = ("score", "classifier")


def with_adapters(model: nn.Module, config: ModelConfig) -> nn.Module:
    """The model with LoRA on its linear layers; the head is trained and saved whole (modules_to_save)."""
    from peft import LoraConfig, TaskType, get_peft_model, prepare_model_for_kbit_training

    if config.tuning == "qlora":
        model = prepare_model_for_kbit_training(model)
    heads = [name for name in HEADS if hasattr(model, name)]
    targets: Any = config.lora_targets if isinstance(config.lora_targets, str) else list(config.lora_targets)
    try:
        adapted: nn.Module = get_peft_model(
            model,
            LoraConfig(
                task_type=TaskType.SEQ_CLS,
                r=config.lora_rank,
                lora_alpha=config.lora_alpha,
                lora_dropout=config.lora_dropout,
                target_modules=targets,
                modules_to_save=heads,
            ),
        )
    except ValueError as error:
        raise ModelError(
            f"LoRA cannot be put on this base with lora_targets={config.lora_targets!r}: {error}"
        ) from None
    return adapted


def four_bit() -> dict[str, Any]:
    """Loading options of QLoRA: the trunk in 4 bit, the head never. Raises ModelError where that cannot run."""
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        raise ModelError(
            "tuning qlora needs bitsandbytes: pip install 'assay[qlora]'. LoRA needs nothing more."
        ) from None
    if not torch.cuda.is_available():
        raise ModelError("tuning qlora needs a CUDA device, and none is here. Use --tuning lora.")
    from transformers import BitsAndBytesConfig

    quantised = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=list(HEADS),
    )
    return {"quantization_config": quantised}


def merged(model: nn.Module) -> Any:
    """The plain transformers model with adapters folded in, leaving `model` as it was."""
    if not hasattr(model, "peft_config"):
        return model
    if any(getattr(module, "quant_state", None) is not None for module in model.modules()):
        raise ModelError("4-bit weights are not merged; load the adapter folder beside the base instead.")
    return copy.deepcopy(model).merge_and_unload()  # type: ignore[operator]
