"""A model folder on this machine: what it was asked for as, where it is, a fingerprint of its bytes, and its kind.

Knows folders and configurations; knows not how the folder came to be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from assay.errors import ModelError
from assay.models.opening import open_config, told_as
from assay.models.quiet import quiet
from assay.models.transformers_types import Config

Kind = Literal["encoder", "decoder"]


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    """A model on this machine.

    name: as asked for. fingerprint: of its bytes, or of where on the hub they came from. revision: of the package or of
    the hub repository; None for a folder.
    """

    name: str
    folder: Path
    fingerprint: str
    revision: str | None = None

    @cached_property
    def kind(self) -> Kind:
        """What it reads like; its configuration is opened to find out.

        Raises ModelNotFoundError if transformers cannot open that, ModelError if it is neither kind.
        """
        with quiet(), told_as(self._not_openable):
            return kind_of(open_config(self.folder))

    def _not_openable(self, why: str) -> str:
        return (
            f"{self.name}: {self.folder} holds no model that transformers can open ({why}). It needs config.json, "
            "weights and tokenizer files."
        )


def kind_of(config: Config) -> Kind:
    """Whether a transformers configuration reads in both directions (encoder) or left to right (decoder).

    Raises ModelError for what is neither.
    """
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if config.is_encoder_decoder:
        raise ModelError(
            f"{config.model_type} is an encoder-decoder; assay trains reward models on encoders (BERT) and decoders "
            "(Llama, Qwen, GPT-2). Take another base."
        )
    inner = config.get_text_config().model_type
    if {config.model_type, inner} & set(MODEL_FOR_MASKED_LM_MAPPING_NAMES) and not getattr(config, "is_decoder", False):
        return "encoder"
    if {config.model_type, inner} & set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES):
        return "decoder"
    raise ModelError(f"{config.model_type} is no text encoder or decoder that transformers knows. Take another base.")
