"""Votes that people already have, in a file of any layout -> a closed study as the analysis takes it.

1. The layout is recognised or told as for pairs, and each row gives two answers and the votes on them. 2. Rows on the
same two answers of the same systems under one prompt are one item, in whatever order the two stand. 3. A person's
second vote on an item is a repeat. What the file does not say (who voted, which side an answer stood on, which system
wrote it, the answers themselves) is unknown and told in the notes; a row that cannot be read is counted by its reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from assay.data.column_use import ColumnUse, without
from assay.data.config import DataConfig
from assay.data.layouts.columns import couples
from assay.data.layouts.draft import Draft
from assay.data.layouts.gathered_rows import texts_digest
from assay.data.layouts.known import SAMPLE, Plan, recognise
from assay.data.layouts.labels import Ballot
from assay.data.layouts.paths import path
from assay.data.layouts.stated_fields import name
from assay.data.layouts.texts import UnfitError, blank, missing
from assay.data.sources.any_source import Source, locate, parsed, suffix
from assay.data.sources.row import Row
from assay.errors import InputError
from assay.records import Reject, Text, plain_text
from assay.study.exchange.anonymous_folder import FILES, MANIFEST
from assay.study.study_address import is_url
from assay.study.study_records import Choice, ClosedStudy, Editor, Item, OutsideVotes, Side, Study, StudyVote

SYSTEM_STEM = r"(?:model|system|policy|llm|model_name|system_name)"
SYSTEM_ROLES = ("system_left", "system_right")
SHORT = 40  # characters up to which a prompt is its own name on the page
UNREADABLE = (UnfitError, AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError)
TURNED: Mapping[str, Choice] = {"left": "right", "right": "left"}
MOST_REASONS = 6


def holds_outside_votes(source: str, config: DataConfig) -> bool:
    """Whether `source` is to be read as a file of votes: a table or JSON that is no part of an export of ours."""
    if is_url(source):
        return False
    place = Path(source)
    if place.name in (*FILES, MANIFEST) and (place.parent / MANIFEST).exists():
        return False
    return place.is_file() and bool(suffix(place) or config.columns or config.layout != "auto")


def read_outside_votes(source: str, *, config: DataConfig) -> ClosedStudy:
    """The votes of a file. Raises InputError where no row holds a vote, or its layout is not clear."""
    stated = {role: column for role, column in config.columns.items() if role in SYSTEM_ROLES}
    if len(stated) == 1:
        raise InputError("--columns: system_left and system_right go together.")
    columns = {role: column for role, column in config.columns.items() if role not in SYSTEM_ROLES}
    config = config.model_copy(update={"columns": columns})
    located = locate(source, config=config)
    sample = [row for row in islice(map(parsed, located.rows()), 50 * SAMPLE) if isinstance(row, Row)][:SAMPLE]
    if not sample:
        raise InputError(f"{source}: no row can be read.")
    plan = recognise([without(row, frozenset(config.ignore)) for row in sample], config, located.name)
    use = ColumnUse.of(plan.columns, sample, config.ignore, located.name)
    poll = Poll(systems=systems_by(plan, sample, stated, located.name))
    for row in map(parsed, located.rows()):
        poll.rows += 1
        if isinstance(row, Reject):
            poll.reject(row.reason, f"{row.where}: {row.detail}")
            continue
        use.see(row)
        take_row(poll, plan, without(row, frozenset(config.ignore)))
    return as_closed(poll, plan, located, use.warnings())


@dataclass(frozen=True, slots=True, kw_only=True)
class Systems:
    """How a row names the systems of its two answers. columns: empty where they are only called by their place."""

    columns: tuple[str, ...]
    of: Callable[[Mapping[str, object]], tuple[str, str]]


def systems_by(plan: Plan, sample: Sequence[Row], stated: Mapping[str, str], source: str) -> Systems:
    """The columns that name both systems: as stated, by the layout, or by their usual names; else the answers' own."""
    seen = list(dict.fromkeys(str(key) for row in sample for key in row.data))
    found: tuple[str, ...] = plan.systems
    if stated:
        found = stated["system_left"], stated["system_right"]
        absent = [column for column in found if column.split(".")[0] not in seen]
        if absent:
            raise InputError(
                f"{source}: --columns names {absent[0]!r}, which is not there. Columns: {', '.join(seen)}."
            )
    elif not found:
        answers = {plan.columns.names.get(role) for role in ("left", "right", "chosen", "rejected")}
        free = [column for column in seen if column not in answers]
        usual = couples(free, SYSTEM_STEM)
        found = usual[0] if len(usual) == 1 else ()
    if found:
        left, right = (path(column) for column in found)

        def named(data: Mapping[str, object]) -> tuple[str, str]:
            names = left(data), right(data)
            for column, one in zip(found, names, strict=True):
                if missing(one):
                    raise UnfitError("missing_field", f"{column!r} names no system")
            return str(names[0]), str(names[1])

        return Systems(columns=tuple(found), of=named)
    names = plan.columns.names
    places = names.get("left") or names.get("chosen") or "left", names.get("right") or names.get("rejected") or "right"
    return Systems(columns=(), of=lambda _: places)


@dataclass(slots=True)
class Poll:
    """What the rows read so far say."""

    systems: Systems
    rows: int = 0
    items: dict[bytes, Item] = field(default_factory=dict)
    votes: list[StudyVote] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    prompts: dict[bytes, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    judged: set[tuple[str, str]] = field(default_factory=set)  # (person, item)
    nameless: Counter[str] = field(default_factory=Counter)  # votes of nobody named, by item

    def reject(self, reason: str, detail: str) -> None:
        self.rejected[reason] += 1
        self.examples.setdefault(reason, detail)


def take_row(poll: Poll, plan: Plan, row: Row) -> None:
    """Add what a row says; a row that cannot be read is counted with its reason."""
    try:
        found = plan.build(row)
        if not isinstance(found, Draft):
            raise InputError(
                f"{row.where}: layout {plan.name} gives several comparisons a row. Votes are analysed of rows that "
                "hold one comparison or one vote: write a layout with row: pair or row: vote, and one outcome "
                "(docs/data.md)."
            )
        if found.unfit is not None:
            raise found.unfit
        add_votes(poll, found, poll.systems.of(row.data))
    except UNREADABLE as error:
        reason = error.reason if isinstance(error, UnfitError) else "not_text"
        poll.reject(reason, f"{row.where}: {error}")


def add_votes(poll: Poll, draft: Draft, systems: tuple[str, str]) -> None:
    """The votes of one comparison. Raises UnfitError where it holds none, or nothing to compare."""
    if blank(draft.prompt):
        raise UnfitError("empty_candidate", "the prompt is empty")
    silent = [blank(text) for text in (draft.left, draft.right)]
    # A system that said nothing was judged so, and loses votes it must not be spared; an unnamed blank may be a gap.
    if all(silent) or (any(silent) and not poll.systems.columns):
        raise UnfitError("empty_candidate", "both answers are empty" if all(silent) else "an answer is empty")
    votes = draft.votes or (() if draft.label is None else (Ballot(outcome=draft.label),))
    if not votes:
        raise UnfitError("missing_field", "no vote")
    item, left = item_of(poll, draft, systems)
    for ballot in votes:
        poll.votes.append(vote_of(poll, ballot, item, left))


def item_of(poll: Poll, draft: Draft, systems: tuple[str, str]) -> tuple[Item, Side]:
    """The item of these two answers, and which of its answers the draft's left one is."""
    # By systems too: two may have given the same text, and are then told apart by nothing else.
    sides = [f"{system}\0{plain_text(text)}" for system, text in zip(systems, (draft.left, draft.right), strict=True)]
    key = texts_digest(draft.prompt, *sides)
    item = poll.items.get(key)
    if item is None:
        called = name(draft.id, "id") or f"item-{len(poll.items) + 1}"
        called = called if called not in poll.names else f"{called} ({len(poll.items) + 1})"
        poll.names.add(called)
        item = poll.items[key] = Item(
            id=called,
            prompt_id=name(draft.group, "group") or prompt_name(poll, draft.prompt),
            prompt=draft.prompt,
            answer_a=plain_text(draft.left),
            answer_b=plain_text(draft.right),
            system_a=systems[0],
            system_b=systems[1],
            category=name(draft.category, "category"),
        )
        return item, "a"
    return item, "a" if (item.system_a, item.answer_a) == (systems[0], plain_text(draft.left)) else "b"


def prompt_name(poll: Poll, prompt: Text) -> str:
    text = plain_text(prompt)
    short = text if len(text) <= SHORT and "\n" not in text else f"prompt-{len(poll.prompts) + 1}"
    return poll.prompts.setdefault(texts_digest(prompt), short)


def vote_of(poll: Poll, ballot: Ballot, item: Item, left: Side) -> StudyVote:
    """A vote as it was cast: turned to the sides of the screen where those are known, to the file's order elsewhere."""
    choice: Choice = ballot.outcome
    if ballot.shown_left == "right":
        choice, left = TURNED.get(choice, choice), "b" if left == "a" else "a"
    systems = (item.system_a, item.system_b) if left == "a" else (item.system_b, item.system_a)
    person = ballot.annotator
    if person is None:
        # Nobody knows whether two such votes are one person's. A name by place keeps the votes of one item apart.
        poll.nameless[item.id] += 1
        person, again = f"vote {poll.nameless[item.id]}", False
    else:
        again = (person, item.id) in poll.judged
        poll.judged.add((person, item.id))
    return StudyVote(
        item=item.id,
        prompt_id=item.prompt_id,
        editor=person,
        choice=choice,
        left_system=systems[0],
        right_system=systems[1],
        kind="repeat" if again else "real",
        judge="human",
        position=len(poll.votes) + 1,
        category=item.category,
        left=left,
        source="file" if ballot.shown_left is not None else "file_without_sides",
    )


def as_closed(poll: Poll, plan: Plan, source: Source, told: Sequence[str]) -> ClosedStudy:
    if not poll.votes:
        raise InputError(f"{source.name}: no vote in {poll.rows:,} rows ({', '.join(rejections(poll))}).")
    named = not poll.nameless
    texts = not holds_names_only(poll.items.values())
    people = dict.fromkeys(vote.editor for vote in poll.votes) if named else {}
    items = {item.id: item for item in poll.items.values()}
    names = dict.fromkeys(name for item in items.values() for name in (item.system_a, item.system_b))
    # Columns in their order; named systems by name, so that no figure hangs on which row stands first.
    systems = sorted(names) if poll.systems.columns else list(names)
    title = Path(source.name).name
    study = Study(
        id=title, title=title, created_at="", closed_at=None, seed=None, seal="none", systems=tuple(systems),
        editors=tuple(Editor(name=one) for one in people), config={}, inputs=source.inputs(), power={}, giveaways=(),
        set_aside=(),
    )  # fmt: skip
    ours = f"Nothing in a file says which system is yours: without --system, rates are of {systems[-1]}."
    notes = (*outside_notes(poll, plan, named=named, texts=texts), ours, *told)
    return ClosedStudy(
        study=study,
        items=items if texts else {},
        votes=tuple(poll.votes),
        planned={},
        outside=OutsideVotes(named=named, rows=poll.rows, rejected=dict(poll.rejected), notes=notes),
    )


def holds_names_only(items: Iterable[Item]) -> bool:
    """Whether the answers' columns name systems: no system ever has two different texts, over several prompts."""
    texts: dict[str, set[str]] = defaultdict(set)
    prompts: set[str] = set()
    for item in items:
        texts[item.system_a].add(item.answer_a)
        texts[item.system_b].add(item.answer_b)
        prompts.add(item.prompt_id)
    return len(prompts) > 1 and all(len(found) == 1 for found in texts.values())


def rejections(poll: Poll) -> list[str]:
    """Rows that gave no vote, by reason, each with the first one."""
    return [
        f"{count:,} {reason}, the first {poll.examples[reason]}"
        for reason, count in poll.rejected.most_common(MOST_REASONS)
    ]


def outside_notes(poll: Poll, plan: Plan, *, named: bool, texts: bool) -> Iterator[str]:
    """How the file was read, and what it does not say."""
    if poll.rejected:
        lost = sum(poll.rejected.values())
        yield f"{lost:,} of {poll.rows:,} rows gave no vote: {'; '.join(rejections(poll))}."
    names = plan.columns.names
    read = ", ".join(f"{role} = {column}" for role, column in names.items())
    yield f"Read by the layout {plan.name}: {read}."
    if poll.systems.columns:
        yield f"Which system gave which answer stands in {' and '.join(poll.systems.columns)}."
    else:
        yield (
            "Which system gave which answer is not known: rates are of what stands in one column against the other, "
            "and mean a system only if each column held one. Name the columns that say it: "
            "--columns system_left=...,system_right=..., or systems: [.., ..] in a layout file."
        )
    if silent := sum(not item.answer_a.strip() or not item.answer_b.strip() for item in poll.items.values()):
        yield f"In {silent:,} of {len(poll.items):,} items one answer is empty; their votes count as any others."
    if not named:
        yield "Who voted is not known for every vote: no figure speaks of persons, and nobody's repeats can be told."
    repeats = sum(vote.kind == "repeat" for vote in poll.votes)
    if repeats:
        yield f"{repeats:,} votes are a person's second on the same two answers; they are in consistency, and no rate."
    sideless = sum(vote.source == "file_without_sides" for vote in poll.votes)
    if sideless:
        part = "any vote" if sideless == len(poll.votes) else f"{sideless:,} of {len(poll.votes):,} votes"
        yield (
            f"Which answer stood on the left of the screen is not known for {part}, so a habit of sides can hide in "
            "the rates. If the file's left answer stood on the left: row: vote and shown: as_read in a layout file."
        )
    if not texts:
        yield "The answers' texts are not in the file, only names: nothing is said of their length."
    yield "Who was asked, what was left out and whether voters could tell the systems apart is not in a file of votes."
