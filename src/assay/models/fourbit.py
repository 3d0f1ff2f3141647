"""Load a trunk in 4 bit, keep it so while adapters are trained, and make it plain float32 weights again for saving.

Knows bitsandbytes and PEFT; knows no head and no loss.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import torch
from torch import nn

from assay.errors import ConfigError


def loading() -> dict[str, object]:
    """How transformers loads a base in 4 bit, the head left in float32. Raises ConfigError without bitsandbytes."""
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigError("model.tuning=qlora needs bitsandbytes. Install it: pip install 'assay[qlora]'.")
    from transformers import BitsAndBytesConfig

    return {
        "dtype": torch.float32,
        "device_map": {"": torch.cuda.current_device() if torch.cuda.is_available() else "cpu"},
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
            # The head is trained whole, which weights in 4 bit cannot be.
            llm_int8_skip_modules=["score", "classifier", "lm_head"],
        ),
    }


def keep_unpacked(model: nn.Module) -> None:
    """Keep bitsandbytes from repacking weights for inference on a CPU, after which no adapter can be merged."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            vars(module)["support_avx512bf16_for_cpu"] = False


def to_float(model: nn.Module, trunk: nn.Module) -> None:
    """Make every 4-bit layer of a PEFT model a plain one in float32, its adapter added, in place.

    PEFT's own merge would round the sum to 4 bit again, which is another model than the one trained. trunk: the
    transformers model inside, whose marks of quantisation are taken off.
    """
    from bitsandbytes.nn import Linear4bit
    from peft.tuners.lora.bnb import Linear4bit as Adapted
    from peft.utils.integrations import dequantize_bnb_weight

    def plain(layer: Any) -> nn.Linear:
        weight = dequantize_bnb_weight(layer.weight, state=layer.weight.quant_state).float()
        made = nn.Linear(weight.shape[1], weight.shape[0], bias=layer.bias is not None, device=weight.device)
        made.weight.data = weight
        if layer.bias is not None:
            made.bias.data = layer.bias.data.float()
        return made

    for name, module in list(model.named_modules()):
        if isinstance(module, Adapted):
            made = plain(module.base_layer)  # float32 first, so that the adapter is added without rounding
            for adapter in module.active_adapters:
                made.weight.data += module.get_delta_weight(adapter).float()
            model.set_submodule(name, made)
    for name, module in list(model.named_modules()):
        if isinstance(module, Linear4bit):
            model.set_submodule(name, plain(module))
    marked: Any = trunk
    marked.is_loaded_in_4bit = marked.is_quantized = False
    marked.hf_quantizer = None
    if hasattr(marked.config, "quantization_config"):
        del marked.config.quantization_config
