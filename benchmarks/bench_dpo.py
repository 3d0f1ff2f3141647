"""DPO with a reference model against TRL: pairs a second, peak memory and the losses side by side.

    python benchmarks/bench_dpo.py --data test.jsonl.gz

Contenders, same policy, reference and 32 pairs, float32, no gradient checkpointing, AdamW, beta 0.1:
  trl         DPOTrainer, 4 micro-batches of 8 pairs, reference model run in every step (its default)
  trl_shared  the same under `with shared_prefixes(policy, reference)`
  assay       our step: reference log-probabilities first, then the policy; both timed
  assay_compiled  the same, the policy's layers through torch.compile; compiled before the clock starts
The policy is the base model with a little noise on its weights, so that the loss is not ln 2 whatever one computes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import nullcontext
from typing import Any

import torch
from torch.nn.functional import logsigmoid
from transformers import AutoModelForCausalLM, AutoTokenizer

from assay.engine.compiled import compile_layers
from assay.engine.drop_in import shared_prefixes
from assay.engine.logprobs import completion_logprobs
from assay.engine.trie import plan
from bench_reward import Stopwatch
from harness import Clock, alternate, batch, hh_pairs, median, model_folder, parser, peak_bytes, ratios, write

CONTENDERS = ("trl", "trl_shared", "assay", "assay_compiled")
BETA = 0.1


def perturb(model: Any) -> None:
    """The same small noise on every matrix, for every contender."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * parameter.std() * 0.02)


def trl_step(options: argparse.Namespace, folder: str, tokenizer: Any, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, trust_remote_code=False)
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, trust_remote_code=False)
    perturb(model)
    data = Dataset.from_list(
        [{"prompt": p["messages"], "chosen": [p["answers"][0]], "rejected": [p["answers"][1]]} for p in pairs]
    )
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as place:
        config = DPOConfig(
            output_dir=place, per_device_train_batch_size=8, gradient_accumulation_steps=options.pairs // 8,
            max_steps=1, learning_rate=1e-6, bf16=False, gradient_checkpointing=False, max_length=options.max_tokens,
            beta=BETA, report_to=[], save_strategy="no", logging_steps=1, disable_tqdm=True,
            dataloader_pin_memory=False, use_cpu=True,
        )  # fmt: skip
        trainer = DPOTrainer(
            model=model, ref_model=reference, args=config, train_dataset=data, processing_class=tokenizer,
            callbacks=[watch],
        )  # fmt: skip
        shared = shared_prefixes(trainer.model, trainer.ref_model)
        with shared if options.contender == "trl_shared" else nullcontext():
            result = trainer.train()
    return watch.seconds | {"loss": result.training_loss}


def our_step(options: argparse.Namespace, folder: str, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, trust_remote_code=False)
    groups = [[pair["chosen"], pair["rejected"]] for pair in pairs]
    clock = Clock()
    packs = plan(groups, token_budget=options.micro_tokens)
    packed = [
        ([row for g in members for row in groups[g]], [pairs[g]["prompt"] for g in members for _ in "ab"])
        for members in packs
    ]
    with torch.inference_mode():
        reference = [completion_logprobs(model, rows, prompts).numpy() for rows, prompts in packed]
    before_training = clock.read()
    perturb(model)
    model.train()
    if options.contender == "assay_compiled":
        compile_layers(
            model,
            lambda rows: completion_logprobs(model, [r.ids for r in rows], [r.prompt_tokens for r in rows]),
            precision="float32",
        )
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-6, fused=True)
    clock = Clock()
    total = 0.0
    for (rows, prompts), before in zip(packed, reference, strict=True):
        ratio = completion_logprobs(model, rows, prompts) - torch.from_numpy(before)
        loss = -logsigmoid(BETA * (ratio[0::2] - ratio[1::2])).sum() / len(pairs)
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad()
    training = clock.read()
    both = {name: round(before_training[name] + training[name], 2) for name in training}
    return both | {f"policy_{name}": value for name, value in training.items()} | {"loss": total}


def run_one(options: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(options.threads)
    folder = model_folder(options.model)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    pairs = batch(hh_pairs(options.data, tokenizer, max_tokens=options.max_tokens), options.pairs, options.round)
    if options.contender.startswith("assay"):
        run = our_step(options, folder, pairs)
    else:
        run = trl_step(options, folder, tokenizer, pairs)
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
    summary: dict[str, Any] = {
        f"{peer} / assay": {
            "time": median(ratios(runs, "seconds", peer, "assay")),
            "processor time": median(ratios(runs, "processor_seconds", peer, "assay")),
            "peak memory": median(ratios(runs, "peak_gib", peer, "assay")),
        }
        for peer in CONTENDERS
    }
    ours = [run for run in runs if run["contender"] == "assay"]
    peers = {run["round"]: run["processor_seconds"] for run in runs if run["contender"] == "trl"}
    stored = [peers[run["round"]] / run["policy_processor_seconds"] for run in ours]
    summary["trl / assay, reference log-probabilities stored"] = {"processor time": median(stored)}
    write(options, "dpo", {"summary": summary, "runs": runs})


if __name__ == "__main__":
    main()
