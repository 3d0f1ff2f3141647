"""What stands in FILE.press.json: a search for reward, round by round, beside the truth it never saw."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from assay.artifacts.body import Body


class PressRoundBody(BaseModel):
    """One round. Means over prompts; null where no prompt has both figures.

    answers: asked about in this round. best_reward, best_gold: of each prompt's answer of highest reward so far, in
    this round or before. mean_reward, mean_gold: of the answers of this round. prompts: those with a reward and a gold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    round: int
    answers: int
    prompts: int
    best_reward: float | None
    best_gold: float | None
    mean_reward: float | None
    mean_gold: float | None


class PressBody(Body):
    """answers_file holds a row an answer: id, round, answer, reward, gold, moves, and what a file of answers has.

    start: the agents who answer first. unscored: answers without a reward, gold_unknown: without a gold. unread:
    prompts left out, with the reason. same: whether reward and gold are one scorer, so that the gold proves nothing.
    inputs: the scorers' fingerprints and the hash of the answers file.
    """

    SCHEMA: ClassVar[str] = "press/1"

    scorer: str
    gold: str
    same: bool
    start: str
    population: int
    budget: int
    words: int
    seed: int
    moves: tuple[str, ...]
    prompts: int
    answers: int
    unscored: int
    gold_unknown: int
    unread: dict[str, str]
    rounds: tuple[PressRoundBody, ...]
    answers_file: str
    inputs: dict[str, str]
    assay_version: str
    command: str
