"""Workers on Ray, real ones: the same bits as one process, and nothing lost or doubled when any of them is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.bulk import ray_crew as crews
from assay.bulk.held_work import PolicyOpening, ScorerOpening
from assay.bulk.ray_crew import Holder, Node, Share, require_ray, share_of
from assay.bulk.spread import Crewing
from assay.cli.engine_options import EngineOptions, refuse_parts
from assay.errors import ConfigError, InputError
from assay.flows.score import ScoreConfig, score_file
from assay.flows.spread_generate import spread_generate
from assay.flows.spread_score import spread_score
from assay.policies.local_policy import Writing
from assay.policies.protocol import Sampling
from assay.scorers.open import open_scorer
from tests.support import saved_models
from tests.support.ready_commands import ready_assay

ROOT = Path(__file__).parents[2]
PROMPTS = 24
SCORER = "baseline:longest"  # where it is about who dies, which costs no model; bits are compared with one
SECONDS = 1800  # seconds of one command: several processes start, which a busy machine takes its time for
# One thread each: how many there are decides the last bits of a product of matrices.
ALONE = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def ray_or_skip() -> None:
    pytest.importorskip("ray", reason="the extra ray is not installed")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved_models.reward_model(tmp_path_factory.mktemp("scorer"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "candidates.jsonl"
    answers = ["yes please", "no", "a refund, and an apology for what came late", "late"]
    rows = (
        {"id": f"p{n}", "prompt": f"question {n} " + "and so on " * (n % 5), "answers": [f"{a} {n}" for a in answers]}
        for n in range(PROMPTS)
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def alone(data: Path) -> bytes:
    """What one process writes."""
    out = data.with_name("alone.jsonl")
    score_file(open_scorer(SCORER), str(data), out, config=ScoreConfig())
    return out.read_bytes()


class Driver:
    """`spread_driver` as a process of its own, with its folder of marks."""

    def __init__(self, marks: Path, data: Path, out: str, *timeout: str) -> None:
        self.marks = marks
        words = [sys.executable, "-m", "tests.support.spread_driver", SCORER, marks, data, out, *timeout]
        self.process = subprocess.Popen(
            words, cwd=ROOT, env=ALONE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def until_at(self, name: str) -> int:
        """The process of the worker that came to a prompt where it is held."""
        at = self.marks / f"at-{name}"
        while not at.exists():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)
        return int(at.read_text())

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, said


def gone(process: int) -> bool:
    """Whether a process has ended; one that nobody waited for counts as ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def until_gone(processes: Iterator[int]) -> None:
    for process in processes:
        while not gone(process):
            time.sleep(0.02)


def asked(marks: Path) -> Counter[str]:
    return Counter(line for one in marks.glob("asked-*") for line in one.read_text().splitlines())


@pytest.mark.slow
@pytest.mark.timeout(3 * SECONDS)
def test_killed_again_and_again_nothing_is_lost_or_doubled(data: Path, alone: bytes, tmp_path: Path) -> None:
    """Drivers are killed while both workers are in the middle of a block, then workers, until one driver comes through.

    Held where they are, so that what is done when the kill comes is known: a block of three prompts is done before the
    first kill, two more before each of the next.
    """
    ray_or_skip()
    marks, out = tmp_path / "marks", tmp_path / "scores.jsonl"
    marks.mkdir()
    for number, names in enumerate((("p4", "p7"), ("p10", "p13"), ("p16", "p19"))):
        holds = [marks / f"hold-{name}" for name in names]
        for hold in holds:
            hold.touch()
        driver = Driver(marks, data, str(out))
        for name in names:
            driver.until_at(name)
        if not number:
            code, said = Driver(marks, data, str(out)).end()  # a second one, beside it
            assert code == 2
            assert "another command writes it" in said
        driver.kill()
        until_gone(int(one.name.removeprefix("asked-")) for one in marks.glob("asked-*"))
        for hold in holds:
            hold.unlink()
        assert not out.exists()
        assert len(list((tmp_path / "scores.jsonl.blocks").glob("block-*"))) == 1 + 2 * number
    before = asked(marks)

    last = ("p17", "p20", "p23")
    for name in last:
        (marks / f"hold-{name}").touch()
    driver = Driver(marks, data, str(out))
    for name in last:
        worker = driver.until_at(name)
        os.kill(worker, signal.SIGKILL)
        (marks / f"hold-{name}").unlink()
    code, said = driver.end()
    assert code == 0, said
    assert out.read_bytes() == alone
    assert not (tmp_path / "scores.jsonl.blocks").exists()
    # What was kept when the last driver began was not asked for again.
    assert {name: count for name, count in asked(marks).items() if int(name[1:]) < 15} == {
        name: count for name, count in before.items() if int(name[1:]) < 15
    }


@pytest.mark.slow
@pytest.mark.timeout(3 * SECONDS)
def test_a_poison_block_is_set_aside_in_a_folder_of_parts(data: Path, alone: bytes, tmp_path: Path) -> None:
    ray_or_skip()
    marks, out = tmp_path / "marks", tmp_path / "parts"
    marks.mkdir()
    (marks / "poison-p10").touch()
    code, said = Driver(marks, data, f"{out}/").end()
    assert code == 2
    assert "3 prompts from 'p9' to 'p11' (its process died, 3 times)" in said
    job = json.loads((out / "_assay.json").read_text())
    assert (job["state"], job["blocks"], job["prompts"], job["missing"]) == ("blocks set aside", 8, PROMPTS, 3)
    assert [(one["first"], one["last"]) for one in job["set_aside"]] == [("p9", "p11")]
    assert asked(marks)["p9"] == 3

    rows = [json.loads(line) for part in sorted(out.glob("part-*.jsonl")) for line in part.read_text().splitlines()]
    assert [row["id"] for row in rows] == [f"p{n}" for n in range(PROMPTS) if n not in (9, 10, 11)]
    (out / sorted(out.glob("part-*"))[0].name).write_bytes(b"")  # and a part is damaged meanwhile
    (marks / "poison-p10").unlink()
    code, said = Driver(marks, data, f"file://{out}").end()
    assert code == 0, said
    assert b"".join(part.read_bytes() for part in sorted(out.glob("part-*.jsonl"))) == alone
    assert json.loads((out / "_assay.json").read_text())["state"] == "done"
    assert asked(marks)["p20"] == 1
    assert asked(marks)["p0"] == 2


@pytest.mark.slow
@pytest.mark.timeout(3 * SECONDS)
def test_a_worker_that_hangs_is_taken_for_lost_after_so_long(data: Path, alone: bytes, tmp_path: Path) -> None:
    ray_or_skip()
    marks, out = tmp_path / "marks", tmp_path / "scores.jsonl"
    marks.mkdir()
    (marks / "hang-p4").touch()
    code, said = Driver(marks, data, str(out), "10").end()
    assert code == 0, said
    assert "it gave nothing for 10 s; another is started" in said
    assert out.read_bytes() == alone
    assert asked(marks)["p4"] == 2


@pytest.mark.slow
@pytest.mark.timeout(3 * SECONDS)
def test_commands_give_what_one_process_gives_to_the_bit(model: Path, tmp_path: Path) -> None:
    ray_or_skip()
    pairs, ray = tmp_path / "pairs.jsonl", ("--engine", "ray", "--workers", 2)
    rows = (
        {"id": f"{n}", "prompt": f"question {n % 30}", "chosen": f"yes {n} " + "sure " * (n % 7), "rejected": f"no {n}"}
        for n in range(60)
    )
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    policy = saved_models.policy(tmp_path)
    commands = {
        "scores.jsonl": ("score", model, pairs, "--block", 7),
        "scores.parquet": ("score", model, pairs, "--block", 7),
        "answers.jsonl": ("generate", policy, pairs, "--n", 3, "--max-tokens", 5),
        "audit": ("audit", model, pairs, "--probes", "all"),
    }
    for name, words in commands.items():
        outs = [tmp_path / kind / name for kind in ("one", "ray")]
        for out, more in zip(outs, ((), ray), strict=True):
            out.parent.mkdir(exist_ok=True)
            done = ready_assay(*words, "--out", out, "--json", *more, env=ALONE, timeout=SECONDS)
            assert done.returncode == 0, done.stderr
            json.loads(done.stdout)  # nothing of Ray's stands in it
        files = [out / "audit.json" if out.is_dir() else out for out in outs]
        assert files[0].read_bytes() == files[1].read_bytes(), name
    left = {
        kind: sorted(path.name for path in (tmp_path / kind).iterdir() if path.suffix != ".lock")
        for kind in ("one", "ray")
    }
    assert left["one"] == left["ray"]


@pytest.mark.parametrize(
    ("workers", "nodes", "share"),
    [
        (None, [Node(6), Node(6)], Share(3, 3, 0.0)),  # of 4 processors a worker there is room for two
        (3, [Node(8), Node(8)], Share(3, 4, 0.0)),
        (None, [Node(64), Node(8, 1), Node(8, 1), Node(4, 1)], Share(3, 4, 1.0)),
        (5, [Node(1, 1), Node(1, 1)], Share(5, 0.3333, 0.3333)),
        (2, [Node(2), Node(0)], Share(2, 1, 0.0)),
    ],
)
def test_every_worker_finds_a_node_with_room(workers: int | None, nodes: list[Node], share: Share) -> None:
    """One that finds none waits for ever, and with it the block that it was given."""
    assert share_of(workers, nodes) == share


def test_a_worker_has_as_many_threads_as_its_bits_are_kept_under(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "7")  # what a cluster was started with
    try:
        Holder(ScorerOpening(scorer=SCORER), str(Path.cwd()), 3)
        assert (os.environ["OMP_NUM_THREADS"], torch.get_num_threads()) == ("3", 3)
    finally:
        torch.set_num_threads(before)


def test_without_the_extra_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match=r"pip install 'assay\[ray\]'"):
        require_ray()


def test_options_that_nothing_would_read_are_refused() -> None:
    with pytest.raises(ConfigError, match="--workers and --tries: only --engine ray"):
        EngineOptions(workers=2, tries=1).crewing()
    with pytest.raises(ConfigError, match="--tries and --worker-timeout: only"):
        EngineOptions(engine="local", tries=1, worker_timeout=60).crewing()
    crewing = EngineOptions(engine="ray", workers=2, tries=5, worker_timeout=60).crewing()
    assert crewing is not None
    assert (crewing.workers, crewing.tries, crewing.timeout) == (2, 5, 60)


@pytest.mark.parametrize(
    ("scorer", "why"), [("vllm:http://127.0.0.1:1/M", "asked over a network"), ("nosuch:thing", "no scorer of kind")]
)
def test_what_workers_would_not_help_starts_none(scorer: str, why: str, data: Path, tmp_path: Path) -> None:
    ray_or_skip()
    for out in (f"{tmp_path}/scores.jsonl", f"{tmp_path}/parts/"):
        with pytest.raises(InputError, match=why):
            spread_score(ScorerOpening(scorer=scorer), str(data), out, crewing=Crewing(), config=ScoreConfig())
    assert list(tmp_path.iterdir()) == []


def test_one_process_writes_no_folder_of_parts(tmp_path: Path) -> None:
    for out in ("s3://bucket/scores", "scores/", str(tmp_path)):
        with pytest.raises(ConfigError, match="written by --engine ray"):
            refuse_parts(out)
    refuse_parts("scores.jsonl")


def test_pairs_make_no_parts_and_workers_choose_no_precision(tmp_path: Path) -> None:
    ray_or_skip()
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"prompt": "May I?", "chosen": "Yes.", "rejected": "No."}\n')
    opening = ScorerOpening(scorer="baseline:longest")
    with pytest.raises(InputError, match="neither candidates nor"):
        spread_score(opening, str(pairs), f"{tmp_path}/parts/", crewing=Crewing(), config=ScoreConfig())
    auto = PolicyOpening(policy="smollm2", sampling=Sampling(), writing=Writing(precision="auto"))
    with pytest.raises(ConfigError, match="Name one"):
        spread_generate(auto, str(pairs), f"{tmp_path}/answers.jsonl", n=1, crewing=Crewing())
    plain = PolicyOpening(policy="smollm2", sampling=Sampling())
    with pytest.raises(ConfigError, match="answers are JSON lines"):
        spread_generate(plain, str(pairs), f"{tmp_path}/answers.parquet/", n=1, crewing=Crewing())
    server = PolicyOpening(policy="endpoint:M@http://127.0.0.1:1/v1", sampling=Sampling())
    with pytest.raises(InputError, match="no model that is run here"):
        spread_generate(server, str(pairs), f"{tmp_path}/answers.jsonl", n=1, crewing=Crewing())
