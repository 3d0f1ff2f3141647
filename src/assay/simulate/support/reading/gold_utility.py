"""Any text under any prompt of the desk -> its true qualities and its worth, by the table that made the world.

A rule and no reader: it finds the desk's own phrases, wherever they stand, and holds each against the case; every other
word is idle. What the desk wrote itself has the same worth here as where it was made (a test draws thousands). Nothing
is praised that cannot be checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from assay.simulate.support import wording
from assay.simulate.support.case import CLOSINGS, OPENINGS
from assay.simulate.support.facts import Fact
from assay.simulate.support.fault_cases import FIRST_THEN, IF_NOT, ONE, VAGUE
from assay.simulate.support.permission_cases import BECAUSE, DECLINED, GRANTED, HEDGES, NO, YES
from assay.simulate.support.reading.pieces import Piece, consolations, facts, normal, phrases, steps
from assay.simulate.support.reading.read_case import ReadCase, read_case
from assay.simulate.support.utility import MANNERS, Decision, Quality, Style, utility
from assay.stats.unknown import Unknown

# Courtesies and the like, of which an answer may have one of each kind; another one is idle.
_ONCE = frozenset(("opening", "closing", "evasion", "hedge", "vague", "note"))
_WORD = re.compile(r"\S+")
_BLANK = re.compile(r"\{\w+\}")


def _glue() -> frozenset[str]:
    """What joins the desk's phrases to sentences: every part of a form that is no slot."""
    forms = [*FIRST_THEN, *ONE, *IF_NOT, *BECAUSE, *wording.ALSO, *YES, *NO, ", and "]
    parts = (part for form in forms for part in _BLANK.split(form))
    return frozenset(joined for part in parts if (joined := _bare(part.lower().split())))


def _bare(words: Sequence[str]) -> str:
    """Words without marks at their ends, as one text."""
    return " ".join(bare for word in words if (bare := word.strip(".,:;!?")))


_GLUE = _glue()


def gold_utility(prompt: str, text: str, category: str | None = None) -> float | Unknown:
    """What `text` is truly worth as an answer to `prompt`; Unknown where the prompt's case cannot be read.

    category: of the prompt, where it is known (see read_case). Any text; deterministic; never raises.
    """
    case = read_case(prompt, category)
    return case if isinstance(case, Unknown) else utility(read_quality(case, text))


def read_quality(case: ReadCase, text: str) -> Quality:
    """What is true of any text as an answer in `case`."""
    said = normal(text)
    if not any(char.isalnum() for char in said):
        return Quality(
            empty=True, wish=case.wish, facts_missing=len(case.asked),
            decision="hedged" if case.category == "refusals" else None,
        )  # fmt: skip
    found = _distinct(_pieces(case, said))
    right, wrong, missing = _answered(case, found)
    true, invented = _extras(case, found)
    if case.ruling is not None:
        reasons = [piece for piece in found if piece.kind in ("reason_right", "reason_wrong")]
        right += any(piece.kind == "reason_right" for piece in reasons)
        wrong += sum(piece.kind == "reason_wrong" for piece in reasons)
    if case.remedy is not None:
        promised = {piece.says[0] for piece in found if piece.kind == "remedy"}
        right += case.remedy in promised
        wrong += len(promised - {case.remedy})
    mine = {(step.form, "" if step.number is None else str(step.number)) for step in case.steps}
    taken = {piece.says for piece in found if piece.kind == "step"}
    words = len(text.split())
    # Where words are counted at all: beyond 14 a question in brevity, beyond 45 in an advice.
    need = {"brevity": 14 * len(case.asked), "helpfulness": 45}.get(case.category, words)
    return Quality(
        decision=_decision(case, found),
        facts_right=right, facts_wrong=wrong, facts_missing=missing,
        extras_right=true, extras_invented=invented,
        steps_right=len(taken & mine), steps_wrong=len(taken - mine),
        manners=_manners(case, found), wish=case.wish,
        words_over=max(0, words - need), words_idle=_idle(said, found),
    )  # fmt: skip


@lru_cache(maxsize=4_000)
def _courtesies(first: str, item: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Openings and padding, as they read for one customer."""
    openings = tuple(form.format(first=first) for form in OPENINGS)
    return openings, tuple(form.format(first=first, item=item) for form in wording.PADDING)


def _pieces(case: ReadCase, said: str) -> Iterator[Piece]:
    """Every phrase of the desk's that belongs into answers of this category."""
    openings, padding = _courtesies(case.person.first, case.person.item)
    yield from facts(said)
    yield from phrases(said, "opening", openings)
    yield from phrases(said, "closing", CLOSINGS)
    yield from phrases(said, "evasion", wording.EVASIONS)
    if case.category == "brevity":
        yield from phrases(said, "padding", padding)
    if case.category == "helpfulness":
        yield from steps(said)
        yield from phrases(said, "vague", VAGUE)
    if case.event is not None:
        yield from consolations(said, case.person.item)
        yield from phrases(said, "sympathy", wording.SYMPATHY)
        for style, forms in wording.MANNERED.items():
            yield from phrases(said, style, forms)
    if case.topic is not None and case.ruling is not None:
        item = case.person.item
        yield from phrases(said, "grant", [form.format(item=item) for form in case.topic.grants], says=("grant",))
        yield from phrases(said, "decline", [form.format(item=item) for form in case.topic.declines], says=("decline",))
        yield from phrases(said, "hedge", HEDGES)
        yield from phrases(said, "note", (*GRANTED, *DECLINED))
        for start, end, right in case.ruling.reasons(said):
            yield Piece(start, end, "reason_right" if right else "reason_wrong", (said[start:end],))


def _distinct(pieces: Iterator[Piece]) -> list[Piece]:
    """The first of each thing that is said, in their order; what is said again is left out, and so becomes idle."""
    kept: list[Piece] = []
    seen: set[tuple[str, ...]] = set()
    for piece in sorted(pieces, key=lambda one: (one.start, -one.end)):
        name = (piece.kind,) if piece.kind in _ONCE else (piece.kind, *piece.says)
        if name not in seen:
            seen.add(name)
            kept.append(piece)
    return kept


def _answered(case: ReadCase, found: Sequence[Piece]) -> tuple[int, int, int]:
    """How many of the facts asked for are told rightly, wrongly, and not at all."""
    right = wrong = missing = 0
    for fact in case.asked:
        told = {piece.says[1] for piece in found if piece.kind == "fact" and piece.says[0] == fact.kind.name}
        denied = any(piece.kind == "denial" and piece.says[0] == fact.kind.name for piece in found)
        if case.on_file(fact):
            hits = fact.value.lower() in told
            misses = len(told) - hits + denied
        else:
            hits, misses = denied, len(told)
        right, wrong, missing = right + hits, wrong + misses, missing + (not hits and not misses)
    return right, wrong, missing


def _extras(case: ReadCase, found: Sequence[Piece]) -> tuple[int, int]:
    """True facts that nobody asked for, and those told that the prompt does not hold."""
    asked = {fact.kind.name for fact in case.asked}
    held: dict[str, Fact] = {fact.kind.name: fact for fact in case.facts}
    told = [piece.says for piece in found if piece.kind == "fact" and piece.says[0] not in asked]
    true = sum(name in held and held[name].value.lower() == value for name, value in told)
    # To deny what is on file is as false as to invent; to deny what is not is true, and says nothing.
    denied = sum(
        piece.kind == "denial" and piece.says[0] not in asked and piece.says[0] in held for piece in found
    )  # fmt: skip
    return true, len(told) - true + denied


def _decision(case: ReadCase, found: Sequence[Piece]) -> Decision | None:
    """Right, wrong, or hedged where neither or both are said; None where nothing was to be decided."""
    if case.ruling is None:
        return None
    sides = {piece.kind for piece in found} & {"grant", "decline"}
    if len(sides) != 1:
        return "hedged"
    return "right" if sides == {case.ruling.side} else "wrong"


def _manners(case: ReadCase, found: Sequence[Piece]) -> float:
    """How the tone fits the mood; of several tones the worst, since that is what a reader remembers."""
    event = case.event
    if event is None:
        return 0.0
    table = MANNERS[event.mood]
    styles: list[Style] = []
    for piece in found:
        if piece.kind in ("apology", "condolence"):
            fits = {"upset": "apology", "grieving": "condolence"}.get(event.mood) == piece.kind
            about = tuple(one.lower() for one in event.happened)
            styles.append("warm" if fits and piece.says == about else "misplaced")
        elif piece.kind == "sympathy" and event.mood in ("cheerful", "formal"):
            styles.append("warm")
        elif piece.kind in ("cold", "blaming", "breezy"):
            styles.append(piece.kind)  # type: ignore[arg-type]
    return min((table[style] for style in styles), default=table["plain"])


def _idle(said: str, found: Sequence[Piece]) -> int:
    """Words that belong to no phrase and join none."""
    covered = bytearray(len(said) + 1)
    for piece in found:
        covered[piece.start : piece.end] = b"\1" * (piece.end - piece.start)
    words = [
        (match.group(), any(covered[at] and said[at].isalnum() for at in range(match.start(), match.end())))
        for match in _WORD.finditer(said)
    ]
    idle, run, beside = 0, list[str](), False
    for word, known in [*words, ("", True)]:
        if not known:
            run.append(word)
        if run and (known or word[-1:] in ".!?"):
            # A joint counts as one only beside what it joins: "please" alone says nothing.
            idle += 0 if (beside or known) and _bare(run) in _GLUE else len(run)
            run = []
        if known or word[-1:] in ".!?":
            beside = known and word[-1:] not in ".!?"
    return idle
