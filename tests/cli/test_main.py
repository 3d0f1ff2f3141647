"""What the installed command says and exits with when the system, the user or assay itself stops it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.cli import main as entry
from assay.version import __version__

ASSAY = str(Path(sys.executable).with_name("assay"))


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ASSAY, *map(str, words)], capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    rows = [{"prompt": f"question {n} of {n * 7}", "chosen": f"yes {n}", "rejected": "no"} for n in range(12)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_says_its_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"assay {__version__}\n")


@pytest.mark.parametrize("command", ["check", "split", "simulate"])
def test_a_place_that_cannot_be_written_is_bad_input_not_a_failed_gate(
    command: str, pairs: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    words = {
        "check": ("check", pairs, "--out", tmp_path / "file"),
        "split": ("split", pairs, "--holdout", 3, "--out", tmp_path / "file" / "below"),
        "simulate": ("simulate", "support", "--pairs", 5, "--out", tmp_path),
    }[command]
    done = run(*words)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert str(tmp_path) in done.stderr


def test_a_mistake_of_our_own_is_never_read_as_a_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(entry, "build", lambda: broken)
    with pytest.raises(SystemExit) as stopped:
        entry.main()
    assert stopped.value.code == 70
    assert "planted" in capsys.readouterr().err


def asks_python() -> None:
    bytearray(2**62)


def asks_torch() -> None:
    import torch

    torch.empty(2**58, dtype=torch.uint8)


def asks_a_gpu() -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 56.00 MiB.\nProcess 8 has 27 GiB in use.")


@pytest.mark.parametrize("asks", [asks_python, asks_torch, asks_a_gpu])
def test_too_little_memory_is_no_mistake_of_ours_and_names_the_way_out(
    asks: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(entry, "build", lambda: asks)
    with pytest.raises(SystemExit) as stopped:
        entry.main()
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert "out of memory" in said
    assert "train.micro_tokens" in said
    assert "Traceback" not in said
    assert said.count("\n") == 1


def test_control_c_in_a_command_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("assay.simulate.support.support", interrupted)
    monkeypatch.setattr(sys, "argv", ["assay", "simulate", "support", "--out", str(tmp_path / "pairs.jsonl")])
    with pytest.raises(SystemExit) as stopped:
        entry.main()
    assert stopped.value.code == 130
    assert "Traceback" not in capsys.readouterr().err


def test_names_from_data_give_a_terminal_no_orders(tmp_path: Path) -> None:
    names = ("\x1b[2Jcleared", "\u202eturned", "plain")
    rows = [{"prompt": f"q{n}", "chosen": "a", "rejected": "b", "category": name} for n, name in enumerate(names)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run("check", tmp_path / "pairs.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert not {"\x1b", "\u202e"} & set(done.stdout)
    assert "⟨U+202E⟩turned" in done.stdout
