"""Categories: a weak one is named, equal ones show no gap however many there are, one prompt is no category."""

from __future__ import annotations

import numpy as np

from assay.records import Pair, PairScore
from tests.audits.planted import audited, healthy, make_pairs, score


def spread_over(pairs: list[Pair], count: int) -> list[Pair]:
    """The same pairs in `count` categories, by prompt."""
    return [
        Pair(id=p.id, prompt=p.prompt, chosen=p.chosen, rejected=p.rejected, category=f"c{index // 2 % count:02d}")
        for index, p in enumerate(pairs)
    ]


def test_a_weak_category_is_named_and_equal_ones_are_not_accused():
    pairs = make_pairs(900)
    sides = {"brevity": 0.0, "refusals": 1.5, "tone": 1.5}
    rng = np.random.default_rng(0)
    weak = score(pairs, lambda p, side: float(rng.normal(sides[p.category] if side == "chosen" else 0.0)))
    gap = audited(weak, pairs).find("category_gap")
    assert (gap.detail["worst"], gap.verdict) == ("brevity", "warning")
    assert gap.interval.low > 0.15
    assert gap.detail["without_luck"]["brevity"] > gap.detail["worst_accuracy"]  # drawn towards the others
    same = audited(healthy(pairs), pairs).find("category_gap")
    assert same.verdict == "ok"
    assert same.interval.low == 0 <= same.value < 0.05


def test_sixty_equal_categories_of_seventeen_show_no_gap():
    pairs = spread_over(make_pairs(1000), 58)
    found = audited(healthy(pairs), pairs)
    gap = found.find("category_gap")
    assert gap.detail["seen"] > 0.4  # what the best and the worst show by luck alone
    assert gap.value < 0.1
    assert gap.interval.low == 0
    assert gap.verdict == "ok"
    assert {f.verdict for f in found.findings} <= {"ok", "too_few", None}


def test_a_category_of_one_prompt_is_left_out_by_name():
    """Its two pairs say nothing of other prompts: a figure made from the others' spread would be a guess."""
    pairs = make_pairs(300)
    alone = [Pair(id=f"one-{n}", prompt="one question", chosen="c" * n, rejected="r", category="alone") for n in (2, 3)]
    scores = [*healthy(pairs), *(PairScore(pair_id=p.id, chosen=0.0, rejected=1.0) for p in alone)]
    gap = audited(scores, [*pairs, *alone]).find("category_gap")
    assert (gap.detail["of_one_prompt"], gap.n, gap.verdict) == (["alone"], 300, "ok")
    two = [*pairs[:10], *alone]
    left = [p for p in two if p.category in ("alone", "brevity")]
    only = audited([s for s in scores if s.pair_id in {p.id for p in left}], left).find("category_gap")
    assert only.known is None
    assert "one prompt: alone" in only.reason


def test_a_reason_names_a_few_of_many_categories():
    pairs = [
        Pair(id=f"{n}", prompt=f"q{n}", chosen="c" * n, rejected="r", category=f"topic {n:02d}") for n in range(2, 18)
    ]
    reason = (
        audited([PairScore(pair_id=p.id, chosen=1.0, rejected=0.0) for p in pairs], pairs).find("category_gap").reason
    )
    assert "one prompt: topic 02, topic 03, topic 04 and 13 more" in reason
