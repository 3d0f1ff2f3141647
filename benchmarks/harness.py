"""What every benchmark needs: the machine, the model, the rows, and contenders run in turn, a process each.

A contender runs in a fresh process, so that its peak memory is its own, and rounds alternate, so that load from
elsewhere on the machine falls on all of them. Ratios are taken within a round, and the median over rounds is reported.
Seconds are given twice: by the wall clock, and processor seconds of all threads. On a machine shared with other work
only the second are comparable; waiting threads sleep (OMP_WAIT_POLICY=PASSIVE), so that waiting does not count as work.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"


def parser(description: str, *, rounds: int, pairs: int = 32) -> argparse.ArgumentParser:
    """The options all benchmarks share."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--model", default="smollm2", help="catalogue name or folder")
    options.add_argument("--data", type=Path, required=True, help="HH-RLHF test.jsonl.gz")
    options.add_argument("--rounds", type=int, default=rounds)
    options.add_argument("--pairs", type=int, default=pairs, help="pairs in an optimiser batch")
    options.add_argument("--max-tokens", type=int, default=512)
    options.add_argument("--micro-tokens", type=int, default=2048, help="distinct tokens in one of our forward passes")
    options.add_argument("--threads", type=int, default=os.cpu_count())
    options.add_argument("--contender", help="run this one only and print its figures as JSON")
    options.add_argument("--round", type=int, default=0)
    options.add_argument("--only", nargs="*", help="these contenders only")
    options.add_argument("--under", default="", help='a command to start each contender under, such as "flock FILE"')
    options.add_argument("--out", type=Path)
    return options


def model_folder(name: str) -> str:
    """A folder as it is, a catalogue name through the catalogue."""
    if Path(name).is_dir():
        return name
    from assay.models.resolve import resolve

    return str(resolve(name).folder)


def messages(transcript: str) -> list[dict[str, str]]:
    """A Human/Assistant transcript as chat messages."""
    parts = re.split(r"\n\n(Human|Assistant): ?", transcript)[1:]
    roles = {"Human": "user", "Assistant": "assistant"}
    return [{"role": roles[who], "content": text.strip()} for who, text in zip(parts[::2], parts[1::2], strict=True)]


def hh_pairs(path: Path, tokenizer: Any, *, max_tokens: int) -> list[dict[str, Any]]:
    """Rendered pairs whose two transcripts differ in the last answer only: chosen ids, rejected ids, prompt length."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream]
    kept = []
    for row in rows:
        chosen, rejected = messages(row["chosen"]), messages(row["rejected"])
        answers = chosen[-1], rejected[-1]
        if chosen[:-1] != rejected[:-1] or answers[0] == answers[1] or not all(a["content"] for a in answers):
            continue
        if any(answer["role"] != "assistant" for answer in answers):
            continue
        prompt = tokenizer.apply_chat_template(chosen[:-1], add_generation_prompt=True, return_dict=False)
        ids = [tokenizer.apply_chat_template(side, return_dict=False) for side in (chosen, rejected)]
        if max(map(len, ids)) <= max_tokens:
            kept.append(
                {
                    "chosen": ids[0],
                    "rejected": ids[1],
                    "prompt": len(prompt),
                    "messages": chosen[:-1],
                    "answers": answers,
                }
            )
    return kept


def batch(pairs: Sequence[dict[str, Any]], size: int, number: int) -> list[dict[str, Any]]:
    """The `number`-th random batch, the same for every contender."""
    order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(number)).tolist()
    return [pairs[place] for place in order[:size]]


class Clock:
    """Wall-clock and processor seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        wall, processor = time.perf_counter() - self._wall, time.process_time() - self._processor
        return {"seconds": round(wall, 2), "processor_seconds": round(processor, 2)}


def peak_bytes() -> int:
    """Highest resident memory of this process so far."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def resident_bytes() -> int:
    """Resident memory of this process now."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) * 1024


def matmul_rate(shapes: Sequence[tuple[int, int, int]] = ((2048, 576, 1536), (2048, 2048, 2048))) -> dict[str, float]:
    """The machine's own float32 matrix multiply at `shapes` (m, k, n): operations a wall-clock and processor second."""
    rates: dict[str, list[float]] = {"seconds": [], "processor_seconds": []}
    for m, k, n in shapes:
        a, b = torch.randn(m, k), torch.randn(k, n)
        torch.mm(a, b)
        for _ in range(8):
            wall, processor = time.perf_counter(), time.process_time()
            for _ in range(4):
                torch.mm(a, b)
            rates["seconds"].append(8 * m * k * n / (time.perf_counter() - wall))
            rates["processor_seconds"].append(8 * m * k * n / (time.process_time() - processor))
    return {kind: max(found) for kind, found in rates.items()}


def alternate(options: argparse.Namespace, contenders: Sequence[str]) -> list[dict[str, Any]]:
    """Every contender once a round, each in its own process, the order turned round from round to round."""
    contenders = [contender for contender in contenders if not options.only or contender in options.only]
    runs = []
    for number in range(options.round, options.round + options.rounds):
        for contender in contenders if number % 2 == 0 else tuple(reversed(contenders)):
            load = os.getloadavg()[0]
            command = [
                *options.under.split(),
                sys.executable,
                *sys.argv,
                "--contender",
                contender,
                "--round",
                str(number),
            ]
            environment = os.environ | {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": str(options.threads)}
            environment["OMP_WAIT_POLICY"] = "PASSIVE"
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
            run = json.loads(done.stdout.splitlines()[-1])
            runs.append({"round": number, "contender": contender, "load_before": round(load, 2), **run})
            print(json.dumps(runs[-1]), flush=True)
    return runs


def ratios(runs: Sequence[dict[str, Any]], figure: str, peer: str, ours: str) -> list[float]:
    """peer / ours of `figure`, within each round."""
    by = {(run["round"], run["contender"]): run[figure] for run in runs}
    rounds = sorted({number for number, contender in by if (number, peer) in by and (number, ours) in by})
    return [by[number, peer] / by[number, ours] for number in rounds]


def median(values: Sequence[float]) -> float | None:
    """None where no round has both contenders."""
    return round(statistics.median(values), 3) if values else None


def write(options: argparse.Namespace, name: str, body: dict[str, Any]) -> None:
    """The result with the machine and the versions in it, to benchmarks/results/NAME.json or --out."""
    packages = ("torch", "transformers", "trl", "accelerate", "numpy")
    machine = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": options.threads,
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
    }
    settings = {
        key: value for key, value in vars(options).items() if key in {"rounds", "pairs", "max_tokens", "micro_tokens"}
    }
    path = options.out or RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = {"schema": "benchmark/1", "name": name, "settings": settings, "machine": machine, **body}
    path.write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(body.get("summary", body), indent=1))


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text(encoding="utf-8")) if info.exists() else None
    return found[1] if found else platform.processor()
