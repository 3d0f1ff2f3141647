"""A body of a million rows, right or wrong, is refused before each is looked at: no request holds up the others."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from assay.serve.config import ServeConfig
from assay.serve.dialects.all_dialects import spoken
from assay.serve.refusal import RefusedError
from tests.serve.sites import serving

SEVERAL: list[tuple[str, dict[str, object]]] = [
    ("/v1/score", {"groups": [{"prompt": "p", "answers": ["a"] * 5}, {"prompt": "q", "answers": ["a"] * 4}]}),
    ("/v1/score", {"groups": [{"prompt": "p", "answers": []}] * 9}),
    ("/get_reward", {"query": ["a"] * 9, "prompts": ["a"] * 99}),
    ("/classify", {"input": ["a"] * 9}),
    ("/classify", {"input": [[1, 2]] * 9}),
    ("/classify", {"text": ["a"] * 9}),
    ("/classify", {"input_ids": [[1, 2]] * 9}),
    ("/v1/embeddings", {"input": ["a"] * 9}),
    ("/predict", {"inputs": [["p", "a"]] * 9}),
    ("/rerank", {"query": "p", "texts": ["a"] * 9}),
    ("/rerank", {"query": "p", "documents": ["a"] * 9}),
]
ONE: list[tuple[str, dict[str, object]]] = [
    ("/classify", {"input": [1, 2, 3]}),
    ("/classify", {"input_ids": [1, 2, 3]}),
    ("/classify", {"messages": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "a"}] * 6}),
    ("/get_reward", {"query": "a"}),
    ("/predict", {"inputs": ["p", "a"]}),
]


@pytest.mark.parametrize(("path", "body"), SEVERAL)
def test_rows_are_counted_before_they_are_looked_at(path: str, body: dict[str, object]) -> None:
    dialect, told = spoken(path, body)
    assert dialect.count(told) == 9
    assert dialect.count(told) >= len(dialect.parse(told).asked)


@pytest.mark.parametrize(("path", "body"), ONE)
def test_one_row_is_not_counted_by_its_tokens_or_turns(path: str, body: dict[str, object]) -> None:
    dialect, told = spoken(path, body)
    assert len(dialect.parse(told).asked) == 1
    assert dialect.count(told) <= 1


def test_too_many_rows_are_told_as_that_whatever_stands_in_them() -> None:
    with serving("baseline:longest", config=ServeConfig(rows=8)) as site:
        for path, body in (*SEVERAL, ("/get_reward", {"query": [None] * 9})):
            said = site.post(path, body)
            assert (said.status, b"9 rows in one request" in said.raw) == (413, True), (path, said.raw)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/score", {"groups": [1.5] * 1000}),
        ("/v1/score", {"groups": [{"prompt": [1.5] * 1000, "answers": [1.5] * 1000}]}),
        ("/get_reward", {"query": [1.5] * 1000}),
        ("/classify", {"input": [1.5] * 1000}),
        ("/classify", {"input": [1, *["a"] * 1000]}),
        ("/classify", {"messages": [{"role": "user", "content": [1.5] * 1000}] * 1000}),
        ("/classify", {"text": [1.5] * 1000}),
        ("/classify", {"input_ids": [[1.5] * 1000] * 1000}),
        ("/predict", {"inputs": [[1.5] * 1000] * 1000}),
        ("/rerank", {"query": "p", "texts": [1.5] * 1000}),
        ("/rerank", {"query": "p", "documents": [1.5] * 1000}),
    ],
)
def test_a_list_is_refused_at_its_first_wrong_item(path: str, body: dict[str, object]) -> None:
    """Two megabytes of wrong numbers took two gigabytes of reasons, of which one is told."""
    dialect, told = spoken(path, body)
    with pytest.raises(RefusedError) as refused:
        dialect.parse(told)
    found = refused.value.__context__
    assert isinstance(found, ValidationError)
    assert found.error_count() < 10
