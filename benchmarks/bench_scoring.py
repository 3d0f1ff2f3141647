"""Scoring 16 sampled answers a prompt against transformers with padded batches.

    python benchmarks/bench_scoring.py --data test.jsonl.gz --sample     # once: draws the answers, kept in results/
    python benchmarks/bench_scoring.py --data test.jsonl.gz
    the same with --gsm8k FOLDER: gsm8k questions behind four worked examples instead of HH prompts

Contenders, the same reward model and rows, float32, inference mode:
  grouped  AutoModelForSequenceClassification, the 16 answers to one prompt a batch, padded to the longest
  mixed    the same, batches of 16 rows in random order: what a scorer without groups does
  assay    packs of shared prefixes, long headers kept between packs
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from assay.engine.forward import hidden_at, last_hidden
from assay.engine.headers import packs_with_headers
from assay.engine.trie import distinct_tokens
from harness import RESULTS, Clock, alternate, batch, hh_pairs, median, model_folder, parser, peak_bytes, ratios, write

CONTENDERS = ("grouped", "mixed", "assay")
ANSWERS = 16


def prompts(options: argparse.Namespace, tokenizer: Any) -> list[list[int]]:
    """Random HH prompts as chats, or random gsm8k questions behind the same four worked examples as plain text."""
    if options.gsm8k is None:
        pairs = batch(hh_pairs(options.data, tokenizer, max_tokens=options.max_tokens), options.prompts, 0)
        return [pair["chosen"][: pair["prompt"]] for pair in pairs]
    rows = {
        name: [json.loads(line) for line in (options.gsm8k / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in ("train", "test")
    }
    shots = "".join(f"Question: {row['question']}\nAnswer: {row['answer']}\n\n" for row in rows["train"][:4])
    asked = batch(rows["test"], options.prompts, 0)
    return [tokenizer(f"{shots}Question: {row['question']}\nAnswer:")["input_ids"] for row in asked]


def sample(options: argparse.Namespace, path: Path) -> None:
    """Draws 16 answers of the model itself to every prompt, at temperature 1, at most --new-tokens long."""
    torch.set_num_threads(options.threads)
    folder = model_folder(options.model)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, trust_remote_code=False).eval()
    torch.manual_seed(0)
    groups = []
    for prompt in prompts(options, tokenizer):
        with torch.inference_mode():
            drawn = model.generate(
                torch.tensor([prompt]), do_sample=True, top_k=0, num_return_sequences=ANSWERS,
                max_new_tokens=options.new_tokens, pad_token_id=tokenizer.pad_token_id,
            )  # fmt: skip
        end = tokenizer.eos_token_id
        rows = [row[: row.index(end, len(prompt)) + 1] if end in row[len(prompt) :] else row for row in drawn.tolist()]
        groups.append({"prompt": len(prompt), "rows": rows})
    path.write_text(json.dumps(groups), encoding="utf-8")


def plain_scores(model: Any, rows: list[list[int]], pad: int) -> list[float]:
    width = max(map(len, rows))
    ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    # transformers finds the last token as the last that is not padding: here rows may end in the padding token itself
    hidden = model.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    scores: list[float] = model.score(hidden[torch.arange(len(rows)), mask.sum(1) - 1])[:, 0].tolist()
    return scores


def run_one(options: argparse.Namespace, path: Path) -> dict[str, Any]:
    torch.set_num_threads(options.threads)
    folder = model_folder(options.model)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=1, dtype=torch.float32, trust_remote_code=False
    ).eval()
    groups = [group["rows"] for group in json.loads(path.read_text(encoding="utf-8"))]
    places = [(g, n) for g, group in enumerate(groups) for n in range(len(group))]
    scores = np.zeros((len(groups), ANSWERS))
    with torch.inference_mode():
        last_hidden(model, [[1, 2, 3], [1, 2, 4]])
        clock = Clock()
        if options.contender == "assay":
            for members, header in packs_with_headers(model, groups, token_budget=options.micro_tokens):
                rows = [row for g in members for row in groups[g]]
                last = np.array([len(row) - 1 for row in rows])
                hidden = hidden_at(model, rows, row_P=np.arange(len(rows)), place_P=last, header=header)
                scores[members] = model.score(hidden)[:, 0].numpy().reshape(len(members), ANSWERS)
        else:
            if options.contender == "mixed":
                order = torch.randperm(len(places), generator=torch.Generator().manual_seed(options.round)).tolist()
                places = [places[n] for n in order]
            for first in range(0, len(places), 16):
                some = places[first : first + 16]
                found = plain_scores(model, [groups[g][n] for g, n in some], tokenizer.pad_token_id)
                for (g, n), score in zip(some, found, strict=True):
                    scores[g, n] = score
        seconds = clock.read()
    every = [row for group in groups for row in group]
    return seconds | {
        "answers_per_second": round(len(every) / seconds["seconds"], 2),
        "mean_score": float(scores.mean()),
        "checksum": float((scores * np.arange(1, scores.size + 1).reshape(scores.shape) / scores.size).sum()),
        "row_tokens": sum(map(len, every)),
        "distinct_tokens": distinct_tokens(every),
        "peak_gib": round(peak_bytes() / 2**30, 2),
    }


def main() -> None:
    options = parser(__doc__ or "", rounds=3)
    options.add_argument("--sample", action="store_true")
    options.add_argument("--prompts", type=int, default=12)
    options.add_argument("--new-tokens", type=int, default=64)
    options.add_argument("--gsm8k", type=Path, help="folder with gsm8k's train.jsonl and test.jsonl")
    chosen = options.parse_args()
    name = "scoring" if chosen.gsm8k is None else "scoring_gsm8k"
    path = RESULTS / f"{name}_answers.json"
    if chosen.sample:
        sample(chosen, path)
    elif chosen.contender:
        print(json.dumps(run_one(chosen, path)))
    else:
        runs = alternate(chosen, CONTENDERS)
        groups = json.loads(path.read_text(encoding="utf-8"))
        lengths = [len(row) - group["prompt"] for group in groups for row in group["rows"]]
        summary = {
            "prompt tokens, mean": float(np.mean([group["prompt"] for group in groups])),
            "answer tokens, mean": float(np.mean(lengths)),
            **{f"{peer} / assay, time": median(ratios(runs, "seconds", peer, "assay")) for peer in CONTENDERS},
            **{
                f"{peer} / assay, processor time": median(ratios(runs, "processor_seconds", peer, "assay"))
                for peer in CONTENDERS
            },
        }
        write(chosen, name, {"summary": summary, "runs": runs})


if __name__ == "__main__":
    main()
