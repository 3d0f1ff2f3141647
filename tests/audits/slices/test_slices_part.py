"""Slices: members by hand, a truly bad one named, luck among many not, and small ones called too few."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats as scipy_stats

from assay.audits.config import AuditConfig
from assay.audits.part import Found, Given
from assay.audits.scores_table import align
from assay.audits.slices.slice_members import by_agreement, by_quarter, members
from assay.audits.slices.slice_scan import lower_tail, scan, within_groups
from assay.audits.slices.slices_part import slices_audit
from assay.audits.slices.text_language import language_of
from assay.findings.family import judged_together
from assay.records import Pair, PairScore, Vote


def made(count: int, accuracy, *, categories: int, seed: int) -> Found:
    """Pairs in turn over categories; `accuracy` of a category's number."""
    rng = np.random.default_rng(seed)
    pairs = [
        Pair(id=f"p{at}", prompt=f"ask {at}", chosen="a" * 50, rejected="b" * 50, category=f"c{at % categories:02}")
        for at in range(count)
    ]
    right = [rng.random() < accuracy(at % categories) for at in range(count)]
    scores = [PairScore(pair_id=f"p{at}", chosen=1.0 if right[at] else -1.0, rejected=0.0) for at in range(count)]
    aligned = align({0: scores}, pairs, [pair.id for pair in pairs])
    return slices_audit(Given(aligned=aligned, config=AuditConfig()))


def verdict(found: Found) -> str:
    return judged_together(found.findings, level=0.95)[0].verdict


def test_a_bad_category_is_named_among_five():
    found = made(1000, lambda at: 0.5 if at == 3 else 0.8, categories=5, seed=0)
    finding = found.findings[0]
    assert verdict(found) == "warning"
    assert finding.detail["named"] == "category=c03"
    assert finding.value == pytest.approx(-0.3, abs=0.1)
    assert finding.bounds.high < 0
    assert [row["name"] for row in found.tables["slices"] if row["judged"] == "below"] == ["c03"]


def test_fifty_eight_equal_categories_are_no_news():
    verdicts = [verdict(made(986, lambda _: 0.8, categories=58, seed=seed)) for seed in range(25)]
    assert verdicts.count("warning") <= 2


def test_a_slice_of_seventeen_pairs_is_too_few():
    found = made(986, lambda _: 0.8, categories=58, seed=1)
    rows = [row for row in found.tables["slices"] if row["kind"] == "category"]
    assert len(rows) == 58
    assert {row["judged"] for row in rows} == {"too_few"}


def test_a_slice_as_far_below_as_is_tolerated_is_at_its_level():
    rng = np.random.default_rng(0)
    low = np.arange(1000) < 200
    p = []
    for _ in range(400):
        correct = (rng.random(1000) < np.where(low, 0.77, 0.80)).astype(float)
        p.append(scan(correct, np.arange(1000), [low])[0].p)
    assert (np.array(p) < 0.05).mean() < 0.075


def test_pairs_of_one_prompt_do_not_count_as_many():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(100), 10)
    low, p = groups < 20, []
    for _ in range(300):
        correct = (np.repeat(rng.beta(2.4, 0.6, size=100), 10) > rng.random(1000)).astype(float)
        p.append(scan(correct, groups, [low])[0].p)
    assert (np.array(p) < 0.05).mean() < 0.075
    assert within_groups(np.repeat([0.0, 1.0, 1.0, 0.0], 5), np.repeat(np.arange(4), 5)) == pytest.approx(1.0)


def test_the_tail_is_the_binomial_one():
    # 10 of 17 or fewer at 0.8
    assert lower_tail(10 / 17 - 0.8, 0.8, 17) == pytest.approx(
        max(scipy_stats.binom.cdf(10, 17, 0.8), scipy_stats.norm.cdf((10 / 17 - 0.8) / np.sqrt(0.16 / 17)))
    )


def test_every_pair_is_in_one_quarter_and_unknown_numbers_in_none():
    found = by_quarter("margin", np.array([1.0, 2, 3, 4, 5, 6, 7, 8, np.nan]))
    assert np.sum([mask for _, mask in found], axis=0).tolist() == [1] * 8 + [0]
    assert [str(where) for where, _ in by_quarter("margin", np.array([1.0, 2.0, 1.0]))] == ["margin=1", "margin=2"]


def test_agreement_counts_ties_half_and_leaves_single_votes_out():
    def voted(*choices):
        return Pair(id="x", prompt="p", chosen="a", rejected="b", votes=tuple(Vote(choice=one) for one in choices))

    pairs = [voted("chosen", "chosen"), voted("chosen", "tie"), voted("chosen", "rejected"), voted("chosen"), voted()]
    bands = {where.name: mask.tolist() for where, mask in by_agreement(pairs)}
    assert bands["all"] == [True, False, False, False, False]
    assert bands["2/3 to under 1"] == [False, True, False, False, False]
    assert bands["under 2/3"] == [False, False, True, False, False]


def test_everything_in_source_is_a_slice_and_names_of_rows_are_not():
    pairs = [
        Pair(
            id=f"p{at}", prompt="what is the best of these", chosen="a" * (at + 5), rejected="b",
            source={"site": "xy"[at // 20], "row": f"r{at}", "chosen_model": f"m{at % 3}", "rejected_model": "m0"},
        )
        for at in range(40)
    ]  # fmt: skip
    scores = [PairScore(pair_id=pair.id, chosen=1.0, rejected=0.0) for pair in pairs]
    found = members(align({0: scores}, pairs, [pair.id for pair in pairs]))
    kinds = {where.part for where, _ in found}
    assert {"source site", "model", "answer length"} <= kinds
    assert not kinds & {"source row", "source chosen_model", "language"}
    sizes = {str(where): int(mask.sum()) for where, mask in found}
    assert sizes["model=m1"] == 13  # one of three chosen answers; m0 is in every pair and so is no slice
    assert sizes["source site=x"] == 20


def test_low_agreement_is_shown_and_sets_nothing_off():
    rng = np.random.default_rng(0)
    pairs, scores = [], []
    for at in range(600):
        torn = at % 3 == 0
        votes = tuple(Vote(choice=one) for one in (("chosen", "rejected", "chosen") if torn else ("chosen",) * 3))
        pairs.append(Pair(id=f"p{at}", prompt=f"q{at}", chosen="a" * 9, rejected="b" * 9, votes=votes))
        scores.append(PairScore(pair_id=f"p{at}", chosen=float(rng.random() < (0.5 if torn else 0.9)), rejected=0.5))
    given = Given(aligned=align({0: scores}, pairs, [pair.id for pair in pairs]), config=AuditConfig())
    found = slices_audit(given)
    assert verdict(found) != "warning"
    assert {row["judged"] for row in found.tables["slices"] if row["kind"] == "agreement"} == {"shown"}
    told = slices_audit(replace(given)).findings[0]
    assert told == found.findings[0]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I get this stain out of my shirt?", "English"),
        ("Wie bekomme ich den Fleck aus dem Hemd, und ist das nicht schwer?", "German"),
        ("Comment est-ce que je peux le faire avec un ami?", "French"),
        ("¿Cómo puedo hacer que el perro no ladre por la noche?", "Spanish"),
        ("これは何ですか", "Japanese"),
        ("这是什么意思", "Chinese"),
        ("이것은 무엇입니까", "Korean"),
        ("Что это такое", "Cyrillic script"),
        ("12 + 30 = ?", "no words"),
        ("Lorem ipsum dolor sit amet", "Latin script, language unknown"),
    ],
)
def test_languages(text, language):
    assert language_of(text) == language
