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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
    """Wall-clock and processor seconds since it was made, without those spent under `stopped`."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        wall, processor = time.perf_counter() - self._wall, time.process_time() - self._processor
        return {"seconds": round(wall, 2), "processor_seconds": round(processor, 2)}

    @contextmanager
    def stopped(self) -> Iterator[None]:
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self._wall += time.perf_counter() - wall
        self._processor += time.process_time() - processor


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


class MatmulRate:
    """The machine's own float32 matrix multiply at `shapes` (m, k, n), sampled while a measured step runs.

    A processor's rate drifts within seconds (clock, neighbours on a shared host), so one burst before a step says what
    the machine can do at best, not what it gave meanwhile. `sample` between the passes of a step, outside its clock:
    `mean` is operations by time over all samples at the shape that does best, `best` the fastest single product.
    """

    def __init__(self, shapes: Sequence[tuple[int, int, int]] = ((2048, 576, 1536), (2048, 2048, 2048))) -> None:
        self._factors = [(torch.randn(m, k), torch.randn(k, n)) for m, k, n in shapes]
        self._operations = [2.0 * m * k * n for m, k, n in shapes]
        self._spent: list[list[tuple[float, float]]] = [[] for _ in shapes]

    def sample(self, times: int = 4) -> None:
        for (a, b), spent in zip(self._factors, self._spent, strict=True):
            torch.mm(a, b)
            for _ in range(times):
                wall, processor = time.perf_counter(), time.process_time()
                torch.mm(a, b)
                spent.append((time.perf_counter() - wall, time.process_time() - processor))

    def mean(self) -> dict[str, float]:
        """Operations a wall-clock second, and a processor second of all threads."""
        return {
            kind: max(
                count * len(spent) / sum(one[place] for one in spent)
                for count, spent in zip(self._operations, self._spent, strict=True)
            )
            for place, kind in enumerate(("seconds", "processor_seconds"))
        }

    def best(self) -> float:
        """Operations a wall-clock second of the fastest product seen."""
        return max(
            count / min(wall for wall, _ in spent) for count, spent in zip(self._operations, self._spent, strict=True)
        )


def shares(total: float, spent: dict[str, float], rate: MatmulRate) -> dict[str, float]:
    """What a step of `total` operations made of the machine's rate meanwhile, and of its best."""
    mean = rate.mean()
    return {
        "step_gflops": round(total / spent["seconds"] / 1e9, 1),
        "matmul_gflops": round(mean["seconds"] / 1e9, 1),
        "best_matmul_gflops": round(rate.best() / 1e9, 1),
        "share_of_limit": round(total / mean["seconds"] / spent["seconds"], 3),
        "share_of_limit_processor_time": round(total / mean["processor_seconds"] / spent["processor_seconds"], 3),
        "share_of_best_rate": round(total / rate.best() / spent["seconds"], 3),
    }


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
