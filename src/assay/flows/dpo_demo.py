"""The demo of tuning: simulated grants -> tuned policy -> blind study, served and judged -> verdict.

Every part is the one that a real run has: the study is served by `assay study serve` in a process of its own, and the
editors vote over its addresses. Only who votes is simulated, and every page and the criteria say so.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from assay.artifacts.files import sha256_file
from assay.errors import StudyError
from assay.flows.dpo import PolicyRun, run_dpo
from assay.flows.dpo_conclusion import CapabilityTest, ConcludeConfig, Conclusion, conclude
from assay.flows.simulated_editors import editors_of, vote_in_study
from assay.simulate.easy_questions import write_easy_questions
from assay.simulate.grants import EDITORS, grants
from assay.study.store.closing import close_study
from assay.study.store.open_study import read_facts
from assay.train.dpo.config import DpoRunConfig

HELD_OUT_SHARE = 4  # one pair in four
START_SECONDS = 120.0
Notify = Callable[[str], None]
RECIPE: dict[str, dict[str, object]] = {
    "model": {"base": "smollm2", "max_tokens": 512},
    "train": {"epochs": 1.0, "batch_pairs": 8, "learning_rate": 3e-5},
    "watch": {"fresh": 4, "max_new_tokens": 48},
}
STUDY: dict[str, object] = {"editors": 0, "simulated": [editor.name for editor in EDITORS], "max_new_tokens": 96}
QUESTIONS: dict[str, object] = {"shots": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSize:
    """How much of everything. pairs: to tune on and to hold out; fresh: prompts that both answer.

    Two cores without bf16's instructions take some four minutes.
    """

    pairs: int = 72
    fresh: int = 12
    questions: int = 80


def run_dpo_demo(
    out: Path,
    *,
    size: DemoSize | None = None,
    seed: int = 0,
    changes: dict[str, dict[str, object]] | None = None,
    command: str = "",
    notify: Notify = lambda _line: None,
) -> Conclusion:
    """The whole flow in the folder `out`, its data beside it; killed anywhere, the same call goes on.

    changes: options of the run over the demo's own, by section. Raises what the flow raises.
    """
    size = size or DemoSize()
    data, asked = out.with_name(f"{out.name}-pairs.jsonl"), out.with_name(f"{out.name}-questions.jsonl")
    files = grants(size.pairs, seed=seed, fresh=size.fresh).write(data)
    write_easy_questions(asked, size.questions, seed=seed)
    notify(f"simulated  {size.pairs:,} pairs, {size.fresh} fresh prompts of grants: {data} ({sha256_file(data)[:19]})")
    study = {**STUDY, "prompts": str(files.fresh), "attention": str(files.attention)}
    split: dict[str, object] = {"holdout": size.pairs // HELD_OUT_SHARE, "seed": seed}
    sections: dict[str, dict[str, object]] = {"split": split, "study": study, **RECIPE}
    for name, values in (changes or {}).items():
        sections[name] = {**sections.get(name, {}), **values}
    run = run_dpo(str(data), out, config=DpoRunConfig.build(sections), command=command, notify=notify)
    place = judged(run, seed=seed, notify=notify)
    settled = ConcludeConfig.build({"criteria": "dpo-simulated", "capability": QUESTIONS})
    test = CapabilityTest(questions=asked)
    return conclude(out, str(place), test=test, config=settled, command=command, notify=notify)


def judged(run: PolicyRun, *, seed: int, notify: Notify) -> Path:
    """The run's study, served, judged by the simulated editors and closed; where it is."""
    assert run.study is not None
    place = run.folder / run.study.study
    if read_facts(str(place)).closed_at is not None:
        return place
    with served(place) as address:
        for editor, link in editors_of([str(run.folder / run.study.links)]):
            done = vote_in_study(editor, f"{address}{urlsplit(link).path}", seed=seed)
            notify(f"votes      {done.editor}: {done.votes} simulated votes at {address}")
    close_study(str(place), reason="the simulated editors have judged everything")
    return place


@contextmanager
def served(place: Path) -> Iterator[str]:
    """The address at which `assay study serve` serves a study, in a process of its own, while the body runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = [sys.executable, "-m", "assay.cli.main", "study", "serve", str(place), "--port", str(port)]
    # It serves, and computes nothing: threads that wait for work would take the processor from those that vote.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    try:
        _wait(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.communicate()


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.05)
    server.terminate()
    said = server.communicate()[1].decode(errors="replace").strip()
    raise StudyError(f"The study's server did not start: {said or f'nothing within {START_SECONDS:.0f} s'}.")
