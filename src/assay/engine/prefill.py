"""Run a prompt once, chunk by chunk, for its keys, its values and the hidden state of its last token.

What the prompt before began with is not run again, as far as whole chunks are the same. A chunk begins at a multiple of
its length, so its bits are those of its tokens and of what stands before them, whoever ran it: a header that all
prompts have costs one run, and a prompt gets the same keys with it as alone. Knows rows of ids; knows no answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from torch import Tensor, nn
from transformers import DynamicCache

from assay.engine.lane_attention import KeyValue, aligned
from assay.engine.trie import Ints, common_prefix
from assay.engine.trunk_calls import run_chunk
from assay.models.device_and_mode import device_of
from assay.models.transformers_types import Cache
from assay.models.wrappers import trunk_of

CHUNK, GPU_CHUNK = 64, 512  # tokens: on a CPU a short chunk costs little, and shares more


@dataclass(frozen=True, slots=True, eq=False)
class Prefill:
    """A prompt that was run. layers: keys and values of each, (1, K, tokens, D). last_H: its last hidden state."""

    ids: Ints
    layers: tuple[KeyValue, ...]
    last_H: Tensor


class Prefills:
    """Runs prompts; keeps the last. `computed`: tokens that were run, `shared`: tokens that were not run again."""

    def __init__(self, model: nn.Module, *, chunk: int | None = None) -> None:
        self._trunk = trunk_of(model)
        self._chunk = chunk or (CHUNK if device_of(model).type == "cpu" else GPU_CHUNK)
        self._last: Prefill | None = None
        self.computed = self.shared = 0

    def run(self, ids: Ints) -> Prefill:
        """Keys, values and last hidden state of a prompt of at least one token."""
        cache = cast("Cache", DynamicCache())
        start = self._shared_with_last(ids)
        if start:
            assert self._last is not None
            for number, (key, value) in enumerate(self._last.layers):
                cache.update(key[:, :, :start], value[:, :, :start], number)
        for first in range(start, len(ids), self._chunk):
            chunk = ids[first : first + self._chunk]
            # Filled up behind, where no token of the prompt looks: products of few rows have no stable bits.
            filled = np.pad(chunk, (0, aligned(len(chunk)) - len(chunk)), constant_values=int(chunk[-1]))
            hidden_TH = run_chunk(self._trunk, filled, cache)
        layers = tuple((layer.keys[:, :, : len(ids)], layer.values[:, :, : len(ids)]) for layer in cache.layers)
        self.computed, self.shared = self.computed + len(ids) - start, self.shared + start
        self._last = Prefill(ids, layers, hidden_TH[len(chunk) - 1])
        return self._last

    def _shared_with_last(self, ids: Ints) -> int:
        """How many leading tokens need not be run: whole chunks, and never the last token."""
        if self._last is None:
            return 0
        common = min(common_prefix(self._last.ids, ids), len(ids) - 1)
        return common // self._chunk * self._chunk
