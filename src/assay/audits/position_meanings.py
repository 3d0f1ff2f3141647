"""The figure of a judge that is asked in both orders: what it says, and where it is shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning

POSITION_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="position_flips",
        unit="share",
        why="How often the judge, asked in both orders, named the place and not the answer. No such pair is won by "
        "either answer: what is left of its accuracy rests on the others.",
        shown={"terminal": ""},
        where_given=True,
    ),
)
