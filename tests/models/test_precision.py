"""Which precision a machine trains in is measured there, shortly, and nothing else notices."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time

import pytest
import torch

from assay.models import precision
from assay.models.precision import Measurement


def measuring(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    found = Measurement(float32_seconds=factor, bf16_seconds=1.0)
    monkeypatch.setattr(precision, "measured", lambda: found)


def test_the_factor_by_hand() -> None:
    assert Measurement(float32_seconds=0.3, bf16_seconds=0.1).factor == pytest.approx(3.0)  # a third of the time
    assert Measurement(float32_seconds=0.01, bf16_seconds=0.1).factor == pytest.approx(0.1)


@pytest.mark.parametrize(("factor", "used"), [(2.2, "bf16"), (1.2, "bf16"), (1.1, "float32"), (0.09, "float32")])
def test_auto_takes_bf16_only_where_it_is_clearly_faster(
    factor: float, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch, factor)
    assert precision.resolve("auto") == used
    assert precision.resolve("bf16") == "bf16"
    assert precision.resolve("float32") == "float32"


def test_what_is_asked_for_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "measured", lambda: pytest.fail("measured"))
    assert precision.resolve("float32") == "float32"
    assert precision.resolve("bf16") == "bf16"


def test_measuring_is_short_and_leaves_torch_as_it_was() -> None:
    before, gradients = torch.random.get_rng_state(), torch.is_grad_enabled()
    precision.measured.cache_clear()
    start = time.monotonic()
    with torch.no_grad():
        found = precision.measured()
    assert time.monotonic() - start < 10  # a second where nothing else runs
    assert found.float32_seconds > 0
    assert found.bf16_seconds > 0
    assert precision.measured() is found
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.is_grad_enabled() is gradients


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the instructions to take away are those of x86-64")
@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU would be measured")
def test_a_processor_that_emulates_bf16_trains_in_float32() -> None:
    ask = "from assay.models.precision import measured, resolve; print(resolve('auto'), measured().factor)"
    env = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"}  # has no bf16 instructions
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, env=env)
    used, factor = done.stdout.split()
    assert used == "float32"
    assert float(factor) < 1
