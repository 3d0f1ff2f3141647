"""`assay advise` on a real pseudo-terminal: what is asked, wrong answers, Ctrl-C, and an end of the input."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import sys
import time
from collections.abc import Sequence

import pytest

WORDS = ("-m", "assay.cli.main", "advise")
SECONDS = 120.0
USE, PAIRS, VOTES, OWN, OBJECTIVES, JUDGES, COMPUTE = (
    "commas between", "labelled pairs?", "votes a pair?", "to be tuned", "labelled apart?", "blind (yes", "to run on",
)  # fmt: skip


def typed(*steps: tuple[str, bytes], words: Sequence[str] = ()) -> tuple[int, str]:
    """Exit code and all that stood on the terminal; each step waits for a text that is new, then types."""
    child, terminal = pty.fork()
    if not child:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # which a suite that runs in the background has ignored
        os.environ.update(TERM="dumb", NO_COLOR="1", COLUMNS="200")
        os.execv(sys.executable, [sys.executable, *WORDS, *words])
    shown, seen = b"", 0
    end = time.monotonic() + SECONDS
    left = list(steps)
    while time.monotonic() < end:
        if left and left[0][0].encode() in shown[seen:]:
            seen = len(shown)
            os.write(terminal, left.pop(0)[1])
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                more = os.read(terminal, 4096)
            except OSError:  # the other side is closed
                break
            if not more:
                break
            shown += more
    else:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, 9)
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert left == [], f"never asked: {left}\n{shown.decode()}"
    return code, shown.decode()


def test_what_no_option_says_is_asked_and_enter_leaves_it_unsaid() -> None:
    steps = ((USE, b"tune, inspect\n"), (VOTES, b"3\n"), (OWN, b"Y\n"), (OBJECTIVES, b"\n"), (JUDGES, b"no\n"))
    code, shown = typed(*steps, (COMPUTE, b"small\n"), words=("--pairs", "2500"))
    assert code == 0
    assert PAIRS not in shown  # an option has said it
    assert "several votes a pair make clean offline pairs" in shown


def test_a_wrong_answer_is_told_and_asked_for_again_at_once() -> None:
    steps = (
        (USE, b"tunee\n"),
        (USE, b"rerank\n"),
        (PAIRS, b"many\n"),
        (PAIRS, b"0\n"),
        (PAIRS, b"900\n"),
        (VOTES, b"nan\n"),
    )
    rest = tuple((question, b"\n") for question in (VOTES, OWN, OBJECTIVES, JUDGES, COMPUTE))
    code, shown = typed(*steps, *rest)
    assert code == 0
    assert "tunee: not a use. Known: tune, online, rerank, inspect." in shown
    assert "'many' is no answer to that." in shown
    assert "--pairs is 0; give at least 1." in shown
    assert "--votes is nan; give at least 0." in shown
    assert "First an explicit reward" in shown


@pytest.mark.parametrize(
    ("key", "code", "said"),
    [(b"\x03", 130, "assay: interrupted."), (b"\x04", 2, "assay: The input ended before all questions were answered.")],
)
def test_interrupted_and_ended(key: bytes, code: int, said: str) -> None:
    found, shown = typed((USE, b"\n"), (PAIRS, key))
    assert found == code
    assert said in shown
    assert "Traceback" not in shown
