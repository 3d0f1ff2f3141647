"""From a closed study's votes to training rows: one row an item, or one an item and aspect; every vote listed.

The majority is chosen, what is left out is counted. Knows votes and items; knows no file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NotRequired, TypedDict

from assay.errors import StudyError
from assay.records import to_json
from assay.study.study_records import ClosedStudy, EditorKind, Item, Side, StudyVote

HUMANS: frozenset[EditorKind] = frozenset({"human"})


class VoteRow(TypedDict, total=False):
    """A vote in the contract's words. said: which kind of tie it was, where the contract has one word for both."""

    annotator: str
    choice: str
    shown_left: str
    said: str


class SourceRow(TypedDict):
    """Where a training row comes from: which study, what was judged, and how many judges of which kind.

    part, axis: why the comparison was asked for, where the file of `assay study next` is at hand.
    """

    study: str
    seal: str
    item: str
    prompt_id: str
    systems: dict[str, str]
    judges: dict[str, int]
    part: NotRequired[str]
    axis: NotRequired[str]


class TrainingRow(TypedDict, total=False):
    """A row in the native layout of `assay check`; what is not known is not in it, but for the agreement."""

    id: str
    prompt: object
    chosen: str
    rejected: str
    label: str
    votes: list[VoteRow]
    agreement: float | None
    margin: float
    category: str
    objective: str
    group: str
    source: SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRows:
    """Rows in the native layout of `assay check`, and what was left out: votes by kind or judge, items without a vote.

    votes = in the rows + left_out.
    """

    rows: tuple[TrainingRow, ...]
    votes: int
    left_out: Mapping[str, int]
    items_without_votes: int


def training_rows(
    closed: ClosedStudy, *, judges: Collection[EditorKind] = HUMANS, aspect: str | None = None
) -> TrainingRows:
    """One row an item that has a real vote by such judges: the answer with more votes is chosen, all votes listed.

    aspect: the ratings of this aspect count in place of the vote on the whole, and the row's objective is the aspect; a
    vote that left it out is counted as "not rated". Repeats and attention items never count. No majority is no
    preference: such rows are labelled tie, or abstain where nobody said anything, and keep their votes, so that the
    contract counts them and sends them to review. Raises StudyError for a vote on a comparison the study does not hold.
    """
    _insist_known(closed)
    votes: dict[str, list[StudyVote]] = defaultdict(list)
    left_out: Counter[str] = Counter()
    for vote in closed.votes:
        if vote.kind != "real":
            left_out[vote.kind] += 1
        elif vote.judge not in judges:
            left_out[vote.judge] += 1
        elif aspect is None:
            votes[vote.item].append(vote)
        elif aspect in vote.ratings:
            # A rating is a choice by one aspect: from here on it is told and counted as any vote.
            votes[vote.item].append(replace(vote, choice=vote.ratings[aspect]))
        else:
            left_out["not rated"] += 1
    rows = tuple(_row(closed, item, votes[item.id], aspect) for item in closed.items.values() if votes.get(item.id))
    real = sum(item.kind == "real" for item in closed.items.values())
    return TrainingRows(
        rows=rows,
        votes=len(closed.votes),
        left_out=dict(sorted(left_out.items())),
        items_without_votes=real - len(rows),
    )


def aspect_rows(closed: ClosedStudy, *, judges: Collection[EditorKind] = HUMANS) -> dict[str, TrainingRows]:
    """The rows of each aspect the study asked for, in its order; an aspect nobody rated has none.

    Raises StudyError where the study asked for no aspect, or no vote that counts rates any.
    """
    if not closed.study.aspects:
        raise StudyError(
            f"Study {closed.study.id} asked for no aspects, so its votes are on the whole alone. Make one with "
            "--set aspects=[helpful,harmless,honest], or leave --by aspects out."
        )
    found = {aspect: training_rows(closed, judges=judges, aspect=aspect) for aspect in closed.study.aspects}
    if not any(one.rows for one in found.values()):
        raise StudyError(
            f"Study {closed.study.id}: none of {len(closed.votes)} votes rates an aspect ({', '.join(found)}) and was "
            f"given by judges that count ({', '.join(sorted(judges))}). Say whose count with --judges."
        )
    return found


def _insist_known(closed: ClosedStudy) -> None:
    unknown = [vote for vote in closed.votes if vote.item not in closed.items]
    if unknown:
        raise StudyError(
            f"Study {closed.study.id}: {len(unknown)} votes are on comparisons that are not in it, the first by "
            f"{unknown[0].editor} on {unknown[0].item!r}. Take the study or its export from where it was made."
        )


def _row(closed: ClosedStudy, item: Item, votes: Sequence[StudyVote], aspect: str | None) -> TrainingRow:
    for_a = sum(vote.preferred(item) == "a" for vote in votes)
    for_b = sum(vote.preferred(item) == "b" for vote in votes)
    said = sum(vote.choice != "abstain" for vote in votes)
    # At a tie either may stand as chosen; the label says that it is none.
    chosen_a = for_a >= for_b
    chosen, rejected = (item.system_a, item.system_b) if chosen_a else (item.system_b, item.system_a)
    word: dict[Side, str] = {"a": "chosen", "b": "rejected"} if chosen_a else {"a": "rejected", "b": "chosen"}
    row: TrainingRow = {
        "id": f"{closed.study.id}/{item.id}" + ("" if aspect is None else f"/{aspect}"),
        "prompt": to_json(item.prompt),
        "chosen": item.answer_a if chosen_a else item.answer_b,
        "rejected": item.answer_b if chosen_a else item.answer_a,
        "label": "abstain" if not said else "tie" if for_a == for_b else "chosen",
        "votes": [_vote_row(vote, item, word) for vote in votes],
        "agreement": max(for_a, for_b, said - for_a - for_b) / said if said else None,
    }
    if said:
        row["margin"] = abs(for_a - for_b) / said
    if item.category is not None:
        row["category"] = item.category
    if aspect is not None:
        row["objective"] = aspect
    row["group"] = f"{closed.study.id}/{item.prompt_id}"
    row["source"] = {
        "study": closed.study.id,
        "seal": closed.study.seal,
        "item": item.id,
        "prompt_id": item.prompt_id,
        "systems": {"chosen": chosen, "rejected": rejected},
        "judges": dict(sorted(Counter[str](vote.judge for vote in votes).items())),
    }
    return row


def _vote_row(vote: StudyVote, item: Item, word: Mapping[Side, str]) -> VoteRow:
    """A vote in the contract's words, which have one for both kinds of tie; `said` tells which it was."""
    preferred = vote.preferred(item)
    choice = word[preferred] if preferred else "abstain" if vote.choice == "abstain" else "tie"
    left = replace(vote, choice="left").preferred(item)
    row: VoteRow = {"annotator": vote.editor, "choice": choice, "shown_left": word[left or "a"]}
    if vote.choice == "both_bad":
        row["said"] = vote.choice
    return row
