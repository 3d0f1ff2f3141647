"""16 answers a prompt, 64 new tokens: assay's engine against transformers' generate at its best batch size.

    python benchmarks/bench_generate.py --data test.jsonl.gz

Contenders, the same model and prompts, float32, sampling at temperature 1 over the whole vocabulary:
  hf-B    model.generate(num_return_sequences=16), B prompts a batch, left-padded, sorted by length
  assay   each prompt run once, all answers side by side in lanes
Answers end where the model ends them, so times are given by answer token too.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from assay.engine.generate import Room, generate
from assay.engine.written import Decoding, Wanted
from harness import Clock, alternate, batch, hh_pairs, median, model_folder, parser, peak_bytes, ratios, write

ANSWERS = 16


def prompts(options: argparse.Namespace, tokenizer: Any) -> list[list[int]]:
    """Random HH prompts as chats up to where the answer begins."""
    pairs = batch(hh_pairs(options.data, tokenizer, max_tokens=options.max_tokens), options.prompts, 0)
    return [
        tokenizer.apply_chat_template(pair["messages"], add_generation_prompt=True, return_dict=False) for pair in pairs
    ]


def by_transformers(model: Any, rows: list[list[int]], options: argparse.Namespace, end: int) -> list[int]:
    """Lengths of the answers."""
    size = int(options.contender.removeprefix("hf-"))
    lengths = []
    torch.manual_seed(options.round)
    rows = sorted(rows, key=len)
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        width = max(map(len, some))
        ids = torch.tensor([[end] * (width - len(row)) + row for row in some])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in some])
        out = model.generate(
            ids, attention_mask=mask, do_sample=True, top_k=0, temperature=1.0, top_p=1.0, pad_token_id=end,
            num_return_sequences=ANSWERS, max_new_tokens=options.new_tokens,
        )  # fmt: skip
        for row in out[:, width:].tolist():
            lengths.append(row.index(end) + 1 if end in row else len(row))
    return lengths


def run_one(options: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(options.threads)
    folder = model_folder(options.model)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, trust_remote_code=False).eval()
    rows, end = prompts(options, tokenizer), tokenizer.eos_token_id
    warm = Decoding(most=2, ends=frozenset({end}))
    with torch.inference_mode():
        dict(generate(model, [Wanted(row=(3, 4, 5), seed=0)], warm))  # the probe is not timed, nor is the first pass
        clock = Clock()
        if options.contender == "assay":
            decoding = Decoding(most=options.new_tokens, ends=frozenset({end}))
            wanted = [
                Wanted(row=tuple(row), seed=options.round * 100_000 + place * ANSWERS + number)
                for place, row in enumerate(rows)
                for number in range(ANSWERS)
            ]
            room = Room(at_once=options.at_once)
            lengths = [len(one.ids) for _, one in generate(model, wanted, decoding, room=room)]
        else:
            lengths = by_transformers(model, rows, options, end)
        seconds = clock.read()
    return seconds | {
        "answers": len(lengths),
        "answer_tokens": sum(lengths),
        "tokens_per_second": round(sum(lengths) / seconds["seconds"], 1),
        "ms_per_token": 1000 * seconds["seconds"] / sum(lengths),
        "processor_ms_per_token": 1000 * seconds["processor_seconds"] / sum(lengths),
        "peak_gib": round(peak_bytes() / 2**30, 2),
    }


def main() -> None:
    options = parser(__doc__ or "", rounds=3)
    options.add_argument("--prompts", type=int, default=12)
    options.add_argument("--new-tokens", type=int, default=64)
    options.add_argument("--batches", type=int, nargs="*", default=[1, 2, 4], help="prompts a batch of transformers")
    options.add_argument("--at-once", type=int, help="answers side by side in assay")
    chosen = options.parse_args()
    if chosen.contender:
        print(json.dumps(run_one(chosen)))
        return
    peers = [f"hf-{size}" for size in chosen.batches]
    runs = alternate(chosen, [*peers, "assay"])
    tokenizer = AutoTokenizer.from_pretrained(model_folder(chosen.model), trust_remote_code=False)
    lengths = list(map(len, prompts(chosen, tokenizer)))
    summary: dict[str, Any] = {"prompts": len(lengths), "prompt tokens, mean": sum(lengths) / len(lengths)}
    for figure, told in (("ms_per_token", "time"), ("processor_ms_per_token", "processor time")):
        found = {peer: median(ratios(runs, figure, peer, "assay")) for peer in peers}
        summary |= {f"{peer} / assay, {told}": value for peer, value in found.items()}
        summary[f"best of transformers / assay, {told}"] = min(value for value in found.values() if value is not None)
    write(chosen, "generate", {"summary": summary, "runs": runs})


if __name__ == "__main__":
    main()
