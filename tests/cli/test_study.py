"""`assay study ...` as a command in a process of its own."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.study import read_votes
from tests.study.commands import RUN, assay
from tests.study.harness import Browser, free_port, write_generations


def test_create_serve_judge_close_by_command(tmp_path: Path) -> None:
    base, tuned = write_generations(tmp_path, 8)
    told = json.loads(
        assay("create", base.name, tuned.name, "--editors", "2", "--simulated", "rule", "--set", "repeats=2",
              "--set", "attention=1", "--url", "http://127.0.0.1:9999/", "--json", cwd=tmp_path)
    )  # fmt: skip
    assert (told["prompts"], told["showings"]) == (8, 33)
    assert set(told["links"]) == {"owner", "editor-1", "editor-2", "rule"}
    kept = tmp_path / "study.db.links.csv"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert {row["who"]: row["link"] for row in csv.DictReader(kept.read_text().splitlines())} == told["links"]
    assert (tmp_path / "study.db").stat().st_mode & 0o777 == 0o600
    assert "exists already" in assay("create", base.name, tuned.name, "--editors", "2", cwd=tmp_path, code=2)

    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-c", RUN, "study", "serve", "study.db", "--port", str(port)],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stderr is not None
        assert f"serving http://127.0.0.1:{port}" in server.stderr.readline()
        refused = assay("serve", "study.db", "--port", str(free_port()), cwd=tmp_path, code=2)
        assert "another server serves this study already" in refused
        anna = Browser(port)
        end = time.monotonic() + 20
        while True:
            try:
                anna.enter(told["links"]["editor-1"].rpartition("/")[2])
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)
        assert anna.vote(anna.get("/judge"), "left").status == 303
        # other commands work while it serves
        progress = json.loads(assay("status", "study.db", "--json", cwd=tmp_path))
        assert [entry["done"] for entry in progress["editors"]] == [1, 0, 0]
        assert progress["problems"] == []
        fresh = json.loads(assay("link", "study.db", "editor-1", "--json", cwd=tmp_path))["link"]
        assert anna.get("/judge").status == 401
        anna.enter(fresh.rpartition("/")[2])
        assert anna.vote(anna.get("/judge"), "right").status == 303
        assert "1 link(s) ended" in assay("link", "study.db", "editor-2", "--revoke", cwd=tmp_path)
        assert "Closed" in assay("close", "study.db", "--reason", "test", cwd=tmp_path)
        assert anna.get("/judge").status == 409
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=20)
    assert [vote.choice for vote in read_votes(tmp_path / "study.db")] == ["left", "right"]
    shown = assay("status", "study.db", cwd=tmp_path)
    for secret in ("left", "silent-fox", "loud-owl"):
        assert secret not in shown.replace("left as it is", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "at least two generation files"),
        (("silent-fox-7b.jsonl", "loud-owl-7b.jsonl"), "at least one editor"),
        (("silent-fox-7b.jsonl", "nowhere.jsonl", "--editors", "1"), "cannot be read"),
        (("silent-fox-7b.jsonl", "loud-owl-7b.jsonl", "--editors", "1", "--set", "sides=left"), "sides"),
        (("silent-fox-7b.jsonl", "loud-owl-7b.jsonl", "--editors", "1", "--name", "x"), "1 names for 2 files"),
        (("silent-fox-7b.jsonl", "--pairs", "loud-owl-7b.jsonl", "--editors", "1"), "not both"),
    ],
)
def test_bad_input_is_exit_code_two_and_makes_no_study(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    write_generations(tmp_path, 12)
    assert message in assay("create", *words, cwd=tmp_path, code=2)
    assert not list(tmp_path.glob("*study.db*"))


def test_giveaways_stop_a_study_before_it_starts(tmp_path: Path) -> None:
    base, tuned = write_generations(tmp_path, 12)
    rows = [json.loads(line) for line in tuned.read_text().splitlines()]
    rows[3]["answer"] = "As the tuned model I say: " + rows[3]["answer"]
    tuned.write_text("\n".join(map(json.dumps, rows)))
    words = ("create", base.name, tuned.name, "--editors", "1")
    told = assay(*words, cwd=tmp_path, code=2)
    assert 'answers of loud-owl-7b say "as the tuned model" (prompts p3)' in told
    aside = json.loads(assay(*words, "--set", "giveaways=set_aside", "--json", cwd=tmp_path))
    assert aside["prompts"] == 11
    assert aside["set_aside"][0]["reason"] == "giveaway"
    kept = json.loads(assay(*words, "--out", "b.db", "--set", "giveaways=accept", "--json", cwd=tmp_path))
    assert kept["prompts"] == 12
    assert any("giveaway words found" in note for note in kept["notes"])


@pytest.mark.parametrize("command", ["create", "serve", "status", "close", "link"])
def test_every_command_has_help_with_an_example(tmp_path: Path, command: str) -> None:
    assert f"assay study {command}" in assay(command, "--help", cwd=tmp_path)


def test_what_is_served_beyond_loopback_without_tls_is_warned_about(tmp_path: Path) -> None:
    base, tuned = write_generations(tmp_path, 12)
    assay("create", base.name, tuned.name, "--editors", "1", cwd=tmp_path)
    server = subprocess.Popen(
        [sys.executable, "-c", RUN, "study", "serve", "study.db", "--host", "0.0.0.0", "--port", str(free_port())],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    assert server.stderr is not None
    lines = server.stderr.readline() + server.stderr.readline()
    server.kill()
    server.communicate()
    assert "unencrypted" in lines
