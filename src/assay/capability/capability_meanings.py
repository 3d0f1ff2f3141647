"""The figures of a capability test: one row each says unit, why it matters, label, and where it is shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning, Vocabulary

CAPABILITY_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="capability_drop",
        unit="share difference",
        why="Share of the questions right before minus share right after, on the same questions. Its bounds hold "
        "one-sided, subjects and questions both taken to vary. Unknown where the model before does no better than "
        "guessing: what is not there cannot be seen to get lost.",
        title="Drop in capability",
        shown={"terminal": "drop"},
        where_given=True,
    ),
    Meaning(
        name="capability_before",
        unit="share",
        why="Share of questions that the model it is held against gets right.",
        title="Right before",
        shown={"terminal": "right before"},
        where_given=True,
    ),
    Meaning(
        name="capability_after",
        unit="share",
        why="Share of questions that the model gets right. Its interval may overlap with that before and the drop be "
        "clear: the questions are the same.",
        title="Right after",
        shown={"terminal": "right after"},
        where_given=True,
    ),
    Meaning(
        name="capability_beyond_guessing",
        unit="share difference",
        why="How far the model before (or the only one) stands above guessing: above drawing a choice, and, by letter, "
        "above always naming the most frequent letter. A drop of more than this could not be seen.",
        title="Beyond guessing",
        shown={"terminal": "beyond guessing"},
        where_given=True,
    ),
)
MEANINGS = Vocabulary(CAPABILITY_FIGURES)
