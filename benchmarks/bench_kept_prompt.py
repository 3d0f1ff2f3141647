"""A prompt kept between the passes of a training step, beside packs that run it again in each: time, tokens, losses.

    python benchmarks/bench_kept_prompt.py

One prompt and its answers, of random tokens, as pairs that share no answer, as the best against each other, or as all
pairs; a budget that holds the prompt and a few answers. Both ways make the same step (loss and all gradients, float32)
and take turns within a round; processor seconds, ratios within a round, the median over rounds. The model is cut to its
first layers: a ratio does not need more. Tokens run are those of all forward passes, the second ones among them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

from assay.engine.forward import last_hidden
from assay.engine.kept_prompt import keeps_prompts
from assay.engine.logprobs import completion_logprobs
from assay.render.encoder import Encoded
from assay.train.batches import distinct_rows
from assay.train.losses.targets import Target
from assay.train.pair_examples import PairExample
from assay.train.passes import Keeping, passes
from harness import median, model_folder, write

Read = Callable[[Any, Sequence[Encoded]], Tensor]
WIN = Target(win=1, tie=0, loss=0)


def rewards(model: Any, rows: Sequence[Encoded]) -> Tensor:
    found: Tensor = model.score(last_hidden(model, [row.ids for row in rows]))[:, 0]
    return found


def logprobs(model: Any, rows: Sequence[Encoded]) -> Tensor:
    """As DPO reads them; the reference's are numbers, and play no part in time."""
    return completion_logprobs(model, [row.ids for row in rows], [row.prompt_tokens for row in rows])


READ: dict[str, Read] = {"reward": rewards, "dpo": logprobs}
PAIRS: dict[str, Callable[[int], list[tuple[int, int]]]] = {
    "no answer twice": lambda n: [(one, one + 1) for one in range(0, n, 2)],
    "best against each": lambda n: [(0, one) for one in range(1, n)],
    "all pairs": lambda n: list(itertools.combinations(range(n), 2)),
}


def examples_of(pairing: str, options: argparse.Namespace, vocabulary: int) -> list[PairExample]:
    random = np.random.default_rng(0)
    length = round(options.ratio * options.answer)
    prompt = random.integers(10, vocabulary, length).tolist()
    rows = [
        Encoded(ids=(*prompt, *random.integers(10, vocabulary, options.answer).tolist()), prompt_tokens=length)
        for _ in range(options.answers)
    ]
    return [
        PairExample(name=f"{a}-{b}", chosen=rows[a], rejected=rows[b], target=WIN)
        for a, b in PAIRS[pairing](options.answers)
    ]


def step(model: Any, read: Read, examples: Sequence[PairExample], *, budget: int, keep: Keeping) -> dict[str, Any]:
    """Processor seconds of a step, its loss, its gradient's norm, and the tokens of its passes."""
    ran: list[int] = []
    hook = model.base_model.layers[0].mlp.register_forward_hook(lambda _m, args, _o: ran.append(args[0].shape[1]))
    start, total = time.process_time(), 0.0
    for part in passes(examples, micro_tokens=budget, layout="shared", keep=keep):
        some = [examples[place] for place in part.places]
        with part.attending():
            rows, places = distinct_rows([one.chosen for one in some] + [one.rejected for one in some])
            chosen_B, rejected_B = read(model, rows)[torch.tensor(places)].chunk(2)
            loss: Any = -logsigmoid(chosen_B - rejected_B).sum() / len(examples)
        loss.backward()
        part.after_backward()
        total += float(loss.detach())
    seconds = time.process_time() - start
    hook.remove()
    norm = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()
    model.zero_grad()
    return {"seconds": seconds, "loss": total, "norm": float(norm), "ran": sum(ran), "widest": max(ran)}


def compared(model: Any, loss: str, pairing: str, budget: int, options: argparse.Namespace) -> dict[str, Any]:
    examples = examples_of(pairing, options, model.config.vocab_size)
    keeps: tuple[Keeping, Keeping] = ("no", "rows apart")
    runs: dict[Keeping, list[dict[str, Any]]] = {"no": [], "rows apart": []}
    for number in range(options.rounds):
        for keep in keeps if number % 2 == 0 else keeps[::-1]:
            runs[keep].append(step(model, READ[loss], examples, budget=budget, keep=keep))
    packs, kept = (runs[keep] for keep in keeps)
    return {
        "loss": loss,
        "pairs": pairing,
        "budget": budget,
        "packs_tokens_run": packs[0]["ran"],
        "kept_tokens_run": kept[0]["ran"],
        "packs_widest_pass": packs[0]["widest"],
        "kept_widest_pass": kept[0]["widest"],
        "packs_seconds": median([run["seconds"] for run in packs]),
        "kept_seconds": median([run["seconds"] for run in kept]),
        "time_ratio": median([a["seconds"] / b["seconds"] for a, b in zip(packs, kept, strict=True)]),
        "loss_differs_by": abs(packs[0]["loss"] - kept[0]["loss"]) / abs(packs[0]["loss"]),
        "gradient_norm_differs_by": abs(packs[0]["norm"] - kept[0]["norm"]) / packs[0]["norm"],
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument(
        "--model", default="smollm2", help="catalogue name or folder; its shape is taken, not its weights"
    )
    asked.add_argument("--layers", type=int, default=4)
    asked.add_argument("--answers", type=int, default=16)
    asked.add_argument("--answer", type=int, default=48, help="tokens of an answer")
    asked.add_argument("--ratio", type=float, default=4.0, help="tokens of the prompt by those of an answer")
    asked.add_argument("--beside", type=int, nargs="*", default=[2, 4], help="answers that the budget holds beside it")
    asked.add_argument("--pairs", nargs="*", choices=list(PAIRS), default=list(PAIRS))
    asked.add_argument("--losses", nargs="*", choices=list(READ), default=list(READ))
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--threads", type=int, default=os.cpu_count())
    asked.add_argument("--out", type=Path)
    options = asked.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    folder = model_folder(options.model)
    config = AutoConfig.from_pretrained(folder, num_labels=1, num_hidden_layers=options.layers, trust_remote_code=False)
    opened = {"reward": AutoModelForSequenceClassification, "dpo": AutoModelForCausalLM}
    points = []
    for loss in options.losses:
        model = opened[loss].from_config(config).train()
        assert keeps_prompts(model)
        for pairing, beside in itertools.product(options.pairs, options.beside):
            budget = round((options.ratio + beside) * options.answer)
            points.append(compared(model, loss, pairing, budget, options))
            print(json.dumps(points[-1]), flush=True)
    sizes = {name: getattr(options, name) for name in ("layers", "answers", "answer", "ratio")}
    write(options, "kept_prompt", {**sizes, "points": points})


if __name__ == "__main__":
    main()
