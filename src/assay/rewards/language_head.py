"""The base's output layer on the trunk of a reward model: the same hidden states give rewards and log-probabilities.

The layer is the base's and stays as it is (tied to the input embeddings where the base ties it), so that what GRM's
text loss asks is asked of the trunk. It is no part of the reward model and is not saved. Knows models; knows no loss.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from assay.engine.logprobs import logprobs_at
from assay.engine.output_layer import output_layer
from assay.errors import ModelError
from assay.models.local_model import LocalModel
from assay.models.opening import open_config, open_weights, told_as
from assay.models.quiet import quiet
from assay.models.transformers_types import config_of
from assay.models.wrappers import trunk_of


class LanguageHead:
    """A language model whose trunk is a reward model's own, with all that it learns."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    @classmethod
    def on(cls, reward_model: nn.Module, base: LocalModel) -> LanguageHead:
        """The output layer of `base` on the trunk of `reward_model`, which was made from it.

        Raises ModelError for a base without an output layer of its own, or with another trunk.
        """
        from transformers import AutoModelForCausalLM

        with quiet(), told_as(lambda why: _no_language_model(base, why)):
            model, info = open_weights(
                AutoModelForCausalLM,
                base.folder,
                config=open_config(base.folder),
                output_loading_info=True,
                dtype=torch.float32,
            )
        if info["missing_keys"]:
            raise ModelError(_no_language_model(base, f"{sorted(info['missing_keys'])[0]} is not in its weights"))
        trunk = trunk_of(reward_model)
        if type(trunk_of(model)) is not type(trunk):
            raise ModelError(_no_language_model(base, f"its trunk is a {type(trunk_of(model)).__name__}"))
        model.requires_grad_(False)
        setattr(model, model.base_model_prefix, trunk)
        if getattr(config_of(model).get_text_config(), "tie_word_embeddings", False):
            # One matrix reads and writes: what training does to it as embeddings, the text loss sees and moves too.
            model.get_output_embeddings().weight = trunk.get_input_embeddings().weight  # type: ignore[operator]
        output_layer(model)  # one that is missing or not linear is said now
        return cls(model)

    def logprobs(self, hidden_PH: Tensor, label_P: Tensor) -> Tensor:
        """Log-probability of each label after each hidden state, in nats, float32 (P,); differentiable."""
        self.model.get_output_embeddings().to(hidden_PH.device)  # type: ignore[operator]
        return logprobs_at(self.model, hidden_PH, label_P)


def _no_language_model(base: LocalModel, why: str) -> str:
    return (
        f"regularise.text: {base.name} does not open as a language model with its output layer ({why}). Take another "
        "base, or leave regularise.text out."
    )
