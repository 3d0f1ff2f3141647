"""`assay generate`: a file that is the same however often it was begun, and that everything else here reads."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.endpoints.calls import CallLimits
from assay.errors import ArtifactError, ConfigError, EmptyBatchError, InputError
from assay.flows.generate import generate_file, prompts_in
from assay.flows.score import ScoreConfig, score_file
from assay.policies.answer_files import read_answers
from assay.policies.endpoint_policy import EndpointPolicy
from assay.policies.local_policy import LocalPolicy, Writing
from assay.policies.protocol import Prompt, Sampling, generate
from assay.policies.recorded_answers import RecordedPolicy
from assay.scorers.baseline import baseline
from assay.stats.unknown import Unknown
from assay.study.plan.generation_files import read_generations
from tests.scorers.judge.chat_server import CLOSE, Raw, serving
from tests.support import language_models

PROMPTS = [Prompt(id=f"q{n}", text=f"How do I get a refund for {n}?") for n in range(6)]
SAMPLING = Sampling(max_tokens=24, seed=7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return language_models.saved(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one undisturbed call writes."""
    out = tmp_path_factory.mktemp("whole") / "answers.jsonl"
    done = generate_file(LocalPolicy(folder), PROMPTS, out, n=4, sampling=SAMPLING)
    assert (done.prompts, done.answers, done.known, done.unanswered) == (6, 24, 0, 0)
    assert sorted(path.name for path in out.parent.iterdir() if "lock" not in path.name) == ["answers.jsonl"]
    return out


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_one_line_an_answer_in_the_order_of_the_prompts(whole: Path, folder: Path) -> None:
    found = rows(whole)
    assert [(row["id"], row["number"]) for row in found] == [(p.id, k) for p in PROMPTS for k in range(4)]
    answered = generate(LocalPolicy(folder), PROMPTS, 4, SAMPLING)
    assert [row["answer"] for row in found] == [answer.text for one in answered for answer in one.answers]
    assert all(row["made"]["sampling"]["seed"] == 7 and row["seed"] is not None and row["tokens"] for row in found)
    assert len({row["seed"] for row in found}) == 24


@pytest.mark.slow
@pytest.mark.parametrize("most", [1, 3])
def test_killed_anywhere_it_ends_with_the_same_file(whole: Path, folder: Path, tmp_path: Path, most: int) -> None:
    out, draw, kills = tmp_path / "answers.jsonl", random.Random(most), 0
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"id": p.id, "prompt": p.text}) + "\n" for p in PROMPTS))
    command = [sys.executable, "-m", "assay.cli.main", "generate", str(folder), str(prompts), "--n", "4", "--out"]
    command += [str(out), "--max-tokens", "24", "--seed", "7", "--at-once", "3"]
    part = out.with_name("answers.jsonl.part")
    while kills < most:
        had = part.stat().st_size if part.exists() else 0
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None and not (part.exists() and part.stat().st_size > had):
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.02))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        with part.open("ab") as stream:  # as a kill in the middle of a line leaves it
            stream.write(b'{"id": "q5", "prom')
    assert kills
    done = subprocess.run([*command, "--json"], check=True, capture_output=True)
    assert out.read_bytes() == whole.read_bytes()
    assert json.loads(done.stdout)["already_there"] > 0
    assert not part.exists()


def test_what_is_there_is_not_made_again_and_more_is_added(whole: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    policy = LocalPolicy(folder, writing=Writing(at_once=5))
    generate_file(policy, PROMPTS[3:], out, n=2, sampling=SAMPLING)
    more = generate_file(policy, PROMPTS, out, n=4, sampling=SAMPLING)
    assert (more.answers, more.known) == (24, 6)
    assert out.read_bytes() == whole.read_bytes()
    again = generate_file(policy, PROMPTS, out, n=4, sampling=SAMPLING)
    assert (again.known, again.tokens) == (24, 0)
    assert out.read_bytes() == whole.read_bytes()


def test_answers_made_otherwise_are_never_mixed(whole: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    out.write_bytes(whole.read_bytes())
    with pytest.raises(ArtifactError, match="made otherwise"):
        generate_file(LocalPolicy(folder), PROMPTS, out, n=4, sampling=Sampling(max_tokens=24, seed=8))
    assert out.read_bytes() == whole.read_bytes()
    for fewer, n in ((PROMPTS, 3), (PROMPTS[1:], 4)):
        with pytest.raises(ArtifactError, match="not asked for now"):
            generate_file(LocalPolicy(folder), fewer, out, n=n, sampling=SAMPLING)
    assert out.read_bytes() == whole.read_bytes()
    out.write_text('{"prompt": "a", "answer": "b"}')  # somebody's, without a line break at its end
    with pytest.raises(ArtifactError, match="did not write"):
        generate_file(LocalPolicy(folder), PROMPTS, out, n=4, sampling=SAMPLING)
    assert out.read_text() == '{"prompt": "a", "answer": "b"}'


def test_everything_here_reads_it(whole: Path, tmp_path: Path) -> None:
    again = generate(RecordedPolicy(whole), PROMPTS, 4, SAMPLING)
    assert [answer.seed for one in again for answer in one.answers] == [row["seed"] for row in rows(whole)]
    done = score_file(baseline("longest"), str(whole), tmp_path / "scores.jsonl", config=ScoreConfig())
    assert (done.unit, done.rows) == ("prompts", 6)
    assert [len(row["scores"]) for row in rows(tmp_path / "scores.jsonl")] == [4] * 6
    assert len(read_answers(whole).answers) == 24
    study = tmp_path / "study.jsonl"  # a blind study shows one answer a prompt
    study.write_text("".join(line + "\n" for line in whole.read_text().splitlines() if '"number":0,' in line))
    assert [answer.prompt_id for answer in read_generations(study).answers] == [prompt.id for prompt in PROMPTS]


class Flaky:
    """A server's model that answers `good` requests and then fails, until it is mended."""

    def __init__(self, good: int, fault: object) -> None:
        self.good, self.fault, self.lock = good, fault, threading.Lock()

    def __call__(self, body: dict[str, Any]) -> object:
        with self.lock:
            self.good -= 1
            return f"{body['seed']}" if self.good >= 0 else self.fault


@pytest.fixture
def limits() -> Iterator[CallLimits]:
    return CallLimits(concurrency=3, retries=0, seconds=5)


@pytest.mark.parametrize("fault", [Raw(500, b"out of memory"), CLOSE, Raw(content=b"no json"), Raw(content=b"{}")])
def test_an_endpoint_that_fails_half_way_loses_nothing(fault: object, tmp_path: Path, limits: CallLimits) -> None:
    out, replies = tmp_path / "answers.jsonl", Flaky(10, fault)
    with serving(replies) as server:
        policy = EndpointPolicy("m", server.address, limits=limits)
        done = generate_file(policy, PROMPTS, out, n=4, sampling=SAMPLING)
        assert (done.answers, done.unanswered) == (24, 14)
        failed = [row for row in rows(out) if row["answer"] is None]
        assert len(failed) == 14
        assert all(row["reason"] and row["finish"] == "error" for row in failed)
        replies.good = 1000
        asked = len(server.seen)
        mended = generate_file(policy, PROMPTS, out, n=4, sampling=SAMPLING)
        assert (mended.known, mended.unanswered, len(server.seen) - asked) == (10, 0, 14)
        assert [row["answer"] for row in rows(out)] == [str(row["seed"]) for row in rows(out)]


def test_a_server_that_refuses_everything_stops_the_run_and_keeps_what_came(tmp_path: Path, limits: CallLimits) -> None:
    out, replies = tmp_path / "answers.jsonl", Flaky(5, Raw(401, b'{"error": "bad key"}'))
    with serving(replies) as server:
        policy = EndpointPolicy("m", server.address, limits=limits)
        with pytest.raises(InputError, match="refuses: 401"):
            generate_file(policy, PROMPTS, out, n=4, sampling=SAMPLING)
        assert not out.exists()
        replies.good = 1000
        assert generate_file(policy, PROMPTS, out, n=4, sampling=SAMPLING).known == 5


def test_what_is_sent_is_what_was_asked(tmp_path: Path, limits: CallLimits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_ENDPOINT_TOKEN", "sesame")
    reply = {"choices": [{"message": {"content": "Yes"}, "finish_reason": "length"}], "usage": {"completion_tokens": 9}}
    sampling = Sampling(max_tokens=9, temperature=0.5, top_p=0.8, seed=1, stop=("\n",))
    with serving(lambda _: Raw(content=json.dumps(reply).encode())) as server:
        found = generate(EndpointPolicy("m", server.address, limits=limits), PROMPTS[:1], 2, sampling)[0]
    sent = {(body["max_tokens"], body["temperature"], body["top_p"], tuple(body["stop"])) for body in server.seen}
    assert sent == {(9, 0.5, 0.8, ("\n",))}
    assert set(server.keys) == {"Bearer sesame"}
    assert sorted(body["seed"] for body in server.seen) == sorted(answer.seed or 0 for answer in found.answers)
    assert {(answer.text, answer.finish, answer.tokens) for answer in found.answers} == {("Yes", "length", 9)}
    assert isinstance(found.made.template, Unknown)


def test_prompts_are_read_from_prompts_answers_and_pairs(tmp_path: Path, whole: Path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text('{"prompt": "A?"}\n{"id": "b", "question": "B?"}\n{"prompt": "A?"}\n')
    assert [(one.id[:2], one.text) for one in prompts_in(str(file))] == [("p-", "A?"), ("b", "B?")]
    assert prompts_in(str(whole)) == PROMPTS
    file.write_text(
        '{"chosen": "\\n\\nHuman: A?\\n\\nAssistant: Yes", "rejected": "\\n\\nHuman: A?\\n\\nAssistant: No"}\n'
    )
    assert len(prompts_in(str(file))) == 1
    file.write_text('{"id": 1, "prompt": "A?"}\n{"id": 1, "prompt": "B?"}\n')
    with pytest.raises(InputError, match=r"prompts.jsonl:2: the id '1'"):
        prompts_in(str(file))


def test_nothing_asked_is_an_error(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(EmptyBatchError):
        generate_file(LocalPolicy(folder), [], tmp_path / "a", n=1, sampling=SAMPLING)
    with pytest.raises(ConfigError, match="at least 1"):
        generate_file(LocalPolicy(folder), PROMPTS, tmp_path / "a", n=0, sampling=SAMPLING)


def test_a_category_goes_with_each_answer_and_makes_none(whole: Path, folder: Path, tmp_path: Path) -> None:
    """Named after the answers were made, it is written beside them; the study reads it from there."""
    asked = tmp_path / "prompts.jsonl"
    lines = [{"id": one.id, "prompt": one.text, "category": f"kind {n % 2}"} for n, one in enumerate(PROMPTS)]
    asked.write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "answers.jsonl"
    out.write_bytes(whole.read_bytes())
    done = generate_file(LocalPolicy(folder), prompts_in(str(asked)), out, n=4, sampling=SAMPLING)
    assert done.known == 24
    assert [{name: value for name, value in row.items() if name != "category"} for row in rows(out)] == rows(whole)
    assert [one.category for one in read_answers(out).answers] == [f"kind {n % 2}" for n in range(6) for _ in range(4)]
    asked.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {**lines[0], "category": "other"}]))
    with pytest.raises(
        InputError, match=r"jsonl:7: the prompt 'q0' is of category 'other' here, and above of 'kind 0'"
    ):
        prompts_in(str(asked))


def test_a_file_goes_on_in_the_precision_it_was_begun_in(folder: Path, tmp_path: Path) -> None:
    """Whatever this machine's clock would choose today; another one that was asked for is refused."""
    out = tmp_path / "answers.jsonl"
    generate_file(LocalPolicy(folder, writing=Writing(precision="bf16")), PROMPTS[:2], out, n=1, sampling=SAMPLING)
    before = rows(out)
    done = generate_file(LocalPolicy(folder, writing=Writing(precision="auto")), PROMPTS, out, n=1, sampling=SAMPLING)
    assert done.known == 2
    assert rows(out)[:2] == before
    assert {row["made"]["precision"] for row in rows(out)} == {"bf16"}
    with pytest.raises(ArtifactError, match="made otherwise"):
        generate_file(LocalPolicy(folder), PROMPTS, out, n=1, sampling=SAMPLING)


def test_files_of_before_the_precision_was_written_go_on(whole: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    old = [{**row, "made": {k: v for k, v in row["made"].items() if k != "precision"}} for row in rows(whole)]
    out.write_text("".join(json.dumps(row) + "\n" for row in old))
    assert generate_file(LocalPolicy(folder), PROMPTS, out, n=4, sampling=SAMPLING).known == 24
    assert out.read_bytes() == whole.read_bytes()
