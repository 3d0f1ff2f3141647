"""Put PEFT adapters on a base: fresh ones to be trained, or a folder's, merged; refuses those of another model.

PEFT leaves out weights of an adapter that find no place and says so in a warning at most, so what was put on is held
against what stands in the file. Knows PEFT's folders; knows not what the model is for.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

from torch import nn

from assay.errors import ConfigError, ModelError, ModelNotFoundError, first_line
from assay.models import fourbit
from assay.models.config import ModelConfig
from assay.models.folder_faults import ADAPTER, shapes_in
from assay.models.quiet import drop_kernel_advice, quiet


def with_adapter(model: nn.Module, folder: Path | str, *, base: str) -> nn.Module:
    """The model with the adapter in `folder` merged into its weights, which it changes.

    Raises ModelNotFoundError for a folder without one, ModelError for an adapter of another base or another kind.
    """
    from peft import PeftModel
    from peft.utils import get_peft_model_state_dict

    path = Path(folder).expanduser()
    if not (path / ADAPTER).is_file():
        raise ModelNotFoundError(f"{folder}: no adapter there ({ADAPTER} is missing). Give a folder that PEFT wrote.")
    try:
        with quiet(), warnings.catch_warnings():
            # What it would save of resized embeddings: said of a base of another vocabulary, which is refused below.
            warnings.filterwarnings("ignore", message=".*save_embedding_layers", category=UserWarning)
            adapted = PeftModel.from_pretrained(model, str(path))
            there = {name: tuple(part.shape) for name, part in get_peft_model_state_dict(adapted).items()}
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise ModelError(
            f"{folder}: the adapter does not fit {base} ({first_line(error)}). Give the base it was trained on, which "
            f"stands in its {ADAPTER}."
        ) from None
    if getattr(adapted.active_peft_config, "is_prompt_learning", False):
        raise ModelError(
            f"{folder}: prompt and prefix tuning have no weights that could be merged. Give a LoRA adapter."
        )
    stored = shapes_in(path)
    amiss = sorted(name for name in {*stored, *there} if stored and stored.get(name) != there.get(name))
    if amiss:
        raise ModelError(
            f"{folder}: the adapter does not fit {base}: {len(amiss)} of its weights have no place there or another "
            f"shape ({', '.join(amiss[:2])}). Give the base it was trained on, which stands in its {ADAPTER}."
        )
    return cast("nn.Module", adapted.merge_and_unload())


def fresh_adapters(
    model: nn.Module, config: ModelConfig, *, task: Literal["SEQ_CLS", "CAUSAL_LM"], saved: Sequence[str] = ()
) -> nn.Module:
    """The model with LoRA on its linear layers, over 4-bit weights where so configured; it is changed.

    saved: modules trained whole beside, and kept with the adapters. Raises ConfigError for targets that are not there.
    """
    drop_kernel_advice()
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
    from transformers.pytorch_utils import Conv1D

    if config.tuning == "qlora":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        fourbit.keep_unpacked(model)
    lora = LoraConfig(
        task_type=task,
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=config.lora_targets if isinstance(config.lora_targets, str) else list(config.lora_targets),
        modules_to_save=list(saved) or None,
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),  # GPT-2 stores weights transposed
    )
    try:
        with quiet():
            return cast("nn.Module", get_peft_model(model, lora))
    except ValueError as error:
        raise ConfigError(f"model.lora_targets={config.lora_targets!r}: {first_line(error)}") from None
