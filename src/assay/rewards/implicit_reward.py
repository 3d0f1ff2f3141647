"""The reward that a tuned policy implies: beta (log p(answer | prompt) of the policy less that of its reference).

The prompt's tokens are not counted, the answer's are, its end marker among them: what DPO optimises (Rafailov et al.
2023, 2305.18290). Both models' figures are stored by content, so that the same rows are run once. Knows rows of
tokens; knows no pair and no label.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from assay.engine.micro_batches import pass_tokens
from assay.engine.reference_logprobs import reference_logprobs
from assay.errors import ModelError
from assay.models.device_and_mode import device_of
from assay.models.limits import most_tokens
from assay.models.local_model import LocalModel
from assay.models.opening import open_weights, told_as
from assay.models.quiet import quiet
from assay.models.resolve import locate
from assay.render.encoder import Encoded, Renderer


class ImplicitReward:
    """A policy, its reference, and the renderer of both. folder: where log-probabilities are kept."""

    def __init__(self, policy: str, reference: str, *, beta: float, folder: Path, device: str) -> None:
        self.beta, self.folder = beta, folder
        found = [locate(name) for name in (policy, reference)]
        self.prints = [one.fingerprint for one in found]
        self.renderer = Renderer.from_pretrained(found[0].folder, adapt="published")
        others = Renderer.from_pretrained(found[1].folder, adapt="published", template=None)
        if others.parts["tokenizer"] != self.renderer.parts["tokenizer"]:
            raise ModelError(
                f"{policy} and {reference} cut text into other tokens, so their log-probabilities cannot be compared. "
                "Give the model that the policy was tuned from."
            )
        self.models = [_language_model(one).to(device).eval() for one in found]

    @property
    def most_tokens(self) -> int | None:
        """The longest row that both have positions for; None where neither states a limit."""
        return min((most for model in self.models if (most := most_tokens(model)) is not None), default=None)

    def score(self, groups: Sequence[Sequence[Encoded]]) -> list[NDArray[np.float64]]:
        """The implied reward of each row, one array a group of rows that share a prompt."""
        rows = [[row.ids for row in group] for group in groups]
        prompts = [[row.prompt_tokens for row in group] for group in groups]
        budget = pass_tokens(None, device_of(self.models[0]).type, "shared")
        policy, reference = (
            reference_logprobs(model, rows, prompts, fingerprint=print_of, folder=self.folder, token_budget=budget)
            for model, print_of in zip(self.models, self.prints, strict=True)
        )
        return [
            self.beta * (np.asarray(one, dtype=np.float64) - np.asarray(other, dtype=np.float64))
            for one, other in zip(policy, reference, strict=True)
        ]


def _language_model(found: LocalModel) -> nn.Module:
    """Raises ModelError for what is no decoder, ModelNotFoundError for what cannot be opened."""
    from transformers import AutoModelForCausalLM

    if found.kind != "decoder":
        raise ModelError(f"{found.name} is an encoder, which gives answers no probability. Give a language model.")
    with quiet(), told_as(lambda why: f"{found.name}: its weights cannot be opened as a language model ({why})."):
        model: nn.Module = open_weights(AutoModelForCausalLM, found.folder, dtype=torch.float32)
    return model
