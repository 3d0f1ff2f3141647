"""The installed commands against a real server: what they write and print, credentials, and being killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.ready_commands import ready_assay
from tests.support.reward_server import Answer, Server

TOKEN = "sesame-open-7391"
QUICK = ("--set", "remote.retries=1", "--set", "remote.backoff=0.01")


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rows = [
        {"id": str(n), "prompt": f"Question {n}?", "chosen": f"A good answer to {n}.", "rejected": f"No {n}."}
        for n in range(60)
    ]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "pairs.jsonl"


# Tests that are started in the background of a shell inherit that Ctrl-C is ignored; who types it has it heard.
MAIN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom assay.cli.main import main; main()"
)


def command(*arguments: object, cache: Path | str) -> list[str]:
    return [sys.executable, "-c", MAIN, *words(*arguments, cache=cache)]


def words(*arguments: object, cache: Path | str) -> list[str]:
    return [*map(str, arguments), "--set", f"remote.cache={cache}", *QUICK]


def run(*arguments: object, cache: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
    if not environment:
        return ready_assay(*words(*arguments, cache=cache))
    given = command(*arguments, cache=cache)
    return subprocess.run(given, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_score_and_audit(server: Server, pairs: Path, tmp_path: Path) -> None:
    done = run("score", f"vllm:{server.url}/tiny", pairs, "--out", tmp_path / "s.jsonl", cache=tmp_path / "c")
    assert done.returncode == 0, done.stderr
    assert len(rows_of(tmp_path / "s.jsonl")) == 60
    asked = len(server.asked)
    done = run("audit", f"vllm:{server.url}/tiny", pairs, "--out", tmp_path / "audit", cache=tmp_path / "c")
    assert done.returncode == 0, done.stderr
    assert len(server.asked) == asked  # of the cache
    audit = json.loads((tmp_path / "audit" / "audit.json").read_text())
    (found,) = [one for one in audit["findings"] if one["name"] == "rewards_within_0_1"]
    assert (found["verdict"], found["n"]) == ("ok", 120)
    assert audit["inputs"]["rendering 0"].startswith("messages, which the server renders")


def test_an_audit_names_a_sigmoid_and_the_way_out(server: Server, pairs: Path, tmp_path: Path) -> None:
    server.ignores_switch = True
    done = run("audit", f"vllm:{server.url}", pairs, "--out", tmp_path / "audit", cache=tmp_path / "c")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert re.search(r"warning +rewards within 0 1", said)
    assert "All 120 rewards are between 0 and 1: a sigmoid or softmax. For raw rewards save the model with" in said


def test_a_server_that_answers_html_gives_no_confident_number(server: Server, pairs: Path, tmp_path: Path) -> None:
    server.fault = lambda request, answer: Answer(b"<html>Welcome</html>")
    done = run("score", f"tei:{server.url}", pairs, "--out", tmp_path / "s.jsonl", cache=tmp_path / "c")
    assert done.returncode == 0
    assert all(row["chosen"] is None and "HTML" in row["reason"] for row in rows_of(tmp_path / "s.jsonl"))
    assert "60 of them without a reward" in done.stdout
    done = run("audit", f"tei:{server.url}", pairs, "--out", tmp_path / "audit", cache=tmp_path / "c")
    assert done.returncode == 2
    assert "can read none of the 60 pairs whole" in done.stderr
    assert "HTML" in done.stderr


@pytest.mark.parametrize("name", ["ASSAY_REMOTE_TOKEN", pytest.param("ASSAY_TEI_TOKEN", marks=pytest.mark.slow)])
def test_a_token_is_sent_and_stands_nowhere(server: Server, pairs: Path, tmp_path: Path, name: str) -> None:
    server.token = TOKEN
    given = {name: TOKEN}
    told = [run("score", f"tei:{server.url}", pairs, "--out", tmp_path / "s.jsonl", cache=tmp_path / "c", **given)]
    told.append(run("audit", f"tei:{server.url}", pairs, "--out", tmp_path / "a", cache=tmp_path / "c", **given))
    assert [one.returncode for one in told] == [0, 0], told[-1].stderr
    # A server that does not want it and says what it got; one that fails and says what it got.
    server.token = "another"
    told.append(run("score", f"tei:{server.url}", pairs, "--out", tmp_path / "n.jsonl", cache="off", **given))
    assert told[-1].returncode == 2
    assert "not welcome: Bearer [token]" in told[-1].stderr
    echo = Answer({"error": f"cannot read {TOKEN}"}, status=400)
    server.fault = lambda request, answer: echo if request.method == "POST" else Answer({"model_id": "m"})
    told.append(run("score", f"tei:{server.url}", pairs, "--out", tmp_path / "e.jsonl", cache="off", **given))
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 5
    assert not any(TOKEN.encode() in one for one in written)
    assert not any(TOKEN in one.stdout + one.stderr for one in told)
    assert "cannot read [token]" in (tmp_path / "e.jsonl").read_text()


def test_a_token_that_cannot_be_one_is_not_repeated(server: Server, pairs: Path, tmp_path: Path) -> None:
    given = {"ASSAY_TEI_TOKEN": "sesame open\tnow"}
    done = run("score", f"tei:{server.url}", pairs, "--out", tmp_path / "s.jsonl", cache="off", **given)
    assert done.returncode == 2
    assert "ASSAY_TEI_TOKEN: holds characters that no token has" in done.stderr
    assert "sesame" not in done.stderr
    assert server.requests == []


@pytest.mark.parametrize("blow", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_killed_and_run_again_it_goes_on(server: Server, pairs: Path, tmp_path: Path, blow: signal.Signals) -> None:
    whole = run("score", f"tei:{server.url}", pairs, "--out", tmp_path / "whole.jsonl", cache="off")
    assert whole.returncode == 0, whole.stderr
    server.requests.clear()
    server.delay = 0.1
    again = ("score", f"tei:{server.url}", pairs, "--out", tmp_path / "s.jsonl", "--set", "remote.concurrency=2")
    first = subprocess.Popen(command(*again, cache=tmp_path / "c"), stderr=subprocess.PIPE, text=True)
    while len(server.asked) < 30:
        assert first.poll() is None
        time.sleep(0.005)
    first.send_signal(blow)
    _, said = first.communicate(timeout=120)
    had = len(server.asked)
    assert first.returncode == (-signal.SIGKILL if blow == signal.SIGKILL else 130)
    assert blow == signal.SIGKILL or "Run the same command again" in said
    assert not (tmp_path / "s.jsonl").exists()
    server.delay = 0.0
    server.requests.clear()
    done = run(*again, cache=tmp_path / "c")
    assert done.returncode == 0, done.stderr
    # All but the two under way were kept; three are asked again, to see that the same weights are served.
    assert len(server.asked) <= 120 - (had - 2) + 3
    assert rows_of(tmp_path / "s.jsonl") == rows_of(tmp_path / "whole.jsonl")


def test_several_processes_share_a_cache(server: Server, pairs: Path, tmp_path: Path) -> None:
    server.delay = 0.02
    several = [
        subprocess.Popen(
            command("score", f"tei:{server.url}", pairs, "--out", tmp_path / f"{n}.jsonl", cache=tmp_path / "c"),
            stderr=subprocess.PIPE, text=True,
        )
        for n in range(2)
    ]  # fmt: skip
    for one in several:
        _, said = one.communicate(timeout=300)
        assert one.returncode == 0, said
    assert rows_of(tmp_path / "0.jsonl") == rows_of(tmp_path / "1.jsonl")


def test_options_in_the_file_of_all_commands(server: Server, pairs: Path, tmp_path: Path) -> None:
    file = tmp_path / "assay.yaml"
    file.write_text("train: {epochs: 1}\nremote: {max_requests: 10}\n")
    at = ("score", f"tei:{server.url}", pairs, "--out", tmp_path / "s.jsonl", "--config", file)
    done = run(*at, cache=tmp_path / "c")
    assert done.returncode == 0, done.stderr
    assert len(server.asked) == 10
    done = run("score", "baseline:longest", pairs, "--out", tmp_path / "b.jsonl", cache=tmp_path / "c")
    assert done.returncode == 2
    assert "asked over no network" in done.stderr
