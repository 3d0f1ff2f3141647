"""CHES scores: worked by hand, and by plain hidden states of the whole model."""

from __future__ import annotations

import pytest
import torch

from assay.render.encoder import Encoded
from assay.train.dpo.ches import Ches, ches_scores, similarity, without_highest
from assay.train.losses.targets import Target
from assay.train.pair_examples import PairExample
from tests.support.tiny_models import language_model


def example(name: str, chosen: tuple[int, ...], rejected: tuple[int, ...]) -> PairExample:
    prompt = (5, 9, 11)
    rows = (Encoded(ids=(*prompt, *answer), prompt_tokens=3) for answer in (chosen, rejected))
    return PairExample(name=name, chosen=next(rows), rejected=next(rows), target=Target(win=1, tie=0, loss=0))


def test_by_hand() -> None:
    # <(1, 2), (3, 1)> - |(1, 2)|^2 = 5 - 5; the same against itself is 0; opposite: -1 - 1
    chosen, rejected = (
        torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 0.0]]),
        torch.tensor([[3.0, 1.0], [1.0, 2.0], [-1.0, 0.0]]),
    )
    assert similarity(chosen, rejected).tolist() == [0.0, 0.0, -2.0]


def test_it_is_of_the_states_from_which_answer_tokens_are_read() -> None:
    model = language_model("llama").eval()
    pairs = [example("a", (20, 21, 22), (20, 23)), example("b", (30,), (31, 32, 33, 34))]
    found = ches_scores(model, pairs, micro_tokens=8)
    for score, pair in zip(found, pairs, strict=True):
        sums, means = [], []
        for row in pair.rows:
            with torch.no_grad():
                hidden = model.model(input_ids=torch.tensor([row.ids])).last_hidden_state[0]
            of_answer = hidden[row.prompt_tokens - 1 : -1]  # the last prompt token predicts the first answer token
            sums.append(of_answer.sum(0))
            means.append(of_answer.mean(0))
        assert score.pair_id == pair.name
        assert score.ches == pytest.approx(float(sums[0] @ sums[1] - sums[0] @ sums[0]), rel=1e-4, abs=1e-4)
        assert score.normalised == pytest.approx(float(means[0] @ means[1] - means[0] @ means[0]), rel=1e-4, abs=1e-4)


def test_the_highest_share_goes() -> None:
    scores = [
        Ches(pair_id=name, ches=0, normalised=value) for name, value in (("a", 0.5), ("b", -1), ("c", 2), ("d", 0))
    ]
    assert without_highest(scores, 0.5) == {"b", "d"}
    assert without_highest(scores, 0.24) == {"a", "b", "c", "d"}  # rounded down
