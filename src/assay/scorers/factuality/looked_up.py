"""One statement held against facts, by rule: supported, contradicted, not found, no claim, or an abstention.

A value of the statement is looked for among the facts' values of its kind. Where the fact that is most about the
statement's words has another value, the statement is contradicted; where nothing that is told has it, it is not found.
Without values a statement is judged only where one fact has all of its words: then it says the same or the contrary.
Knows facts; knows no reward.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from assay.data.stated_values import Value
from assay.scorers.factuality.known_facts import NEGATION, Evidence, Fact, names_in
from assay.scorers.factuality.statements import Statement
from assay.scorers.factuality.word_stems import stem, stems

Verdict = Literal["supported", "contradicted", "not_found", "abstains", "no_claim"]

# As much about the statement as the best fact, or nearly: of two facts on one topic either may bear a value out.
NEARLY = 0.7
# Of what a denial is about, the share that a fact must have to belie it.
BELIES = 0.5
# "cannot book Sunday delivery" denies no Sunday, and "not more than 14 days" grants 14.
_DENIED = re.compile(
    r"(?:(?<!can )\b(?:not|never|no longer|rather than|instead of)|(?:is|was|are|were|does|do|did)n['’]t)\s+"
    r"(?!(?:more|less|later|fewer|over|under|only|until|just)\b)(?:\w+\s+){0,2}$",
    re.IGNORECASE,
)
# Words that say of which kind a value is, and nothing of what it is about.
KIND_WORDS: Mapping[str, frozenset[str]] = {
    stem(word): frozenset(kinds.split())
    for words, kinds in (
        ("date day", "date month weekday"),
        ("number quantity", "number code"),
        ("price cost fee amount", "money"),
        ("time period hours", "duration hours time range weekday"),
        ("percentage", "percent"),
    )
    for word in words.split()
}
# A clause of its own kind: what is denied in one of two clauses is not denied in the other.
_REASONED = re.compile(r"\b(?:because|since|so|as|if|unless|although|though)\b", re.IGNORECASE)
_BOUND = re.compile(r"\b(?:no|not)\s(?:more|less|later|fewer)\b", re.IGNORECASE)
_SIDES = {
    "upper": re.compile(
        r"\b(?:under|below|less than|fewer than|up to|within|at most|(?:no|not) (?:more|later) than|until|before)\s$",
        re.IGNORECASE,
    ),
    "lower": re.compile(r"\b(?:over|above|(?<!no )(?<!not )more than|at least|after)\s$", re.IGNORECASE),
}
BEFORE = 200  # characters before a value in which its denial or its bound stands: all of a text, for each, is quadratic
_RECORD = frozenset(map(stem, ("file", "record", "records", "sign", "see", "here", "find", "show", "account", "have")))


@dataclass(frozen=True, slots=True)
class Looked:
    """A statement, its verdict and why. fact: what bears it out or belies it, where something does."""

    statement: Statement
    verdict: Verdict
    why: str
    fact: str | None = None


def look_up(statement: Statement, evidence: Evidence) -> Looked:
    """The verdict on a statement."""
    match statement.form:
        case "no_claim":
            return Looked(statement, "no_claim", "it states nothing")
        case "abstains":
            return Looked(statement, "abstains", "it says that it does not know")
        case "denial":
            return _denial(statement, evidence)
    said = stems(statement.text) - _stems_of_values(statement)
    if statement.values:
        topic, turned = said or evidence.asked, _turned(statement)
        found = [_value(value, statement, topic, evidence, turned=turned) for value in statement.values]
        judged = [one for one in found if one.verdict != "no_claim"]
        # The worst of its values decides: half of a figure right is not a statement that is right.
        order: Sequence[Verdict] = ("contradicted", "not_found", "supported")
        return min(judged, key=lambda one: order.index(one.verdict)) if judged else found[0]
    return _words(statement, said, evidence)


def _value(value: Value, statement: Statement, topic: frozenset[str], evidence: Evidence, *, turned: bool) -> Looked:
    shown = statement.text[value.start : value.end]
    rivals = [fact for fact in evidence.facts if any(one.kind == value.kind for one in fact.values)]
    about = {id(fact): _about(fact, topic, evidence) for fact in rivals}
    has = [fact for fact in rivals if any(one.same(value) for one in fact.values)]
    rival = max(rivals, key=lambda fact: about[id(fact)], default=None)
    borne = max(has, key=lambda fact: about[id(fact)], default=None)
    best = about[id(rival)] if rival is not None else (0.0, 0.0)
    own = about[id(borne)] if borne is not None else (0.0, 0.0)
    if _DENIED.search(_before(statement.text, value)):
        return _denied_value(statement, shown, borne if best[0] and own >= best else None)
    # Of facts that its own words fit alike, the question chooses: "It costs $3" of two fees is the one asked for.
    other = own[0] < NEARLY * best[0] or (own[0] == best[0] and own[1] < best[1])
    if borne is not None and not (best[0] and other):
        if not best[0] and value.kind == "number":
            return Looked(statement, "not_found", f"{shown} stands in {borne.source}, of something else")
        return _borne_out(value, statement, borne, turned=turned)
    if rival is not None and best[0]:
        return Looked(statement, "contradicted", f"{shown} is not what {rival.source} has", rival.text)
    return Looked(statement, "not_found", f"nothing on its topic has a {value.kind}, and {shown} is nowhere")


def _borne_out(value: Value, statement: Statement, fact: Fact, *, turned: bool) -> Looked:
    """A fact has the figure; whether it also says the same of it is judged only where nothing is turned round."""
    shown = statement.text[value.start : value.end]
    sides = {_side(fact.text, one) for one in fact.values if one.same(value)} - {None}
    side = _side(statement.text, value)
    if side is not None and sides and side not in sides:
        return Looked(statement, "no_claim", f"{fact.source} has {shown} as the other bound")
    # Only the statement's: what a fact denies may be a label in front of it ("Won't start: wait 3 minutes").
    if turned and not fact.denies:
        return Looked(statement, "no_claim", f"{fact.source} has {shown}, of which it denies something")
    return Looked(statement, "supported", f"{shown} stands in {fact.source}", fact.text)


def _turned(statement: Statement) -> bool:
    """Whether a statement denies something that is none of its values, so that no figure alone bears it out."""
    return (
        len(NEGATION.findall(statement.text)) % 2 == 1
        and not any(_DENIED.search(_before(statement.text, one)) for one in statement.values)
        and not _REASONED.search(statement.text)
        and not _BOUND.search(statement.text)
    )


def _before(text: str, value: Value) -> str:
    return text[max(0, value.start - BEFORE) : value.start]


def _side(text: str, value: Value) -> str | None:
    """Whether a value is a lower or an upper bound by the words before it; None where they do not say."""
    before = _before(text, value)
    return next((side for side, words in _SIDES.items() if words.search(before)), None)


def _about(fact: Fact, topic: frozenset[str], evidence: Evidence) -> tuple[float, float]:
    """How much a fact is about a statement's own words, and about the question's."""
    return round(evidence.about(topic, fact), 9), round(evidence.about(evidence.asked, fact), 9)


def _denied_value(statement: Statement, shown: str, fact: Fact | None) -> Looked:
    if fact is not None:
        return Looked(statement, "contradicted", f"it denies {shown}, which {fact.source} has", fact.text)
    return Looked(statement, "no_claim", f"it denies {shown}, and says nothing else")


def _denial(statement: Statement, evidence: Evidence) -> Looked:
    """ "Your file shows no renewal date": false where a fact is about that and has a value of that kind."""
    topic = stems(statement.text) - _RECORD
    kinds = frozenset(kind for word in topic for kind in KIND_WORDS.get(word, ()))
    topic = topic - frozenset(KIND_WORDS) or topic
    whole = sum(evidence.weight.get(word, evidence.unknown()) for word in topic)
    for fact in evidence.facts:
        fits = any(one.kind in kinds for one in fact.values) if kinds else bool(fact.values or names_in(fact.text))
        if fits and whole and not fact.denies and evidence.about(topic, fact) > BELIES * whole:
            return Looked(statement, "contradicted", f"it denies what {fact.source} has", fact.text)
    return Looked(statement, "abstains", "it says that this is not on file, and nothing told says otherwise")


def _words(statement: Statement, said: frozenset[str], evidence: Evidence) -> Looked:
    """A statement without values: names that nobody told, or a fact with all of its words."""
    for name in names_in(statement.text):
        known = all(word.casefold() in evidence.flat for word in re.findall(r"\w{2,}", name))
        if not known:
            return Looked(statement, "not_found", f"{name} is named nowhere")
    denials = len(NEGATION.findall(statement.text))
    # Two negations may deny two things or one thing twice: no rule can tell.
    plain = denials < 2 and not _REASONED.search(statement.text)
    for fact in evidence.facts:
        if len(said) >= 2 and plain and said <= fact.stems:
            if (denials == 1) == fact.denies:
                return Looked(statement, "supported", f"{fact.source} says so", fact.text)
            return Looked(statement, "contradicted", f"{fact.source} says the contrary", fact.text)
    return Looked(statement, "no_claim", "it states nothing that a rule can look up")


def _stems_of_values(statement: Statement) -> frozenset[str]:
    return frozenset(
        one for value in statement.values for one in stems(statement.text[value.start : value.end])
    )  # fmt: skip
