"""What the judges of a side took, in a sentence."""

from __future__ import annotations

from assay.artifacts.compare_body import JudgeCostBody
from assay.report import words


def cost_words(one: JudgeCostBody) -> str:
    """Right, wrong and undecided pairs, then what they took, without a point at the end."""
    told = one.calls - one.untold
    tokens = f"{words.count(one.read)} tokens read and {words.count(one.written)} written" if told else "tokens unknown"
    if told and one.untold:
        tokens += f" (of {words.count(told)} calls; of the others the server did not say)"
    flips = "" if one.flips is None else f"; {words.percent(one.flips)} of votes flipped"
    judged = ", ".join(
        f"{words.count(number)} {what}"
        for number, what in ((one.right, "pairs right"), (one.wrong, "wrong"), (one.undecided, "undecided"))
    )
    each = words.number(one.right_a_thousand_calls, 0)
    return f"{judged}{flips}; {words.count(one.calls)} calls, {tokens}; {each} right per 1,000 calls"
