"""Choices of questions under one beginning: what each row alone gives, for every family, whatever is shared or kept."""

from __future__ import annotations

import numpy as np
import pytest

from assay.engine.choice_logprobs import Choices, choice_logprobs
from assay.engine.logprobs import completion_logprobs
from tests.support.tiny_models import FAMILIES, language_model


def questions(*, header: int, count: int, seed: int = 0) -> list[Choices]:
    """Questions behind `header` shared tokens: four letters, or texts of unlike length of which one begins another."""
    draw = np.random.default_rng(seed)
    common = draw.integers(3, 96, header)
    found = []
    for n in range(count):
        context = tuple(int(i) for i in (*common, *draw.integers(3, 96, 3 + n % 4)))
        texts = (
            ((5,), (6,), (7,), (8,)) if n % 2 else ((5, 9), (5, 9, 11), (6,), tuple(draw.integers(3, 96, 4).tolist()))
        )
        found.append(Choices(context, texts))
    return found


def each_alone(model: object, asked: list[Choices]) -> list[list[float]]:
    return [
        [
            float(completion_logprobs(model, [one.context + text], [len(one.context)]).detach())  # type: ignore[arg-type]
            for text in one.continuations
        ]
        for one in asked
    ]


def together(model: object, asked: list[Choices], **more: object) -> dict[int, tuple[float, ...]]:
    found: dict[int, tuple[float, ...]] = {}
    for members, values in choice_logprobs(model, asked, **more):  # type: ignore[arg-type]
        assert not found.keys() & set(members)
        found.update(zip(members, values, strict=True))
    return found


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("header", "budget"), [(24, 40), (24, 4000), (0, 30)])
def test_every_choice_has_the_figure_its_row_has_alone(family: str, header: int, budget: int) -> None:
    """Several packs with the beginning kept, one pack, and nothing in common; mistral and gemma2 have short windows."""
    model, asked = language_model(family), questions(header=header, count=9)
    found = together(model, asked, micro_tokens=budget)
    assert sorted(found) == list(range(9))
    for n, wanted in enumerate(each_alone(model, asked)):
        np.testing.assert_allclose(found[n], wanted, rtol=1e-4, atol=1e-4)


def test_the_beginning_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    model, asked = language_model("llama"), questions(header=40, count=12)
    tokens: list[int] = []
    model.model.embed_tokens.register_forward_hook(lambda _m, given, _o: tokens.append(given[0].numel()))
    together(model, asked[:2], micro_tokens=200)  # what the model can do is found out once, on rows of its own
    tokens.clear()
    with torch.no_grad():
        together(model, asked, micro_tokens=30)
    own = {one.context[:k] for one in asked for k in range(41, len(one.context) + 1)}
    more = {
        one.context + text[:k] for one in asked for text in one.continuations for k in range(1, len(text))
    }  # fmt: skip
    assert sum(tokens) == 40 + len(own) + len(more)
    assert tokens[0] == 40


def test_what_is_known_is_left_out_pack_by_pack_and_the_bits_stay() -> None:
    model, asked = language_model("llama"), questions(header=24, count=12)
    packs = [members for members, _ in choice_logprobs(model, asked, micro_tokens=30)]
    assert len(packs) > 2
    whole = together(model, asked, micro_tokens=30)
    known = {*packs[0], packs[1][0]}
    rest = together(model, asked, micro_tokens=30, known=known)
    assert set(rest) == {n for members in packs[1:] for n in members}
    assert rest == {n: whole[n] for n in rest}
    assert together(model, asked, micro_tokens=30, known=range(12)) == {}
    assert together(model, []) == {}
