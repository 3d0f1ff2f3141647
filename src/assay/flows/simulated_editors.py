"""Simulated editors vote in a served study: links -> one after the other, item by item, over the study's own addresses.

Knows the order; the judgement is the grant office's, the voting the study's client's.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.errors import StudyError
from assay.simulate.grants import EDITORS, Editor, judge
from assay.study.program_client import JudgeClient


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedVotes:
    """How one editor voted in this call; votes of an earlier one are in the study already."""

    editor: str
    choices: Mapping[str, int]

    @property
    def votes(self) -> int:
        return sum(self.choices.values())


def editors_of(given: Sequence[str]) -> list[tuple[Editor, str]]:
    """Which editor takes which link. given: one STUDY.links.csv, or personal links. Raises StudyError."""
    if len(given) == 1 and "://" not in given[0]:
        return _from_file(Path(given[0]))
    if not given or len(given) > len(EDITORS) or any("://" not in link for link in given):
        raise StudyError(
            f"{', '.join(given) or 'nothing'}: expected one STUDY.links.csv, or one to {len(EDITORS)} personal links "
            "such as http://127.0.0.1:8321/s/TOKEN."
        )
    return list(zip(EDITORS, given, strict=False))


def vote_in_study(editor: Editor, link: str, *, seed: int = 0) -> SimulatedVotes:
    """Judge every item left on this link. The server keeps each vote as simulated, and refuses links of other judges.

    The same texts and seed give the same votes, in whatever order items come and however often it is interrupted.
    Raises StudyError where the server refuses or cannot be reached.
    """
    choices: Counter[str] = Counter()
    client = JudgeClient(link, announced="simulated")
    try:
        for item in client:
            choice = judge(editor, prompt=_plain(item.prompt), left=item.left, right=item.right, seed=seed)
            client.vote(item, choice)
            choices[choice] += 1
    finally:
        client.close()
    return SimulatedVotes(editor=editor.name, choices=choices)


def _from_file(path: Path) -> list[tuple[Editor, str]]:
    """The rows of a study's table of links that are the simulated editors'."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            links = {row.get("who"): row.get("link") for row in csv.DictReader(lines)}
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: no table of links ({error}). `assay study create` writes STUDY.links.csv.") from None
    found = [(editor, link) for editor in EDITORS if (link := links.get(editor.name))]
    if not found:
        wanted = " ".join(f"--simulated {editor.name}" for editor in EDITORS)
        raise StudyError(f"{path}: no simulated editor of the grant office. Make the study with {wanted}.")
    return found


def _plain(prompt: str | list[dict[str, str]]) -> str:
    """A prompt as one text; of a conversation, its messages in order."""
    return prompt if isinstance(prompt, str) else "\n".join(turn.get("content", "") for turn in prompt)
