"""A language model's output layer taken by itself: weights, bias, scale and cap, and whether these are all there is.

A vocabulary of 150,000 makes logits the largest thing in training, so they are made where they are needed and nowhere
else, which takes the layer out of the model's hands. Knows output layers; knows no token and no loss.

Letters: P positions, H hidden size, V vocabulary.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from assay.engine.trunk_calls import run_logits, run_row
from assay.errors import ModelError
from assay.models.self_probe import agrees, probe_rows
from assay.models.transformers_types import config_of
from assay.models.wrappers import is_sharded, trunk_of, unwrap

_log = logging.getLogger(__name__)
_plain: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()
_TOLERANCE = 1e-3, 5e-2  # of the spread of log-probabilities: in float32, and in 16 bit


@dataclass(frozen=True, slots=True)
class OutputLayer:
    """logits = cap * tanh(scale * (hidden @ weight.T + bias) / cap); cap None: no cap."""

    weight_VH: Tensor
    bias_V: Tensor | None
    scale: float
    cap: float | None

    def logits(self, hidden_PH: Tensor) -> Tensor:
        """Logits of some positions in float32, shape (P, V)."""
        logits_PV = nn.functional.linear(hidden_PH, self.weight_VH, self.bias_V).float()
        if self.scale != 1.0:
            logits_PV.mul_(self.scale)
        if self.cap is not None:
            logits_PV.div_(self.cap).tanh_().mul_(self.cap)
        return logits_PV


def output_layer(model: nn.Module) -> OutputLayer:
    """The model's output layer with its scale and cap. Raises ModelError for one that is not a plain linear layer."""
    inner = unwrap(model)
    layer = getattr(inner, "get_output_embeddings", lambda: None)()
    if layer is None:
        raise ModelError(f"{type(inner).__name__} has no output layer over a vocabulary. Load it as a causal LM.")
    if not isinstance(layer, nn.Linear):
        raise ModelError(
            f"The output layer is a {type(layer).__name__}; only a plain linear layer can be run in chunks. "
            "Take the output layer out of lora_targets."
        )
    config = config_of(inner).get_text_config()
    weight, bias = (part.full_tensor() if isinstance(part, DTensor) else part for part in (layer.weight, layer.bias))
    names = ("logit_scale", "output_multiplier", "lm_head_multiplier")
    scale = next((s for name in names if (s := getattr(config, name, None))), 1.0)
    if scaling := getattr(config, "logits_scaling", None):
        # One name, two meanings: HyperCLOVAX multiplies by it, Granite and others divide.
        scale = scaling if config.model_type == "hyperclovax" else 1.0 / scaling
    return OutputLayer(weight, bias, float(scale), getattr(config, "final_logit_softcapping", None))


def reads_plainly(model: nn.Module) -> bool:
    """Whether `output_layer` is all that stands between hidden states and logits; found out once per model.

    What a configuration calls scale and cap is the family's choice, so one short row is run both ways.
    """
    inner = unwrap(model)
    if is_sharded(inner):
        return True
    if inner not in _plain:
        _plain[inner] = _reads_exactly(inner)
        if not _plain[inner]:
            _log.warning(
                "Log-probabilities are read from %s's own output layer: for a short row they are not those of its "
                "weights and of the scale and cap in its configuration.",
                type(inner).__name__,
            )
    return _plain[inner]


def _reads_exactly(inner: nn.Module) -> bool:
    row = probe_rows(inner)[0]

    def by_the_model() -> Tensor:
        return run_logits(inner, row).log_softmax(1)

    def by_the_layer() -> Tensor:
        return output_layer(inner).logits(run_row(trunk_of(inner), row)).log_softmax(1)

    return agrees(inner, by_the_model, by_the_layer, scale=_spread, tolerance=_TOLERANCE)


def _spread(logprob_PV: Tensor) -> Tensor:
    """How far a position's log-probabilities are from their mean: of a new model all are alike, however scaled."""
    return (logprob_PV - logprob_PV.mean(1, keepdim=True)).abs().max().clamp(min=1e-6)
