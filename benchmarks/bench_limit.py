"""How near a reward-training step is to what the machine's matrix multiplication allows.

    python benchmarks/bench_limit.py --data test.jsonl.gz

Limit: operations of one step over distinct tokens (forward, and twice that backward: linear layers 2 * weights a token,
attention 4 * heads * head size for each pair of tokens that see each other, in every layer) divided by the rate of
matrix multiplication, sampled before, between and after the step's passes in the same process (the mean; beside it the
share of the fastest product seen). Elementwise work and Python count as loss. Rounds are printed one by one. Each runs
with plain layers and with layers through torch.compile (train.compile=on).
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch.nn.functional import logsigmoid
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from assay.engine.compiled import compile_layers, plain_layers
from assay.engine.forward import last_hidden
from assay.engine.trie import pack, plan
from harness import Clock, MatmulRate, batch, hh_pairs, median, model_folder, parser, shares, write


def operations(model: Any, packs: list[list[list[int]]]) -> tuple[float, int]:
    """Operations of one training step and distinct tokens run."""
    config = model.config
    weights = sum(m.weight.numel() for m in model.base_model.modules() if isinstance(m, torch.nn.Linear))
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    tries = [pack(rows) for rows in packs]
    tokens = sum(trie.tokens for trie in tries)
    seen = sum(int((trie.positions_L + 1).sum()) for trie in tries)
    forward = 2 * weights * tokens + 4 * config.num_attention_heads * size * config.num_hidden_layers * seen
    return 3.0 * forward, tokens


def main() -> None:
    options = parser(__doc__ or "", rounds=3).parse_args()
    torch.set_num_threads(options.threads)
    folder = model_folder(options.model)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    every = hh_pairs(options.data, tokenizer, max_tokens=options.max_tokens)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=1, dtype=torch.float32, trust_remote_code=False
    )
    compile_layers(model, lambda rows: last_hidden(model, [row.ids for row in rows]), precision="float32")
    runs = []
    for number, layers in ((n, layers) for n in range(-1, options.rounds) for layers in ("plain", "compiled")):
        pairs = batch(every, options.pairs, max(number, 0))
        groups = [[pair["chosen"], pair["rejected"]] for pair in pairs]
        members = plan(groups, token_budget=options.micro_tokens)
        packs = [[row for g in some for row in groups[g]] for some in members]
        rate = MatmulRate()
        rate.sample()
        clock = Clock()
        with plain_layers("on" if layers == "plain" else "off"):
            for rows in packs[:1] if number < 0 else packs:  # the first round warms up
                reward = model.score(last_hidden(model, rows))[:, 0]
                loss = -logsigmoid(reward[0::2] - reward[1::2]).sum() / len(pairs)
                loss.backward()  # type: ignore[no-untyped-call]
                with clock.stopped():
                    rate.sample()
        spent = clock.read()
        total, tokens = operations(model, packs)
        if number >= 0:
            run = (
                {"layers": layers}
                | spent
                | {
                    "distinct_tokens": tokens,
                    "microseconds_per_token": round(1e6 * spent["seconds"] / tokens, 1),
                }
                | shares(total, spent, rate)
            )
            runs.append(run)
            print(json.dumps(run), flush=True)
    kinds = ("share_of_limit", "share_of_limit_processor_time", "share_of_best_rate")
    summary = {
        layers: {kind: median([float(run[kind]) for run in runs if run["layers"] == layers]) for kind in kinds}
        for layers in ("plain", "compiled")
    }
    write(options, "limit", {"summary": summary, "runs": runs})


if __name__ == "__main__":
    main()
