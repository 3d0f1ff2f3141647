"""Simulated editors vote in a served study: links -> one after the other, item by item, over the study's own addresses.

Knows the order; the judgement is that of a world (the grant office, the support desk), the voting the study's client's.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assay.errors import StudyError
from assay.simulate.grants import EDITORS, Editor, judge
from assay.simulate.support.desk_editors import DESK_EDITORS, DeskEditor, judge_answers
from assay.study.program_client import ItemToJudge, JudgeClient
from assay.study.study_records import Choice, Rating

WorldName = Literal["grants", "support"]
AnyEditor = Editor | DeskEditor
WORLD_EDITORS: Mapping[WorldName, Sequence[AnyEditor]] = {"grants": EDITORS, "support": DESK_EDITORS}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedVotes:
    """How one editor voted in this call; votes of an earlier one are in the study already. ratings: by aspect."""

    editor: str
    choices: Mapping[str, int]
    ratings: Mapping[str, Mapping[str, int]]

    @property
    def votes(self) -> int:
        return sum(self.choices.values())


def editors_of(given: Sequence[str], *, world: WorldName = "grants") -> list[tuple[AnyEditor, str]]:
    """Which editor of a world takes which link. given: one STUDY.links.csv, or personal links. Raises StudyError."""
    editors = WORLD_EDITORS[world]
    if len(given) == 1 and "://" not in given[0]:
        return _from_file(Path(given[0]), world)
    if not given or len(given) > len(editors) or any("://" not in link for link in given):
        raise StudyError(
            f"{', '.join(given) or 'nothing'}: expected one STUDY.links.csv, or one to {len(editors)} personal links "
            "such as http://127.0.0.1:8321/s/TOKEN."
        )
    return list(zip(editors, given, strict=False))


def vote_in_study(editor: AnyEditor, link: str, *, seed: int = 0) -> SimulatedVotes:
    """Judge every item left on this link. The server keeps each vote as simulated, and refuses links of other judges.

    The same texts and seed give the same votes, in whatever order items come and however often it is interrupted.
    Raises StudyError where the server refuses or cannot be reached.
    """
    choices: Counter[str] = Counter()
    rated: dict[str, Counter[str]] = {}
    client = JudgeClient(link, announced="simulated")
    try:
        for item in client:
            choice, ratings = _judged(editor, item, seed=seed)
            client.vote(item, choice, ratings=ratings)
            choices[choice] += 1
            for aspect, said in ratings.items():
                rated.setdefault(aspect, Counter())[said] += 1
    finally:
        client.close()
    return SimulatedVotes(editor=editor.name, choices=choices, ratings=rated)


def _judged(editor: AnyEditor, item: ItemToJudge, *, seed: int) -> tuple[Choice, Mapping[str, Rating]]:
    """The judgement on the whole, and the ratings of aspects that the editor's world knows."""
    prompt = _plain(item.prompt)
    if isinstance(editor, Editor):
        return judge(editor, prompt=prompt, left=item.left, right=item.right, seed=seed), {}
    said = judge_answers(editor, prompt=prompt, left=item.left, right=item.right, aspects=item.aspects, seed=seed)
    return said.choice, said.ratings


def _from_file(path: Path, world: WorldName) -> list[tuple[AnyEditor, str]]:
    """The rows of a study's table of links that are the simulated editors'."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            links = {row.get("who"): row.get("link") for row in csv.DictReader(lines)}
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"{path}: no table of links ({error}). `assay study create` writes STUDY.links.csv.") from None
    editors = WORLD_EDITORS[world]
    found = [(editor, link) for editor in editors if (link := links.get(editor.name))]
    if not found:
        wanted = " ".join(f"--simulated {editor.name}" for editor in editors)
        other = next((name for name, some in WORLD_EDITORS.items() if any(one.name in links for one in some)), None)
        if other is not None:
            wanted = f"{wanted}, or let its own vote: --world {other}"
        office = {"grants": "the grant office", "support": "the support desk"}[world]
        raise StudyError(f"{path}: no simulated editor of {office}. Make the study with {wanted}.")
    return found


def _plain(prompt: str | list[dict[str, str]]) -> str:
    """A prompt as one text; of a conversation, its messages in order."""
    return prompt if isinstance(prompt, str) else "\n".join(turn.get("content", "") for turn in prompt)
