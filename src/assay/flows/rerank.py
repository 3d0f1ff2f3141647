"""From any scorer and answers to the same answers, best first: `assay rerank`, best of n as a file.

1. Candidates are read as `assay optimise` reads them: labelled data, rows of answers, or what `assay generate` wrote.
2. They are scored as by `assay score`, kept as they come, so that a run that was killed goes on.
3. Each prompt becomes one row: answers by falling reward, equal rewards under one rank in the order of the file, those
   without a reward behind them with the reason, and those the policy never gave by number.
What is written is again a file of candidates, with scores and ranks, that every command reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict

from assay.artifacts.files import write_jsonl
from assay.data.config import DataConfig
from assay.errors import InputError
from assay.flows.optimise_candidates import GivenCandidates, given_candidates
from assay.records import Candidates, to_json
from assay.scorers.protocol import Scorer, Unscored
from assay.scorers.scores_file import PromptRow
from assay.scorers.unfinished_rows import unfinished_rows

EVERY = 1000  # prompts between two words on how far it is


class MissingAnswer(TypedDict):
    """An answer the policy did not give: its number in the file, from 0, and why."""

    number: int
    reason: str


class RankedRow(TypedDict):
    """One prompt. answers: best first; scores, ranks (1 the best, equal rewards one rank), places (in the file, from 0)
    and reasons (why an answer has no reward): one an answer. tied: how many share the best reward, where several do.
    left_out: answers behind the first K. cut_in_tie: the last of those and the first left out have one reward.
    """

    id: str
    category: NotRequired[str]
    prompt: str | list[dict[str, str]]
    answers: list[str | list[dict[str, str]]]
    scores: list[float | None]
    ranks: list[int | None]
    places: list[int]
    reasons: NotRequired[list[str | None]]
    tied: NotRequired[int]
    left_out: NotRequired[int]
    cut_in_tie: NotRequired[bool]
    missing: NotRequired[list[MissingAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reranked:
    """What was written.

    answers: that were given. unscored: of them those without a reward; not_finite: of these those whose reward is no
    number. missing: answers the policy never gave. tied: prompts whose best reward several answers have; alone: prompts
    of which no two answers have a reward, where nothing was picked. first_reason: why the first has no reward.
    """

    prompts: int
    answers: int
    unscored: int
    not_finite: int
    missing: int
    tied: int
    alone: int
    fingerprint: str
    first_reason: str | None


def rerank(
    scorer: Scorer,
    candidates: Path | str | Sequence[Candidates],
    out: Path,
    *,
    top: int | None = None,
    config: DataConfig | None = None,
    notify: Callable[[int], None] = lambda _prompts: None,
) -> Reranked:
    """Write the answers of each prompt to the JSON lines `out`, best first, prompts in their order.

    top: how many of each; None: all. notify: gets the number of prompts, now and then. Killed anywhere, the same call
    asks for nothing twice. Raises InputError where no prompt has two answers, and what reading and scoring raise.
    """
    if top is not None and top < 1:
        raise InputError(f"the best {top} of each prompt are none. Give --top 1 or more, or leave it out.")
    fingerprint = scorer.fingerprint  # a model that is not there costs no reading
    # Near-duplicate prompts are looked for where figures have intervals; here is none.
    given = given_candidates(candidates, (config or DataConfig()).model_copy(update={"near_duplicates": None}))
    unfinished = out.with_name(f".{out.name}.unfinished")
    asked = [place for place, group in enumerate(given.groups) if group.answers]
    rows = unfinished_rows(scorer, [given.groups[place] for place in asked], unfinished)
    scored = dict(_counted(rows, asked, notify))
    write_jsonl(out, (ranked_row(group, scored.get(place), given, top=top) for place, group in enumerate(given.groups)))
    unfinished.unlink(missing_ok=True)
    return _told(given, scored, fingerprint)


def ranked_row(group: Candidates, scored: PromptRow | None, given: GivenCandidates, *, top: int | None) -> RankedRow:
    """One prompt's answers in order. scored: their rewards; None where there is no answer."""
    scores: Sequence[float | None] = () if scored is None else scored["scores"]
    reasons: Sequence[str | None] = () if scored is None else scored.get("reasons", [None] * len(scores))
    # A stable sort by falling reward: equal ones stay in the order of the file, as do those without one, behind all.
    order = sorted(range(len(scores)), key=lambda at: (scores[at] is None, -(scores[at] or 0.0)))
    ranks = ranks_of([scores[at] for at in order])
    places, kept = given.places_of(group), order if top is None else order[:top]
    row = RankedRow(
        id=group.id,
        prompt=to_json(group.prompt),
        answers=[to_json(group.answers[at]) for at in kept],
        scores=[scores[at] for at in kept],
        ranks=ranks[: len(kept)],
        places=[places[at] for at in kept],
    )
    if group.category is not None:
        row["category"] = group.category
    if any(reasons[at] for at in kept):
        row["reasons"] = [reasons[at] for at in kept]
    if (tied := ranks.count(1)) > 1:
        row["tied"] = tied
    if len(kept) < len(order):
        row["left_out"] = len(order) - len(kept)
        if ranks[len(kept)] is not None and ranks[len(kept)] == ranks[len(kept) - 1]:
            row["cut_in_tie"] = True
    if missing := given.missing.get(group.id):
        row["missing"] = [MissingAnswer(number=number, reason=why) for number, why in sorted(missing.items())]
    return row


def ranks_of(scores: Sequence[float | None]) -> list[int | None]:
    """Of scores in falling order, with None behind them, the rank of each: 1 the best, equal ones share the lowest.

    >>> ranks_of([2.0, 1.0, 1.0, 0.5, None])
    [1, 2, 2, 4, None]
    """
    ranks: list[int | None] = []
    for place, score in enumerate(scores):
        same = place > 0 and score == scores[place - 1]
        ranks.append(None if score is None else ranks[-1] if same else place + 1)
    return ranks


def _counted(
    rows: Iterable[PromptRow], asked: Sequence[int], notify: Callable[[int], None]
) -> Iterator[tuple[int, PromptRow]]:
    """Each row with the place of its group among all."""
    for done, (place, row) in enumerate(zip(asked, rows, strict=True), start=1):
        if done % EVERY == 0:
            notify(done)
        yield place, row


def _told(given: GivenCandidates, scored: Mapping[int, PromptRow], fingerprint: str) -> Reranked:
    """What was written, counted."""
    reasons = [reason for row in scored.values() for reason in row.get("reasons", ()) if reason]
    known = [[score for score in row["scores"] if score is not None] for row in scored.values()]
    return Reranked(
        prompts=len(given.groups),
        answers=sum(len(group.answers) for group in given.groups),
        unscored=len(reasons),
        not_finite=sum(Unscored(reason).not_finite for reason in reasons),
        missing=sum(map(len, given.missing.values())),
        tied=sum(one.count(max(one)) > 1 for one in known if one),
        alone=len(given.groups) - sum(len(one) > 1 for one in known),
        fingerprint=fingerprint,
        first_reason=reasons[0] if reasons else None,
    )
