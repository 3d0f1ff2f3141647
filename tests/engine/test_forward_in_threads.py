"""Two models in two threads at once, and DataParallel: the same results or a plain sentence."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from assay.engine.drop_in import shared_prefixes
from assay.engine.forward import last_hidden
from assay.errors import ModelError
from tests.support.engine_rows import ROWS, padded, pairs
from tests.support.tiny_models import reward_model


def test_two_threads_with_two_models_give_what_one_thread_gives() -> None:
    models = [reward_model("llama", seed=seed).eval() for seed in (0, 1)]
    batches = [pairs(6, seed=seed) for seed in range(4)]

    def hidden(number: int, *, start: threading.Barrier | None = None) -> list[torch.Tensor]:
        found = []
        with torch.no_grad():
            for batch in batches:
                if start is not None:
                    start.wait(600)
                found.append(last_hidden(models[number], batch))
        return found

    together = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:  # the first passes, in which models are probed, included
        at_once = list(pool.map(lambda number: hidden(number, start=together), (0, 1)))
    for number in (0, 1):
        for ours, alone in zip(at_once[number], hidden(number), strict=True):
            assert torch.equal(ours, alone)


def test_plain_and_shared_passes_at_once_do_not_see_each_other() -> None:
    model, other = (reward_model("llama", seed=seed).eval() for seed in (0, 1))
    batch = padded(ROWS)

    @torch.no_grad()
    def plain(_turn: int) -> torch.Tensor:
        found: torch.Tensor = other(**batch).logits
        return found

    @torch.no_grad()
    def shared(_turn: int) -> torch.Tensor:
        return last_hidden(model, ROWS)

    alone = plain(0), shared(0)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(plain, range(8)), pool.map(shared, range(8))
        assert all(torch.equal(found, alone[0]) for found in first)
        assert all(torch.equal(found, alone[1]) for found in second)


def test_data_parallel_is_refused_with_the_way_out() -> None:
    model = reward_model("llama").eval()
    with pytest.raises(ModelError, match=r"torchrun or accelerate launch"):
        last_hidden(torch.nn.DataParallel(model), ROWS)


def test_a_replica_on_another_device_is_refused_with_the_way_out() -> None:
    model = reward_model("llama").eval()
    batch = {name: tensor.to("meta") for name, tensor in padded(ROWS).items()}
    with shared_prefixes(model), ThreadPoolExecutor(1) as pool:  # as DataParallel calls its copies
        called = pool.submit(lambda: model(**batch))
        with pytest.raises(ModelError, match=r"cannot follow torch\.nn\.DataParallel"):
            called.result()
