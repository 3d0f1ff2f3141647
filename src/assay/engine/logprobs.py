"""Log-probabilities of completions: the output layer on the positions that need it, a chunk at a time.

Knows hidden states, the output layer and token labels; knows no preference and no loss. A pack of 2,048 tokens on a
vocabulary of 150,000 would need 1.2 GB of logits, twice with their gradient; a chunk needs 64 MiB and is made again in
the backward pass, so that neither the prompts' logits nor all of the completions' ever exist.

Letters: N rows, P positions, H hidden size, V vocabulary.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.utils.checkpoint import checkpoint
from transformers.modeling_outputs import MoeModelOutputWithPast

from assay.engine.forward import hidden_at
from assay.engine.replaced_forward import replaced
from assay.engine.trie import Row
from assay.errors import EmptyBatchError, InputError, ModelError
from assay.models.wrappers import trunk_of, unwrap

_log = logging.getLogger(__name__)
_plain: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()
_PROBE = (3, 1, 4, 1, 5, 2)
CHUNK_LOGITS = 2**24  # float32 numbers in one chunk of logits: 64 MiB


class TokenFigures(NamedTuple):
    """Per position, float32 (P,): log-probability of the label (differentiable) and what trainers log beside it."""

    logprob_P: Tensor
    entropy_P: Tensor
    mean_logit_P: Tensor
    is_top1_P: Tensor


@dataclass(frozen=True, slots=True)
class Head:
    """An output layer: logits = cap * tanh(scale * (hidden @ weight.T + bias) / cap); cap None: no cap."""

    weight_VH: Tensor
    bias_V: Tensor | None
    scale: float
    cap: float | None


def completion_logprobs(model: nn.Module, rows: Sequence[Row], prompt_tokens: Sequence[int]) -> Tensor:
    """Summed log-probability of each row's tokens after its prompt, in nats, float32 (N,); differentiable.

    prompt_tokens: how many leading tokens of each row are prompt, at least 1 and fewer than the row has. Raises
    EmptyBatchError without rows, InputError for a row without a prompt or without a completion.
    """
    if not rows:
        raise EmptyBatchError("There are no rows to run. Give at least one row of token ids.")
    for n, (row, prompt) in enumerate(zip(rows, prompt_tokens, strict=True)):
        if not 1 <= prompt < len(row):
            raise InputError(
                f"row {n} has {len(row)} tokens of which {prompt} are prompt: a completion's probability needs at "
                "least one token before it and one in it. Give a prompt, or let the template add its BOS."
            )
    counts_N = np.array([len(row) - prompt for row, prompt in zip(rows, prompt_tokens, strict=True)])
    row_P = np.repeat(np.arange(len(rows)), counts_N)
    place_P = np.concatenate([np.arange(p, len(row)) for row, p in zip(rows, prompt_tokens, strict=True)])
    label_P = np.concatenate([np.asarray(row[p:], dtype=np.int64) for row, p in zip(rows, prompt_tokens, strict=True)])
    output_head(model)  # one that is missing or has adapters is said before anything runs
    hidden_PH = hidden_at(model, rows, row_P=row_P, place_P=place_P - 1)
    labels = torch.from_numpy(label_P).to(hidden_PH.device)
    if reads_plainly(model):
        logprob_P = token_figures(hidden_PH, labels, output_head(model)).logprob_P
    else:
        logprob_P = _own_logprobs(model, hidden_PH, labels)
    sums_N = logprob_P.new_zeros(len(rows))
    return sums_N.index_add(0, torch.from_numpy(row_P).to(hidden_PH.device), logprob_P)


def output_head(model: nn.Module) -> Head:
    """The model's output layer with its scale and cap. Raises ModelError for one that is not a plain linear layer."""
    inner: Any = unwrap(model)
    layer = getattr(inner, "get_output_embeddings", lambda: None)()
    if layer is None:
        raise ModelError(f"{type(inner).__name__} has no output layer over a vocabulary. Load it as a causal LM.")
    if not isinstance(layer, nn.Linear):
        raise ModelError(
            f"The output layer is a {type(layer).__name__}; only a plain linear layer can be run in chunks. "
            "Take the output layer out of lora_targets."
        )
    config = inner.config.get_text_config()
    weight, bias = (part.full_tensor() if isinstance(part, DTensor) else part for part in (layer.weight, layer.bias))
    names = ("logit_scale", "output_multiplier", "lm_head_multiplier")
    scale = next((s for name in names if (s := getattr(config, name, None))), 1.0)
    if getattr(config, "logits_scaling", None):
        scale = config.logits_scaling if config.model_type == "hyperclovax" else 1.0 / config.logits_scaling
    return Head(weight, bias, float(scale), getattr(config, "final_logit_softcapping", None))


def reads_plainly(model: nn.Module) -> bool:
    """Whether `output_head` is all that stands between hidden states and logits; found out once per model.

    What a configuration calls scale and cap is the family's choice, so one short row is run both ways.
    """
    inner: Any = unwrap(model)
    if any("FSDP" in base.__name__ for base in type(inner).__mro__):
        return True  # a sharded model cannot run a probe by itself
    if inner not in _plain:
        _plain[inner] = _agrees(inner)
        if not _plain[inner]:
            _log.warning(
                "Log-probabilities are read from %s's own output layer: for a short row they are not those of its "
                "weights and of the scale and cap in its configuration.",
                type(inner).__name__,
            )
    return _plain[inner]


@torch.no_grad()
def _agrees(inner: Any) -> bool:
    device, vocabulary = next(inner.parameters()).device, inner.get_input_embeddings().num_embeddings
    ids = torch.tensor([_PROBE], device=device) % vocabulary
    training = inner.training
    inner.eval()
    try:
        with torch.autocast(device.type, enabled=False):
            own_PV = inner(input_ids=ids, use_cache=False).logits[0].float().log_softmax(1)
            hidden_PH = trunk_of(inner)(input_ids=ids, use_cache=False).last_hidden_state[0]
            head = output_head(inner)
            ours_PV = _logits(hidden_PH, head.weight_VH, head.bias_V, head).log_softmax(1)
    finally:
        inner.train(training)
    if own_PV.shape != ours_PV.shape:
        return False
    spread = (own_PV - own_PV.mean(1, keepdim=True)).abs().max()  # of a new model all are alike, however scaled
    tolerance = 1e-3 if hidden_PH.dtype == torch.float32 else 5e-2
    return bool((own_PV - ours_PV).abs().max() <= tolerance * spread.clamp(min=1e-6))


def _own_logprobs(model: nn.Module, hidden_PH: Tensor, label_P: Tensor) -> Tensor:
    """Log-probability of every label, float32 (P,), by the model's own forward over hidden states that are known."""
    inner, trunk = unwrap(model), trunk_of(model)

    def of(hidden_CH: Tensor, label_C: Tensor) -> Tensor:
        known = MoeModelOutputWithPast(last_hidden_state=hidden_CH[None])
        with replaced(trunk, lambda *_args, **_kwargs: known):
            logits_CV = inner(input_ids=label_C[None], use_cache=False).logits[0].float()
        logprob_C: Tensor = logits_CV.log_softmax(1).gather(1, label_C[:, None])[:, 0]
        return logprob_C

    parts = _chunks(len(label_P), len(output_head(model).weight_VH))
    return torch.cat([checkpoint(of, hidden_PH[part], label_P[part], use_reentrant=False) for part in parts])


def token_figures(hidden_PH: Tensor, label_P: Tensor, head: Head) -> TokenFigures:
    """Figures of `label_P` under each position's next-token distribution; only the log-probability has a gradient."""
    figures = _TokenFigures.apply(hidden_PH, head.weight_VH, head.bias_V, label_P, head)  # type: ignore[no-untyped-call]
    return TokenFigures(*figures)


class _TokenFigures(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 (autograd's calling convention)
        ctx: Any, hidden_PH: Tensor, weight_VH: Tensor, bias_V: Tensor | None, label_P: Tensor, head: Head
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(hidden_PH, weight_VH, bias_V, label_P)
        ctx.head = head
        logprob_P, entropy_P, mean_P = hidden_PH.new_empty((3, len(label_P)), dtype=torch.float32)
        top1_P = torch.empty_like(label_P, dtype=torch.bool)
        for part in _chunks(len(label_P), len(weight_VH)):
            logits_CV = _logits(hidden_PH[part], weight_VH, bias_V, head)
            total_C = logits_CV.logsumexp(1)
            own_C = logits_CV.gather(1, label_P[part, None])[:, 0]
            logprob_P[part] = own_C - total_C
            mean_P[part] = logits_CV.mean(1)
            top1_P[part] = own_C >= logits_CV.amax(1)
            entropy_P[part] = total_C - (torch.softmax(logits_CV, 1) * logits_CV).sum(1)
        ctx.mark_non_differentiable(entropy_P, mean_P, top1_P)
        return logprob_P, entropy_P, mean_P, top1_P

    @staticmethod
    def backward(ctx: Any, gradient_P: Tensor, *_others: Tensor) -> tuple[Tensor | None, ...]:
        hidden_PH, weight_VH, bias_V, label_P = ctx.saved_tensors
        head: Head = ctx.head
        to_hidden = torch.empty_like(hidden_PH)
        to_weight = torch.zeros_like(weight_VH) if ctx.needs_input_grad[1] else None
        to_bias = torch.zeros_like(bias_V) if bias_V is not None and ctx.needs_input_grad[2] else None
        for part in _chunks(len(label_P), len(weight_VH)):
            logits_CV = _logits(hidden_PH[part], weight_VH, bias_V, head)
            slope_CV = torch.softmax(logits_CV, 1).mul_(-gradient_P[part, None])  # d logprob / d logits
            slope_CV.scatter_add_(1, label_P[part, None], gradient_P[part, None])
            if head.cap is not None:
                slope_CV.mul_(1.0 - (logits_CV / head.cap).square())
            slope_CV = slope_CV.mul_(head.scale).to(hidden_PH.dtype)
            torch.mm(slope_CV, weight_VH, out=to_hidden[part])
            if to_weight is not None:
                to_weight.addmm_(slope_CV.t(), hidden_PH[part])
            if to_bias is not None:
                to_bias += slope_CV.sum(0)
        return to_hidden, to_weight, to_bias, None, None


def _chunks(positions: int, vocabulary: int) -> Iterator[slice]:
    size = max(1, CHUNK_LOGITS // vocabulary)
    return (slice(start, min(start + size, positions)) for start in range(0, positions, size))


def _logits(hidden_CH: Tensor, weight_VH: Tensor, bias_V: Tensor | None, head: Head) -> Tensor:
    logits_CV = nn.functional.linear(hidden_CH, weight_VH, bias_V).float()
    if head.scale != 1.0:
        logits_CV.mul_(head.scale)
    if head.cap is not None:
        logits_CV.div_(head.cap).tanh_().mul_(head.cap)
    return logits_CV
