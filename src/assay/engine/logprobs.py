"""Log-probabilities of completions: hidden states before each completion token, then the output layer, chunk by chunk.

A pack of 2,048 tokens on a vocabulary of 150,000 would need 1.2 GB of logits, twice with their gradient; a chunk needs
64 MiB and is made again in the backward pass, so that neither the prompts' logits nor all of the completions' ever
exist. Knows hidden states, the output layer and token labels; knows no preference and no loss.

Letters: N rows, P positions, C positions of one chunk, H hidden size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_outputs import MoeModelOutputWithPast

from assay.engine.forward import hidden_at, plain_hidden_at
from assay.engine.output_layer import OutputLayer, output_layer, reads_plainly
from assay.engine.replaced_forward import replaced
from assay.engine.trie import Ints, Row
from assay.engine.trunk_calls import run_logits
from assay.errors import EmptyBatchError, InputError
from assay.models.wrappers import trunk_of, unwrap

CHUNK_LOGITS = 2**24  # float32 numbers in one chunk of logits: 64 MiB


class TokenFigures(NamedTuple):
    """Per position, float32 (P,): log-probability of the label (differentiable) and what trainers log beside it."""

    logprob_P: Tensor
    entropy_P: Tensor
    mean_logit_P: Tensor
    is_top1_P: Tensor


class CompletionTokens(NamedTuple):
    """Every completion token of some rows, row after row: its log-probability in nats, (P,), and its row, (P,)."""

    logprob_P: Tensor
    row_P: Ints


def completion_logprobs(
    model: nn.Module, rows: Sequence[Row], prompt_tokens: Sequence[int], *, sharing: Literal["on", "off"] = "on"
) -> Tensor:
    """Summed log-probability of each row's tokens after its prompt, in nats, float32 (N,); differentiable.

    prompt_tokens: how many leading tokens of each row are prompt, at least 1 and fewer than the row has. sharing
    "off": one padded batch, nothing shared. Raises EmptyBatchError without rows, InputError for a row without a prompt
    or without a completion.
    """
    found = token_logprobs(model, rows, prompt_tokens, sharing=sharing)
    sums_N = found.logprob_P.new_zeros(len(rows))
    return sums_N.index_add(0, torch.from_numpy(found.row_P).to(sums_N.device), found.logprob_P)


def token_logprobs(
    model: nn.Module, rows: Sequence[Row], prompt_tokens: Sequence[int], *, sharing: Literal["on", "off"] = "on"
) -> CompletionTokens:
    """Log-probability of each completion token by itself; otherwise as `completion_logprobs`."""
    row_P, place_P = completion_places(rows, prompt_tokens)
    label_P = np.concatenate([np.asarray(row[p:], dtype=np.int64) for row, p in zip(rows, prompt_tokens, strict=True)])
    output_layer(model)  # one that is missing or has adapters is said before anything runs
    run = hidden_at if sharing == "on" else plain_hidden_at
    hidden_PH = run(model, rows, row_P=row_P, place_P=place_P - 1)
    return CompletionTokens(logprobs_at(model, hidden_PH, torch.from_numpy(label_P).to(hidden_PH.device)), row_P)


def logprobs_at(model: nn.Module, hidden_PH: Tensor, label_P: Tensor) -> Tensor:
    """Log-probability, in nats, of each label after each position's hidden state, float32 (P,); differentiable."""
    if reads_plainly(model):
        return token_figures(hidden_PH, label_P, output_layer(model)).logprob_P
    return _own_logprobs(model, hidden_PH, label_P)


def completion_places(rows: Sequence[Row], prompt_tokens: Sequence[int]) -> tuple[Ints, Ints]:
    """Row and place in it of every completion token, row after row, shape (P,). Raises as `completion_logprobs`."""
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
    return row_P, np.concatenate([np.arange(p, len(row)) for row, p in zip(rows, prompt_tokens, strict=True)])


def next_logprobs(model: nn.Module, hidden_PH: Tensor, tokens: Sequence[int]) -> Tensor:
    """Log-probability, in nats, of each of K tokens after each position, float32 (P, K), from its hidden state."""
    label_K = torch.tensor(tokens, dtype=torch.long, device=hidden_PH.device)
    if not reads_plainly(model):
        columns = [_own_logprobs(model, hidden_PH, label.repeat(len(hidden_PH))) for label in label_K]
        return torch.stack(columns, 1)
    layer = output_layer(model)
    parts = [
        layer.logits(hidden_PH[part]).log_softmax(1)[:, label_K]
        for part in chunks(len(hidden_PH), len(layer.weight_VH))
    ]
    return torch.cat(parts)


def label_logprobs(model: nn.Module, hidden_PH: Tensor, state_L: Sequence[int], label_L: Sequence[int]) -> Tensor:
    """Log-probability, in nats, of token label_L[i] after hidden state state_L[i], float32 (L,); no gradient.

    Logits are made once a state, whatever the number of labels asked of it.
    """
    states, labels = (torch.tensor(some, dtype=torch.long, device=hidden_PH.device) for some in (state_L, label_L))
    if not reads_plainly(model):
        return _own_logprobs(model, hidden_PH[states], labels)
    layer = output_layer(model)
    found_L = hidden_PH.new_empty(len(labels), dtype=torch.float32)
    for part in chunks(len(hidden_PH), len(layer.weight_VH)):
        # Not logits less logsumexp: the two sum 49,152 terms in another order, 1.6e-5 apart a token on `smollm2`, and
        # over the tokens of a long choice that adds up to more than other programs' figures may differ by.
        logprob_CV = layer.logits(hidden_PH[part]).log_softmax(1)
        here = ((states >= part.start) & (states < part.stop)).nonzero()[:, 0]
        found_L[here] = logprob_CV[states[here] - part.start, labels[here]]
    return found_L


def _own_logprobs(model: nn.Module, hidden_PH: Tensor, label_P: Tensor) -> Tensor:
    """Log-probability of every label, float32 (P,), by the model's own forward over hidden states that are known."""

    def of(hidden_CH: Tensor, label_C: Tensor) -> Tensor:
        logprob_C: Tensor = _own_logits(model, hidden_CH).log_softmax(1).gather(1, label_C[:, None])[:, 0]
        return logprob_C

    parts = chunks(len(label_P), len(output_layer(model).weight_VH))
    return torch.cat([checkpoint(of, hidden_PH[part], label_P[part], use_reentrant=False) for part in parts])


def logits_of(model: nn.Module, hidden_CH: Tensor) -> Tensor:
    """Logits of some positions in float32, (C, V), from their hidden states; small C, since all of them are made."""
    if reads_plainly(model):
        return output_layer(model).logits(hidden_CH)
    return _own_logits(model, hidden_CH)


def _own_logits(model: nn.Module, hidden_CH: Tensor) -> Tensor:
    known = MoeModelOutputWithPast(last_hidden_state=hidden_CH[None])
    with replaced(trunk_of(model), lambda *_args, **_kwargs: known):
        # Which ids it is given plays no part: its trunk is not run.
        return run_logits(unwrap(model), torch.zeros(len(hidden_CH), dtype=torch.long, device=hidden_CH.device))


def token_figures(hidden_PH: Tensor, label_P: Tensor, layer: OutputLayer) -> TokenFigures:
    """Figures of `label_P` under each position's next-token distribution; only the log-probability has a gradient."""
    figures = _TokenFigures.apply(hidden_PH, layer.weight_VH, layer.bias_V, label_P, layer)  # type: ignore[no-untyped-call]
    return TokenFigures(*figures)


class _Kept(Protocol):
    """What the backward pass finds again: autograd's context, with our layer on it."""

    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]
    layer: OutputLayer

    def save_for_backward(self, *tensors: Tensor | None) -> None: ...
    def mark_non_differentiable(self, *tensors: Tensor) -> None: ...


class _TokenFigures(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917 (autograd's calling convention)
        ctx: _Kept, hidden_PH: Tensor, weight_VH: Tensor, bias_V: Tensor | None, label_P: Tensor, layer: OutputLayer
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(hidden_PH, weight_VH, bias_V, label_P)
        ctx.layer = layer
        logprob_P, entropy_P, mean_P = hidden_PH.new_empty((3, len(label_P)), dtype=torch.float32)
        top1_P = torch.empty_like(label_P, dtype=torch.bool)
        for part in chunks(len(label_P), len(weight_VH)):
            logits_CV = layer.logits(hidden_PH[part])
            total_C = logits_CV.logsumexp(1)
            own_C = logits_CV.gather(1, label_P[part, None])[:, 0]
            logprob_P[part] = own_C - total_C
            mean_P[part] = logits_CV.mean(1)
            top1_P[part] = own_C >= logits_CV.amax(1)
            # - sum p log p with log p = logit - log Z: no logarithm of a probability that has become 0.
            entropy_P[part] = total_C - (torch.softmax(logits_CV, 1) * logits_CV).sum(1)
        ctx.mark_non_differentiable(entropy_P, mean_P, top1_P)
        return logprob_P, entropy_P, mean_P, top1_P

    @staticmethod
    def backward(ctx: _Kept, gradient_P: Tensor, *_others: Tensor) -> tuple[Tensor | None, ...]:
        hidden_PH, weight_VH, bias_V, label_P = ctx.saved_tensors
        layer = ctx.layer
        to_hidden = torch.empty_like(hidden_PH)
        to_weight = torch.zeros_like(weight_VH) if ctx.needs_input_grad[1] else None
        to_bias = torch.zeros_like(bias_V) if bias_V is not None and ctx.needs_input_grad[2] else None
        for part in chunks(len(label_P), len(weight_VH)):
            logits_CV = layer.logits(hidden_PH[part])
            slope_CV = torch.softmax(logits_CV, 1).mul_(-gradient_P[part, None])  # d logprob / d logits
            slope_CV.scatter_add_(1, label_P[part, None], gradient_P[part, None])
            if layer.cap is not None:  # d tanh = 1 - tanh squared, and tanh is logits / cap
                slope_CV.mul_(1.0 - (logits_CV / layer.cap).square())
            slope_CV = slope_CV.mul_(layer.scale).to(hidden_PH.dtype)
            torch.mm(slope_CV, weight_VH, out=to_hidden[part])
            if to_weight is not None:
                to_weight.addmm_(slope_CV.t(), hidden_PH[part])
            if to_bias is not None:
                to_bias += slope_CV.sum(0)
        return to_hidden, to_weight, to_bias, None, None


def chunks(positions: int, vocabulary: int) -> Iterator[slice]:
    """Positions in parts whose logits fit into CHUNK_LOGITS."""
    size = max(1, CHUNK_LOGITS // vocabulary)
    return (slice(start, min(start + size, positions)) for start in range(0, positions, size))
