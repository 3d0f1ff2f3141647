"""Reward training against TRL: pairs a second, peak memory and the losses side by side.

    python benchmarks/bench_reward.py --data test.jsonl.gz

Contenders, all from the same weights on the same 32 pairs, float32, no gradient checkpointing, AdamW:
  trl           RewardTrainer, 4 random micro-batches of 8 pairs
  trl_sorted    the same, the 32 pairs sorted by length first
  trl_shared    RewardTrainer as in `trl`, under `with shared_prefixes(model)`
  padding_free  our step with every row packed but nothing shared
  assay         our step
  assay_compiled  our step with the layers through torch.compile, as train.compile=on; compiled before the clock starts
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import nullcontext
from typing import Any

import torch
from torch.nn.functional import logsigmoid
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback

from assay.engine.compiled import compile_layers
from assay.engine.drop_in import shared_prefixes
from assay.engine.forward import last_hidden, packed_hidden
from assay.engine.trie import plan
from harness import Clock, alternate, batch, hh_pairs, median, model_folder, parser, peak_bytes, ratios, write
from unshared import last_places, side_by_side

CONTENDERS = ("assay", "trl", "trl_sorted", "trl_shared", "padding_free", "assay_compiled")


class Stopwatch(TrainerCallback):  # type: ignore[misc]
    """Seconds of the last optimiser step of a transformers Trainer."""

    def on_step_begin(self, *_args: Any, **_kwargs: Any) -> None:
        self.clock = Clock()

    def on_step_end(self, *_args: Any, **_kwargs: Any) -> None:
        self.seconds = self.clock.read()


def trl_step(options: argparse.Namespace, model: Any, tokenizer: Any, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    from datasets import Dataset
    from trl import RewardConfig, RewardTrainer

    if options.contender == "trl_sorted":
        pairs = sorted(pairs, key=lambda pair: max(len(pair["chosen"]), len(pair["rejected"])))
    data = Dataset.from_list([{"chosen_ids": p["chosen"], "rejected_ids": p["rejected"]} for p in pairs])
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        config = RewardConfig(
            output_dir=folder, per_device_train_batch_size=8, gradient_accumulation_steps=options.pairs // 8,
            max_steps=1, learning_rate=1e-5, bf16=False, gradient_checkpointing=False, max_length=options.max_tokens,
            train_sampling_strategy="sequential", report_to=[], save_strategy="no", logging_steps=1,
            disable_tqdm=True, dataloader_pin_memory=False, use_cpu=True,
        )  # fmt: skip
        trainer = RewardTrainer(
            model=model, args=config, train_dataset=data, processing_class=tokenizer, callbacks=[watch]
        )
        with shared_prefixes(model) if options.contender == "trl_shared" else nullcontext():
            result = trainer.train()
    return watch.seconds | {"loss": result.training_loss}


def our_step(options: argparse.Namespace, model: Any, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    clock = Clock()
    groups = [[pair["chosen"], pair["rejected"]] for pair in pairs]
    total = 0.0
    for members in plan(groups, token_budget=options.micro_tokens):
        rows = [row for group in members for row in groups[group]]
        if options.contender != "padding_free":
            hidden = last_hidden(model, rows)
        else:
            trie = side_by_side(rows)
            hidden = packed_hidden(model, trie)[torch.from_numpy(last_places(trie))]
        reward = model.score(hidden)[:, 0]
        loss = -logsigmoid(reward[0::2] - reward[1::2]).sum() / len(pairs)
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad()
    return clock.read() | {"loss": total}


def run_one(options: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(options.threads)
    folder = model_folder(options.model)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    pairs = batch(hh_pairs(options.data, tokenizer, max_tokens=options.max_tokens), options.pairs, options.round)
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=1, dtype=torch.float32, trust_remote_code=False
    )
    model.config.pad_token_id = tokenizer.pad_token_id
    ours = options.contender not in {"trl", "trl_sorted", "trl_shared"}
    warm = last_hidden(model, [[1, 2, 3]]) if ours else model(input_ids=torch.tensor([[1, 2, 3]])).logits
    warm.sum().backward()  # libraries start up before the clock does
    model.zero_grad()
    if options.contender == "assay_compiled":
        compile_layers(model, lambda rows: last_hidden(model, [row.ids for row in rows]), precision="float32")
    run = our_step(options, model, pairs) if ours else trl_step(options, model, tokenizer, pairs)
    return run | {
        "pairs_per_second": round(options.pairs / run["seconds"], 3),
        "peak_gib": round(peak_bytes() / 2**30, 2),
    }


def main() -> None:
    options = parser(__doc__ or "", rounds=2).parse_args()
    if options.contender:
        print(json.dumps(run_one(options)))
        return
    runs = alternate(options, CONTENDERS)
    summary = {
        f"{peer} / assay": {
            "time": median(ratios(runs, "seconds", peer, "assay")),
            "processor time": median(ratios(runs, "processor_seconds", peer, "assay")),
            "peak memory": median(ratios(runs, "peak_gib", peer, "assay")),
        }
        for peer in CONTENDERS
    }
    write(options, "reward", {"summary": summary, "runs": runs})


if __name__ == "__main__":
    main()
