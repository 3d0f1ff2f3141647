"""Rewards batch after batch, as a server runs them: what two batches begin with alike is run once and kept.

A system prompt that all clients send, or one long prompt whose answers come one by one, is a beginning of this batch
and of the one before; it is then kept as keys and values (`engine/headers.py`) for as long as batches begin with it.
One beginning is kept, the last: it costs the memory of one row. Knows one model and its rows; inference only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.engine.headers import SHORTEST, Headers
from assay.engine.trie import Ints, common_beginning, common_prefix
from assay.models.device_and_mode import evaluating
from assay.render.encoder import Encoded
from assay.rewards.head_states import HeadStates, head_states
from assay.rewards.reward_model import RewardModel, Sharing


class BatchAfterBatch:
    """One model's rewards, a batch at a time; only while the weights stay as they are, and from one thread."""

    def __init__(self, model: RewardModel) -> None:
        self.model = model
        self.headers = Headers(model.model)
        self._before: Ints | None = None  # what all rows of the batch before began with

    def score(
        self, rows: Sequence[Encoded], *, micro_tokens: int | None = None, sharing: Sharing = "on"
    ) -> NDArray[np.float32]:
        """What `RewardModel.score` gives, up to rounding."""
        self._keep_beginning(rows, sharing)
        return self.model.score(rows, micro_tokens=micro_tokens, sharing=sharing, headers=self.headers)

    def read(self, rows: Sequence[Encoded], *, micro_tokens: int | None = None, sharing: Sharing = "on") -> HeadStates:
        """What `score` gives, and what the head read of each row in the same passes. Raises ModelError as
        `head_states`."""
        self._keep_beginning(rows, sharing)
        return head_states(self.model, rows, micro_tokens=micro_tokens, sharing=sharing, headers=self.headers)

    def _keep_beginning(self, rows: Sequence[Encoded], sharing: Sharing) -> None:
        if sharing == "on" and self.model.layout(rows, sharing=sharing) == "shared":
            self._keep(common_beginning([row.ids for row in rows]))

    def _keep(self, beginning: Ints) -> None:
        """Run the beginning that this batch has with the one before, where it is worth it and not kept already."""
        before, self._before = self._before, beginning
        if before is None or not self.headers.possible():
            return
        common = beginning[: common_prefix(beginning, before)]
        if len(common) < SHORTEST:
            return
        kept = self.headers.kept
        # A longer one displaces what is kept only where it spares far more: prompts come and go, the system prompt
        # that stands before all of them stays.
        if kept is not None and common_prefix(kept, beginning) == len(kept) and len(common) <= 2 * len(kept):
            return
        with evaluating(self.model.model):
            self.headers.run(common)
