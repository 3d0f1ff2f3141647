"""Whole groups of candidates in a run's own audit: those held out, with the reward of each seed's saved model.

1) Groups whose prompt stands on the held-out side; a group of which no pair was derived stands on neither.
2) Rewards as they stand in the seeds' score files, so that an answer has one reward everywhere.
3) Answers that no held-out pair has (a tie with all others, or `best` against the rest) are scored by the saved model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.audits.scored_group import ScoredGroup
from assay.flows.audit_candidates import Results, scored_groups
from assay.records import Candidates, Message, Pair, Text, as_messages
from assay.scorers.local import LocalScorer, Passes
from assay.scorers.protocol import Scored, score_groups
from assay.scorers.recorded import read_scored_pairs

if TYPE_CHECKING:
    from assay.data.grouped_split import Split
    from assay.train import TrainResult

PAIR = 2
Turns = tuple[Message, ...]
Answer = tuple[Turns, Turns]  # a prompt and what was answered


def held_out_groups(
    candidates: Iterable[Candidates], parts: Split, results: Sequence[TrainResult], *, passes: Passes
) -> list[ScoredGroup]:
    """The groups held out, scored; none where no group of the data has more than two answers.

    Of two answers a group says nothing that its pair does not.
    """
    groups = list(candidates)
    if not any(len(group.answers) > PAIR for group in groups):
        return []
    of_prompt = {asked(pair.prompt): pair.prompt for pair in parts.held_out}
    held = [
        replace(group, prompt=of_prompt[asked(group.prompt)]) for group in groups if asked(group.prompt) in of_prompt
    ]
    by_seed: dict[int, Results | None] = {one.seed: _rewards(held, parts.held_out, one, passes) for one in results}
    return scored_groups(held, by_seed, parts.held_out, parts.held_out_groups)


def asked(prompt: Text) -> Turns:
    """A prompt as messages: pairs with turns in an answer had theirs made into such, and groups keep the text."""
    return as_messages(prompt, role="user")


def answered(prompt: Text, answer: Text) -> Answer:
    return asked(prompt), as_messages(answer, role="assistant")


def _rewards(held: Sequence[Candidates], pairs: Sequence[Pair], result: TrainResult, passes: Passes) -> Results:
    """What one seed gives every answer of every group: as recorded, and by its saved model where nothing is."""
    known: dict[Answer, Scored] = {}
    of_pair = {pair.id: pair for pair in pairs}
    for one in read_scored_pairs(result.scores_path):
        pair = of_pair.get(one.pair_id)
        if pair is not None:
            known[answered(pair.prompt, pair.chosen)] = one.chosen
            known[answered(pair.prompt, pair.rejected)] = one.rejected
    rest = list(_without(held, known))
    if rest:
        scorer = LocalScorer(result.model_folder, passes=passes)
        for group, scores in score_groups(scorer, rest):
            known.update(zip((answered(group.prompt, a) for a in group.answers), scores, strict=True))
        scorer.forget()  # the next seed's model takes its place
    return {group.id: tuple(known[answered(group.prompt, answer)] for answer in group.answers) for group in held}


def _without(held: Sequence[Candidates], known: Mapping[Answer, Scored]) -> Iterable[Candidates]:
    """The answers not known, each under its prompt."""
    for group in held:
        answers = tuple(one for one in group.answers if answered(group.prompt, one) not in known)
        if answers:
            yield Candidates(id=group.id, prompt=group.prompt, answers=answers)
