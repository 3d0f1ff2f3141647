"""The reward step on a CUDA machine: FlexAttention on packed tries, against the dense mask and against padding-free.

    python benchmarks/bench_cuda.py --out benchmarks/results/cuda.json
    python benchmarks/bench_cuda.py --device cpu --tiny     # that every line runs; its figures mean nothing

A Llama of about 0.5 billion random weights in bf16, pairs of random tokens at several lengths. Contenders:
  padded        one right-padded batch through transformers' SDPA
  padding_free  every row packed, nothing shared, FlexAttention
  dense         packed tries, SDPA with the full mask
  flex          packed tries, FlexAttention with a block mask: what the engine does on CUDA
It stops if a contender's loss is not the padded one's within bf16's noise. On CUDA this script has not been run yet: no
CUDA machine was at hand when it was written. `tests/engine/test_flex_attention.py` runs its FlexAttention code on a
CPU.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import logsigmoid
from transformers import LlamaConfig, LlamaForSequenceClassification

from assay.engine.forward import last_hidden, packed_hidden
from assay.engine.trie import pack
from assay.engine.trunk_calls import run_packed
from assay.models.wrappers import trunk_of
from unshared import last_places, plain_last_hidden, side_by_side

LENGTHS = ((64, 64), (256, 64), (512, 128), (1024, 128), (2048, 128))


TINY = ((4, 4), (40, 8))
AGREE = 0.02  # of the loss: what bf16's rounding may differ by from contender to contender


def build(device: str, tiny: bool) -> Any:
    sizes = (64, 96, 2) if tiny else (1024, 4096, 28)
    config = LlamaConfig(
        vocab_size=32000, hidden_size=sizes[0], intermediate_size=sizes[1], num_hidden_layers=sizes[2],
        num_attention_heads=4 if tiny else 16, num_key_value_heads=2 if tiny else 8, max_position_embeddings=8192,
        num_labels=1, pad_token_id=0,
    )  # fmt: skip
    return LlamaForSequenceClassification(config).to(device, torch.bfloat16)


def hidden(model: Any, rows: list[list[int]], contender: str) -> torch.Tensor:
    if contender == "padded":
        return plain_last_hidden(model, rows)
    if contender == "flex":
        return last_hidden(model, rows)
    trie = side_by_side(rows) if contender == "padding_free" else pack(rows)
    packed = run_packed(trunk_of(model), trie, "dense") if contender == "dense" else packed_hidden(model, trie)
    return packed[torch.from_numpy(last_places(trie)).to(packed.device)]


def milliseconds(model: Any, rows: list[list[int]], contender: str, repeats: int) -> tuple[float, float, float]:
    """Median time of a step, its loss, and peak memory in GiB."""
    times, loss = [], torch.zeros(())
    cuda = model.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    for number in range(repeats + 3):  # the first ones compile
        start = finished(cuda)
        reward = model.score(hidden(model, rows, contender))[:, 0].float()
        loss = -logsigmoid(reward[0::2] - reward[1::2]).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        model.zero_grad()
        if number >= 3:
            times.append(1000 * (finished(cuda) - start))
    return float(np.median(times)), loss.item(), torch.cuda.max_memory_allocated() / 2**30 if cuda else 0.0


def finished(cuda: bool) -> float:
    """The time at which all that was asked of the device is done, in seconds."""
    if cuda:
        torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=16)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--device", default="cuda")
    options.add_argument("--tiny", action="store_true", help="a model and rows that a CPU runs in seconds")
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    torch.manual_seed(0)
    model, random, runs = build(chosen.device, chosen.tiny), np.random.default_rng(0), []
    for prompt, answer in TINY if chosen.tiny else LENGTHS:
        rows = []
        for _ in range(chosen.pairs):
            shared = random.integers(5, 32000, prompt).tolist()
            rows += [shared + random.integers(5, 32000, answer).tolist() for _ in range(2)]
        losses = {}
        for contender in ("padded", "padding_free", "dense", "flex"):
            took, losses[contender], peak = milliseconds(model, rows, contender, chosen.repeats)
            run = {"prompt": prompt, "answer": answer, "contender": contender, "milliseconds": round(took, 2)}
            runs.append(run | {"loss": losses[contender], "peak_gib": round(peak, 2)})
            print(json.dumps(runs[-1]), flush=True)
            if abs(losses[contender] - losses["padded"]) > AGREE * losses["padded"]:
                raise SystemExit(f"{contender}: loss {losses[contender]}, padded {losses['padded']}: not the same work")
    if chosen.out:
        name = torch.cuda.get_device_name() if chosen.device == "cuda" else chosen.device
        machine = {"device": name, "torch": torch.__version__}
        body = {"schema": "benchmark/1", "name": "cuda", "machine": machine, "runs": runs}
        chosen.out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
