"""The reward step on a CUDA machine: FlexAttention on packed tries, against the dense mask and against padding-free.

    python benchmarks/bench_cuda.py --out benchmarks/results/cuda.json

A Llama of about 0.5 billion random weights in bf16, pairs of random tokens at several lengths. Contenders:
  padded        one right-padded batch through transformers' SDPA
  padding_free  every row packed, nothing shared, FlexAttention
  dense         packed tries, SDPA with the full mask
  flex          packed tries, FlexAttention with a block mask: what the engine does on CUDA
This script has not been run yet: no CUDA machine was at hand when it was written.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import logsigmoid
from transformers import LlamaConfig, LlamaForSequenceClassification

from assay.engine.forward import last_hidden, packed_hidden, plain_last_hidden
from assay.engine.sharing import run_packed, trunk_of
from assay.engine.trie import pack, side_by_side

LENGTHS = ((64, 64), (256, 64), (512, 128), (1024, 128), (2048, 128))


def build() -> Any:
    config = LlamaConfig(
        vocab_size=32000, hidden_size=1024, intermediate_size=4096, num_hidden_layers=28, num_attention_heads=16,
        num_key_value_heads=8, max_position_embeddings=8192, num_labels=1, pad_token_id=0,
    )  # fmt: skip
    return LlamaForSequenceClassification(config).to("cuda", torch.bfloat16)


def hidden(model: Any, rows: list[list[int]], contender: str) -> torch.Tensor:
    if contender == "padded":
        return plain_last_hidden(model, rows)
    if contender == "flex":
        return last_hidden(model, rows)
    trie = side_by_side(rows) if contender == "padding_free" else pack(rows)
    packed = run_packed(trunk_of(model), trie, "dense") if contender == "dense" else packed_hidden(model, trie)
    return packed[torch.from_numpy(trie.last_N).cuda()]


def milliseconds(model: Any, rows: list[list[int]], contender: str, repeats: int) -> tuple[float, float, float]:
    """Median time of a step, its loss, and peak memory in GiB."""
    times, loss = [], torch.zeros(())
    torch.cuda.reset_peak_memory_stats()
    for number in range(repeats + 3):  # the first ones compile
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        reward = model.score(hidden(model, rows, contender))[:, 0].float()
        loss = -logsigmoid(reward[0::2] - reward[1::2]).mean()
        loss.backward()
        model.zero_grad()
        end.record()
        torch.cuda.synchronize()
        if number >= 3:
            times.append(start.elapsed_time(end))
    return float(np.median(times)), loss.item(), torch.cuda.max_memory_allocated() / 2**30


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=16)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    torch.manual_seed(0)
    model, random, runs = build(), np.random.default_rng(0), []
    for prompt, answer in LENGTHS:
        rows = []
        for _ in range(chosen.pairs):
            shared = random.integers(5, 32000, prompt).tolist()
            rows += [shared + random.integers(5, 32000, answer).tolist() for _ in range(2)]
        for contender in ("padded", "padding_free", "dense", "flex"):
            time, loss, peak = milliseconds(model, rows, contender, chosen.repeats)
            run = {"prompt": prompt, "answer": answer, "contender": contender, "milliseconds": round(time, 2)}
            runs.append(run | {"loss": loss, "peak_gib": round(peak, 2)})
            print(json.dumps(runs[-1]), flush=True)
    if chosen.out:
        machine = {"device": torch.cuda.get_device_name(), "torch": torch.__version__}
        body = {"schema": "benchmark/1", "name": "cuda", "machine": machine, "runs": runs}
        chosen.out.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
