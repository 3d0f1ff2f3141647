"""Answers that tell facts: rightly, wrongly, not at all. Four of the five categories are built on these."""

from __future__ import annotations

import random
from dataclasses import dataclass

from assay.simulate.draws import weighted
from assay.simulate.support.facts import Fact, wrong_value

DENIALS = ("I can't see {noun} on file", "there is no sign of {noun} in our records", "your file doesn't show {noun}",
           "I don't have {noun} for you here")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Clauses that tell facts, and how many were right, wrong and left out."""

    clauses: tuple[str, ...]
    right: int = 0
    wrong: int = 0
    missing: int = 0

    def __add__(self, more: Told) -> Told:
        return Told(
            clauses=self.clauses + more.clauses,
            right=self.right + more.right,
            wrong=self.wrong + more.wrong,
            missing=self.missing + more.missing,
        )


def tell(rng: random.Random, fact: Fact, *, present: list[Fact], how: str) -> Told:
    """One fact told: right, wrong (another value, or denied) or missing. What is not on file is rightly denied."""
    denial = rng.choice(DENIALS).format(noun=fact.kind.noun)
    on_file = any(held is fact for held in present)
    if how == "missing":
        return Told(clauses=(), missing=1)
    if how == "right":
        return Told(clauses=(fact.said(rng, fact.value) if on_file else denial,), right=1)
    if not on_file:
        return Told(clauses=(fact.said(rng, fact.value),), wrong=1)
    if rng.random() < 0.2:
        return Told(clauses=(denial,), wrong=1)
    return Told(clauses=(fact.said(rng, wrong_value(rng, fact, present)),), wrong=1)


def tell_all(rng: random.Random, asked: list[Fact], *, present: list[Fact], how: dict[str, float]) -> Told:
    """Every fact asked for, each told in a way drawn from `how`."""
    told = Told(clauses=())
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
