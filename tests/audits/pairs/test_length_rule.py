"""The length rule to beat is the stronger one."""

from __future__ import annotations

import pytest

from assay.audits.pairs.length_rule import rule_to_beat
from tests.audits.planted import audited, healthy, make_pairs


@pytest.mark.parametrize(("longer", "name"), [(0.8, "longest"), (0.2, "shortest")])
def test_it_is_the_shortest_where_people_prefer_brevity(longer: float, name: str) -> None:
    pairs = make_pairs(400, longer_preferred=longer)
    found = audited(healthy(pairs, signal=2.0), pairs)
    rule = rule_to_beat(found.find("length_baseline"))
    assert rule is not None
    shorter = sum(len(p.chosen) < len(p.rejected) for p in pairs) / 400
    assert (rule.name, rule.share) == (name, pytest.approx(max(shorter, 1 - shorter)))
    weaker = min(("accuracy_beyond_length", "accuracy_beyond_shortest"), key=lambda n: found.find(n).value)
    assert rule.beyond == weaker
    assert rule_to_beat(None) is None
