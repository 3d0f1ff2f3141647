"""Simulated judges behind a real server: how often each errs, and how alike they err, is set by hand.

A judge's error on a question is where a normal number falls below its error rate's quantile. That number is part the
question's own (shared by all judges), part the judge's, part the draw's (seed and order), so that judges err together
at a chosen correlation and one judge asked again mostly repeats itself. The right answer of a pair carries `(right)` in
its text, which only this server reads.

    python -m tests.support.simulated_judges CORRELATION

Models are called `judge-NAME-ERROR`, such as judge-a-25 (wrong on 25%). A debater's last part says how often its
speeches convince (FINDS): `debater-a-25-tells`.
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from statistics import NormalDist
from typing import Any

NORMAL = NormalDist()
AGAIN = 0.8  # correlation of one judge's draws with each other
PLACE = 0.06  # share of questions on which a judge names the first place, whatever stands there
CONVINCING = 0.9  # what a convincing speech moves the judge's number by, in standard deviations
# How often a speech is convincing, for the right answer and for the wrong one.
FINDS = {"none": (0.0, 0.0), "talks": (0.5, 0.5), "tells": (0.7, 0.35), "shows": (0.9, 0.05)}
ANSWER = re.compile(r"<answer ([AB])>\n(.*?)\n</answer \1>", re.DOTALL)
SPEECH = re.compile(r"for answer ([AB]), mark \w+\]\n\S+ (\S+)")


def drawn(*of: object) -> float:
    """A standard normal number that hangs on what it is drawn for and on nothing else."""
    digest = hashlib.sha256(repr(of).encode()).digest()
    return NORMAL.inv_cdf((int.from_bytes(digest[:6]) + 0.5) / 2**48)


def chance(*of: object) -> float:
    return NORMAL.cdf(drawn(*of))


def reply_of(body: dict[str, Any], correlation: float) -> str:
    """What the model that `body` asks for says."""
    text = body["messages"][-1]["content"]
    question = text.partition("<prompt>\n")[2].partition("\n</prompt>")[0]
    right = next(name for name, said in ANSWER.findall(text) if "(right)" in said)
    model, seed = body["model"], body["seed"]
    _, name, error, *speaks = model.split("-")
    if ": argue for answer " in text:
        side = text.partition(": argue for answer ")[2][0]
        return f"Argument {_speech(speaks[0] if speaks else 'none', side == right, question, name, seed)}"
    if chance("place", question, name, seed) < PLACE:
        return "[[A]]"
    number = (
        correlation**0.5 * drawn("question", question)
        + (AGAIN - correlation) ** 0.5 * drawn("judge", question, name)
        + (1 - AGAIN) ** 0.5 * drawn("draw", question, name, seed, right)
    )
    for side, strength in SPEECH.findall(text):
        number += CONVINCING * (strength == "strong") * (1 if side == right else -1)
    named = right if number >= NORMAL.inv_cdf(float(error) / 100) else "AB".replace(right, "")
    return f"I weighed both. [[{named}]]"


def _speech(kind: str, for_right: bool, question: str, name: str, seed: int) -> str:
    at = FINDS[kind][0 if for_right else 1]
    return "strong" if chance("speech", question, name, seed, for_right) < at else "weak"


def main() -> None:
    from tests.scorers.judge.chat_server import serving

    correlation = float(sys.argv[1])
    with serving(lambda body: reply_of(body, correlation)) as server:
        print(server.address, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
