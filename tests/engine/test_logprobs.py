"""Chunked log-probabilities: by hand, against full logits, gradients, caps and refusals."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from transformers import LlamaForCausalLM

from assay.engine import logprobs
from assay.engine.logprobs import completion_logprobs, token_figures
from assay.engine.output_layer import OutputLayer, output_layer
from assay.errors import EmptyBatchError, InputError, ModelError
from tests.support.engine_rows import assert_close, padded, pairs
from tests.support.tiny_models import FAMILIES, GROUPED, language_model


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logprobs, "CHUNK_LOGITS", 96 * 5)  # several chunks, the last one short


def full_logits(model: torch.nn.Module, rows: list[list[int]], prompts: list[int]) -> torch.Tensor:
    logp = model(**padded(rows)).logits.float().log_softmax(-1)
    return torch.stack(
        [logp[n, range(p - 1, len(r) - 1), r[p:]].sum() for n, (r, p) in enumerate(zip(rows, prompts, strict=True))]
    )


def test_two_words_by_hand() -> None:
    # hidden 1 against weights (ln 3, 0): logits (ln 3, 0), probabilities 3/4 and 1/4.
    head = OutputLayer(torch.tensor([[math.log(3.0)], [0.0]]), None, 1.0, None)
    figures = token_figures(torch.tensor([[1.0], [1.0]]), torch.tensor([0, 1]), head)
    assert figures.logprob_P.tolist() == pytest.approx([math.log(0.75), math.log(0.25)])
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert figures.entropy_P.tolist() == pytest.approx([entropy, entropy])
    assert figures.mean_logit_P.tolist() == pytest.approx([math.log(3.0) / 2] * 2)
    assert figures.is_top1_P.tolist() == [True, False]


@pytest.mark.parametrize("family", FAMILIES)
def test_sums_and_every_gradient_equal_full_logits(family: str) -> None:
    model, rows = language_model(family), pairs(4)
    prompts = [max(1, len(row) - 5) for row in rows]
    weights = torch.randn(len(rows), generator=torch.Generator().manual_seed(0))
    results = []
    for compute in (full_logits, completion_logprobs):
        model.zero_grad()
        sums = compute(model, rows, prompts)
        (sums * weights).sum().backward()
        results.append(
            (sums.detach(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
        )
    (plain, plain_gradients), (ours, our_gradients) = results
    assert_close(ours, plain)
    assert our_gradients.keys() == plain_gradients.keys()
    for name, gradient in plain_gradients.items():
        assert_close(our_gradients[name], gradient)


def test_bias_scale_and_cap_have_right_gradients() -> None:
    torch.manual_seed(0)
    hidden, weight, bias = (
        torch.randn(*size, dtype=torch.float64).float().requires_grad_() for size in ((7, 4), (9, 4), (9,))
    )
    labels = torch.randint(9, (7,))
    ours = token_figures(hidden, labels, OutputLayer(weight, bias, 0.5, 3.0)).logprob_P
    logits = 3.0 * torch.tanh(0.5 * (hidden @ weight.T + bias) / 3.0)
    plain = logits.log_softmax(1)[range(7), labels]
    assert_close(ours.detach(), plain.detach())
    for mine, theirs in zip(
        torch.autograd.grad(ours.square().sum(), (hidden, weight, bias)),
        torch.autograd.grad(plain.square().sum(), (hidden, weight, bias)),
        strict=True,
    ):
        assert_close(mine, theirs)


def test_bad_input_is_named() -> None:
    model = language_model("llama")
    with pytest.raises(EmptyBatchError):
        completion_logprobs(model, [], [])
    with pytest.raises(InputError, match="row 0 has 2 tokens of which 0 are prompt"):
        completion_logprobs(model, [[1, 2]], [0])
    with pytest.raises(InputError, match="row 1 has 1 tokens of which 1 are prompt"):
        completion_logprobs(model, [[1, 2], [1]], [1, 1])
    with pytest.raises(ModelError, match="no output layer"):
        output_layer(model.base_model)


@pytest.mark.parametrize("kind", ["GraniteConfig", "HyperCLOVAXConfig", "CohereConfig"])
def test_output_layers_that_scale_their_logits(kind: str) -> None:
    import transformers

    scaling = {"logit_scale": 0.25} if kind == "CohereConfig" else {"logits_scaling": 4.0}
    small = {name: value for name, value in GROUPED.items() if name != "head_dim"}
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, kind)(**small, **scaling)).eval()
    rows = pairs(2)
    prompts = [max(1, len(row) - 5) for row in rows]
    with torch.no_grad():
        assert_close(completion_logprobs(model, rows, prompts), full_logits(model, rows, prompts))


class Sharpened(LlamaForCausalLM):
    """Logits times a number that no configuration names."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        output = super().forward(*args, **kwargs)
        output.logits = 1.7 * output.logits
        return output


def test_a_scale_no_configuration_names_is_found_and_the_models_own_layer_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model, rows = Sharpened(language_model("llama").config), pairs(3)
    prompts = [max(1, len(row) - 5) for row in rows]
    results = []
    for compute in (full_logits, completion_logprobs, completion_logprobs):
        model.zero_grad()
        sums = compute(model, rows, prompts)
        sums.sum().backward()
        results.append((sums.detach(), {name: p.grad.clone() for name, p in model.named_parameters()}))
    for sums, gradients in results[1:]:
        assert_close(sums, results[0][0])
        for name, gradient in results[0][1].items():
            assert_close(gradients[name], gradient)
    assert caplog.text.count("Sharpened's own output layer") == 1
    assert "forward" not in model.base_model.__dict__
    assert model.training


def test_a_layer_that_reads_plainly_is_asked_once_and_not_again() -> None:
    model, rows, calls = language_model("gemma2"), pairs(2), []
    prompts = [max(1, len(row) - 5) for row in rows]
    model.lm_head.register_forward_hook(lambda *_: calls.append(1))
    completion_logprobs(model, rows, prompts)
    completion_logprobs(model, rows, prompts)
    assert len(calls) == 1
