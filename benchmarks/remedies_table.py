"""Which remedy buys what against a planted length shortcut: docs/results/remedies.md, on simulated data.

    python benchmarks/remedies_table.py --out remedies-table --processes 12                    # minutes on a GPU
    python benchmarks/remedies_table.py --out remedies-table --base smollm2 --remedies text --processes 3
    python benchmarks/remedies_table.py --out remedies-table --fold docs/results/remedies.md   # trains nothing
    python benchmarks/remedies_table.py --out remedies-table --glance docs/remedies.md         # neither does this

Worlds of the simulated support desk, one for each --strength of the shortcut (0: none), with the same prompts, held-out
ids, candidates and search. In each world `assay remedies` trains none and every remedy on --seeds seeds, in
processes of its own; worlds run beside each other. A line is printed for every remedy that is done. Started again, it
goes on. --fold writes what stands in --out, whatever of it is done, between two marks of the page; --glance gold at
best of n alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.artifacts.files import write_json
from assay.artifacts.remedies_body import REMEDIES, RemediesBody
from assay.flows.simulated_candidates import simulate_candidates
from assay.machine_size import usable_cpus
from assay.report.remedies_table import gold, how_to_read, measured_on, tables
from assay.simulate.support import support
from assay.simulate.support.answer_policy import agent_mix
from assay.version import __version__, versions

BEGIN, END = "<!-- remedies table: written by benchmarks/remedies_table.py -->", "<!-- end of remedies table -->"
ABOUT = "about.json"
# That of `assay demo`. Layers are not compiled, since a trial of that would be in the seconds of some and not of
# others. The runs' own audits are not told here, so their bootstraps are short.
RECIPE = {
    "train.batch_pairs": 16, "train.learning_rate": 1e-4, "train.head_learning_rate": 1e-3, "train.compile": "off",
    "audit.resamples": 200,
}  # fmt: skip
PROBES = "filler,repetition,flattery,invented_detail"


def arguments() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    options.add_argument("--out", type=Path, required=True, help="folder of the worlds; the same command goes on")
    options.add_argument("--base", default="minilm", help="catalogue name or folder; each has its own tables")
    options.add_argument("--remedies", default="all")
    options.add_argument("--pairs", type=int, default=1500, help="pairs trained on")
    options.add_argument("--holdout", type=int, default=500)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--epochs", type=float, default=1.0)
    options.add_argument("--max-tokens", type=int, default=256)
    options.add_argument("--strength", type=float, nargs="*", default=[0, 0.75, 0.9], help="of the planted shortcut")
    options.add_argument("--prompts", type=int, default=100, help="prompts with candidates")
    options.add_argument("--n", type=int, default=64, help="candidates a prompt; a power of two")
    options.add_argument("--policy", default="wordy=1,plain=1", help="agents who answer")
    options.add_argument("--press-prompts", type=int, default=40, help="prompts of the pressing policy; 0: none")
    options.add_argument("--probes", default=PROBES)
    options.add_argument("--processes", type=int, default=1, help="at once, over all worlds")
    options.add_argument("--set", dest="sets", action="append", default=[], help="as of assay remedies")
    options.add_argument("--fold", type=Path, help="write what is in --out into this page, and train nothing")
    options.add_argument("--glance", type=Path, help="write gold at best of n into this page, and train nothing")
    return options.parse_args()


def worlds(given: argparse.Namespace) -> dict[str, Path]:
    """The pairs of each world, by name; written where they are not there yet."""
    found: dict[str, Path] = {}
    for strength in given.strength:
        name = f"length-{strength:g}" if strength else "no-shortcut"
        path = given.out / "worlds" / f"{name}.jsonl"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            shortcuts = {"length": strength} if strength else {}
            support(given.pairs + given.holdout, seed=0, shortcuts=shortcuts).write(path)
        found[name] = path
    return found


def elsewhere(given: argparse.Namespace) -> Path:
    """Fresh pairs of the desk without a shortcut: what a shortcut costs does not show on pairs that have it."""
    path: Path = given.out / "worlds" / "elsewhere.jsonl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        support(given.holdout, seed=1).write(path)
    return path


def candidates(given: argparse.Namespace) -> Path:
    path: Path = given.out / "worlds" / "candidates.jsonl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        simulate_candidates(path, mix=agent_mix(given.policy), n=given.n, count=given.prompts, seed=1)
    return path


def command(given: argparse.Namespace, name: str, pairs: Path, pressed: Path, *, processes: int) -> list[str]:
    """`assay remedies` on one world."""
    sets = {**RECIPE, "pressure.largest": given.n, "press.prompts": given.press_prompts or 1, "press.seed": 2}
    words = [sys.executable, "-m", "assay.cli.main", "remedies", str(pairs), "--out", str(folder(given, name))]
    words += ["--base", given.base, "--remedies", given.remedies, "--holdout", str(given.holdout)]
    words += ["--seeds", str(given.seeds), "--epochs", str(given.epochs), "--max-tokens", str(given.max_tokens)]
    words += ["--candidates", str(pressed), "--gold", "truth", "--elsewhere", str(elsewhere(given))]
    words += ["--probes", given.probes]
    words += ["--processes", str(processes), *(["--press", "support"] if given.press_prompts else [])]
    for key, value in sets.items():
        words += ["--set", f"{key}={value}"]
    for one in given.sets:
        words += ["--set", one]
    return words


def folder(given: argparse.Namespace, name: str) -> Path:
    """Of one world and base."""
    base: Path = given.out / Path(given.base).name
    return base / name


def run(given: argparse.Namespace) -> int:
    """All worlds beside each other; 0 where all are done."""
    start = time.monotonic()
    pairs, pressed = worlds(given), candidates(given)
    elsewhere(given)
    # The machine's work is parted over the worlds; with fewer processes than worlds these are taken one after another.
    at_once = min(len(pairs), given.processes)
    each = max(1, given.processes // at_once)
    # A world knows of its own processes only, and would share all cores out among those.
    env = {"OMP_NUM_THREADS": str(max(1, usable_cpus() // given.processes)), **os.environ}
    failed: list[str] = []
    waiting = list(pairs.items())
    gate = threading.Lock()

    def work() -> None:
        while True:
            with gate:
                if not waiting:
                    return
                name, path = waiting.pop(0)
            line = command(given, name, path, pressed, processes=each)
            if told(name, line, start, env) != 0:
                failed.append(name)

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    write_about(given, seconds=time.monotonic() - start)
    print(f"{len(pairs) - len(failed)} of {len(pairs)} worlds done in {time.monotonic() - start:.0f} s", flush=True)
    return 1 if failed else 0


def told(name: str, line: Sequence[str], start: float, env: Mapping[str, str]) -> int:
    """Run one world and print a line for each remedy that is done, and all that is said where it fails."""
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as process:
        said: list[str] = []
        assert process.stdout is not None
        for text in process.stdout:
            said.append(text)
            if " of " in text[:12] and text[:1].isdigit():
                print(f"{time.monotonic() - start:5.0f} s  {name}  {text.rstrip()}", flush=True)
    if process.returncode != 0:
        print(f"{name} ended with {process.returncode}:\n{''.join(said[-40:])}", flush=True)
    return process.returncode


def write_about(given: argparse.Namespace, *, seconds: float) -> None:
    """What the run was, for the page; kept of the longest run, since one that goes on has less to do."""
    path = given.out / Path(given.base).name / ABOUT
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"seconds": 0.0}
    if not path.parent.exists() or before["seconds"] > seconds:
        return
    said = {
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python benchmarks/remedies_table.py {' '.join(sys.argv[1:])}",
        "seconds": round(seconds, 1),
        "device": device(),
        "processor": processor(),
        "cores": usable_cpus(),
        "python": platform.python_version(),
        "versions": dict(versions(("torch", "transformers", "numpy", "scipy"))) | {"assay": __version__},
    }
    write_json(path, "remedies-table/1", said)


def device() -> str:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU"


def processor() -> str:
    """What the machine calls its processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = [text.partition(":")[2].strip() for text in lines if text.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def measured(out: Path) -> Iterator[tuple[Path, dict[str, RemediesBody]]]:
    """The folder of each base in `out` of which there is anything, and its worlds."""
    for path in sorted(out.glob(f"*/{ABOUT}")):
        files = sorted(path.parent.glob(f"*/{REMEDIES}"), key=world_order)
        if files:
            yield path.parent, {one.parent.name: RemediesBody.read(one) for one in files}


def glance(out: Path) -> Iterator[str]:
    """Gold at best of n, a table a base."""
    for path, bodies in measured(out):
        yield from [f"Base {path.name} (simulated):", "", *at_a_glance(bodies), ""]


def markdown(out: Path) -> Iterator[str]:
    """All that stands in `out`, base by base and world by world."""
    for path, bodies in measured(out):
        said: dict[str, Any] = json.loads((path / ABOUT).read_text(encoding="utf-8"))
        made = ", ".join(f"{name} {version}" for name, version in said["versions"].items())
        yield f"### Measured on the simulated desk, base {path.name}"
        yield ""
        yield (
            f"Simulated data and simulated truth throughout. {said['date']}, `{said['command']}`: "
            f"{said['seconds']:.0f} s on {said['device']}, {said['cores']} cores of {said['processor']}, Python "
            f"{said['python']}, {made}."
        )
        for text in how_to_read(next(iter(bodies.values()))):
            yield from ["", text]
        yield from ["", *at_a_glance(bodies)]
        for name, body in bodies.items():
            yield from ["", f"#### {world_words(name)}", "", measured_on(body), "", *tables(body)]
        yield ""


def at_a_glance(bodies: Mapping[str, RemediesBody]) -> Iterator[str]:
    """Gold at best of n, a column a world: what differs between worlds is seen in one line."""
    rows = {name: {row.name: row for row in body.rows if row.why_not is None} for name, body in bodies.items()}
    every = list(dict.fromkeys(name for world in rows.values() for name in world))
    yield "**Gold at best of n in each world**"
    yield ""
    yield f"| Remedy | {' | '.join(name.replace('-', ' ') for name in rows)} |"
    yield f"|{'---|' * (len(rows) + 1)}"
    for name in every:
        cells = [gold(world[name].gold) if name in world else "not made" for world in rows.values()]
        yield f"| {name.replace('_', ' ')} | {' | '.join(cells)} |"


def world_order(path: Path) -> tuple[bool, str]:
    return path.parent.name != "no-shortcut", path.parent.name


def world_words(name: str) -> str:
    if name == "no-shortcut":
        return "No shortcut planted"
    share = float(name.removeprefix("length-"))
    return f"Length shortcut planted: the chosen answer is padded to be the longer one in {share:.0%} of the pairs"


def folded(page: str, table: str) -> str:
    """The page with the tables between its marks. Raises ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the tables: {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def main() -> int:
    given = arguments()
    if given.fold is None and given.glance is None:
        return run(given)
    for page, written in ((given.fold, markdown), (given.glance, glance)):
        if page is not None:
            text = "\n".join(written(given.out)).rstrip()
            page.write_text(folded(page.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
