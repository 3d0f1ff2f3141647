"""64 clients that send one sample a request, 16 answers a prompt: a server that batches, ones that do not, and a file.

    python benchmarks/bench_serve.py --model smollm2 --data HH/test.jsonl.gz [--prompts 24] [--clients 64] [--rounds 3]

Contenders, each in processes of its own, in turn: `served` is `assay serve`; `alone` the same server that runs every
request by itself (one row a batch, no waiting for company, nothing shared); `alone_kept` the same, but of a prompt that
the request before had too the keys and values are kept; `file` is what `assay score` does with the same rows, reading
and starting left out. Answers are each prompt's own two and others' of the file. Printed: answers a second, served /
alone (wanted: 5 or more), served / alone_kept, served / file (wanted: 0.85 or more), and of a client by itself the
median of what a request takes beside the model's own time (wanted: under 10 ms). Writes benchmarks/results/serve.json.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from harness import alternate, median, messages, model_folder, parser, ratios, write

ANSWERS, LONE = 16, 20
CONTENDERS = ("served", "alone", "alone_kept", "file")
BY_ITSELF = ("--set", "serve.batch_tokens=1", "--set", "serve.quiet=0")


def rows_of(data: Path, prompts: int, longest: int) -> list[tuple[list[dict[str, str]], str]]:
    """Prompts in a fixed random order, the answers to each one after the other, as rollouts come."""
    opener = gzip.open if data.suffix == ".gz" else open
    found: dict[str, tuple[list[dict[str, str]], list[str]]] = {}
    with opener(data, "rt", encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            chosen, rejected = messages(row["chosen"]), messages(row["rejected"])
            told = [side[-1]["content"] for side in (chosen, rejected) if side and side[-1]["role"] == "assistant"]
            size = sum(len(turn["content"]) for turn in chosen)
            if chosen[:-1] == rejected[:-1] and len(told) == 2 and all(told) and size < longest:
                found.setdefault(json.dumps(chosen[:-1]), (chosen[:-1], told))
    rng = random.Random(0)
    kept = rng.sample(sorted(found), prompts)
    pool = [text for prompt in sorted(found) for text in found[prompt][1] if len(text) < longest // 3]
    rows = []
    for prompt in kept:
        turns, own = found[prompt]
        rows += [(turns, text) for text in (*own, *rng.sample(pool, ANSWERS - len(own)))]
    return rows


class Client:
    """One line to the server, kept alive: a request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, path: str, body: object | None = None) -> bytes:
        sent = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(sent)}\r\n"
        )
        self.writer.write(f"{head}content-type: application/json\r\n\r\n".encode() + sent)
        told = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"content-length: (\d+)", told)
        assert length is not None, told
        raw = await self.reader.readexactly(int(length[1]))
        assert " 200 " in told.split("\r\n", 1)[0], told + raw.decode()
        return raw

    async def reward(self, row: tuple[list[dict[str, str]], str]) -> float:
        """As vLLM's clients ask for one conversation."""
        prompt, answer = row
        raw = await self.ask("/classify", {"messages": [*prompt, {"role": "assistant", "content": answer}]})
        return float(json.loads(raw)["data"][0]["probs"][0])


@contextmanager
def reward_folder(name: str) -> Iterator[str]:
    """The model with a head, the same in every process; its own where it has one."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = model_folder(name)
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=1, pad_token_id=tokenizer.pad_token_id, dtype=torch.float32, trust_remote_code=False
    )
    with tempfile.TemporaryDirectory() as place:
        model.save_pretrained(place)
        tokenizer.save_pretrained(place)
        yield place


@asynccontextmanager
async def server(model: str, options: argparse.Namespace, *more: str) -> AsyncIterator[int]:
    """`assay serve` in a process of its own; its port once it is ready."""
    command = [sys.executable, "-m", "assay", "serve", model, "--ungated", "--port", "0"]
    command += ["--device", "cpu", "--micro-tokens", str(options.micro_tokens), *more]
    with tempfile.TemporaryFile("w+") as log:
        started = subprocess.Popen(command, stderr=log, stdout=log)
        try:
            while True:
                log.seek(0)
                if (told := re.search(r"serving http://127\.0\.0\.1:(\d+)", log.read())) is not None:
                    break
                assert started.poll() is None, "the server did not start"
                await asyncio.sleep(0.2)
            yield int(told[1])
        finally:
            started.terminate()
            started.wait(120)


async def served(options: argparse.Namespace, *more: str) -> dict[str, Any]:
    rows = rows_of(options.data, options.prompts, options.longest)
    found: dict[int, float] = {}
    async with server(options.folder, options, *more) as port:
        lone = await Client.to(port)
        for row in rows[:4]:
            await lone.reward(row)  # threads and caches warm
        lone.writer.close()
        waiting = iter(range(len(rows)))

        async def client() -> None:
            line = await Client.to(port)
            for place in waiting:  # one iterator for all: each client takes the next row, as workers of a trainer do
                found[place] = await line.reward(rows[place])
            line.writer.close()

        start = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(options.clients)))
        seconds = time.perf_counter() - start
        lone = await Client.to(port)  # the server closes a line that says nothing for a minute
        beside = [await _beside(lone, row) for row in rows[-LONE:]]
        lone.writer.close()
    return {
        "seconds": round(seconds, 3), "answers": len(rows), "answers_per_second": round(len(rows) / seconds, 2),
        "added_ms": round(1000 * statistics.median(beside), 2), "rewards": [round(found[n], 6) for n in sorted(found)],
    }  # fmt: skip


async def _beside(line: Client, row: tuple[list[dict[str, str]], str]) -> float:
    """Seconds of one request, without those of the model."""
    before = await _model_seconds(line)
    start = time.perf_counter()
    await line.reward(row)
    took = time.perf_counter() - start
    return took - (await _model_seconds(line) - before)


async def _model_seconds(line: Client) -> float:
    told = re.search(r"^assay_batch_seconds_sum (\S+)$", (await line.ask("/metrics")).decode(), re.MULTILINE)
    assert told is not None
    return float(told[1])


def as_file(options: argparse.Namespace) -> dict[str, Any]:
    """The same rows as groups of candidates, as `assay score` puts them to a model."""
    from assay.records import Candidates, Message
    from assay.scorers.local import LocalScorer, Passes
    from assay.scorers.protocol import Reward, score_groups

    rows = rows_of(options.data, options.prompts, options.longest)
    passes = Passes(device="cpu", micro_tokens=options.micro_tokens)
    scorer = LocalScorer(options.folder, passes=passes)
    groups = []
    for start in range(0, len(rows), ANSWERS):
        prompt = tuple(Message(role=turn["role"], content=turn["content"]) for turn in rows[start][0])
        answers = tuple(answer for _, answer in rows[start : start + ANSWERS])
        groups.append(Candidates(id=str(start), prompt=prompt, answers=answers))
    scorer.score([Candidates(id="warm", prompt=groups[0].prompt, answers=groups[0].answers[:4])])
    start_time = time.perf_counter()
    found = [one for _, results in score_groups(scorer, groups) for one in results]
    seconds = time.perf_counter() - start_time
    rewards = [round(one.value, 6) if isinstance(one, Reward) else None for one in found]
    return {
        "seconds": round(seconds, 3), "answers": len(rows), "answers_per_second": round(len(rows) / seconds, 2),
        "rewards": rewards,
    }  # fmt: skip


def contend(options: argparse.Namespace) -> dict[str, Any]:
    match options.contender:
        case "served":
            return asyncio.run(served(options))
        case "alone":
            return asyncio.run(served(options, *BY_ITSELF, "--sharing", "off"))
        case "alone_kept":
            return asyncio.run(served(options, *BY_ITSELF))
        case _:
            return as_file(options)


def main() -> None:
    options = parser(__doc__ or "", rounds=3)
    options.add_argument("--prompts", type=int, default=24, help=f"prompts, of {ANSWERS} answers each")
    options.add_argument("--clients", type=int, default=64)
    options.add_argument("--longest", type=int, default=1500, help="characters of a conversation")
    asked = options.parse_args()
    if asked.contender:
        with reward_folder(asked.model) as asked.folder:
            print(json.dumps(contend(asked)))
        return
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    runs = alternate(asked, CONTENDERS)
    first = {run["contender"]: run["rewards"] for run in reversed(runs)}
    apart = {
        name: max(abs(one - other) for one, other in zip(first[name], first["file"], strict=True))
        for name in ("served", "alone", "alone_kept")
        if {name, "file"} <= first.keys()
    }
    for run in runs:
        del run["rewards"]  # of other people's texts, and the same in every round
    summary = {
        "served_over_alone": median(ratios(runs, "seconds", "alone", "served")),
        "served_over_alone_kept": median(ratios(runs, "seconds", "alone_kept", "served")),
        "served_over_file": median(ratios(runs, "seconds", "file", "served")),
        "added_ms_p50": median([run["added_ms"] for run in runs if run["contender"] == "served"]),
        "answers_per_second": {
            name: median([run["answers_per_second"] for run in runs if run["contender"] == name]) for name in CONTENDERS
        },
        "largest_difference_from_file": apart,
    }
    write(asked, "serve", {"clients": asked.clients, "prompts": asked.prompts, "runs": runs, "summary": summary})


if __name__ == "__main__":
    main()
