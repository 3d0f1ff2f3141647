"""`assay score --engine ray` with two workers against two processes by hand, on the same candidates, in turn.

    python benchmarks/bench_bulk.py [--model FOLDER] [--prompts 256] [--answers 8] [--block 32] [--rounds 3]

By hand: the file cut into as many parts as there are processes, block by block in turn, each process a plain scorer
with one part. Ray: the crew, given block after block. Timed in both from when every model is loaded to the last reward;
what it takes until then is printed beside it. Every process has one thread. Rewards of both must be the same bits.
Without --model a random Llama of 4 layers of 256 is made: what is measured is the spreading, not the model. Writes
benchmarks/results/bulk.json. Wanted: ray / by hand 0.9 or more, in answers a second. Processor seconds are those of all
processes of a contender, Ray's own too, in the time that is measured: on a busy machine only these can be compared.

--rate measures one driver instead: blocks that stand in memory, through the scorer baseline:longest, which costs next
to nothing, are what a driver can hand out and keep at most.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.bulk.folders import LocalFolder
from assay.bulk.hashed_files import HashedFiles
from assay.bulk.held_work import ScorerOpening
from assay.bulk.kept_scores import KeptScores
from assay.bulk.ray_crew import ray_crew
from assay.bulk.spread_scorer import SpreadScorer
from assay.records import Candidates
from assay.scorers.local import LocalScorer
from assay.scorers.protocol import Reward, chunks, score_groups
from harness import write

THREADS = "OMP_NUM_THREADS"


def candidates(prompts: int, answers: int) -> list[Candidates]:
    """Random words: prompts of 20 to 120, answers of 10 to 60."""
    draw = random.Random(0)
    words = [f"w{number}" for number in range(400)]

    def text(low: int, high: int) -> str:
        return " ".join(draw.choices(words, k=draw.randint(low, high)))

    return [
        Candidates(id=f"p{n}", prompt=text(20, 120), answers=tuple(text(10, 60) for _ in range(answers)))
        for n in range(prompts)
    ]


def made_model(folder: Path) -> str:
    """A reward model with random weights, and a tokenizer of the words above."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from assay.models.config import ModelConfig
    from assay.rewards.reward_model import RewardModel

    names = ["[UNK]", "[PAD]", "[END]", "user", "assistant", *(f"w{number}" for number in range(400))]
    plain = Tokenizer(WordLevel({name: number for number, name in enumerate(names)}, unk_token="[UNK]"))
    plain.pre_tokenizer = WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]", eos_token="[END]", bos_token="[END]"
    )
    tokenizer.chat_template = (
        "{% for message in messages %}{{ message['role'] }} {{ message['content'] }} [END] {% endfor %}"
        "{% if add_generation_prompt %}assistant {% endif %}"
    )
    config = LlamaConfig(
        vocab_size=len(names), hidden_size=256, intermediate_size=704, num_hidden_layers=4, num_attention_heads=4,
        max_position_embeddings=1024, pad_token_id=1, bos_token_id=2, eos_token_id=2,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    RewardModel.from_base(ModelConfig(base=str(folder / "base"), max_tokens=1024), seed=0).save(folder / "model")
    return str(folder / "model")


def processor_seconds() -> float:
    """Of this process and all that descend from it, so far."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        parents[int(folder.name)] = int(fields[1])
        spent[int(folder.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ours(process: int) -> bool:
        while process > 1 and process != os.getpid():
            process = parents.get(process, 0)
        return process == os.getpid()

    return sum(seconds for process, seconds in spent.items() if ours(process))


class Span:
    """Seconds by the wall and of processors, since it was made."""

    def __init__(self) -> None:
        self.wall, self.processor = time.perf_counter(), processor_seconds()

    def read(self) -> dict[str, float]:
        wall = time.perf_counter() - self.wall
        return {"seconds": round(wall, 2), "processor_seconds": round(processor_seconds() - self.processor, 2)}


def rewards(scored: Sequence[tuple[Candidates, Any]]) -> dict[str, list[float]]:
    return {group.id: [one.value for one in results if isinstance(one, Reward)] for group, results in scored}


def part(options: argparse.Namespace) -> None:
    """One process by hand: says when its model is loaded, waits, scores its part, says its rewards."""
    scorer = LocalScorer(options.model)
    groups = candidates(options.prompts, options.answers)
    mine = list(chunks(groups, options.block))[options.part :: options.workers]
    assert scorer.fingerprint  # loads it
    print("ready", flush=True)
    sys.stdin.readline()
    found = [one for block in mine for one in score_groups(scorer, block, chunk=options.block)]
    print("done", flush=True)
    print(json.dumps(rewards(found)), flush=True)


def by_hand(options: argparse.Namespace) -> dict[str, Any]:
    began = time.perf_counter()
    words = [sys.executable, __file__, "--model", options.model, "--workers", str(options.workers)]
    words += ["--prompts", str(options.prompts), "--answers", str(options.answers), "--block", str(options.block)]
    processes = [
        subprocess.Popen([*words, "--part", str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(options.workers)
    ]
    streams = [(one.stdin, one.stdout) for one in processes]
    for _, out in streams:
        assert out is not None
        assert out.readline() == "ready\n"
    until = time.perf_counter() - began
    span = Span()
    for into, _ in streams:
        assert into is not None
        into.write("go\n")
        into.flush()
    for _, out in streams:
        assert out is not None
        assert out.readline() == "done\n"
    spent = span.read()
    found: dict[str, list[float]] = {}
    for _, out in streams:
        assert out is not None
        found |= json.loads(out.readline())
    for one in processes:
        one.wait()
    return {"contender": "by hand", **spent, "until_ready": round(until, 1), "rewards": found}


def by_ray(options: argparse.Namespace) -> dict[str, Any]:
    began = time.perf_counter()
    groups = candidates(options.prompts, options.answers)
    opening = ScorerOpening(scorer=options.model)
    (alike,) = opening.scorers().values()
    with tempfile.TemporaryDirectory() as folder, ray_crew(opening, workers=options.workers, said=print) as crew:
        kept = KeptScores(HashedFiles(LocalFolder(Path(folder)), "block", ".jsonl", said=print))
        scorer = SpreadScorer(alike, crew, lambda: crew.told, threads=crew.threads, kept=kept)
        crew.until_open()
        until = time.perf_counter() - began
        span, own = Span(), time.process_time()
        found = list(score_groups(scorer, groups, chunk=options.block))
        spent = {**span.read(), "driver_processor_seconds": round(time.process_time() - own, 3)}
    return {"contender": "ray", **spent, "until_ready": round(until, 1), "rewards": rewards(found)}


def options_of() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--prompts", type=int, default=256)
    parser.add_argument("--answers", type=int, default=8)
    parser.add_argument("--block", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", action="store_true")
    parser.add_argument("--part", type=int)
    parser.add_argument("--out", type=Path)
    parser.set_defaults(threads=1)
    return parser.parse_args()


def main() -> None:
    options = options_of()
    os.environ[THREADS] = "1"
    if options.part is not None:
        part(options)
        return
    if options.rate:
        options.model = "baseline:longest"
        found = by_ray(options)
        each = options.prompts * options.answers
        for kind in ("seconds", "driver_processor_seconds"):
            print(f"one driver: {each / found[kind]:,.0f} answers in one of its {kind.replace('_', ' ')}")
        return
    with tempfile.TemporaryDirectory() as folder:
        options.model = options.model or made_model(Path(folder))
        runs: list[dict[str, Any]] = []
        for number in range(options.rounds):
            order = (by_hand, by_ray) if number % 2 == 0 else (by_ray, by_hand)
            both = [{"round": number, "load_before": os.getloadavg()[0], **one(options)} for one in order]
            assert both[0].pop("rewards") == both[1].pop("rewards"), "not the same bits"
            for one in both:
                one["answers_per_second"] = round(options.prompts * options.answers / one["seconds"], 1)
                print(one, flush=True)
            runs += both
    summary = {}
    for kind in ("seconds", "processor_seconds"):
        ray, hand = ([one[kind] for one in runs if one["contender"] == name] for name in ("ray", "by hand"))
        ratio = statistics.median(by_hand / by_ray for by_ray, by_hand in zip(ray, hand, strict=True))
        summary[f"ray / by hand, answers in the same {kind.replace('_', ' ')}"] = round(ratio, 3)
    size = {name: getattr(options, name) for name in ("prompts", "answers", "block", "workers")}
    write(options, "bulk", {"summary": summary, "size": size, "runs": runs})


if __name__ == "__main__":
    main()
