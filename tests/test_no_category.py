"""Rows without a category have one name wherever categories are counted: contract, gate, split, audit, study."""

from __future__ import annotations

from dataclasses import replace

from assay.audits import audit
from assay.data import read_pairs, split
from assay.data.config import SplitConfig
from assay.findings.slice import Slice
from assay.flows.reward_stages import oracle
from assay.records import NO_CATEGORY, Pair
from assay.render.length_gate import length_gate
from assay.study.analysis.analyse import analyse
from tests.audits.planted import groups_of, healthy, make_pairs
from tests.study.simulated import closed_study


class TooLong:
    """A renderer under which no row fits."""

    hash = "too long"

    def encode_rows(self, rows):
        class Row:
            ids, prompt_tokens, type_ids = range(10), 1, None

        return [Row() for _ in rows]


def without_some(pairs: list[Pair]) -> list[Pair]:
    return [replace(pair, category=None if pair.category == "tone" else pair.category) for pair in pairs]


def test_every_room_calls_them_the_same() -> None:
    pairs = without_some(make_pairs(60, per_prompt=1))
    names = {"brevity", "refusals", NO_CATEGORY}
    rows = [{"prompt": p.prompt, "chosen": p.chosen, "rejected": p.rejected, "category": p.category} for p in pairs]
    assert set(read_pairs(rows).report.by_category) == names
    assert set(length_gate(pairs, TooLong(), max_tokens=3).counts["by_category"]) == names
    parts = split(pairs, config=SplitConfig(holdout=12))
    assert set(parts.proof.categories) == names
    assert set(oracle({p.id: {"utility": [1.0, 0.0]} for p in pairs}, pairs).by_category) == names
    found = audit(healthy(pairs), pairs, groups=groups_of(pairs))
    assert {f.slice.name for f in found.findings if f.slice.part == "category"} == names
    assert {row["category"] for row in found.tables["categories"]} == names


def test_so_does_a_study() -> None:
    closed = closed_study(prompts=20)
    half = tuple(replace(vote, category=None if vote.category == "refunds" else vote.category) for vote in closed.votes)
    slices = {finding.slice for finding in analyse(replace(closed, votes=half)).findings}
    assert Slice("category", NO_CATEGORY) in slices
    assert Slice("category", "refunds") not in slices
