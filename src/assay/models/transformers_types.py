"""What assay uses of transformers' objects, as protocols: transformers itself is not typed.

A configuration, a tokenizer, what a forward pass gives back, a cache of keys and values, and the auto classes that open
them. Only what is read somewhere is named here; a type checker then finds a misspelt attribute, which an `Any` hides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:  # configurations and tokenizers are opened by commands that need no torch
    from torch import Tensor, nn


class Config(Protocol):
    """A model's configuration. What only some models have is asked for with getattr and a default."""

    model_type: str
    is_encoder_decoder: bool
    id2label: dict[int, str]
    label2id: dict[str, int]
    pad_token_id: int | None
    problem_type: str | None
    max_position_embeddings: int
    _attn_implementation: str

    def get_text_config(self) -> Config: ...
    def save_pretrained(self, folder: Path) -> object: ...


class Tokenizer(Protocol):
    """A tokenizer with its chat template and special tokens."""

    chat_template: str | None
    padding_side: str
    bos_token: str | None
    eos_token: str | None
    unk_token: str | None
    pad_token: str | None
    bos_token_id: int | None
    eos_token_id: int | None
    unk_token_id: int | None
    pad_token_id: int | None

    @property
    def added_tokens_decoder(self) -> Mapping[int, AddedToken]: ...

    def __len__(self) -> int: ...
    def __call__(self, *texts: str | list[str], **options: bool) -> Mapping[str, list[Any]]: ...
    def apply_chat_template(
        self, chats: list[list[dict[str, str]]], *, chat_template: str, tokenize: bool, add_generation_prompt: bool
    ) -> Sequence[str]: ...
    def decode(self, ids: list[int], *, skip_special_tokens: bool) -> str: ...
    def get_chat_template(self) -> str: ...
    def get_vocab(self) -> dict[str, int]: ...
    def convert_tokens_to_ids(self, token: str) -> int: ...
    def add_special_tokens(self, tokens: Mapping[str, str]) -> int: ...
    def save_pretrained(self, folder: Path) -> object: ...


class AddedToken(Protocol):
    """A token put into a tokenizer after its training; its text is str(token)."""

    special: bool


class Output(Protocol):
    """What a forward pass gives back: hidden states from a trunk, logits from a model with a head."""

    last_hidden_state: Tensor
    logits: Tensor


class Cache(Protocol):
    """Keys and values of the tokens run so far, layer by layer."""

    layers: Sequence[CacheLayer]

    def get_seq_length(self) -> int: ...
    def update(self, keys: Tensor, values: Tensor, layer: int) -> object: ...


class CacheLayer(Protocol):
    """One layer's keys and values, each (1, K, tokens, D)."""

    keys: Tensor
    values: Tensor


class AutoClass(Protocol):
    """One of transformers' auto classes; what it opens is the caller's to say."""

    def from_pretrained(self, folder: Path | str, **options: object) -> Any: ...
    def from_config(self, config: Config, **options: object) -> Any: ...


def config_of(module: nn.Module) -> Config:
    """A transformers module's configuration. Raises AttributeError for other modules."""
    return cast("Config", module.config)
