"""The cache of answers under processes that are killed, that meet, and that are of yesterday."""

from __future__ import annotations

import hashlib
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from assay.endpoints.kept_answers import Keeping, content_key, opened_answers
from assay.errors import InputError
from assay.scorers.remote.remote_scorer import REWARDS

WORDS: Keeping[str] = Keeping(file="words.sqlite", table="words", column="word", kind=str, way_out="try another folder")
# Opens the cache as soon as `go` is there, keeps words of 10,000 characters, and says each number once it is kept.
WRITER = """
import sys, time
from pathlib import Path
from assay.endpoints.kept_answers import content_key, opened_answers
from tests.endpoints.test_kept_answers import WORDS
folder, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
while not (folder / "go").exists():
    time.sleep(0.0001)
with opened_answers(folder / "cache", WORDS) as cache:
    for n in range(first, last):
        cache.add(content_key("w", n), f"{n} " * 2500)
        print(n, flush=True)
"""


def writer(folder: Path, first: int, last: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def kept(folder: Path, numbers: range) -> set[int]:
    """The numbers whose words are there; each is whole."""
    with opened_answers(folder / "cache", WORDS) as cache:
        found = cache.known([content_key("w", n) for n in numbers])
    whole = {content_key("w", n): f"{n} " * 2500 for n in numbers}
    assert all(whole[key] == word for key, word in found.items())
    return {n for n in numbers if content_key("w", n) in found}


def killed(folder: Path) -> list[int]:
    """The numbers a process said it had kept before it was killed in the middle of keeping."""
    with writer(folder, 0, 100_000) as process:
        assert process.stdout is not None
        (folder / "go").touch()
        said = [process.stdout.readline() for _ in range(40)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    return [int(line) for line in said[1:] if line.endswith("\n")]


def test_what_was_said_to_be_kept_outlives_a_kill(tmp_path: Path) -> None:
    told = killed(tmp_path)
    assert kept(tmp_path, range(len(told) + 2)) >= set(told)


def test_a_half_written_entry_costs_itself_alone(tmp_path: Path) -> None:
    """As a power cut may leave it: the journal ends in the middle of an entry."""
    told = killed(tmp_path)
    journal = tmp_path / "cache" / "words.sqlite-wal"
    journal.write_bytes(journal.read_bytes()[:-5000])
    assert kept(tmp_path, range(len(told) + 2)) >= set(told[:-1])


def test_several_processes_make_one_cache_at_once(tmp_path: Path) -> None:
    with ExitStack() as stack:
        several = [stack.enter_context(writer(tmp_path, 40 * n, 40 * n + 40)) for n in range(4)]
        for one in several:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        (tmp_path / "go").touch()
        for one in several:
            one.communicate(timeout=120)
            assert one.returncode == 0
    assert kept(tmp_path, range(160)) == set(range(160))


def test_a_file_of_rewards_written_before_there_was_this_room_is_read(tmp_path: Path) -> None:
    """The statements as they stood, word for word."""
    connection = sqlite3.connect(tmp_path / "rewards-1.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS rewards (key BLOB PRIMARY KEY, reward REAL NOT NULL) WITHOUT ROWID")
    key = hashlib.sha256(b'["sha256:space",["text","a row"]]').digest()
    connection.execute("INSERT OR REPLACE INTO rewards VALUES (?, ?)", (key, 1.25))
    connection.close()
    with opened_answers(tmp_path, REWARDS) as cache:
        assert cache.known([content_key("sha256:space", ["text", "a row"])]) == {key: 1.25}


def test_a_cache_in_use_waits_and_one_of_another_form_is_refused(tmp_path: Path) -> None:
    with opened_answers(tmp_path, WORDS) as one, opened_answers(tmp_path, WORDS) as other:
        start = time.monotonic()
        one.add(b"k" * 32, "a")
        other.add(b"k" * 32, "b")
        assert one.known([b"k" * 32]) == {b"k" * 32: "b"}
        assert time.monotonic() - start < 20
        one.connection.execute("DROP TABLE words")
    with sqlite3.connect(tmp_path / "words.sqlite") as connection:
        connection.execute("CREATE TABLE words (other INTEGER)")
    connection.close()
    said = (
        r"words\.sqlite: the cache of words cannot be used \(no such column: key\)\. Remove it, or try another folder"
    )
    with opened_answers(tmp_path, WORDS) as cache, pytest.raises(InputError, match=said):
        cache.known([b"k" * 32])
