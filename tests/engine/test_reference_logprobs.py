"""Stored reference log-probabilities: computed once, and again only for what is new."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from assay.engine import reference_logprobs as store
from assay.engine.logprobs import completion_logprobs
from assay.engine.reference_logprobs import reference_logprobs
from assay.errors import ArtifactError
from tests.support.engine_rows import pairs
from tests.support.tiny_models import language_model


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows that were run, call by call."""
    counts: list[int] = []

    def counted(model: Any, rows: Any, prompts: Any) -> Any:
        counts.append(len(rows))
        return completion_logprobs(model, rows, prompts)

    monkeypatch.setattr(store, "completion_logprobs", counted)
    return counts


def groups_of(count: int) -> tuple[list[list[list[int]]], list[list[int]]]:
    rows = pairs(count)
    groups = [rows[n : n + 2] for n in range(0, len(rows), 2)]
    return groups, [[max(1, len(row) - 4) for row in group] for group in groups]


def test_stored_values_are_the_plain_ones_and_run_once(tmp_path: Path, ran: list[int]) -> None:
    model = language_model("llama")
    groups, prompts = groups_of(5)
    options: dict[str, Any] = {"fingerprint": "sha256:a", "folder": tmp_path, "token_budget": 60}
    first = reference_logprobs(model, groups, prompts, **options)
    assert sum(ran) == 10
    with torch.no_grad():
        for found, rows, lengths in zip(first, groups, prompts, strict=True):
            np.testing.assert_allclose(found, completion_logprobs(model, rows, lengths).numpy(), rtol=1e-5)
    assert model.training
    again = reference_logprobs(model, groups, prompts, **options)
    assert sum(ran) == 10  # nothing ran again
    assert all((a == b).all() for a, b in zip(first, again, strict=True))


def test_only_new_rows_and_other_prompts_and_models_run(tmp_path: Path, ran: list[int]) -> None:
    model = language_model("llama")
    groups, prompts = groups_of(4)
    options: dict[str, Any] = {"folder": tmp_path, "token_budget": 1000}
    reference_logprobs(model, groups[:3], prompts[:3], fingerprint="a", **options)
    reference_logprobs(model, groups, prompts, fingerprint="a", **options)
    assert ran == [6, 2]
    reference_logprobs(model, groups, [[n + 1 for n in group] for group in prompts], fingerprint="a", **options)
    reference_logprobs(model, groups, prompts, fingerprint="b", **options)
    assert ran == [6, 2, 8, 8]


def test_stopped_half_way_it_goes_on_with_the_same_bits_and_runs_nothing_twice(
    tmp_path: Path, ran: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BLOCK", 4)
    monkeypatch.setattr(store, "STORED_EVERY", 0.0)
    model = language_model("llama")
    groups, prompts = groups_of(11)
    options: dict[str, Any] = {"fingerprint": "a", "token_budget": 60}
    seen: list[tuple[int, int]] = []
    whole = reference_logprobs(
        model, groups, prompts, folder=tmp_path / "whole", told=lambda *at: seen.append(at), **options
    )
    assert seen[0] == (0, 11)
    assert seen[-1] == (11, 11)
    assert sum(ran) == 22

    def stop(done: int, of: int) -> None:
        if done >= 7:  # within the second block of four
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reference_logprobs(model, groups, prompts, folder=tmp_path / "parts", told=stop, **options)
    ran.clear()
    again = reference_logprobs(model, groups, prompts, folder=tmp_path / "parts", **options)
    assert sum(ran) == 2 * 7  # all but the first block
    assert all((a == b).all() for a, b in zip(whole, again, strict=True))


def test_a_pair_that_stands_twice_shifts_no_block_when_the_pass_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same two answers under the opposite label: known after the first block, so not to be run in the second."""
    monkeypatch.setattr(store, "BLOCK", 4)
    monkeypatch.setattr(store, "STORED_EVERY", 0.0)
    calls: list[object] = []

    def recorded(model: Any, rows: Any, prompts: Any) -> Any:
        calls.append([list(row) for row in rows])
        return completion_logprobs(model, rows, prompts)

    monkeypatch.setattr(store, "completion_logprobs", recorded)
    model = language_model("llama")
    groups, prompts = groups_of(14)
    groups.insert(5, groups[0][::-1])
    prompts.insert(5, prompts[0][::-1])
    options: dict[str, Any] = {"fingerprint": "a", "token_budget": 60}
    whole = reference_logprobs(model, groups, prompts, folder=tmp_path / "whole", **options)
    packed = list(calls)
    assert (whole[5] == whole[0][::-1]).all()

    def stop(done: int, of: int) -> None:
        if done > 4:  # within the second block
            raise KeyboardInterrupt

    calls.clear()
    with pytest.raises(KeyboardInterrupt):
        reference_logprobs(model, groups, prompts, folder=tmp_path / "parts", told=stop, **options)
    first = len(calls) - 1  # the last call is of the second block
    calls.clear()
    reference_logprobs(model, groups, prompts, folder=tmp_path / "parts", **options)
    assert calls == packed[first:]


def test_a_torn_store_is_named(tmp_path: Path) -> None:
    model = language_model("llama")
    groups, prompts = groups_of(1)
    options: dict[str, Any] = {"fingerprint": "a", "folder": tmp_path, "token_budget": 1000}
    reference_logprobs(model, groups, prompts, **options)
    (stored,) = tmp_path.glob("*.json")
    stored.write_bytes(stored.read_bytes()[:20])
    with pytest.raises(ArtifactError, match="is not JSON"):
        reference_logprobs(model, groups, prompts, **options)


def test_rows_that_another_process_stored_meanwhile_are_kept(
    tmp_path: Path, ran: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = language_model("llama")
    groups, prompts = groups_of(2)
    options: dict[str, Any] = {"fingerprint": "a", "folder": tmp_path, "token_budget": 1000}
    counted = store.completion_logprobs

    def slowly(*args: Any) -> Any:
        monkeypatch.setattr(store, "completion_logprobs", counted)
        reference_logprobs(model, groups[1:], prompts[1:], **options)  # while the first rows are running
        return counted(*args)

    monkeypatch.setattr(store, "completion_logprobs", slowly)
    reference_logprobs(model, groups[:1], prompts[:1], **options)
    assert sum(ran) == 4
    reference_logprobs(model, groups, prompts, **options)
    assert sum(ran) == 4


def test_another_precision_is_another_reference(tmp_path: Path, ran: list[int]) -> None:
    groups, prompts = groups_of(1)
    options: dict[str, Any] = {"fingerprint": "a", "folder": tmp_path, "token_budget": 1000}
    exact = reference_logprobs(language_model("llama"), groups, prompts, **options)
    half = reference_logprobs(language_model("llama", dtype=torch.bfloat16), groups, prompts, **options)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        reference_logprobs(language_model("llama"), groups, prompts, **options)
    assert ran == [2, 2, 2]
    assert (exact[0] != half[0]).any()
