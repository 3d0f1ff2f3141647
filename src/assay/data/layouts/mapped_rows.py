"""A layout in the mapping language -> the function that reads its rows. Compiled once, called for every row.

A row becomes one Draft; several, where it states several objectives or several right answers; or Candidates.
Rows of which several make one (a vote or an answer each) also get a Gather (gathered_rows.py). Judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypedDict, cast

from assay.data.layouts.draft import Draft, Drafts
from assay.data.layouts.gathered_rows import GATHERED, Gather, texts_digest
from assay.data.layouts.labels import Ballot
from assay.data.layouts.mapped_texts import answer_of, asking, couple_reading, list_of, text_of
from assay.data.layouts.mapped_verdicts import Said, row_vote, stated_number, truth, verdict_reading, words_of
from assay.data.layouts.mapping_language import Distance, MappedLayout, Verdict
from assay.data.layouts.paths import Look, path
from assay.data.layouts.stated_fields import name, source
from assay.data.layouts.texts import UnfitError, after_prompt, as_list, missing
from assay.data.sources.row import Row
from assay.data.text_ids import candidates_id
from assay.records import Candidates, Text

Data = Mapping[str, object]
Building = Callable[[Row], Draft | Drafts | Candidates]
ABOUT = ("id", "category", "group", "margin", "weight", "source")


class Compiled(NamedTuple):
    """How rows of a layout are read; gather: how rows that make one are brought together."""

    build: Building
    gather: Gather | None = None


def compiled(layout: MappedLayout, labels: Mapping[str, str]) -> Compiled:
    """The reading of a layout; labels: what the user says labels mean, in place of the layout's own words."""
    kind = layout.answers.kind
    if kind == "pair":
        return votes_in_rows(layout, labels) if layout.row == "vote" else Compiled(pairs(layout, labels))
    if kind == "one":
        return answers_in_rows(layout)
    listing = {"right_and_wrong": right_and_wrong, "columns": answers_in_columns, "list": listed_answers}
    return Compiled(listing[kind](layout))


class About(TypedDict, total=False):
    """What a row says beside its texts, as it stands there, by the roles in ABOUT."""

    id: object
    category: object
    objective: object
    group: object
    margin: object
    weight: object
    source: object


def about_reading(layout: MappedLayout) -> Callable[[Data], About]:
    """What a row says beside its texts, by role."""
    looks = [(role, path(used)) for role in ABOUT if isinstance(used := getattr(layout, role), str)]
    if isinstance(layout.margin, Distance):
        looks.append(("margin", distance(layout.margin)))
    return lambda data: cast("About", {role: look(data) for role, look in looks})


def distance(margin: Distance) -> Look:
    """How far two numbers of a row lie apart; None where the row has not both."""
    left, right = map(path, margin.between)

    def reading(data: Data) -> object:
        one, other = left(data), right(data)
        if missing(one) or missing(other):
            return None
        return abs(stated_number(one, margin.between[0]) - stated_number(other, margin.between[1]))

    return reading


def pairs(layout: MappedLayout, labels: Mapping[str, str]) -> Building:
    """One pair a row; of several outcomes, one a verdict, named by its objective."""
    asked, about = couple_reading(layout), about_reading(layout)
    verdicts = [(one.objective, verdict_reading(one, layout.answers, labels)) for one in layout.verdicts]
    only = verdicts[0][1] if len(verdicts) == 1 else lambda data: Said(label="left")

    def draft(data: Data) -> Draft:
        found = asked(data)
        return Draft(
            prompt=found.prompt, other_prompt=found.prompt, left=found.left, right=found.right, **about(data)
        )  # fmt: skip

    def one(row: Row) -> Draft:
        return judged(draft(row.data), only, row.data)

    def several(row: Row) -> Drafts:
        read = draft(row.data)
        return Drafts(
            tuple(
                judged(replace(read, objective=objective, several=True), said, row.data) for objective, said in verdicts
            )
        )

    return several if len(verdicts) > 1 else one


def judged(draft: Draft, reading: Callable[[Data], Said], data: Data) -> Draft:
    """The draft with what a verdict says; where that cannot be read, with the reason."""
    try:
        said = reading(data)
    except UnfitError as error:
        draft.unfit = error
        return draft
    draft.label, draft.votes, draft.unfit = said.label, said.votes, said.unfit
    if draft.margin is None:
        draft.margin = said.margin
    return draft


def right_and_wrong(layout: MappedLayout) -> Building:
    """Every right answer against every wrong one; nothing is known of two right ones, or of two wrong ones."""
    asked, about = asking(layout), about_reading(layout)
    names = layout.answers.all_chosen or "", layout.answers.all_rejected or ""
    looks = path(names[0]), path(names[1])

    def build(row: Row) -> Drafts:
        prompt = asked(row.data)
        right, wrong = (
            [after_prompt(prompt, answer_of(item, None, name)) for item in list_of(look(row.data), name)]
            for look, name in zip(looks, names, strict=True)
        )
        return against(prompt, right, wrong, about(row.data))

    return build


def against(prompt: Text, right: list[Text], wrong: list[Text], about: Mapping[str, object]) -> Drafts:
    """A draft for every right and wrong answer, named by their places, the right ones first."""
    named = name(about.get("id"), "id") or candidates_id(prompt, right + wrong)
    found = [
        Draft(prompt=prompt, other_prompt=prompt, left=good, right=bad, label="left")
        for good in right
        for bad in wrong
    ]  # fmt: skip
    places = [(i, len(right) + j) for i in range(len(right)) for j in range(len(wrong))]
    for draft, (i, j) in zip(found, places, strict=True):
        for role, value in about.items():
            setattr(draft, role, value)
        draft.id = f"{named}/{i}-{j}"
    return Drafts(tuple(found), answers=len(right) + len(wrong))


def listed_answers(layout: MappedLayout) -> Building:
    """A list of answers, and which is better by rank, score or order."""
    asked, about = asking(layout), about_reading(layout)
    column, key, verdict = layout.answers.list or "", layout.answers.text, layout.verdicts[0]
    look = path(column)

    def build(row: Row) -> Candidates:
        prompt, items = asked(row.data), list_of(look(row.data), column)
        texts = [after_prompt(prompt, answer_of(item, key, f"{column}[{n}]")) for n, item in enumerate(items)]
        ranks: list[float | None] | None = None
        scores: list[float | None] | None = None
        if verdict.order is not None:
            ranks = [float(n if verdict.order == "best_first" else len(items) - n) for n in range(len(items))]
        elif verdict.rank is not None:
            ranks = ranked(numbers(items, verdict.rank, column), verdict)
        else:
            scores = numbers(items, verdict.score or "", column)
        return group_of(row, prompt, texts, (ranks, scores), about(row.data))

    return build


def answers_in_columns(layout: MappedLayout) -> Building:
    """Answers in columns and the rank of each; where a row has fewer answers, both cells are empty."""
    asked, about, verdict = asking(layout), about_reading(layout), layout.verdicts[0]
    places = [(column, path(column), order, path(order))
              for column, order in zip(layout.answers.columns or (), verdict.ranks or (), strict=True)]  # fmt: skip

    def build(row: Row) -> Candidates:
        prompt, texts, ranks = asked(row.data), list[Text](), list[float | None]()
        for column, answer, order, rank in places:
            text, stated = answer(row.data), rank(row.data)
            if missing(text) and missing(stated):
                continue
            texts.append(after_prompt(prompt, text_of(text, "both", column)))
            ranks.append(None if missing(stated) else stated_number(stated, order))
        return group_of(row, prompt, texts, (ranked(ranks, verdict), None), about(row.data))

    return build


def numbers(items: list[object] | object, key: str, column: str) -> list[float | None]:
    """What stands under a key of every answer; None where nothing does."""
    found = [item.get(key) if isinstance(item, Mapping) else None for item in as_list(items)]
    return [None if missing(one) else stated_number(one, f"{column}[{n}].{key}") for n, one in enumerate(found)]


def ranked(ranks: list[float | None], verdict: Verdict) -> list[float | None]:
    """Ranks of which the lowest is the best."""
    return ranks if verdict.best != "highest" else [None if rank is None else -rank for rank in ranks]


def group_of(
    row: Row,
    prompt: Text,
    texts: list[Text],
    known: tuple[list[float] | list[float | None] | None, list[float | None] | None],
    about: Mapping[str, object],
) -> Candidates:
    if len(texts) < 2:
        raise UnfitError("missing_field", "one answer alone cannot be compared", "both")
    ranks, scores = known
    return Candidates(
        id=name(about.get("id"), "id") or candidates_id(prompt, texts),
        prompt=prompt,
        answers=tuple(texts),
        ranks=None if ranks is None else tuple(ranks),
        scores=None if scores is None else tuple(scores),
        category=name(about.get("category"), "category"),
        group=name(about.get("group"), "group"),
        source=source(about.get("source")),
        where=row.where,
    )


def votes_in_rows(layout: MappedLayout, labels: Mapping[str, str]) -> Compiled:
    """One row a vote: rows with the same prompt and the same two answers, in whatever order, are one pair."""
    asked, about, verdict = couple_reading(layout), about_reading(layout), layout.verdicts[0]
    vote = row_vote(
        verdict_reading(verdict, layout.answers, labels),
        None if layout.annotator is None else path(layout.annotator),
        None if layout.shown_left is None else path(layout.shown_left),
        words_of(verdict.words, labels, layout.answers),
        as_read=layout.shown,
    )
    label = None if verdict.label is None else path(verdict.label)

    def ballot(data: Data) -> Ballot:
        if label is not None and missing(label(data)):
            return Ballot(outcome="abstain")
        return vote(data)

    def build(row: Row) -> Draft:
        found = asked(row.data)
        draft = Draft(prompt=found.prompt, other_prompt=found.prompt, left=found.left, right=found.right)
        for role, value in about(row.data).items():
            setattr(draft, role, value)
        gathered = row.data.get(GATHERED)
        draft.votes = gathered if isinstance(gathered, tuple) else (ballot(row.data),)
        return draft

    def take(data: Data) -> tuple[bytes, bytes, object]:
        found = asked(data)
        return texts_digest(found.prompt, found.left, found.right), texts_digest(found.left), ballot(data)

    return Compiled(build, Gather(take=take))


def answers_in_rows(layout: MappedLayout) -> Compiled:
    """One row an answer: the rows of one prompt are its candidates."""
    asked, about, verdict = asking(layout), about_reading(layout), layout.verdicts[0]
    column = layout.answers.one or ""
    answer, good = path(column), path(verdict.good or "good")
    merit = path(verdict.score or verdict.rank or "score")

    def take(data: Data) -> tuple[bytes, bytes, object]:
        prompt = asked(data)
        told = text_of(answer(data), "both", column)
        if verdict.good is not None:
            return texts_digest(prompt), b"", (told, float(truth(good(data), verdict.good)))
        return texts_digest(prompt), b"", (told, stated_number(merit(data), verdict.score or verdict.rank or ""))

    def build(row: Row) -> Drafts | Candidates:
        prompt = asked(row.data)
        rows = row.data.get(GATHERED)
        # What `take` put aside of each row that was gathered: an answer and its merit.
        taken = list(rows) if isinstance(rows, tuple) else [take(row.data)[2]]
        found = cast("list[tuple[Text, float | None]]", taken)
        texts: list[Text] = [after_prompt(prompt, text) for text, _ in found]
        merits: list[float | None] = [value for _, value in found]
        if verdict.good is None:
            ranks, scores = (ranked(merits, verdict), None) if verdict.rank is not None else (None, merits)
            return group_of(row, prompt, texts, (ranks, scores), about(row.data))
        right = [text for text, value in zip(texts, merits, strict=True) if value]
        wrong = [text for text, value in zip(texts, merits, strict=True) if not value]
        if not right or not wrong:
            kind = "good" if right else "bad"
            raise UnfitError(
                "missing_field", f"{len(texts)} answers to this prompt, all of them {kind}: no pair", "both"
            )
        return against(prompt, right, wrong, about(row.data))

    return Compiled(build, Gather(take=take))
