"""The KL divergence between two language models, by its estimate and by enumerating every answer there is."""

from __future__ import annotations

import itertools
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from assay.engine.divergence import divergences
from tests.support.tiny_models import language_model

VOCABULARY = 96


def logprob(model: torch.nn.Module, row: list[int], prompt: int) -> float:
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([row])).logits[0].double().log_softmax(1)
    return float(sum(logits[place - 1, row[place]] for place in range(prompt, len(row))))


def test_its_mean_is_the_divergence_of_whole_answers() -> None:
    """Over all answers of two tokens, each as likely as the policy makes it: sum p log p / q, to rounding."""
    policy, other = language_model("llama").eval(), language_model("llama", seed=1).eval()
    prompt = [5, 9, 11]
    rows = [[*prompt, a] for a in range(VOCABULARY)]
    probabilities = np.exp([logprob(policy, row, 3) for row in rows])
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    with torch.no_grad():
        both = [m(input_ids=torch.tensor(rows)).logits.double().log_softmax(2) for m in (policy, other)]
    exact = 0.0
    for a, b in itertools.product(range(VOCABULARY), repeat=2):
        ours, theirs = (float(lp[a, 2, a] + lp[a, 3, b]) for lp in both)
        exact += np.exp(ours) * (ours - theirs)
    whole = [[*row, 7] for row in rows]  # which second token is drawn plays no part: it is compared by distribution
    found = divergences(policy, lambda: nullcontext(other), whole, [3] * len(whole))
    assert float(found @ probabilities) == pytest.approx(exact, rel=1e-5)
    assert divergences(policy, lambda: nullcontext(policy), whole[:3], [3] * 3).max() == pytest.approx(0, abs=1e-6)
