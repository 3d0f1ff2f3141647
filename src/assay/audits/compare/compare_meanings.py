"""The figures of a comparison of two scorers: one row each says unit, why it matters, label, and where it is shown."""

from __future__ import annotations

from assay.findings.vocabulary import Meaning, Vocabulary

COMPARE_FIGURES: tuple[Meaning, ...] = (
    Meaning(
        name="accuracy_of_a",
        unit="share",
        why="How often A puts the answer people preferred strictly above the other, on the pairs both could read.",
        title="Accuracy of A",
        shown={"terminal": "accuracy of A"},
    ),
    Meaning(
        name="accuracy_of_b",
        unit="share",
        why="The same for B. The two intervals may overlap and the difference be clear: the pairs are the same.",
        title="Accuracy of B",
        shown={"terminal": "accuracy of B"},
    ),
    Meaning(
        name="accuracy_difference",
        unit="share difference",
        why="Accuracy of A minus accuracy of B pair by pair, so that pairs hard for both cancel. The verdict rests on "
        "its interval and on a sign-flip test over prompt groups, which must agree.",
        title="A minus B",
        shown={"terminal": "A minus B"},
    ),
    Meaning(
        name="same_preference",
        unit="share",
        why="How often both prefer the same answer. Near 100% the two are one reward for most uses; where they part, a "
        "label is worth most.",
        title="Both prefer the same answer",
        shown={"terminal": "same preference"},
    ),
    Meaning(
        name="margin_correlation",
        unit="correlation",
        why="Spearman correlation of the two margins. Two rewards may be right equally often and still rank answers "
        "differently, and then train different policies.",
        title="Correlation of the margins",
        shown={"terminal": "correlation of margins"},
    ),
)
MEANINGS = Vocabulary(COMPARE_FIGURES)
