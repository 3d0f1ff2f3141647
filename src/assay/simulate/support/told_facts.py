"""Answers that tell facts: rightly, wrongly, not at all. Four of the five categories are built on these."""

from __future__ import annotations

import random
from dataclasses import dataclass

from assay.simulate.random_values import weighted
from assay.simulate.support.facts import Fact, wrong_value

DENIALS = ("I can't see {noun} on file", "there is no sign of {noun} in our records", "your file doesn't show {noun}",
           "I don't have {noun} for you here")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFacts:
    """Clauses that tell facts, and how many were right, wrong and left out."""

    clauses: tuple[str, ...]
    right: int = 0
    wrong: int = 0
    missing: int = 0

    def __add__(self, more: ToldFacts) -> ToldFacts:
        return ToldFacts(
            clauses=self.clauses + more.clauses,
            right=self.right + more.right,
            wrong=self.wrong + more.wrong,
            missing=self.missing + more.missing,
        )


def tell(rng: random.Random, fact: Fact, *, present: list[Fact], how: str) -> ToldFacts:
    """One fact told: right, wrong (another value, or denied) or missing. What is not on file is rightly denied."""
    denial = rng.choice(DENIALS).format(noun=fact.kind.noun)
    on_file = any(held is fact for held in present)
    if how == "missing":
        return ToldFacts(clauses=(), missing=1)
    if how == "right":
        return ToldFacts(clauses=(fact.said(rng, fact.value) if on_file else denial,), right=1)
    if not on_file:
        return ToldFacts(clauses=(fact.said(rng, fact.value),), wrong=1)
    if rng.random() < 0.2:
        return ToldFacts(clauses=(denial,), wrong=1)
    return ToldFacts(clauses=(fact.said(rng, wrong_value(rng, fact, present)),), wrong=1)


def tell_all(rng: random.Random, asked: list[Fact], *, present: list[Fact], how: dict[str, float]) -> ToldFacts:
    """Every fact asked for, each told in a way drawn from `how`."""
    told = ToldFacts(clauses=())
    for fact in asked:
        told += tell(rng, fact, present=present, how=weighted(rng, how))
    return told


def joined(rng: random.Random, clauses: tuple[str, ...]) -> list[str]:
    """Clauses as one or several sentences."""
    if len(clauses) > 1 and rng.random() < 0.5:
        return [", and ".join(clauses[:2]), *clauses[2:]]
    return list(clauses)


def ask(rng: random.Random, asked: list[Fact]) -> str:
    """The question or questions, in one sentence."""
    asks = [rng.choice(fact.kind.asks) for fact in asked]
    lead = rng.choice(("", "", "", "quick question: ", "can you tell me, ", "I was wondering, ", "just checking, "))
    return lead + " and ".join(asks) + "?"
