"""What the stages of a run tell."""

from __future__ import annotations

from assay.flows.reward_stages import dropped
from assay.records import Pair, Reject, Where
from assay.render.length_gate import LengthGate, RenderedPairs


def test_what_the_gate_dropped_is_told_with_the_limit_that_would_do() -> None:
    pair = Pair(id="p", prompt="Q", chosen="x", rejected="y", where=Where("pairs.jsonl", 3))
    long = [Reject(where=pair.where, reason="too_long", detail="long")] * 3
    lost = Reject(where=pair.where, reason="template_not_prefix", detail="pair p: why.")
    gate = LengthGate(
        pairs=[pair] * 16,
        rejects=[*long, lost],
        rendered=RenderedPairs(renderer="r", rows={}),
        counts={"by_reason": {"too_long": 3, "template_not_prefix": 1}},
        longest=[*range(1, 17), 40, 50, 60],
    )
    assert dropped(gate, 32) == [
        "too long   3 pairs (15.0%) are over 32 tokens; model.max_tokens=60 would keep 95%",
        "template   1 pairs (5.0%) cannot be rendered; pairs.jsonl:3: pair p: why.",
    ]
