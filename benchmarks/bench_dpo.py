"""DPO with a reference model against TRL: pairs a second, peak memory and the losses side by side.

    python benchmarks/bench_dpo.py --data test.jsonl.gz

Contenders, same policy, reference and 32 pairs, float32, no gradient checkpointing, AdamW, beta 0.1:
  trl         DPOTrainer, 4 micro-batches of 8 pairs, reference model run in every step (its default)
  trl_shared  the same under `with shared_prefixes(policy, reference)`
  assay       a step of `assay dpo` (train/dpo): reference log-probabilities first, then the policy; both timed
  padding_free  the same step with every row packed but nothing shared
  assay_compiled  as assay, the policy's layers through torch.compile; compiled before the clock starts
The policy is the base model with a little noise on its weights, so that the loss is not ln 2 whatever one computes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import logsigmoid
from transformers import AutoModelForCausalLM, AutoTokenizer

from assay.engine.compiled import compile_layers
from assay.engine.drop_in import shared_prefixes
from assay.engine.forward import packed_hidden, refusal
from assay.engine.logprobs import completion_logprobs, completion_places, token_figures
from assay.engine.micro_batches import micro_batches
from assay.engine.output_layer import output_layer
from assay.render.encoder import Encoded
from assay.train.batches import cut
from assay.train.dpo.config import DpoConfig, PolicyModelConfig, PolicyTrainConfig
from assay.train.dpo.dpo_objective import DpoObjective
from assay.train.dpo.reference import referenced
from assay.train.losses.targets import Target
from assay.train.pair_examples import PairExample
from bench_reward import Stopwatch
from harness import Clock, alternate, batch, hh_pairs, median, model_folder, parser, peak_bytes, ratios, write
from unshared import side_by_side

CONTENDERS = ("trl", "trl_shared", "assay", "padding_free", "assay_compiled")
BETA = 0.1
SIDES = ("chosen", "rejected")


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


def objective_of(options: argparse.Namespace, model: Any, pairs: list[dict[str, Any]]) -> DpoObjective:
    """The flow's own objective over these rows, its reference run as the flow runs it."""
    examples = [
        PairExample(
            name=str(number),
            chosen=Encoded(ids=tuple(pair["chosen"]), prompt_tokens=pair["prompt"]),
            rejected=Encoded(ids=tuple(pair["rejected"]), prompt_tokens=pair["prompt"]),
            target=Target(win=1, tie=0, loss=0),
        )
        for number, pair in enumerate(pairs)
    ]
    groups = [[(row, row.prompt_tokens) for row in one.rows] for one in examples]
    with tempfile.TemporaryDirectory() as place:
        reference = referenced(
            model, {"float32": groups}, fingerprint="bench", folder=Path(place), micro_tokens=options.micro_tokens
        )
    unused: Any = None
    return DpoObjective(
        model=model, renderer=unused, origin=unused, base=PolicyModelConfig(), examples=examples, held_out=[],
        held_out_pairs=[], reference=reference, fresh=unused, dpo=DpoConfig(beta=BETA),
        config=PolicyTrainConfig(micro_tokens=options.micro_tokens),
    )  # fmt: skip


def unshared_logprobs(model: Any, rows: Sequence[Encoded]) -> torch.Tensor:
    """What `completion_logprobs` gives, from a pack in which every row is a tree of its own."""
    ids = [row.ids for row in rows]
    row_P, place_P = completion_places(ids, [row.prompt_tokens for row in rows])
    trie = side_by_side(ids)
    hidden = packed_hidden(model, trie)[torch.from_numpy(trie.index(row_P, place_P - 1))]
    labels = torch.from_numpy(np.concatenate([np.asarray(row.ids[row.prompt_tokens :]) for row in rows]))
    logprobs = token_figures(hidden, labels, output_layer(model)).logprob_P
    return logprobs.new_zeros(len(rows)).index_add(0, torch.from_numpy(row_P), logprobs)


def unshared_step(options: argparse.Namespace, model: Any, pairs: list[dict[str, Any]]) -> Callable[[], float]:
    """The reference's pass, now; and the policy's, when called: rows sorted by length, packed, nothing shared."""
    rows = [Encoded(ids=tuple(pair[side]), prompt_tokens=pair["prompt"]) for pair in pairs for side in SIDES]
    lengths = [len(a.ids) + len(b.ids) for a, b in zip(rows[::2], rows[1::2], strict=True)]
    packed = [
        [row for place in places for row in rows[2 * place : 2 * place + 2]]
        for places in micro_batches(lengths, options.micro_tokens, padding=False)
    ]
    with torch.inference_mode():
        known = [unshared_logprobs(model, part).numpy() for part in packed]

    def step() -> float:
        total = 0.0
        for part, before in zip(packed, known, strict=True):
            ratio = unshared_logprobs(model, part) - torch.from_numpy(before)
            loss = -logsigmoid(BETA * (ratio[0::2] - ratio[1::2])).sum() / len(pairs)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    return step


def flow_step(options: argparse.Namespace, model: Any, pairs: list[dict[str, Any]]) -> Callable[[], float]:
    """The reference's pass, now; and the policy's, when called, as the loop makes it."""
    objective = objective_of(options, model, pairs)
    examples = objective.examples

    def step() -> float:
        total = 0.0
        for places in cut(examples, micro_tokens=options.micro_tokens, layout=objective.layout(examples)):
            loss = objective.losses([examples[place] for place in places], examples).loss_B.sum() / len(pairs)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
        return total

    return step


def our_step(options: argparse.Namespace, folder: str, pairs: list[dict[str, Any]]) -> dict[str, Any]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, trust_remote_code=False)
    refusal(model, [[1, 2, 3]])  # what is found out once a model is not part of a step
    clock = Clock()
    step = (unshared_step if options.contender == "padding_free" else flow_step)(options, model, pairs)
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
    total = step()
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
    if not options.contender.startswith("trl"):
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
        if any(run["contender"] == peer for run in runs)
    }
    ours = [run for run in runs if run["contender"] == "assay"]
    peers = {run["round"]: run["processor_seconds"] for run in runs if run["contender"] == "trl"}
    stored = [peers[run["round"]] / run["policy_processor_seconds"] for run in ours if run["round"] in peers]
    if stored:
        summary["trl / assay, reference log-probabilities stored"] = {"processor time": median(stored)}
    write(options, "dpo", {"summary": summary, "runs": runs})


if __name__ == "__main__":
    main()
