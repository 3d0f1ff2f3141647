"""Pairs of an audit held against what the scorer was trained on: same pairs, same and near prompts, known answers.

1. Prompts are compared as a split compares them. 2. Pairs and answers are compared by digests of their normal form.
3. Accuracy is taken with and without the pairs whose prompts the training had. Shapes: S seeds, N pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.artifacts.audit_leak_table import LeakRow, LeakTable
from assay.audits.leakage.leakage_meanings import (
    LEAK_GAIN,
    LEAKED_ANSWERS,
    LEAKED_PAIRS,
    LEAKED_PROMPTS,
    WITHOUT_LEAKS,
)
from assay.audits.part import Found, Given
from assay.audits.trained_on import TrainedOn
from assay.data.groups.overlap import contamination
from assay.data.groups.shingles import normalised
from assay.findings.alarm import Alarm
from assay.findings.finding import Finding, measured, unknown
from assay.records import Pair, Text, plain_text
from assay.stats.intervals import cluster_bootstrap, cluster_wilson, ending

NOTABLE, STRONG = 0.01, 0.1  # shares of pairs with a leaked prompt: a fact, not an estimate, so no chance is weighed
SHORT = 5  # words; shorter answers ("Yes.") stand under many prompts without being remembered
ROWS = 50
SEVERAL = None  # under more than one prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """kind_N: of each pair, "" where its prompt is new. answer_N: whether an answer is known under another prompt."""

    kind_N: tuple[str, ...]
    answer_N: npt.NDArray[np.bool_]

    @property
    def prompt_N(self) -> npt.NDArray[np.bool_]:
        return np.array([bool(kind) for kind in self.kind_N], dtype=bool)


def leaks(pairs: Sequence[Pair], trained_on: TrainedOn) -> Leaks:
    """What the training had of each pair."""
    same = set(contamination(pairs, trained_on.pairs, threshold=None).pairs)
    near = set(contamination(pairs, trained_on.pairs, threshold=trained_on.threshold).pairs) - same
    known: dict[tuple[int, int, int], bool] = {}
    under: dict[int, int | None] = {}
    for pair in trained_on.pairs:
        asked, chosen, rejected = map(_digest, (pair.prompt, pair.chosen, pair.rejected))
        known[asked, min(chosen, rejected), max(chosen, rejected)] = chosen <= rejected
        for answer in (chosen, rejected):
            if answer in under and under[answer] != asked:
                under[answer] = SEVERAL
            else:
                under[answer] = asked
    kinds: list[str] = []
    answers = np.zeros(len(pairs), dtype=bool)
    for place, pair in enumerate(pairs):
        asked, chosen, rejected = map(_digest, (pair.prompt, pair.chosen, pair.rejected))
        order = known.get((asked, min(chosen, rejected), max(chosen, rejected)))
        if order is not None:
            kinds.append("same pair" if order == (chosen <= rejected) else "turned pair")
        else:
            kinds.append("same prompt" if place in same else "near prompt" if place in near else "")
        answers[place] = any(
            digest in under and under[digest] != asked and len(plain_text(answer).split()) >= SHORT
            for digest, answer in ((chosen, pair.chosen), (rejected, pair.rejected))
        )
    return Leaks(kind_N=tuple(kinds), answer_N=answers)


def leakage_audit(given: Given) -> Found:
    """The figures of leakage and their table, where it is known what was trained on; else nothing."""
    if given.trained_on is None:
        return Found(findings=[])
    aligned, found = given.aligned, leaks(given.aligned.pairs, given.trained_on)
    kinds = list(found.kind_N)
    rows = [
        LeakRow(pair_id=pair.id, category=pair.category, kind=kind, prompt=plain_text(pair.prompt))  # type: ignore[typeddict-item]
        for pair, kind in zip(aligned.pairs, kinds, strict=True)
        if kind
    ]
    table = LeakTable(
        training_pairs=len(given.trained_on.pairs),
        same_pair=kinds.count("same pair"),
        turned_pair=kinds.count("turned pair"),
        same_prompt=kinds.count("same prompt"),
        near_prompt=kinds.count("near prompt"),
        answers=int(found.answer_N.sum()),
        rows=rows[:ROWS],
    )
    return Found(findings=[*_shares(found, aligned.n, table), *_worth(given, found)], tables={"leaks": table})


def _shares(found: Leaks, n: int, table: LeakTable) -> list[Finding]:
    share = float(found.prompt_N.mean())
    alarm = Alarm(p=0.0 if share >= NOTABLE else 1.0, strength="problem" if share >= STRONG else "warning")
    whole = table["same_pair"] + table["turned_pair"]
    counts = {kind.replace(" ", "_"): found.kind_N.count(kind) for kind in ("same prompt", "near prompt")}
    return [
        measured(LEAKED_PROMPTS, share, n=n, alarm=alarm, detail={"tolerated": NOTABLE, "same_pair": whole, **counts}),
        measured(LEAKED_PAIRS, whole / n, n=n, detail={"turned": table["turned_pair"]}),
        measured(LEAKED_ANSWERS, float(found.answer_N.mean()), n=n),
    ]


def _worth(given: Given, found: Leaks) -> list[Finding]:
    aligned, level = given.aligned, given.config.level
    correct, new = aligned.correct.mean(axis=0), ~found.prompt_N
    if not new.any():
        return [unknown(meaning, "every prompt was trained on") for meaning in (WITHOUT_LEAKS, LEAK_GAIN)]
    without = measured(
        WITHOUT_LEAKS,
        float(correct[new].mean()),
        n=int(new.sum()),
        interval=cluster_wilson(correct[new], aligned.groups[new], level=level),
    )
    if new.all():
        return [without, unknown(LEAK_GAIN, "no prompt was trained on, so nothing is left out", n=aligned.n)]
    interval = cluster_bootstrap(
        np.column_stack([correct, np.ones(aligned.n), correct * new, new]),
        aligned.groups,
        lambda sums_RK: np.asarray(sums_RK[:, 0] / sums_RK[:, 1] - sums_RK[:, 2] / sums_RK[:, 3]),
        use=LEAK_GAIN.name,
        level=level,
        resamples=given.config.resamples,
        seed=given.config.seed,
    )
    gain = float(correct.mean() - correct[new].mean())
    detail = {"accuracy": float(correct.mean()), "accuracy_leaked": float(correct[~new].mean())}
    return [without, measured(LEAK_GAIN, gain, n=aligned.n, interval=ending(interval, -1.0, 1.0), detail=detail)]


def _digest(text: Text) -> int:
    """Of the normal form, by Python's own keyed hash: it never leaves this process."""
    return hash(normalised(plain_text(text)))
