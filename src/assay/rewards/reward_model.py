"""A reward model: a transformers sequence-classification model with one output, and the renderer it was trained with.

Made new from a base or loaded from a folder; gives rewards of rows, with gradients a pass at a time or without for as
many rows as you like, prompts run once where the model allows it. Knows rows of tokens and rewards; knows no pair, no
loss and no optimiser.

Letters: N rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import JsonValue
from torch import Tensor, nn

from assay.artifacts.model_body import Origin
from assay.engine.forward import hidden_at, refusal
from assay.engine.headers import Header, Headers, packs_with_headers
from assay.engine.micro_batches import Layout, micro_batches, pass_tokens
from assay.errors import EmptyBatchError
from assay.models.config import ModelConfig
from assay.models.device_and_mode import device_of, evaluating
from assay.models.head import objectives_of
from assay.models.limits import most_tokens, vocabulary
from assay.models.resolve import locate
from assay.records import Text
from assay.render.encoder import Encoded, Renderer
from assay.rewards import saved_model
from assay.rewards.encoder_forward import may_stand_side_by_side, rewards_side_by_side, stands_side_by_side
from assay.rewards.new_model import new_model
from assay.rewards.padded_forward import check_rows, rewards_padded
from assay.rewards.reward_head import pooled_places, read_rewards, reads_one_token

Sharing = Literal["on", "off"]


class RewardModel:
    """`model` (transformers, with PEFT around it while adapters are trained) and its `renderer`.

    origin: what the model was made from; None for one that others published.
    """

    def __init__(self, model: nn.Module, renderer: Renderer, *, origin: Origin | None = None) -> None:
        self.model, self.renderer, self.origin = model, renderer, origin
        self._reads_one_token: bool | None = None
        self._stands_side_by_side: bool | None = None

    @classmethod
    def from_base(cls, config: ModelConfig, *, seed: int | None = None) -> RewardModel:
        """A reward model that is yet to be trained: the base's trunk, a new small head, adapters if asked for.

        seed: of all new weights; None takes torch's current seed. Raises ModelError and its kinds, ConfigError.
        """
        model, renderer, origin = new_model(config, seed=torch.initial_seed() if seed is None else seed)
        return cls(model, renderer, origin=origin)

    @classmethod
    def load(
        cls, folder: Path | str, *, revision: str | None = None, device: str = "cpu", template: str | None = None
    ) -> RewardModel:
        """A reward model from a folder assay wrote, or any sequence-classification model with one output, hub ids too.

        template: a file of jinja, or `plain`, for a decoder that others published without one. Raises
        ModelNotFoundError, ModelError for weights that are missing (they would be random) or not used, TemplateError
        without a template, and ArtifactError if the tokenizer or template is not the one it was trained with.
        """
        found = locate(str(folder), revision).folder
        model, renderer, origin = saved_model.open_with_renderer(found, template=template)
        return cls(model.to(device).eval(), renderer, origin=origin)

    @property
    def heads(self) -> tuple[str, ...]:
        """The objectives the model has a head for, in the order of its outputs; none of a model with one output."""
        return objectives_of(self.model)

    @property
    def most_tokens(self) -> int | None:
        """The longest row the model has positions for, or None if it states no limit."""
        return most_tokens(self.model)

    @property
    def vocabulary(self) -> int:
        """How many tokens the model has; its tokenizer may have more, which no row can hold then."""
        return vocabulary(self.model)

    @property
    def device(self) -> torch.device:
        return device_of(self.model)

    def encode(self, prompt: Text, answer: Text) -> Encoded:
        """One rendered row; see Renderer.encode."""
        return self.renderer.encode(prompt, answer)

    def rewards(self, encoded: Sequence[Encoded], *, sharing: Sharing = "on") -> Tensor:
        """Rewards of rows, float32, shape (N,), in the order given, differentiable; one forward pass.

        Shape (N, K) of a model with K heads, here and in `score`.

        sharing "on": tokens of shared prompts run once, and no padding is run, where the model allows it; the rewards
        are the same.
        """
        match self.layout(encoded, sharing=sharing):
            case "shared":
                check_rows(self.model, encoded)
                return self._shared_rewards(encoded)
            case "side by side":
                return rewards_side_by_side(self.model, encoded)
            case "padded":
                return rewards_padded(self.model, encoded)

    def score(
        self,
        encoded: Sequence[Encoded],
        *,
        micro_tokens: int | None = None,
        sharing: Sharing = "on",
        headers: Headers | None = None,
    ) -> NDArray[np.float32]:
        """Rewards of rows without gradient, float32, shape (N,), in the order given; equal rows are run once.

        micro_tokens: tokens in one forward pass, as its layout counts them; None: what suits the device. Runs in
        evaluation mode and leaves the model's mode as it was. headers: what is kept of this model from an earlier call.
        """
        # Answers repeat across pairs: each distinct row is run once and its reward given to all its places.
        distinct = {row: number for number, row in enumerate(dict.fromkeys(encoded))}
        rows = list(distinct)
        if not rows:
            return np.zeros(0, dtype=np.float32)
        check_rows(self.model, rows)
        found = np.zeros((len(rows), *(() if len(self.heads) < 2 else (len(self.heads),))), dtype=np.float32)
        with evaluating(self.model):
            layout = self.layout(rows, sharing=sharing)
            budget = pass_tokens(micro_tokens, self.device.type, layout)
            if layout == "shared":
                groups = [[row.ids] for row in rows]
                for batch, header in packs_with_headers(self.model, groups, token_budget=budget, headers=headers):
                    found[batch] = self._shared_rewards([rows[i] for i in batch], header).cpu().numpy()
            else:
                for batch in micro_batches([len(row.ids) for row in rows], budget, padding=layout == "padded"):
                    found[batch] = self.rewards([rows[i] for i in batch], sharing=sharing).cpu().numpy()
        return found[[distinct[row] for row in encoded]]

    def save(self, folder: Path | str, provenance: Mapping[str, JsonValue] | None = None) -> None:
        """A folder that plain transformers opens, with tokenizer, chat template and assay.json (written last).

        Adapters are merged into the weights and also stand in adapter/. provenance: what the model was trained on.
        """
        saved_model.save(self.model, self.renderer, Path(folder), origin=self.origin, trained_on=dict(provenance or {}))

    def layout(self, rows: Sequence[Encoded], *, sharing: Sharing = "on") -> Layout:
        """How these rows stand in one pass: what they share once, side by side without padding, or padded.

        Decoders share or are padded, encoders stand side by side or are padded; sharing "off": padded.
        """
        if not rows:
            raise EmptyBatchError("There are no rows to score. Give at least one rendered row.")
        if sharing == "off":
            return "padded"
        if self.renderer.kind == "encoder":
            if self._stands_side_by_side is None:  # found out once: it is a property of the model
                self._stands_side_by_side = stands_side_by_side(self.model)
            return "side by side" if self._stands_side_by_side and may_stand_side_by_side(self.model) else "padded"
        if refusal(self.model, [row.ids for row in rows]) is not None:
            return "padded"
        return "shared" if self.reads_one_token else "padded"

    @property
    def reads_one_token(self) -> bool:
        """Whether the reward is one linear layer's on one token's hidden state, as it is for most decoders."""
        if self._reads_one_token is None:  # found out once: it is a property of the head's structure
            self._reads_one_token = reads_one_token(self.model, self._shared_rewards)
        return self._reads_one_token

    def _shared_rewards(self, encoded: Sequence[Encoded], header: Header | None = None) -> Tensor:
        places_N = pooled_places(self.model, encoded)
        ids = [row.ids for row in encoded]
        hidden_NH = hidden_at(self.model, ids, row_P=np.arange(len(ids)), place_P=places_N, header=header)
        return read_rewards(self.model, hidden_NH)


def best_device() -> str:
    """Where to run on this machine: a GPU where torch sees one."""
    return "cuda" if torch.cuda.is_available() else "cpu"
