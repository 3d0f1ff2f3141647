"""What lies in folders, here and on a store: half-written files, full disks, two commands at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import orjson
import pytest

from assay.bulk import one_writer as leases
from assay.bulk.folders import ArrowFolder, Folder, LocalFolder, fetched, listed, open_folder
from assay.bulk.hashed_files import HashedFiles
from assay.bulk.one_writer import one_writer
from assay.bulk.parts_folder import JOB, PartsFolder, PartsJob, PartSuffix
from assay.bulk.score_parts import ScoreParts
from assay.errors import ArtifactError, ConfigError, InputError
from assay.records import Candidates
from assay.scorers.protocol import Reward, Unscored

GROUPS = [Candidates(id="a", prompt="Q", answers=("x", "y")), Candidates(id="b", prompt="R", answers=("z",))]
RESULTS = {0: (Reward(0.1 + 0.2), Reward(-1.0, {"helpful": 0.5})), 1: (Unscored("too long"),)}
JOB_A = PartsJob(holds="scores", by="m", fingerprint="f", source="rows.jsonl", block=2, threads=1)


@pytest.fixture(params=["a path", "file://", "memory://"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    if request.param == "memory://":
        yield open_folder(f"memory://bulk-{tmp_path.name}/out")
        fsspec.filesystem("memory").store.clear()
    else:
        yield open_folder(tmp_path / "out" if request.param == "a path" else f"file://{tmp_path}/out")


def test_a_folder_gives_back_what_was_written(folder: Folder) -> None:
    assert folder.names() == []
    folder.write("b", b"2")
    folder.write("a", b"1")
    folder.write("a", b"3")
    assert (folder.names(), folder.read("a"), folder.read("b")) == (["a", "b"], b"3", b"2")
    folder.delete("a")
    assert folder.names() == ["b"]


def test_what_was_half_written_or_damaged_is_not_taken_for_done(folder: Folder) -> None:
    said: list[str] = []
    files = HashedFiles(folder, "part", ".jsonl", said=said.append)
    whole = files.write("1-aa", b"one\ntwo\n")
    files.write("2-bb", b"three\n")
    folder.write(whole, b"one\ntw")  # the name of a whole file, and half of its bytes
    files = HashedFiles(folder, "part", ".jsonl", said=said.append)
    assert files.keys == ["1-aa", "2-bb"]
    assert files.read("1-aa") is None
    assert files.read("2-bb") == b"three\n"
    assert whole in said[0]
    assert whole not in folder.names()


def test_a_block_that_is_there_twice_is_one(folder: Folder) -> None:
    """Two commands on a GPU may come to other last digits; only one of them stays."""
    files = HashedFiles(folder, "part", ".jsonl", said=lambda _line: None)
    first = files.write("1-aa", b"0.1\n")
    folder.write(first.replace(first[-22:-6], "0" * 16), b"0.1000001\n")
    other = HashedFiles(folder, "part", ".jsonl", said=lambda _line: None)
    assert other.read("1-aa") == b"0.1\n"
    assert folder.names() == [first]
    assert other.write("1-aa", b"0.2\n") != first  # what is written anew takes the place of what was there
    assert len(folder.names()) == 1


def test_what_a_kill_left_under_a_name_of_its_own_goes(tmp_path: Path) -> None:
    (tmp_path / ".part-1-aa-00.jsonl.0123.tmp").write_bytes(b"ha")
    (tmp_path / ".somebody.tmp").write_bytes(b"not ours")
    HashedFiles(LocalFolder(tmp_path), "part", ".jsonl", said=lambda _line: None)
    assert [one.name for one in tmp_path.iterdir()] == [".somebody.tmp"]


def parts_in(folder: Folder, suffix: PartSuffix = ".jsonl", job: PartsJob = JOB_A) -> PartsFolder:
    return PartsFolder(folder, suffix, job, lambda _line: None)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_parts_hold_rewards_to_the_bit(folder: Folder, suffix: PartSuffix) -> None:
    parts = ScoreParts(parts_in(folder, suffix))
    assert parts.read(0, "k" * 32, GROUPS) is None
    parts.write(0, "k" * 32, GROUPS, RESULTS)
    there = parts_in(folder, suffix)
    again = ScoreParts(there)
    assert again.read(0, "k" * 32, GROUPS) == RESULTS
    assert again.read(1, "k" * 32, GROUPS) is None
    with pytest.raises(ArtifactError, match="part 0 is of other rows"):
        again.read(0, "other" + "k" * 27, GROUPS)
    with pytest.raises(ArtifactError, match="parts from 0 to 0"):
        there.finish(blocks=0, prompts=0, missing=0, set_aside=[])
    there.finish(blocks=1, prompts=2, missing=1, set_aside=[])
    assert orjson.loads(folder.read(JOB))["state"] == "done"


def test_parts_of_another_job_are_not_mixed_in(folder: Folder) -> None:
    ScoreParts(parts_in(folder)).write(0, "k" * 32, GROUPS, RESULTS)
    for change in ({"fingerprint": "g"}, {"block": 3}, {"threads": 2}, {"holds": "answers"}):
        with pytest.raises(ArtifactError, match=next(iter(change))):
            parts_in(folder, job=JOB_A.model_copy(update=change))
    with pytest.raises(ArtifactError, match="another format"):
        parts_in(folder, ".parquet")
    folder.delete(JOB)
    with pytest.raises(ArtifactError, match="no command for parts wrote"):
        parts_in(folder)


def test_one_command_at_a_time_writes_a_folder(folder: Folder) -> None:
    with one_writer(folder), pytest.raises(ArtifactError, match="writes it"), one_writer(folder):
        pytest.fail("two had it")
    with one_writer(folder):
        pass
    assert folder.names() == []


def test_the_lease_of_a_killed_command_ends(tmp_path: Path) -> None:
    store = open_folder(f"memory://leases-{tmp_path.name}")
    store.write("_lease-0.json", orjson.dumps({"host": "gone", "time": 1000.0}))
    now = [1000.0 + leases.STALE - 1]
    held = pytest.raises(ArtifactError, match="gone writes it, and said so 299 seconds ago")
    with held, leases._leased(store, lambda: now[0]):
        pytest.fail("it holds")
    now[0] += 1
    with leases._leased(store, lambda: now[0]):
        (mine,) = store.names()
        assert mine != "_lease-0.json"
    assert store.names() == []


def test_a_lease_is_renewed_while_its_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_folder(f"memory://renewed-{tmp_path.name}")
    renewed = threading.Event()
    times = iter(range(10**6))

    def clock() -> float:
        time = next(times)
        if time > 3:
            renewed.set()
        return time

    monkeypatch.setattr(leases, "RENEWED", 0.001)
    with leases._leased(store, clock):
        assert renewed.wait(60)
        (mine,) = store.names()
        assert orjson.loads(store.read(mine))["time"] >= 1


def test_an_address_holds_no_credentials_and_a_scheme_that_nobody_knows_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        open_folder("s3://key:secret@bucket/scores")
    assert "secret" not in str(told.value)
    with pytest.raises(ConfigError, match="neither pyarrow nor fsspec"):
        open_folder("nosuchstore://bucket/scores")


def test_files_of_a_store_are_listed_and_fetched(tmp_path: Path) -> None:
    root = f"memory://listed-{tmp_path.name}"
    store = open_folder(root)
    assert isinstance(store, ArrowFolder)
    store.write("b.jsonl", b"2")
    store.write("a.jsonl", b"1")
    assert listed(root) == [f"{root}/a.jsonl", f"{root}/b.jsonl"]
    assert listed(f"{root}/a.jsonl") == [f"{root}/a.jsonl"]
    with fetched(f"{root}/b.jsonl") as stream:
        assert stream.read() == b"2"
    with pytest.raises(InputError, match="no such file"), fetched(f"{root}/c.jsonl"):
        pass


FULL = """
import resource, sys
from pathlib import Path
from assay.bulk.folders import LocalFolder
from assay.bulk.hashed_files import HashedFiles
from assay.errors import ArtifactError
folder = LocalFolder(Path(sys.argv[1]))
files = HashedFiles(folder, "part", ".jsonl", said=print)
files.write("1-aa", b"fits")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # the system takes no more of a file than a disk that is full
try:
    files.write("2-bb", b"x" * 2000)
except ArtifactError as error:
    print(error)
print(sorted(one.name for one in folder.path.iterdir()))
print(files.read("1-aa"), files.read("2-bb"))
"""


def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=True)
    said, names, read = done.stdout.splitlines()
    assert "no room to write" in said
    assert "the same command goes on" in said
    assert names.count("part-") == 1
    assert ".tmp" not in names
    assert read == "b'fits' None"


class Unsteady:
    """A store in memory that cannot be read for a while."""

    def __init__(self, place: str) -> None:
        self.inner, self.address = open_folder(place), place
        self.unreadable = False

    def names(self) -> list[str]:
        return self.inner.names()

    def read(self, name: str) -> bytes:
        if self.unreadable:
            raise ArtifactError("the store says 'slow down'")
        return self.inner.read(name)

    def write(self, name: str, body: bytes) -> None:
        self.inner.write(name, body)

    def delete(self, name: str) -> None:
        self.inner.delete(name)


def test_a_lease_that_cannot_be_read_is_not_taken_for_given_up(tmp_path: Path) -> None:
    store = Unsteady(f"memory://unread-{tmp_path.name}")
    with leases._leased(store):
        store.unreadable = True
        with pytest.raises(ArtifactError, match="slow down"), leases._leased(store):
            pytest.fail("two had it")
        assert len(store.names()) == 1


def test_a_lease_without_a_time_is_no_lease_that_ends_by_itself(tmp_path: Path) -> None:
    store = open_folder(f"memory://torn-{tmp_path.name}")
    store.write("_lease-0.json", b"")
    with pytest.raises(ArtifactError, match=r"_lease-0.json .*holds no time.*delete it"), leases._leased(store):
        pytest.fail("it may be another's that is being renewed")


def test_a_command_that_lost_its_lease_writes_nothing_any_more(tmp_path: Path) -> None:
    """Its machine slept, or its store was away, for so long that another command may have begun."""
    store, now = open_folder(f"memory://lost-{tmp_path.name}"), [1000.0]
    with leases._leased(store, lambda: now[0]) as held:
        held.write("part-0", b"1")
        now[0] += leases.STALE
        with leases._leased(store, lambda: now[0]) as other:
            other.write("part-0", b"2")
            for write in (lambda: held.write("part-0", b"3"), lambda: held.delete("part-0")):
                with pytest.raises(ArtifactError, match="another command may write"):
                    write()
            assert not held.renew()
            assert [name for name in store.names() if name != "part-0"] == [other.lease]
    assert store.read("part-0") == b"2"
