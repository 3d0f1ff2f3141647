"""Cached headers change time and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from assay.engine.forward import hidden_at, last_hidden, plain_last_hidden
from assay.engine.kv import Headers, common_beginning, packs_with_headers

from .test_forward import assert_close
from .tiny import FAMILIES, reward_model

HEADER = [1, *np.random.default_rng(5).integers(3, 96, 11).tolist()]
GROUPS = [[[*HEADER, a, 4, 5], [*HEADER, a, 6]] for a in range(7, 15)]


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_states_with_a_cached_header_equal_the_plain_ones(family: str) -> None:
    model = reward_model(family).eval()
    headers = Headers(model, shortest=8)
    seen = []
    with torch.inference_mode():
        for members, header in packs_with_headers(model, GROUPS, token_budget=30, headers=headers):
            rows = [row for group in members for row in GROUPS[group]]
            last = np.array([len(row) - 1 for row in rows])
            assert header is not None
            ours = hidden_at(model, rows, row_P=np.arange(len(rows)), place_P=last, header=header)
            assert_close(ours, plain_last_hidden(model, rows))
            seen += members
    assert sorted(seen) == list(range(len(GROUPS)))
    assert headers.computed == 1


def test_a_header_runs_once_and_its_tokens_no_more() -> None:
    model = reward_model("llama").eval()
    tokens: list[int] = []
    model.base_model.layers[0].mlp.register_forward_hook(lambda _m, args, _o: tokens.append(args[0].shape[1]))
    with torch.inference_mode():
        last_hidden(model, [[1], [2]])  # the probe of the model's ability is behind us
        tokens.clear()
        for members, header in packs_with_headers(model, GROUPS, token_budget=30, headers=Headers(model, shortest=8)):
            rows = [row for group in members for row in GROUPS[group]]
            hidden_at(model, rows, row_P=np.array([0]), place_P=np.array([len(HEADER)]), header=header)
    assert tokens[0] == len(HEADER)
    assert sum(tokens[1:]) == sum(4 for _ in GROUPS)  # a, then 4 5, or 6


def test_another_beginning_gets_another_header_or_none() -> None:
    model = reward_model("llama").eval()
    headers = Headers(model, shortest=4)
    with torch.inference_mode():
        first = headers.of(GROUPS[0], following=GROUPS[1])
        assert first is not None
        assert first.ids.tolist() == HEADER
        assert headers.of([[9, 9, 9, 9, 9, 9]], following=GROUPS[1]) is None
        assert headers.of(GROUPS[2]) is first
        assert headers.of([[*HEADER]]) is None  # the row would have no token of its own


def test_common_beginning_by_hand() -> None:
    assert common_beginning([[1, 2, 3], [1, 2, 4]]).tolist() == [1, 2]
    assert common_beginning([[1, 2], [1, 2]]).tolist() == [1]
    assert common_beginning([[1], [2]]).tolist() == []
