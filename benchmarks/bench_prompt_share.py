"""How the gain of sharing grows with the prompt's share and the number of answers: prompt/answer ratios from 0 to 8.

    python benchmarks/bench_prompt_share.py --data test.jsonl.gz

Random token rows of one length, so that padding plays no part: what is measured is sharing alone, against one padded
batch through transformers, on the model cut to its first layers (a ratio needs no more). Two answers: a training step.
Sixteen: scoring. With --data, also how padding grows with the optimiser's batch: tokens run, counted over real pairs.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from assay.engine.forward import last_hidden
from assay.engine.trie import distinct_tokens
from harness import batch, hh_pairs, median, model_folder, parser, write
from unshared import plain_last_hidden

RATIOS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
ANSWER = 48
LAYERS = 4


def rows_of(ratio: float, answers: int, groups: int, vocabulary: int) -> list[list[int]]:
    """`groups` prompts of ratio * ANSWER tokens with `answers` answers each."""
    random = np.random.default_rng(0)
    rows = []
    for _ in range(groups):
        prompt = random.integers(10, vocabulary, round(ratio * ANSWER)).tolist()
        rows += [prompt + random.integers(10, vocabulary, ANSWER).tolist() for _ in range(answers)]
    return rows


def seconds(model: Any, run: Any, rows: list[list[int]], *, training: bool) -> float:
    """Processor seconds of one step."""
    start = time.process_time()
    if training:
        model.score(run(model, rows)).sum().backward()
        model.zero_grad(set_to_none=False)
    else:
        with torch.inference_mode():
            model.score(run(model, rows))
    return time.process_time() - start


def sharing(options: argparse.Namespace, model: Any, answers: int, *, training: bool) -> list[dict[str, Any]]:
    found = []
    for ratio in RATIOS:
        rows = rows_of(ratio, answers, max(1, 16 // answers), model.config.vocab_size)
        seconds(model, last_hidden, rows, training=training)
        plain, ours = [], []
        for _ in range(options.rounds):
            plain.append(seconds(model, plain_last_hidden, rows, training=training))
            ours.append(seconds(model, last_hidden, rows, training=training))
        found.append(
            {
                "prompt_over_answer": ratio,
                "answers": answers,
                "work": "training" if training else "scoring",
                "tokens_ratio": round(sum(map(len, rows)) / distinct_tokens(rows), 3),
                "time_ratio": median([a / b for a, b in zip(plain, ours, strict=True)]),
            }
        )
        print(json.dumps(found[-1]), flush=True)
    return found


def padding(options: argparse.Namespace, folder: str) -> list[dict[str, Any]]:
    """Tokens run a pair at growing micro-batches: padded to the longest, and distinct."""
    every = hh_pairs(
        options.data, AutoTokenizer.from_pretrained(folder, trust_remote_code=False), max_tokens=options.max_tokens
    )
    found = []
    for size in (1, 2, 4, 8, 16, 32):
        padded, alone, shared = [], [], []
        for number in range(40):
            rows = [row for pair in batch(every, size, number) for row in (pair["chosen"], pair["rejected"])]
            padded.append(len(rows) * max(map(len, rows)))
            alone.append(sum(map(len, rows)))
            shared.append(distinct_tokens(rows))
        total = sum(shared)
        found.append(
            {
                "pairs_in_a_batch": size,
                "padded_over_distinct": round(sum(padded) / total, 3),
                "unpadded_over_distinct": round(sum(alone) / total, 3),
            }
        )
    return found


def main() -> None:
    options = parser(__doc__ or "", rounds=5).parse_args()
    torch.set_num_threads(options.threads)
    folder = model_folder(options.model)
    config = AutoConfig.from_pretrained(folder, num_labels=1, num_hidden_layers=LAYERS, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_config(config)
    points = sharing(options, model, 2, training=True) + sharing(options, model, 16, training=False)
    body = {"layers": LAYERS, "answer_tokens": ANSWER, "points": points, "padding": padding(options, folder)}
    write(options, "prompt_share", body)
    from plot_prompt_share import plot

    plot(Path(__file__).parent.parent / "docs" / "images" / "prompt_share.svg", body)


if __name__ == "__main__":
    main()
