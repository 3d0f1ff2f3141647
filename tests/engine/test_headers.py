"""Cached headers change time and nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from assay.engine.forward import hidden_at, last_hidden
from assay.engine.headers import Headers, packs_with_headers
from assay.engine.trie import distinct_tokens
from assay.render.encoder import Encoded
from assay.rewards.reward_model import RewardModel
from tests.support.engine_rows import assert_close
from tests.support.tiny_models import FAMILIES, reward_model
from tests.support.unshared import plain_last_hidden

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


def test_two_thousand_rows_behind_one_header_longer_than_the_budget() -> None:
    # 200 tokens of header, 2,000 answers of 4 tokens, one of 390, none alike; 100 tokens a pass.
    model = reward_model("llama").eval()
    model.config.max_position_embeddings = 1024
    reward = RewardModel(model, SimpleNamespace(kind="decoder"))  # type: ignore[arg-type]
    random = np.random.default_rng(0)
    header = random.integers(3, 96, 200).tolist()
    tails = [list(tail) for tail in dict.fromkeys(map(tuple, random.integers(3, 96, (2000, 4)).tolist()))]
    tails.append(random.integers(3, 96, 390).tolist())
    rows = [Encoded(ids=(*header, *tail), prompt_tokens=len(header)) for tail in tails]
    reward.score(rows[:2])  # probes are behind us
    passes: list[int] = []
    model.base_model.layers[0].mlp.register_forward_hook(lambda _m, args, _o: passes.append(args[0][..., 0].numel()))
    ours = reward.score(rows, micro_tokens=100)
    assert passes.count(200) == 1  # the header by itself
    others = sorted(passes)[:-2]
    assert sorted(passes)[-1] in range(387, 391)  # the one row over the budget, its header not counted
    assert max(others) <= 100
    distinct = distinct_tokens([header + tail for tail in tails])
    assert distinct <= sum(passes) <= 1.1 * distinct
    assert len(passes) <= 2 + 1.2 * distinct / 100
    some = [*range(0, len(rows), 200), len(rows) - 1]
    plain = reward.score([rows[n] for n in some], sharing="off")
    np.testing.assert_allclose(ours[some], plain, rtol=1e-5, atol=1e-5 * float(np.abs(plain).max()))


def test_several_long_headers_and_rows_without_one() -> None:
    random = np.random.default_rng(1)
    long = [random.integers(3, 96, 90).tolist() for _ in range(3)]
    groups = [[[*long[n % 3], *random.integers(3, 96, 3).tolist()]] for n in range(30)]
    groups += [[random.integers(3, 96, 5).tolist()] for _ in range(4)] + [[long[0]]]  # one that is a header itself
    model = reward_model("llama").eval()
    model.config.max_position_embeddings = 256
    headers, seen = Headers(model), []
    with torch.inference_mode():
        for members, header in packs_with_headers(model, groups, token_budget=80, headers=headers):
            rows = [row for group in members for row in groups[group]]
            last = np.array([len(row) - 1 for row in rows])
            ours = hidden_at(model, rows, row_P=np.arange(len(rows)), place_P=last, header=header)
            assert_close(ours, plain_last_hidden(model, rows))
            seen += members
    assert sorted(seen) == list(range(len(groups)))
    assert headers.computed == 3
