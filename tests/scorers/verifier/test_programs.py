"""Functions and commands that answer, hang, die, talk too much and print garbage: real processes, all of them."""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path

import pytest
import yaml

from assay.errors import ConfigError, InputError
from assay.records import Candidates, Message, Pair
from assay.scorers.open import open_scorer
from assay.scorers.protocol import Reward, Scored, Unscored
from assay.scorers.scored_pairs import score_pairs
from assay.scorers.verifier.verifier_scorer import VerifierScorer

ODD = """
import os, sys, time

def check(prompt, answer, reference=None, source=None):
    print("a word that is no verdict")
    if answer == "hang":
        while True:
            time.sleep(0.01)
    if answer == "die":
        print("that was too much", file=sys.stderr, flush=True)
        os._exit(3)
    if answer == "leave":
        sys.exit("gone")
    if answer == "raise":
        raise ValueError("no such thing")
    if answer == "memory":
        return len(bytearray(8 * 2**30))
    if answer == "number":
        return 2.5
    if answer == "nothing":
        return None
    if answer == "nan":
        return float("nan")
    if answer == "words":
        return "very good"
    if answer == "why":
        return 0.25, "half of a half"
    if answer == "detail":
        return {"reward": True, "detail": {"steps": 3}}
    if answer == "reference":
        return (reference, source) == ("r", {"reference": "r", "n": [1]}) and prompt == "p"
    return answer.startswith("yes")
"""
EXPECTED: dict[str, float | str] = {
    "number": 2.5,
    "yes": 1.0,
    "no": 0.0,
    "why": 0.25,
    "detail": 1.0,
    "reference": 1.0,
    "nothing": "it gave no reward and no reason",
    "nan": "the reward is not finite: nan",
    "raise": "it raised ValueError: no such thing",
    "leave": "it raised SystemExit: gone",
    "words": "gave the reward 'very good', which is no number",
    "die": "ended with exit status 3 (that was too much)",
    "hang": "gave no verdict within 5 s",
    "memory": "MemoryError",
}


def verifying(folder: Path, check: str, **options: object) -> VerifierScorer:
    path = folder / "verifier.yaml"
    path.write_text(yaml.safe_dump({"check": check, **options}))
    found = open_scorer(f"verifier:{path}")
    assert isinstance(found, VerifierScorer)
    return found


def told(result: Scored) -> float | str:
    return result.value if isinstance(result, Reward) else result.reason


def test_a_function_that_does_everything_wrong_costs_the_answers_it_did_it_to(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(ODD)
    group = Candidates(id="g", prompt="p", answers=tuple(EXPECTED), source={"reference": "r", "n": [1]})
    scorer = verifying(tmp_path, f"python:{tmp_path / 'odd.py'}:check", seconds=5, memory_mb=2048)
    (found,) = scorer.score([group])
    scorer.close()
    for (answer, expected), result in zip(EXPECTED.items(), found, strict=True):
        if isinstance(expected, float):
            assert told(result) == expected, answer
        else:
            assert isinstance(result, Unscored), answer
            assert expected in result.reason, answer
    why, detail = found[list(EXPECTED).index("why")], found[list(EXPECTED).index("detail")]
    assert isinstance(why, Reward)
    assert isinstance(detail, Reward)
    assert (why.detail, detail.detail) == ({"why": "half of a half"}, {"steps": 3})


COMMAND = """
import json, os, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    answer = asked["answer"]
    if answer == "garbage":
        print("Loading checker...", flush=True)
    elif answer == "silent":
        time.sleep(60)
    elif answer == "long":
        while True:
            sys.stdout.write("x" * 100000)
    elif answer == "other":
        print(json.dumps({"id": -5, "reward": 1}), flush=True)
    elif answer == "twice":
        print(json.dumps({"id": asked["id"], "reward": 1}), flush=True)
        print(json.dumps({"id": asked["id"], "reward": 77}), flush=True)
        time.sleep(0.2)
    elif answer == "crash":
        raise RuntimeError("checker broke")
    elif answer == "killed":
        os.kill(os.getpid(), 9)
    elif answer == "bare":
        print(0.5, flush=True)
    elif answer == "NaN":
        print(float("nan"), flush=True)
    else:
        print(json.dumps({"id": asked["id"], "reward": len(answer)}), flush=True)
"""
SAID: dict[str, float | str] = {
    "fine": 4.0,
    "garbage": "the verifier wrote what is no JSON: 'Loading checker...'",
    "after": 5.0,
    "silent": "the verifier gave no verdict within 5 s",
    "other": "the verifier answered id -5 when asked about",
    "twice": 1.0,
    "next": 4.0,
    "crash": "the verifier ended with exit status 1 (RuntimeError: checker broke)",
    "killed": "the verifier was ended by SIGKILL",
    "long": "the verifier wrote a line of over 1 MiB",
    "bare": 0.5,
    "NaN": "no JSON: 'nan'",
    "x" * 300_000: 300_000.0,  # more than a pipe holds
}


@pytest.fixture
def command(tmp_path: Path) -> str:
    (tmp_path / "check.py").write_text(COMMAND)
    return f"command:{sys.executable} {tmp_path / 'check.py'}"


def test_a_command_that_does_everything_wrong(command: str, tmp_path: Path) -> None:
    scorer = verifying(tmp_path, command, seconds=5, workers=1)
    (found,) = scorer.score([Candidates(id="g", prompt="p", answers=tuple(SAID))])
    scorer.close()
    for (answer, expected), result in zip(SAID.items(), found, strict=True):
        if isinstance(expected, float):
            assert told(result) == expected, answer[:20]
        else:
            assert expected in str(told(result)), answer[:20]


def test_a_process_is_kept_and_its_children_do_not_outlive_it(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(
        "import subprocess, sys, json\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "for line in sys.stdin: print(child.pid, flush=True)\n"
    )
    scorer = verifying(tmp_path, f"command:{sys.executable} {tmp_path / 'parent.py'}", workers=1)
    group = Candidates(id="g", prompt="p", answers=("a", "b"))
    (first,), (again,) = scorer.score([group]), scorer.score([group])
    pids = {told(result) for result in (*first, *again)}
    assert len(pids) == 1  # one process answered everything
    (child,) = (int(float(pid)) for pid in pids)
    assert Path(f"/proc/{child}").exists() or not Path("/proc").exists()
    del scorer
    gc.collect()
    deadline = time.monotonic() + 20
    while running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(child)


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


UNUSABLE = {
    "no module": ("import no_such_module", "check", ConfigError, "ModuleNotFoundError: No module named"),
    "no function": ("x = 1", "check", ConfigError, "has no function 'check'"),
    "no answer": ("def check(prompt): return 1", "check", ConfigError, r"takes \(prompt\)"),
    "needs more": ("def check(answer, model): return 1", "check", ConfigError, r"takes \(answer, model\)"),
}


@pytest.mark.parametrize("fault", UNUSABLE)
def test_a_function_that_cannot_be_used_is_one_error(fault: str, tmp_path: Path) -> None:
    text, name, error, said = UNUSABLE[fault]
    (tmp_path / "odd.py").write_text(text)
    scorer = open_scorer(f"verifier:python:{tmp_path / 'odd.py'}:{name}")
    with pytest.raises(error, match=said):
        scorer.score([Candidates(id="g", prompt="p", answers=("a", "b", "c"))])


@pytest.mark.parametrize(
    "text", ["nothing", "", "python:none.py:check", "python:none", "command:", "command:no-such-program-here x"]
)
def test_there_is_no_such_verifier(text: str) -> None:
    with pytest.raises(InputError, match="verifier:"):
        open_scorer(f"verifier:{text}")


def test_each_pair_is_held_against_the_reference_of_its_own_row() -> None:
    chat = (Message(role="user", content="2+2?"),)
    pairs = [
        Pair(id="one", prompt=chat, chosen="4", rejected="5", source={"reference": "4"}),
        Pair(id="two", prompt=chat, chosen="4", rejected="5", source={"reference": 5}),
        Pair(id="none", prompt=chat, chosen="4", rejected="5", source={"name": "web"}),
        Pair(id="three", prompt=chat, chosen="5", rejected="4", source={"reference": "4"}),
    ]
    found = score_pairs(open_scorer("verifier:exact"), pairs)
    assert [pair.pair_id for pair in found] == ["one", "two", "none", "three"]
    assert [pair.margin for pair in found] == [1.0, -1.0, None, -1.0]
    assert "states no reference answer" in str(found[2].unread)


def test_the_fingerprint_is_of_the_program_s_bytes(command: str, tmp_path: Path) -> None:
    before = open_scorer(f"verifier:{command}").fingerprint
    (tmp_path / "check.py").write_text(COMMAND + "\n# another\n")
    assert open_scorer(f"verifier:{command}").fingerprint != before
