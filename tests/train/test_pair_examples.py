"""Pairs as examples: rows that were made before are taken, others are rendered, and what does not fit is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from assay.errors import InputError
from assay.records import Pair, Text
from assay.render.encoder import Encoded, Renderer
from assay.render.length_gate import length_gate
from assay.train.config import LossConfig
from assay.train.pair_examples import PairExample, pair_examples
from tests.support import tiny_bases as tiny


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.base(tmp_path_factory.mktemp("base"))


def examples(pairs: list[Pair], renderer: Renderer, *, max_tokens: int = 64) -> list[PairExample]:
    return pair_examples(pairs, renderer, loss=LossConfig(), max_tokens=max_tokens)


def test_a_row_over_max_tokens_is_refused(base: Path) -> None:
    with pytest.raises(InputError, match=r"p0-0 has \d+ tokens as rendered, over model.max_tokens=4"):
        examples(tiny.pairs(1), Renderer.from_pretrained(base), max_tokens=4)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_not_above_0_is_refused(base: Path, weight: float) -> None:
    pair = replace(tiny.pairs(1)[0], weight=weight)
    with pytest.raises(InputError, match=r"pair p0-0 has weight"):
        examples([pair], Renderer.from_pretrained(base))


def test_weight_and_name_are_the_pair_s(base: Path) -> None:
    pairs = [replace(pair, weight=1 / (n + 1)) for n, pair in enumerate(tiny.pairs(3))]
    found = examples(pairs, Renderer.from_pretrained(base))
    assert [(one.name, one.weight) for one in found] == [("p0-0", 1.0), ("p0-1", 0.5), ("p0-2", 1 / 3)]


def test_rows_that_were_rendered_are_taken_and_only_others_rendered(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = tiny.pairs(6)
    expected = examples(pairs, Renderer.from_pretrained(base))
    gate = length_gate(pairs[:4], Renderer.from_pretrained(base), 64)
    rendered: list[tuple[Text, Text]] = []
    encode_rows = Renderer.encode_rows

    def counting(self: Renderer, rows: Sequence[tuple[Text, Text]]) -> Iterator[Encoded | Exception]:
        rendered.extend(rows)
        yield from encode_rows(self, rows)

    monkeypatch.setattr(Renderer, "encode_rows", counting)
    found = pair_examples(
        pairs, Renderer.from_pretrained(base), loss=LossConfig(), max_tokens=64, rendered=gate.rendered
    )
    assert found == expected
    assert rendered == [(pair.prompt, side) for pair in pairs[4:] for side in (pair.chosen, pair.rejected)]


def test_rows_of_another_base_are_refused(base: Path, tmp_path: Path) -> None:
    pairs = tiny.pairs(2)
    gate = length_gate(pairs, Renderer.from_pretrained(tiny.base(tmp_path, "llama")), 64)
    with pytest.raises(InputError, match="rendered for another base"):
        pair_examples(pairs, Renderer.from_pretrained(base), loss=LossConfig(), max_tokens=64, rendered=gate.rendered)
