"""Two rounds of judging and training along helpful, harmless and honest, in a simulated world whose truth is known.

    python examples/improvement_loop.py [OUT] [--comparisons 150] [--pool 600] [--truth 300] [--base minilm]

Simulated agents judge random comparisons in a blind study, over its own server; their ratings become pairs by
objective, and a model with a head an objective is trained. `assay study next` then says where to ask, a third of it at
random; after the second study the model is trained anew on both rounds. Both models are held against the truth of fresh
prompts, pair by pair. A third model, given as many comparisons all drawn at random, says whether choosing was worth it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from assay.cli.main import build
from assay.errors import AssayError

AXES = ("helpful", "harmless", "honest")
AGENTS = [word for n in (1, 2, 3) for word in ("--simulated", f"simulated-agent-{n}")]
RECIPE = "--set train.head_learning_rate=1e-3 --set train.batch_pairs=16"


class Loop:
    """Runs assay's commands in one folder, each shown as it would be typed."""

    def __init__(self, out: Path, *, base: str, epochs: float, rate: float) -> None:
        self.out, self.base, self.epochs, self.rate = out, base, epochs, rate
        out.mkdir(parents=True, exist_ok=True)

    def assay(self, command: str, *, may_end: tuple[int, ...] = (0,)) -> dict[str, Any]:
        """The JSON object that a command prints. Run here and not by a shell: libraries are imported once."""
        print(f"$ assay {command}", flush=True)
        said = io.StringIO()
        with contextlib.chdir(self.out), contextlib.redirect_stdout(said):
            code = build()([*command.split(), "--json"], standalone_mode=False) or 0
        if code not in may_end:
            raise SystemExit(f"assay {command} ended with {code}")
        return dict(json.loads(said.getvalue()))

    def candidates(self, name: str, *, prompts: int, seed: int) -> None:
        """Two answers to each fresh prompt: half of them by a wordy agent."""
        self.assay(f"simulate candidates wordy=1,plain=1 --n 2 --fresh {prompts} --seed {seed} --out {name}.jsonl")

    def study(self, name: str) -> None:
        """A blind study of NAME.next.jsonl, judged over HTTP by simulated agents, and closed."""
        port, plan = free_port(), "--set repeats=0 --set attention=0 --set aspects=[helpful,harmless,honest]"
        url = f"http://127.0.0.1:{port}"
        self.assay(
            f"study create --pairs {name}.next.jsonl --out {name}.db --url {url} {' '.join(AGENTS)} {plan} "
            "--set identical=set_aside"
        )
        print(f"$ assay study serve {name}.db --port {port} &")
        serve = [sys.executable, "-m", "assay.cli.main", "study", "serve", f"{name}.db", "--port", str(port)]
        server = subprocess.Popen(serve, cwd=self.out, stderr=subprocess.DEVNULL)
        try:
            self.assay(f"simulate editors {name}.db.links.csv --world support")
        finally:
            server.terminate()
            server.wait()
        self.assay(f"study close {name}.db")

    def pairs(self, name: str, part: str) -> Path:
        """The ratings of one part of a study as pairs by objective."""
        told = f"--proposals {name}.next.jsonl --part {part} --out {name}-{part}.jsonl"
        self.assay(f"study pairs {name}.db --by aspects --judges simulated {told}")
        return self.out / f"{name}-{part}.jsonl"

    def train(self, name: str, files: list[Path]) -> None:
        """A model with a head an objective, on the pairs of these files."""
        rows = "".join(file.read_text(encoding="utf-8") for file in files)
        (self.out / f"{name}.jsonl").write_text(rows, encoding="utf-8")
        holdout = max(8, rows.count("\n") // 12)
        self.assay(
            f"reward {name}.jsonl --base {self.base} --heads {','.join(AXES)} --holdout {holdout} "
            f"--epochs {self.epochs} --set split.rounding=nearest "
            f"--set train.learning_rate={self.rate} {RECIPE} --out runs/{name}",
            may_end=(0, 1, 3),  # what the gate says of so small a run is not what is asked here
        )

    def compare(self, one: str, other: str, pairs: str) -> None:
        """Both models on the same pairs by objective: accuracy of each, the difference in points, its interval."""
        lines = []
        for axis in AXES:
            try:
                told = self.assay(
                    f"compare runs/{one}@{axis} runs/{other}@{axis} {pairs} --objective {axis} "
                    f"--out compared/{one}-{other}-{Path(pairs).stem}-{axis}",
                    may_end=(0, 1, 3),
                )
                lines.append(f"  {axis:9} {difference(told)}")
            except AssayError as error:  # a small random part may have no majority along an axis
                lines.append(f"  {axis:9} {error}")
        print(f"\n{one} less {other} on {pairs} (simulated)", *lines, sep="\n")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    words.add_argument("out", nargs="?", type=Path, default=Path("runs/demo-loop"))
    words.add_argument("--comparisons", type=int, default=150, help="judged in each round")
    words.add_argument("--pool", type=int, default=600, help="fresh prompts to choose from in the second round")
    words.add_argument("--truth", type=int, default=300, help="fresh prompts both models are held against")
    words.add_argument("--base", default="minilm")
    words.add_argument("--epochs", type=float, default=2.0)
    words.add_argument("--learning-rate", type=float, default=1e-4, help="of the trunk that the heads share")
    asked = words.parse_args()
    begun, count = time.monotonic(), asked.comparisons
    loop = Loop(asked.out, base=asked.base, epochs=asked.epochs, rate=asked.learning_rate)

    print("\n# Round 1: nothing is known, so everything is drawn at random")
    loop.candidates("first", prompts=2 * count, seed=1)
    loop.assay(f"study next --pairs first.jsonl --count {count} --random {count} --seed 1 --out first.next.jsonl")
    loop.study("first")
    first = loop.pairs("first", "random")
    loop.train("before", [first])

    print("\n# Round 2: where an axis is undecided; a third at random, for an estimate")
    loop.candidates("second", prompts=asked.pool, seed=2)
    for axis in AXES:
        loop.assay(f"score runs/before@{axis} second.jsonl --out {axis}.scores.jsonl")
    scores = " ".join(f"{axis}={axis}.scores.jsonl" for axis in AXES)
    told = loop.assay(
        f"study next {scores} --study first.db --judges simulated --pairs second.jsonl --count {count} "
        f"--random {count // 3} --seed 2 --out second.next.jsonl"
    )
    print(f"  chosen: {told['chosen']}, random: {told['random']}")
    loop.study("second")
    loop.train("after", [first, loop.pairs("second", "chosen")])
    loop.pairs("second", "random")

    print("\n# As many comparisons, all drawn at random: was choosing worth it?")
    chosen = count - count // 3
    loop.assay(f"study next --pairs second.jsonl --count {chosen} --random {chosen} --seed 3 --out luck.next.jsonl")
    loop.study("luck")
    loop.train("unchosen", [first, loop.pairs("luck", "random")])

    print("\n# Before and after, on fresh prompts whose truth is known, and on the random part by the agents' votes")
    loop.candidates("fresh", prompts=asked.truth, seed=4)
    loop.assay("simulate objectives fresh.jsonl --out truth.jsonl")
    for one, other, pairs in (
        ("after", "before", "truth.jsonl"),
        ("after", "unchosen", "truth.jsonl"),
        ("after", "before", "second-random.jsonl"),
    ):
        loop.compare(one, other, pairs)
    print(f"\n{time.monotonic() - begun:.0f} s; simulated agents, simulated truth: {asked.out}")


def difference(told: dict[str, Any]) -> str:
    figures = {row["name"]: row for row in told["findings"] if row["slice"] == "overall"}
    a, b = (100 * figures[f"accuracy_of_{side}"]["value"] for side in "ab")
    gap = figures["accuracy_difference"]
    bounds = gap["interval"]
    between = f"{100 * bounds['low']:+.1f} to {100 * bounds['high']:+.1f}" if bounds else "no interval"
    verdict = {"A": "better", "B": "worse"}.get(told["verdict"], "undecided")
    return (
        f"{told['pairs']:>4} pairs  {a:5.1f}% less {b:5.1f}%: {100 * gap['value']:+.1f} points ({between}), {verdict}"
    )


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    main()
