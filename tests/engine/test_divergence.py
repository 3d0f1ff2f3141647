"""The KL divergence between two language models, by its estimate and by enumerating every answer there is."""

from __future__ import annotations

import itertools
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from assay.engine.divergence import divergences
from assay.engine.trunk_calls import run_sampled
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


def test_what_is_sampled_is_the_models_own_distribution() -> None:
    policy = language_model("llama").eval()
    rows = [[5, 9, 11]] * 4000
    first = [row[0] for row in run_sampled(policy, rows, most=1, end=2, seed=0)]
    seen = np.bincount(first, minlength=VOCABULARY) / len(first)
    expected = np.exp([logprob(policy, [5, 9, 11, token], 3) for token in range(VOCABULARY)])
    assert np.abs(seen - expected).sum() / 2 < 0.08  # of 4,000 draws of 96 tokens: 0.06 is usual
    assert run_sampled(policy, rows[:3], most=4, end=2, seed=0) == run_sampled(policy, rows[:3], most=4, end=2, seed=0)


def test_rows_of_other_lengths_are_continued_from_their_own_ends() -> None:
    policy = language_model("llama").eval()
    before = torch.random.get_rng_state()
    short, long = run_sampled(policy, [[5], [5, 9, 11, 13, 17]], most=3, end=2, seed=1)
    assert 1 <= len(short) <= 3
    assert 1 <= len(long) <= 3
    assert torch.equal(before, torch.random.get_rng_state())
